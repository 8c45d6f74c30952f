/**
 * The configuration service (corosync's cfg, service 1): killing a node and shutting one down by order of a tool, both as messages in the total order.
 * Left out: reload and key rotation (their counters exist and stay 0), shutdown tracking by clients that may object.
 */
import { ByteReader, ByteWriter, fromUtf8, utf8, type Port } from "../kernel/index.ts";
import type { ServiceEngine, ServicePort } from "../totem/service.ts";

const KILL_NODE = 1;
const SHUTDOWN = 2;

export interface CfgHooks {
  /** This node was killed: the process ends at once, with status -1 and without a leave message. */
  killed(): void;
  /** This node goes down in order. */
  shutdown(): void;
}

export class CfgService implements ServiceEngine {
  readonly id = 1;
  readonly description = "corosync configuration service";
  readonly handlerCount = 5;

  constructor(
    private readonly port: Port,
    private readonly ring: ServicePort,
    private readonly nodeId: number,
    private readonly hooks: CfgHooks,
  ) {}

  /** corosync_cfg_kill_node. False: the queue is full (CS_ERR_TRY_AGAIN). */
  kill(nodeId: number, reason: string): boolean {
    return this.ring.mcast(this.id, KILL_NODE, new ByteWriter().u32(nodeId).raw(utf8(reason)).done());
  }

  /** corosync_cfg_try_shutdown on this node. False: the queue is full. */
  tryShutdown(): boolean {
    return this.ring.mcast(this.id, SHUTDOWN, new Uint8Array(0));
  }

  execute(handler: number, from: number, payload: Uint8Array): void {
    if (handler === KILL_NODE) {
      const r = new ByteReader(payload);
      if (r.u32() !== this.nodeId) return;
      this.port.log("notice", "CFG", `Killed by node ${from} : ${fromUtf8(r.raw(r.left))}`);
      this.port.log("error", "MAIN", "Corosync Cluster Engine exiting with status -1 at cfg.c:566.");
      this.hooks.killed();
    } else if (handler === SHUTDOWN) {
      this.port.log("notice", "CFG", `Node ${from} was shut down by sysadmin`);
      if (from === this.nodeId) this.hooks.shutdown();
    }
  }
}

/** The profile loading service (pload, service 4): a load test's two messages, which nobody sends; present because every sync peer lists it. */
export class PloadService implements ServiceEngine {
  readonly id = 4;
  readonly description = "corosync profile loading service";
  readonly handlerCount = 2;

  execute(): void {
    // A received load-test message is counted by the caller and has no other effect.
  }
}
