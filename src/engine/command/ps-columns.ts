/**
 * The columns of ps: heading, width and text. In the real stack: procps' output table. What the lab does not model is what a process that has used nothing has: no processor time, no memory; the
 * machine has one processor. A wait channel is shown where the lab knows it. Left out: the columns of LEFT_OUT, and the marks of STAT for the foreground, threads and locked memory.
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
  /** Set by hand: what is longer is cut off wherever the column stands, the heading too. */
  readonly exact?: boolean;
  text(row: ProcessRow, context: PsContext): string;
  /** What it is sorted by; absent: the text. */
  order?(row: ProcessRow): number | string;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (n: number): string => String(n).padStart(2, "0");
const DAY_US = 86_400 * SEC;

const number = (heading: string, width: number, of: (row: ProcessRow) => number): Column => ({
  heading,
  width,
  right: true,
  text: (row) => String(of(row)),
  order: of,
});
const leftAligned = (heading: string, width: number, of: (row: ProcessRow) => string): Column => ({
  heading,
  width,
  text: (row) => of(row),
});
const nothing = (heading: string, width: number, text: string): Column => ({
  heading,
  width,
  right: true,
  text: () => text,
  order: () => 0,
});

/** What an ordinary process has, and what one has that is scheduled by priority (SCHED_RR). */
const scheduled = (heading: string, width: number, ordinary: string, realTime: (priority: number) => string): Column => ({
  heading,
  width,
  right: true,
  text: (row) => (row.realTime === 0 ? ordinary : realTime(row.realTime)),
  order: (row) => row.realTime,
});

/** A name longer than the column ends in a plus sign. */
const user = (heading: string): Column => ({
  heading,
  width: 8,
  text: (row, { users }) => {
    const name = users.get(row.uid) ?? String(row.uid);
    return name.length > 8 ? `${name.slice(0, 7)}+` : name;
  },
  order: (row) => row.uid,
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

const began = (row: ProcessRow): number => row.startUnixMicros;

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

/** Where a process that does not run waits in the kernel: for the server of a file system, or for SIGCONT. */
function waitChannel({ state }: ProcessRow): string {
  return state === "D" ? "request_wait_answer" : state === "T" ? "do_signal_stop" : "-";
}

const slice = ({ unit, uid }: ProcessRow): string =>
  unit.startsWith("session-") ? `user-${uid}.slice` : unit === "init.scope" ? "-.slice" : "system.slice";

const unitName = ({ unit }: ProcessRow): string => (unit === "" ? "-" : unit.includes(".") ? unit : `${unit}.service`);

/** By the names that -o takes. */
export const COLUMNS: { readonly [name: string]: Column } = {
  pid: number("PID", 5, (r) => r.pid),
  tgid: number("TGID", 5, (r) => r.pid),
  ppid: number("PPID", 5, (r) => r.ppid),
  pgid: number("PGID", 5, (r) => r.pgid),
  pgrp: number("PGRP", 5, (r) => r.pgid),
  sid: number("SID", 5, (r) => r.sid),
  sess: number("SESS", 5, (r) => r.sid),
  session: number("SESS", 5, (r) => r.sid),
  uid: number("UID", 5, (r) => r.uid),
  euid: number("EUID", 5, (r) => r.uid),
  ruid: number("RUID", 5, (r) => r.uid),
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
  cputimes: nothing("TIME", 8, "0"),
  times: nothing("TIME", 8, "0"),
  bsdtime: nothing("TIME", 6, "0:00"),
  c: nothing("C", 2, "0"),
  pcpu: nothing("%CPU", 4, "0.0"),
  "%cpu": nothing("%CPU", 4, "0.0"),
  pmem: nothing("%MEM", 4, "0.0"),
  "%mem": nothing("%MEM", 4, "0.0"),
  vsz: nothing("VSZ", 6, "0"),
  vsize: nothing("VSZ", 6, "0"),
  rss: nothing("RSS", 5, "0"),
  rssize: nothing("RSS", 5, "0"),
  rsz: nothing("RSZ", 5, "0"),
  sz: nothing("SZ", 5, "0"),
  size: nothing("SIZE", 5, "0"),
  psr: nothing("PSR", 3, "0"),
  ni: scheduled("NI", 3, "0", () => "-"),
  nice: scheduled("NI", 3, "0", () => "-"),
  pri: scheduled("PRI", 3, "19", (priority) => String(40 + priority)),
  rtprio: scheduled("RTPRIO", 6, "-", String),
  cls: scheduled("CLS", 3, "TS", () => "RR"),
  class: leftAligned("CLS", 3, (r) => (r.realTime === 0 ? "TS" : "RR")),
  policy: leftAligned("POL", 3, (r) => (r.realTime === 0 ? "TS" : "RR")),
  wchan: leftAligned("WCHAN", 6, waitChannel),
  wname: leftAligned("WCHAN", 6, waitChannel),
  stime: { heading: "STIME", width: 5, text: startDay, order: began },
  start_time: { heading: "START", width: 5, text: startDay, order: began },
  bsdstart: {
    heading: "START",
    width: 6,
    right: true,
    text: (row, { nowUnixMicros }) =>
      nowUnixMicros - row.startUnixMicros > DAY_US ? monthDay(row.startUnixMicros) : clock(row.startUnixMicros, false),
    order: began,
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
    order: began,
  },
  lstart: { heading: "STARTED", width: 24, right: true, text: (row) => ctime(row.startUnixMicros), order: began },
  etime: { heading: "ELAPSED", width: 11, right: true, text: elapsedText, order: (row) => -began(row) },
  etimes: {
    heading: "ELAPSED",
    width: 7,
    right: true,
    text: (row, context) => String(elapsed(row, context)),
    order: (row) => -began(row),
  },
  comm: comm("COMMAND"),
  ucmd: comm("CMD"),
  ucomm: comm("COMMAND"),
  args: args("COMMAND"),
  command: args("COMMAND"),
  cmd: args("CMD"),
  unit: leftAligned("UNIT", 31, unitName),
  slice: leftAligned("SLICE", 31, slice),
  cgroup: leftAligned("CGROUP", 27, cgroup),
};

/** Names that procps has besides: of what the lab has none (threads, groups, descriptors, name spaces), or only as a sum (memory, signals). */
const LEFT_OUT: ReadonlySet<string> = new Set(
  (
    "addr blocked caught cgname cgroupns context cp cuc cuu docker drs egid egroup eip environ esp exe f fds fgid fgroup flag flags fsgid fsgroup fsuid fsuser fuid fuser gid group htprv htshr " +
    "ignored ipcns label lsession luid lwp lxc machine maj_flt majflt min_flt minflt mntns netns nlwp numa nwchan oom oomadj opri ouid pcap pcaps pending pidns priority pri_api pri_bar pri_baz " +
    "pri_foo pss rbytes rchars rgid rgroup rops sched seat sgi_p sgid sgroup sig sig_block sig_catch sig_ignore sig_pend spid stackp suid supgid supgrp suser svgid svgroup svuid svuser tgroup " +
    "thcount tid timens tpgid trs tsid uid_hack uss userns util utsns wbytes wcbytes wchars wops"
  ).split(" "),
);

/** procps knows the name, the lab has nothing to show under it. */
export function isColumnLeftOut(name: string): boolean {
  return LEFT_OUT.has(name);
}

export interface Shown {
  readonly column: Column;
  readonly heading: string;
}

/** Columns that show the command have the branches of a tree before it. */
const COMMANDS: ReadonlySet<string> = new Set(["CMD", "COMMAND"]);

/** One line: every column but the last is as wide as it is said to be, or as its heading. */
function line(cells: readonly string[], shown: readonly Shown[]): string {
  return shown
    .map(({ column, heading }, i) => {
      const exact = column.exact === true;
      const [cell, width] = [cells[i] ?? "", exact ? column.width : Math.max(column.width, heading.length)];
      const text = exact ? cell.slice(0, width) : cell;
      if (column.right === true) return text.padStart(width);
      return i === shown.length - 1 ? text : text.slice(0, width).padEnd(width);
    })
    .join(" ");
}

/** `branches`: of each row, what stands before its command. */
export function table(
  rows: readonly ProcessRow[],
  shown: readonly Shown[],
  headings: boolean,
  context: PsContext,
  branches: ReadonlyMap<number, string>,
): string {
  const head = headings && shown.some((s) => s.heading !== "") ? [shown.map((s) => s.heading)] : [];
  const body = rows.map((row) =>
    shown.map(({ column }) => (COMMANDS.has(column.heading) ? (branches.get(row.pid) ?? "") : "") + column.text(row, context)),
  );
  return [...head, ...body].map((cells) => `${line(cells, shown)}\n`).join("");
}
