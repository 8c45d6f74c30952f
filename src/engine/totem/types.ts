/**
 * The seams of the Totem layer: what it is told by its configuration, what it needs below (a transport: knet) and whom it tells above (the service
 * engine). Names are corosync's. Sources: totem(5) as corosync.conf(5), totemsrp's message formats as observed.
 */

import type { ReleaseProfile } from "../config/release.ts";

/** A ring is named by its representative (lowest node id) and a sequence number; only the pair identifies it. */
export interface RingId {
  readonly rep: number;
  readonly seq: number;
}

/** As corosync prints it, both parts in hexadecimal: `1.1a`, and `a.1a` where node 10 is the representative. */
export function ringIdText(ring: RingId): string {
  return `${ring.rep.toString(16)}.${ring.seq.toString(16)}`;
}

/** One of its own, for a state or a message: plain data, whatever the given one is part of. */
export function copyRing({ rep, seq }: RingId): { rep: number; seq: number } {
  return { rep, seq };
}

export function sameRing(a: RingId, b: RingId): boolean {
  return a.rep === b.rep && a.seq === b.seq;
}

/** Effective Totem parameters of one daemon (runtime.config.totem.*). Milliseconds where the name ends in Ms. */
export interface TotemParams {
  readonly nodeId: number;
  readonly tokenMs: number;
  readonly tokenRetransmitMs: number;
  readonly holdMs: number;
  readonly consensusMs: number;
  readonly joinMs: number;
  readonly sendJoinMs: number;
  readonly mergeMs: number;
  readonly tokenWarningPercent: number;
  readonly failRecvConst: number;
  readonly seqnoUnchangedConst: number;
  readonly missCountConst: number;
  readonly windowSize: number;
  readonly maxMessages: number;
  readonly cancelTokenHoldOnRetransmit: boolean;
  readonly maxNetworkDelayMs: number;
  /** Bytes at which a packet of Totem's ends; longer messages go in several. */
  readonly netMtu: number;
  /** What the daemon's release does otherwise than others. */
  readonly profile: TotemProfile;
}

export type TotemProfile = Pick<ReleaseProfile, "tokenWarningEndsInBlank" | "countsEveryToken">;

/** What Totem sends through. Both calls may lose the packet silently. A multicast comes back to the sender. */
export interface TotemTransport {
  multicast(packet: Uint8Array): void;
  unicast(nodeId: number, packet: Uint8Array): void;
}

export interface Configuration {
  readonly kind: "transitional" | "regular";
  readonly ring: RingId;
  /** Ascending. */
  readonly members: readonly number[];
  readonly left: readonly number[];
  readonly joined: readonly number[];
}

/** Whom Totem tells. Calls come in delivery order. */
export interface TotemListener {
  /** One application message, in the total order. `from` is the originator's node id. */
  deliver(from: number, payload: Uint8Array): void;
  configuration(change: Configuration): void;
  /** The ring sequence number must be on disk before the commit token goes on (/var/lib/corosync/ringid_ID). */
  storeRingSeq(seq: number): void;
}
