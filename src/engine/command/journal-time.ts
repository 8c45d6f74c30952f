/** The points in time that journalctl's --since and --until take. Source: systemd.time(7). Left out: weekday names, time zones other than UTC. */
import { HOUR, MINUTE, SEC, unixFromIso } from "../kernel/index.ts";

const DAY = 24 * HOUR;

const UNITS: Readonly<Record<string, number>> = {
  us: 1,
  usec: 1,
  ms: 1000,
  msec: 1000,
  s: SEC,
  sec: SEC,
  second: SEC,
  seconds: SEC,
  m: MINUTE,
  min: MINUTE,
  minute: MINUTE,
  minutes: MINUTE,
  h: HOUR,
  hr: HOUR,
  hour: HOUR,
  hours: HOUR,
  d: DAY,
  day: DAY,
  days: DAY,
  w: 7 * DAY,
  week: 7 * DAY,
  weeks: 7 * DAY,
  "": SEC,
};

/** `5min`, `1h 30min`, `90` (seconds): µs, or undefined. */
export function span(text: string): number | undefined {
  let rest = text.trim();
  let total = 0;
  if (rest === "") return undefined;
  while (rest !== "") {
    const m = /^(\d+(?:\.\d+)?)\s*([a-z]*)\s*/.exec(rest);
    const unit = UNITS[m?.[2] ?? ""];
    if (!m || unit === undefined) return undefined;
    total += Math.round(Number(m[1]) * unit);
    rest = rest.slice(m[0].length);
  }
  return total;
}

/** @returns µs since 1970, or undefined where systemd would say "Failed to parse timestamp" */
export function parseTimestamp(text: string, nowUnixMicros: number): number | undefined {
  const t = text.trim();
  const midnight = nowUnixMicros - (nowUnixMicros % DAY);
  if (t === "now") return nowUnixMicros;
  if (t === "today") return midnight;
  if (t === "yesterday") return midnight - DAY;
  if (t === "tomorrow") return midnight + DAY;
  const at = /^@(\d{1,11})(?:\.(\d{1,6}))?$/.exec(t);
  if (at) return Number(at[1]) * SEC + Number((at[2] ?? "").padEnd(6, "0"));
  if (t.startsWith("+") || t.startsWith("-")) {
    const s = span(t.slice(1));
    return s === undefined ? undefined : nowUnixMicros + (t.startsWith("-") ? -s : s);
  }
  if (t.endsWith(" ago")) {
    const s = span(t.slice(0, -4));
    return s === undefined ? undefined : nowUnixMicros - s;
  }
  const clock = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?$/.exec(t);
  if (clock) {
    const [h, m, s] = [Number(clock[1]), Number(clock[2]), Number(clock[3] ?? "0")];
    return h > 23 || m > 59 || s > 59 ? undefined : midnight + h * HOUR + m * MINUTE + s * SEC + Number((clock[4] ?? "").padEnd(6, "0"));
  }
  return unixFromIso(t.replace(/ UTC$/, ""));
}
