/**
 * What the tools on a node get to see: libcmap, libquorum, libvotequorum, libcfg, libcpg, systemd and journald, answered from the layers at the present
 * instant. Only reads. Left out: the count of connections ever closed, as asking leaves no trace in the lab.
 */
import { statsEntries } from "../cmap/index.ts";
import type { DaemonView, ToolHost, UnitView } from "../command/host.ts";
import { Hasher, type Instant, type JournalLine } from "../kernel/index.ts";
import { exitText, find, type Computer } from "../machine/index.ts";
import type { Device, QnetdView } from "../qdevice/index.ts";
import type { Corosync } from "./corosync.ts";
import type { Services } from "./services.ts";
import type { Stack } from "./stack.ts";

function daemonView(stack: Stack, daemon: Corosync): DaemonView {
  const config = stack.settings.config;
  return {
    nodeId: config.nodeId,
    ringMembers: stack.totem.members,
    nodelist: config.nodes,
    links: stack.knet.status(),
    quorum: stack.quorum.view,
    votes: (nodeId) => (stack.hasProvider ? stack.votequorum.info(nodeId) : undefined),
    device: (nodeId) => (stack.hasProvider ? stack.votequorum.deviceInfo(nodeId) : undefined),
    cmapGet: (key) => stack.cmap.get(key),
    cmapList: (prefix) => stack.cmap.list(prefix),
    stats: (client) => {
      const pointer = `0x56${new Hasher().int(client.pid).hex().slice(0, 10)}`;
      const connections = [{ service: 0, pid: client.pid, pointer, procname: client.procname }];
      const { schedMisses } = daemon;
      return statsEntries({ srp: stack.totem.stats(), knet: stack.knet.stats(), connections, closed: 0, schedMisses });
    },
    lastReload: stack.cfg.lastReload,
    reloadStatus: (number) => stack.cfg.reloadStatus(number),
    cpgGroups: () => stack.cpg.groupsNewestFirst().map((group) => ({ group, members: stack.cpg.members(group) })),
  };
}

export class NodeTools implements ToolHost {
  constructor(
    private readonly computer: Computer,
    /** The daemon that runs now; it changes with every start. */
    private readonly daemon: () => Corosync | undefined,
    private readonly services: Services,
    private readonly programs: ReadonlySet<string>,
  ) {}

  qdevice(): Device | "down" | "stalled" {
    const process = this.services.qdevice;
    if (process?.device.config === undefined) return "down";
    return process.stalled ? "stalled" : process.device;
  }

  qnetd(): QnetdView | "down" | "stalled" {
    const process = this.services.qnetd;
    if (process?.view === undefined) return "down";
    return process.stalled ? "stalled" : process.view;
  }

  installed(program: string): boolean {
    return this.programs.has(program);
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

  corosync(): DaemonView | "down" | "stalled" {
    const daemon = this.daemon();
    if (daemon?.stack === undefined) return "down";
    return daemon.stopped ? "stalled" : daemonView(daemon.stack, daemon);
  }

  unit(name: string): UnitView | undefined {
    const spec = this.computer.units.spec(name);
    const r = this.computer.units.get(name);
    if (spec === undefined || r === undefined) return undefined;
    return {
      name,
      description: spec.description,
      execStart: spec.execStart,
      state: r.state,
      autoRestart: r.autoRestart,
      enabled: r.enabled,
      result: r.result,
      exitText: r.exit === undefined ? undefined : exitText(r.exit),
      conditionPath: spec.conditionPath,
      conditionFailedAt: r.conditionFailedAt,
      mainPid: r.mainPid,
      since: r.since,
      startedAt: r.startedAt,
      endedAt: r.endedAt,
      job: r.startQueued ? "start" : r.job,
      lastJob: r.lastJob,
    };
  }

  units(): readonly UnitView[] {
    return this.computer.units.specs.flatMap((s) => this.unit(s.name) ?? []);
  }

  journalSince(from: number): readonly JournalLine[] {
    return this.computer.journal.since(from);
  }

  journalLength(): number {
    return this.computer.journal.length;
  }

  file(path: string): Uint8Array | undefined {
    const found = find(this.computer.root, path);
    return found.ok && found.value.type === "file" ? found.value.data : undefined;
  }
}
