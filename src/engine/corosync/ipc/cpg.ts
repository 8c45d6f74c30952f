/**
 * Closed process groups over the daemon's socket `cpg`: one connection is in one group at most, and hears of it by notices. In the real stack: the library half of cpg.c, and
 * libcpg. A client that exits without leaving is gone for its group with reason procdown. Left out: partial messages, zero-copy, the flow control state as such: a call that finds no
 * room is answered CS_ERR_TRY_AGAIN.
 */
import type { CpgAddress, CpgChange, CpgHandlers } from "../../cpg/index.ts";
import type { Hasher, IpcNotice, IpcReply, IpcRequest, Plain } from "../../kernel/index.ts";
import { copyRing, type RingId } from "../../totem/types.ts";
import type { Layers } from "../layers.ts";
import {
  outcome,
  performCall,
  performRead,
  refused,
  whenReady,
  type Client,
  type Handlers,
  type Nothing,
  type Readers,
  type Service,
} from "./calls.ts";

export const CPG = "cpg";

export type CpgCalls = {
  /** The pid is the client's own word, as in the real library. */
  readonly cpg_join: { readonly request: { readonly group: string; readonly pid: number }; readonly reply: Nothing };
  readonly cpg_leave: { readonly request: object; readonly reply: Nothing };
  /** Delivered to all members, the sender included, in one order everywhere. */
  readonly cpg_mcast_joined: { readonly request: { readonly message: Uint8Array }; readonly reply: Nothing };
  readonly cpg_membership_get: {
    readonly request: { readonly group: string };
    readonly reply: { readonly members: readonly CpgAddress[] };
  };
  readonly cpg_local_get: { readonly request: object; readonly reply: { readonly nodeId: number } };
  /** All groups, the one that came into being last first, with their members: cpg_iteration_initialize, _next and _finalize in one. */
  readonly cpg_iteration: {
    readonly request: object;
    readonly reply: { readonly groups: readonly { readonly group: string; readonly members: readonly CpgAddress[] }[] };
  };
};

export type CpgNotices = {
  readonly cpg_deliver: { readonly group: string; readonly nodeId: number; readonly pid: number; readonly message: Uint8Array };
  readonly cpg_confchg: {
    readonly group: string;
    readonly members: readonly CpgAddress[];
    readonly left: readonly CpgChange[];
    readonly joined: readonly CpgChange[];
  };
  /** After the confchgs of a sync. */
  readonly cpg_totem_confchg: { readonly ring: RingId; readonly members: readonly number[] };
};

interface Member {
  readonly id: number;
  readonly group: string;
  readonly pid: number;
}

export class CpgIpc implements Service {
  readonly name = CPG;
  private members: Member[] = [];

  constructor(
    private readonly layers: Layers,
    private readonly notify: (id: number, notice: IpcNotice) => void,
  ) {}

  private readonly readers: Required<Pick<Readers<CpgCalls>, "cpg_membership_get" | "cpg_local_get" | "cpg_iteration">> = {
    cpg_membership_get: ({ group }) => ({ members: this.layers.cpg.members(group) }),
    cpg_local_get: () => ({ nodeId: this.layers.settings.config.nodeId }),
    cpg_iteration: () => {
      const { cpg } = this.layers;
      return { groups: cpg.groupsNewestFirst().map((group) => ({ group, members: cpg.members(group) })) };
    },
  };

  private readonly handlers: Handlers<CpgCalls> = {
    ...this.readers,
    cpg_join: ({ group, pid }, client) => this.join(client.id, group, pid),
    cpg_leave: (_request, client) => {
      const member = this.member(client.id);
      if (member === undefined) return refused("CS_ERR_NOT_EXIST");
      return whenReady(this.layers, () => this.layers.cpg.leave(member.group, member.pid));
    },
    cpg_mcast_joined: ({ message }, client) => {
      const member = this.member(client.id);
      if (member === undefined) return refused("CS_ERR_NOT_EXIST");
      return this.layers.sync.ready ? outcome(this.layers.cpg.mcast(member.group, member.pid, message)) : refused("CS_ERR_TRY_AGAIN");
    },
  };

  private member(id: number): Member | undefined {
    return this.members.find((m) => m.id === id);
  }

  private join(id: number, group: string, pid: number): Nothing | ReturnType<typeof refused> {
    if (this.member(id) !== undefined) return refused("CS_ERR_EXIST");
    return whenReady(this.layers, () => {
      const error = this.layers.cpg.join(group, pid, this.listener({ id, group, pid }));
      if (error === undefined) this.members.push({ id, group, pid });
      return error;
    });
  }

  private listener({ id, group, pid }: Member): CpgHandlers {
    const { nodeId } = this.layers.settings.config;
    return {
      confchg: ({ members, left, joined }) => {
        this.notify(id, { event: "cpg_confchg", group, members: addresses(members), left: left.map(plain), joined: joined.map(plain) });
        // Its own leave is the last that it hears; then it may join again.
        if (left.some((l) => l.nodeId === nodeId && l.pid === pid)) this.members = this.members.filter((m) => m.id !== id);
      },
      deliver: (from, message) => this.notify(id, { event: "cpg_deliver", group, nodeId: from.nodeId, pid: from.pid, message }),
      totem: (ring, members) => this.notify(id, { event: "cpg_totem_confchg", ring: copyRing(ring), members }),
    };
  }

  call(client: Client, seq: number, request: IpcRequest): IpcReply | undefined {
    return performCall<CpgCalls>(this.handlers, client, seq, request);
  }

  read(request: IpcRequest): IpcReply | undefined {
    return performRead<CpgCalls>(this.readers, request);
  }

  closed(client: Client): void {
    const member = this.member(client.id);
    if (member === undefined) return;
    this.members = this.members.filter((m) => m !== member);
    this.layers.cpg.died(member.pid, member.group);
  }

  snapshot(): Plain {
    return this.members.map((m) => ({ ...m }));
  }

  /** The layer must have been restored before. */
  restore(state: Plain): void {
    this.members = (state as unknown as Member[]).map((m) => ({ ...m }));
    for (const m of this.members) this.layers.cpg.attach(m.group, m.pid, this.listener(m));
  }

  digest(h: Hasher): void {
    h.int(this.members.length);
    for (const m of this.members) h.int(m.id).text(m.group).int(m.pid);
  }
}

function addresses(list: readonly CpgAddress[]): { nodeId: number; pid: number }[] {
  return list.map(({ nodeId, pid }) => ({ nodeId, pid }));
}

function plain({ nodeId, pid, reason }: CpgChange): { nodeId: number; pid: number; reason: string } {
  return { nodeId, pid, reason };
}
