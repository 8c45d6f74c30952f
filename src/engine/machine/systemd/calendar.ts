/**
 * Calendar expressions of timers: `Mon..Fri *-*-01,15 04:05`, `*:0/15`, `daily`. In the real stack: calendarspec.c; systemd.time(7). The zone is UTC. Left out: time
 * zones, days counted from a month's end (`~`), fractions of seconds.
 */
import { civilFromUnix, daysFromCivil, SEC } from "../../kernel/index.ts";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** A part of a field: from `start`, to `end`, every `step`; undefined `start`: any value. */
interface Range {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

export interface Calendar {
  /** 0 is Monday; undefined: any day. */
  readonly weekdays: readonly number[] | undefined;
  readonly year: readonly Range[];
  readonly month: readonly Range[];
  readonly day: readonly Range[];
  readonly hour: readonly Range[];
  readonly minute: readonly Range[];
  readonly second: readonly Range[];
}

const SHORTHANDS: Readonly<Record<string, string>> = {
  minutely: "*-*-* *:*:00",
  hourly: "*-*-* *:00:00",
  daily: "*-*-* 00:00:00",
  monthly: "*-*-01 00:00:00",
  weekly: "Mon *-*-* 00:00:00",
  yearly: "*-01-01 00:00:00",
  annually: "*-01-01 00:00:00",
  quarterly: "*-01,04,07,10-01 00:00:00",
  semiannually: "*-01,07-01 00:00:00",
};

function parseWeekdays(text: string): number[] | undefined {
  const out: number[] = [];
  for (const part of text.toLowerCase().split(",")) {
    const ends = part.split("..").map((word) => (/^[a-z]{3,}$/.test(word) ? DAYS.findIndex((d) => word.startsWith(d)) : -1));
    const [from = -1, to = from] = ends;
    if (ends.length > 2 || from < 0 || to < 0) return undefined;
    for (let d = from; ; d = (d + 1) % 7) {
      if (!out.includes(d)) out.push(d);
      if (d === to) break;
    }
  }
  return out;
}

function parseField(text: string, low: number, high: number): Range[] | undefined {
  const out: Range[] = [];
  for (const part of text.split(",")) {
    const m = /^(?:(\*)|(\d{1,4})(?:\.\.(\d{1,4}))?)(?:\/(\d{1,4}))?$/.exec(part);
    if (m === null) return undefined;
    const step = Number(m[4] ?? "0");
    const start = m[1] === "*" ? low : Number(m[2]);
    const end = m[1] === "*" ? high : m[3] !== undefined ? Number(m[3]) : step > 0 ? high : start;
    if (start < low || end > high || end < start || (m[4] !== undefined && step === 0)) return undefined;
    out.push({ start, end, step: step === 0 ? 1 : step });
  }
  return out;
}

const YEAR_MIN = 1970;
const YEAR_MAX = 2199;

/** Undefined where the expression is none. */
export function parseCalendar(expression: string): Calendar | undefined {
  const text = SHORTHANDS[expression.trim().toLowerCase()] ?? expression.trim();
  const parts = text.split(/\s+/).filter((p) => p !== "UTC");
  let weekdays: number[] | undefined;
  if (/^[A-Za-z]/.test(parts[0] ?? "")) {
    weekdays = parseWeekdays(parts.shift() ?? "");
    if (weekdays === undefined) return undefined;
  }
  const date = parts[0]?.includes(":") === false ? parts.shift() : undefined;
  const time = parts.shift();
  if (parts.length > 0 || (weekdays === undefined && date === undefined && time === undefined)) return undefined;
  const dateFields = (date ?? "*-*-*").split("-");
  const timeFields = (time ?? "00:00:00").split(":");
  if (dateFields.length === 2) dateFields.unshift("*");
  if (timeFields.length === 2) timeFields.push("0");
  if (dateFields.length !== 3 || timeFields.length !== 3) return undefined;
  const year = parseField(dateFields[0] ?? "", YEAR_MIN, YEAR_MAX);
  const month = parseField(dateFields[1] ?? "", 1, 12);
  const day = parseField(dateFields[2] ?? "", 1, 31);
  const hour = parseField(timeFields[0] ?? "", 0, 23);
  const minute = parseField(timeFields[1] ?? "", 0, 59);
  const second = parseField(timeFields[2] ?? "", 0, 59);
  if (!year || !month || !day || !hour || !minute || !second) return undefined;
  return { weekdays, year, month, day, hour, minute, second };
}

/** The smallest value ≥ `from` that the field has; undefined where there is none. */
function next(field: readonly Range[], from: number): number | undefined {
  let best: number | undefined;
  for (const { start, end, step } of field) {
    const value = from <= start ? start : start + Math.ceil((from - start) / step) * step;
    if (value <= end && (best === undefined || value < best)) best = value;
  }
  return best;
}

const LEAPS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const leap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
const daysIn = (year: number, month: number): number => (month === 2 && !leap(year) ? 28 : (LEAPS[month - 1] ?? 0));

/** The first second of the day at or after `seconds` that matches; undefined where none is left. */
function timeOfDay(calendar: Calendar, seconds: number): number | undefined {
  let [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  for (;;) {
    const hour = next(calendar.hour, h);
    if (hour === undefined) return undefined;
    if (hour > h) [m, s] = [0, 0];
    const minute = next(calendar.minute, m);
    if (minute === undefined) {
      [h, m, s] = [hour + 1, 0, 0];
      continue;
    }
    if (minute > m) s = 0;
    const second = next(calendar.second, s);
    if (second !== undefined) return hour * 3600 + minute * 60 + second;
    [h, m, s] = [hour, minute + 1, 0];
  }
}

/** The first matching moment after `unixMicros`, µs since 1970; undefined where it never comes. */
export function nextElapse(calendar: Calendar, unixMicros: number): number | undefined {
  const start = Math.floor(unixMicros / SEC) + 1;
  const c = civilFromUnix(start * SEC);
  let [y, mo, d] = [c.year, c.month, c.day];
  let from = c.hour * 3600 + c.minute * 60 + c.second;
  for (;;) {
    const year = next(calendar.year, y);
    if (year === undefined) return undefined;
    if (year > y) [mo, d, from] = [1, 1, 0];
    const month = next(calendar.month, mo);
    if (month === undefined) {
      [y, mo, d, from] = [year + 1, 1, 1, 0];
      continue;
    }
    if (month > mo) [d, from] = [1, 0];
    const day = next(calendar.day, d);
    if (day === undefined || day > daysIn(year, month)) {
      [y, mo, d, from] = [year, month + 1, 1, 0];
      if (month === 12) [y, mo] = [year + 1, 1];
      continue;
    }
    if (day > d) from = 0;
    const days = daysFromCivil(year, month, day);
    const weekday = (((days + 3) % 7) + 7) % 7;
    const time = calendar.weekdays === undefined || calendar.weekdays.includes(weekday) ? timeOfDay(calendar, from) : undefined;
    if (time !== undefined) return (days * 86_400 + time) * SEC;
    [y, mo, d, from] = [year, month, day + 1, 0];
  }
}
