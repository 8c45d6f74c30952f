/** What waits for a lab's time: until something holds, until something happens, for a while. A rollback ends them all. */
import type { Effect } from "../../../engine/kernel/machine.ts";
import { HOUR, MS, type Duration, type Instant } from "../../../engine/kernel/index.ts";
import { worthALook } from "./advance.ts";
import type { WaitFor } from "../api.ts";
import { Phases } from "../motion/interest.ts";
import { whyNot } from "../view/conditions.ts";
import type { LiveHost } from "../../../engine/host/index.ts";
import { Trouble } from "../trouble.ts";

/** Conditions that change without a trace are looked at this often. */
const lookEvery = 10 * MS;

/** Time ended before what was waited for: a pause ends a skip, the end of the lab ends everything. */
const stoppedMeanwhile = "the lab was stopped meanwhile";

export class Waits {
  private rollbacks = 0;
  private skipping = false;
  private skipFound: string | undefined;
  private readonly phases = new Phases();

  /** @param changes counts everything after which a condition may hold */
  constructor(
    private readonly host: LiveHost,
    private readonly changes: () => number,
  ) {}

  /** Something has happened on a node. */
  take(node: string, effect: Effect): void {
    if (this.skipping) this.skipFound ??= worthALook(node, effect, this.phases);
  }

  /** Whoever waits does so for a run that is given up. */
  rolledBack(): void {
    this.rollbacks++;
  }

  private sameRun(rollbacks: number): void {
    if (rollbacks !== this.rollbacks) throw new Trouble("failed", "the lab was rolled back meanwhile");
  }

  /** Unpaced on to the next change worth a look, at most one virtual hour. */
  async skip(): Promise<{ found: boolean; what: string; instant: number }> {
    if (this.skipping) throw new Trouble("failed", "the lab is skipping already");
    this.skipping = true;
    this.skipFound = undefined;
    this.phases.begin(this.host.world);
    const rollbacks = this.rollbacks;
    const { host } = this;
    try {
      const limit = host.world.now + HOUR;
      const found = await host.runUntilCondition(() => this.skipFound !== undefined, limit, 0);
      this.sameRun(rollbacks);
      if (!found && host.world.now < limit) throw new Trouble("failed", stoppedMeanwhile);
      return { found, what: this.skipFound ?? "", instant: host.world.now };
    } finally {
      this.skipping = false;
    }
  }

  /** Looks again only after something happened, or some virtual time passed. */
  private looking(holds: () => boolean): () => boolean {
    let seen = -1;
    let again: Instant = 0;
    let last = false;
    return () => {
      const { now } = this.host.world;
      if (this.changes() === seen && now < again) return last;
      seen = this.changes();
      again = now + lookEvery;
      last = holds();
      return last;
    };
  }

  async wait(what: WaitFor): Promise<{ held: boolean; why: string }> {
    const { host } = this;
    const why = (): string | undefined => whyNot(what, host.world);
    await host.catchUp();
    const now = why();
    if (now === undefined) return { held: true, why: "" };
    if (host.paused) return { held: false, why: `the lab is paused, and ${now}` };
    const rollbacks = this.rollbacks;
    const limit = host.world.now + what.timeout;
    const held = await host.waitFor(
      this.looking(() => why() === undefined),
      limit,
    );
    if (held) return { held, why: "" };
    this.sameRun(rollbacks);
    if (host.world.now < limit) return { held, why: stoppedMeanwhile };
    return { held, why: `not within ${what.timeout / 1e6} virtual seconds: ${why() ?? "it held only for a moment"}` };
  }

  async sleep(duration: Duration): Promise<void> {
    const end = (await this.host.catchUp()) + duration;
    const rollbacks = this.rollbacks;
    await this.host.waitFor(() => this.host.world.now >= end, end);
    this.sameRun(rollbacks);
  }
}
