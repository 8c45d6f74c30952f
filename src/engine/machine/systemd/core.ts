/**
 * What the kinds of units have in common and the manager gives them: a state to enter, a line to say, the hooks. In the real stack: struct Unit's side of unit_notify and
 * the UnitVTable that each type fills in.
 */
import type { LogLevel } from "../../kernel/index.ts";
import type { ServiceDefinition, TimerDefinition, UnitDefinition } from "./definition.ts";
import type { ManagerHooks } from "./hooks.ts";
import type { ActiveState, ServiceRecord, TimerRecord, UnitRecord } from "./record.ts";

export interface Core {
  readonly hooks: ManagerHooks;
  /** The unit is in another state: jobs on it, and units that hang on it, are seen to. */
  enter(unit: UnitDefinition, record: UnitRecord, active: ActiveState, sub: string, about?: { readonly reloadFailed?: boolean }): void;
  /** A line about the unit, with its name before it. */
  say(unit: UnitDefinition, level: LogLevel, text: string): void;
  /** Asks for a job as if somebody had typed it; a refusal is logged. */
  request(unit: string, type: "start" | "stop" | "restart", mode: "replace" | "fail", why: string): void;
}

/** A service with its definition and its record. */
export interface Service {
  readonly unit: UnitDefinition;
  readonly def: ServiceDefinition;
  readonly r: UnitRecord;
  readonly s: ServiceRecord;
}

export interface Timer {
  readonly unit: UnitDefinition;
  readonly def: TimerDefinition;
  readonly r: UnitRecord;
  readonly t: TimerRecord;
}

/** What a request to start or stop comes to: under way, nothing to do, or not now (the job waits for the state to change). */
export type Begun = "begun" | "already" | "again" | "failed";

export function serviceOf(unit: UnitDefinition, r: UnitRecord | undefined): Service | undefined {
  return unit.service === undefined || r?.service === undefined ? undefined : { unit, def: unit.service, r, s: r.service };
}

export function timerOf(unit: UnitDefinition, r: UnitRecord | undefined): Timer | undefined {
  return unit.timer === undefined || r?.timer === undefined ? undefined : { unit, def: unit.timer, r, t: r.timer };
}
