/**
 * A seeded life of a cluster: how many nodes and links, and what happens to it when. Every fault that comes may go again by itself; at the end all is
 * healed. Words beside each act, so that a person can follow a failure.
 */
import { MS, SEC, Rng, type Instant, type MachineAct } from "../../src/engine/kernel/index.ts";
import type { FabricAct, LinkSettings, LinkTarget } from "../../src/engine/fabric/index.ts";
import type { WorldAct } from "../../src/engine/world/index.ts";

export interface Deed {
  readonly at: Instant;
  readonly act: WorldAct;
  readonly words: string;
}

export interface Schedule {
  readonly seed: string;
  readonly nodes: number;
  readonly links: number;
  /** In order of time. */
  readonly deeds: readonly Deed[];
  /** Faults among the deeds: what undoes one is none. */
  readonly faults: number;
  /** From here on everything is healed. */
  readonly healedAt: Instant;
}

export interface Bounds {
  readonly nodes: readonly [number, number];
  readonly links: readonly [number, number];
}

/** Clusters have formed by then, and links count as long up. */
export const FAULTS_FROM = 20 * SEC;
/** Faults come for so long. */
export const FAULTS_FOR = 60 * SEC;
const FAULTS_LEAST = 5;
const FAULTS_MOST = 12;

const net = (rng: Rng, links: number): string => `net${rng.below(links)}`;
const onMachine = (machine: string, act: MachineAct): WorldAct => ({ to: "machine", machine, act });
const onFabric = (act: FabricAct): WorldAct => ({ to: "fabric", act });

interface Fault {
  readonly words: string;
  readonly does: WorldAct;
  readonly undoes: WorldAct | undefined;
}

type Draw = (rng: Rng, names: readonly string[], links: number) => Fault;

function target(rng: Rng, names: readonly string[], links: number): LinkTarget {
  const node = rng.pick(names);
  const direction = rng.pick(["in", "out", "both", "both"] as const);
  const to = rng.percent(30) ? rng.pick(names.filter((n) => n !== node)) : undefined;
  return { node, net: net(rng, links), direction, ...(to === undefined ? {} : { to }) };
}

const say = (l: LinkTarget): string => `${l.node}:${l.net ?? "all"} ${l.direction}${l.to === undefined ? "" : ` to ${l.to}`}`;

const cut: Draw = (rng, names, links) => {
  const link = target(rng, names, links);
  return { words: `cut ${say(link)}`, does: onFabric({ kind: "link-cut", link }), undoes: onFabric({ kind: "link-heal", link }) };
};

const isolate: Draw = (rng, names) => {
  const link: LinkTarget = { node: rng.pick(names), direction: rng.pick(["in", "out", "both"] as const) };
  return { words: `isolate ${say(link)}`, does: onFabric({ kind: "link-cut", link }), undoes: onFabric({ kind: "link-heal", link }) };
};

const partition: Draw = (rng, names) => {
  const groups: string[][] = [[], [], []];
  const parts = names.length > 2 && rng.percent(25) ? 3 : 2;
  for (const name of names) if (!rng.percent(8)) groups[rng.below(parts)]?.push(name);
  const full = groups.filter((g) => g.length > 0);
  const made = full.length >= 2 ? full : [names.slice(0, 1), names.slice(1)];
  const words = `partition ${made.map((g) => g.join(",")).join(" ")}`;
  return { words, does: onFabric({ kind: "partition", groups: made }), undoes: onFabric({ kind: "heal" }) };
};

const spoil: Draw = (rng, names, links) => {
  const link = target(rng, names, links);
  const settings: LinkSettings = rng.pick([
    { lossPercent: rng.between(1, 40) },
    { delayUs: rng.between(0, 80) * MS, jitterUs: rng.between(0, 40) * MS },
    { dupPercent: rng.between(1, 50) },
    { reorderPercent: rng.between(1, 50) },
    { lossPercent: rng.between(1, 10), delayUs: rng.between(1, 20) * MS, dupPercent: 10, reorderPercent: 10 },
  ]);
  const words = `set ${say(link)} ${JSON.stringify(settings)}`;
  return { words, does: onFabric({ kind: "link-set", link, settings }), undoes: onFabric({ kind: "link-heal", link }) };
};

const darkNet: Draw = (rng, _names, links) => {
  const name = net(rng, links);
  const act = (on: boolean): WorldAct => onFabric({ kind: "switch", net: name, on });
  return { words: `switch ${name} off`, does: act(false), undoes: act(true) };
};

const power: Draw = (rng, names) => {
  const node = rng.pick(names);
  const how = rng.pick(["power-cut", "power-cut", "shutdown", "reboot"] as const);
  return { words: `${how} ${node}`, does: onMachine(node, { kind: how }), undoes: onMachine(node, { kind: "power-on" }) };
};

const stall: Draw = (rng, names) => {
  const node = rng.pick(names);
  if (rng.percent(50))
    return { words: `stall ${node}`, does: onMachine(node, { kind: "stall" }), undoes: onMachine(node, { kind: "resume" }) };
  const unit = "corosync";
  return {
    words: `SIGSTOP corosync on ${node}`,
    does: onMachine(node, { kind: "service-stall", unit }),
    undoes: onMachine(node, { kind: "service-resume", unit }),
  };
};

const daemon: Draw = (rng, names) => {
  const node = rng.pick(names);
  const op = rng.pick(["stop", "kill", "restart"] as const);
  const act = (o: "stop" | "kill" | "restart" | "start"): WorldAct => onMachine(node, { kind: "service", op: o, unit: "corosync" });
  return { words: `${op} corosync on ${node}`, does: act(op), undoes: act("start") };
};

const DRAWS: readonly Draw[] = [cut, cut, isolate, partition, partition, spoil, spoil, darkNet, power, power, stall, daemon];

/** The life of seed `seed`: at least five faults within a minute. */
export function scheduleOf(seed: string, bounds: Bounds): Schedule {
  const rng = Rng.from(seed, "schedule");
  const nodes = rng.between(...bounds.nodes);
  const links = rng.between(...bounds.links);
  const names = Array.from({ length: nodes }, (_, i) => `pve${i + 1}`);
  const deeds: Deed[] = [];
  const faults = rng.between(FAULTS_LEAST, FAULTS_MOST);
  for (let i = 0; i < faults; i++) {
    const fault = rng.pick(DRAWS)(rng, names, links);
    const at = FAULTS_FROM + rng.below(FAULTS_FOR);
    deeds.push({ at, act: fault.does, words: fault.words });
    const until = at + (rng.percent(30) ? rng.between(1 * MS, 1 * SEC) : rng.between(1 * SEC, 25 * SEC));
    if (fault.undoes !== undefined && rng.percent(70)) deeds.push({ at: until, act: fault.undoes, words: `end of: ${fault.words}` });
  }
  deeds.sort((a, b) => a.at - b.at);
  const healedAt = Math.max(FAULTS_FROM + FAULTS_FOR, deeds[deeds.length - 1]?.at ?? 0) + 1;
  return { seed, nodes, links, deeds: [...deeds, ...healing(names, healedAt)], faults, healedAt };
}

/** Everything healed, everybody running again. Machines first, since a daemon can be started only on one that runs. */
function healing(names: readonly string[], at: Instant): Deed[] {
  const deed = (after: number, act: WorldAct, words: string): Deed => ({ at: at + after, act, words });
  const out = [deed(0, onFabric({ kind: "heal" }), "heal")];
  for (const n of names) out.push(deed(0, onMachine(n, { kind: "resume" }), `resume ${n}`));
  for (const n of names) out.push(deed(0, onMachine(n, { kind: "service-resume", unit: "corosync" }), `SIGCONT on ${n}`));
  // A machine in the middle of an orderly shutdown hears the button only when it is off.
  for (const after of [0, 10 * SEC, 20 * SEC])
    for (const n of names) out.push(deed(after, onMachine(n, { kind: "power-on" }), `power on ${n}`));
  for (const n of names) {
    out.push(deed(30 * SEC, onMachine(n, { kind: "service", op: "start", unit: "corosync" }), `start corosync on ${n}`));
  }
  return out;
}
