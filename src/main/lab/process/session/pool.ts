/**
 * The processes in which lines run without a terminal. A line gets one of its own as long as its node has few, so that none can hold up another; a
 * node's further lines share. One is always warm: its start would be most of what a short line takes.
 */
import { Trouble } from "../../trouble.ts";
import type { ProcessList } from "./process-list.ts";
import { lookMs, SessionProcess, type ExecSink } from "./session-process.ts";

const execsMax = 256;
/** Processes of one node, and of all nodes together before every node has just one. */
const ofNodeMax = 4;
const ofAllMax = 16;
/** A line that has ended by then leaves its process to the next one. */
const spareAfterMs = 500;

export class SessionPool {
  private readonly processes = new Set<SessionProcess>();
  /** Runs while there is something to look at. */
  private timer: NodeJS.Timeout | undefined;
  private ended = false;

  constructor(
    private readonly env: NodeJS.ProcessEnv,
    private readonly list: ProcessList,
  ) {}

  /** Has a process ready before it is needed. */
  warm(): void {
    if (!this.ended && this.idle() === undefined) this.begin();
  }

  private watch(): void {
    this.timer ??= setInterval(() => this.look(), lookMs).unref();
  }

  private look(): void {
    for (const process of this.processes) {
      process.look();
      // What it turned out to be since its last line ended: nobody would ever use it again.
      if (process.load > 0 || process.reusable) continue;
      this.dismiss(process);
      this.warm();
    }
    if ([...this.processes].some((process) => !process.atRest)) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private dismiss(process: SessionProcess): void {
    this.processes.delete(process);
    process.dismiss();
  }

  private idle(): SessionProcess | undefined {
    return [...this.processes].find((process) => process.load === 0 && process.reusable);
  }

  private begin(): SessionProcess {
    const process: SessionProcess = new SessionProcess({
      env: this.env,
      begun: (pid) => this.list.add(pid),
      free: () => this.freed(process),
      gone: (pid) => {
        this.processes.delete(process);
        if (pid !== undefined) this.list.remove(pid);
      },
    });
    this.processes.add(process);
    this.watch();
    return process;
  }

  /** One spare is enough, and one that has grown is none. */
  private freed(process: SessionProcess): void {
    const spare = [...this.processes].find((other) => other !== process && other.load === 0 && other.reusable);
    if (!spare && process.reusable) return;
    // One that is only starting is the one that is not needed.
    const needless = spare && process.reusable && !spare.started ? spare : process;
    this.dismiss(needless);
    this.warm();
  }

  private place(node: string): SessionProcess {
    const own = [...this.processes].filter((process) => process.node === node);
    const used = [...this.processes].filter((process) => process.node !== undefined).length;
    if (own.length === 0 || (own.length < ofNodeMax && used < ofAllMax)) return this.idle() ?? this.begin();
    const burden = (process: SessionProcess): number => process.load + (process.lively ? 0 : execsMax);
    return own.reduce((best, process) => (burden(process) < burden(best) ? process : best));
  }

  run(id: string, node: string, line: string, sink: ExecSink): void {
    const running = [...this.processes].reduce((sum, process) => sum + process.load, 0);
    if (running >= execsMax) throw new Trouble("failed", `at most ${execsMax} exec can run at once`);
    this.place(node).run(id, node, line, sink);
    this.watch();
    setTimeout(() => this.warm(), spareAfterMs).unref();
  }

  /** Where a line runs. */
  of(id: string): SessionProcess | undefined {
    return [...this.processes].find((process) => process.has(id));
  }

  /** The lab goes: nothing of it is waited for. */
  end(): void {
    this.ended = true;
    clearInterval(this.timer);
    for (const process of this.processes) process.kill("the lab went down", 255);
  }
}
