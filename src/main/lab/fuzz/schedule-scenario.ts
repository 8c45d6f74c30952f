/** Fault schedules (engine/fuzz) as labs: the world in which one is played, and the scenario file that `quorate run` plays to the same end. */
import {
  movedBy,
  placeOf,
  sendingNodes,
  type WorldMaker,
  type ScheduledAct,
  type DeviceOptions,
  type FaultSchedule,
  type Tally,
  type Variant,
} from "../../../engine/fuzz/index.ts";
import { makeMachine } from "../../../engine/node/index.ts";
import { World, type MachineFactory } from "../../../engine/world/index.ts";
import { lineOf } from "../act/table.ts";
import { beginLab } from "../scenario/advance.ts";
import { confOf, worldDesign } from "../file/design.ts";
import { defaultLabFile } from "../file/default-lab.ts";
import type { LabCluster, LabFile, LabNode, Step } from "../file/labfile-schema.ts";

/** What makes the machines of a lab: nodes, with a program that sends on each where the lab file has a load. */
export function machinesOf(lab: LabFile, tally: Tally = { sent: 0, delivered: 0 }): MachineFactory {
  return lab.load === undefined ? makeMachine : sendingNodes(lab.load, tally);
}

/** The lab in which `schedule` is played. */
export function labOf(schedule: FaultSchedule): LabFile {
  const last = Math.max(...schedule.nodes.map((name) => Number(name.replace(/^\D+/, ""))));
  const lab = defaultLabFile({
    nodes: last,
    links: schedule.links,
    clustered: true,
    qdevice: schedule.arbiter !== undefined,
    name: `schedule ${schedule.seed}`,
    seed: schedule.seed,
    epoch: "2026-01-01T00:00:00Z",
  });
  const own = Object.entries(lab.nodes).filter(([name]) => schedule.nodes.includes(name));
  const nodes = Object.fromEntries(own.map(([name, node]): [string, LabNode] => [name, withRelease(node, schedule.releases?.[name])]));
  const cluster = lab.cluster && schedule.quorum ? { ...lab.cluster, quorum: schedule.quorum } : lab.cluster;
  const plain = {
    ...lab,
    nodes,
    ...(cluster === undefined ? {} : { cluster }),
    ...(schedule.load === undefined ? {} : { load: schedule.load }),
  };
  const whole = schedule.variants === undefined ? plain : { ...plain, nodes: withVariants(plain, schedule, schedule.variants) };
  const text = schedule.device === undefined ? undefined : confOf(plain);
  if (schedule.device === undefined || cluster === undefined || text === undefined) return whole;
  return { ...whole, cluster: { ...cluster, conf: withDevice(text, schedule.device) } };
}

function withRelease(node: LabNode, release: LabNode["release"]): LabNode {
  return release === undefined ? node : { ...node, release };
}

/** The nodes with those variants on their disks that an act puts into place there. */
function withVariants(lab: LabFile, schedule: FaultSchedule, variants: readonly Variant[]): LabFile["nodes"] {
  const moved = new Map<string, string[]>();
  for (const { act } of [...schedule.acts, ...schedule.mends]) {
    const from = movedBy(act.act)?.from;
    if (act.to === "machine" && from !== undefined) moved.set(act.machine, [...(moved.get(act.machine) ?? []), from]);
  }
  const { device } = schedule;
  const texts = variants.map((variant) => {
    const text = variantText(lab, variant);
    return [placeOf(variant), device === undefined ? text : withDevice(text, device)] as const;
  });
  return Object.fromEntries(
    Object.entries(lab.nodes).map(([name, node]): [string, LabNode] => {
      const files = texts.filter(([path]) => moved.get(name)?.includes(path) === true);
      return [name, files.length === 0 ? node : { ...node, files: { ...node.files, ...Object.fromEntries(files) } }];
    }),
  );
}

/** The configuration with another quorum device on the same host. */
export function withDevice(text: string, device: DeviceOptions): string {
  const { algorithm, tieBreaker, keepActive, timeoutMs, syncTimeoutMs } = device;
  const net = [
    `algorithm: ${algorithm}`,
    ...(tieBreaker === undefined ? [] : [`tie_breaker: ${tieBreaker}`]),
    ...(keepActive === undefined ? [] : [`keep_active_partition_tie_breaker: ${keepActive ? "on" : "off"}`]),
  ];
  const own = [
    ...(timeoutMs === undefined ? [] : [`timeout: ${timeoutMs}`]),
    ...(syncTimeoutMs === undefined ? [] : [`sync_timeout: ${syncTimeoutMs}`]),
    ...(algorithm === "ffsplit" ? ["votes: 1"] : []),
  ];
  const lines = (indent: string, texts: readonly string[]): string => texts.map((word) => `${indent}${word}\n`).join("");
  return text
    .replace(/^ {4}votes: \d+\n/m, "")
    .replace(/^ {6}algorithm: \S+\n/m, lines("      ", net))
    .replace(/^ {4}model: net\n/m, lines("    ", ["model: net", ...own]));
}

/** The corosync.conf that `variant` stands for. */
export function variantText(lab: LabFile, { change, versionUp }: Variant): string {
  const { cluster } = lab;
  const plain = confOf(lab);
  if (cluster === undefined || plain === undefined) throw new Error("a schedule without a cluster has no configuration to change");
  const version = Number(/^ +config_version: (\d+)$/m.exec(plain)?.[1]);
  const changed = confOf({ ...lab, cluster: changedCluster(lab, cluster, change) }) ?? plain;
  const counted = changed.replace(/^( +config_version:) \d+$/m, `$1 ${version + versionUp}`);
  // Without a node the number is another, and the device would be set up otherwise: nobody does.
  const algorithm = /^ +algorithm: \S+$/m.exec(plain)?.[0];
  const text = algorithm === undefined ? counted : counted.replace(/^ +algorithm: \S+$/m, algorithm);
  return damaged(text, change);
}

function changedCluster(lab: LabFile, cluster: LabCluster, change: Variant["change"]): LabCluster {
  const { links = [] } = cluster;
  switch (change.kind) {
    case "votes":
      return lab.nodes[change.node] === undefined ? cluster : { ...cluster, votes: { [change.node]: change.votes } };
    case "expected":
      return { ...cluster, quorum: { ...cluster.quorum, expected_votes: change.votes } };
    case "token":
      return { ...cluster, totem: { ...cluster.totem, token: change.ms } };
    case "crypto":
      return { ...cluster, totem: { ...cluster.totem, crypto_cipher: change.cipher, crypto_hash: change.hash } };
    case "priorities":
      return { ...cluster, priorities: Object.fromEntries(links.map((net, i) => [net, change.values[i] ?? 1])) };
    case "links":
      return { ...cluster, links: links.slice(0, change.count) };
    case "without":
      return { ...cluster, ids: idsOf(lab), members: Object.keys(lab.nodes).filter((name) => name !== change.node) };
    case "nothing":
    case "logging":
    case "address":
    case "no-address":
    case "broken":
      return cluster;
  }
}

/** Ids stay with their nodes whoever else is in the list: they are given in the order of joining. */
function idsOf(lab: LabFile): Record<string, number> {
  return Object.fromEntries(Object.keys(lab.nodes).map((name, i) => [name, i + 1]));
}

function damaged(text: string, change: Variant["change"]): string {
  if (change.kind === "no-address") return text.replace(new RegExp(`(    name: ${change.node}\\n[^}]*)    ring[1-9]_addr: .*\\n`), "$1");
  if (change.kind === "logging") return text.replace(/^ {2}debug: off$/m, `  debug: ${change.debug}`);
  // Nodes have the addresses from 10.x.x.11 on.
  if (change.kind === "address")
    return text.replace(new RegExp(`(    name: ${change.node}\\n[^}]*    ring0_addr: [0-9.]+\\.)[0-9]+\\n`), "$1199\n");
  if (change.kind !== "broken") return text;
  const { how } = change;
  if (how === "brace") return text.replace(/\}\n$/m, "\n");
  return how === "line" ? `${text}vote for me\n` : text.replace(/^( +config_version:) .*$/m, "$1 many");
}

const makerOf = (traced: boolean): WorldMaker => ({
  make(schedule, tally) {
    const lab = labOf(schedule);
    const make = machinesOf(lab, tally);
    return new World(worldDesign(lab), make, make, traced);
  },
  begin: (world, schedule) => beginLab(world, labOf(schedule)),
});

export const maker = makerOf(true);

/** Of worlds that are watched, and compared with no other. */
export const untracedMaker = makerOf(false);

function stepOf({ at, act }: ScheduledAct): Step {
  if (act.to === "machine" && act.act.kind === "command")
    return { at, exec: { node: act.machine, run: act.act.argv.join(" "), wait: false } };
  const moved = movedBy(act.act);
  if (act.to === "machine" && moved !== undefined) return { at, exec: { node: act.machine, run: `mv ${moved.from} ${moved.to}` } };
  return { at, do: lineOf(act) };
}

/** The scenario of `schedule`, which must keep `invariant` and does not. */
export function scenarioOf(schedule: FaultSchedule, invariant: string): LabFile {
  const steps = [...schedule.acts, ...schedule.mends].map(stepOf);
  // Time goes on to where the invariant is broken.
  if (schedule.endsAt !== undefined) steps.push({ at: schedule.endsAt, do: "heal" });
  return { ...labOf(schedule), name: `${invariant} is broken, seed ${schedule.seed}`, invariants: [invariant], steps };
}
