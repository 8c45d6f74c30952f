/** Two ways to run the built application and look at its window: the stand-in, and the real Electron under Playwright. Tests see one interface. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { _electron, type ElectronApplication, type Page } from "playwright-core";
import { chromiumBinary, electronBinary } from "../../scripts/lib/setup.mjs";
import { projectRoot } from "../tidy/project.ts";

export interface AppUnderTest {
  /** Runs an expression in the page (promises are waited for). */
  evaluate(expression: string): Promise<unknown>;
  clickMenu(label: string): Promise<void>;
  /** Which button of the next question is pressed, counted from 0. To be said before the answer of a file dialog that follows it. */
  answerQuestion(button: number): Promise<void>;
  /** What the next file dialog answers. */
  answerDialog(filePaths: string[]): Promise<void>;
  screenshot(path: string): Promise<void>;
  quit(): Promise<void>;
  /** Address the window shows. */
  url(): Promise<string>;
}

export type Told = Record<string, unknown>;

const standin = join(projectRoot, "test/desktop/standin/register.mjs");
const main = join(projectRoot, "out/main/index.js");

export const canStandIn = chromiumBinary() !== undefined && existsSync(main);
export const canElectron = electronBinary() !== undefined && existsSync(main);

/** The application under the stand-in; `told` is everything that happened, in order. */
export class StandIn implements AppUnderTest {
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

  evaluate(expression: string): Promise<unknown> {
    return this.command({ evaluate: expression });
  }

  async clickMenu(label: string): Promise<void> {
    await this.command({ menu: label });
  }

  async answerQuestion(button: number): Promise<void> {
    await this.command({ answer: { response: button } });
  }

  async answerDialog(filePaths: string[]): Promise<void> {
    await this.command({ answer: { canceled: false, filePaths } });
  }

  async screenshot(path: string): Promise<void> {
    await this.command({ screenshot: path });
  }

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

/** The application in the real Electron. */
export class RealElectron implements AppUnderTest {
  private constructor(
    private readonly app: ElectronApplication,
    private readonly page: Page,
  ) {}

  static async launch(env: NodeJS.ProcessEnv): Promise<RealElectron> {
    const given = Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
    const executablePath = electronBinary();
    const noSandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
    const app = await _electron.launch({
      args: [...noSandbox, projectRoot],
      env: given,
      ...(executablePath === undefined ? {} : { executablePath }),
    });
    return new RealElectron(app, await app.firstWindow());
  }

  evaluate(expression: string): Promise<unknown> {
    return this.page.evaluate(expression);
  }

  async clickMenu(label: string): Promise<void> {
    await this.app.evaluate(({ Menu }, wanted) => {
      const items = Menu.getApplicationMenu()?.items.flatMap((item) => item.submenu?.items ?? []) ?? [];
      items.find((item) => item.label === wanted)?.click();
    }, label);
  }

  async answerQuestion(button: number): Promise<void> {
    await this.app.evaluate(({ dialog }, response) => {
      dialog.showMessageBox = () => Promise.resolve({ response, checkboxChecked: false });
    }, button);
  }

  async answerDialog(filePaths: string[]): Promise<void> {
    await this.app.evaluate(({ dialog }, paths) => {
      dialog.showOpenDialog = () => Promise.resolve({ canceled: false, filePaths: paths });
    }, filePaths);
  }

  async screenshot(path: string): Promise<void> {
    await this.page.screenshot({ path });
  }

  url(): Promise<string> {
    return Promise.resolve(this.page.url());
  }

  async quit(): Promise<void> {
    await this.app.close();
  }
}
