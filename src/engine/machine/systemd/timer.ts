/**
 * Timer units: when they elapse next, and what happens then. In the real stack: timer.c; systemd.timer(5). A calendar moment is a moment of the lab's wall clock. Left out:
 * AccuracySec= (the lab is exact), WakeSystem=, changes of clock and zone.
 */
import { Hasher, NEVER, type Instant } from "../../kernel/index.ts";
import { nextElapse, parseCalendar } from "./calendar.ts";
import type { Begun, Core, Timer } from "./core.ts";
import type { TimerBase } from "./definition.ts";
import type { UnitRecord } from "./record.ts";

/** The record of the unit a timer starts, and when this boot and its service manager began. */
export interface TimerWorld {
  record(unit: string): UnitRecord | undefined;
  bootedAt(): Instant;
  startedAt(): Instant;
}

/** Where a persistent timer writes down when it elapsed last. */
export const stampPath = (unit: string): string => `/var/lib/systemd/timers/stamp-${unit}`;

export class TimerUnits {
  constructor(
    private readonly core: Core,
    private readonly world: TimerWorld,
  ) {}

  start(timer: Timer): Begun {
    const { unit, def, r, t } = timer;
    if (r.active === "active") return "already";
    Object.assign(t, { result: "success", spent: [], nextAt: undefined });
    if (def.persistent) {
      const stamp = this.core.hooks.files.stat(stampPath(unit.name))?.mtimeUnixMicros;
      if (stamp !== undefined) t.lastTriggerUnixMicros = stamp;
      else this.core.hooks.edits.write(stampPath(unit.name), new Uint8Array());
    }
    // Its own time of activation counts for OnActiveSec=.
    r.activeEnter = this.core.hooks.now();
    this.enterWaiting(timer, true);
    return "begun";
  }

  stop(timer: Timer): Begun {
    const { unit, r } = timer;
    if (r.active !== "active") return "already";
    this.core.say(unit, "info", "Deactivated successfully.");
    this.enterDead(timer);
    return "begun";
  }

  private enterDead({ unit, r, t }: Timer): void {
    this.core.hooks.clearTimer(`${unit.name}/elapse`);
    t.nextAt = undefined;
    this.core.enter(unit, r, t.result === "success" ? "inactive" : "failed", t.result === "success" ? "dead" : "failed");
  }

  private base(timer: Timer, base: TimerBase): Instant | undefined {
    const triggered = this.world.record(timer.def.unit);
    const last = (a: Instant | undefined, b: Instant | undefined): Instant | undefined =>
      a === undefined ? b : b === undefined ? a : Math.max(a, b);
    switch (base) {
      case "OnActiveSec":
        return timer.r.activeEnter;
      case "OnBootSec":
        return this.world.bootedAt();
      case "OnStartupSec":
        return this.world.startedAt();
      case "OnUnitActiveSec":
        return last(triggered?.inactiveExit, timer.t.lastTriggerAt);
      case "OnUnitInactiveSec":
        return last(triggered?.inactiveEnter, timer.t.lastTriggerAt);
    }
  }

  private randomDelay({ unit, def }: Timer): number {
    if (def.randomizedDelay <= 0 || def.randomizedDelay === NEVER) return 0;
    if (!def.fixedRandomDelay)
      return Math.floor((this.core.hooks.rng("systemd", unit.name, "delay").u32() / 4_294_967_296) * def.randomizedDelay);
    const [word] = new Hasher().text(this.core.hooks.host.machineId).text(unit.name).snapshot();
    return Math.floor(((word >>> 0) / 4_294_967_296) * def.randomizedDelay);
  }

  /** Instants at which its settings want it to elapse. */
  private elapses(timer: Timer, initial: boolean): Instant[] {
    const { def, t } = timer;
    const { hooks } = this.core;
    const now = hooks.now();
    const out: Instant[] = [];
    def.monotonic.forEach(({ base, span }, i) => {
      const from = this.base(timer, base);
      if (from === undefined || span === NEVER || t.spent.includes(i)) return;
      const once = base === "OnActiveSec" || base === "OnBootSec" || base === "OnStartupSec";
      const at = from + span;
      if (once && at <= now && !initial) t.spent.push(i);
      else out.push(at);
    });
    for (const text of def.calendar) {
      const calendar = parseCalendar(text);
      const since = def.persistent && t.lastTriggerUnixMicros !== undefined && initial ? t.lastTriggerUnixMicros : hooks.unixMicros();
      const next = calendar === undefined ? undefined : nextElapse(calendar, since);
      if (next !== undefined) out.push(now + next - hooks.unixMicros());
    }
    return out;
  }

  private enterWaiting(timer: Timer, initial: boolean): void {
    const { unit, def, r, t } = timer;
    const found = this.elapses(timer, initial);
    if (found.length === 0) {
      t.nextAt = undefined;
      this.core.hooks.clearTimer(`${unit.name}/elapse`);
      if (def.remainAfterElapse) this.core.enter(unit, r, "active", "elapsed");
      else this.enterDead(timer);
      return;
    }
    t.nextAt = Math.max(this.core.hooks.now(), Math.min(...found)) + this.randomDelay(timer);
    this.core.hooks.setTimer(`${unit.name}/elapse`, t.nextAt);
    this.core.enter(unit, r, "active", "waiting");
  }

  /** Its moment has come. */
  elapsed(timer: Timer): void {
    const { unit, def, r, t } = timer;
    if (r.active !== "active") return;
    const { hooks } = this.core;
    t.nextAt = undefined;
    t.lastTriggerAt = hooks.now();
    t.lastTriggerUnixMicros = hooks.unixMicros();
    if (def.persistent) hooks.edits.write(stampPath(unit.name), new Uint8Array());
    this.core.enter(unit, r, "active", "running");
    this.core.request(def.unit, "start", "replace", "timer");
    // A unit that was there already, or did not come up, waits for the next time.
    const state = this.world.record(def.unit)?.active;
    if (state === "active" && r.sub === "running") this.enterWaiting(timer, false);
  }

  /** The unit it starts has changed its state. */
  triggered(timer: Timer): void {
    const { def, r } = timer;
    if (r.active !== "active") return;
    const state = this.world.record(def.unit)?.active;
    const again = def.monotonic.some((m) => m.base === "OnUnitActiveSec" || m.base === "OnUnitInactiveSec");
    if (r.sub === "running" && (state === "inactive" || state === "failed")) this.enterWaiting(timer, false);
    else if (again && (r.sub === "waiting" || r.sub === "elapsed")) this.enterWaiting(timer, false);
  }
}
