/** Who believes what while a ring forms: nodes that believe the same share one region, those that do not overlap. */
import type { LabSnapshot, MachineView } from "../../../main/lab/api.ts";
import { shortNames } from "../names.ts";
import { toneOf } from "../tone.ts";
import { beliefTexts } from "../words/topology.ts";

export interface Belief {
  nodes: string[];
  members: number[];
  /** A belief is no ring and has no letter; it takes a tone that no formed ring has. */
  tone: string;
  /** Who sees whom, the longest first. */
  texts: string[];
}

/** Of a name in a text that has little room. */
const shortRoom = 56;
const tones = ["r1", "r2", "r3", "r4", "r5", "r6"];

const sameMembers = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((id) => b.includes(id));

/** The different beliefs, the widest first. */
export function beliefsOf(snapshot: LabSnapshot): Belief[] {
  const taken = new Set(snapshot.components.filter(({ formed }) => formed).map(({ letter }) => toneOf(letter)));
  const free = tones.filter((tone) => !taken.has(tone));
  const short = shortNames(
    snapshot.nodes.map(({ name }) => name),
    shortRoom,
    { size: 11, strong: true },
  );
  const groups: { nodes: string[]; members: number[]; still: boolean }[] = [];
  for (const component of snapshot.components) {
    if (component.formed) continue;
    const still = isOld(snapshot, component.nodes[0], component.members);
    const same = groups.find((group) => group.still === still && sameMembers(group.members, component.members));
    if (same === undefined) groups.push({ nodes: [...component.nodes], members: component.members, still });
    else same.nodes.push(...component.nodes);
  }
  return groups
    .map(({ nodes, members, still }, index) => ({
      nodes,
      members,
      tone: free[index % Math.max(1, free.length)] ?? "r6",
      texts: beliefTexts(
        nodes,
        members.map((id) => nameOf(snapshot, id)),
        still,
        (name) => short.get(name) ?? name,
      ),
    }))
    .sort((a, b) => b.members.length - a.members.length);
}

/** A node that has given nobody up still believes in its last ring. */
function isOld(snapshot: LabSnapshot, node: string | undefined, members: readonly number[]): boolean {
  const corosync = snapshot.nodes.find(({ name }) => name === node)?.corosync;
  return corosync !== null && corosync !== undefined && sameMembers(corosync.members, members);
}

/** The name of a node id: the machine's own, or from a list of nodes. */
function nameOf(snapshot: LabSnapshot, id: number): string {
  const machine = snapshot.nodes.find(({ corosync }) => corosync?.nodeId === id);
  const listed = snapshot.nodes.flatMap(({ corosync }) => corosync?.nodelist ?? []).find(({ nodeId }) => nodeId === id);
  return machine?.name ?? listed?.name ?? `node ${id}`;
}

/** The id under which a machine knows another one: the other's own, or from its list of nodes. */
export function idOf(snapshot: LabSnapshot, believer: MachineView, name: string): number | undefined {
  return (
    snapshot.nodes.find((one) => one.name === name)?.corosync?.nodeId ??
    believer.corosync?.nodelist.find((one) => one.name === name)?.nodeId
  );
}
