/**
 * A person's computer with the application in the real Electron: a home of its own, a display nobody looks at, and a user without rights, as Chromium's sandbox wants it. Whatever is
 * started here ends with it, also where a test fails.
 */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { _electron, type ElectronApplication, type Page } from "playwright-core";
import { electronForTests, XDOTOOL, XVFB } from "../../scripts/lib/electron.mjs";
import { projectRoot } from "../tidy/project.ts";

const run = promisify(execFile);
const NOBODY = 65_534;
const main = join(projectRoot, "out/main/index.js");

/** Whether the tests run in the real Electron here. The setup of `npm test` fetches one; see scripts/lib/electron.mjs. */
export const canElectron = electronForTests() !== undefined && existsSync(main) && (process.platform !== "linux" || existsSync(XVFB));

/** A user without rights, where the tests run as root. */
const nobody: { uid?: number; gid?: number } = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

export interface Started {
  app: ElectronApplication;
  page: Page;
  process: ChildProcess;
  /** What the main process has printed, both streams. */
  said: () => string;
}

export interface StartOptions {
  /** After the application's own directory. */
  args?: string[];
  /** Directory of the lab; absent: the home's `lab`. */
  lab?: string;
  env?: Record<string, string>;
}

export class Desk {
  readonly env: Record<string, string>;
  private readonly children: ChildProcess[] = [];
  private xvfb: ChildProcess | undefined;

  private constructor(readonly home: string) {
    const given = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
    this.env = {
      ...Object.fromEntries(given),
      HOME: home,
      XDG_STATE_HOME: join(home, "state"),
      XDG_RUNTIME_DIR: join(home, "run"),
      XDG_CONFIG_HOME: join(home, "config"),
      XDG_CACHE_HOME: join(home, "cache"),
      XDG_DATA_HOME: join(home, "data"),
      TMPDIR: join(home, "tmp"),
      QUORATE_LAB: join(home, "lab"),
      // No bus: nobody answers there.
      DBUS_SESSION_BUS_ADDRESS: "disabled:",
    };
  }

  static async make(): Promise<Desk> {
    const desk = new Desk(mkdtempSync(join(tmpdir(), "q-desk-")));
    desk.own(desk.home, 0o700);
    for (const name of ["state", "run", "config", "cache", "data", "tmp"]) desk.folder(name);
    if (process.platform === "linux") await desk.light();
    return desk;
  }

  private own(path: string, mode: number): void {
    if (nobody.uid !== undefined) chownSync(path, nobody.uid, NOBODY);
    chmodSync(path, mode);
  }

  /** A new folder of the person's. */
  folder(name: string): string {
    const path = join(this.home, name);
    mkdirSync(path);
    this.own(path, 0o700);
    return path;
  }

  /** A new file of the person's. */
  file(name: string, text: string): string {
    const path = join(this.home, name);
    writeFileSync(path, text);
    this.own(path, 0o600);
    return path;
  }

  /** Our own display, on a number that is free. */
  private async light(): Promise<void> {
    const xvfb = spawn(XVFB, ["-displayfd", "3", "-screen", "0", "1920x1080x24", "-nolisten", "tcp"], {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
      ...nobody,
      env: this.env,
    });
    this.xvfb = xvfb;
    const told = xvfb.stdio[3];
    if (told === null || told === undefined) throw new Error("the display has no pipe");
    const [number] = (await Promise.race([once(told, "data"), once(xvfb, "exit").then(() => [undefined])])) as [Buffer | undefined];
    if (number === undefined) throw new Error("Xvfb ended before it had a display");
    this.env["DISPLAY"] = `:${number.toString().trim()}`;
  }

  /** Playwright starts a program under its own user: this one gives its rights away first. */
  private wrapper(): string {
    const electron = electronForTests() ?? "";
    if (nobody.uid === undefined) return electron;
    const path = join(this.home, "electron");
    writeFileSync(path, `#!/bin/sh\nexec setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups '${electron}' "$@"\n`);
    chmodSync(path, 0o755);
    return path;
  }

  /** Starts the application; resolves with its first window. */
  async start(options: StartOptions = {}): Promise<Started> {
    let said = "";
    const app = await _electron.launch({
      executablePath: this.wrapper(),
      args: [projectRoot, ...(options.args ?? [])],
      chromiumSandbox: true,
      env: { ...this.env, ...(options.lab === undefined ? {} : { QUORATE_LAB: options.lab }), ...options.env },
      cwd: this.home,
      timeout: 60_000,
    });
    this.children.push(app.process());
    const keep = (data: Buffer): void => void (said = (said + data.toString()).slice(-20_000));
    app.process().stdout?.on("data", keep);
    app.process().stderr?.on("data", keep);
    const page = await app.firstWindow({ timeout: 60_000 });
    return { app, page, process: app.process(), said: () => said };
  }

  /** Starts it once more, as a second click on its icon does; resolves when that process has ended. */
  async startAgain(args: string[], lab?: string): Promise<string> {
    const env = { ...this.env, ...(lab === undefined ? {} : { QUORATE_LAB: lab }) };
    const { stderr } = await run(electronForTests() ?? "", [projectRoot, ...args], {
      env,
      cwd: this.home,
      ...nobody,
      timeout: 30_000,
    });
    return stderr;
  }

  /** Starts it without Chromium's sandbox, and interrupts it when it has printed its address. */
  async unsandboxed(): Promise<{ status: number; out: string; err: string }> {
    const child = spawn(electronForTests() ?? "", ["--no-sandbox", projectRoot], { env: this.env, cwd: this.home, ...nobody });
    this.children.push(child);
    let [out, err] = ["", ""];
    child.stdout.on("data", (data: Buffer) => {
      out += data.toString();
      child.kill("SIGINT");
    });
    child.stderr.on("data", (data: Buffer) => (err += data.toString()));
    const [status] = (await once(child, "exit")) as [number];
    return { status, out, err };
  }

  /** Runs `quorate …`; resolves with what it printed. */
  async quorate(...args: string[]): Promise<string> {
    const { stdout } = await run(process.execPath, [join(projectRoot, "out/main/cli.js"), ...args], { env: this.env, ...nobody });
    return stdout;
  }

  /** Is the lab running? Undefined: there is none. */
  async running(lab = this.env["QUORATE_LAB"]): Promise<boolean | undefined> {
    const labs = JSON.parse(await this.quorate("ls", "--json")) as { lab: string; running: boolean }[];
    return labs.find((one) => one.lab === lab)?.running;
  }

  /** Every process that has this home, but those that run for another one. */
  processes(): number[] {
    if (process.platform !== "linux") return [];
    return readdirSync("/proc").flatMap((name) => {
      if (!/^\d+$/.test(name)) return [];
      try {
        const has = (file: string, text: string): boolean => readFileSync(`/proc/${name}/${file}`, "utf8").includes(text);
        // Chromium's own processes write their titles over their environment.
        return has("environ", `XDG_STATE_HOME=${this.home}/`) || has("cmdline", `=${this.home}/`) ? [Number(name)] : [];
      } catch {
        // It has ended, or is somebody else's.
        return [];
      }
    });
  }

  async end(): Promise<void> {
    for (const child of this.children) child.kill("SIGKILL");
    for (const pid of this.processes()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended since.
      }
    }
    this.xvfb?.kill("SIGKILL");
    for (let i = 0; i < 500 && this.processes().length > 0; i++) await new Promise((done) => setTimeout(done, 20));
    rmSync(this.home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

/** Asks for a channel as the page does, but before the page can take it; sends one message and resolves with the answer. */
export const askByChannel = (message: unknown): string => `new Promise((resolve) => {
  window.addEventListener("message", function take(event) {
    const port = event.ports[0];
    if (event.data !== "channel" || !port) return;
    event.stopImmediatePropagation();
    window.removeEventListener("message", take, true);
    port.onmessage = (answer) => { if ("ok" in answer.data) { resolve(answer.data); port.close(); } };
    port.postMessage(${JSON.stringify(message)});
  }, true);
  window.host.connect();
})`;

/** Presses keys on the display, as a keyboard does: what the page does not take reaches the menu. `keys` as xdotool writes them. */
export async function pressKeys(desk: Desk, keys: string): Promise<void> {
  await run(XDOTOOL, ["key", keys], { env: desk.env });
}

/** What a dialog asked, in order. */
export interface Asked {
  kind: "open" | "save" | "question" | "error";
  title: string;
  detail: string;
}

/**
 * From now on nobody is asked anything: what a dialog of the main process asks is kept, and the next answer is given to it; without one it is cancelled. What is opened outside is kept,
 * too, and not opened.
 */
export async function stubDialogs(app: ElectronApplication): Promise<void> {
  await app.evaluate("globalThis.__name = (f) => f");
  await app.evaluate(({ dialog, shell }) => {
    const asked: Asked[] = [];
    const answers: unknown[] = [];
    const outside: string[] = [];
    Object.assign(globalThis, { asked, answers, outside });
    const take = (kind: Asked["kind"], args: unknown[], fallback: unknown): unknown => {
      const { title, message, detail, defaultPath } = (args.at(-1) ?? {}) as Record<string, string | undefined>;
      asked.push({ kind, title: message ?? title ?? "", detail: detail ?? defaultPath ?? "" });
      return answers.shift() ?? fallback;
    };
    Object.assign(dialog, {
      showOpenDialog: (...args: unknown[]) => Promise.resolve(take("open", args, { canceled: true, filePaths: [] })),
      showMessageBox: (...args: unknown[]) => Promise.resolve(take("question", args, { response: 1 })),
      showSaveDialogSync: (...args: unknown[]) => take("save", args, undefined),
      showErrorBox: (title: string, detail: string) => void asked.push({ kind: "error", title, detail }),
    });
    Object.assign(shell, {
      openExternal: (url: string) => (outside.push(url), Promise.resolve()),
      showItemInFolder: (path: string) => void outside.push(path),
    });
  });
}

/** What the next dialogs answer, in order. */
export async function answer(app: ElectronApplication, ...next: unknown[]): Promise<void> {
  await app.evaluate((_, given) => void (globalThis as unknown as { answers: unknown[] }).answers.push(...given), next);
}

/** What was asked since the last look. */
export function asked(app: ElectronApplication): Promise<Asked[]> {
  return app.evaluate(() => (globalThis as unknown as { asked: Asked[] }).asked.splice(0));
}

/** What was opened outside since the last look. */
export function opened(app: ElectronApplication): Promise<string[]> {
  return app.evaluate(() => (globalThis as unknown as { outside: string[] }).outside.splice(0));
}

/** Chooses an item of the menu by its label. */
export async function chooseItem(app: ElectronApplication, label: string): Promise<void> {
  const found = await app.evaluate(({ Menu }, wanted) => {
    const items = Menu.getApplicationMenu()?.items.flatMap((item) => item.submenu?.items ?? []) ?? [];
    const item = items.find((one) => one.label === wanted);
    item?.click();
    return item !== undefined;
  }, label);
  if (!found) throw new Error(`the menu has no ${label}`);
}
