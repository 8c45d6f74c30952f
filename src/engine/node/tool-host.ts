/**
 * What the tools on a node get to see: libcmap, libquorum, libvotequorum, libcfg, libcpg, systemd and journald, answered from the layers at the present
 * instant. Only reads. Left out: the count of connections ever closed, as asking leaves no trace in the lab.
 */
import type { DaemonView, ToolHost } from "../command/host.ts";
import {
  CFG,
  CMAP,
  CPG,
  QUORUM,
  VOTEQUORUM,
  peekCall,
  type Answer,
  type CallMap,
  type CfgCalls,
  type CmapCalls,
  type CpgCalls,
  type QuorumCalls,
  type VotequorumCalls,
} from "../corosync/index.ts";
import type { Instant, IpcRequest, JournalLine, Peeked } from "../kernel/index.ts";
import { contentsOf, type Computer } from "../machine/index.ts";
import { systemdView, type SystemdView } from "../machine/systemd/index.ts";
import { DEVICE_SOCKET, QNETD_SOCKET, type DeviceView, type QnetdView } from "../qdevice/index.ts";
import type { ServiceCalls } from "./service-calls.ts";

export class NodeTools implements ToolHost {
  readonly systemd: SystemdView;

  constructor(
    private readonly computer: Computer,
    readonly peek: (service: string, request: IpcRequest) => Peeked,
    private readonly calls: ServiceCalls,
    private readonly tools: ReadonlySet<string>,
    readonly services: readonly string[],
  ) {
    this.systemd = systemdView(computer.manager);
  }

  /** What a call answers; undefined where it refuses, or nobody is there to answer. */
  private read<C extends CallMap, K extends keyof C & string>(
    service: string,
    call: K,
    request: C[K]["request"],
  ): Exclude<Answer<C, K>, { readonly error: unknown }> | undefined {
    const answer = peekCall<C, K>(this.peek, service, call, request);
    if (answer === "waits" || (answer as { readonly error?: unknown }).error !== undefined) return undefined;
    return answer as Exclude<Answer<C, K>, { readonly error: unknown }>;
  }

  corosync(): DaemonView | "down" | "stalled" {
    const status = peekCall<CfgCalls, "corosync_cfg_ring_status_get">(this.peek, CFG, "corosync_cfg_ring_status_get", {});
    if (status === "waits") return "stalled";
    if ("error" in status) return "down";
    const local = this.read<CfgCalls, "corosync_cfg_local_get">(CFG, "corosync_cfg_local_get", {});
    const quorum = this.read<QuorumCalls, "quorum_current">(QUORUM, "quorum_current", {});
    if (local === undefined || quorum === undefined) return "down";
    return {
      nodeId: local.nodeId,
      ringMembers: status.members,
      nodelist: status.nodes,
      links: status.links,
      quorum,
      votes: (nodeId) => this.read<VotequorumCalls, "votequorum_getinfo">(VOTEQUORUM, "votequorum_getinfo", { nodeId })?.info,
      device: (nodeId) =>
        this.read<VotequorumCalls, "votequorum_qdevice_getinfo">(VOTEQUORUM, "votequorum_qdevice_getinfo", { nodeId })?.info,
      cmapGet: (key) => {
        const found = this.read<CmapCalls, "cmap_get">(CMAP, "cmap_get", { key });
        return found && { key, type: found.type, value: found.value };
      },
      cmapList: (prefix) => [...(this.read<CmapCalls, "cmap_iter">(CMAP, "cmap_iter", { prefix })?.entries ?? [])],
      stats: (client) => [
        ...(this.read<CmapCalls, "cmap_iter">(CMAP, "cmap_iter", { map: "stats", prefix: "", ...client })?.entries ?? []),
      ],
      lastReload: this.calls.lastReload,
      reloadStatus: (number) => this.calls.reloadStatus(number),
      cpgGroups: () => [...(this.read<CpgCalls, "cpg_iteration">(CPG, "cpg_iteration", {})?.groups ?? [])],
    };
  }

  private view<V>(socket: string): V | "down" | "stalled" {
    const answer = this.peek(socket, { call: "status" });
    if (answer.peek === "would-wait") return "stalled";
    return answer.peek === "reply" && answer.reply.error === undefined ? (answer.reply.view as V) : "down";
  }

  qdevice(): DeviceView | "down" | "stalled" {
    return this.view<DeviceView>(DEVICE_SOCKET);
  }

  qnetd(): QnetdView | "down" | "stalled" {
    return this.view<QnetdView>(QNETD_SOCKET);
  }

  installed(program: string): boolean {
    return this.tools.has(program);
  }

  get hostname(): string {
    return this.computer.hostname;
  }

  get now(): Instant {
    return this.computer.now;
  }

  get epochUnixMicros(): number {
    return this.computer.unixMicros() - this.computer.now;
  }

  get pid(): number {
    return this.computer.nextPid;
  }

  journalSince(from: number): readonly JournalLine[] {
    return this.computer.journal.since(from);
  }

  journalLength(): number {
    return this.computer.journal.length;
  }

  file(path: string): Uint8Array | undefined {
    return contentsOf(this.computer.files, path);
  }
}
