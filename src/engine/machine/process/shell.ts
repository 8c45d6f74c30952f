/**
 * The shell of a session as the rest of its machine sees it: a process that waits for its children, and catches what an interactive bash catches. In the real stack: bash. Left out:
 * the lines themselves, which the lab's interpreter reads outside and has carried out here by acts.
 */
import { NEVER, type Handled, type Hasher, type Instant, type Os, type Program, type ProgramMaker } from "../../kernel/index.ts";

/** A login shell on a terminal, and the shell of one line. */
export const LOGIN_SHELL: readonly string[] = ["-bash"];
export const LINE_SHELL: readonly string[] = ["bash", "-c"];

/** bash(1), SIGNALS: interactive, it ignores SIGTERM and the stops of job control, and catches SIGINT. */
const INTERACTIVE: Handled = ["SIGINT", "SIGQUIT", "SIGTERM", "SIGTSTP", "SIGTTIN", "SIGTTOU"];

class Shell implements Program {
  constructor(protected readonly os: Os) {}

  start(): void {
    return;
  }

  nextTimerAt(): Instant {
    return NEVER;
  }

  runTimer(): void {
    return;
  }

  handles(): Handled {
    return this.os.argv[0] === LOGIN_SHELL[0] ? INTERACTIVE : [];
  }

  signal(): void {
    return;
  }

  event(): void {
    return;
  }

  snapshot(): undefined {
    return undefined;
  }

  restore(): void {
    return;
  }

  digest(h: Hasher): void {
    h.text("shell");
  }
}

/** A fork of a shell, or what it executes, that the interpreter outside carries out: signals have their default actions. */
class Outside extends Shell {
  override handles(): Handled {
    return [];
  }
}

export const outsideProgram: ProgramMaker = (os) => new Outside(os);

/** Undefined where the command line is no shell's. */
export function shellProgram(argv: readonly string[]): ProgramMaker | undefined {
  return argv[0] === LOGIN_SHELL[0] || argv[0] === LINE_SHELL[0] ? (os) => new Shell(os) : undefined;
}
