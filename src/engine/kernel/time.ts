/**
 * Virtual time: an integer count of microseconds since the lab's epoch. Nothing in the engine reads a clock; a host grants
 * instants. The real stack's counterpart is CLOCK_MONOTONIC (timers) and CLOCK_REALTIME (dates); both derive from this count.
 * Left out: leap seconds, time zones (the zone is always UTC) and clock slew.
 */

/** Microseconds since the lab's epoch. Integer, below 2^53 (285 years). */
export type Instant = number;

/** A span of virtual time in microseconds. Integer. */
export type Duration = number;

export const US = 1;
export const MS = 1_000;
export const SEC = 1_000_000;
export const MINUTE = 60 * SEC;
export const HOUR = 60 * MINUTE;

/** "No such instant": later than every instant. */
export const NEVER = Number.POSITIVE_INFINITY;

/** Days since 1970-01-01 of a proleptic Gregorian date (month 1..12). Pure arithmetic, so that no host's calendar is asked. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yoe = y - era * 400;
  const doy = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const doe = yoe * 365 + Math.floor(yoe / 4) - Math.floor(yoe / 100) + doy;
  return era * 146_097 + doe - 719_468;
}

/** A UTC wall-clock moment taken apart. `weekday` 0 is Sunday; `month` is 1..12; `micros` is the part below one second. */
export interface Civil {
  year: number;
  month: number;
  day: number;
  weekday: number;
  hour: number;
  minute: number;
  second: number;
  micros: number;
}

/** The UTC date and time of `unixMicros` (microseconds since 1970-01-01T00:00:00Z). */
export function civilFromUnix(unixMicros: number): Civil {
  const totalSeconds = Math.floor(unixMicros / SEC);
  const micros = unixMicros - totalSeconds * SEC;
  const days = Math.floor(totalSeconds / 86_400);
  const rest = totalSeconds - days * 86_400;
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const doe = z - era * 146_097;
  const yoe = Math.floor((doe - Math.floor(doe / 1460) + Math.floor(doe / 36_524) - Math.floor(doe / 146_096)) / 365);
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
  const mp = Math.floor((5 * doy + 2) / 153);
  const month = mp < 10 ? mp + 3 : mp - 9;
  return {
    year: yoe + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: doy - Math.floor((153 * mp + 2) / 5) + 1,
    weekday: (((days + 4) % 7) + 7) % 7,
    hour: Math.floor(rest / 3600),
    minute: Math.floor((rest % 3600) / 60),
    second: rest % 60,
    micros,
  };
}

const pad = (n: number, width: number): string => String(n).padStart(width, "0");

/** `2026-01-01T00:00:00Z`, with microseconds only where there are some. */
export function isoFromUnix(unixMicros: number): string {
  const c = civilFromUnix(unixMicros);
  const fraction = c.micros === 0 ? "" : `.${pad(c.micros, 6)}`;
  return `${pad(c.year, 4)}-${pad(c.month, 2)}-${pad(c.day, 2)}T${pad(c.hour, 2)}:${pad(c.minute, 2)}:${pad(c.second, 2)}${fraction}Z`;
}

const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?)?Z?$/;

/** Microseconds since 1970 of an ISO date or date-time in UTC; undefined if it is not one. */
export function unixFromIso(text: string): number | undefined {
  const m = ISO.exec(text);
  if (!m) return undefined;
  const n = (i: number): number => Number(m[i] ?? "0");
  const [month, day, hour, minute, second] = [n(2), n(3), n(4), n(5), n(6)];
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59) return undefined;
  const micros = Number((m[7] ?? "").padEnd(6, "0"));
  return (daysFromCivil(n(1), month, day) * 86_400 + hour * 3600 + minute * 60 + second) * SEC + micros;
}

const UNITS: Record<string, number> = { us: US, ms: MS, s: SEC, m: MINUTE, h: HOUR };

/**
 * A duration as the command line and the lab file write it: integer microseconds (`2500000`), or a number with a unit (`5s`, `1.5m`, `200ms`).
 * @returns microseconds, or undefined where the text is neither
 */
export function parseDuration(text: string): Duration | undefined {
  const m = /^(\d+(?:\.\d+)?)(us|ms|s|m|h)?$/.exec(text.trim());
  if (!m) return undefined;
  const unit = m[2];
  if (unit === undefined) return /^\d+$/.test(m[1] ?? "") ? Number(m[1]) : undefined;
  return Math.round(Number(m[1]) * (UNITS[unit] ?? 1));
}
