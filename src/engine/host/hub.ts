/**
 * The driver of a world whose machines are followed by workers, each a process: the world runs here, ahead of them, with every machine's replica; each worker is told in one
 * message what its machine met in the stretch that has just run, goes through it, and confirms it with a digest, which is compared. A run is therefore the same as in one
 * process, and a worker that does something else is found. In the real stack this is the wire and the passing of time. Left out: pace (live.ts), and plans (unpaced.ts).
 */
import { NEVER, type Duration, type Instant } from "../kernel/index.ts";
import { loadedMachines, type Load } from "../fuzz/index.ts";
import { World, type MachineFactory, type Topology, type WorldAct, type WorldDesign, type WorldSnapshot } from "../world/index.ts";
import { Confirmations, type Round } from "./confirmations.ts";
import type { DiskSink, StampedCommit } from "./disk-sink.ts";
import type { Attendant, Driver } from "./driver.ts";
import { beginWorker } from "./begin.ts";
import { Replica, type ReplicaOwner } from "./replica.ts";
import { Verifier, type Told } from "./verifier.ts";
import type { WorkerPool } from "./worker-pool.ts";
import type { Confirmation } from "./worker-process.ts";

/** The lab itself went wrong: what a worker did is not what the same machine does here. */
export class LabFault extends Error {}

export interface HubOptions {
  readonly pool: WorkerPool;
  /** Goes on from there; absent: from the beginning. */
  readonly snapshot?: WorldSnapshot;
  /** What a program on every node multicasts; absent: there is none. */
  readonly load?: Load;
  /** Builds the machines here; the workers' program must build the same. Default: cluster nodes, with the load. */
  readonly makeMachine?: MachineFactory;
  /** Takes the unconfirmed commits of workers that are gone; absent: the machines have no disks outside this process. */
  readonly disks?: DiskSink;
}

/** What may be told and not confirmed, whatever the lead: stretches, bytes, and events whose digests are kept. */
const ROUNDS_MAX = 64;
const BYTES_MAX = 32 * 1024 * 1024;
const EVENTS_MAX = 500_000;

/** A worker that was told to end and has not ended yet; the first round after that waits for it. */
interface Ending {
  readonly verifier: Verifier;
  readonly replica: Replica;
  readonly machine: string;
  /** Of what it was not told any more. */
  readonly commits: StampedCommit[];
  round: Round | undefined;
  over: boolean;
}

export class Hub implements Driver, ReplicaOwner {
  readonly kind = "workers";
  /** To be read, watched and forked by anybody; moved by the host alone. */
  readonly world: World;
  private readonly verifiers = new Map<Replica, Verifier>();
  /** Switched on, and nobody follows. */
  private readonly unfollowed = new Set<Replica>();
  private readonly ended = new Map<Replica, Promise<void>>();
  private endings: Ending[] = [];
  private readonly confirmations = new Confirmations(() => this.tell("room"));
  private attendants: readonly Attendant[] = [];
  private sequence = 0;
  /** Where the world stood when the workers were told last. */
  private mark: Instant;
  private failure: { readonly error: unknown } | undefined;
  /** A digest was another one; the event is being looked for. */
  private suspected = false;
  /** Workers are beginning: no machine may move. Losses wait for it. */
  private beginning = 0;
  private late: (() => void)[] = [];
  private closed = false;
  private counted: Topology["machines"] | undefined;
  private everyone: readonly Replica[] = [];

  private constructor(
    readonly design: WorldDesign,
    private readonly options: HubOptions,
  ) {
    const make = options.makeMachine ?? loadedMachines(options.load);
    this.world = new World(design, make, (facts, machine) => new Replica(make(facts, machine), this));
    if (options.snapshot !== undefined) this.world.restore(options.snapshot);
    this.mark = this.world.now;
  }

  /** Starts a worker for every machine. Throws where one does not come up; then none is left. */
  static async start(design: WorldDesign, options: HubOptions): Promise<Hub> {
    const hub = new Hub(design, options);
    await hub.employAll();
    return hub;
  }

  // ── who is told ────────────────────────────────────────────────────────────────────────────────────────────────────

  attend(attendant: Attendant): void {
    this.attendants = [...this.attendants, attendant];
  }

  private tell(what: "room" | "moved"): void {
    for (const attendant of this.attendants) attendant[what]?.();
  }

  /** An error with which world and workers are apart for good. */
  private fail(error: unknown): void {
    if (this.failure !== undefined) return;
    this.failure = { error };
    this.confirmations.fail(error);
    if (!this.closed) for (const attendant of this.attendants) attendant.broken?.(error);
  }

  // ── how far ────────────────────────────────────────────────────────────────────────────────────────────────────────

  reach(lead: Duration): Instant {
    const { world, confirmations } = this;
    if (this.failure !== undefined) throw this.failure.error;
    const { from } = confirmations;
    if (from === undefined) return NEVER;
    if (this.suspected) return world.now;
    let [bytes, events] = [0, 0];
    for (const verifier of this.verifiers.values()) {
      bytes += verifier.bytes;
      events += verifier.events;
    }
    return confirmations.length >= ROUNDS_MAX || bytes >= BYTES_MAX || events >= EVENTS_MAX ? world.now : from + lead;
  }

  get confirmed(): Instant {
    const { from } = this.confirmations;
    return from === undefined ? this.world.now : from - 1;
  }

  get awaited(): boolean {
    return this.confirmations.awaited;
  }

  whenConfirmed(at: Instant = this.world.now): Promise<void> {
    return this.confirmations.when(at);
  }

  // ── stretches ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The replicas there are; they change with the topology alone. */
  private replicas(): readonly Replica[] {
    const { machines } = this.world.topology;
    if (machines !== this.counted) {
      this.counted = machines;
      this.everyone = machines.flatMap((_design, number) => {
        const machine = this.world.machineAt(number);
        return machine instanceof Replica ? [machine] : [];
      });
    }
    return this.everyone;
  }

  moved(): boolean {
    if (this.failure !== undefined) return false;
    const untold = this.replicas().filter((replica) => replica.untold);
    const endings = this.endings.filter((ending) => ending.round === undefined);
    const told = untold.filter((replica) => replica.followed);
    const [from, until] = [this.mark, this.world.now];
    this.mark = until;
    if (untold.length + endings.length === 0) return false;
    const owed = told.length + endings.length;
    const round = this.confirmations.open({ sequence: ++this.sequence, from, until, owed });
    for (const ending of endings) ending.round = round;
    for (const replica of untold) this.follow(replica, round);
    // One that has ended before anybody asked owes nothing.
    for (const ending of endings) if (ending.over) this.finish(ending);
    return told.length > 0;
  }

  private follow(replica: Replica, round: Round): void {
    const verifier = this.verifiers.get(replica);
    const { events, inputs, states, entries, digest, commits, bytes } = replica.take();
    if (verifier === undefined) {
      // Behind those of a worker that has not ended yet, in their order.
      const ending = this.endings.findLast((one) => one.replica === replica);
      if (ending !== undefined) ending.commits.push(...commits);
      else if (commits.length > 0) this.options.disks?.write(replica.name, commits, round.until);
      return;
    }
    verifier.add({ round, entries, digest, commits, bytes });
    const { sequence, from, until } = round;
    const { verified } = verifier;
    const confirmed = this.confirmed;
    verifier.worker.follow({ ask: "stretch", sequence, from, until, events, inputs, states, verified, confirmed });
  }

  private take(replica: Replica, verifier: Verifier, confirmation: Confirmation): void {
    if (this.failure !== undefined || this.suspected) return;
    const taken = verifier.take(confirmation);
    if (taken === undefined) verifier.worker.kill("confirmed what it was not told");
    else if (taken.same) this.confirmations.confirm(taken.told.round);
    else void this.convict(replica, verifier, taken.told);
  }

  /** Nothing is confirmed any more from here on; the fault is told when its first event is known. */
  private async convict(replica: Replica, verifier: Verifier, told: Told): Promise<void> {
    this.suspected = true;
    const text = await verifier.explain(told);
    this.fail(new LabFault(`${replica.name}: its process ${text}`));
  }

  // ── workers that end ───────────────────────────────────────────────────────────────────────────────────────────────

  /** Once a second, while the world takes the states of its machines. */
  get stateAt(): Instant {
    return this.world.statesAt;
  }

  cut(replica: Replica): void {
    this.unfollowed.delete(replica);
    const verifier = this.verifiers.get(replica);
    if (verifier === undefined) return;
    this.verifiers.delete(replica);
    const ending: Ending = {
      verifier,
      replica,
      machine: replica.name,
      commits: [...replica.take().commits],
      round: undefined,
      over: false,
    };
    replica.leave();
    this.endings.push(ending);
    const { worker } = verifier;
    const gone = (): void => {
      ending.over = true;
      if (ending.round !== undefined) this.finish(ending);
    };
    worker.employ({
      confirmed: (confirmation) => this.take(replica, verifier, confirmation),
      failed: (why) => this.broke(replica, why),
      gone,
    });
    this.ended.set(replica, new Promise((resolve) => worker.onEnd(() => resolve())));
    // A power cut is the end of the process, in the middle of whatever it does.
    worker.kill();
  }

  private finish(ending: Ending): void {
    this.endings = this.endings.filter((other) => other !== ending);
    this.settle(ending.machine, ending.verifier, ending.commits);
    if (ending.round !== undefined) this.confirmations.confirm(ending.round);
  }

  /** What a worker has not confirmed reaches the disk all the same, and counts as confirmed. */
  private settle(machine: string, verifier: Verifier, commits: readonly StampedCommit[]): void {
    const rest = verifier.rest();
    const all = [...rest.flatMap((told) => told.commits), ...commits];
    if (all.length > 0) this.options.disks?.write(machine, all, this.world.now);
    for (const { round } of rest) this.confirmations.confirm(round);
  }

  private broke(replica: Replica, message: string): void {
    this.fail(new LabFault(`${replica.name}: its process failed: ${message}`));
  }

  /** A worker is gone untold: its machine loses its power at this instant, as an act like any other, so that the record tells it. */
  private lost(replica: Replica, verifier: Verifier, why: string): void {
    if (this.verifiers.get(replica) !== verifier || this.suspected) return;
    if (this.beginning > 0) {
      this.late.push(() => this.lost(replica, verifier, why));
      return;
    }
    this.verifiers.delete(replica);
    const { commits } = replica.take();
    replica.leave();
    this.settle(replica.name, verifier, commits);
    if (!this.closed && this.failure === undefined) this.lose(replica.name, why);
  }

  private lose(machine: string, why: string): void {
    for (const attendant of this.attendants) attendant.lost?.(machine, why);
    try {
      this.world.act({ to: "machine", machine, act: { kind: "worker-lost" } });
      this.moved();
    } catch (error) {
      this.fail(error);
    }
    this.tell("moved");
  }

  // ── workers that begin ─────────────────────────────────────────────────────────────────────────────────────────────

  switchedOn(replica: Replica): void {
    this.unfollowed.add(replica);
  }

  get waits(): boolean {
    return this.unfollowed.size > 0;
  }

  async ready(): Promise<void> {
    for (const replica of this.unfollowed) {
      this.unfollowed.delete(replica);
      try {
        await this.employ(replica);
      } catch (error) {
        // Nobody waits for such an act any more who could be refused it.
        this.lose(replica.name, error instanceof Error ? error.message : String(error));
      }
    }
  }

  prepare(act: WorldAct): Promise<void> | undefined {
    if (act.to !== "machine" || act.act.kind !== "power-on") return undefined;
    const replica = this.world.machineAt(this.world.numberOf(act.machine));
    return replica instanceof Replica && !replica.followed ? this.employ(replica) : undefined;
  }

  /** A worker for a machine; it begins where the replica stands, which does not move meanwhile. */
  private async employ(replica: Replica): Promise<void> {
    this.beginning++;
    try {
      await this.begin(replica);
    } finally {
      if (--this.beginning === 0) for (const loss of this.late.splice(0)) loss();
    }
  }

  private async begin(replica: Replica): Promise<void> {
    await this.ended.get(replica);
    this.ended.delete(replica);
    const { seed, epochUnixMicros } = this.design;
    const design = this.world.topology.machines[this.world.numberOf(replica.name)];
    if (design === undefined) throw new Error(`hub: no machine ${replica.name}`);
    const { pool, load } = this.options;
    const { worker, next } = await beginWorker(pool, replica.name, {
      ask: "begin",
      facts: { seed, epochUnixMicros },
      design,
      ...(load === undefined ? {} : { load }),
      snapshot: replica.snapshot(),
    });
    if (this.closed) {
      worker.kill();
      return;
    }
    // What it did unfollowed is in the snapshot.
    this.moved();
    const verifier = new Verifier(worker);
    this.verifiers.set(replica, verifier);
    replica.follow();
    worker.employ({
      confirmed: (confirmation) => this.take(replica, verifier, confirmation),
      failed: (message) => this.broke(replica, message),
      gone: (why) => this.lost(replica, verifier, why),
    });
    const own = replica.nextTimerAt();
    if (next !== own) this.fail(new LabFault(`${replica.name}: its process begins with its next timer at ${next}, not ${own}`));
  }

  private async employAll(): Promise<void> {
    this.unfollowed.clear();
    const all = await Promise.allSettled(this.replicas().map((replica) => this.employ(replica)));
    const failed = all.find((one) => one.status === "rejected");
    if (failed !== undefined) {
      this.releaseAll();
      throw failed.reason;
    }
    if (this.failure !== undefined) throw this.failure.error;
  }

  /** Their processes can begin as another machine. */
  private releaseAll(): void {
    for (const [replica, verifier] of this.verifiers) {
      this.verifiers.delete(replica);
      replica.leave();
      if (verifier.bytes + verifier.events > 0) verifier.worker.kill();
      else this.options.pool.release(verifier.worker);
    }
  }

  // ── the whole ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Every machine's worker begins anew from the snapshot, once what happened so far is confirmed. */
  async restore(state: WorldSnapshot): Promise<void> {
    this.moved();
    await this.whenConfirmed();
    this.releaseAll();
    this.world.restore(state);
    this.counted = undefined;
    this.mark = this.world.now;
    await this.employAll();
  }

  pidOf(machine: string): number | undefined {
    const replica = this.world.machineAt(this.world.numberOf(machine));
    return replica instanceof Replica ? this.verifiers.get(replica)?.worker.pid : undefined;
  }

  /** No more time. The workers go back to the pool, which ends them or gives them to another hub. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    // A lab that has failed has told so already; its workers are of no use to anybody.
    await this.whenConfirmed().catch(() => undefined);
    this.releaseAll();
  }
}
