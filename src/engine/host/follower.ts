/**
 * One machine at work in a worker: begins where the hub's replica stands, runs through each stretch with what its machine meets in it, and says what became of it in two
 * numbers. No socket and no process is known here. In the real stack this is the computer the node runs on. Left out: order between machines, which the hub keeps.
 */
import type { Instant, Machine, Out } from "../kernel/index.ts";
import type { Load } from "../fuzz/index.ts";
import { stateOf, type MachineFactory, type WorldDesign } from "../world/index.ts";
import { commitOf, type DiskSink, type StampedCommit } from "./disk-sink.ts";
import { EventLog, type Entries, type Entry } from "./event-log.ts";
import type { Answer, Ask, Stretch } from "./wire.ts";

/** A stretch whose digest the hub has not compared yet. */
interface Unverified {
  readonly sequence: number;
  readonly entries: Entries;
}

export class Follower {
  private machine: Machine | undefined;
  private log = new EventLog();
  /** Instant of the machine's last event. */
  private last: Instant = 0;
  private unverified: Unverified[] = [];
  private commits: StampedCommit[] = [];
  private readonly out: Out;

  /** @param make what builds the machine, by the load it is to have */
  constructor(
    private readonly make: (load: Load | undefined) => MachineFactory,
    private readonly disks?: DiskSink,
  ) {
    this.out = (effect) => {
      this.log.effect(effect);
      const commit = commitOf(this.last, effect);
      if (commit !== undefined) this.commits.push(commit);
    };
  }

  /** Name of the machine; undefined before it has begun. */
  get name(): string | undefined {
    return this.machine?.name;
  }

  /** Throws what the machine throws: an assertion of the engine. */
  answer(ask: Exclude<Ask, { ask: "bye" }>): Answer {
    switch (ask.ask) {
      case "begin":
        return { say: "begun", id: ask.id, next: this.begin(ask) };
      case "stretch":
        return this.follow(ask);
      case "entry":
        return { say: "entry", id: ask.id, entry: this.entry(ask.sequence, ask.index) };
    }
  }

  private begin(ask: Extract<Ask, { ask: "begin" }>): Instant {
    // A machine sees of its world the seed and the epoch alone.
    const world: WorldDesign = { ...ask.facts, name: "", networks: [], machines: [ask.design], faults: [] };
    const machine = this.make(ask.load)(world, ask.design);
    if (ask.snapshot !== undefined) machine.restore(ask.snapshot);
    this.machine = machine;
    this.log = new EventLog();
    this.last = 0;
    this.unverified = [];
    this.commits = [];
    return machine.nextTimerAt();
  }

  private follow(stretch: Stretch): Answer {
    const { machine, disks } = this;
    if (machine === undefined) throw new Error("given a stretch before it has begun");
    const { sequence, verified, until } = stretch;
    if (this.unverified.length > 0) this.unverified = this.unverified.filter((one) => one.sequence > verified);
    this.run(machine, stretch);
    this.unverified.push({ sequence, entries: this.log.cut() });
    const { commits } = this;
    this.commits = [];
    if (commits.length > 0) disks?.write(machine.name, commits, until);
    disks?.confirmed(machine.name, stretch.confirmed);
    return { say: "confirm", sequence, digest: this.log.digest() };
  }

  /** As the world orders the events of one machine: by instant; acts, timers, packets; each kind as it is given. As many as the replica had: it may stop within an instant. */
  private run(machine: Machine, { from, until, events, inputs, states }: Stretch): void {
    this.last = Math.max(this.last, from);
    let [taken, taking] = [0, 0];
    const takeStates = (before: Instant): void => {
      for (let at = states[taking]; at !== undefined && at <= before; at = states[++taking])
        this.log.state(at, stateOf(machine), machine.nextTimerAt());
    };
    for (let left = events; left > 0; left--) {
      const input = inputs[taken];
      const timerAt = Math.max(machine.nextTimerAt(), this.last);
      const inputFirst = input !== undefined && ("act" in input ? input.at <= timerAt : input.at < timerAt);
      const at = inputFirst ? input.at : timerAt;
      // Fewer than the replica had: the digest will tell.
      if (at > until) break;
      takeStates(at);
      this.last = at;
      if (inputFirst) taken++;
      this.log.begin(!inputFirst ? "timer" : "act" in input ? "act" : "datagram", at);
      if (!inputFirst) machine.runTimer(at, this.out);
      else if ("act" in input) machine.act(at, input.act, this.out);
      else machine.receive(at, input.datagram, this.out);
      this.log.end(machine.nextTimerAt());
    }
    takeStates(until);
  }

  private entry(sequence: number, index: number): Entry | undefined {
    return this.unverified.find((one) => one.sequence === sequence)?.entries.at(index);
  }
}
