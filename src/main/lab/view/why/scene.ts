/** What reasons are looked for in: a world at an instant, its machines, who knows whom by which node ID, and what its record tells. Pure. */
import type { CorosyncStatus, MachineStatus } from "../../../../engine/kernel/status.ts";
import type { Instant } from "../../../../engine/kernel/time.ts";
import type { World } from "../../../../engine/world/world.ts";
import { mainUnit, type Component, type EntryRef, type Finding, type Fix, type Problem, type WhyClause } from "../../api.ts";
import type { Notice } from "./notices.ts";
import type { RecordedAct, RunRecord } from "./record.ts";

export interface Scene {
  readonly world: World;
  readonly now: Instant;
  readonly machines: readonly MachineStatus[];
  readonly record: RunRecord;
  readonly components: readonly Component[];
  /** Of each node's corosync.conf, by node. */
  readonly findings: ReadonlyMap<string, readonly Finding[]>;
  readonly mismatches: readonly (Problem & { readonly nodes: readonly string[] })[];
  readonly idOf: ReadonlyMap<string, number>;
  readonly nameOf: ReadonlyMap<number, string>;
  /** Machines whose processors, or whose daemon, stand still: what they tell is what they believed last. */
  readonly frozen: ReadonlySet<string>;
}

/** Something that keeps nodes apart, or a node from its work. What it says rests on `refs`. */
export interface Cause {
  readonly code: string;
  readonly severity: Problem["severity"];
  /** Of two causes the one of lower rank is told first. */
  readonly rank: number;
  readonly nodes: readonly string[];
  readonly since: Instant;
  /** "Cable pve3:net0 is cut": without a full stop. */
  readonly text: string;
  readonly refs: readonly EntryRef[];
  /** The machine that it keeps from everybody; undefined: it lies between machines. */
  readonly out?: string;
  /** Whether it keeps packets of these two from each other on this network. */
  stops(a: string, b: string, net: string): boolean;
  /** What daemons said of it that no pattern of cards.ts finds. */
  readonly noticed?: readonly WhyClause[];
  readonly means?: readonly WhyClause[];
  readonly fixes: readonly Fix[];
  /** What mends it, where no line and no command does: a phrase. */
  readonly mend?: string;
  readonly line?: number;
  readonly column?: number;
}

/** Of what keeps nobody from anybody. */
export const nothing: Cause["stops"] = () => false;

export const actRef = (act: RecordedAct): EntryRef => ({
  kind: "act",
  ...(act.machine === undefined ? {} : { node: act.machine }),
  instant: act.at,
  what: act.line,
});
export const noticeRef = (node: string, { at, text }: Notice): EntryRef => ({ kind: "journal", node, instant: at, what: text });
/** @param what a path into the machine's status, or of a file on its disk */
export const statusRef = (node: string, what: string, instant: Instant): EntryRef => ({ kind: "status", node, instant, what });

/** ["a","b","c"] → "a, b and c"; of many the first ones. */
export function listed(names: readonly string[], most = 6): string {
  if (names.length > most) return `${names.slice(0, most - 2).join(", ")} and ${names.length - most + 2} more`;
  return names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
}

/** Which machine is which node, as those that run know it. */
export function nodeIds(machines: readonly MachineStatus[]): ReadonlyMap<string, number> {
  const ids = new Map<string, number>();
  for (const { name, corosync } of machines) if (corosync !== null) ids.set(name, corosync.nodeId);
  const lists = machines.flatMap(({ corosync }) => corosync?.nodelist ?? []);
  for (const { name, nics } of machines) {
    if (ids.has(name)) continue;
    const entry = lists.find(({ addresses }) => nics.some(({ address }) => addresses.includes(address)));
    if (entry !== undefined) ids.set(name, entry.nodeId);
  }
  return ids;
}

export const statusOf = ({ machines }: Scene, name: string): MachineStatus | undefined => machines.find((m) => m.name === name);

/** Whether somebody at a prompt of this machine would be answered. */
export function answers(scene: Scene, name: string): boolean {
  const machine = statusOf(scene, name);
  return machine !== undefined && machine.power === "on" && !machine.booting;
}

/** The daemon that the machine is about. */
export const mainOf = (machine: MachineStatus): string => mainUnit(machine.units)?.name ?? "corosync";

/** The name by which the node `id` is known here. */
export const nodeName = (scene: Scene, id: number, corosync?: CorosyncStatus | null): string =>
  scene.nameOf.get(id) ?? corosync?.nodelist.find(({ nodeId }) => nodeId === id)?.name ?? `node ${id}`;

/** A link of one node to another that knet takes for down. */
export interface DownLink {
  readonly from: string;
  readonly to: string;
  readonly link: number;
  readonly net: string;
  /** Pongs so far, of those that it takes to come up. */
  readonly pongs: number;
  readonly pongsNeeded: number;
}

/** Links of nodes that run, to others, that are down by their own account. */
export function downLinks(scene: Scene): DownLink[] {
  return scene.machines.flatMap(({ name: from, power, corosync, nics }) =>
    power !== "on" || corosync === null || scene.frozen.has(from)
      ? []
      : corosync.links.flatMap(({ to, link, connected, localAddress, pongs, pongsNeeded }) => {
          const net = nics.find(({ address }) => address === localAddress)?.net;
          return connected || to === corosync.nodeId || net === undefined
            ? []
            : [{ from, to: nodeName(scene, to, corosync), link, net, pongs, pongsNeeded }];
        }),
  );
}
