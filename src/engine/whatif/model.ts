/**
 * What becomes of a cluster as its topology changes: for each group of members the quorum cores go from one settled membership to the next. Equal
 * transitions are run once: ids are only ever compared with each other, so a group of nine of sixteen alike members ends like any other nine, as far as
 * the lowest and the highest of them are in the same position; `kinds` tells members apart that are not alike.
 */
import type { Member, WhatIfDesign } from "./design.ts";
import { settle, synchronise, type Clock } from "./membership.ts";
import { Voter, type VoterState } from "./voter.ts";
import { indices, type Topology } from "./topology.ts";

/** A cluster on its settled rings. Equal states are one object. */
export interface State {
  /** Groups with a quorate member. */
  readonly quorate: number;
}

interface GroupState extends State {
  readonly groups: readonly Group[];
  readonly next: Map<Topology, readonly GroupState[]>;
}

interface Group {
  readonly part: Part;
  readonly mask: number;
}

/** A settled ring, and what can become of it. Its members stand for those of every group alike, in the order of ids. */
interface Part {
  readonly number: number;
  readonly members: readonly Member[];
  readonly voters: readonly VoterState[];
  /** By member: members of one kind may stand for each other. */
  readonly kinds: readonly number[];
  readonly quorate: boolean;
  readonly seq: number;
  readonly now: number;
  readonly next: Map<string, Part>;
}

export interface Model<S extends State = State> {
  /** Groups that settle are what they are, whatever becomes of members that do not. */
  readonly apart: boolean;
  /** Everything on, nothing lost: formed and settled. */
  begin(topology: Topology): S;
  /**
   * What `state` settles in when the topology has become `to`, in one blow. `to` only ever takes away. More than one where it depends on the moment: between
   * two heartbeats of a QDevice, who is gone is noticed before or after the new ring.
   */
  next(state: S, to: Topology): readonly S[];
}

/** A cluster without a QDevice: groups know nothing of each other. */
export class GroupModel implements Model<GroupState> {
  readonly apart = true;
  private readonly states = new Map<string, GroupState>();
  /** Kinds of members, numbered as they come. */
  private readonly kinds = new Map<string, number>();
  private readonly own: ReadonlyMap<Member, string>;
  /** By the kinds of their members: rings of equal kinds are in the same state. */
  private readonly parts = new Map<string, Part>();
  private count = 0;

  /** @param alike false: every transition is run for itself, which tests compare with */
  constructor(
    private readonly design: WhatIfDesign,
    private readonly alike = true,
  ) {
    this.own = new Map(design.members.map((member) => [member, kindOf(member)]));
  }

  begin(topology: Topology): GroupState {
    return this.state(topology.groups.map((mask) => ({ part: this.form(mask), mask })));
  }

  next(state: GroupState, to: Topology): readonly GroupState[] {
    const known = state.next.get(to);
    if (known !== undefined) return known;
    const made = [this.state(to.groups.map((mask) => this.remain(state, mask)))];
    state.next.set(to, made);
    return made;
  }

  private state(groups: readonly Group[]): GroupState {
    const key = groups.map(({ part, mask }) => `${part.number}:${mask}`).join(" ");
    const known = this.states.get(key);
    if (known !== undefined) return known;
    const made: GroupState = { groups, quorate: groups.filter(({ part }) => part.quorate).length, next: new Map() };
    this.states.set(key, made);
    return made;
  }

  /** The group whose members are `mask`, out of the one that held them. */
  private remain(state: GroupState, mask: number): Group {
    const from = state.groups.find((group) => (group.mask & mask) === mask);
    if (from === undefined) throw new Error("whatif: a group of members that were not together");
    if (from.mask === mask) return from;
    let [key, place, stay] = ["", 0, 0];
    for (let left = from.mask; left !== 0; left &= left - 1, place++) {
      if ((left & -left & mask) === 0) continue;
      stay |= 1 << place;
      key += String.fromCharCode(this.alike ? (from.part.kinds[place] ?? 0) : place);
    }
    // Who was the lowest or the highest may decide a tie, and is known by no other mark.
    if (this.alike) key += `${stay & 1}${(stay >> (place - 1)) & 1}`;
    const known = from.part.next.get(key);
    if (known !== undefined) return { part: known, mask };
    const part = this.shrink(from.part, stay);
    from.part.next.set(key, part);
    return { part, mask };
  }

  /** Every member starts, is alone for a moment, and joins the others. */
  private form(mask: number): Part {
    const clock: Clock = { now: 0 };
    const voters = indices(mask)
      .flatMap((i) => this.design.members[i] ?? [])
      .map((member) => new Voter(member, clock));
    for (const voter of voters) {
      voter.votes.load();
      synchronise([voter], { rep: voter.member.nodeId, seq: 5 }, false);
    }
    return this.ring(voters, clock, 5, false);
  }

  /** `stay`: a bit for each place in the part. */
  private shrink(part: Part, stay: number): Part {
    const clock: Clock = { now: part.now };
    const voters = part.members.flatMap((member, i) => {
      const state = part.voters[i];
      if (((stay >> i) & 1) === 0 || state === undefined) return [];
      const voter = new Voter(member, clock);
      voter.restore(state);
      return [voter];
    });
    return this.ring(voters, clock, part.seq, true);
  }

  private kind(text: string): number {
    const known = this.kinds.get(text) ?? this.kinds.size;
    this.kinds.set(text, known);
    return known;
  }

  private ring(voters: readonly Voter[], clock: Clock, before: number, together: boolean): Part {
    const ids = voters.map((s) => s.member.nodeId);
    synchronise(voters, { rep: ids[0] ?? 0, seq: before + 4 }, together);
    settle(voters, clock);
    const kinds = voters.map((s) => this.kind(`${this.own.get(s.member) ?? ""} ${s.view(ids, true)}`));
    const key = String.fromCharCode(...kinds);
    const known = this.alike ? this.parts.get(key) : undefined;
    if (known !== undefined) return known;
    const made: Part = {
      number: this.count++,
      members: voters.map((s) => s.member),
      voters: voters.map((s) => s.snapshot()),
      kinds,
      quorate: voters.some((s) => s.votes.quorate),
      seq: before + 4,
      now: clock.now,
      next: new Map(),
    };
    this.parts.set(key, made);
    return made;
  }
}

/** What a member's own file says about votes, and its place in a tie breaker's list. */
function kindOf({ settings, nodeId }: Member): string {
  const { quorum, nodes } = settings.config;
  const { autoTieBreakerNode, device: _, ...own } = quorum;
  const listed = (autoTieBreakerNode ?? "").split(/[\s,]+/).indexOf(String(nodeId));
  return `${JSON.stringify(own)} ${nodes.map((n) => n.votes).join(",")} ${listed}`;
}
