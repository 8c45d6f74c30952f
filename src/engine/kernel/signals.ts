/**
 * Signals: their names and numbers, what each does to a process that does not catch it, and how a process can end. In the real stack: signal(7) and wait(2) on x86-64.
 * Left out: real-time signals, masks, and the sender's credentials that come along.
 */

/** Signals by name, with Linux's numbers on x86-64. */
export const SIGNALS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
} as const;

export type Signal = keyof typeof SIGNALS;

/** How a process ended: wait(2)'s status. */
export type ProcessExit = { readonly code: number } | { readonly signal: Signal };

/** What happens where the program does not catch it. */
export type SignalAction = "terminate" | "core" | "ignore" | "stop" | "continue";

const ACTIONS: { readonly [signal in Signal]?: SignalAction } = {
  SIGQUIT: "core",
  SIGILL: "core",
  SIGTRAP: "core",
  SIGABRT: "core",
  SIGBUS: "core",
  SIGFPE: "core",
  SIGSEGV: "core",
  SIGXCPU: "core",
  SIGXFSZ: "core",
  SIGSYS: "core",
  SIGCHLD: "ignore",
  SIGURG: "ignore",
  SIGWINCH: "ignore",
  SIGSTOP: "stop",
  SIGTSTP: "stop",
  SIGTTIN: "stop",
  SIGTTOU: "stop",
  SIGCONT: "continue",
};

export function defaultAction(signal: Signal): SignalAction {
  return ACTIONS[signal] ?? "terminate";
}

/** In the order of their numbers. */
export const SIGNAL_NAMES: readonly Signal[] = Object.keys(SIGNALS) as Signal[];

/** `9`, `KILL`, `SIGKILL` upper or lower case; undefined where it is none. */
export function signalNamed(text: string): Signal | undefined {
  if (/^[0-9]{1,3}$/.test(text)) return SIGNAL_NAMES.find((name) => SIGNALS[name] === Number(text));
  const name = text.toUpperCase().replace(/^SIG/, "");
  const alias = name === "POLL" ? "IO" : name === "CLD" ? "CHLD" : name === "IOT" ? "ABRT" : name;
  return SIGNAL_NAMES.find((known) => known === `SIG${alias}`);
}

/** What a shell shows of an end: the code, or 128 and the signal's number. */
export function exitStatus(exit: ProcessExit): number {
  return "code" in exit ? exit.code & 0xff : 128 + SIGNALS[exit.signal];
}
