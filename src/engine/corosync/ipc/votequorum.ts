/**
 * The vote quorum service over the daemon's socket `votequorum`: what the tools ask and change, what the quorum device does, and notices to who tracks. In the real stack: the
 * library half of votequorum.c, and libvotequorum. A device stays registered when its process goes; the poll timer finds out. Left out: contexts.
 */
import type { Hasher, IpcNotice, IpcReply, IpcRequest, Plain } from "../../kernel/index.ts";
import { copyRing, type RingId } from "../../totem/types.ts";
import type { DeviceInfo, NodeState, VoteError, VoteInfo } from "../../votequorum/index.ts";
import type { Layers } from "../layers.ts";
import {
  DONE,
  outcome,
  performCall,
  performRead,
  refused,
  whenReady,
  type Answer,
  type Client,
  type Handlers,
  type Nothing,
  type Readers,
  type Service,
} from "./calls.ts";

export const VOTEQUORUM = "votequorum";

export interface TrackedNode {
  readonly nodeId: number;
  readonly state: NodeState;
}

/** What a client that begins to track with CS_TRACK_CURRENT is told. */
export interface VoteView {
  /** This node's id. */
  readonly nodeId: number;
  readonly ring: RingId;
  readonly members: readonly number[];
  readonly quorate: boolean;
  /** All nodes ever heard of, the device last where this node has it. */
  readonly nodes: readonly TrackedNode[];
  readonly expectedVotes: number;
}

interface DeviceCall {
  readonly name: string;
}

export type VotequorumCalls = {
  readonly votequorum_getinfo: { readonly request: { readonly nodeId: number }; readonly reply: { readonly info: VoteInfo } };
  readonly votequorum_qdevice_getinfo: { readonly request: { readonly nodeId: number }; readonly reply: { readonly info: DeviceInfo } };
  readonly votequorum_setexpected: { readonly request: { readonly votes: number }; readonly reply: Nothing };
  /** `nodeId` 0: this node. */
  readonly votequorum_setvotes: { readonly request: { readonly nodeId: number; readonly votes: number }; readonly reply: Nothing };
  /** Refused with CS_ERR_TRY_AGAIN until the services have synchronised once. */
  readonly votequorum_trackstart: { readonly request: object; readonly reply: Nothing };
  readonly votequorum_trackstop: { readonly request: object; readonly reply: Nothing };
  /** The notifications of votequorum_trackstart with CS_TRACK_CURRENT, in one answer. */
  readonly votequorum_current: { readonly request: object; readonly reply: VoteView };
  /** Answered when the registration has gone round the ring. */
  readonly votequorum_qdevice_register: { readonly request: DeviceCall; readonly reply: Nothing };
  readonly votequorum_qdevice_unregister: { readonly request: DeviceCall; readonly reply: Nothing };
  readonly votequorum_qdevice_update: { readonly request: DeviceCall & { readonly newName: string }; readonly reply: Nothing };
  readonly votequorum_qdevice_poll: {
    readonly request: DeviceCall & { readonly castVote: boolean; readonly ring: RingId };
    readonly reply: Nothing;
  };
  readonly votequorum_qdevice_master_wins: { readonly request: DeviceCall & { readonly allow: boolean }; readonly reply: Nothing };
};

export type VotequorumNotices = {
  /** In every sync, when this node's own votes are sent. */
  readonly votequorum_nodelist_notification: {
    readonly ring: RingId;
    readonly members: readonly number[];
    readonly joined: readonly number[];
    readonly left: readonly number[];
  };
  /** After a verdict outside a sync that changed, and after every sync. */
  readonly votequorum_quorum_notification: { readonly quorate: boolean; readonly nodes: readonly TrackedNode[] };
  /** Own expected votes are different now. */
  readonly votequorum_expectedvotes_notification: { readonly expectedVotes: number };
};

interface VotequorumIpcState {
  trackers: number[];
  /** Registrations on their way round the ring: connection and request. */
  registering: { id: number; seq: number }[];
}

type DeviceAnswer = Answer<VotequorumCalls, "votequorum_qdevice_unregister">;

export class VotequorumIpc implements Service {
  readonly name = VOTEQUORUM;
  private state: VotequorumIpcState = { trackers: [], registering: [] };

  constructor(
    private readonly layers: Layers,
    private readonly notify: (id: number, notice: IpcNotice) => void,
    private readonly reply: (id: number, seq: number, reply: IpcReply) => void,
  ) {
    layers.votequorum.subscribe({
      registered: (error) => this.registered(error),
      nodelist: (ring, members, joined, left) =>
        this.tell({
          event: "votequorum_nodelist_notification",
          ring: copyRing(ring),
          members: [...members],
          joined: [...joined],
          left: [...left],
        }),
      quorum: (quorate, nodes) => this.tell({ event: "votequorum_quorum_notification", quorate, nodes: tracked(nodes) }),
      expectedVotes: (expectedVotes) => this.tell({ event: "votequorum_expectedvotes_notification", expectedVotes }),
    });
  }

  private tell(notice: IpcNotice): void {
    for (const id of this.state.trackers) this.notify(id, notice);
  }

  private readonly readers: Required<
    Pick<Readers<VotequorumCalls>, "votequorum_getinfo" | "votequorum_qdevice_getinfo" | "votequorum_current">
  > = {
    votequorum_getinfo: ({ nodeId }) => {
      const info = this.layers.votequorum.info(nodeId);
      return info === undefined ? refused("CS_ERR_NOT_EXIST") : { info };
    },
    votequorum_qdevice_getinfo: ({ nodeId }) => {
      const info = this.layers.votequorum.deviceInfo(nodeId);
      return info === undefined ? refused("CS_ERR_NOT_EXIST") : { info };
    },
    votequorum_current: () => {
      const { ring, members, quorate, nodes, expectedVotes } = this.layers.votequorum.current();
      const { nodeId } = this.layers.settings.config;
      return { nodeId, ring: copyRing(ring), members: [...members], quorate, nodes: tracked(nodes), expectedVotes };
    },
  };

  private readonly handlers: Handlers<VotequorumCalls> = {
    ...this.readers,
    votequorum_setexpected: ({ votes }) => whenReady(this.layers, () => this.layers.votequorum.setExpected(votes)),
    votequorum_setvotes: ({ nodeId, votes }) => whenReady(this.layers, () => this.layers.votequorum.setVotes(nodeId, votes)),
    votequorum_trackstart: (_request, { id }) =>
      whenReady(this.layers, () => {
        if (!this.state.trackers.includes(id)) this.state.trackers.push(id);
        return undefined;
      }),
    votequorum_trackstop: (_request, { id }) => {
      this.state.trackers = this.state.trackers.filter((t) => t !== id);
      return DONE;
    },
    votequorum_qdevice_register: ({ name }, { id }, seq) => this.register(name, id, seq),
    votequorum_qdevice_unregister: ({ name }) => outcome(this.layers.votequorum.deviceUnregister(name)),
    votequorum_qdevice_update: ({ name, newName }) => outcome(this.layers.votequorum.deviceUpdate(name, newName)),
    votequorum_qdevice_poll: ({ name, castVote, ring }) => outcome(this.layers.votequorum.devicePoll(name, castVote, ring)),
    votequorum_qdevice_master_wins: ({ name, allow }) => outcome(this.layers.votequorum.deviceMasterWins(name, allow)),
  };

  private register(name: string, id: number, seq: number): DeviceAnswer | "later" {
    if (!this.layers.sync.ready) return refused("CS_ERR_TRY_AGAIN");
    this.state.registering.push({ id, seq });
    const error = this.layers.votequorum.deviceRegister(name);
    if (error === undefined) return "later";
    this.state.registering = this.state.registering.filter((r) => r.id !== id || r.seq !== seq);
    return refused(error);
  }

  /** One registration at a time is on its way. */
  private registered(error: VoteError | undefined): void {
    const asked = this.state.registering.shift();
    if (asked !== undefined) this.reply(asked.id, asked.seq, outcome(error) as IpcReply);
  }

  call(client: Client, seq: number, request: IpcRequest): IpcReply | undefined {
    return performCall<VotequorumCalls>(this.handlers, client, seq, request);
  }

  read(request: IpcRequest): IpcReply | undefined {
    return performRead<VotequorumCalls>(this.readers, request);
  }

  closed({ id }: Client): void {
    this.state.trackers = this.state.trackers.filter((t) => t !== id);
    this.state.registering = this.state.registering.filter((r) => r.id !== id);
  }

  snapshot(): Plain {
    return { trackers: [...this.state.trackers], registering: this.state.registering.map((r) => ({ ...r })) };
  }

  restore(state: Plain): void {
    const saved = state as unknown as VotequorumIpcState;
    this.state = { trackers: [...saved.trackers], registering: saved.registering.map((r) => ({ ...r })) };
  }

  digest(h: Hasher): void {
    h.int(this.state.trackers.length).int(this.state.registering.length);
    for (const id of this.state.trackers) h.int(id);
    for (const r of this.state.registering) h.int(r.id).int(r.seq);
  }
}

function tracked(nodes: readonly TrackedNode[]): { nodeId: number; state: NodeState }[] {
  return nodes.map(({ nodeId, state }) => ({ nodeId, state }));
}
