/**
 * Faults to draw: everything that can be done to cables, switches, machines and daemons, and calls of tools that change the cluster, each with what undoes
 * it. In the real world: the hand at the patch panel, `tc netem`, the power cord, a colleague at a prompt. Left out: disks and clocks.
 */
import type { FabricAct, LinkSettings, LinkTarget } from "../fabric/index.ts";
import { MS, type MachineAct, type Rng } from "../kernel/index.ts";
import type { WorldAct } from "../world/types.ts";

export interface Fault {
  readonly does: WorldAct;
  readonly undoes: WorldAct | undefined;
}

/** Where faults fall. */
export interface Ground {
  readonly names: readonly string[];
  readonly links: number;
  /** Votes and expectations may be overridden. */
  readonly overrides: boolean;
  /** The host of the quorum device. */
  readonly arbiter?: string | undefined;
}

export type Draw = (rng: Rng, ground: Ground) => Fault;

/** Loss beyond it is a cut with luck. */
const LOSS_PERCENT_MAX = 30;

const net = (rng: Rng, ground: Ground): string => `net${rng.below(ground.links)}`;
export const onMachine = (machine: string, act: MachineAct): WorldAct => ({ to: "machine", machine, act });
export const onFabric = (act: FabricAct): WorldAct => ({ to: "fabric", act });

/** A cable, or a pair on it, in one direction or both. Cut pairs make networks in which reaching is not transitive. */
function target(rng: Rng, ground: Ground): LinkTarget {
  const node = rng.pick(ground.names);
  const direction = rng.pick(["in", "out", "both", "both"] as const);
  const to = rng.percent(35) ? rng.pick(ground.names.filter((n) => n !== node)) : undefined;
  return { node, net: net(rng, ground), direction, ...(to === undefined ? {} : { to }) };
}

const cut: Draw = (rng, ground) => {
  const link = target(rng, ground);
  return { does: onFabric({ kind: "link-cut", link }), undoes: onFabric({ kind: "link-heal", link }) };
};

/** Off every network, or deaf, or mute. */
const isolate: Draw = (rng, ground) => {
  const link: LinkTarget = { node: rng.pick(ground.names), direction: rng.pick(["in", "out", "both"] as const) };
  return { does: onFabric({ kind: "link-cut", link }), undoes: onFabric({ kind: "link-heal", link }) };
};

/** Two or three groups; who is in none reaches everybody, which is not transitive either. */
export const partition: Draw = (rng, ground) => {
  const groups: string[][] = [[], [], []];
  const parts = ground.names.length > 2 && rng.percent(25) ? 3 : 2;
  for (const name of ground.names) if (!rng.percent(8)) groups[rng.below(parts)]?.push(name);
  const full = groups.filter((g) => g.length > 0);
  const made = full.length >= 2 ? full : [ground.names.slice(0, 1), ground.names.slice(1)];
  return { does: onFabric({ kind: "partition", groups: made }), undoes: onFabric({ kind: "heal" }) };
};

const spoil: Draw = (rng, ground) => {
  const link = target(rng, ground);
  const settings: LinkSettings = rng.pick([
    { lossPercent: rng.between(1, LOSS_PERCENT_MAX) },
    { delayUs: rng.between(0, 80) * MS, jitterUs: rng.between(0, 40) * MS },
    { dupPercent: rng.between(1, 50) },
    { reorderPercent: rng.between(1, 50) },
    { lossPercent: rng.between(1, 10), delayUs: rng.between(1, 20) * MS, dupPercent: 10, reorderPercent: 10 },
  ]);
  return { does: onFabric({ kind: "link-set", link, settings }), undoes: onFabric({ kind: "link-heal", link }) };
};

const darkNet: Draw = (rng, ground) => {
  const name = net(rng, ground);
  const act = (on: boolean): WorldAct => onFabric({ kind: "switch", net: name, on });
  return { does: act(false), undoes: act(true) };
};

export const power: Draw = (rng, ground) => {
  const node = rng.pick(ground.names);
  const how = rng.pick(["power-cut", "power-cut", "shutdown", "reboot"] as const);
  return { does: onMachine(node, { kind: how }), undoes: onMachine(node, { kind: "power-on" }) };
};

const stall: Draw = (rng, ground) => {
  const node = rng.pick(ground.names);
  if (rng.percent(50)) return { does: onMachine(node, { kind: "stall" }), undoes: onMachine(node, { kind: "resume" }) };
  const unit = "corosync";
  return { does: onMachine(node, { kind: "service-stall", unit }), undoes: onMachine(node, { kind: "service-resume", unit }) };
};

const daemon: Draw = (rng, ground) => {
  const node = rng.pick(ground.names);
  const op = rng.pick(["stop", "kill", "restart"] as const);
  const act = (o: "stop" | "kill" | "restart" | "start"): WorldAct => onMachine(node, { kind: "service", op: o, unit: "corosync" });
  return { does: act(op), undoes: act("start") };
};

/** Somebody at a prompt. Votes stay at one or more and expectations at what there is, so that a mended cluster is quorate again. */
const tool: Draw = (rng, ground) => {
  const node = rng.pick(ground.names);
  const count = ground.names.length;
  const victim = rng.between(1, count);
  const lines: string[][] = [
    ["corosync-cfgtool", "-k", String(victim)],
    ["corosync-cfgtool", "-H"],
  ];
  if (ground.overrides)
    lines.push(
      ["corosync-quorumtool", "-e", String(rng.between(1, count))],
      ["corosync-quorumtool", "-v", String(rng.between(1, 3)), "-n", String(victim)],
      ["pvecm", "expected", String(rng.between(1, count))],
    );
  const argv = rng.pick(lines);
  const gone = argv[1] === "-k" ? ground.names[victim - 1] : argv[1] === "-H" ? node : undefined;
  // Unique: no node has two acts of the same drawing.
  const does = onMachine(node, { kind: "command", id: `tool-${rng.u32()}`, argv, cwd: "/root", stdin: "" });
  return { does, undoes: gone === undefined ? undefined : onMachine(gone, { kind: "service", op: "start", unit: "corosync" }) };
};

export const DRAWS: readonly Draw[] = [
  cut,
  cut,
  isolate,
  partition,
  partition,
  spoil,
  spoil,
  spoil,
  darkNet,
  power,
  power,
  stall,
  daemon,
  tool,
];

/** A slow port, with its queue before it; or one that swallows what is large. The smallest packets of data always pass. */
const narrow: Draw = (rng, ground) => {
  const link = target(rng, ground);
  const settings: LinkSettings = rng.percent(50)
    ? { rateMbit: rng.pick([0.1, 1, 10, 100]) }
    : { mtuBytes: rng.pick([600, 1000, 1400, 9000]) };
  return { does: onFabric({ kind: "link-set", link, settings }), undoes: onFabric({ kind: "link-heal", link }) };
};

/** corosync's port on one of the links, or one that nobody uses. */
const block: Draw = (rng, ground) => {
  const block = { node: rng.pick(ground.names), port: rng.pick([5405, 5405 + rng.below(ground.links), 22]), proto: "udp" as const };
  return { does: onFabric({ kind: "block", block, on: true }), undoes: onFabric({ kind: "block", block, on: false }) };
};

const darkCard: Draw = (rng, ground) => {
  const [node, name] = [rng.pick(ground.names), net(rng, ground)];
  return {
    does: onMachine(node, { kind: "nic-up", net: name, up: false }),
    undoes: onMachine(node, { kind: "nic-up", net: name, up: true }),
  };
};

export const WIDE_DRAWS: readonly Draw[] = [...DRAWS, narrow, narrow, block, darkCard];
