/**
 * Service synchronisation after every regular configuration (corosync's sync.c and the delivery part of main.c): all members exchange the list of their
 * services, then the services go in turn, one step per token visit, each closed by a barrier of all members. A new configuration aborts and starts
 * over. Left out: nodes with different service lists; every lab node runs the same services.
 */
import { ByteReader, ByteWriter, ShortPacket, cloneState, type Hasher, type Port } from "../kernel/index.ts";
import type { ServiceEngine, ServicePort } from "./service.ts";
import { sameRing, type Configuration, type RingId, type TotemListener } from "./types.ts";

/** Stands for sync.c's own message group; no service has this id. */
const SYNC = 255;
const SERVICE_LIST = 0;
const BARRIER = 1;

export interface SyncState {
  /** announce: own list is still to be sent; lists: waiting for the others'; process: own state is to be sent; closing: own barrier is; barrier: waiting. */
  phase: "idle" | "announce" | "lists" | "process" | "closing" | "barrier";
  ring: RingId;
  members: readonly number[];
  trans: readonly number[];
  /** Members whose list or barrier has arrived. */
  heard: number[];
  /** Position among the services that synchronise. */
  index: number;
  everCompleted: boolean;
  /** The daemon unloads its services: from this one on they take no part any more. */
  unloaded: number | undefined;
  /** runtime.services.SVC.N.tx / .rx by service id. */
  tx: Map<number, number[]>;
  rx: Map<number, number[]>;
}

/** What the sync engine needs of Totem. */
export interface Ring {
  mcast(payload: Uint8Array): boolean;
  transAck(): void;
}

export interface SyncHooks {
  /** Any configuration, before the services hear of it (runtime.members.*). */
  configuration(change: Configuration): void;
  /** All services have synchronised; IPC opens. */
  synchronised(first: boolean): void;
  storeRingSeq(seq: number): void;
}

export class SyncEngine implements TotemListener, ServicePort {
  private s: SyncState;
  private readonly services = new Map<number, ServiceEngine>();
  private readonly syncing: ServiceEngine[];
  private ring: Ring | undefined;

  constructor(
    private readonly port: Port,
    services: readonly ServiceEngine[],
    private readonly hooks: SyncHooks,
  ) {
    const sorted = [...services].sort((a, b) => a.id - b.id);
    for (const service of sorted) this.services.set(service.id, service);
    this.syncing = sorted.filter((service) => service.syncInit !== undefined);
    const none: RingId = Object.freeze({ rep: 0, seq: 0 });
    const zeros = (n: number): number[] => new Array<number>(n).fill(0);
    this.s = {
      phase: "idle",
      ring: none,
      members: [],
      trans: [],
      heard: [],
      index: 0,
      everCompleted: false,
      unloaded: undefined,
      tx: new Map(sorted.map((v) => [v.id, zeros(v.handlerCount)])),
      rx: new Map(sorted.map((v) => [v.id, zeros(v.handlerCount)])),
    };
  }

  /** Totem and the sync engine need each other; this ties the knot. `onToken` must be called at each token visit. */
  attach(ring: Ring): void {
    this.ring = ring;
  }

  /** Services are synchronised with everybody in the ring; requests that need the ring are taken. */
  get ready(): boolean {
    return this.s.phase === "idle" && this.s.everCompleted;
  }

  /**
   * This service is unloaded while a sync may be under way: it says nothing more, and the others wait for it until this node leaves (recorded: a daemon that
   * ends in the sync of cmap takes part up to votequorum, its last service and the first to be unloaded).
   */
  unload(service: number): void {
    this.s.unloaded = service;
  }

  /** Messages sent and received by service and handler. */
  counters(service: number): { tx: readonly number[]; rx: readonly number[] } {
    return { tx: this.s.tx.get(service) ?? [], rx: this.s.rx.get(service) ?? [] };
  }

  mcast(service: number, handler: number, payload: Uint8Array, uncounted = false): boolean {
    const sent = this.send(service, handler, payload);
    const counts = uncounted ? undefined : this.s.tx.get(service);
    if (sent && counts !== undefined) counts[handler] = (counts[handler] ?? 0) + 1;
    return sent;
  }

  private send(service: number, handler: number, payload: Uint8Array): boolean {
    if (this.ring === undefined) throw new Error("sync engine used before it was attached to Totem");
    return this.ring.mcast(new ByteWriter().u8(service).u8(handler).raw(payload).done());
  }

  deliver(from: number, message: Uint8Array): void {
    let service: number;
    let handler: number;
    let payload: Uint8Array;
    try {
      const r = new ByteReader(message);
      service = r.u8();
      handler = r.u8();
      payload = r.raw(r.left);
      if (service === SYNC) {
        this.onSyncMessage(handler, from, payload);
        return;
      }
    } catch (error) {
      if (error instanceof ShortPacket) return;
      throw error;
    }
    const engine = this.services.get(service);
    const counts = this.s.rx.get(service);
    if (engine === undefined || counts === undefined || handler >= engine.handlerCount) return;
    counts[handler] = (counts[handler] ?? 0) + 1;
    engine.execute(handler, from, payload);
  }

  storeRingSeq(seq: number): void {
    this.hooks.storeRingSeq(seq);
  }

  configuration(change: Configuration): void {
    if (change.kind === "transitional") {
      this.abort();
      this.s.trans = [...change.members];
      this.hooks.configuration(change);
      return;
    }
    this.hooks.configuration(change);
    this.s.ring = change.ring;
    this.s.members = [...change.members];
    this.s.heard = [];
    this.s.index = 0;
    this.port.log("debug", "SYNC", "call init for locally known services");
    for (const service of this.syncing) service.syncInit?.(this.s.trans, this.s.members, change.ring);
    this.announce();
  }

  /** Sends the list of services; at the next token visits where the queue is full, as it is after many rings that broke before they could send. */
  private announce(): void {
    this.s.phase = this.sendSync(SERVICE_LIST, Uint8Array.from(this.syncing.map((v) => v.id))) ? "lists" : "announce";
  }

  /** A configuration change in the middle: the service whose part is being sent throws it away. One that only waits for the others hears nothing of it. */
  private abort(): void {
    if (this.s.phase === "process" || this.s.phase === "closing") this.syncing[this.s.index]?.syncAbort?.();
    this.s.phase = "lists";
    this.s.heard = [];
  }

  private sendSync(handler: number, body: Uint8Array): boolean {
    const ring = this.s.ring;
    const packet = new ByteWriter().u32(ring.rep).u64(ring.seq).raw(body).done();
    return this.send(SYNC, handler, packet);
  }

  private onSyncMessage(handler: number, from: number, payload: Uint8Array): void {
    const s = this.s;
    const r = new ByteReader(payload);
    const ring = { rep: r.u32(), seq: r.u64() };
    if (!sameRing(ring, s.ring) || !s.members.includes(from)) return;
    const listing = s.phase === "announce" || s.phase === "lists";
    const wanted = handler === SERVICE_LIST ? listing : !listing && s.phase !== "idle";
    if (!wanted || s.heard.includes(from)) return;
    s.heard.push(from);
    if (s.heard.length < s.members.length) return;
    s.heard = [];
    if (handler === SERVICE_LIST) {
      this.port.log("debug", "SYNC", "enter sync process");
      s.phase = "process";
      return;
    }
    this.activate();
  }

  private activate(): void {
    const s = this.s;
    const service = this.syncing[s.index];
    if (service === undefined) return;
    this.port.log("debug", "SYNC", `Committing synchronization for ${service.description}`);
    service.syncActivate?.();
    s.index++;
    if (s.index < this.syncing.length) {
      s.phase = "process";
      return;
    }
    s.phase = "idle";
    const first = !s.everCompleted;
    s.everCompleted = true;
    this.port.log("notice", "MAIN", "Completed service synchronization, ready to provide service.");
    this.hooks.synchronised(first);
    this.ring?.transAck();
  }

  /**
   * The token was sent: the service whose turn it is prepares its state and the barrier, packed in one frame, for the next visit. So what a member tells in a sync is what it
   * knew a rotation earlier (recorded: a member that becomes quorate by another's state still tells that it is not), and each service begins where the one before it ended.
   */
  onToken(): void {
    if (this.s.phase === "announce") this.announce();
    const service = this.syncing[this.s.index];
    if (service === undefined || service.id === this.s.unloaded) return;
    if (this.s.phase === "process" && service.syncProcess?.() !== false) this.s.phase = "closing";
    if (this.s.phase === "closing" && this.sendSync(BARRIER, Uint8Array.of(service.id))) this.s.phase = "barrier";
  }

  snapshot(): SyncState {
    return cloneState(this.s);
  }

  restore(state: SyncState): void {
    this.s = cloneState(state);
  }

  digest(h: Hasher): void {
    h.text(this.s.phase)
      .int(this.s.ring.rep)
      .int(this.s.ring.seq)
      .int(this.s.index)
      .int(this.s.heard.length)
      .bool(this.s.everCompleted)
      .int(this.s.unloaded ?? -1);
    for (const counts of this.s.rx.values()) for (const n of counts) h.int(n);
  }
}
