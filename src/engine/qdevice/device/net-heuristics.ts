/**
 * Heuristics that are run at regular times while there is a server to tell of a change. In the real stack: qdevice-net-heuristics.c. Left out: running the commands
 * (heuristics.ts).
 */
import { MS } from "../../kernel/index.ts";
import { MSG, type Heuristics } from "../tlv.ts";
import type { DeviceConfig } from "./device-config.ts";
import type { DeviceCore } from "./device-core.ts";
import type { DevicePort } from "./device-state.ts";
import type { NetSend } from "./net-send.ts";

export class NetHeuristics {
  constructor(
    private readonly port: DevicePort,
    private readonly device: DeviceCore,
    private readonly config: DeviceConfig,
    private readonly out: NetSend,
  ) {}

  /** The next run, where there is to be one and a server to tell of it. */
  schedule(): void {
    const { mode, intervalMs } = this.config.heuristics;
    if (mode !== "on") this.device.debug("Not scheduling heuristics timer because mode is not enabled");
    else if (this.device.state.connection !== "connected") return;
    else if (this.device.state.regularScheduled) this.device.debug("Not scheduling heuristics timer because it is already scheduled");
    else {
      this.device.debug(`Scheduling next regular heuristics in ${intervalMs}ms`);
      this.port.setTimer("heuristics", this.port.now() + intervalMs * MS);
      this.device.state.regularScheduled = true;
    }
  }

  /** It is time. */
  run(): void {
    const s = this.device.state;
    s.regularScheduled = false;
    if (s.connection !== "connected") return;
    this.device.debug("Executing regular heuristics.");
    this.device.runHeuristics("regular", this.config.heuristics.timeoutMs);
  }

  /** The commands that are run at regular times have ended. */
  ended(result: Heuristics): void {
    const s = this.device.state;
    const before = s.heuristics.regular === "Undefined" ? s.heuristics.membership : s.heuristics.regular;
    const changed = result !== before;
    s.heuristics.regular = result;
    if (changed) {
      this.device.debug(`Heuristics result changed from ${before} to ${result}`);
      this.device.debug(`Algorithm decided to send message with heuristics result ${result} and result vote is No change`);
      const seq = this.out.nextSeq();
      this.device.debug(`Sending heuristics change seq = ${seq}, heuristics = ${result}`);
      this.out.send({ type: MSG.heuristicsChange, seq, heuristics: result });
    }
    this.schedule();
  }
}
