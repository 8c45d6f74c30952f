/** The built application under the stand-in for Electron, and a way to look at its window. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromiumBinary } from "../../scripts/lib/setup.mjs";
import { projectRoot } from "../tidy/project.ts";

export type Told = Record<string, unknown>;

const standin = join(projectRoot, "test/desktop/standin/register.mjs");
const main = join(projectRoot, "out/main/index.js");

export const canStandIn = chromiumBinary() !== undefined && existsSync(main);

/** The application under the stand-in; `told` is everything that happened, in order. */
export class StandIn {
  readonly told: Told[] = [];
  private child: ChildProcess;
  private next = 1;
  private errors = "";
  readonly ended: Promise<number | null>;

  constructor(env: NodeJS.ProcessEnv) {
    this.child = spawn(process.execPath, ["--import", standin, main], {
      env: { ...env, QUORATE_CHROMIUM: chromiumBinary() },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.ended = new Promise((resolve) => this.child.on("exit", resolve));
    this.child.stderr?.on("data", (data: Buffer) => (this.errors = (this.errors + data.toString()).slice(-10_000)));
    const lines = createInterface({ input: this.child.stdout ?? process.stdin });
    lines.on("line", (line) => this.told.push(JSON.parse(line) as Told));
  }

  /** Waits until something that fits was told. */
  async until(fits: (what: Told) => boolean, what: string, timeoutMs = 30_000): Promise<Told> {
    const deadline = Date.now() + timeoutMs;
    while (Date.now() < deadline) {
      const found = this.told.find(fits);
      if (found !== undefined) return found;
      if (this.child.exitCode !== null) throw new Error(`the application ended with ${this.child.exitCode} before ${what}: ${this.errors}`);
      await new Promise((done) => setTimeout(done, 20));
    }
    throw new Error(`${what} did not happen in ${timeoutMs} ms; told: ${JSON.stringify(this.told)}; ${this.errors}`);
  }

  async command(command: Told): Promise<unknown> {
    const id = this.next++;
    this.child.stdin?.write(`${JSON.stringify({ ...command, id })}\n`);
    const { result, error } = await this.until((what) => what["id"] === id, JSON.stringify(command));
    if (error !== undefined) throw new Error(String(error));
    return result;
  }

  /** Runs an expression in the page (promises are waited for). */
  evaluate(expression: string): Promise<unknown> {
    return this.command({ evaluate: expression });
  }

  async clickMenu(label: string): Promise<void> {
    await this.command({ menu: label });
  }

  /** Which button of the next question is pressed, counted from 0. To be said before the answer of a file dialog that follows it. */
  async answerQuestion(button: number): Promise<void> {
    await this.command({ answer: { response: button } });
  }

  /** What the next file dialog answers. */
  async answerDialog(filePaths: string[]): Promise<void> {
    await this.command({ answer: { canceled: false, filePaths } });
  }

  /** Address the window shows. */
  async url(): Promise<string> {
    return String((await this.until((what) => what["loaded"] !== undefined, "the page"))["url"]);
  }

  async quit(): Promise<void> {
    this.child.stdin?.write(`${JSON.stringify({ id: this.next++, quit: true })}\n`);
    const timer = setTimeout(() => this.child.kill("SIGKILL"), 20_000);
    await this.ended;
    clearTimeout(timer);
  }
}
