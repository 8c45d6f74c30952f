/**
 * The quorum service over the daemon's socket `quorum`: whether this node is quorate, and notices of every verdict. In the real stack: the library half of vsf_quorum.c, and
 * libquorum. Left out: the nodelist notification of model v1.
 */
import type { Hasher, IpcNotice, IpcReply, IpcRequest, Plain } from "../../kernel/index.ts";
import { copyRing, type RingId } from "../../totem/types.ts";
import type { QuorumView } from "../../votequorum/index.ts";
import type { Layers } from "../layers.ts";
import { DONE, performCall, performRead, type Client, type Handlers, type Nothing, type Readers, type Service } from "./calls.ts";

export const QUORUM = "quorum";

/** A verdict: the ring and the members it was found for. */
export interface Verdict {
  readonly quorate: boolean;
  readonly ring: RingId;
  readonly members: readonly number[];
}

export type QuorumCalls = {
  readonly quorum_getquorate: { readonly request: object; readonly reply: { readonly quorate: boolean } };
  /** What quorum_initialize tells: whether somebody counts votes. */
  readonly quorum_gettype: { readonly request: object; readonly reply: { readonly type: "QUORUM_SET" | "QUORUM_FREE" } };
  /** `current`: a notice comes at once (CS_TRACK_CURRENT); `changes`: one with every verdict. */
  readonly quorum_trackstart: { readonly request: { readonly current: boolean; readonly changes: boolean }; readonly reply: Nothing };
  readonly quorum_trackstop: { readonly request: object; readonly reply: Nothing };
  /** What quorum_trackstart with CS_TRACK_CURRENT tells once, without a connection of one's own. */
  readonly quorum_current: { readonly request: object; readonly reply: Verdict };
};

export type QuorumNotices = { readonly quorum_notification: Verdict };

export class QuorumIpc implements Service {
  readonly name = QUORUM;
  private trackers: number[] = [];

  constructor(
    private readonly layers: Layers,
    private readonly notify: (id: number, notice: IpcNotice) => void,
  ) {}

  private readonly readers: Required<Pick<Readers<QuorumCalls>, "quorum_getquorate" | "quorum_gettype" | "quorum_current">> = {
    quorum_getquorate: () => ({ quorate: this.layers.quorum.view.quorate }),
    quorum_gettype: () => ({ type: this.layers.hasProvider ? "QUORUM_SET" : "QUORUM_FREE" }),
    quorum_current: () => verdict(this.layers.quorum.view),
  };

  private readonly handlers: Handlers<QuorumCalls> = {
    ...this.readers,
    quorum_trackstart: ({ current, changes }, { id }) => {
      if (changes && !this.trackers.includes(id)) this.trackers.push(id);
      if (current) this.tell(id, this.layers.quorum.view);
      return DONE;
    },
    quorum_trackstop: (_request, client) => {
      this.closed(client);
      return DONE;
    },
  };

  /** There is a verdict. */
  changed(view: QuorumView): void {
    for (const id of this.trackers) this.tell(id, view);
  }

  private tell(id: number, view: QuorumView): void {
    this.notify(id, { event: "quorum_notification", ...verdict(view) });
  }

  call(client: Client, seq: number, request: IpcRequest): IpcReply | undefined {
    return performCall<QuorumCalls>(this.handlers, client, seq, request);
  }

  read(request: IpcRequest): IpcReply | undefined {
    return performRead<QuorumCalls>(this.readers, request);
  }

  closed({ id }: Client): void {
    this.trackers = this.trackers.filter((t) => t !== id);
  }

  snapshot(): Plain {
    return [...this.trackers];
  }

  restore(state: Plain): void {
    this.trackers = [...(state as number[])];
  }

  digest(h: Hasher): void {
    h.int(this.trackers.length);
    for (const id of this.trackers) h.int(id);
  }
}

function verdict(view: QuorumView): { quorate: boolean; ring: { rep: number; seq: number }; members: number[] } {
  return { quorate: view.quorate, ring: copyRing(view.ring), members: [...view.members] };
}
