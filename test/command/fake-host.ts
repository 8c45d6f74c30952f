/** A machine made by hand for the tools to look at: every answer is a field the test sets. */
import type { CmapEntry } from "../../src/engine/cmap/index.ts";
import type { DaemonView, ToolHost } from "../../src/engine/command/index.ts";
import { unixFromIso, type JournalLine, type LinkStatus } from "../../src/engine/kernel/index.ts";
import { systemdView, type SystemdView, type UnitDetails, type UnitRecord } from "../../src/engine/machine/systemd/index.ts";
import type { VoteInfo } from "../../src/engine/votequorum/index.ts";

import { TestMachine } from "../machine/systemd-machine.ts";

export const EPOCH = unixFromIso("2026-11-20T09:35:28Z") ?? 0;

export interface Handmade {
  host: ToolHost & { now: number };
  daemon: DaemonView | "down" | "stalled";
  /** What is told of corosync.service, instead of what a manager would know. */
  unit: { record: Partial<UnitRecord>; processes: UnitDetails["processes"] };
  journal: JournalLine[];
  files: Map<string, Uint8Array>;
}

export function handmade(daemon: DaemonView | "down" | "stalled" = "down"): Handmade {
  const made: Handmade = {
    daemon,
    unit: { record: {}, processes: [] },
    journal: [],
    files: new Map(),
    host: {
      hostname: "node1",
      now: 0,
      epochUnixMicros: EPOCH,
      pid: 4711,
      corosync: () => made.daemon,
      qdevice: () => "down",
      qnetd: () => "down",
      installed: (program) => program !== "corosync-qdevice-tool" && program !== "corosync-qnetd-tool",
      systemd: told(() => made.unit),
      services: ["corosync"],
      journalSince: (from) => made.journal.slice(from),
      journalLength: () => made.journal.length,
      file: (path) => made.files.get(path),
    },
  };
  return made;
}

/** A disk with corosync's unit file, a manager that has never been started, and what a test says of the unit. */
function told(unit: () => Handmade["unit"]): SystemdView {
  const view = systemdView(new TestMachine(["systemd", "corosync"], "node1").manager);
  const details = (name: string): UnitDetails => {
    const found = view.unit(name);
    if (name !== "corosync.service") return found;
    const { record, processes } = unit();
    return { ...found, record: { ...found.record, ...record }, processes };
  };
  return {
    ...view,
    unit: details,
    units: () => [details("corosync.service")],
    active: (name) => details(name).record.active,
  };
}

export interface NodeShape {
  nodeId: number;
  name: string;
  addresses: string[];
  votes: number;
}

export interface ViewShape {
  nodeId: number;
  nodes: NodeShape[];
  members: number[];
  ring: { rep: number; seq: number };
  quorate: boolean;
  expectedVotes: number;
  highestExpected: number;
  totalVotes: number;
  quorum: number;
  links: LinkStatus[];
  cmap?: CmapEntry[];
}

/** A daemon's view with every member answering the same way. */
export function view(shape: ViewShape): DaemonView {
  const info = (nodeId: number): VoteInfo | undefined => {
    const node = shape.nodes.find((n) => n.nodeId === nodeId);
    return (
      node && {
        nodeId,
        state: "member",
        votes: node.votes,
        expectedVotes: shape.expectedVotes,
        highestExpected: shape.highestExpected,
        totalVotes: shape.totalVotes,
        quorum: shape.quorum,
        flags: shape.quorate ? ["Quorate"] : [],
      }
    );
  };
  const cmap: CmapEntry[] = [
    { key: "quorum.provider", type: "str", value: "corosync_votequorum" },
    { key: "runtime.votequorum.this_node_id", type: "u32", value: shape.nodeId },
    ...(shape.cmap ?? []),
  ];
  return {
    nodeId: shape.nodeId,
    ringMembers: shape.members,
    nodelist: shape.nodes,
    links: shape.links,
    quorum: { ring: shape.ring, members: shape.members, quorate: shape.quorate },
    votes: info,
    device: () => undefined,
    lastReload: 0,
    reloadStatus: () => undefined,
    cmapGet: (key) => cmap.find((e) => e.key === key),
    cmapList: (prefix) => cmap.filter((e) => e.key.startsWith(prefix)),
    stats: () => [],
    cpgGroups: () => [],
  };
}

export function link(from: NodeShape, to: NodeShape, number: number, connected: boolean, mtu = 1397): LinkStatus {
  return {
    to: to.nodeId,
    link: number,
    connected,
    active: number === 0,
    latencyUs: 0,
    localAddress: from.addresses[number] ?? "",
    remoteAddress: to.addresses[number] ?? "",
    mtu,
    priority: 1,
  };
}
