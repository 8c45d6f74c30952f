/**
 * The hub of a world whose machines are processes: it holds the fabric and the time. A grant is all events of one window, as long as the shortest link delay,
 * so that nothing a machine does in it can reach another one in it; workers with events in the window run them side by side, and the world then plays their
 * answers back in its own order. Order, generators, digest and watchers are the world's own, so a run is the same as in one process. In the real stack this
 * is the wire and the passing of time. Left out: pace (workers.ts).
 */
import {
  NEVER,
  type Duration,
  type Instant,
  type MachineQuery,
  type MachineSnapshot,
  type MachineStatus,
  type QueryReply,
} from "../kernel/index.ts";
import { loadedMachines, type Load } from "../fuzz/index.ts";
import {
  accept,
  World,
  type ActResult,
  type Checkpoint,
  type MachineFactory,
  type Plan,
  type Stepped,
  type WorldAct,
  type WorldDesign,
  type WorldSnapshot,
} from "../world/index.ts";
import type { Flight } from "../world/queue.ts";
import type { Crew, Question, Said, Worker } from "./crew.ts";
import type { Mover } from "./mover.ts";
import { RemoteMachine } from "./remote.ts";
import { Staff } from "./staff.ts";
import type { Arrival, Grant } from "./wire.ts";

/** The lab itself went wrong: what a worker did is not what the same machine does here. */
export class LabFault extends Error {}

export interface HubOptions {
  readonly crew: Crew;
  /** Goes on from there; absent: from the beginning. */
  readonly snapshot?: WorldSnapshot;
  /** What a program on every node multicasts; absent: there is none. */
  readonly load?: Load;
  /** Builds the machines here; the workers' program must build the same. Default: cluster nodes, with the load. */
  readonly makeMachine?: MachineFactory;
}

/** Who is told what goes wrong with the lab itself. */
export interface Attendant {
  /** A worker died or fell silent: its machine has lost power, as an act of the record. */
  readonly lost?: (machine: string, why: string) => void;
  /** The hub has stopped for good: an assertion of the engine, or a LabFault. Also thrown to whoever asks next. */
  readonly broken?: (error: unknown) => void;
}

/** Events between two questions whether to go on alone. */
const ALONE_EVENTS = 256;

/** A grant before it has its number. */
type Offer = Omit<Grant, "ask" | "id">;

export class Hub implements Mover {
  /** To be read, watched and forked; who changes it does so through the hub. */
  readonly world: World;
  private tail: Promise<unknown> = Promise.resolve();
  private broken: { readonly error: unknown } | undefined;
  private closed = false;
  private attendants: readonly Attendant[] = [];
  private readonly staff: Staff;

  private constructor(
    readonly design: WorldDesign,
    options: HubOptions,
  ) {
    const make = options.makeMachine ?? loadedMachines(options.load);
    this.world = new World(design, make, (facts, machine) => new RemoteMachine(make(facts, machine)));
    const { crew, load, snapshot } = options;
    this.staff = new Staff(this.world, design, {
      crew,
      ...(load === undefined ? {} : { load }),
      onGone: (worker) => this.noticeGone(worker),
    });
    if (snapshot !== undefined) this.world.restore(snapshot);
  }

  /** Starts a worker for every machine. Throws where one does not come up; then none is left. */
  static async start(design: WorldDesign, options: HubOptions): Promise<Hub> {
    const hub = new Hub(design, options);
    await hub.staff.employAll(options.snapshot !== undefined);
    return hub;
  }

  // ── one at a time ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Runs `work` when everything asked before is done. What breaks the world breaks the hub. */
  private exclusive<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.tail.then(async () => {
      if (this.broken !== undefined) throw this.broken.error;
      if (this.closed) throw new Error("the lab's workers have been sent home");
      return work();
    });
    this.tail = turn.catch(() => undefined);
    return turn;
  }

  /** For the part in which world and workers move: an error there leaves them apart. */
  private async moving<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (this.broken === undefined) {
        this.broken = { error };
        for (const attendant of this.attendants) attendant.broken?.(error);
      }
      throw error;
    }
  }

  /** Tells `attendant` from now on. */
  attend(attendant: Attendant): void {
    this.attendants = [...this.attendants, attendant];
  }

  private judge(): void {
    for (const remote of this.staff.all) if (remote.difference !== undefined) throw new LabFault(remote.difference);
  }

  // ── time ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  get now(): Instant {
    return this.world.now;
  }

  nextAt(): Instant {
    return this.world.nextAt();
  }

  /** As World.runUntil. Acts asked for meanwhile come between two windows. */
  async runUntil(until: Instant): Promise<void> {
    while (!(await this.advance(until)));
  }

  /** As `follow` of the world: what `plan` yields is done one after the other, by the workers. */
  async follow<T>(plan: Plan<T>): Promise<T> {
    let step = plan.next();
    while (step.done !== true) {
      try {
        if (step.value === "event") await this.stepEvent();
        else if (typeof step.value === "number") await this.runUntil(step.value);
        else accept(await this.act(step.value));
      } catch (error) {
        step = plan.throw(error);
        continue;
      }
      step = plan.next();
    }
    return step.value;
  }

  /** One step towards `until`: a window, or an act that was scheduled. True when it is reached. */
  advance(until: Instant): Promise<boolean> {
    return this.exclusive(() => this.moving(() => this.stretch(until)));
  }

  /** As World.runWindow. */
  async runWindow(): Promise<boolean> {
    const at = this.world.nextAt();
    if (at === NEVER) return false;
    await this.runUntil(at + this.world.fabric.windowUs());
    return true;
  }

  private async stretch(until: Instant): Promise<boolean> {
    this.missLost();
    const { world } = this;
    const at = world.nextAt();
    await this.reach(Math.min(at, until));
    if (world.nextAt() < at) return false;
    if (at >= until) return true;
    if (world.upcoming()?.kind === "act") {
      await this.performNext();
      return world.now >= until && world.nextAt() >= until;
    }
    const end = Math.min(until, at + world.fabric.windowUs(), world.waiting()[0]?.at ?? NEVER, world.nextSecond());
    await this.offerWindow(end);
    world.runUntil(end);
    this.judge();
    return end === until;
  }

  /** Stands at `instant`, before which nothing happens any more, with the digests of the seconds on the way. */
  private async reach(instant: Instant): Promise<void> {
    if (instant === NEVER) return;
    if (this.world.nextSecond() <= instant) await Promise.all(this.staff.all.map((remote) => this.learnState(remote)));
    this.missLost();
    if (this.world.nextAt() < instant) return;
    this.world.runUntil(instant);
    this.judge();
  }

  private async learnState(remote: RemoteMachine): Promise<void> {
    const worker = remote.run;
    if (worker === undefined || !remote.stale) return;
    const answer = await worker.ask({ ask: "state" });
    if (answer?.say === "state") remote.knowState(answer.state);
    else worker.kill();
  }

  /** Runs the next event alone. Undefined if nothing is under way. */
  stepEvent(): Promise<Stepped | undefined> {
    return this.exclusive(() => this.moving(() => this.single()));
  }

  private async single(): Promise<Stepped | undefined> {
    this.missLost();
    const { world } = this;
    if (world.nextAt() === NEVER) return undefined;
    await this.reach(world.nextAt());
    const up = world.upcoming();
    if (up === undefined) return undefined;
    if (up.kind === "act") return this.performNext();
    const target = up.kind === "timer" ? up.target : up.flight.target;
    const arrivals = up.kind === "datagram" ? world.arrivals(up.at + 1).filter((f) => f === up.flight) : [];
    if (up.kind === "timer" || arrivals.length > 0) {
      const offer = { from: world.now, until: up.at + 1, arrivals: arrivals.map(arrival), single: true, state: false };
      await this.offer(this.staff.at(target), offer);
      this.missLost();
    }
    const stepped = world.stepEvent();
    this.judge();
    return stepped;
  }

  /**
   * Runs on in this process alone until `stop()`, looked at every so many µs in which something happened (0: after each event), or `until`, or the next
   * act that waits, or as long as `mayGoOn()` and no process is gone; then the workers take over from where the machines stand. Most of the time of a run
   * over processes is their waiting for one another, which nobody who wants to be elsewhere in time has a use for; order, digest and watchers are the same.
   * @returns whether `stop()` ended it
   */
  alone(until: Instant, every: Duration, stop: () => boolean, mayGoOn: () => Promise<boolean>): Promise<boolean> {
    return this.exclusive(() =>
      this.moving(async () => {
        this.missLost();
        const staffed = this.staff.all.flatMap((remote) => (remote.run === undefined ? [] : [{ remote, worker: remote.run }]));
        for (const { remote } of staffed) remote.rest();
        const everyoneThere = (): boolean => staffed.every(({ worker }) => worker.gone === undefined);
        let stopped = false;
        try {
          stopped = await this.runAlone(until, every, stop, async () => (await mayGoOn()) && everyoneThere());
        } finally {
          await Promise.all(staffed.map(({ remote, worker }) => this.staff.resume(remote, worker)));
        }
        this.missLost();
        this.judge();
        return stopped;
      }),
    );
  }

  private async runAlone(until: Instant, every: Duration, stop: () => boolean, mayGoOn: () => Promise<boolean>): Promise<boolean> {
    const { world } = this;
    const end = Math.min(until, world.waiting()[0]?.at ?? NEVER);
    do {
      for (let i = 0; i < ALONE_EVENTS; i++) {
        const at = world.nextAt();
        if (at >= end) {
          if (end !== NEVER) world.runUntil(end);
          return false;
        }
        if (every === 0) world.stepEvent();
        else world.runUntil(Math.min(end, (Math.floor(at / every) + 1) * every));
        if (stop()) return true;
      }
    } while (await mayGoOn());
    return false;
  }

  // ── grants ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Grants everybody what happens to it before `end`, and takes the answers. */
  private async offerWindow(end: Instant): Promise<void> {
    const { world } = this;
    const from = world.now;
    const flights = new Map<number, Flight[]>();
    for (const flight of world.arrivals(end)) {
      const mine = flights.get(flight.target);
      if (mine === undefined) flights.set(flight.target, [flight]);
      else mine.push(flight);
    }
    const state = end === world.nextSecond();
    const asked = this.staff.numbers.map(async (number) => {
      const remote = this.staff.at(number);
      if (remote?.run === undefined) return;
      const mine = flights.get(number) ?? [];
      if (mine.length > 0 || Math.max(remote.nextTimerAt(), from) < end)
        await this.offer(remote, { from, until: end, arrivals: mine.map(arrival), single: false, state });
      else if (state) await this.learnState(remote);
    });
    await Promise.all(asked);
    this.missLost();
  }

  private async offer(remote: RemoteMachine | undefined, offer: Offer): Promise<void> {
    const worker = remote?.run;
    if (remote === undefined || worker === undefined) return;
    const answer = await worker.ask({ ask: "grant", ...offer });
    if (answer?.say === "ran" && remote.load(offer, answer.events) && (answer.state !== undefined || !offer.state))
      remote.knowState(answer.state);
    else worker.kill();
  }

  // ── workers that are lost ──────────────────────────────────────────────────────────────────────────────────────────

  /** Whoever is gone untold lost its power at this instant: an act like any other, so that the record tells it. */
  private missLost(): void {
    for (const remote of this.staff.all) {
      const why = remote.run?.gone;
      if (why === undefined) continue;
      remote.leave();
      this.lose(remote.name, why);
    }
  }

  private lose(machine: string, why: string): void {
    const at = this.world.midInstant ? this.world.now + 1 : this.world.now;
    const noted = this.world.schedule(at, { to: "machine", machine, act: { kind: "worker-lost" } });
    if (!noted.ok) throw new Error(`the loss of ${machine} cannot be recorded: ${noted.message}`);
    for (const attendant of this.attendants) attendant.lost?.(machine, why);
  }

  /** Also while time stands the lab says at once who is lost. */
  private noticeGone(worker: Worker): void {
    if (this.closed || !this.staff.all.some((remote) => remote.run === worker)) return;
    const settle = async (): Promise<void> => {
      this.missLost();
      await this.performDue();
    };
    // A hub that is broken or closed by then has told so already.
    this.exclusive(() => this.moving(settle)).catch(() => undefined);
  }

  // ── acts ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** As World.act, between two windows. Rejects where a machine that is powered on gets no process. */
  act(act: WorldAct): Promise<ActResult> {
    return this.exclusive(async () => {
      const { world } = this;
      const trouble = world.check(act);
      if (trouble !== undefined) return trouble;
      await this.moving(async () => {
        this.missLost();
        // What is left of this instant comes first; the act is one microsecond after it.
        for (const after = world.now + 1; world.midInstant && world.now < after;) await this.stretch(after);
        await this.performDue();
        await this.reach(world.now);
      });
      await this.powerUp(act);
      return this.moving(async () => {
        await this.prepare(act, world.now);
        const result = world.act(act);
        this.judge();
        await this.welcome(act);
        return result;
      });
    });
  }

  /** As World.schedule. */
  schedule(at: Instant, act: WorldAct): Promise<ActResult> {
    return this.exclusive(async () => this.world.schedule(at, act));
  }

  /** As World.expect. */
  expect(at: Instant, act: WorldAct): Promise<ActResult> {
    return this.exclusive(async () => this.world.expect(at, act));
  }

  /** Acts that wait for the present instant. */
  private async performDue(): Promise<void> {
    while ((this.world.waiting()[0]?.at ?? NEVER) <= this.world.now) await this.performNext();
  }

  /** The first act that waits; it is due. */
  private async performNext(): Promise<Stepped | undefined> {
    const { world } = this;
    const input = world.waiting()[0];
    if (input === undefined) return undefined;
    await this.reach(input.at);
    const without = await this.reasonOf(this.powerUp(input.act));
    await this.prepare(input.act, input.at);
    // A worker that was lost meanwhile stands behind it in the row.
    const stepped = world.stepEvent();
    if (without !== undefined && input.act.to === "machine") this.lose(input.act.machine, without);
    this.judge();
    await this.welcome(input.act);
    return stepped;
  }

  /** Why a process did not come up; undefined where it did. Nobody waits for such an act any more who could be refused it. */
  private async reasonOf(start: Promise<void>): Promise<string | undefined> {
    try {
      await start;
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** A machine that has just been plugged in gets a process, which stands where it stands. */
  private async welcome(act: WorldAct): Promise<void> {
    if (act.to !== "lab" || act.act.kind !== "machine-add") return;
    const number = this.world.numberOf(act.act.machine.name);
    if (number < 0 || this.staff.at(number)?.run !== undefined) return;
    const why = await this.reasonOf(this.staff.employ(number, true));
    if (why !== undefined) this.lose(act.act.machine.name, why);
  }

  /** A machine that is switched on and has no process gets one. */
  private async powerUp(act: WorldAct): Promise<void> {
    if (act.to !== "machine" || act.act.kind !== "power-on") return;
    const number = this.world.numberOf(act.machine);
    const remote = this.staff.at(number);
    if (remote !== undefined && remote.run === undefined) await this.staff.employ(number, true);
  }

  /** Has the workers do what an act brings about on their machines, so that the world can play it back. A power cut is the end of the process. */
  private async prepare(act: WorldAct, at: Instant): Promise<void> {
    if (this.world.check(act) !== undefined) return;
    const all = this.world.consequences(act).map(async ({ machine, act: own }) => {
      const remote = this.staff.of(machine);
      if (remote === undefined) return;
      if (own.kind === "power-cut" || own.kind === "worker-lost") this.staff.dismiss(remote);
      const worker = remote.run;
      if (worker === undefined) return;
      const answer = await worker.ask({ ask: "act", at, act: own });
      if (answer?.say !== "ran" || !remote.loadAct(at, answer.events)) worker.kill();
    });
    await Promise.all(all);
    this.missLost();
  }

  // ── questions to the workers themselves ────────────────────────────────────────────────────────────────────────────

  /** Asks a machine's process. Undefined where there is none. */
  private ask(name: string, question: Question): Promise<Said | undefined> {
    return this.exclusive(async () => {
      const remote = this.staff.of(name);
      if (remote === undefined) throw new Error(`no machine ${name}`);
      return remote.run?.ask(question);
    });
  }

  /** Id of the process that runs a machine; undefined where none does. */
  pidOf(name: string): number | undefined {
    return this.staff.of(name)?.run?.pid;
  }

  /** The answer of the machine's process, which is the one `world.query` gives; undefined where no process runs it. */
  async query(name: string, query: MachineQuery): Promise<QueryReply | undefined> {
    const answer = await this.ask(name, { ask: "query", at: this.world.now, query });
    return answer?.say === "reply" ? answer.reply : undefined;
  }

  async status(name: string): Promise<MachineStatus | undefined> {
    const answer = await this.ask(name, { ask: "status", at: this.world.now });
    return answer?.say === "status" ? answer.status : undefined;
  }

  async snapshotOf(name: string): Promise<MachineSnapshot | undefined> {
    const answer = await this.ask(name, { ask: "snapshot" });
    return answer?.say === "snapshot" ? answer.snapshot : undefined;
  }

  // ── the whole ──────────────────────────────────────────────────────────────────────────────────────────────────────

  digest(): string {
    return this.world.digest();
  }

  checkpoints(): readonly Checkpoint[] {
    return this.world.checkpoints();
  }

  /** As World.closeInstant. */
  async closeInstant(): Promise<Checkpoint> {
    await this.runUntil(this.world.now + 1);
    return { at: this.world.now, digest: this.world.digest() };
  }

  snapshot(): WorldSnapshot {
    return this.world.snapshot();
  }

  /** Goes on from a snapshot of a world of this design: every machine begins anew from it. */
  restore(snapshot: WorldSnapshot): Promise<void> {
    return this.exclusive(() =>
      this.moving(async () => {
        this.staff.releaseAll();
        this.world.restore(snapshot);
        await this.staff.employAll(true);
      }),
    );
  }

  /** No more time. The machines' processes go back to the crew, which ends them or gives them to another hub. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.tail;
    this.staff.releaseAll();
  }
}

function arrival(flight: Flight): Arrival {
  return [flight.at, flight.datagram];
}
