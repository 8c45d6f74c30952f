/**
 * The configuration service (corosync's cfg, service 1): killing a node, shutting one down, reading the file again everywhere, and the two steps of a
 * change of key, all as messages in the total order. Left out: shutdown tracking by clients that may object.
 */
import type { ReleaseProfile } from "../config/index.ts";
import { ByteReader, ByteWriter, cloneState, fromUtf8, utf8, type Hasher, type Port } from "../kernel/index.ts";
import type { ServiceEngine, ServicePort } from "../totem/service.ts";

const KILL_NODE = 1;
const SHUTDOWN = 2;
const RELOAD_CONFIG = 3;
const CRYPTO_RECONFIG = 4;
/** A new key is first used for sending, then the one before it is forgotten. */
const ACTIVATE = 1;
const CLEANUP = 2;

/** Answers to reloads that are kept for the tools that asked; more than one machine runs commands at a time. */
const ANSWERS_MAX = 256;

interface CfgState {
  /** Reloads this node has asked for so far. */
  asked: number;
  /** How the latest of them ended: number and status. */
  answers: [number, number][];
  /** Of knet's two places for a key, the one in use. */
  cryptoIndex: 1 | 2;
}

export interface CfgHooks {
  /** This node was killed: the process ends at once, with status -1 and without a leave message. */
  killed(): void;
  /** This node goes down in order. */
  shutdown(): void;
  /** This node reads its file again. @returns config.reload_status */
  reload(): number;
  /** Own packets go out under the new key from now on. */
  activateKey(): void;
  /** Nobody uses the old key any more. */
  dropKey(): void;
}

export class CfgService implements ServiceEngine {
  readonly id = 1;
  readonly description = "corosync configuration service";
  readonly handlerCount = 5;
  private state: CfgState = { asked: 0, answers: [], cryptoIndex: 1 };
  /** Told how each reload that this node had asked for has ended: its number and config.reload_status. */
  reloaded: (number: number, status: number) => void = () => undefined;

  constructor(
    private readonly port: Port,
    private readonly ring: ServicePort,
    private readonly nodeId: number,
    private readonly hooks: CfgHooks,
    private readonly lines: ReleaseProfile["lines"],
  ) {}

  /** corosync_cfg_kill_node. False: the queue is full (CS_ERR_TRY_AGAIN). */
  kill(nodeId: number, reason: string): boolean {
    return this.ring.mcast(this.id, KILL_NODE, new ByteWriter().u32(nodeId).raw(utf8(reason)).done());
  }

  /** corosync_cfg_try_shutdown on this node. False: the queue is full. */
  tryShutdown(): boolean {
    return this.ring.mcast(this.id, SHUTDOWN, new Uint8Array(0));
  }

  /** corosync_cfg_reload_config: every member reads its own file. @returns the number to ask the answer with; undefined: the queue is full */
  requestReload(): number | undefined {
    const number = this.state.asked + 1;
    if (!this.ring.mcast(this.id, RELOAD_CONFIG, new ByteWriter().u32(number).done())) return undefined;
    this.state.asked = number;
    return number;
  }

  /** The number of the latest reload asked for on this node. */
  get lastReload(): number {
    return this.state.asked;
  }

  /** How this node's own reload number `number` ended; undefined while it is under way. */
  reloadStatus(number: number): number | undefined {
    return this.state.answers.find(([n]) => n === number)?.[1];
  }

  /** A new key is in knet's other place: everybody is told to use it. @returns that place */
  cryptoChanged(): number {
    this.state.cryptoIndex = this.state.cryptoIndex === 1 ? 2 : 1;
    this.ring.mcast(this.id, CRYPTO_RECONFIG, new ByteWriter().u32(ACTIVATE).done());
    return this.state.cryptoIndex;
  }

  execute(handler: number, from: number, payload: Uint8Array): void {
    if (handler === RELOAD_CONFIG) this.onReload(from, payload);
    else if (handler === CRYPTO_RECONFIG) this.onCryptoReconfig(from, payload);
    else if (handler === KILL_NODE) {
      const r = new ByteReader(payload);
      if (r.u32() !== this.nodeId) return;
      this.port.log("notice", "CFG", `Killed by node ${from} : ${fromUtf8(r.raw(r.left))}`);
      this.port.log("error", "MAIN", `Corosync Cluster Engine exiting with status -1 at cfg.c:${this.lines.killed}.`);
      this.hooks.killed();
    } else if (handler === SHUTDOWN) {
      this.port.log("notice", "CFG", `Node ${from} was shut down by sysadmin`);
      if (from === this.nodeId) this.hooks.shutdown();
    }
  }

  private onReload(from: number, payload: Uint8Array): void {
    this.port.log("notice", "CFG", `Config reload requested by node ${from}`);
    const status = this.hooks.reload();
    if (from !== this.nodeId) return;
    const number = new ByteReader(payload).u32();
    this.state.answers.push([number, status]);
    if (this.state.answers.length > ANSWERS_MAX) this.state.answers.shift();
    this.reloaded(number, status);
  }

  /** Each node changes over when its own message comes round: by then the others have read their files, or nearly. */
  private onCryptoReconfig(from: number, payload: Uint8Array): void {
    if (from !== this.nodeId) return;
    if (new ByteReader(payload).u32() === ACTIVATE) {
      this.hooks.activateKey();
      this.ring.mcast(this.id, CRYPTO_RECONFIG, new ByteWriter().u32(CLEANUP).done());
    } else this.hooks.dropKey();
  }

  snapshot(): unknown {
    return cloneState(this.state);
  }

  restore(state: unknown): void {
    this.state = cloneState(state as CfgState);
  }

  digest(h: Hasher): void {
    h.int(this.state.asked).int(this.state.cryptoIndex).int(this.state.answers.length);
    for (const [number, status] of this.state.answers) h.int(number).int(status);
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
