/**
 * What a question is about: the members of a cluster as their own disks configure them, the networks between them and the qnetd host. Made from the
 * design of a world, whose running state plays no part: a question begins with everything on and nothing at fault. In the real world: the
 * administrator's drawing. Left out: machines that are no member, and cards that carry neither a corosync link nor the way to qnetd.
 */
import type { FilePort } from "../kernel/index.ts";
import { RELEASE_DEFAULT, networkOf, parseIp, type DaemonMessage } from "../config/index.ts";
import { Computer, NO_FILE_USERS, ProcessFiles } from "../machine/index.ts";
import { knetParams, readSettings, resolveByHosts, type ConfHost, type Settings } from "../corosync/index.ts";
import type { MachineDesign, WorldDesign } from "../world/design.ts";

/** Members a question is answered for. Ours: every subset of the nodes is looked at, so each further one doubles the work. */
export const WHATIF_NODES_MAX = 16;

export interface Member {
  readonly name: string;
  readonly nodeId: number;
  readonly settings: Settings;
}

export interface Wire {
  readonly name: string;
  /** By member: a bit for each other member that a corosync link on this network connects it with. */
  readonly reach: readonly number[];
  /** A bit for each member with a card on it. */
  readonly cards: number;
  /** The qnetd host has a card on it. */
  readonly qnetd: boolean;
}

export interface Witness {
  /** Of its machine, or its address where the lab has none for it. */
  readonly name: string;
  /** The network it is on; undefined: none of the lab's, so that it is reached whatever else is lost. */
  readonly net: string | undefined;
}

export interface WhatIfDesign {
  /** Ascending by node id. Sets of members are bits: member 0 is 1, member 1 is 2 … */
  readonly members: readonly Member[];
  /** Networks that carry a link or the way to qnetd. */
  readonly wires: readonly Wire[];
  /** Of the whole lab: networks, and cards of members. */
  readonly networks: number;
  readonly cards: number;
  /** A QDevice is configured. */
  readonly device: boolean;
  /** The qnetd host of the members' QDevice; undefined without one. */
  readonly qnetd: Witness | undefined;
}

export type DesignResult = { readonly ok: true; readonly design: WhatIfDesign } | { readonly ok: false; readonly why: string };

const CONF = "/etc/corosync/corosync.conf";

const nothing = (): undefined => undefined;
const idle = {
  ...{ booted: nothing, kill: nothing, written: nothing, powerLost: nothing },
  ...{ spawn: () => ({ pid: 0 }), processes: () => [] },
  files: NO_FILE_USERS,
};
/** As whom its files are read. */
const READER = 1;

interface Station extends Member {
  readonly links: ReturnType<typeof knetParams>["links"];
  readonly peers: ReturnType<typeof knetParams>["peers"];
  readonly nets: readonly string[];
  readonly resolve: (name: string) => string | undefined;
}

/** The one line of a refusal that says why: a service's own reason, else the first error. */
function reasonOf(messages: readonly DaemonMessage[]): string {
  const reasons = messages.flatMap((m) => /for reason '(.*)'/.exec(m.text)?.[1] ?? []);
  return reasons[0] ?? messages.find((m) => m.level === "error" || m.level === "crit")?.text ?? "corosync does not start";
}

function stationOf(world: WorldDesign, machine: MachineDesign): Station | string {
  const computer = new Computer({ ...machine, power: "off" }, world, [], idle);
  const layer = new ProcessFiles(computer.files, { reply: nothing });
  layer.born(READER, undefined, "/");
  const files: FilePort = { call: () => 0, blocking: (call) => layer.blocking(READER, call), answer: nothing };
  const release = machine.release ?? RELEASE_DEFAULT;
  const host: ConfHost = { files, hostname: computer.hostname, nics: () => computer.nics, release };
  const result = readSettings(host);
  if (!result.ok) return `${machine.name}: ${reasonOf(result.messages)}`;
  const { settings } = result;
  const { links, peers } = knetParams(settings, host);
  const nets = machine.nics.map((nic) => nic.net);
  const resolve = (name: string): string | undefined => resolveByHosts(files, name)[0];
  return { name: machine.name, nodeId: settings.config.nodeId, settings, links, peers, nets, resolve };
}

function sameKey(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Both sides have a link of one number on one network, each knows the other's address on it, and both have the same key. */
function connected(a: Station, b: Station, net: string): boolean {
  if (!sameKey(a.settings.key, b.settings.key)) return false;
  return a.links.some((mine) => {
    const theirs = b.links.find((l) => l.link === mine.link);
    if (theirs === undefined || mine.net !== net || theirs.net !== net || mine.port !== theirs.port) return false;
    const known = a.peers.find((p) => p.nodeId === b.nodeId)?.addresses[mine.link];
    const knows = b.peers.find((p) => p.nodeId === a.nodeId)?.addresses[mine.link];
    return known === theirs.localAddress && knows === mine.localAddress;
  });
}

function keyOf(station: Station, name: string): string | undefined {
  const value = station.settings.keys.find(({ key }) => key === name)?.value;
  return value === undefined ? undefined : String(value as string | number | bigint);
}

/** The key of a command that has a say in the witness's verdict. */
function heuristicsOf(station: Station): string | undefined {
  if ((keyOf(station, "quorum.device.heuristics.mode") ?? "off") === "off") return undefined;
  return station.settings.keys.find(({ key }) => key.startsWith("quorum.device.heuristics.exec_"))?.key;
}

/** Where the members' QDevice finds its server. */
function witnessOf(world: WorldDesign, station: Station): Witness {
  const host = keyOf(station, "quorum.device.net.host") ?? "";
  const address = parseIp(host) === undefined ? (station.resolve(host) ?? host) : host;
  const machine = world.machines.find((m) => m.kind === "qnetd" && (m.name === host || m.nics.some((nic) => nic.address === address)));
  const card = machine?.nics.find((nic) => nic.address === address) ?? machine?.nics[0];
  if (machine !== undefined) return { name: machine.name, net: card?.net };
  const ip = parseIp(address);
  const around = world.networks.find(({ cidr }) => ip !== undefined && networkOf(ip, Number(cidr.split("/")[1] ?? 32)) === cidr);
  return { name: host, net: around?.name };
}

/** The question's design, or in one line why there is none. */
export function whatIfDesign(world: WorldDesign): DesignResult {
  const machines = world.machines.filter((m) => m.kind === "node" && m.files.some((f) => f.path === CONF));
  if (machines.length === 0) return { ok: false, why: "no machine of the lab has a corosync.conf, so there is no cluster to ask about" };
  if (machines.length > WHATIF_NODES_MAX)
    return {
      ok: false,
      why: `${machines.length} nodes: every subset of them would be looked at, and at most ${WHATIF_NODES_MAX} are allowed`,
    };
  const stations: Station[] = [];
  for (const machine of machines) {
    const station = stationOf(world, machine);
    if (typeof station === "string") return { ok: false, why: station };
    stations.push(station);
  }
  stations.sort((a, b) => a.nodeId - b.nodeId);
  const other = stations.find((s, i) => s.nodeId === stations[i + 1]?.nodeId);
  if (other !== undefined) return { ok: false, why: `two machines have the node id ${other.nodeId}` };
  const mute = stations.find((s) => s.settings.config.quorum.provider === undefined);
  if (mute !== undefined) return { ok: false, why: `${mute.name}: no quorum provider is configured, so nobody counts votes` };
  const judged = stations.find((s) => s.settings.config.quorum.device !== undefined);
  const asked = judged === undefined ? undefined : heuristicsOf(judged);
  if (asked !== undefined)
    return { ok: false, why: `${judged?.name ?? ""}: ${asked}: what a command finds after a loss is not to be known here` };
  const qnetd = judged === undefined ? undefined : witnessOf(world, judged);
  const wires = world.networks
    .map(({ name }) => wireOf(name, stations, qnetd))
    .filter((wire) => wire.qnetd || wire.reach.some((mask) => mask !== 0));
  return {
    ok: true,
    design: {
      members: stations.map(({ name, nodeId, settings }) => ({ name, nodeId, settings })),
      wires,
      networks: world.networks.length,
      cards: stations.reduce((sum, s) => sum + s.nets.length, 0),
      device: judged !== undefined,
      qnetd,
    },
  };
}

function wireOf(net: string, stations: readonly Station[], witness: Witness | undefined): Wire {
  const mask = (test: (s: Station) => boolean): number => stations.reduce((bits, s, i) => (test(s) ? bits | (1 << i) : bits), 0);
  return {
    name: net,
    reach: stations.map((a) => mask((b) => a !== b && connected(a, b, net))),
    cards: mask((s) => s.nets.includes(net)),
    qnetd: witness?.net === net,
  };
}
