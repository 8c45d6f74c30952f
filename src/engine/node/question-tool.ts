/** A tool that only asks, as a process: it prints its answer and ends. In the real stack: the tool. Left out: tools that act or wait, which are the machine's commands. */
import { answerQuery, type ToolHost } from "../command/index.ts";
import { NEVER, type Handled, type Hasher, type Instant, type Os, type Program, type ProgramMaker } from "../kernel/index.ts";

class QuestionTool implements Program {
  constructor(
    private readonly os: Os,
    private readonly host: ToolHost,
  ) {}

  start(): void {
    const answer = answerQuery(this.host, this.os.argv, { cwd: this.os.cwd, stdin: "" });
    if (answer === undefined || answer === "acts") throw new Error(`${this.os.argv.join(" ")} was taken for a question`);
    this.os.print("stdout", answer.stdout);
    this.os.print("stderr", answer.stderr);
    this.os.exit({ code: answer.status });
  }

  nextTimerAt(): Instant {
    return NEVER;
  }

  runTimer(): void {
    return;
  }

  handles(): Handled {
    return [];
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
    throw new Error("a question is answered before there can be a snapshot");
  }

  digest(h: Hasher): void {
    h.text("question");
  }
}

/** Undefined where the words are no tool's, or ask for more than an answer. */
export function questionTool(host: ToolHost, argv: readonly string[]): ProgramMaker | undefined {
  const answer = answerQuery(host, argv, { cwd: "/", stdin: "" });
  return answer === undefined || answer === "acts" ? undefined : (os) => new QuestionTool(os, host);
}
