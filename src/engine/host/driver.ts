/**
 * Who moves a world along with its machines: this process alone, or together with workers that follow it. A host moves the world itself and tells its driver; the driver
 * says how far it may go. Stands where nothing stands in the real stack. Left out: when time passes, which is the host's (live.ts, unpaced.ts).
 */
import { NEVER, type Duration, type Instant } from "../kernel/index.ts";
import type { World, WorldAct, WorldSnapshot } from "../world/index.ts";
import { commitOf, type DiskDifference, type DiskSink, type StampedCommit } from "./disk-sink.ts";

export type HostKind = "workers" | "inprocess";

/** Who is told what happens apart from the host's own moves. */
export interface Attendant {
  /** A worker is gone untold; its machine is about to lose its power, as an act of the record. */
  readonly lost?: (machine: string, why: string) => void;
  /** What lies on the disk of a machine is not what the machine had in mind; where it counts, it is about to be an act of the record. */
  readonly disk?: (machine: string, difference: DiskDifference) => void;
  /** No more time: an assertion of the engine, or a LabFault. Told once. */
  readonly broken?: (error: unknown) => void;
  /** The driver has moved the world. */
  readonly moved?: () => void;
  /** Something has been confirmed: there may be room to go on. */
  readonly room?: () => void;
}

export interface Driver {
  readonly kind: HostKind;
  /** To be moved by the host, which tells `moved` after it. */
  readonly world: World;
  /** The world has moved. True where somebody is told of it. */
  moved(): boolean;
  /** How far the world may go to be `lead` ahead of the slowest confirmation; where that is no further than it stands, `room` is told when it may be. */
  reach(lead: Duration): Instant;
  /** A worker is to be started before time goes on. */
  readonly waits: boolean;
  /** Does what time has to wait for. */
  ready(): Promise<void>;
  /** Does what has to be done before an act that is about to be done; undefined: nothing. Rejects where the act cannot be done. */
  prepare(act: WorldAct): Promise<void> | undefined;
  /** Everything so far that happened up to this instant is confirmed. */
  readonly confirmed: Instant;
  /** Resolves when everything so far that happened up to `at`, absent: up to now, is confirmed. Rejects when the lab has failed. */
  whenConfirmed(at?: Instant): Promise<void>;
  /** Somebody waits for a confirmation. */
  readonly awaited: boolean;
  attend(attendant: Attendant): void;
  /** Puts the world at a snapshot of itself. */
  restore(state: WorldSnapshot): Promise<void> | undefined;
  /** Id of the process that follows a machine; undefined where none does. */
  pidOf(machine: string): number | undefined;
  close(): Promise<void>;
}

/** As World.runUntil, but no further than the next act that was scheduled, and that act: a worker that it calls for begins where its machine stands then. */
export function runToAct(world: World, until: Instant, most?: number): boolean {
  const act = world.waiting()[0]?.at ?? NEVER;
  if (act >= until) return world.runUntil(until, most);
  if (world.runUntil(act, most)) world.stepEvent();
  return false;
}

/** Goes on to the next moment at which somebody wants a look; with `every` 0 that is after each event. True where it stands at `until`. */
export function runLooking(world: World, until: Instant, every: Duration): boolean {
  const next = world.nextAt();
  if (next >= until) return world.runUntil(until);
  if (every <= 0) world.stepEvent();
  else runToAct(world, Math.min(until, (Math.floor(next / every) + 1) * every));
  return world.now >= until;
}

/** Event by event, since each of them may say that enough has been run: `most` of them, or until `enough()`. True where it stands at `until`. */
export function runSeeing(world: World, until: Instant, most: number, enough: () => boolean): boolean {
  for (let left = most; left > 0; left--) {
    if (world.nextAt() >= until) return world.runUntil(until);
    world.stepEvent();
    if (enough()) return false;
  }
  return false;
}

/** Every machine in this process, and nobody to confirm. */
export class InProcessDriver implements Driver {
  readonly kind = "inprocess";
  readonly waits = false;
  readonly awaited = false;

  private commits: { readonly machine: number; readonly commit: StampedCommit }[] = [];

  /** @param disks where the machines' durable changes go; absent: nowhere */
  constructor(
    readonly world: World,
    private readonly disks?: DiskSink,
  ) {
    if (disks === undefined) return;
    this.lay();
    world.watch({
      effect: (at, machine, effect) => {
        const commit = commitOf(at, effect);
        if (commit !== undefined) this.commits.push({ machine, commit });
      },
    });
  }

  /** Has every machine's disk stand where the machine stands. */
  private lay(): void {
    const { disks, world } = this;
    world.topology.machines.forEach((_design, number) => {
      const machine = world.machineAt(number);
      if (machine !== undefined) disks?.begin?.({ dir: "", number, look: false }, machine.diskImage());
    });
  }

  get confirmed(): Instant {
    return this.world.now;
  }

  moved(): boolean {
    const { commits, disks, world } = this;
    if (commits.length === 0 || disks === undefined) return false;
    this.commits = [];
    for (const machine of new Set(commits.map((c) => c.machine))) {
      const own = commits.filter((c) => c.machine === machine).map((c) => c.commit);
      disks.write(world.nameOf(machine), own, world.now);
      disks.confirmed(world.nameOf(machine), world.now);
    }
    return false;
  }

  reach(): Instant {
    return NEVER;
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  prepare(): undefined {
    return undefined;
  }

  whenConfirmed(): Promise<void> {
    return Promise.resolve();
  }

  /** Nothing happens apart from the host's moves. */
  attend(): void {
    return undefined;
  }

  restore(state: WorldSnapshot): undefined {
    this.world.restore(state);
    this.commits = [];
    this.lay();
    return undefined;
  }

  pidOf(): undefined {
    return undefined;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
