/**
 * The start limit of a unit: StartLimitBurst= starts in StartLimitIntervalSec=, an interval that begins with the first of them. In the real stack: unit_test_start_limit of
 * unit.c with its rate limit. Left out: StartLimitAction=.
 */
import { NEVER, type Instant } from "../../kernel/index.ts";
import type { UnitDefinition } from "./definition.ts";
import type { UnitRecord } from "./record.ts";

/** Counts a start at `now`; true where it is one too many. An interval or a burst of 0 is no limit. */
export function startsTooOften(unit: UnitDefinition, r: UnitRecord, now: Instant): boolean {
  if (unit.startLimitInterval === 0 || unit.startLimitInterval === NEVER || unit.startLimitBurst === 0) return false;
  if (now - r.limitSince >= unit.startLimitInterval) Object.assign(r, { limitSince: now, limitStarts: 0 });
  if (r.limitStarts >= unit.startLimitBurst) return true;
  r.limitStarts++;
  return false;
}
