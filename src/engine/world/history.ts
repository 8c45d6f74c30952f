/**
 * The past of a running world. A replica follows the run by its inputs alone, never further than the run has come, and leaves snapshots on its way;
 * a journey stands a world of its own at any instant of the past: the nearest snapshot before it, and the inputs since. Everything is done
 * in slices, so that a host can share its thread. The real stack has no counterpart. Left out: when to work, which is the host's, and files.
 */
import { HISTORY_SPACING_US, type Duration, type Instant } from "../kernel/index.ts";
import type { MachineFactory, WorldDesign } from "./design.ts";
import type { Checkpoint } from "./digest.ts";
import { recordInput } from "./record/record.ts";
import { Snapshots, type Kept } from "./snapshots.ts";
import type { Input, WorldSnapshot } from "./types.ts";
import { World } from "./world.ts";

/** Inputs handed to a world ahead of their time. */
const FEED_MAX = 1024;
/** Snapshots that a long journey leaves on its way, so that the next one to those parts is short. */
const JOURNEY_LEAVES = 16;

/** What the past needs to know of the run: where it stands, what was done to it, and digests to compare with. */
export interface Run {
  /** What it was built from at instant 0. */
  readonly origin: WorldDesign;
  readonly now: Instant;
  /** Events so far, which tells where in the middle of an instant the run stands. */
  readonly events: number;
  /** Events of the present instant have run. */
  readonly midInstant: boolean;
  inputs(): readonly Input[];
  checkpoints(): readonly Checkpoint[];
}

/** A world that goes along a record. */
interface Traveller {
  readonly world: World;
  /** Inputs handed over so far. */
  fed: number;
}

/** Goes on towards `to`, at most `most` events. True when there. */
function travel(t: Traveller, inputs: readonly Input[], to: Instant, most: number): boolean {
  const { world } = t;
  let last = world.now;
  for (let next = inputs[t.fed]; next !== undefined && next.at <= to; next = inputs[t.fed]) {
    if (world.waiting().length >= FEED_MAX && next.at !== last) break;
    const result = world.expect(next.at, next.act);
    if (!result.ok) throw new Error(`history: input at ${next.at}: ${result.message}`);
    last = next.at;
    t.fed++;
  }
  const unfed = inputs[t.fed]?.at;
  const bound = unfed !== undefined && unfed < to ? unfed : to;
  return world.runUntil(bound, most) && bound === to;
}

/** Where a journey begins and what it needs on the way. */
interface Route {
  /** Nearest snapshot before `to`; undefined: from instant 0. */
  readonly base: Kept | undefined;
  readonly to: Instant;
  /** Events of the run where it stood in the middle of `to`. */
  readonly events: number | undefined;
  readonly inputs: readonly Input[];
  /** A world to put at the base. */
  readonly open: () => World;
  /** Is handed the world at marks on the way. */
  readonly leave: (world: World) => void;
}

/** A world on its way to an instant of the past. It then stands there with the acts of that instant done, the events of it to come. */
export class Journey {
  private arrived = false;
  private opened: World | undefined;
  private traveller: Traveller | undefined;
  private mark: Instant;
  private readonly spacing: Duration;

  constructor(private readonly route: Route) {
    const from = route.base?.state.now ?? 0;
    this.spacing = Math.max(HISTORY_SPACING_US, Math.ceil((route.to - from) / JOURNEY_LEAVES));
    this.mark = Math.min(route.to, from + this.spacing);
  }

  /** Goes on for at most `most` events; to make a world and to put it at its snapshot are slices by themselves. True when it has arrived. */
  slice(most: number): boolean {
    if (this.arrived) return true;
    if (this.opened === undefined) {
      this.opened = this.route.open();
      return false;
    }
    if (this.traveller === undefined) {
      this.traveller = this.begin(this.opened);
      return false;
    }
    this.arrived = this.goOn(this.traveller, most);
    return this.arrived;
  }

  private begin(world: World): Traveller {
    const { base, inputs } = this.route;
    if (base !== undefined) world.restore({ ...base.state, inputs: inputs.slice(0, base.inputs) });
    return { world, fed: base?.inputs ?? 0 };
  }

  private goOn(traveller: Traveller, most: number): boolean {
    const { to, events, inputs, leave } = this.route;
    const { world } = traveller;
    if (world.now < to || !world.midInstant) {
      if (!travel(traveller, inputs, this.mark, most)) return false;
      if (this.mark < to) {
        leave(world);
        this.mark = Math.min(to, this.mark + this.spacing);
        return false;
      }
      while (world.waiting()[0]?.at === to) world.stepEvent();
    }
    if (events !== undefined) while (world.events < events && world.nextAt() === to) world.stepEvent();
    return true;
  }

  /** Once it has arrived. Whoever looks must not run it on. */
  get world(): World {
    if (!this.arrived || this.opened === undefined) throw new Error("history: the journey is not over");
    return this.opened;
  }
}

export class History {
  private readonly snapshots: Snapshots;
  private replica: Traveller;
  /** Counts how often the run was put elsewhere. */
  private course = 0;
  private spare: World | undefined;

  /**
   * @param start a snapshot of the run that is at hand, where it did not begin with this process; else the replica begins at instant 0
   */
  constructor(
    private readonly run: Run,
    private readonly makeMachine: MachineFactory,
    start?: WorldSnapshot,
    snapshots = new Snapshots(),
  ) {
    this.snapshots = snapshots;
    this.replica = { world: new World(run.origin, makeMachine), fed: 0 };
    if (start !== undefined) this.adopt(start);
  }

  /** The replica goes on from a snapshot of the run: where it begins, or where the run has got too far ahead. */
  adopt(state: WorldSnapshot): void {
    // What waits for its time comes from the record, once it has happened.
    this.replica.world.restore({ ...state, scheduled: [] });
    this.replica.fed = state.inputs.length;
    this.snapshots.add(state);
  }

  /** How far the replica is behind the run. */
  get lag(): Duration {
    return this.run.now - this.replica.world.now;
  }

  /** Instants that can be had at once. */
  instants(): Instant[] {
    return this.snapshots.instants();
  }

  /** Estimated bytes of the snapshots kept. */
  get bytes(): number {
    return this.snapshots.bytes;
  }

  /**
   * Lets the replica follow for at most `most` events, with a snapshot every `spacing` of virtual time.
   * @returns true when it has caught up with the run
   */
  follow(most: number, spacing: Duration = HISTORY_SPACING_US): boolean {
    const { world } = this.replica;
    const { now } = this.run;
    if (world.now >= now) return true;
    const mark = Math.min(now, (Math.floor(world.now / spacing) + 1) * spacing);
    if (!travel(this.replica, this.run.inputs(), mark, most)) return false;
    if (mark % spacing === 0) this.snapshots.add(world.snapshot());
    return mark === now;
  }

  /** The instant of the replica's last digest, where the run has another one: it did not repeat the run. */
  differs(): Instant | undefined {
    const mine = this.replica.world.checkpoints().at(-1);
    if (mine === undefined) return undefined;
    const theirs = this.run.checkpoints();
    let i = theirs.length - 1;
    while (i >= 0 && (theirs[i]?.at ?? 0) > mine.at) i--;
    const same = theirs[i];
    return same?.at === mine.at && same.digest !== mine.digest ? mine.at : undefined;
  }

  /**
   * Sets out for an instant, at latest the run's own. There: the acts stamped with it done, its events to come; at the run's own instant as far as the
   * run is.
   */
  journey(to: Instant): Journey {
    const events = to === this.run.now && this.run.midInstant ? this.run.events : undefined;
    const base = this.snapshots.latest(({ state }) => {
      if (state.now !== to || !state.opened) return state.now <= to;
      return events !== undefined && state.events <= events;
    });
    const course = this.course;
    const leave = (world: World): void => {
      // Where the run was put elsewhere meanwhile, this is another course of events.
      if (course === this.course) this.snapshots.add(world.snapshot());
    };
    return new Journey({ base, to, events, inputs: this.run.inputs(), open: () => this.world(base !== undefined), leave });
  }

  /** A world to travel in: the one of an earlier journey where it will be put at a snapshot, since making one costs more. */
  private world(restored: boolean): World {
    const spare = restored ? this.spare : undefined;
    if (spare !== undefined) this.spare = undefined;
    return spare ?? new World(this.run.origin, this.makeMachine);
  }

  /** The journey's world is not looked at any more. */
  release(journey: Journey): void {
    this.spare = journey.world;
  }

  /** The run goes on from `state`, an earlier one: what came after it, or belongs to another course of events, is forgotten. Call it before the run is put there. */
  rewind(state: WorldSnapshot): void {
    const [before, after] = [this.run.inputs(), state.inputs];
    let common = 0;
    while (common < after.length && sameInput(before[common], after[common])) common++;
    this.snapshots.keepOnly(({ state: s, inputs }) => {
      const next = after[inputs]?.at ?? Number.POSITIVE_INFINITY;
      return s.now <= state.now && inputs <= common && (s.opened ? next > s.now : next >= s.now);
    });
    this.course++;
    this.adopt(state);
  }
}

function sameInput(a: Input | undefined, b: Input | undefined): boolean {
  return a !== undefined && b !== undefined && (a === b || (a.at === b.at && recordInput(a) === recordInput(b)));
}
