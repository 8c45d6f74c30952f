/**
 * What follows from a unit's change of state beside its jobs: units bound to it stop, OnFailure= and OnSuccess= are pulled in, timers are told, the machine goes down. In the
 * real stack: unit_notify of unit.c.
 */
import type { LogLevel } from "../../kernel/index.ts";
import { timerOf, type Core } from "./core.ts";
import type { UnitDefinition } from "./definition.ts";
import type { UnitGraph } from "./graph.ts";
import type { SystemAction } from "./hooks.ts";
import type { ActiveState, JobMode, UnitRecord } from "./record.ts";
import type { TimerUnits } from "./timer.ts";

export const ACTION_TARGETS: Readonly<Record<SystemAction, string>> = {
  poweroff: "poweroff.target",
  reboot: "reboot.target",
  halt: "halt.target",
};

export interface EffectsWorld {
  readonly graph: UnitGraph;
  readonly core: Core;
  active(unit: string): ActiveState;
  record(unit: string): UnitRecord | undefined;
  readonly timers: TimerUnits;
  say(unit: string, level: LogLevel, text: string): void;
  /** Done once everything that can be done at this instant is. */
  act(action: SystemAction): void;
  /** Asked for once the present event is dealt with. */
  later(unit: string, type: "start" | "stop", mode: JobMode, why: string): void;
}

export class SideEffects {
  constructor(private readonly world: EffectsWorld) {}

  /** Units that are bound to it go down with it. */
  stopBound(name: string): void {
    for (const other of this.world.graph.edge(name, "BindsTo<")) {
      const state = this.world.active(other);
      if (state !== "inactive" && state !== "failed" && state !== "deactivating") this.world.later(other, "stop", "replace", "stop");
    }
  }

  stateChanged(unit: UnitDefinition, r: UnitRecord, before: ActiveState, active: ActiveState): void {
    const ended = active === "inactive" || active === "failed";
    const comesBack = r.service?.keepRestarts === true;
    if (ended && before !== active && !comesBack) {
      const succeeded = active === "inactive" && before !== "failed";
      if (active === "failed") this.pull(unit, "OnFailure");
      else if (succeeded) this.pull(unit, "OnSuccess");
      if (active === "failed") this.takeAction(unit.failureAction);
      else if (succeeded) this.takeAction(unit.successAction);
    }
    for (const name of this.world.graph.edge(unit.name, "Triggers<")) {
      const other = this.world.graph.get(name);
      const timer = other === undefined ? undefined : timerOf(other, this.world.record(name));
      if (timer !== undefined && before !== active) this.world.timers.triggered(timer);
    }
  }

  pull(unit: UnitDefinition, kind: "OnFailure" | "OnSuccess"): void {
    const names = this.world.graph.edge(unit.name, kind);
    if (names.length === 0) return;
    this.world.say(unit.name, "notice", `${unit.name}: Triggering ${kind}= dependencies.`);
    for (const name of names) this.world.later(name, "start", "replace", kind);
  }

  takeAction(action: string): void {
    const m = /^(poweroff|reboot|halt)(-force|-immediate)?$/.exec(action);
    if (m === null) return;
    const what = m[1] as SystemAction;
    if (m[2] === undefined) this.world.later(ACTION_TARGETS[what], "start", "replace-irreversibly", "action");
    else this.world.act(what);
  }
}
