/** Who stands together with whom: the nodes of one ring, or the lone belief of a node that is forming one; and the sentence about its votes. */
import type { MachineStatus } from "../../../engine/kernel/status.ts";
import { majorityOf, summariseVotes } from "../../../engine/votequorum/arithmetic.ts";
import type { Component } from "../api.ts";
import { byLetter, freeLetter } from "./ring-labels.ts";
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

/** What is said of a ring that is not complete yet: who has installed it, or that its services are not in step. */
function installSentence(installed: number, members: number): string {
  return installed < members
    ? `${installed} of ${members} members have installed it; votes are counted when all have`
    : "its services are syncing; votes are counted when they are in step";
}

/** A ring is installed by one member after the other, and its services agree after that: until then votequorum speaks of the ring before. */
function isSettled(nodes: readonly MachineStatus[], members: readonly number[], all: readonly MachineStatus[]): boolean {
  if (nodes.some(({ corosync }) => corosync?.syncing === true)) return false;
  return !all.some(
    ({ corosync, power }) =>
      power === "on" &&
      corosync !== null &&
      (corosync.state === "commit" || corosync.state === "recovery") &&
      members.includes(corosync.nodeId),
  );
}

/** One node's own belief, or the ring's where `nodes` formed it. The first of `nodes` speaks for all. */
function componentOf(nodes: readonly MachineStatus[], letter: string, key: string, all: readonly MachineStatus[]): Component | undefined {
  const first = nodes.find((n) => n.quorum !== null) ?? nodes[0];
  const c = first?.corosync;
  if (!first || !c) return undefined;
  const formed = c.state === "operational";
  const members = formed ? [...c.members] : c.gathering.proc.filter((id) => !c.gathering.failed.includes(id));
  const settled = !formed || isSettled(nodes, members, all);
  const installed = nodes.flatMap(({ corosync }) => corosync?.nodeId ?? []);
  const counting = settled ? members : members.filter((id) => installed.includes(id));
  const votesOf = new Map(c.nodelist.map((peer) => [peer.nodeId, peer.votes]));
  // votequorum knows votes that were changed at run time; the file knows those of nodes never met.
  for (const v of first.quorum?.votes ?? []) votesOf.set(v.nodeId, v.votes);
  const device = first.quorum?.qdevice;
  const deviceVotes = device?.castVote === true ? device.votes : 0;
  const listed = [...votesOf.values()].reduce((sum, v) => sum + v, device?.votes ?? 0);
  const expected = first.quorum?.expectedVotes ?? listed;
  const memberVotes = counting.map((id) => votesOf.get(id) ?? 1);
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
    sentence: settled ? voteSentence(summary, deviceVotes) : installSentence(counting.length, members.length),
    notes: formed && settled && first.quorum ? voteNotes(first.quorum, c, summary, listed) : [],
    cells: cellsOf(votesOf, counting, first),
    key,
    settled,
  };
}

interface Standing {
  key: string;
  nodes: MachineStatus[];
}

/** Ring ID and members: two machines that claim one node ID may each form a ring of the same ID. */
function ringKey({ name, corosync }: MachineStatus, rings: ReadonlyMap<string, Standing>): string {
  const key = `ring ${corosync?.ringId ?? ""} ${corosync?.members.join(" ") ?? ""}`;
  const taken = rings.get(key)?.nodes.some((one) => one.corosync?.nodeId === corosync?.nodeId) ?? false;
  return taken ? `${key} ${name}` : key;
}

/** No letter stands for two rings, whatever the labels say. */
function distinct(formed: readonly Component[]): void {
  const used = new Set<string>();
  for (const one of formed) {
    if (used.has(one.letter)) one.letter = freeLetter(new Set(formed.map(({ letter }) => letter)));
    used.add(one.letter);
  }
}

/** All components, the largest first; equal ones in the order of their labels. A stalled machine counts only with a running one of its ring. */
export function componentsOf(machines: readonly MachineStatus[], letter: (status: MachineStatus) => string): Component[] {
  const rings = new Map<string, Standing>();
  const found: (Component | undefined)[] = [];
  const stalled: MachineStatus[] = [];
  for (const machine of machines) {
    const c = machine.corosync;
    if (!c) continue;
    if (machine.power === "stalled") stalled.push(machine);
    else if (c.state === "operational") {
      const key = ringKey(machine, rings);
      rings.set(key, { key, nodes: [...(rings.get(key)?.nodes ?? []), machine] });
    } else found.push(componentOf([machine], letter(machine), `node ${machine.name}`, machines));
  }
  for (const machine of stalled) rings.get(ringKey(machine, rings))?.nodes.push(machine);
  for (const { key, nodes } of rings.values()) {
    const [first] = nodes;
    if (first) found.push(componentOf(nodes, letter(first), key, machines));
  }
  const order = (a: Component, b: Component): number => b.votes - a.votes || byLetter(a.letter, b.letter);
  const all = found.filter((c): c is Component => c !== undefined).sort(order);
  distinct(all.filter(({ formed }) => formed));
  return all;
}

/** Machines that gather, by whom they have heard: those that agree with each other stand in one group. In the order of the lab. */
export function formingOf(machines: readonly MachineStatus[]): string[][] {
  const gathering = machines.filter(({ power, corosync }) => power === "on" && corosync !== null && corosync.state !== "operational");
  const hears = (a: MachineStatus, b: MachineStatus): boolean =>
    a.corosync !== null && b.corosync !== null && agreeing(a.corosync).includes(b.corosync.nodeId);
  const groups: MachineStatus[][] = [];
  for (const machine of gathering) {
    const near = groups.filter((group) => group.some((one) => hears(one, machine) && hears(machine, one)));
    const rest = groups.filter((group) => !near.includes(group));
    groups.splice(0, groups.length, ...rest, [...near.flat(), machine]);
  }
  const place = ({ name }: MachineStatus): number => machines.findIndex((one) => one.name === name);
  return groups
    .map((group) => group.toSorted((a, b) => place(a) - place(b)).map(({ name }) => name))
    .sort(
      (a, b) => b.length - a.length || machines.findIndex(({ name }) => name === a[0]) - machines.findIndex(({ name }) => name === b[0]),
    );
}

/** In gather those whose joins agree with one's own; past it all that the commit token goes round. */
function agreeing({ state, gathering, members }: NonNullable<MachineStatus["corosync"]>): readonly number[] {
  if (state === "gather") return gathering.consensus;
  const proc = gathering.proc.filter((id) => !gathering.failed.includes(id));
  return proc.length > 0 ? proc : members;
}
