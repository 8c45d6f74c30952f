/**
 * The host of a world that nobody paces: makes what a plan yields one after the other, as fast as it can be done, whoever follows the world. For scenarios, replays and
 * tests. In the real stack nothing stands here. Left out: what is to be done, which is a plan (world/moves.ts).
 */
import { NEVER, type Duration, type Instant } from "../kernel/index.ts";
import {
  accept,
  foreseen,
  replaying,
  standingAt,
  type ActResult,
  type Checkpoint,
  type Move,
  type Plan,
  type ReplayResult,
  type World,
  type WorldAct,
  type WorldRecord,
  type WorldSnapshot,
} from "../world/index.ts";
import { InProcessDriver, runToAct, type Driver } from "./driver.ts";
import { Turns } from "./turns.ts";

/** Events after which whoever follows is told. */
const STRETCH_EVENTS = 4096;

export interface UnpacedOptions {
  /** Virtual time that the world may be ahead of the slowest confirmation; absent: bounded by what may be under way alone. */
  readonly lead?: Duration;
}

export class UnpacedHost {
  private readonly turns = new Turns();
  private readonly lead: Duration;
  /** Events since whoever follows was told, and where the world stood then. */
  private untold = 0;
  private toldAt: Instant;
  private room: (() => void)[] = [];

  constructor(
    readonly driver: Driver,
    options: UnpacedOptions = {},
  ) {
    this.lead = options.lead ?? NEVER;
    this.toldAt = driver.world.now;
    const wake = (): void => {
      const waiting = this.room;
      this.room = [];
      for (const go of waiting) go();
    };
    // A driver that has failed says so when it is asked again.
    driver.attend({ room: wake, broken: wake });
  }

  /** To be read and watched; it is moved through this alone. */
  get world(): World {
    return this.driver.world;
  }

  /** As World.act. Rejects where a machine that is powered on gets no process. */
  act(act: WorldAct): Promise<ActResult> {
    return this.turns.take(() => this.doAct(act));
  }

  private async doAct(act: WorldAct): Promise<ActResult> {
    const { driver, world } = this;
    driver.reach(this.lead);
    const refused = world.check(act);
    if (refused !== undefined) return refused;
    const prepared = driver.prepare(act);
    if (prepared !== undefined) await prepared;
    const result = world.act(act);
    driver.moved();
    if (driver.waits) await driver.ready();
    return result;
  }

  /** As World.schedule. */
  schedule(at: Instant, act: WorldAct): Promise<ActResult> {
    return this.turns.take(() => this.world.schedule(at, act));
  }

  /** As schedule, of an act whose machine another act is to bring first. */
  expect(at: Instant, act: WorldAct): Promise<ActResult> {
    return this.turns.take(() => this.world.expect(at, act));
  }

  /** As `follow` of the world: what `plan` yields is done one after the other. */
  follow<T>(plan: Plan<T>): Promise<T> {
    return this.turns.take(async () => {
      let step = plan.next();
      while (step.done !== true) {
        try {
          const wait = this.make(step.value);
          if (wait !== undefined) await wait;
        } catch (error) {
          step = plan.throw(error);
          continue;
        }
        step = plan.next();
      }
      this.driver.moved();
      if (this.driver.waits) await this.driver.ready();
      return step.value;
    });
  }

  /** Makes a move; at once where nothing has to be waited for. */
  private make(move: Move): Promise<void> | undefined {
    if (move === "event") {
      if (!this.free()) return this.event();
      this.world.stepEvent();
      this.untold++;
      return undefined;
    }
    if (typeof move === "number") return this.stand(move) ? undefined : this.standLater(move);
    return this.doAct(move).then(accept);
  }

  /** The world may go on without waiting. */
  private free(): boolean {
    return this.untold < STRETCH_EVENTS && !this.driver.waits && this.reach() > this.world.now;
  }

  /** What is not told yet counts as not confirmed, but where there is no lead at all: then a stretch is as long as it may be. */
  private reach(): Instant {
    const told = this.lead > 0 ? this.toldAt + this.lead : NEVER;
    return Math.min(this.driver.reach(this.lead), told);
  }

  /** Goes on towards `at`. True where it stands there. */
  private stand(at: Instant): boolean {
    for (;;) {
      if (this.world.now >= at && this.world.nextAt() >= at) return true;
      if (!this.free()) return false;
      const bound = Math.min(at, this.reach());
      const before = this.world.events;
      const reached = runToAct(this.world, bound, STRETCH_EVENTS - this.untold);
      this.untold += this.world.events - before;
      if (reached && bound === at) return true;
    }
  }

  private async standLater(at: Instant): Promise<void> {
    while (!this.stand(at)) await this.wait();
  }

  private async event(): Promise<void> {
    while (!this.free()) await this.wait();
    this.world.stepEvent();
    this.untold++;
  }

  /** Tells who follows, and waits until the world may go on. */
  private async wait(): Promise<void> {
    const { driver, world } = this;
    const told = driver.moved();
    this.untold = 0;
    this.toldAt = world.now;
    if (driver.waits) await driver.ready();
    if (driver.reach(this.lead) <= world.now) await new Promise<void>((go) => this.room.push(go));
    // What is sent leaves with the event loop's turn.
    else if (told) await new Promise<void>((go) => setImmediate(go));
  }

  /** Every event before `at`, and stands there; then everything is confirmed. Rejects when the lab has failed. */
  async runUntil(at: Instant): Promise<void> {
    await this.follow(standingAt(at));
    await this.driver.whenConfirmed();
  }

  /** As World.closeInstant. */
  async closeInstant(): Promise<Checkpoint> {
    await this.runUntil(this.world.now + 1);
    return { at: this.world.now, digest: this.world.digest() };
  }

  /** Puts the world at a snapshot of itself. */
  restore(state: WorldSnapshot): Promise<void> {
    return this.turns.take(async () => {
      const restored = this.driver.restore(state);
      if (restored !== undefined) await restored;
    });
  }

  async close(): Promise<void> {
    await this.turns.free();
    await this.driver.close();
  }
}

/** A host of a world in this process. */
export function unpaced(world: World): UnpacedHost {
  return new UnpacedHost(new InProcessDriver(world));
}

/** As World's `replay`, in a world that has just begun. Throws on an input that the design does not know. */
export async function replayOn(host: UnpacedHost, record: WorldRecord, until?: Instant): Promise<ReplayResult> {
  const known = new Set(host.world.names);
  for (const { at, act } of record.inputs) {
    const result = await (foreseen(known, act) ? host.expect(at, act) : host.schedule(at, act));
    if (!result.ok) throw new Error(`input at ${at}: ${result.message}`);
  }
  return host.follow(replaying(host.world, record, until));
}
