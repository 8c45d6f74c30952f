/** Dates as the tools print them, in UTC and the C locale: ctime(3), the journal's short form, systemd's timestamps and spans. */
import { civilFromUnix, MINUTE, SEC, type Civil } from "../kernel/index.ts";

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const two = (n: number): string => String(n).padStart(2, "0");
const clock = (c: Civil): string => `${two(c.hour)}:${two(c.minute)}:${two(c.second)}`;

/** `Fri Nov 20 09:35:28 2026`, without the line end. */
export function ctime(unixMicros: number): string {
  const c = civilFromUnix(unixMicros);
  return `${DAYS[c.weekday]} ${MONTHS[c.month - 1]} ${String(c.day).padStart(2, " ")} ${clock(c)} ${c.year}`;
}

/** `Nov 20 09:35:28` (journalctl -o short). */
export function syslogTime(unixMicros: number): string {
  const c = civilFromUnix(unixMicros);
  return `${MONTHS[c.month - 1]} ${two(c.day)} ${clock(c)}`;
}

/** `Nov 20 09:35:28.123456` (journalctl -o short-precise). */
export function preciseTime(unixMicros: number): string {
  return `${syslogTime(unixMicros)}.${String(civilFromUnix(unixMicros).micros).padStart(6, "0")}`;
}

/** `2026-11-20T09:35:28` (the quorum device's tools). */
export function isoSeconds(unixMicros: number): string {
  const c = civilFromUnix(unixMicros);
  return `${c.year}-${two(c.month)}-${two(c.day)}T${clock(c)}`;
}

/** `2026-11-20T09:35:28+0000` (journalctl -o short-iso). */
export function isoTime(unixMicros: number): string {
  return `${isoSeconds(unixMicros)}+0000`;
}

/** `Fri 2026-11-20 09:35:28 UTC` (systemd's FORMAT_TIMESTAMP). */
export function systemdTime(unixMicros: number): string {
  const c = civilFromUnix(unixMicros);
  return `${DAYS[c.weekday]} ${c.year}-${two(c.month)}-${two(c.day)} ${clock(c)} UTC`;
}

const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

const plural = (n: number, word: string): string => `${n} ${word}${n === 1 ? "" : "s"}`;

/** `3min 20s ago`: systemd's FORMAT_TIMESTAMP_RELATIVE for a span in µs. Months and years are given in weeks. */
export function ago(micros: number): string {
  const n = (unit: number, of = micros): number => Math.floor(of / unit);
  if (micros >= WEEK) return `${plural(n(WEEK), "week")} ${plural(n(DAY, micros % WEEK), "day")} ago`;
  if (micros >= 2 * DAY) return `${plural(n(DAY), "day")} ago`;
  if (micros >= DAY) return `1 day ${n(HOUR, micros % DAY)}h ago`;
  if (micros >= 5 * HOUR) return `${n(HOUR)}h ago`;
  if (micros >= HOUR) return `${n(HOUR)}h ${n(MINUTE, micros % HOUR)}min ago`;
  if (micros >= 5 * MINUTE) return `${n(MINUTE)}min ago`;
  if (micros >= MINUTE) return `${n(MINUTE)}min ${n(SEC, micros % MINUTE)}s ago`;
  if (micros >= SEC) return `${n(SEC)}s ago`;
  return micros >= 1000 ? `${n(1000)}ms ago` : micros > 0 ? `${micros}us ago` : "now";
}

/** `3min 20s left`: the same for a moment to come. */
export function left(micros: number): string {
  return micros <= 0 ? "now" : ago(micros).replace(/ ago$/, " left");
}

/** `1min 5.123s`: systemd's FORMAT_TIMESPAN with millisecond accuracy, as in `Duration:`. */
export function timeSpan(micros: number): string {
  const parts: string[] = [];
  let rest = micros;
  for (const [unit, name] of [
    [WEEK, "w"],
    [DAY, "d"],
    [HOUR, "h"],
    [MINUTE, "min"],
  ] as const) {
    const n = Math.floor(rest / unit);
    if (n > 0) parts.push(`${n}${name}`);
    rest -= n * unit;
  }
  const ms = Math.floor(rest / 1000);
  if (ms >= 1000) {
    const fraction = ms % 1000 === 0 ? "" : `.${String(ms % 1000).padStart(3, "0")}`;
    parts.push(`${Math.floor(ms / 1000)}${fraction}s`);
  } else if (ms > 0 || parts.length === 0) parts.push(`${ms}ms`);
  return parts.join(" ");
}
