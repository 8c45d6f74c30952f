/**
 * The columns of ps: heading, width and text. In the real stack: procps' output table. What the lab does not model is what a process that has used nothing has: no processor time, no memory. Left
 * out: columns that would only show that (threads, priorities, wait channels), and the foreground mark of STAT.
 */
import { civilFromUnix, SEC } from "../kernel/index.ts";
import { ctime } from "./dates.ts";
import { commandLine, type ProcessRow } from "./processes.ts";

/** What a cell is made of beside the process. */
export interface PsContext {
  readonly nowUnixMicros: number;
  readonly users: ReadonlyMap<number, string>;
}

export interface Column {
  readonly heading: string;
  readonly width: number;
  /** Numbers stand on the right. */
  readonly right?: boolean;
  text(row: ProcessRow, context: PsContext): string;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (n: number): string => String(n).padStart(2, "0");
const DAY_US = 86_400 * SEC;

const number = (heading: string, width: number, of: (row: ProcessRow) => number): Column => ({
  heading,
  width,
  right: true,
  text: (row) => String(of(row)),
});
const leftAligned = (heading: string, width: number, of: (row: ProcessRow) => string): Column => ({
  heading,
  width,
  text: (row) => of(row),
});
const nothing = (heading: string, width: number, text: string): Column => ({ heading, width, right: true, text: () => text });

/** A name longer than the column ends in a plus sign. */
const user = (heading: string): Column => ({
  heading,
  width: 8,
  text: (row, { users }) => {
    const name = users.get(row.uid) ?? String(row.uid);
    return name.length > 8 ? `${name.slice(0, 7)}+` : name;
  },
});

const tty = (row: ProcessRow): string => (row.tty === "" ? "?" : row.tty);
const stat = (row: ProcessRow): string => row.state + (row.leader ? "s" : "");
const clock = (unixMicros: number, seconds: boolean): string => {
  const c = civilFromUnix(unixMicros);
  return `${two(c.hour)}:${two(c.minute)}${seconds ? `:${two(c.second)}` : ""}`;
};
const monthDay = (unixMicros: number): string => {
  const c = civilFromUnix(unixMicros);
  return `${MONTHS[c.month - 1]}${two(c.day)}`;
};

/** `07:28` of today, `Nov30` of this year, `2025`. */
function startDay(row: ProcessRow, { nowUnixMicros }: PsContext): string {
  const then = civilFromUnix(row.startUnixMicros);
  const now = civilFromUnix(nowUnixMicros);
  if (then.year !== now.year) return String(then.year);
  return then.month === now.month && then.day === now.day ? clock(row.startUnixMicros, false) : monthDay(row.startUnixMicros);
}

function elapsed(row: ProcessRow, { nowUnixMicros }: PsContext): number {
  return Math.max(0, Math.floor((nowUnixMicros - row.startUnixMicros) / SEC));
}

/** `[[DD-]HH:]MM:SS`. */
function elapsedText(row: ProcessRow, context: PsContext): string {
  const s = elapsed(row, context);
  const [days, hours] = [Math.floor(s / 86_400), Math.floor(s / 3600) % 24];
  const front = days > 0 ? `${two(days)}-${two(hours)}:` : hours > 0 ? `${two(hours)}:` : "";
  return `${front}${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

const args = (heading: string): Column => leftAligned(heading, 27, commandLine);
const comm = (heading: string): Column => leftAligned(heading, 15, (row) => row.comm);

/** The cgroup a process is in: a session's scope lies below its user's slice. */
function cgroup({ unit, uid }: ProcessRow): string {
  if (unit.startsWith("session-")) return `0::/user.slice/user-${uid}.slice/${unit}`;
  return unit.endsWith(".scope") ? `0::/${unit}` : `0::/system.slice/${unit}.service`;
}

const unitName = ({ unit }: ProcessRow): string => (unit === "" ? "-" : unit.includes(".") ? unit : `${unit}.service`);

/** By the names that -o takes. */
export const COLUMNS: { readonly [name: string]: Column } = {
  pid: number("PID", 5, (r) => r.pid),
  tgid: number("TGID", 5, (r) => r.pid),
  ppid: number("PPID", 5, (r) => r.ppid),
  sid: number("SID", 5, (r) => r.sid),
  sess: number("SESS", 5, (r) => r.sid),
  pgid: number("PGID", 5, (r) => r.pgid),
  pgrp: number("PGRP", 5, (r) => r.pgid),
  uid: number("UID", 5, (r) => r.uid),
  euid: number("EUID", 5, (r) => r.uid),
  user: user("USER"),
  euser: user("EUSER"),
  ruser: user("RUSER"),
  uname: user("USER"),
  tty: leftAligned("TT", 8, tty),
  tt: leftAligned("TT", 8, tty),
  tname: leftAligned("TTY", 8, tty),
  stat: leftAligned("STAT", 4, stat),
  s: leftAligned("S", 1, (r) => r.state),
  state: leftAligned("S", 1, (r) => r.state),
  time: nothing("TIME", 8, "00:00:00"),
  cputime: nothing("TIME", 8, "00:00:00"),
  bsdtime: nothing("TIME", 6, "0:00"),
  c: nothing("C", 2, "0"),
  pcpu: nothing("%CPU", 4, "0.0"),
  "%cpu": nothing("%CPU", 4, "0.0"),
  pmem: nothing("%MEM", 4, "0.0"),
  "%mem": nothing("%MEM", 4, "0.0"),
  vsz: nothing("VSZ", 6, "0"),
  rss: nothing("RSS", 5, "0"),
  stime: { heading: "STIME", width: 5, text: startDay },
  start_time: { heading: "START", width: 5, text: startDay },
  bsdstart: {
    heading: "START",
    width: 6,
    right: true,
    text: (row, { nowUnixMicros }) =>
      nowUnixMicros - row.startUnixMicros > DAY_US ? monthDay(row.startUnixMicros) : clock(row.startUnixMicros, false),
  },
  start: {
    heading: "STARTED",
    width: 8,
    right: true,
    text: (row, { nowUnixMicros }) => {
      if (nowUnixMicros - row.startUnixMicros <= DAY_US) return clock(row.startUnixMicros, true);
      const day = monthDay(row.startUnixMicros);
      return `${day.slice(0, 3)} ${day.slice(3)}`;
    },
  },
  lstart: { heading: "STARTED", width: 24, right: true, text: (row) => ctime(row.startUnixMicros) },
  etime: { heading: "ELAPSED", width: 11, right: true, text: elapsedText },
  etimes: { heading: "ELAPSED", width: 7, right: true, text: (row, context) => String(elapsed(row, context)) },
  comm: comm("COMMAND"),
  ucmd: comm("CMD"),
  ucomm: comm("COMMAND"),
  args: args("COMMAND"),
  command: args("COMMAND"),
  cmd: args("CMD"),
  unit: leftAligned("UNIT", 31, unitName),
  cgroup: leftAligned("CGROUP", 27, cgroup),
};

export interface Shown {
  readonly column: Column;
  readonly heading: string;
}

/** One line: every column but the last is as wide as it is said to be, or as its heading. */
function line(cells: readonly string[], shown: readonly Shown[]): string {
  return shown
    .map(({ column, heading }, i) => {
      const [cell, width] = [cells[i] ?? "", Math.max(column.width, heading.length)];
      if (column.right === true) return cell.padStart(width);
      return i === shown.length - 1 ? cell : cell.slice(0, width).padEnd(width);
    })
    .join(" ");
}

export function table(rows: readonly ProcessRow[], shown: readonly Shown[], headings: boolean, context: PsContext): string {
  const head =
    headings && shown.some((s) => s.heading !== "")
      ? [
          line(
            shown.map((s) => s.heading),
            shown,
          ),
        ]
      : [];
  const body = rows.map((row) =>
    line(
      shown.map((s) => s.column.text(row, context)),
      shown,
    ),
  );
  return [...head, ...body].map((l) => `${l}\n`).join("");
}
