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
  SEC,
  type ArmedTimer,
  type Datagram,
  type Duration,
  type Effect,
  type Instant,
  type Machine,
  type MachineAct,
  type MachineQuery,
  type MachineStatus,
  type QueryReply,
} from "../kernel/index.ts";
import { CLASS_ACT, CLASS_DATAGRAM, CLASS_TIMER, NoTrace, TraceDigest, type Checkpoint } from "./digest.ts";
import type { MachineFactory, WorldDesign } from "./design.ts";
import { MachineRegistry } from "./machine-registry.ts";
import { fabricDesign, machinesOf, networksOf, renamedFaults, type Topology, type TopologyAct } from "./topology.ts";
import type { ActResult, Input, PacketName, Stepped, Watcher, WorldAct, WorldSnapshot } from "./types.ts";
import { FlightQueue, type Flight } from "./queue.ts";
import { checkAct, consequencesOf } from "./act-effects.ts";
import { SharedBytes } from "./record/said.ts";
import { ScheduledActs } from "./scheduled-acts.ts";

/** Events at one instant. Beyond it something wakes itself without end. Ours. */
const EVENTS_PER_INSTANT_MAX = 1_000_000;

export class World {
  readonly fabric: Fabric;
  private readonly registry: MachineRegistry;
  private readonly flights = new FlightQueue();
  private readonly trace: TraceDigest;
  private readonly scheduled = new ScheduledActs();
  private done: Input[] = [];
  private readonly bytes = new SharedBytes();
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

  /**
   * @param origin what the world is built from
   * @param hosted makes the machines of this world where they are not those its forks have: machines that are followed by other processes
   * @param traced false: nobody will ask for a digest of what happens in it, and it runs a sixth faster
   */
  constructor(
    readonly origin: WorldDesign,
    private readonly makeMachine: MachineFactory,
    hosted: MachineFactory = makeMachine,
    readonly traced = true,
  ) {
    this.trace = traced ? new TraceDigest() : new NoTrace();
    if (origin.machines.length > MACHINES_MAX) throw new Error(`a lab has at most ${MACHINES_MAX} machines`);
    this.fabric = new Fabric(fabricDesign(origin.seed, origin));
    for (const fault of origin.faults) {
      const trouble = this.fabric.check(fault);
      if (trouble !== undefined) throw new Error(trouble);
      this.fabric.act(fault);
    }
    this.registry = new MachineRegistry(origin, hosted);
    this.out = (effect) => this.take(effect);
    this.arrive = (path, after) => this.launch(path.to, path.link, after);
  }

  /** What a world like this one would be built from: machines and networks as they are now. */
  get design(): WorldDesign {
    const { topology } = this.registry;
    if (topology.machines === this.origin.machines && topology.networks === this.origin.networks) return this.origin;
    return { ...this.origin, networks: networksOf(topology), machines: machinesOf(topology) };
  }

  /** Machines and networks by number. */
  get topology(): Topology {
    return this.registry.topology;
  }

  /** The machines there are, in the lab's order. */
  get names(): readonly string[] {
    return this.registry.names();
  }

  /** The name of machine `number`, also of one that is there no longer. */
  nameOf(number: number): string {
    return this.registry.nameOf(number);
  }

  /** -1: there is no such machine. */
  numberOf(name: string): number {
    return this.registry.numberOf(name);
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
    const timer = this.registry.timerAt < this.at ? this.at : this.registry.timerAt;
    const flight = this.flights.peek()?.at ?? NEVER;
    const act = this.scheduled.firstAt;
    const first = timer < flight ? timer : flight;
    return first < act ? first : act;
  }

  /** The whole second at which machine states were mixed into the digest last, or are just now. */
  get statesAt(): Instant {
    return this.trace.nextAt - SEC;
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
    while (this.trace.nextAt <= to) this.trace.second(this.registry.all(), this.fabric);
    if (to > this.at) {
      this.at = to;
      this.opened = false;
      this.inInstant = 0;
    }
  }

  private runNext(at: Instant): Stepped {
    this.advance(at);
    if (++this.inInstant > EVENTS_PER_INSTANT_MAX) throw new Error(`world: more than ${EVENTS_PER_INSTANT_MAX} events at instant ${at}`);
    if (this.scheduled.firstAt === at) return this.runScheduled();
    this.opened = true;
    if (this.registry.timerAt <= at) return this.runTimer(at);
    return this.runFlight(at);
  }

  private runTimer(at: Instant): Stepped {
    const target = this.registry.timerOf;
    this.count++;
    this.trace.event(at, CLASS_TIMER, target);
    this.current = target;
    this.registry.machine(target).runTimer(at, this.out);
    this.registry.refresh(target);
    return { at, kind: "timer", machine: this.registry.nameOf(target) };
  }

  private runFlight(at: Instant): Stepped {
    const flight = this.flights.pop();
    if (flight === undefined) throw new Error("world: no event to run");
    const { target, source, link } = flight;
    if (this.fabric.arrives(link, source, target, flight.datagram)) {
      this.count++;
      this.trace.event(at, CLASS_DATAGRAM, target);
      this.trace.flight(source, link, flight.sequence);
      this.current = target;
      this.registry.machine(target).receive(at, flight.datagram, this.out);
      this.registry.refresh(target);
    }
    return { at, kind: "datagram", machine: this.registry.nameOf(target) };
  }

  // ── effects ────────────────────────────────────────────────────────────────────────────────────────────────────────

  private take(effect: Effect): void {
    this.trace.effect(effect);
    if (effect.kind === "send") {
      this.sending = effect.datagram;
      this.fabric.route(this.at, this.current, effect.datagram, this.arrive);
      return;
    }
    if (this.collected !== undefined && effect.kind !== "trace" && effect.kind !== "commit") this.collected.push(effect);
    for (const watcher of this.watchers) watcher.effect?.(this.at, this.current, effect);
  }

  private launch(target: number, link: number, after: Duration): void {
    const source = this.current;
    const sequence = this.registry.nextSequence(source);
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
    return checkAct(act, this.fabric, this.registry, (packet) => this.flightOf(packet) !== undefined);
  }

  /** What machines do or notice when `act` is done, which `check` must let pass: at most one act each, in the order in which it happens. */
  consequences(act: WorldAct): { machine: string; act: MachineAct }[] {
    return consequencesOf(act, this.fabric, this.topology);
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
    while (this.scheduled.firstAt <= this.at) this.runScheduled();
    const effects: Effect[] = [];
    this.collected = effects;
    try {
      this.perform({ at: this.at, act });
    } finally {
      this.collected = undefined;
    }
    return { ok: true, at: this.at, effects };
  }

  /**
   * Does `act` at instant `at`, not before now. Recorded when it happens. Acts of one instant keep the order of scheduling. One that cannot be done
   * by then, since its machine has gone meanwhile, does nothing.
   */
  schedule(at: Instant, act: WorldAct): ActResult {
    return this.check(act) ?? this.expect(at, act);
  }

  /** As `schedule`, of a recorded act: what it needs may be there only when its time has come. */
  expect(at: Instant, act: WorldAct): ActResult {
    return this.scheduled.add(at, act, this.opened ? this.at + 1 : this.at, this.at);
  }

  private runScheduled(): Stepped {
    const input = this.scheduled.next();
    if (input === undefined) throw new Error("world: no act to run");
    return this.perform(input);
  }

  private perform(given: Input): Stepped {
    const input = this.bytes.of(given);
    const { at, act } = input;
    this.count++;
    this.done.push(input);
    const target = act.to === "machine" ? this.registry.numberOf(act.machine) : -1;
    this.trace.event(at, CLASS_ACT, target);
    this.trace.value(act);
    for (const watcher of this.watchers) watcher.input?.(input);
    if (this.check(act) === undefined) {
      for (const { machine, act: own } of this.consequences(act)) this.tell(this.registry.numberOf(machine), own);
      if (act.to === "fabric") this.fabric.act(act.act);
      else if (act.to === "lab") this.change(act.act);
      else if (act.to === "packet") this.drop(act.act);
    }
    return { at, kind: "act", machine: act.to === "machine" ? act.machine : "" };
  }

  private tell(number: number, act: MachineAct): void {
    this.trace.touch(number);
    this.current = number;
    this.registry.machine(number).act(this.at, act, this.out);
    this.registry.refresh(number);
  }

  private change(act: TopologyAct): void {
    const on = this.registry.change(act);
    this.fabric.redesign(fabricDesign(this.origin.seed, this.topology), renamedFaults(this.fabric.faults(), act));
    if (act.kind === "net-rename") this.flights.change((d) => (d.net === act.net ? { ...d, net: act.to } : d));
    this.trace.restart(this.registry.size);
    for (const watcher of this.watchers) watcher.changed?.(this.at, act);
    if (on >= 0) this.tell(on, { kind: "power-on" });
  }

  private flightOf({ source, target, net, sequence }: PacketName): Flight | undefined {
    const { registry } = this;
    const [from, to] = [registry.numberOf(source), registry.numberOf(target)];
    return this.flights.all().find((f) => f.source === from && f.target === to && f.sequence === sequence && f.datagram.net === net);
  }

  private drop(packet: PacketName): void {
    const flight = this.flightOf(packet);
    if (flight !== undefined) this.flights.drop(flight);
  }

  /** Acts done so far, in order. */
  inputs(): readonly Input[] {
    return this.done;
  }

  /** Acts that wait for their instant. */
  waiting(): readonly Input[] {
    return this.scheduled.all();
  }

  // ── what is to come ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Packets under way, in no order. Some of them are not going to arrive: their path has been cut meanwhile. */
  flying(): readonly Flight[] {
    return this.flights.all();
  }

  /** Whether it is going to arrive, as the networks are now. */
  arrives({ link, source, target, datagram }: Flight): boolean {
    return this.fabric.arrives(link, source, target, datagram);
  }

  /** Timers that machines have armed, by the number of the machine; in no order. One that stands still has none. */
  armed(): readonly (ArmedTimer & { readonly machine: number })[] {
    return this.registry.all().flatMap((machine, number) => (machine?.armed?.() ?? []).map((timer) => ({ ...timer, machine: number })));
  }

  // ── questions ──────────────────────────────────────────────────────────────────────────────────────────────────────

  has(name: string): boolean {
    return this.registry.numberOf(name) >= 0;
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
    return this.registry.all().flatMap((m) => (m === undefined ? [] : [m.status(this.at)]));
  }

  /** The machine itself, for its journal; nobody but the world may step it. */
  named(name: string): Pick<Machine, "name" | "query" | "status" | "journalSince" | "journalLength"> {
    return this.registry.machine(this.registry.numberOf(name));
  }

  /** For a host whose machines are followed elsewhere; undefined: it is there no longer. */
  machineAt(number: number): Machine | undefined {
    return this.registry.at(number);
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
      flights: this.flights.snapshot(),
      ...this.registry.snapshot(),
      fabric: this.fabric.snapshot(),
      trace: this.trace.snapshot(),
      scheduled: [...this.scheduled.all()],
      inputs: [...this.done],
    };
  }

  /** Goes on from a snapshot of a world of the same design, also one that was written to disk and read again. */
  restore(state: WorldSnapshot): void {
    this.at = state.now;
    this.opened = state.opened;
    this.inInstant = 0;
    this.count = state.events;
    this.registry.restore(state);
    this.flights.restore(state.flights);
    this.fabric.redesign(fabricDesign(this.origin.seed, this.topology), state.fabric.faults);
    this.fabric.restore(state.fabric);
    this.trace.restore(state.trace);
    this.scheduled.restore(state.scheduled);
    this.done = [...state.inputs];
  }

  /** A second world that goes on from here by itself. Watchers stay behind. */
  fork(): World {
    const copy = new World(this.origin, this.makeMachine, this.makeMachine, this.traced);
    copy.restore(this.snapshot());
    return copy;
  }
}
