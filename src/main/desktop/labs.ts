/** The labs on show: each with one window, the terminals in windows of their own that belong to it, and the connection by which whoever started it freezes it. */
import { BrowserWindow } from "electron";
import { freezeLab } from "../lab/process/client.ts";
import { attach, type Attached } from "./attach.ts";
import { openTerminalWindow, openWindow } from "./window.ts";

interface Shown extends Attached {
  /** Its supervisor has ended, in order or not. */
  gone: boolean;
  readonly window: BrowserWindow;
  readonly terminals: Set<BrowserWindow>;
}

/** Windows of one lab. */
const TERMINALS_MAX = 64;

export class Labs {
  private readonly shown = new Map<string, Shown>();
  /** Being opened: whoever asks again meanwhile waits for the same window. */
  private readonly opening = new Map<string, Promise<void>>();
  /** Labs being frozen because their window closed. */
  private readonly ending = new Set<Promise<void>>();

  /** Brings the window of the lab to the front, or opens one, and starts the lab where it does not run. Throws Trouble. */
  open(dir: string, create: readonly string[]): Promise<void> {
    const shown = this.shown.get(dir);
    if (shown !== undefined) {
      if (shown.window.isMinimized()) shown.window.restore();
      shown.window.focus();
      if (!shown.gone) return Promise.resolve();
    }
    const under = this.opening.get(dir);
    if (under !== undefined) return under;
    const begun = (shown === undefined ? this.begin(dir, create) : this.again(shown)).finally(() => this.opening.delete(dir));
    this.opening.set(dir, begun);
    return begun;
  }

  private async begin(dir: string, create: readonly string[]): Promise<void> {
    const lab = await attach(dir, create);
    await openWindow((window) => this.bind(window, lab));
  }

  /** Whoever asks for a lab whose supervisor has ended wants it to go on; its window finds it by itself. */
  private async again(shown: Shown): Promise<void> {
    Object.assign(shown, await attach(shown.dir, []), { gone: false });
    this.follow(shown);
  }

  private follow(shown: Shown): void {
    const { client } = shown;
    void client.closed.then(() => {
      if (shown.client === client) shown.gone = true;
    });
  }

  private bind(window: BrowserWindow, lab: Attached): void {
    const shown: Shown = { ...lab, gone: false, window, terminals: new Set<BrowserWindow>() };
    this.shown.set(lab.dir, shown);
    this.follow(shown);
    window.on("closed", () => {
      for (const terminal of shown.terminals) terminal.destroy();
      this.letGo(shown);
    });
  }

  /** A terminal of a node, in a window beside its lab's own. */
  async terminal(beside: BrowserWindow, node: string): Promise<void> {
    const shown = this.of(beside);
    if (shown === undefined || shown.terminals.size >= TERMINALS_MAX) return;
    await openTerminalWindow(node, (window) => {
      shown.terminals.add(window);
      window.on("closed", () => shown.terminals.delete(window));
    });
  }

  /** The lab that a window shows. */
  of(window: BrowserWindow | null): Shown | undefined {
    return window === null ? undefined : [...this.shown.values()].find((one) => one.window === window || one.terminals.has(window));
  }

  /** The lab in front of the person. */
  focused(): Shown | undefined {
    return this.of(BrowserWindow.getFocusedWindow()) ?? [...this.shown.values()].at(-1);
  }

  get none(): boolean {
    return this.shown.size === 0 && this.opening.size === 0;
  }

  /** Who started a lab freezes it; one that was running before goes on, and one that has ended is whoever's who starts it again. Once: a window that closes because the application ends asks for it again. */
  private letGo(lab: Shown): void {
    if (this.shown.get(lab.dir) !== lab) return;
    this.shown.delete(lab.dir);
    const freeze = async (): Promise<void> => {
      if (lab.started && !lab.gone) await freezeLab(lab.client);
      lab.client.close();
    };
    const done: Promise<void> = freeze()
      .catch((error: unknown) =>
        console.error(`the lab in ${lab.dir} was not frozen: ${error instanceof Error ? error.message : String(error)}`),
      )
      .finally(() => this.ending.delete(done));
    this.ending.add(done);
  }

  /** Lets go of all of them. Undefined: there is nothing to wait for. */
  end(): Promise<unknown> | undefined {
    for (const lab of this.shown.values()) this.letGo(lab);
    const under = [
      ...this.ending,
      ...[...this.opening.values()].map((one) =>
        one.then(
          () => this.end(),
          () => undefined,
        ),
      ),
    ];
    return under.length === 0 ? undefined : Promise.allSettled(under);
  }
}
