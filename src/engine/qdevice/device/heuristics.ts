/**
 * The commands of heuristics, one after the other in the order of the map; the daemon waits for them. Those that have not ended in time
 * are killed, and the result is a failure. In the real stack: qdevice-heuristics.c and its worker, which runs them side by side.
 */
import { MS } from "../../kernel/index.ts";
import type { DeviceCore } from "./device-core.ts";
import type { DevicePort, HeuristicsPurpose, Waiting } from "./device-state.ts";
import type { Heuristics } from "../tlv.ts";

/** The timer of the run under way. */
export const HEURISTICS_TIMEOUT = "heuristics-timeout";

type Running = Extract<Waiting, { on: "command" }>;

export class HeuristicsRuns {
  constructor(
    private readonly port: DevicePort,
    private readonly device: DeviceCore,
    /** All of them have ended. "Undefined" where heuristics are off or there are none. */
    private readonly ended: (result: Heuristics, purpose: HeuristicsPurpose) => void,
  ) {}

  run(purpose: HeuristicsPurpose, timeoutMs: number): void {
    const s = this.device.state;
    s.heuristicsSeq++;
    const text = `Received exec command with seq_no "${s.heuristicsSeq}" and timeout "${timeoutMs}"`;
    this.device.debug(`worker: qdevice_heuristics_worker_cmd_process_exec: ${text}`);
    const heuristics = s.config?.heuristics;
    const left = heuristics === undefined || heuristics.mode === "off" ? [] : heuristics.execs.map((e) => e.command);
    if (left.length === 0) this.end("Disabled", purpose);
    else {
      this.port.setTimer(HEURISTICS_TIMEOUT, this.port.now() + timeoutMs * MS);
      this.next({ on: "command", purpose, left, failed: false });
    }
  }

  private next(running: Running): void {
    for (let command = running.left.shift(); command !== undefined; command = running.left.shift()) {
      const ended = this.port.run(command);
      if (ended === "later") {
        this.device.state.waiting = running;
        return;
      }
      if (!ended) running.failed = true;
    }
    this.end(running.failed ? "Fail" : "Pass", running.purpose);
  }

  /** The time is over. False: nothing was running. */
  timedOut(): boolean {
    const { waiting } = this.device.state;
    if (!this.device.alive || waiting?.on !== "command") return false;
    this.device.state.waiting = undefined;
    this.end("Fail", waiting.purpose);
    return true;
  }

  private end(word: "Disabled" | "Fail" | "Pass", purpose: HeuristicsPurpose): void {
    this.port.clearTimer(HEURISTICS_TIMEOUT);
    this.device.debug(`Received heuristics exec result command with seq_no "${this.device.state.heuristicsSeq}" and result "${word}"`);
    this.ended(word === "Disabled" ? "Undefined" : word, purpose);
  }

  /** The command that was started last has ended. False: none had been. */
  ran(ok: boolean): boolean {
    const { waiting } = this.device.state;
    if (!this.device.alive || waiting?.on !== "command") return false;
    this.device.state.waiting = undefined;
    if (!ok) waiting.failed = true;
    this.next(waiting);
    return true;
  }
}
