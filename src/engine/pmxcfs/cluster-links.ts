/** What pmxcfs asks corosync beside its groups: whether there is quorum, and how the cluster is configured. In the real stack: pmxcfs's quorum.c and confdb.c. */
import {
  CMAP,
  QUORUM,
  ServiceClient,
  type CmapCalls,
  type CmapNotices,
  type Connection,
  type QuorumCalls,
  type QuorumNotices,
} from "../corosync/index.ts";
import type { Hasher, IpcEvent, IpcPort } from "../kernel/index.ts";
import type { ClusterConfig, ConfiguredNode } from "./cluster-info.ts";
import { RetriedService, type ServiceState } from "./retried-service.ts";

type Log = (level: "notice" | "crit", text: string) => void;

interface LinkState extends ServiceState {
  readonly connection: Connection;
  readonly seq: number | undefined;
}

export class QuorumLink extends RetriedService {
  private readonly client: ServiceClient<QuorumCalls, QuorumNotices>;

  constructor(
    ipc: IpcPort,
    log: Log,
    private readonly changed: (quorate: boolean) => void,
  ) {
    super(log);
    this.client = new ServiceClient(ipc, QUORUM);
  }

  get down(): boolean {
    return !this.client.connected;
  }

  protected connect(): boolean {
    if (this.client.connect()) return true;
    this.log("crit", "quorum_initialize failed: CS_ERR_LIBRARY (failed to connect to corosync)");
    return false;
  }

  /** Asks for the verdict, and for every one that follows. */
  track(): void {
    this.client.ask("quorum_trackstart", { current: true, changes: true });
  }

  event(event: IpcEvent): boolean {
    if (!this.client.owns(event.id)) return false;
    if (event.what === "gone") {
      this.log("crit", "quorum_dispatch failed: CS_ERR_LIBRARY");
      this.client.lost();
      this.changed(false);
    } else if (event.what === "notice") {
      const verdict = this.client.notice("quorum_notification", event.notice);
      if (verdict !== undefined) this.changed(verdict.quorate);
    }
    return true;
  }

  close(): void {
    if (this.down) this.log("crit", "quorum_finalize failed: CS_ERR_BAD_HANDLE");
    this.client.close();
  }

  snapshot(): LinkState {
    return { ...this.serviceState(), connection: this.client.snapshot(), seq: undefined };
  }

  restore(state: LinkState): void {
    this.restoreService(state);
    this.client.restore(state.connection);
  }

  digest(h: Hasher): void {
    h.bool(this.down);
  }
}

const VERSION_KEY = "totem.config_version";

export class ConfigurationLink extends RetriedService {
  private readonly client: ServiceClient<CmapCalls, CmapNotices>;
  /** Of the question whose answer is still to come. */
  private seq: number | undefined;

  constructor(
    ipc: IpcPort,
    log: Log,
    private readonly loaded: (config: ClusterConfig) => void,
  ) {
    super(log);
    this.client = new ServiceClient(ipc, CMAP);
  }

  get down(): boolean {
    return !this.client.connected;
  }

  protected connect(): boolean {
    if (this.client.connect()) {
      this.client.ask("cmap_track_add", { key: VERSION_KEY, prefix: false });
      this.ask();
      return true;
    }
    this.log("crit", "cmap_initialize failed: CS_ERR_LIBRARY (failed to connect to corosync)");
    return false;
  }

  private ask(): void {
    this.seq = this.client.ask("cmap_iter", { prefix: "" });
  }

  event(event: IpcEvent): boolean {
    if (!this.client.owns(event.id)) return false;
    if (event.what === "gone") {
      this.log("crit", "cmap_dispatch failed: 2");
      this.client.lost();
    } else if (event.what === "notice") this.ask();
    else if (event.what === "reply" && event.seq === this.seq) {
      const reply = this.client.answer("cmap_iter", event.reply);
      this.seq = undefined;
      if ("entries" in reply) this.loaded(configuration(new Map(reply.entries.map(({ key, value }) => [key, String(value)]))));
    }
    return true;
  }

  close(): void {
    if (this.down)
      for (const call of ["cmap_track_delete nodelist", "cmap_track_delete version", "cmap_finalize"])
        this.log("crit", `${call} failed: CS_ERR_BAD_HANDLE`);
    this.client.close();
  }

  snapshot(): LinkState {
    return { ...this.serviceState(), connection: this.client.snapshot(), seq: this.seq };
  }

  restore(state: LinkState): void {
    this.restoreService(state);
    this.client.restore(state.connection);
    this.seq = state.seq;
  }

  digest(h: Hasher): void {
    h.bool(this.down).int(this.seq ?? -1);
  }
}

function configuration(keys: ReadonlyMap<string, string>): ClusterConfig {
  const nodes: ConfiguredNode[] = [];
  for (const [key, value] of keys) {
    const node = /^nodelist\.node\.(\d+)\.nodeid$/.exec(key)?.[1];
    if (node === undefined) continue;
    const name = keys.get(`nodelist.node.${node}.name`) ?? keys.get(`nodelist.node.${node}.ring0_addr`) ?? "";
    nodes.push({ id: Number(value), name });
  }
  nodes.sort((a, b) => a.id - b.id);
  return { name: keys.get("totem.cluster_name") ?? "", version: Number(keys.get(VERSION_KEY) ?? 0), nodes };
}
