/**
 * Who is told of the service's verdicts: the quorum service, and clients that track. In the real stack: votequorum_trackstart's list and quorum_api_set_quorum. Left out: IPC
 * connections; who tracks subscribes.
 */
import type { RingId } from "../totem/types.ts";
import type { DeviceError } from "./device.ts";
import { DEVICE_NODE_ID, FLAG_DEVICE_REGISTERED, type NodeState } from "./flags.ts";
import type { VoteTable } from "./table.ts";

export type VoteError = "CS_ERR_NAME_NOT_FOUND" | DeviceError;

/** Whom the service tells its verdict: quorum_api_set_quorum. */
export type QuorumCallback = (members: readonly number[], quorate: boolean, ring: RingId) => void;

/** A client that tracks the service (votequorum_trackstart). Not part of a snapshot: who listens subscribes again. */
export interface VoteListener {
  /** After a verdict outside a sync that changed, and after every sync. `nodes`: all ever heard of, the device last where this node has it. */
  quorum?(quorate: boolean, nodes: readonly { readonly nodeId: number; readonly state: NodeState }[]): void;
  /** In every sync, when this node's own votes are sent. */
  nodelist?(ring: RingId, members: readonly number[], joined: readonly number[], left: readonly number[]): void;
  /** Own expected votes are different now. */
  expectedVotes?(votes: number): void;
  /** The answer to deviceRegister() that was let through: its message came round. */
  registered?(error: VoteError | undefined): void;
}

export class VoteTracking {
  private readonly listeners = new Set<VoteListener>();

  constructor(
    private readonly table: VoteTable,
    private readonly setQuorum: QuorumCallback,
  ) {}

  /** @returns ends the subscription */
  subscribe(listener: VoteListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  tell(say: (listener: VoteListener) => void): void {
    for (const listener of [...this.listeners]) say(listener);
  }

  /** The verdict goes to whoever sets the quorum, and to all who track. */
  announce(): void {
    const s = this.table.state;
    this.setQuorum(s.members, s.quorate, s.ring);
    const nodes = this.trackedNodes();
    this.tell((l) => l.quorum?.(s.quorate, nodes));
  }

  /** All nodes ever heard of, the device last where this node has it. */
  private trackedNodes(): { nodeId: number; state: NodeState }[] {
    const nodes: { nodeId: number; state: NodeState }[] = this.table.state.nodes.map((n) => ({ nodeId: n.nodeId, state: n.state }));
    if ((this.table.us().flags & FLAG_DEVICE_REGISTERED) !== 0) nodes.push({ nodeId: DEVICE_NODE_ID, state: "member" });
    return nodes;
  }

  /** What a client that begins to track with CS_TRACK_CURRENT is told at once. */
  current(): {
    ring: RingId;
    members: readonly number[];
    quorate: boolean;
    nodes: readonly { readonly nodeId: number; readonly state: NodeState }[];
    expectedVotes: number;
  } {
    const { ring, members, quorate } = this.table.state;
    return { ring, members, quorate, nodes: this.trackedNodes(), expectedVotes: this.table.us().expectedVotes };
  }
}
