/** What one node believes, gathered from its layers into the record that status lines, the page and the checkers read. Computes nothing of its own. */
import type { Stack } from "../corosync/index.ts";
import type { CorosyncStatus, MachineStatus, QdeviceStatus, QnetdStatus, QuorumStatus } from "../kernel/index.ts";
import type { Computer } from "../machine/index.ts";
import type { Manager } from "../machine/systemd/index.ts";
import type { PmxcfsView } from "../pmxcfs/index.ts";
import { connectionWord, type DeviceView, type QnetdView } from "../qdevice/index.ts";
import { ringIdText } from "../totem/types.ts";

/** Consensus and joins concern a node that gathers alone: what was armed before is of no more account then (timeouts.ts). */
function totemTimers(stack: Stack): CorosyncStatus["timers"] {
  const gathers = stack.totem.phase === "gather";
  const at = (name: string): number | null => stack.totemTimer(name);
  return { token: at("token"), consensus: gathers ? at("consensus") : null, join: gathers ? at("join") : null };
}

function corosyncStatus(stack: Stack): CorosyncStatus {
  const config = stack.settings.config;
  const { totem, sync } = stack;
  const gathers = totem.phase !== "operational";
  const members = [...totem.members];
  return {
    nodeId: config.nodeId,
    state: totem.phase,
    ringId: ringIdText(totem.ring),
    members,
    representative: totem.ring.rep,
    links: stack.knet.status(),
    gathering: gathers ? totem.gathering() : { proc: members, failed: [], consensus: [] },
    token: totem.tokenStatus(),
    syncing: !sync.ready,
    timers: totemTimers(stack),
    nodelist: config.nodes.map((n) => ({ nodeId: n.nodeId, name: n.name, votes: n.votes, addresses: [...n.addresses] })),
  };
}

function qdeviceStatus(stack: Stack, device: DeviceView | undefined): QdeviceStatus | null {
  const { config } = stack.settings;
  const configured = config.quorum.device;
  const own = stack.votequorum.deviceInfo(config.nodeId);
  if (configured === undefined || own === undefined) return null;
  const net = (key: string): string => {
    const value = stack.cmap.get(`quorum.device.net.${key}`)?.value;
    return typeof value === "string" ? value : "";
  };
  return {
    model: configured.model,
    algorithm: device?.config.algorithm ?? net("algorithm"),
    host: device?.config.host ?? net("host"),
    votes: own.votes,
    timeoutMs: own.timeoutMs,
    registered: own.registered,
    alive: own.alive,
    castVote: own.castVote,
    masterWins: own.masterWins,
    state: device === undefined ? "not running" : connectionWord(device),
    lastPoll: device?.state.lastPoll?.at ?? null,
  };
}

function qnetdStatus(view: QnetdView): QnetdStatus {
  return {
    clusters: view.clusters.map(({ cluster, clients }) => ({
      name: cluster.name,
      algorithm: clients[0]?.algorithm ?? "",
      clients: clients.map((c) => ({
        nodeId: c.nodeId,
        address: c.address,
        ringId: ringIdText(c.ring),
        members: c.membership.map((n) => n.nodeId),
        vote: c.lastVote ?? "",
        connected: true,
      })),
      holders: clients.filter((c) => c.lastAckNack === "ACK").map((c) => c.nodeId),
      lastDecision: cluster.decided === undefined ? null : { instant: cluster.decided.at, winners: [...cluster.decided.winners] },
    })),
  };
}

function quorumStatus(stack: Stack, device: DeviceView | undefined): QuorumStatus | null {
  const view = stack.quorum.view;
  const me = stack.votequorum.info(stack.settings.config.nodeId);
  if (me === undefined) return null;
  const options = stack.votequorum.optionsInfo();
  return {
    quorate: view.quorate,
    expectedVotes: me.expectedVotes,
    highestExpected: me.highestExpected,
    totalVotes: me.totalVotes,
    quorum: me.quorum,
    flags: [...me.flags],
    qdevice: qdeviceStatus(stack, device),
    options: { ...options, tieBreakerNodes: [...options.tieBreakerNodes], windowEnds: stack.lastManWindowEnds ?? null },
    votes: stack.votequorum.nodes().map((n) => ({ nodeId: n.nodeId, votes: n.votes, member: n.state === "member" })),
  };
}

/** States of the services, a reloading one being active. */
function unitStates(manager: Manager, services: readonly string[]): MachineStatus["units"] {
  const units: MachineStatus["units"] = {};
  for (const name of services) {
    const state = manager.active(`${name}.service`);
    units[name] = state === "reloading" ? "active" : state;
  }
  return units;
}

const DISK_STATES = { none: "ok", "read-only": "read-only", "io-error": "error", full: "full" } as const;

function diskStatus({ files }: Computer): MachineStatus["disk"] {
  const { fault, commitMicros } = files.root;
  return {
    state: fault === "none" && commitMicros > 0 ? "slow" : DISK_STATES[fault],
    commitUs: commitMicros,
    busyUntil: files.diskBusyUntil ?? null,
  };
}

export function machineStatus(
  computer: Computer,
  stack: Stack | undefined,
  about: {
    readonly kind: MachineStatus["kind"];
    readonly busy: boolean;
    readonly worker: MachineStatus["worker"];
    readonly device: DeviceView | undefined;
    readonly qnetd: QnetdView | undefined;
    readonly pmxcfs: PmxcfsView | undefined;
    readonly services: readonly string[];
  },
): MachineStatus {
  return {
    name: computer.design.name,
    kind: about.kind,
    power: computer.powerWord(),
    powerSince: computer.powerSince,
    booting: computer.booting,
    worker: about.worker,
    units: unitStates(computer.manager, about.services),
    nics: computer.nics.map((n) => ({ ...n })),
    disk: diskStatus(computer),
    corosync: stack === undefined ? null : corosyncStatus(stack),
    quorum: stack === undefined || !stack.hasProvider ? null : quorumStatus(stack, about.device),
    qnetd: about.qnetd === undefined ? null : qnetdStatus(about.qnetd),
    pmxcfs: about.pmxcfs === undefined ? null : { ...about.pmxcfs, online: [...about.pmxcfs.online] },
    ha: null,
    busy: about.busy,
    upSince: computer.upSince,
  };
}

/** The same a while later, in which nothing happened on the machine: what passes by itself has passed. */
export function statusNow(told: MachineStatus, computer: Computer, stack: Stack | undefined): MachineStatus {
  const { corosync } = told;
  const token = stack?.totem.tokenStatus();
  return { ...told, disk: diskStatus(computer), corosync: corosync === null || token === undefined ? corosync : { ...corosync, token } };
}
