/**
 * The configuration map service (corosync's cmap, service 0) with the keys that follow the membership. At every sync each member tells its config_version; in
 * its first sync with others a daemon that finds a different highest version stops itself. Left out: IPC handles and track requests; who tracks compares.
 */
import { ByteReader, ByteWriter, cloneState, type Hasher, type Port } from "../kernel/index.ts";
import type { ServiceEngine, ServicePort } from "../totem/service.ts";
import { byKey, CmapMap, type CmapEntry, type CmapError, type CmapType, type CmapValue } from "./map.ts";

const HANDLER_CONFIG_VERSION = 0;

interface CmapServiceState {
  firstSyncDone: boolean;
  highestVersion: number;
  members: number;
}

export interface CmapHooks {
  /** `r(0) ip(10.10.0.1) r(1) ip(10.10.1.1) `, with its trailing blank, for a node of the nodelist. */
  addressText(nodeId: number): string;
  /** The versions differ: the daemon shuts down as if asked to (corosync_shutdown_request). */
  exit(): void;
  /** Keys computed when asked for: runtime.services.*. */
  live(): CmapEntry[];
  /** A client has set or deleted this key; who tracks it acts. */
  changed(key: string, deleted: boolean): void;
}

export class CmapService implements ServiceEngine {
  readonly id = 0;
  readonly description = "corosync configuration map access";
  readonly handlerCount = 1;
  readonly map = new CmapMap();
  private state: CmapServiceState = { firstSyncDone: false, highestVersion: 0, members: 0 };

  constructor(
    private readonly port: Port,
    private readonly ring: ServicePort,
    private readonly hooks: CmapHooks,
  ) {}

  // ── what clients see: stored and computed keys together ──────────────────────────────────────────────────────────────

  get(key: string): CmapEntry | undefined {
    return this.map.get(key) ?? this.hooks.live().find((e) => e.key === key);
  }

  list(prefix: string): CmapEntry[] {
    return [...this.map.list(prefix), ...this.hooks.live().filter((e) => e.key.startsWith(prefix))].sort(byKey);
  }

  set(key: string, type: CmapType, value: CmapValue): CmapError | undefined {
    if (this.isLive(key)) return "CS_ERR_ACCESS";
    const before = this.map.get(key);
    const error = this.map.set(key, type, value);
    if (error !== undefined || (before?.type === type && before.value === value)) return error;
    this.hooks.changed(key, false);
    return undefined;
  }

  delete(key: string): CmapError | undefined {
    if (this.isLive(key)) return "CS_ERR_ACCESS";
    const error = this.map.delete(key);
    if (error === undefined) this.hooks.changed(key, true);
    return error;
  }

  /** totem.config_version is another: the others are told at once. */
  versionChanged(): void {
    this.syncProcess();
  }

  private isLive(key: string): boolean {
    return this.hooks.live().some((e) => e.key === key);
  }

  // ── membership ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Any Totem configuration, transitional or regular: runtime.members.* follow at once, before any sync. */
  configuration(change: { readonly left: readonly number[]; readonly joined: readonly number[] }): void {
    for (const id of change.left) this.map.put(`runtime.members.${id}.status`, "str", "left");
    for (const id of change.joined) {
      const base = `runtime.members.${id}.`;
      const count = this.map.get(`${base}join_count`)?.value;
      this.map.put(`${base}ip`, "str", this.hooks.addressText(id));
      this.map.put(`${base}join_count`, "u32", typeof count === "number" ? count + 1 : 1);
      this.map.put(`${base}status`, "str", "joined");
    }
  }

  execute(handler: number, from: number, payload: Uint8Array): void {
    if (handler !== HANDLER_CONFIG_VERSION) return;
    const version = new ByteReader(payload).u64();
    this.map.put(`runtime.members.${from}.config_version`, "u64", version);
    this.state.highestVersion = Math.max(this.state.highestVersion, version);
  }

  private configVersion(): number {
    const value = this.map.get("totem.config_version")?.value;
    return typeof value === "number" ? value : 0;
  }

  syncInit(_trans: readonly number[], members: readonly number[]): void {
    this.state.highestVersion = 0;
    this.state.members = members.length;
  }

  syncProcess(): boolean {
    return this.ring.mcast(this.id, HANDLER_CONFIG_VERSION, new ByteWriter().u64(this.configVersion()).done());
  }

  /** Only a daemon's first sync with others compares, and version 0 (or none) on either side means nothing to compare. */
  syncActivate(): void {
    const s = this.state;
    if (s.members <= 1 || s.firstSyncDone) return;
    s.firstSyncDone = true;
    const own = this.configVersion();
    if (own === 0 || s.highestVersion === 0 || own === s.highestVersion) return;
    this.port.log("error", "CMAP", `Received config version (${s.highestVersion}) is different than my config version (${own})! Exiting`);
    this.hooks.exit();
  }

  syncAbort(): void {
    // The next syncInit starts over.
  }

  snapshot(): unknown {
    return { service: cloneState(this.state), map: this.map.snapshot() };
  }

  restore(state: unknown): void {
    const s = state as { service: CmapServiceState; map: unknown };
    this.state = cloneState(s.service);
    this.map.restore(s.map);
  }

  digest(h: Hasher): void {
    h.bool(this.state.firstSyncDone).int(this.state.highestVersion).int(this.state.members);
    this.map.digest(h);
  }
}
