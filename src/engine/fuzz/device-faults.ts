/**
 * Faults of the quorum device to draw: its host's cable, power and daemon, its daemons on the nodes, splits with the host on one side. In the real world: the third site and
 * the line to it. Left out: its certificates, and its configuration.
 */
import type { LinkTarget } from "../fabric/index.ts";
import type { Rng } from "../kernel/index.ts";
import { onFabric, onMachine, type Draw, type Ground } from "./faults.ts";

const host = (ground: Ground): string => ground.arbiter ?? "";

/** The line to everybody, or to one node. */
const line: Draw = (rng, ground) => {
  const direction = rng.pick(["in", "out", "both", "both"] as const);
  const to = rng.percent(40) ? { to: rng.pick(ground.names) } : {};
  const link: LinkTarget = { node: host(ground), net: "net0", direction, ...to };
  return { does: onFabric({ kind: "link-cut", link }), undoes: onFabric({ kind: "link-heal", link }) };
};

/** Two halves, the host with one of them, or with both where it is in no group. */
export const split: Draw = (rng, ground) => {
  const shuffled = [...ground.names];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = rng.below(i + 1);
    [shuffled[i], shuffled[j]] = [shuffled[j] ?? "", shuffled[i] ?? ""];
  }
  const half = Math.max(1, Math.floor(shuffled.length / 2));
  const groups = [shuffled.slice(0, half), shuffled.slice(half)];
  if (rng.percent(50)) groups[rng.below(2)]?.push(host(ground));
  return { does: onFabric({ kind: "partition", groups }), undoes: onFabric({ kind: "heal" }) };
};

const hostPower: Draw = (rng, ground) => {
  const how = rng.pick(["power-cut", "shutdown", "reboot"] as const);
  return { does: onMachine(host(ground), { kind: how }), undoes: onMachine(host(ground), { kind: "power-on" }) };
};

const operations = ["stop", "kill", "restart"] as const;

function daemon(rng: Rng, machine: string, unit: string): ReturnType<Draw> {
  if (rng.percent(25))
    return { does: onMachine(machine, { kind: "service-stall", unit }), undoes: onMachine(machine, { kind: "service-resume", unit }) };
  const op = rng.pick(operations);
  return { does: onMachine(machine, { kind: "service", op, unit }), undoes: onMachine(machine, { kind: "service", op: "start", unit }) };
}

const hostStall: Draw = (_rng, ground) => ({
  does: onMachine(host(ground), { kind: "stall" }),
  undoes: onMachine(host(ground), { kind: "resume" }),
});

const server: Draw = (rng, ground) => daemon(rng, host(ground), "corosync-qnetd");
const device: Draw = (rng, ground) => daemon(rng, rng.pick(ground.names), "corosync-qdevice");

export const DEVICE_DRAWS: readonly Draw[] = [line, line, split, split, split, hostPower, hostStall, server, device, device];
