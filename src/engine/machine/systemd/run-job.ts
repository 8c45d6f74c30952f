/**
 * The beginning of a job on one unit: start limits, conditions and assertions first, then what the unit's type does. In the real stack: unit_start, unit_stop and unit_reload
 * of unit.c.
 */
import { firstUnmet } from "./checks.ts";
import { serviceOf, timerOf, type Begun, type Core } from "./core.ts";
import type { UnitDefinition } from "./definition.ts";
import { unitTitle } from "./messages.ts";
import type { Job, JobResult, UnitRecord } from "./record.ts";
import type { Services } from "./service.ts";
import { startsTooOften } from "./start-limit.ts";
import type { TimerUnits } from "./timer.ts";

/** What a unit that has no processes is in while it is up. */
export const UP_STATES: Readonly<Record<string, string>> = {
  target: "active",
  slice: "active",
  scope: "running",
  socket: "listening",
  mount: "mounted",
  path: "waiting",
};

export class JobRunner {
  constructor(
    private readonly core: Core,
    private readonly services: Services,
    private readonly timers: TimerUnits,
    /** A line about the unit without its name before it. */
    private readonly announce: (unit: UnitDefinition, text: string) => void,
  ) {}

  begin(job: Job, unit: UnitDefinition, r: UnitRecord): Begun | JobResult {
    switch (job.type) {
      case "verify-active":
        return r.active === "active" || r.active === "reloading" ? "already" : r.active === "activating" ? "again" : "skipped";
      case "stop":
      case "restart":
        return this.beginStop(unit, r, job.type === "restart");
      case "reload":
        return this.beginReload(unit, r);
      case "reload-or-start":
        return r.active === "active" || r.active === "reloading" ? this.beginReload(unit, r) : this.beginStart(unit, r);
      case "start":
        return this.beginStart(unit, r);
    }
  }

  private beginStart(unit: UnitDefinition, r: UnitRecord): Begun | JobResult {
    if (r.active === "active" || r.active === "reloading") return "already";
    const service = serviceOf(unit, r);
    if (r.active === "deactivating" || (r.sub === "auto-restart" && service !== undefined)) return "again";
    if (r.active === "activating") return "begun";
    if (unit.loadState !== "loaded") return "failed";
    if (service !== undefined && startsTooOften(unit, r, this.core.hooks.now())) {
      this.services.startLimitHit(service);
      return "failed";
    }
    r.conditionAt = this.core.hooks.now();
    r.unmet = firstUnmet(unit.conditions, this.core.hooks.files, this.core.hooks.host);
    if (r.unmet !== undefined) return "done";
    r.assertAt = this.core.hooks.now();
    r.assertUnmet = firstUnmet(unit.asserts, this.core.hooks.files, this.core.hooks.host);
    if (r.assertUnmet !== undefined) {
      this.core.say(unit, "error", "Starting requested but asserts failed.");
      return "assert";
    }
    if (service !== undefined) {
      if (this.services.takesTime(service)) this.announce(unit, `Starting ${unitTitle(unit)}...`);
      return this.services.start(service);
    }
    const timer = timerOf(unit, r);
    if (timer !== undefined) return this.timers.start(timer);
    this.core.enter(unit, r, "active", UP_STATES[unit.type] ?? "active");
    return "begun";
  }

  private beginStop(unit: UnitDefinition, r: UnitRecord, restarting: boolean): Begun {
    if (r.active === "inactive" || r.active === "failed") return "already";
    const service = serviceOf(unit, r);
    if (service !== undefined) {
      if (this.services.stopTakesTime(service)) this.announce(unit, `Stopping ${unitTitle(unit)}...`);
      return this.services.stop(service, restarting);
    }
    const timer = timerOf(unit, r);
    if (timer !== undefined) return this.timers.stop(timer);
    this.core.enter(unit, r, "inactive", "dead");
    return "begun";
  }

  private beginReload(unit: UnitDefinition, r: UnitRecord): Begun | JobResult {
    const service = serviceOf(unit, r);
    if (r.active === "activating" || r.active === "reloading") return "again";
    if (service === undefined || r.active !== "active") return "invalid";
    this.announce(unit, `Reloading ${unitTitle(unit)}...`);
    return this.services.reload(service);
  }
}
