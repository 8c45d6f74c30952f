/** A machine made by hand for the tools to look at: every answer is a field the test sets. */
import type { CmapEntry } from "../../src/engine/cmap/index.ts";
import { JOURNAL, MANAGER, journalText, peekTool, systemctlQuery, toolNamed, type Result } from "../../src/engine/command/index.ts";
import { CFG, CMAP, CPG, INITIALIZE, QUORUM, VOTEQUORUM, type Verdict } from "../../src/engine/corosync/index.ts";
import type { CpgAddress } from "../../src/engine/cpg/index.ts";
import {
  absolutePath,
  defaultIdentifier,
  unixFromIso,
  utf8,
  type IpcReply,
  type IpcRequest,
  type JournalLine,
  type LinkStatus,
  type Peeked,
  type Peeker,
} from "../../src/engine/kernel/index.ts";
import { PROCESS_LIST, type ProcessRow } from "../../src/engine/machine/index.ts";
import { systemdView, type SystemdView, type UnitDetails, type UnitRecord } from "../../src/engine/machine/systemd/index.ts";
import { DEVICE_SOCKET, QNETD_SOCKET, type DeviceView, type QnetdView } from "../../src/engine/qdevice/index.ts";
import type { DeviceInfo, VoteInfo } from "../../src/engine/votequorum/index.ts";
import { TestMachine } from "../machine/systemd-machine.ts";

export const EPOCH = unixFromIso("2026-11-20T09:35:28Z") ?? 0;

/** The corosync daemon of this machine as its clients see it. */
export interface DaemonView {
  readonly nodeId: number;
  readonly ringMembers: readonly number[];
  readonly nodelist: readonly { readonly nodeId: number; readonly name: string; readonly addresses: readonly string[] }[];
  readonly links: readonly LinkStatus[];
  readonly quorum: Verdict;
  votes(nodeId: number): VoteInfo | undefined;
  device(nodeId: number): DeviceInfo | undefined;
  readonly cmap: readonly CmapEntry[];
  readonly stats: readonly CmapEntry[];
  cpgGroups(): { readonly group: string; readonly members: readonly CpgAddress[] }[];
}

export interface Handmade extends Peeker {
  now: number;
  cwd: string;
  daemon: DaemonView | "down" | "stalled";
  /** What is told of corosync.service, instead of what a manager would know. */
  unit: { record: Partial<UnitRecord>; processes: UnitDetails["processes"] };
  journal: JournalLine[];
  files: Map<string, Uint8Array>;
  /** What else is served, with the answer to `status`. */
  others: Map<string, IpcReply>;
}

/** The line of the one that asks. */
const OWN_ROW: ProcessRow = {
  pid: 4711,
  ppid: 1,
  sid: 4711,
  pgid: 4711,
  uid: 0,
  tty: "",
  unit: "session-1.scope",
  state: "R",
  leader: true,
  realTime: 0,
  comm: "tool",
  argv: ["tool"],
  startUnixMicros: EPOCH,
};

const COROSYNC: ReadonlySet<string> = new Set([CFG, CMAP, CPG, QUORUM, VOTEQUORUM]);

export function handmade(daemon: DaemonView | "down" | "stalled" = "down"): Handmade {
  const made: Handmade = {
    now: 0,
    cwd: "/root",
    daemon,
    unit: { record: {}, processes: [] },
    journal: [],
    files: new Map(),
    others: new Map([[PROCESS_LIST, { rows: [OWN_ROW] }]]),
    self: () => ({ now: made.now, unixMicros: EPOCH + made.now, hostname: "node1", release: "3.1.7", pid: 4711, cwd: made.cwd }),
    serves: (service) =>
      COROSYNC.has(service) ? made.daemon !== "down" : service === MANAGER || service === JOURNAL || made.others.has(service),
    service: (service, request) => answer(made, service, request),
    file: () => undefined,
    contents: (path) => {
      const data = made.files.get(absolutePath(path, made.cwd));
      return data === undefined ? { ok: false, errno: "ENOENT" } : { ok: true, value: "data", data };
    },
  };
  return made;
}

/** What a command line answers as a question; "acts" where it is to be a process, undefined where there is no such tool. */
export function ask(machine: Peeker, argv: readonly string[]): Result | "acts" | undefined {
  const tool = toolNamed(argv[0] ?? "");
  return tool && peekTool(tool, argv, machine);
}

function answer(made: Handmade, service: string, request: IpcRequest): Peeked {
  if (service === MANAGER && request.call === "query") return reply(systemctl(made, request["argv"] as readonly string[]));
  if (service === MANAGER && request.call === "services") return reply({ names: ["corosync"] });
  const from = Number(request["from"]);
  if (service === JOURNAL && request.call === "since") return reply({ from, lines: made.journal.slice(from) });
  const other = made.others.get(service);
  if (other !== undefined) return request.call === "shutdown" ? { peek: "would-wait" } : { peek: "reply", reply: other };
  if (!COROSYNC.has(service)) return made.serves(service) ? { peek: "would-wait" } : { peek: "refused" };
  const { daemon } = made;
  if (daemon === "down") return { peek: "refused" };
  return daemon === "stalled" ? { peek: "would-wait" } : daemonAnswer(daemon, request);
}

/** A disk with corosync's unit file and a manager that has never been started. */
const VIEW = systemdView(new TestMachine(["systemd", "corosync"], "node1").manager);

/** systemctl over that, and over what a test says of the unit. */
function systemctl(made: Handmade, argv: readonly string[]): Result {
  const details = (name: string): UnitDetails => {
    const found = VIEW.unit(name);
    if (name !== "corosync.service") return found;
    return { ...found, record: { ...found.record, ...made.unit.record }, processes: made.unit.processes };
  };
  const clock = { hostname: "node1", now: made.now, epochUnixMicros: EPOCH };
  const systemd: SystemdView = {
    ...VIEW,
    unit: details,
    units: () => [details("corosync.service")],
    active: (name) => details(name).record.active,
  };
  const journalSince = (from: number): JournalLine[] => made.journal.slice(from);
  return systemctlQuery({ ...clock, systemd, journalSince, journalText: (line) => journalText(clock, line, "short", true) }, argv);
}

function reply(values: object | undefined): Peeked {
  return { peek: "reply", reply: (values ?? { error: "CS_ERR_NOT_EXIST" }) as IpcReply };
}

function daemonAnswer(daemon: DaemonView, request: IpcRequest): Peeked {
  const nodeId = Number(request["nodeId"]);
  const map = request["map"] === "stats" ? daemon.stats : daemon.cmap;
  switch (request.call) {
    case INITIALIZE:
    case "corosync_cfg_reopen_log_files":
      return reply({});
    case "corosync_cfg_local_get":
      return reply({ nodeId: daemon.nodeId });
    case "corosync_cfg_ring_status_get":
      return reply({ links: daemon.links, nodes: daemon.nodelist, members: daemon.ringMembers });
    case "corosync_cfg_get_node_addrs":
      return reply(daemon.nodelist.find((n) => n.nodeId === nodeId));
    case "quorum_current":
      return reply(daemon.quorum);
    case "votequorum_getinfo":
      return reply(daemon.votes(nodeId) && { info: daemon.votes(nodeId) });
    case "votequorum_qdevice_getinfo":
      return reply(daemon.device(nodeId) && { info: daemon.device(nodeId) });
    case "cmap_get":
      return reply(map.find((e) => e.key === request["key"]));
    case "cmap_iter":
      return reply({ entries: map.filter((e) => e.key.startsWith(String(request["prefix"]))) });
    case "cpg_iteration":
      return reply({ groups: daemon.cpgGroups() });
    default:
      return { peek: "would-wait" };
  }
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
    cmap,
    stats: [],
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
    pongs: 0,
    pongsNeeded: 3,
    priority: 1,
    latencyLastUs: 0,
  };
}

/** Node 1 of a cluster of two, with a unit, a journal, a device and files: something for every tool to look at. */
export function cluster(quorate = true): Handmade {
  const nodes: NodeShape[] = [1, 2].map((i) => ({ nodeId: i, name: `node${i}`, addresses: [`10.10.0.${i}`], votes: 1 }));
  const made = handmade({ ...view(clusterShape(nodes, quorate)), stats: [{ key: "stats.one", type: "u32", value: 1 }] });
  made.journal = [1, 2, 3, 4].map((n) => line("corosync", `line ${n}`));
  made.others.set(DEVICE_SOCKET, { view: DEVICE } as unknown as IpcReply);
  made.others.set(QNETD_SOCKET, { view: QNETD } as unknown as IpcReply);
  made.files.set("/etc/corosync/corosync.conf", utf8("totem {\n  cluster_name: lab\n}\n"));
  made.files.set("/etc/load", utf8("test.a u8 1\n^test.one\n^^test.\n"));
  return made;
}

function clusterShape(nodes: NodeShape[], quorate: boolean): ViewShape {
  const [a, b] = nodes;
  if (!a || !b) throw new Error("two nodes wanted");
  return {
    nodeId: 1,
    nodes,
    members: [1, 2],
    ring: { rep: 1, seq: quorate ? 9 : 13 },
    quorate,
    expectedVotes: 2,
    highestExpected: 2,
    totalVotes: 2,
    quorum: 2,
    links: [link(a, b, 0, true)],
    cmap: [
      { key: "test.one", type: "u8", value: 1 },
      { key: "test.two", type: "u8", value: 2 },
    ],
  };
}

export function line(unit: string, text: string): JournalLine {
  return { instant: 0, unit, identifier: defaultIdentifier(unit, 9), pid: 9, boot: 0, level: "info", subsystem: "", text };
}

const DEVICE: DeviceView = {
  config: {
    nodeId: 1,
    nodes: [{ nodeId: 1, dataCenterId: 0, state: "not set" }],
    configVersion: 1,
    clusterName: "lab",
    host: "10.10.0.9",
    port: 5403,
    tls: "off",
    algorithm: "ffsplit",
    tieBreaker: { mode: "lowest", nodeId: 0 },
    keepActive: false,
    timeoutMs: 10_000,
    syncTimeoutMs: 30_000,
    heartbeatMs: 8_000,
    castVoteMs: 5_000,
    connectTimeoutMs: 8_000,
    heuristics: { mode: "off", timeoutMs: 5_000, syncTimeoutMs: 15_000, intervalMs: 30_000, execs: [] },
  },
  state: {
    connection: "connected",
    ring: { rep: 1, seq: 9 },
    members: [1, 2],
    quorate: true,
    voteNodes: [{ nodeId: 1, state: "member" }],
    expectedVotes: 3,
    lastPoll: { at: 0, cast: true },
    heuristics: { regular: "Undefined", membership: "Undefined", connect: "Undefined" },
    tls: false,
    connectedAt: 0,
    echoReceivedAt: 0,
  },
  polling: true,
  casts: true,
};

const QNETD: QnetdView = { settings: { tls: "off", clientCertRequired: false, debug: false }, clusters: [], clients: 0 };
