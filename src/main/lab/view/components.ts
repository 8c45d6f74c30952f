/** Who stands together with whom: the nodes of one ring, or the lone belief of a node that is forming one; and the sentence about its votes. */
import type { MachineStatus } from "../../../engine/kernel/status.ts";
import { majorityOf, summariseVotes } from "../../../engine/votequorum/arithmetic.ts";
import type { Component } from "../api.ts";
import { voteNotes } from "./vote-notes.ts";

/** "2 of 3 votes, 2 needed, quorate; may lose 0 more" */
export function voteSentence(c: Pick<Component, "votes" | "expectedVotes" | "quorum" | "quorate" | "mayLose">, deviceVotes = 0): string {
  const own = deviceVotes > 0 ? ` (${deviceVotes} of the QDevice)` : "";
  const have = `${c.votes} of ${c.expectedVotes} ${c.expectedVotes === 1 ? "vote" : "votes"}${own}, ${c.quorum} needed`;
  return c.quorate ? `${have}, quorate; may lose ${c.mayLose} more` : `${have}, not quorate`;
}

type Cell = Component["cells"][number];

/** A cell for each node's votes, and one for the device's. */
function cellsOf(votesOf: ReadonlyMap<number, number>, members: readonly number[], first: MachineStatus): Cell[] {
  const nameOf = (id: number): string => first.corosync?.nodelist.find((peer) => peer.nodeId === id)?.name ?? `node ${id}`;
  const nodes = [...votesOf]
    .sort(([a], [b]) => a - b)
    .map(([nodeId, votes]): Cell => ({ node: nameOf(nodeId), nodeId, votes, present: members.includes(nodeId), device: false }));
  const device = first.quorum?.qdevice;
  return device ? [...nodes, { node: "QDevice", nodeId: 0, votes: device.votes, present: device.castVote, device: true }] : nodes;
}

/** One node's own belief, or the ring's where `nodes` formed it. The first of `nodes` speaks for all. */
function componentOf(nodes: readonly MachineStatus[], letter: string): Component | undefined {
  const first = nodes.find((n) => n.quorum !== null) ?? nodes[0];
  const c = first?.corosync;
  if (!first || !c) return undefined;
  const formed = c.state === "operational";
  const members = formed ? [...c.members] : c.gathering.proc.filter((id) => !c.gathering.failed.includes(id));
  const votesOf = new Map(c.nodelist.map((peer) => [peer.nodeId, peer.votes]));
  // votequorum knows votes that were changed at run time; the file knows those of nodes never met.
  for (const v of first.quorum?.votes ?? []) votesOf.set(v.nodeId, v.votes);
  const device = first.quorum?.qdevice;
  const deviceVotes = device?.castVote === true ? device.votes : 0;
  const listed = [...votesOf.values()].reduce((sum, v) => sum + v, device?.votes ?? 0);
  const expected = first.quorum?.expectedVotes ?? listed;
  const memberVotes = members.map((id) => votesOf.get(id) ?? 1);
  const quorum = first.quorum?.quorum ?? majorityOf(expected);
  // Who may be lost is a node: the device goes on voting for those that stay.
  const counted = summariseVotes(memberVotes, expected, quorum - deviceVotes, first.quorum?.quorate ?? false);
  const summary = { ...counted, votes: counted.votes + deviceVotes, quorum };
  return {
    letter,
    ringId: c.ringId,
    formed,
    nodes: nodes.map((n) => n.name),
    members,
    ...summary,
    sentence: voteSentence(summary, deviceVotes),
    notes: formed && first.quorum ? voteNotes(first.quorum, c, summary, listed) : [],
    cells: cellsOf(votesOf, members, first),
  };
}

/** All components, the largest first; equal ones in the order of their labels. A stalled machine counts only with a running one of its ring. */
export function componentsOf(machines: readonly MachineStatus[], letter: (status: MachineStatus) => string): Component[] {
  const rings = new Map<string, MachineStatus[]>();
  const found: (Component | undefined)[] = [];
  const stalled: MachineStatus[] = [];
  for (const machine of machines) {
    const c = machine.corosync;
    if (!c) continue;
    if (machine.power === "stalled") stalled.push(machine);
    else if (c.state === "operational") rings.set(c.ringId, [...(rings.get(c.ringId) ?? []), machine]);
    else found.push(componentOf([machine], letter(machine)));
  }
  for (const machine of stalled) rings.get(machine.corosync?.ringId ?? "")?.push(machine);
  for (const nodes of rings.values()) {
    const [first] = nodes;
    if (first) found.push(componentOf(nodes, letter(first)));
  }
  const order = (a: Component, b: Component): number => b.votes - a.votes || (a.letter < b.letter ? -1 : a.letter > b.letter ? 1 : 0);
  return found.filter((c): c is Component => c !== undefined).sort(order);
}
