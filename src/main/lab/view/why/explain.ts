/** Which causes explain what: why the nodes of a side without quorum miss the others, and which links are down for which of them. */
import type { Component } from "../../api.ts";
import { restoredCause } from "./restored.ts";
import { nodeName, statusOf, type Cause, type DownLink, type Scene } from "./scene.ts";
import { serverOf } from "./quorum-causes.ts";

/** Sides without quorum that have the same causes. */
export interface Explained {
  readonly sides: readonly Component[];
  readonly causes: readonly Cause[];
  /** Whom they miss. */
  readonly missing: readonly string[];
}

export interface ExplainedAll {
  readonly found: readonly Explained[];
  /** Links down because of each. */
  readonly links: ReadonlyMap<Cause, number>;
  /** Without those that follow from others, and with what is on its way back. */
  readonly causes: readonly Cause[];
}

/** Networks on which these two could talk, by the links of whichever runs. */
function netsBetween(scene: Scene, a: string, b: string): string[] {
  const nets = (name: string): string[] => statusOf(scene, name)?.nics.map(({ net }) => net) ?? [];
  const other = nets(b);
  return nets(a).filter((net) => other.includes(net));
}

/** What keeps `b` from `a`: its own state, else what lies between them. */
function between(scene: Scene, causes: readonly Cause[], a: string, b: string): Cause[] {
  const own = causes.filter(({ out }) => out === b);
  if (own.length > 0) return own;
  return causes.filter((cause) => cause.out === undefined && netsBetween(scene, a, b).some((net) => cause.stops(a, b, net)));
}

/** Whether somebody on this side runs, so that what it believes counts. */
export const runs = (scene: Scene, { nodes }: Component): boolean =>
  nodes.some((name) => statusOf(scene, name)?.power === "on" && !scene.frozen.has(name));

const nodesOf = ({ nodes }: Component, scene: Scene): string[] => nodes.filter((name) => statusOf(scene, name)?.power === "on");

function missingOf(scene: Scene, side: Component): string[] {
  const speaker = side.nodes.map((name) => statusOf(scene, name)).find((machine) => machine?.corosync);
  const corosync = speaker?.corosync;
  return (corosync?.nodelist ?? [])
    .filter(({ nodeId }) => !side.members.includes(nodeId))
    .map(({ nodeId }) => nodeName(scene, nodeId, corosync));
}

/** Why its quorum device gives this side nothing, if it has one. */
function deviceCauses(scene: Scene, causes: readonly Cause[], side: Component): Cause[] {
  const out = nodesOf(side, scene).flatMap((name) => {
    const device = statusOf(scene, name)?.quorum?.qdevice;
    if (!device || device.castVote) return [];
    const server = serverOf(scene, device.host);
    const own = causes.filter(
      ({ code, nodes }) =>
        (code === "unit-stopped" || code === "unit-failed" || code === "qdevice-vote" || code === "qdevice-away") && nodes.includes(name),
    );
    return server === undefined ? own : [...between(scene, causes, name, server.name), ...own];
  });
  return [...new Set(out)];
}

/** Why one side has no quorum. `gone`: links that nothing in force explains. */
function causesOf(
  scene: Scene,
  causes: readonly Cause[],
  side: Component,
  missing: readonly string[],
): { causes: Cause[]; unexplained: string[] } {
  const own = nodesOf(side, scene);
  const found = new Set<Cause>();
  const unexplained: string[] = [];
  for (const other of missing) {
    const reasons = own.flatMap((name) => between(scene, causes, name, other));
    if (reasons.length === 0) unexplained.push(other);
    for (const reason of reasons) found.add(reason);
  }
  // Whoever has read a file that lists nobody misses nobody.
  for (const cause of causes)
    if (cause.code === "bad-file" && own.some((name) => cause.nodes.includes(name) && cause.stops(name, name, ""))) found.add(cause);
  for (const cause of causes) if (cause.code === "wait-for-all" && own.some((name) => cause.nodes.includes(name))) found.add(cause);
  for (const cause of deviceCauses(scene, causes, side)) found.add(cause);
  return { causes: [...found], unexplained };
}

const ordered = (causes: readonly Cause[]): Cause[] => [...causes].sort((a, b) => a.rank - b.rank || a.since - b.since);

/** Links that are down, by the causes that stop them; what is left is on its way back. */
function assign(scene: Scene, causes: readonly Cause[], down: readonly DownLink[]): { links: Map<Cause, number>; rest: DownLink[] } {
  const links = new Map<Cause, number>();
  const rest: DownLink[] = [];
  for (const link of down) {
    const out = causes.find((cause) => cause.out === link.to);
    const reason = out ?? causes.find((cause) => cause.out === undefined && cause.stops(link.from, link.to, link.net));
    if (reason === undefined) rest.push(link);
    else links.set(reason, (links.get(reason) ?? 0) + 1);
  }
  return { links, rest };
}

/** What follows from another cause: a quorum device cannot be reached, or votes for the other side of a split. */
function follows(scene: Scene, causes: readonly Cause[], cause: Cause): boolean {
  if (cause.code !== "qdevice-away" && cause.code !== "qdevice-vote") return false;
  return cause.nodes.every((name) => {
    const server = serverOf(scene, statusOf(scene, name)?.quorum?.qdevice?.host ?? "");
    if (cause.code === "qdevice-away") return server !== undefined && between(scene, causes, name, server.name).length > 0;
    const side = scene.components.find(({ nodes }) => nodes.includes(name));
    const gives = side?.cells.some(({ device, present }) => device && present) === true;
    return side !== undefined && !gives && missingOf(scene, side).some((other) => between(scene, causes, name, other).length > 0);
  });
}

/** @param known every cause that was found; those that follow from others are left out of `causes` */
export function explained(scene: Scene, known: readonly Cause[], down: readonly DownLink[]): ExplainedAll {
  const causes = ordered(known.filter((cause) => !follows(scene, known, cause)));
  const { links, rest } = assign(scene, causes, down);
  const sides = scene.components.filter((side) => side.formed && !side.quorate && runs(scene, side));
  const told = sides.map((side) => {
    const missing = missingOf(scene, side);
    return { side, missing, ...causesOf(scene, causes, side, missing) };
  });
  // Nodes that miss somebody whom nothing keeps away any more, and those whose links are down for no cause in force.
  const apart = new Set(scene.components.filter(({ formed }) => formed).map(({ ringId }) => ringId)).size > 1;
  const away = new Set([...told.flatMap(({ unexplained, side }) => (unexplained.length === 0 ? [] : [...side.nodes, ...unexplained]))]);
  const waiting = new Set([...away, ...rest.flatMap(({ from, to }) => [from, to])]);
  const nodes = scene.machines.map(({ name }) => name).filter((name) => waiting.has(name));
  const back = nodes.length === 0 || (!apart && rest.length === 0 && away.size === 0) ? undefined : restoredCause(scene, nodes, rest);
  if (back !== undefined && rest.length > 0) links.set(back, rest.length);
  const quorate = scene.components.some((side) => side.formed && side.quorate && runs(scene, side));
  const groups = new Map<string, { sides: Component[]; causes: Cause[]; missing: Set<string> }>();
  for (const { side, causes: own, missing, unexplained } of told) {
    const all = ordered(unexplained.length > 0 && back !== undefined ? [...own, back] : own);
    // Where nobody is quorate that is one question, whatever keeps each side from the others.
    const key = quorate ? all.map((cause) => causes.indexOf(cause)).join(",") : "";
    const group = groups.get(key) ?? { sides: [], causes: [], missing: new Set() };
    group.sides.push(side);
    group.causes = ordered([...new Set([...group.causes, ...all])]);
    for (const name of missing) group.missing.add(name);
    groups.set(key, group);
  }
  const found = [...groups.values()].map((group) => ({ sides: group.sides, causes: group.causes, missing: [...group.missing] }));
  return { found, links, causes: back === undefined ? causes : [...causes, back] };
}
