/**
 * A service engine as corosync's main loop knows it (corosync_service_engine): an id, executable message handlers, and the four sync callbacks. The
 * order of ids is the order of synchronisation. Left out: IPC handlers; the tools ask a service through its own methods.
 */
import type { RingId } from "./types.ts";

export interface ServiceEngine {
  /** cmap 0, cfg 1, cpg 2, quorum 3, pload 4, votequorum 5, mon 6, wd 7. */
  readonly id: number;
  /** As in "Committing synchronization for …". */
  readonly description: string;
  /** Number of message types: the `runtime.services.SVC.N` counters. */
  readonly handlerCount: number;
  /** A message of this service, delivered in the total order, own ones included. */
  execute(handler: number, from: number, payload: Uint8Array): void;
  /** The regular configuration was installed. `trans`: members that came with this node; `members`: all, ascending. Only services that synchronise have these four. */
  syncInit?(trans: readonly number[], members: readonly number[], ring: RingId): void;
  /** Sends this node's state once. Returns false to be called again at the next token visit (queue full). */
  syncProcess?(): boolean;
  syncActivate?(): void;
  syncAbort?(): void;
}

/** What a service may do towards the ring. */
export interface ServicePort {
  /**
   * Queues a message for the total order; counts it in runtime.services.SVC.N.tx. False: the queue is full (CS_ERR_TRY_AGAIN).
   * `uncounted`: not in tx, for what a service sends while it is loaded, before its counters exist.
   */
  mcast(service: number, handler: number, payload: Uint8Array, uncounted?: boolean): boolean;
}
