/**
 * A world: machines, the fabric between them, the faults, and one order of all that happens. Given a design and a list of inputs, each stamped with
 * an instant, a run is fully determined. A host decides when to grant time; the world never asks what time it is. The real counterpart is
 * reality. Left out: any pacing, any wall clock.
 *
 * Order of events: instant; then acts, timers, datagrams; then target, source, link, the source's count. An act that comes when events of the present
 * instant have already run is stamped one microsecond later, so that its stamp alone says where it belongs.
 */
import { Fabric } from "../fabric/index.ts";
import {
  MACHINES_MAX,
  NEVER,
  type Datagram,
  type Duration,
  type Effect,
  type Instant,
  type Machine,
  type MachineQuery,
  type MachineStatus,
  type QueryReply,
} from "../kernel/index.ts";
import { CLASS_ACT, CLASS_DATAGRAM, CLASS_TIMER, TraceDigest, type Checkpoint } from "./digest.ts";
import type { MachineFactory, WorldDesign } from "./design.ts";
import type { ActResult, Input, Stepped, Upcoming, Watcher, WorldAct, WorldSnapshot } from "./types.ts";
import { FlightQueue, type Flight } from "./queue.ts";

/** Acts that may wait for their instant. Ours: far beyond what a person schedules. */
const SCHEDULED_MAX = 100_000;
/** Events at one instant. Beyond it something wakes itself without end. Ours. */
const EVENTS_PER_INSTANT_MAX = 1_000_000;

export class World {
  readonly fabric: Fabric;
  readonly names: readonly string[];
  private readonly machines: readonly Machine[];
  private readonly numbers = new Map<string, number>();
  private readonly timers: Float64Array;
  private timerAt: Instant = NEVER;
  private timerOf = -1;
  private readonly sequences: number[];
  private readonly flights = new FlightQueue();
  private readonly trace = new TraceDigest();
  private scheduled: Input[] = [];
  private done: Input[] = [];
  private watchers: readonly Watcher[] = [];
  private at: Instant = 0;
  /** A timer or datagram of the present instant has run. */
  private opened = false;
  private inInstant = 0;
  private count = 0;
  private current = -1;
  private collected: Effect[] | undefined;
  private readonly out: (effect: Effect) => void;
  private readonly arrive: (path: { to: number; link: number }, after: Duration) => void;
  private sending: Datagram | undefined;

  /** @param hosted makes the machines of this world where they are not those its forks have: machines that run in other processes */
  constructor(
    readonly design: WorldDesign,
    private readonly makeMachine: MachineFactory,
    hosted: MachineFactory = makeMachine,
  ) {
    if (design.machines.length > MACHINES_MAX) throw new Error(`a lab has at most ${MACHINES_MAX} machines`);
    this.names = design.machines.map((m) => m.name);
    this.names.forEach((name, i) => this.numbers.set(name, i));
    this.fabric = new Fabric({
      seed: design.seed,
      networks: design.networks,
      machines: this.names,
      nics: design.machines.flatMap((m) => m.nics.map((n) => ({ node: m.name, net: n.net, address: n.address }))),
    });
    for (const fault of design.faults) {
      const trouble = this.fabric.check(fault);
      if (trouble !== undefined) throw new Error(trouble);
      this.fabric.act(fault);
    }
    this.machines = design.machines.map((m) => hosted(design, m));
    this.timers = new Float64Array(this.machines.length);
    this.sequences = this.machines.map(() => 0);
    this.out = (effect) => this.take(effect);
    this.arrive = (path, after) => this.launch(path.to, path.link, after);
    for (let i = 0; i < this.machines.length; i++) this.refreshTimer(i);
  }

  // ── time ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  get now(): Instant {
    return this.at;
  }

  /** Datagrams, timers and acts that machines and fabric have been given so far. */
  get events(): number {
    return this.count;
  }

  /** Instant of the next event; NEVER if nothing is under way. */
  nextAt(): Instant {
    const timer = this.timerAt < this.at ? this.at : this.timerAt;
    const flight = this.flights.peek()?.at ?? NEVER;
    const act = this.scheduled[0]?.at ?? NEVER;
    const first = timer < flight ? timer : flight;
    return first < act ? first : act;
  }

  /** What the next event is; undefined if nothing is under way. */
  upcoming(): Upcoming | undefined {
    const at = this.nextAt();
    if (at === NEVER) return undefined;
    if (this.scheduled[0]?.at === at) return { at, kind: "act", input: this.scheduled[0] };
    const flight = this.flights.peek();
    return this.timerAt > at && flight !== undefined ? { at, kind: "datagram", flight } : { at, kind: "timer", target: this.timerOf };
  }

  /** Packets under way that arrive before `until` if no act happens before, in the world's order. */
  arrivals(until: Instant): Flight[] {
    return this.flights.before(until).filter((f) => this.fabric.arrives(f.link, f.source, f.target));
  }

  /** The next instant at which machine states are mixed into the digest: a whole second. */
  nextSecond(): Instant {
    return this.trace.nextAt;
  }

  /** Events of the present instant have run, so that an act now would be stamped one microsecond later. */
  get midInstant(): boolean {
    return this.opened;
  }

  /**
   * Runs every event before `until`, then stands at `until`: acts and queries there come before the events of that instant.
   * @param most stop after so many events, for a host that shares its thread
   * @returns true when `until` is reached
   */
  runUntil(until: Instant, most = Number.POSITIVE_INFINITY): boolean {
    for (let left = most; left > 0; left--) {
      const at = this.nextAt();
      if (at >= until) {
        if (until !== NEVER) this.advance(until);
        return true;
      }
      this.runNext(at);
    }
    return false;
  }

  /** Runs the events of one window: from the next event on for as long as the shortest link takes. False if nothing is under way. */
  runWindow(): boolean {
    const at = this.nextAt();
    if (at === NEVER) return false;
    this.runUntil(at + this.fabric.windowUs());
    return true;
  }

  /** Runs the next event alone. Undefined if nothing is under way. */
  stepEvent(): Stepped | undefined {
    const at = this.nextAt();
    return at === NEVER ? undefined : this.runNext(at);
  }

  private advance(to: Instant): void {
    if (to <= this.at && this.trace.nextAt > to) return;
    while (this.trace.nextAt <= to) this.trace.second(this.machines);
    if (to > this.at) {
      this.at = to;
      this.opened = false;
      this.inInstant = 0;
    }
  }

  private runNext(at: Instant): Stepped {
    this.advance(at);
    if (++this.inInstant > EVENTS_PER_INSTANT_MAX) throw new Error(`world: more than ${EVENTS_PER_INSTANT_MAX} events at instant ${at}`);
    if (this.scheduled[0]?.at === at) return this.runScheduled();
    this.opened = true;
    if (this.timerAt <= at) return this.runTimer(at);
    return this.runFlight(at);
  }

  private runTimer(at: Instant): Stepped {
    const target = this.timerOf;
    this.count++;
    this.trace.event(at, CLASS_TIMER, target);
    this.current = target;
    this.machine(target).runTimer(at, this.out);
    this.refreshTimer(target);
    return { at, kind: "timer", machine: this.names[target] ?? "" };
  }

  private runFlight(at: Instant): Stepped {
    const flight = this.flights.pop();
    if (flight === undefined) throw new Error("world: no event to run");
    const { target, source, link } = flight;
    if (this.fabric.arrives(link, source, target)) {
      this.count++;
      this.trace.event(at, CLASS_DATAGRAM, target);
      this.trace.flight(source, link, flight.sequence);
      this.current = target;
      this.machine(target).receive(at, flight.datagram, this.out);
      this.refreshTimer(target);
    }
    return { at, kind: "datagram", machine: this.names[target] ?? "" };
  }

  private machine(number: number): Machine {
    const machine = this.machines[number];
    if (machine === undefined) throw new Error(`world: no machine number ${number}`);
    return machine;
  }

  private refreshTimer(number: number): void {
    const at = this.machine(number).nextTimerAt();
    this.timers[number] = at;
    if (at < this.timerAt || (at === this.timerAt && number < this.timerOf)) {
      this.timerAt = at;
      this.timerOf = number;
    } else if (number === this.timerOf && at !== this.timerAt) this.scanTimers();
  }

  private scanTimers(): void {
    const timers = this.timers;
    let [best, of] = [NEVER, -1];
    for (let i = 0; i < timers.length; i++) {
      const at = timers[i] ?? NEVER;
      if (at < best) [best, of] = [at, i];
    }
    this.timerAt = best;
    this.timerOf = of;
  }

  // ── effects ────────────────────────────────────────────────────────────────────────────────────────────────────────

  private take(effect: Effect): void {
    this.trace.effect(effect);
    if (effect.kind === "send") {
      this.sending = effect.datagram;
      this.fabric.route(this.current, effect.datagram, this.arrive);
      return;
    }
    if (this.collected !== undefined && effect.kind !== "trace") this.collected.push(effect);
    for (const watcher of this.watchers) watcher.effect?.(this.at, this.current, effect);
  }

  private launch(target: number, link: number, after: Duration): void {
    const source = this.current;
    const sequence = (this.sequences[source] ?? 0) + 1;
    this.sequences[source] = sequence;
    if (this.sending !== undefined) this.flights.push({ at: this.at + after, target, source, link, sequence, datagram: this.sending });
  }

  /** Adds a watcher; the answer takes it away again. Watchers never change a run and are in no snapshot. */
  watch(watcher: Watcher): () => void {
    this.watchers = [...this.watchers, watcher];
    return () => {
      this.watchers = this.watchers.filter((w) => w !== watcher);
    };
  }

  // ── acts ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Why `act` cannot be done; undefined when it can. */
  check(act: WorldAct): ActResult | undefined {
    if (act.to === "machine") {
      if (this.numbers.has(act.machine)) return undefined;
      return { ok: false, code: "no-such-machine", message: `no machine ${act.machine}; there are ${this.names.join(", ")}` };
    }
    const message = this.fabric.check(act.act);
    return message === undefined ? undefined : { ok: false, code: "bad-fault", message };
  }

  /** Does `act` now: at the present instant, or one microsecond later where events of this instant have already run. Recorded. */
  act(act: WorldAct): ActResult {
    const trouble = this.check(act);
    if (trouble !== undefined) return trouble;
    if (this.opened) {
      while (this.nextAt() === this.at) this.runNext(this.at);
      this.advance(this.at + 1);
    }
    this.advance(this.at);
    while (this.scheduled[0] !== undefined && this.scheduled[0].at <= this.at) this.runScheduled();
    const effects: Effect[] = [];
    this.collected = effects;
    try {
      this.perform({ at: this.at, act });
    } finally {
      this.collected = undefined;
    }
    return { ok: true, at: this.at, effects };
  }

  /** Does `act` at instant `at`, not before now. Recorded when it happens. Acts of one instant keep the order of scheduling. */
  schedule(at: Instant, act: WorldAct): ActResult {
    const trouble = this.check(act);
    if (trouble !== undefined) return trouble;
    if (!Number.isSafeInteger(at)) return { ok: false, code: "past", message: `an instant is a whole number of microseconds, not ${at}` };
    if (at < this.at || (at === this.at && this.opened))
      return { ok: false, code: "past", message: `instant ${at} has passed; it is ${this.at}` };
    if (this.scheduled.length >= SCHEDULED_MAX)
      return { ok: false, code: "too-many", message: `at most ${SCHEDULED_MAX} acts can wait for their time` };
    let i = this.scheduled.length;
    while (i > 0 && (this.scheduled[i - 1]?.at ?? 0) > at) i--;
    this.scheduled.splice(i, 0, { at, act });
    return { ok: true, at, effects: [] };
  }

  private runScheduled(): Stepped {
    const input = this.scheduled.shift();
    if (input === undefined) throw new Error("world: no act to run");
    return this.perform(input);
  }

  private perform(input: Input): Stepped {
    const { at, act } = input;
    this.count++;
    this.done.push(input);
    const target = act.to === "machine" ? (this.numbers.get(act.machine) ?? -1) : -1;
    this.trace.event(at, CLASS_ACT, target);
    this.trace.value(act);
    for (const watcher of this.watchers) watcher.input?.(input);
    if (act.to === "fabric") this.fabric.act(act.act);
    else {
      this.current = target;
      this.machine(target).act(at, act.act, this.out);
      this.refreshTimer(target);
    }
    return { at, kind: "act", machine: act.to === "machine" ? act.machine : "" };
  }

  /** Acts done so far, in order. */
  inputs(): readonly Input[] {
    return this.done;
  }

  /** Acts that wait for their instant. */
  waiting(): readonly Input[] {
    return this.scheduled;
  }

  // ── questions ──────────────────────────────────────────────────────────────────────────────────────────────────────

  has(name: string): boolean {
    return this.numbers.has(name);
  }

  /** Answered at the present instant; changes nothing. Throws for a machine that is not there: ask `has` first. */
  query(name: string, query: MachineQuery): QueryReply {
    return this.named(name).query(this.at, query);
  }

  status(name: string): MachineStatus {
    return this.named(name).status(this.at);
  }

  /** Of all machines in the lab's order. */
  statuses(): MachineStatus[] {
    return this.machines.map((m) => m.status(this.at));
  }

  /** The machine itself, for its journal; nobody but the world may step it. */
  named(name: string): Pick<Machine, "name" | "query" | "status" | "journalSince" | "journalLength"> {
    return this.machine(this.numbers.get(name) ?? -1);
  }

  /** The rolling trace digest, 16 hex digits: of everything that happened before `now`, and what has happened at it so far. */
  digest(): string {
    return this.trace.hex();
  }

  /** Ends the present instant and stands one microsecond after it: a digest that a replay of the inputs so far reaches too. */
  closeInstant(): Checkpoint {
    this.runUntil(this.at + 1);
    return { at: this.at, digest: this.digest() };
  }

  checkpoints(): readonly Checkpoint[] {
    return this.trace.noted();
  }

  // ── snapshots ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Plain data, sharing what is immutable. */
  snapshot(): WorldSnapshot {
    return {
      now: this.at,
      opened: this.opened,
      events: this.count,
      sequences: [...this.sequences],
      flights: this.flights.snapshot(),
      machines: this.machines.map((m) => m.snapshot()),
      fabric: this.fabric.snapshot(),
      trace: this.trace.snapshot(),
      scheduled: [...this.scheduled],
      inputs: [...this.done],
    };
  }

  /** Goes on from a snapshot of a world of the same design, also one that was written to disk and read again. */
  restore(state: WorldSnapshot): void {
    this.at = state.now;
    this.opened = state.opened;
    this.inInstant = 0;
    this.count = state.events;
    state.sequences.forEach((n, i) => (this.sequences[i] = n));
    this.flights.restore(state.flights);
    this.fabric.restore(state.fabric);
    this.trace.restore(state.trace);
    this.scheduled = [...state.scheduled];
    this.done = [...state.inputs];
    this.machines.forEach((m, i) => m.restore(state.machines[i] ?? {}));
    for (let i = 0; i < this.machines.length; i++) this.timers[i] = this.machine(i).nextTimerAt();
    this.scanTimers();
  }

  /** A second world that goes on from here by itself. Watchers stay behind. */
  fork(): World {
    const twin = new World(this.design, this.makeMachine);
    twin.restore(this.snapshot());
    return twin;
  }
}
