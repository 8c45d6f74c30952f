/** One console: prompt, line, command, prompt — and what happens when the machine goes away and comes back. */
import type { MachineView } from "../../lab/api.ts";
import type { LabClient } from "../../lab/process/client.ts";
import { newShell, runSource } from "../exec.ts";
import { Interrupt, Interrupted } from "../interrupt.ts";
import { Interpreter } from "../interpreter/interpreter.ts";
import { jobLine } from "../interpreter/jobs.ts";
import type { Context, Descriptors, Shell } from "../interpreter/shell.ts";
import { Leave } from "../interpreter/shell.ts";
import { isIncomplete } from "../interpreter/syntax.ts";
import type { NodePort } from "../port.ts";
import { PortError } from "../port.ts";
import { OpenFile } from "../streams.ts";
import { System } from "../system.ts";
import { complete } from "./completion.ts";
import { Editor } from "./editor.ts";
import { DEFAULT_PROMPT, expandPrompt } from "./prompt.ts";
import type { Terminal } from "./terminal.ts";
import { TerminalDevice } from "./terminal.ts";

/** Lines the history keeps. */
const HISTORY_MAX = 1000;
/** Characters of a line that the lab is told. */
const TYPED_CHARS_MAX = 4_000;
/** How often an idle console looks whether its machine is still there, ms. */
const LOOK_MS = 700;

/** What a console needs to know of its machine's power. */
export type PowerLook = () => Promise<Pick<MachineView, "power" | "booting" | "powerSince"> | undefined>;

interface Login {
  system: System;
  shell: Shell;
  ctx: Context;
  device: TerminalDevice;
  /** Instant of the power-on this shell runs in. */
  since: number;
  /** Status that somebody's signal has ended the shell's process with. */
  killed: number | undefined;
}

export class ConsoleSession {
  private readonly editor: Editor;
  private readonly interpreter = new Interpreter();
  private login: Login | undefined;
  private readonly look: PowerLook;
  /** Lines that were typed here. */
  private typed = 0;

  constructor(
    private readonly client: Pick<LabClient, "call">,
    private readonly port: NodePort,
    private readonly terminal: Terminal,
  ) {
    this.editor = new Editor(terminal, async (before) => (this.login ? complete(this.login.shell, before) : { length: 0, choices: [] }));
    this.look = async () => {
      const status = await client.call({ op: "status", node: port.node });
      return status.nodes.find((node) => node.name === port.node);
    };
  }

  resized(): void {
    this.editor.redraw();
  }

  /** Until the person leaves. @returns the status of the last command */
  async interact(): Promise<number> {
    let status = 0;
    for (;;) {
      const login = await this.begin();
      if (!login) return 255;
      const end = await this.live(login);
      if (end !== "gone") {
        status = end;
        break;
      }
      if (this.terminal.closed) break;
    }
    this.endJobs();
    await this.login?.system.close(this.terminal.closed ? undefined : status & 255);
    return status;
  }

  /** One line with the terminal as its standard streams. */
  async once(line: string): Promise<number> {
    const login = await this.begin();
    if (!login) return 255;
    const status = await this.run(login, line).catch((error: unknown) => {
      if (error instanceof Leave) return error.count;
      if (!(error instanceof PortError)) throw error;
      this.terminal.write(`${error.message}\n`);
      return 255;
    });
    await login.system.close(status & 255);
    return status;
  }

  /** Waits until the machine is there, saying once why it is not, and starts a shell on it. */
  private async begin(): Promise<Login | undefined> {
    let said = "";
    // processes that only stood still go on
    let stalledOnly = false;
    for (;;) {
      const machine = await this.look().catch(() => undefined);
      if (!machine) {
        this.terminal.write(`quorate: no machine ${this.port.node}\n`);
        return undefined;
      }
      if (machine.power === "on" && !machine.booting) {
        if (said !== "") this.terminal.write(`${this.port.node} is back.\n`);
        if (stalledOnly && this.login) {
          this.login.since = machine.powerSince;
          return this.login;
        }
        this.endJobs();
        try {
          return await this.newLogin(machine.powerSince);
        } catch (error) {
          // It went away again.
          if (!(error instanceof PortError)) throw error;
          await this.pause();
          if (this.terminal.closed) return undefined;
          continue;
        }
      }
      stalledOnly = machine.power === "stalled" && (said === "" || stalledOnly);
      const state = machine.booting ? "is booting" : machine.power === "stalled" ? "is stalled: nothing on it answers" : "is powered off";
      if (state !== said) this.terminal.write(`${this.port.node} ${state}. This terminal is back when it is.\n`);
      said = state;
      await this.pause();
      if (this.terminal.closed) return undefined;
    }
  }

  private endJobs(): void {
    for (const job of this.login?.shell.jobs.running() ?? []) job.interrupt.fire(1);
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LOOK_MS);
      this.terminal.onEnd(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  private async newLogin(since: number): Promise<Login> {
    const system = new System(this.port, { terminal: true });
    // A terminal's shell is there from its prompt on.
    await system.session();
    const shell = await newShell(this.port, system, true);
    shell.set("PS1", DEFAULT_PROMPT);
    shell.set("PS2", "> ");
    shell.set("TERM", "xterm-256color");
    shell.declare("TERM").exported = true;
    if (this.login) shell.history = this.login.shell.history;
    const device = new TerminalDevice(this.terminal, system);
    const file = new OpenFile(device);
    const fds: Descriptors = new Map([
      [0, file],
      [1, file.retain()],
      [2, file.retain()],
    ]);
    const login: Login = {
      system,
      shell,
      ctx: { shell, fds, interrupt: new Interrupt(), condition: false },
      device,
      since,
      killed: undefined,
    };
    system.whenEnded((status) => this.killed(login, status));
    this.login = login;
    return login;
  }

  private killed(login: Login, status: number): void {
    login.killed = status;
    this.editor.abandon();
  }

  /** Lines until the shell ends, or "gone" when the machine went away. */
  private async live(login: Login): Promise<number | "gone"> {
    for (;;) {
      const line = login.killed === undefined ? await this.readLine(login) : "gone";
      if (login.killed !== undefined) return login.killed;
      if (line === "gone") return "gone";
      if (line === undefined) {
        this.terminal.write("logout\n");
        return login.shell.status;
      }
      try {
        await this.run(login, line);
      } catch (error) {
        if (error instanceof Leave) {
          this.terminal.write("logout\n");
          return error.count;
        }
        if (!(error instanceof PortError)) throw error;
        if (error.message !== "") this.terminal.write(`${error.message}\n`);
        if (!(await this.present(login))) return "gone";
      }
    }
  }

  private async present(login: Login): Promise<boolean> {
    const machine = await this.look().catch(() => undefined);
    const there = machine?.power === "on" && !machine.booting && machine.powerSince === login.since;
    // A lab that was rolled back knows nothing of this shell.
    return there && (login.killed !== undefined || login.system.process?.open === true);
  }

  private tellJobs(login: Login): void {
    const { jobs } = login.shell;
    for (const job of [...jobs.all()]) {
      if (!job.stopped) job.told = false;
      if (job.status === undefined && (!job.stopped || job.told)) continue;
      this.terminal.write(jobLine(jobs, job));
      job.told = true;
      if (job.status !== undefined) jobs.remove(job);
    }
  }

  /** A complete command, over as many lines as it needs; undefined at the end of input. */
  private async readLine(login: Login): Promise<string | undefined | "gone"> {
    let text = "";
    for (;;) {
      if (text === "") this.tellJobs(login);
      const template = text === "" ? (login.shell.get("PS1") ?? "") : (login.shell.get("PS2") ?? "> ");
      const edited = await this.watched(login, this.editor.read(expandPrompt(login.shell, template), login.shell.history));
      if (edited === "gone" || login.killed !== undefined) return "gone";
      if (edited.kind === "end") {
        if (text === "") return undefined;
        this.terminal.write("\nbash: syntax error: unexpected end of file\n");
        text = "";
        continue;
      }
      if (edited.kind === "cancel") {
        login.shell.status = 130;
        text = "";
        continue;
      }
      text = text === "" ? edited.text : `${text}\n${edited.text}`;
      if (text.trim() === "") text = "";
      else if (!isIncomplete(text)) {
        this.remember(login.shell, text);
        return text;
      }
    }
  }

  /** Looks after the machine while somebody types. */
  private async watched<T>(login: Login, work: Promise<T>): Promise<T | "gone"> {
    let gone = false;
    const timer = setInterval(() => {
      this.present(login).then(
        (present) => {
          if (present || gone) return;
          gone = true;
          this.editor.abandon();
        },
        () => undefined,
      );
    }, LOOK_MS);
    try {
      const result = await work;
      return gone ? "gone" : result;
    } finally {
      clearInterval(timer);
    }
  }

  private remember(shell: Shell, text: string): void {
    const line = text.replace(/\n+$/, "");
    if (shell.history.at(-1) !== line && !line.startsWith(" ")) shell.history.push(line);
    if (shell.history.length > HISTORY_MAX) shell.history.shift();
  }

  /** Tells the lab what was typed, and how it ended. @throws as `evaluate` */
  private async run(login: Login, line: string): Promise<number> {
    const id = ++this.typed;
    const tell = (what: { line: string } | { status: number } | object): void => {
      // For the task log alone: a lab that is gone needs none.
      this.client.call({ op: "typed", node: this.port.node, id, ...what }).catch(() => undefined);
    };
    tell({ line: line.slice(0, TYPED_CHARS_MAX) });
    try {
      const status = await this.evaluate(login, line);
      tell({ status });
      return status;
    } catch (error) {
      tell(error instanceof Leave ? { status: error.count & 255 } : {});
      throw error;
    }
  }

  /** @throws Leave for `exit`, PortError when the machine went away */
  private async evaluate(login: Login, line: string): Promise<number> {
    const interrupt = new Interrupt();
    const ctx: Context = { ...login.ctx, interrupt };
    let gone: PortError | undefined;
    login.system.whenEnded((status) => {
      login.killed = status;
      interrupt.fire(status > 128 ? status - 128 : 15);
    });
    const off = this.port.onGone((error) => {
      gone ??= error;
      interrupt.fire(1);
    });
    login.device.begin(interrupt);
    try {
      login.shell.status = await this.interpreter.evaluateSource(ctx, line);
    } catch (error) {
      if (gone) throw gone;
      login.shell.status = await this.statusOf(ctx, error);
    } finally {
      off();
      login.system.whenEnded((status) => this.killed(login, status));
      login.device.finish();
    }
    if (gone) throw gone;
    return login.shell.status;
  }

  private async statusOf(ctx: Context, error: unknown): Promise<number> {
    if (error instanceof Interrupted) {
      const trap = ctx.shell.traps.get("INT");
      if (trap !== undefined) await runSource(this.interpreter, { ...ctx, interrupt: new Interrupt() }, trap);
      return error.status;
    }
    if (error instanceof Leave && error.what === "exit") {
      const left = await this.interpreter.exitTrap(ctx, error.count & 255);
      throw new Leave("exit", left);
    }
    return this.interpreter.settle(ctx, () => Promise.reject(error instanceof Error ? error : new Error(String(error))));
  }
}
