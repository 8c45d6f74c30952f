/**
 * What a question is about: the members of a cluster as their own disks configure them, the networks between them and the qnetd host. Made from the
 * design of a world, whose running state plays no part: a question begins with everything on and nothing at fault. In the real world: the
 * administrator's drawing. Left out: machines that are no member, and cards that carry neither a corosync link nor the way to qnetd.
 */
import type { DaemonMessage } from "../config/index.ts";
import { Computer } from "../machine/index.ts";
import { knetParams, readSettings, type Settings } from "../node/settings.ts";
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

export interface WhatIfDesign {
  /** Ascending by node id. Sets of members are bits: member 0 is 1, member 1 is 2 … */
  readonly members: readonly Member[];
  /** Networks that carry a link or the way to qnetd. */
  readonly wires: readonly Wire[];
  /** Of the whole lab: networks, and cards of members. */
  readonly networks: number;
  readonly cards: number;
  /** Name of the host whose votes count; undefined without a QDevice. */
  readonly qnetd: string | undefined;
}

export type DesignResult = { readonly ok: true; readonly design: WhatIfDesign } | { readonly ok: false; readonly why: string };

const CONF = "/etc/corosync/corosync.conf";

const idle = { spawn: () => undefined, stop: () => undefined, kill: () => undefined, powerLost: () => undefined };

interface Station extends Member {
  readonly links: ReturnType<typeof knetParams>["links"];
  readonly peers: ReturnType<typeof knetParams>["peers"];
  readonly nets: readonly string[];
}

/** The one line of a refusal that says why: a service's own reason, else the first error. */
function reasonOf(messages: readonly DaemonMessage[]): string {
  const reasons = messages.flatMap((m) => /for reason '(.*)'/.exec(m.text)?.[1] ?? []);
  return reasons[0] ?? messages.find((m) => m.level === "error" || m.level === "crit")?.text ?? "corosync does not start";
}

function stationOf(world: WorldDesign, machine: MachineDesign): Station | string {
  const computer = new Computer({ ...machine, power: "off" }, world, [], idle);
  const result = readSettings(computer);
  if (!result.ok) return `${machine.name}: ${reasonOf(result.messages)}`;
  const { settings } = result;
  const { links, peers } = knetParams(settings, computer);
  return { name: machine.name, nodeId: settings.config.nodeId, settings, links, peers, nets: machine.nics.map((nic) => nic.net) };
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
  const twin = stations.find((s, i) => s.nodeId === stations[i + 1]?.nodeId);
  if (twin !== undefined) return { ok: false, why: `two machines have the node id ${twin.nodeId}` };
  const mute = stations.find((s) => s.settings.config.quorum.provider === undefined);
  if (mute !== undefined) return { ok: false, why: `${mute.name}: no quorum provider is configured, so nobody counts votes` };
  const witness = stations.some((s) => s.settings.config.quorum.device !== undefined)
    ? world.machines.find((m) => m.kind === "qnetd")
    : undefined;
  const wires = world.networks
    .map(({ name }) => wireOf(name, stations, witness))
    .filter((wire) => wire.qnetd || wire.reach.some((mask) => mask !== 0));
  return {
    ok: true,
    design: {
      members: stations.map(({ name, nodeId, settings }) => ({ name, nodeId, settings })),
      wires,
      networks: world.networks.length,
      cards: stations.reduce((sum, s) => sum + s.nets.length, 0),
      qnetd: witness?.name,
    },
  };
}

function wireOf(net: string, stations: readonly Station[], witness: MachineDesign | undefined): Wire {
  const mask = (test: (s: Station) => boolean): number => stations.reduce((bits, s, i) => (test(s) ? bits | (1 << i) : bits), 0);
  return {
    name: net,
    reach: stations.map((a) => mask((b) => a !== b && connected(a, b, net))),
    cards: mask((s) => s.nets.includes(net)),
    qnetd: witness?.nics.some((nic) => nic.net === net) === true,
  };
}
