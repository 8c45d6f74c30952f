/** Instants as people write them: integer microseconds, a number with us ms s m h, or an ISO time. */
import { isoFromUnix, parseDuration, unixFromIso } from "../../engine/kernel/time.ts";
import { usage } from "./trouble.ts";

/** Microseconds since the lab's epoch (itself µs since 1970). Throws Trouble (usage). */
export function parseInstant(text: string, epochUnix: number, option: string): number {
  const relative = parseDuration(text);
  if (relative !== undefined) return relative;
  const unix = unixFromIso(text);
  if (unix !== undefined) return unix - epochUnix;
  throw usage(
    `${option} ${JSON.stringify(text)}: an instant is integer microseconds, a number with us, ms, s, m or h, or a UTC time like 2026-01-01T00:00:00Z`,
  );
}

/** `2026-01-01T00:00:05.250Z`: the virtual date of an instant, to the millisecond. */
export function dateOf(instant: number, epochUnix: number): string {
  const unix = epochUnix + instant;
  const whole = Math.floor(unix / 1e6) * 1e6;
  const ms = String(Math.floor((unix - whole) / 1000)).padStart(3, "0");
  return isoFromUnix(whole).replace("Z", `.${ms}Z`);
}
