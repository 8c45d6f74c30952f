/** Signals that somebody at a prompt sent, read off what was typed: which one, and whether it was meant for a daemon. */
import { SIGNALS, type MachineAct } from "../../../../engine/kernel/index.ts";

export interface SentSignal {
  /** "SIGSTOP" */
  readonly signal: string;
  /** Whether this unit's process, under one of these process IDs, is among those it went to. */
  hits(unit: string, pids: ReadonlySet<number>): boolean;
}

/** What of a machine's acts is a program run at a prompt. */
export function programOf(act: MachineAct): { readonly name: string; readonly rest: readonly string[] } | undefined {
  if (act.kind !== "session-run" && act.kind !== "command") return undefined;
  const [path = "", ...rest] = act.argv;
  return { name: path.slice(path.lastIndexOf("/") + 1), rest };
}

/** "STOP", "SIGSTOP" and "19" are one. */
function named(word: string): string | undefined {
  const entry = Object.entries(SIGNALS).find(([name, number]) => [name, name.slice(3), String(number)].includes(word.toUpperCase()));
  return entry?.[0];
}

interface Parsed {
  readonly signal: string;
  readonly targets: readonly string[];
}

/** Options of the programs that send signals: which take a word, and which name the signal. */
const OPTIONS: Readonly<Record<string, { readonly signal: readonly string[]; readonly word: readonly string[] }>> = {
  kill: { signal: ["-s", "-n", "--signal"], word: ["-q", "--queue"] },
  killall: { signal: ["-s", "--signal"], word: ["-o", "-y", "-u", "--older-than", "--younger-than", "--user"] },
  pkill: {
    signal: ["--signal"],
    word: ["-u", "-U", "-g", "-G", "-P", "-s", "-t", "--euid", "--uid", "--pgroup", "--group", "--parent", "--session", "--terminal"],
  },
  systemctl: { signal: ["-s", "--signal"], word: ["--kill-whom", "--kill-who"] },
};

function parsed(name: string, args: readonly string[]): Parsed | undefined {
  const options = OPTIONS[name];
  if (options === undefined) return undefined;
  const targets: string[] = [];
  let signal: string | undefined = "SIGTERM";
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? "";
    const [key = "", value] = word.split("=");
    if (word === "--") {
      targets.push(...args.slice(i + 1));
      break;
    }
    if (options.signal.includes(word)) signal = named(args[++i] ?? "");
    else if (options.signal.includes(key) && value !== undefined) signal = named(value);
    else if (options.word.includes(word)) i++;
    else if (name !== "systemctl" && targets.length === 0 && /^-[A-Z0-9]/.test(word) && named(word.slice(1)) !== undefined)
      signal = named(word.slice(1));
    else if (!word.startsWith("-") || (name === "kill" && /^-\d+$/.test(word))) targets.push(word);
  }
  return signal === undefined ? undefined : { signal, targets };
}

/** A name that a pattern of pkill was meant for; patterns beyond a plain word and its anchors are not looked into. */
function fits(pattern: string, unit: string): boolean {
  const plain = pattern.replace(/^\^/, "").replace(/\$$/, "");
  if (plain === "") return false;
  if (pattern.startsWith("^") && pattern.endsWith("$")) return unit === plain;
  return pattern.startsWith("^") ? unit.startsWith(plain) : pattern.endsWith("$") ? unit.endsWith(plain) : unit.includes(plain);
}

/** Whether a word of systemctl names this unit. */
export const namesUnit = (word: string, unit: string): boolean => word === unit || word === `${unit}.service`;

/** The signal that an act sent; undefined: it is none. */
export function signalSent(act: MachineAct): SentSignal | undefined {
  if (act.kind === "session-kill") return { signal: act.signal, hits: (_, pids) => pids.has(Math.abs(act.pid)) };
  const program = programOf(act);
  if (program === undefined) return undefined;
  const { name, rest } = program;
  if (name === "systemctl") {
    const verb = rest.indexOf("kill");
    const sent =
      verb < 0
        ? undefined
        : parsed(
            name,
            rest.filter((_, i) => i !== verb),
          );
    return sent === undefined ? undefined : { signal: sent.signal, hits: (unit) => sent.targets.some((word) => namesUnit(word, unit)) };
  }
  const sent = parsed(name, rest);
  if (sent === undefined) return undefined;
  const { signal, targets } = sent;
  if (name === "kill") return { signal, hits: (_, pids) => targets.some((word) => pids.has(Math.abs(Number(word)))) };
  return name === "killall"
    ? { signal, hits: (unit) => targets.includes(unit) }
    : { signal, hits: (unit) => targets.slice(-1).some((word) => fits(word, unit)) };
}
