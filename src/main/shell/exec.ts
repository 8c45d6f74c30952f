/** One line in a new shell of a node, without a terminal: what `exec`, scenarios and tests run. */
import { setFlagsFromString } from "node:v8";
import { Files } from "./files.ts";
import { Interrupt, Interrupted } from "./interrupt.ts";
import { Interpreter } from "./interpreter/interpreter.ts";
import { Jobs } from "./interpreter/jobs.ts";
import type { Context, Descriptors } from "./interpreter/shell.ts";
import { Shell } from "./interpreter/shell.ts";
import type { NodePort } from "./port.ts";
import { PortError } from "./port.ts";
import type { Device } from "./streams.ts";
import { nullFile, OpenFile, StreamError } from "./streams.ts";
import { System } from "./system.ts";

// A pattern that backtracks without end falls back to an engine that does not, so that no typed pattern can hang a session.
setFlagsFromString("--enable-experimental-regexp_engine-on-excessive-backtracks");

/** What exec exits with when the lab itself failed, as ssh does. */
export const LAB_FAILED = 255;

export interface LineIo {
  stdout(text: string): void;
  stderr(text: string): void;
  /** What to wait for before more is put out, where whoever reads has to make room. */
  room?: () => Promise<void> | undefined;
  /** The next piece of input; null at its end. Absent: there is no input. */
  stdin?: () => Promise<string | null>;
  /** Fired to interrupt (SIGINT) what runs. */
  interrupt?: Interrupt;
  /**
   * The line has its status, and nobody holds its output any more; what it left in the background without it goes on until it ends. Without this, all of
   * it is waited for.
   */
  left?: (status: number) => void;
}

/** Output decoded as UTF-8 across chunk borders. `closed` settles when nobody holds it any more. */
function outputDevice(system: System, write: (text: string) => void, room: LineIo["room"]): { device: Device; closed: Promise<void> } {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let end = (): void => undefined;
  const closed = new Promise<void>((resolve) => (end = resolve));
  const device: Device = {
    tty: false,
    read: () => Promise.reject(new StreamError("Bad file descriptor")),
    async write(data, interrupt) {
      interrupt.check();
      write(decoder.decode(data, { stream: true }));
      const made = room?.();
      if (made) await system.blocked(made, interrupt);
    },
    close() {
      const rest = decoder.decode();
      if (rest !== "") write(rest);
      end();
    },
  };
  return { device, closed };
}

function inputDevice(system: System, next: () => Promise<string | null>): Device {
  let pending: Promise<string | null> | undefined;
  return {
    tty: false,
    async read(interrupt) {
      // what came for a reader that was interrupted is there for the next one
      pending ??= next();
      const text = await system.wait(interrupt.race(pending));
      pending = undefined;
      return text === null ? null : new TextEncoder().encode(text);
    },
    write: () => Promise.reject(new StreamError("Bad file descriptor")),
    close: () => undefined,
  };
}

/** The environment root has on a node. */
export function rootEnvironment(shell: Shell, node: string): void {
  const values: Readonly<Record<string, string>> = {
    HOME: "/root",
    LANG: "C",
    LOGNAME: "root",
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    PWD: "/root",
    SHELL: "/bin/bash",
    SHLVL: "1",
    USER: "root",
  };
  for (const [name, value] of Object.entries(values)) {
    shell.set(name, value);
    shell.declare(name).exported = true;
  }
  shell.set("HOSTNAME", node);
  shell.set("IFS", " \t\n");
  shell.set("OPTIND", "1");
  shell.set("BASH_VERSION", "5.2.37(1)-release");
}

/** A new shell of root on the node. */
export async function newShell(port: NodePort, system: System, interactive: boolean): Promise<Shell> {
  const now = await system.now();
  const shell = new Shell(system, new Files(system), new Jobs(), interactive, now.instant);
  rootEnvironment(shell, port.node);
  for (const letter of port.node) shell.random = (Math.imul(shell.random, 31) + letter.charCodeAt(0)) >>> 0;
  shell.random = (shell.random ^ now.instant) >>> 0;
  return shell;
}

/**
 * Runs one line (or several) and waits for whoever holds its output, as ssh does.
 * @returns the exit status; 130 when interrupted; 255 with a line on stderr when the lab failed
 */
export async function runLine(port: NodePort, line: string, io: LineIo): Promise<number> {
  const system = new System(port, { terminal: false, line });
  const interrupt = io.interrupt ?? new Interrupt();
  const stdin = io.stdin ? new OpenFile(inputDevice(system, io.stdin)) : nullFile();
  const stdout = outputDevice(system, (text) => io.stdout(text), io.room);
  const stderr = outputDevice(system, (text) => io.stderr(text), io.room);
  const fds: Descriptors = new Map([
    [0, stdin],
    [1, new OpenFile(stdout.device)],
    [2, new OpenFile(stderr.device)],
  ]);
  port.waiting(false);
  let gone: PortError | undefined;
  const off = port.onGone((error) => {
    gone ??= error;
    interrupt.fire(1);
  });
  const stillThere = (): void => {
    if (gone) throw gone;
  };
  let status = LAB_FAILED;
  const letGo = async (): Promise<void> => {
    for (const file of fds.values()) await file.release();
    fds.clear();
  };
  try {
    const shell = await newShell(port, system, false);
    const ctx: Context = { shell, fds, interrupt, condition: false };
    system.whenEnded((killed) => interrupt.fire(killed > 128 ? killed - 128 : 15));
    status = await runSource(new Interpreter(), ctx, line);
    // What it left in the background hears of a signal as long as it is waited for.
    interrupt.onFire((signal) => system.processes.fire(signal));
    await letGo();
    await Promise.race([Promise.all([stdout.closed, stderr.closed]), system.processes.whenNone()]);
    stillThere();
    if (io.left) {
      io.left(status);
      await system.processes.whenNone();
    } else await Promise.all(shell.jobs.running().map((job) => job.done));
    stillThere();
    return status;
  } catch (error) {
    const failure = gone ?? error;
    if (!(failure instanceof PortError)) throw error;
    if (failure.message !== "") io.stderr(`${failure.message}\n`);
    return (status = LAB_FAILED);
  } finally {
    off();
    await letGo();
    await system.close(status);
  }
}

/** A script at the top of a shell: its EXIT trap, and what Ctrl-C makes of it. @throws PortError */
export async function runSource(interpreter: Interpreter, ctx: Context, source: string): Promise<number> {
  let status: number;
  try {
    status = await interpreter.settle(ctx, () => interpreter.evaluateSource(ctx, source));
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    status = error.status;
    const trap = ctx.shell.traps.get("INT");
    const calm: Context = { ...ctx, interrupt: new Interrupt() };
    if (trap !== undefined) status = await interpreter.settle(calm, () => interpreter.evaluateSource(calm, trap));
    return interpreter.exitTrap(calm, status);
  }
  return interpreter.exitTrap(ctx, status & 255);
}
