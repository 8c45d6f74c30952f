/**
 * The configuration service over the daemon's socket `cfg`: links as the tools show them, reading the file again, killing a node, shutting this one down. In the real stack: the
 * library half of cfg.c, and libcfg. Left out: shutdown tracking by clients that may object, the state of nodes by version.
 */
import type { Hasher, IpcReply, IpcRequest, LinkStatus, Plain } from "../../kernel/index.ts";
import type { Layers } from "../layers.ts";
import { CS_OK } from "../reload.ts";
import {
  DONE,
  performCall,
  performRead,
  refused,
  type Answer,
  type Client,
  type Handlers,
  type Nothing,
  type Readers,
  type Service,
} from "./calls.ts";

export const CFG = "cfg";

/** A node of the configuration in force. `addresses` by link number, "" where a node has none. */
export interface ConfiguredNode {
  readonly nodeId: number;
  readonly name: string;
  readonly addresses: readonly string[];
}

export type CfgCalls = {
  readonly corosync_cfg_local_get: { readonly request: object; readonly reply: { readonly nodeId: number } };
  /** corosync_cfg_node_status_get of every node, with the nodelist. */
  readonly corosync_cfg_ring_status_get: {
    readonly request: object;
    readonly reply: {
      readonly links: readonly LinkStatus[];
      readonly nodes: readonly ConfiguredNode[];
      /** Present members of the ring, ascending. */
      readonly members: readonly number[];
    };
  };
  readonly corosync_cfg_get_node_addrs: {
    readonly request: { readonly nodeId: number };
    readonly reply: { readonly addresses: readonly string[] };
  };
  readonly corosync_cfg_kill_node: { readonly request: { readonly nodeId: number; readonly reason: string }; readonly reply: Nothing };
  readonly corosync_cfg_try_shutdown: { readonly request: object; readonly reply: Nothing };
  /** Answered when this node has read its file again. */
  readonly corosync_cfg_reload_config: { readonly request: object; readonly reply: Nothing };
  /** Refused where one could not be opened. */
  readonly corosync_cfg_reopen_log_files: { readonly request: object; readonly reply: Nothing };
};

interface Reloading {
  readonly id: number;
  readonly seq: number;
  readonly number: number;
}

export class CfgIpc implements Service {
  readonly name = CFG;
  private reloading: Reloading[] = [];

  constructor(
    private readonly layers: Layers,
    private readonly reply: (id: number, seq: number, reply: IpcReply) => void,
  ) {
    layers.cfg.reloaded = (number, status) => this.reloaded(number, status);
  }

  private readonly readers: Required<
    Pick<Readers<CfgCalls>, "corosync_cfg_local_get" | "corosync_cfg_ring_status_get" | "corosync_cfg_get_node_addrs">
  > = {
    corosync_cfg_local_get: () => ({ nodeId: this.layers.settings.config.nodeId }),
    corosync_cfg_ring_status_get: () => {
      const { knet, totem, settings } = this.layers;
      const nodes = settings.config.nodes.map(({ nodeId, name, addresses }) => ({ nodeId, name, addresses: [...addresses] }));
      return { links: knet.status(), nodes, members: [...totem.members] };
    },
    corosync_cfg_get_node_addrs: ({ nodeId }) => {
      const node = this.layers.settings.config.nodes.find((n) => n.nodeId === nodeId);
      return node === undefined ? refused("CS_ERR_NOT_EXIST") : { addresses: [...node.addresses] };
    },
  };

  private readonly handlers: Handlers<CfgCalls> = {
    ...this.readers,
    corosync_cfg_reopen_log_files: () => (this.layers.reopenLogs() ? DONE : refused("CS_ERR_LIBRARY")),
    corosync_cfg_kill_node: ({ nodeId, reason }) => {
      const { cfg, totem, sync } = this.layers;
      if (!totem.members.includes(nodeId)) return refused("CS_ERR_NOT_EXIST");
      return sync.ready && cfg.kill(nodeId, reason) ? DONE : refused("CS_ERR_TRY_AGAIN");
    },
    corosync_cfg_try_shutdown: () => (this.layers.sync.ready && this.layers.cfg.tryShutdown() ? DONE : refused("CS_ERR_TRY_AGAIN")),
    corosync_cfg_reload_config: (_request, { id }, seq) => this.reload(id, seq),
  };

  private reload(id: number, seq: number): Answer<CfgCalls, "corosync_cfg_reload_config"> | "later" {
    const number = this.layers.sync.ready ? this.layers.cfg.requestReload() : undefined;
    if (number === undefined) return refused("CS_ERR_TRY_AGAIN");
    this.reloading.push({ id, seq, number });
    return "later";
  }

  private reloaded(number: number, status: number): void {
    const asked = this.reloading.find((r) => r.number === number);
    if (asked === undefined) return;
    this.reloading = this.reloading.filter((r) => r !== asked);
    this.reply(asked.id, asked.seq, status === CS_OK ? {} : { error: "CS_ERR_INVALID_PARAM" });
  }

  call(client: Client, seq: number, request: IpcRequest): IpcReply | undefined {
    return performCall<CfgCalls>(this.handlers, client, seq, request);
  }

  read(request: IpcRequest): IpcReply | undefined {
    return performRead<CfgCalls>(this.readers, request);
  }

  closed({ id }: Client): void {
    this.reloading = this.reloading.filter((r) => r.id !== id);
  }

  snapshot(): Plain {
    return this.reloading.map((r) => ({ ...r }));
  }

  restore(state: Plain): void {
    this.reloading = (state as unknown as Reloading[]).map((r) => ({ ...r }));
  }

  digest(h: Hasher): void {
    h.int(this.reloading.length);
    for (const r of this.reloading) h.int(r.id).int(r.seq).int(r.number);
  }
}
