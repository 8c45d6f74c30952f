/**
 * top in batch mode: the processes of this machine, `-n` times, in procps 4.0's layout. The lab models neither processor time nor load nor who uses memory: the processors idle, and the memory is what
 * /proc/meminfo says. Left out: what top-options.ts names, and other fields.
 */
import { HOUR, MINUTE, SEC, civilFromUnix, fromUtf8 } from "../kernel/index.ts";
import { commandLine, processes, userNames, userNumber, type ProcessRow } from "./processes.ts";
import { parseTop, type Field, type TopCall } from "./top-options.ts";
import { contents, print, self, sleep, type Tool, type ToolBody, type ToolPart } from "./tool.ts";

/** MiB. */
interface Memory {
  readonly total: number;
  readonly free: number;
  readonly cached: number;
  readonly available: number;
}

const two = (n: number): string => String(n).padStart(2, "0");

/** `up 37 min`, `up  1:05`, `up 2 days,  1:05`. */
export function uptimeText(micros: number): string {
  const [days, hours, minutes] = [Math.floor(micros / (24 * HOUR)), Math.floor(micros / HOUR) % 24, Math.floor(micros / MINUTE) % 60];
  const front = days === 0 ? "" : `${days} day${days === 1 ? "" : "s"}, `;
  return `up ${front}${hours > 0 ? `${String(hours).padStart(2)}:${two(minutes)}` : `${minutes} min`}`;
}

/** What is not there is 0. */
function* memory(): ToolPart<Memory> {
  const read = yield* contents("/proc/meminfo");
  const text = read.ok && read.value === "data" ? fromUtf8(read.data) : "";
  const of = (name: string): number => Number(new RegExp(`^${name}: *([0-9]+) kB$`, "m").exec(text)?.[1] ?? 0) / 1024;
  return {
    total: of("MemTotal"),
    free: of("MemFree"),
    cached: of("Buffers") + of("Cached") + of("SReclaimable"),
    available: of("MemAvailable"),
  };
}

function heading(rows: readonly ProcessRow[], unixMicros: number, boot: number, users: number, mem: Memory): string {
  const c = civilFromUnix(unixMicros);
  const count = (...states: string[]): string => String(rows.filter((row) => states.includes(row.state)).length).padStart(3);
  const mib = (n: number): string => n.toFixed(1).padStart(8);
  return [
    `top - ${two(c.hour)}:${two(c.minute)}:${two(c.second)} ${uptimeText(unixMicros - boot)}, ${String(users).padStart(2)} user${users > 1 ? "s" : ""},  load average: 0.00, 0.00, 0.00`,
    `Tasks: ${String(rows.length).padStart(3)} total, ${count("R")} running, ${count("S", "D")} sleeping, ${count("T")} stopped, ${count("Z")} zombie`,
    "%Cpu(s):  0.0 us,  0.0 sy,  0.0 ni,100.0 id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st ",
    `MiB Mem : ${mib(mem.total)} total, ${mib(mem.free)} free, ${mib(Math.max(0, mem.total - mem.free - mem.cached))} used, ${mib(mem.cached)} buff/cache     `,
    `MiB Swap: ${mib(0)} total, ${mib(0)} free, ${mib(0)} used. ${mib(mem.available)} avail Mem `,
    "",
    "  PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND",
  ].join("\n");
}

/** Columns before the command. */
const FRONT = 69;

function line(row: ProcessRow, users: ReadonlyMap<number, string>, call: TopCall): string {
  const cut = (text: string, width: number): string => (text.length > width ? `${text.slice(0, Math.max(0, width - 1))}+` : text);
  const [priority, nice] = row.realTime > 0 ? ["rt", "0"] : ["20", "0"];
  const front = `${String(row.pid).padStart(5)} ${cut(users.get(row.uid) ?? String(row.uid), 8).padEnd(8)}  ${priority.padStart(2)} ${nice.padStart(3)}       0      0      0 ${row.state}   0.0   0.0   0:00.00 `;
  return front + cut(call.commandLine ? commandLine(row) : row.comm, Math.max(1, call.width - FRONT - 1));
}

/** Whoever runs has used the most: it stands first, and after it the order is by process id. */
function ordered(rows: readonly ProcessRow[], sort: Field | undefined): readonly ProcessRow[] {
  const busy = (row: ProcessRow): number => (row.state === "R" ? 1 : 0);
  const by: { readonly [field in Field]?: (a: ProcessRow, b: ProcessRow) => number } = {
    PID: (a, b) => b.pid - a.pid,
    USER: (a, b) => b.uid - a.uid,
    PR: (a, b) => a.realTime - b.realTime,
    S: (a, b) => (a.state < b.state ? 1 : a.state > b.state ? -1 : 0),
    COMMAND: (a, b) => (a.comm < b.comm ? 1 : a.comm > b.comm ? -1 : 0),
  };
  const first = sort === undefined || sort === "%CPU" ? (a: ProcessRow, b: ProcessRow) => busy(b) - busy(a) : by[sort];
  return [...rows].sort((a, b) => (first?.(a, b) ?? 0) || a.pid - b.pid);
}

function* picture(call: TopCall, again: boolean): ToolPart<void> {
  const all = yield* processes();
  const users = yield* userNames();
  const me = yield* self();
  const uid = call.user === undefined ? undefined : userNumber(users, call.user.replace(/^!/, ""));
  const other = call.user?.startsWith("!") === true;
  const rows = all.filter((row) => {
    if (call.pids.length > 0 && !call.pids.includes(String(row.pid)) && !(call.pids.includes("0") && row.pid === me.pid)) return false;
    return uid === undefined || (row.uid === uid) !== other;
  });
  const boot = all.find((row) => row.pid === 1)?.startUnixMicros ?? me.unixMicros;
  const logins = new Set(all.filter((row) => row.leader && row.tty !== "").map((row) => row.tty)).size;
  const shown = ordered(rows, call.sort).filter((row) => !call.busyOnly || row.state === "R");
  const lines = [
    ...heading(call.pids.length > 0 ? rows : all, me.unixMicros, boot, logins, yield* memory()).split("\n"),
    ...shown.map((row) => line(row, users, call)),
  ];
  yield* print(`${again ? "\n" : ""}${lines.map((l) => `${l.slice(0, call.width)}\n`).join("")}`);
}

function* body(argv: readonly string[]): ToolBody {
  const users = yield* userNames();
  const call = parseTop(argv.slice(1), (name) => userNumber(users, name) !== undefined);
  if ("status" in call) {
    yield* print(call.stdout ?? "");
    yield* print(call.stderr ?? "", "stderr");
    return call.status;
  }
  for (let n = 0; n < call.times; n++) {
    if (n > 0) yield* sleep(Math.round(call.delaySeconds * SEC));
    yield* picture(call, n > 0);
  }
  return 0;
}

export const top: Tool = {
  name: "top",
  summary: "a picture of the processes",
  options: [
    { flag: "-b", help: "batch mode" },
    { flag: "-n", help: "how often" },
    { flag: "-d", help: "seconds between" },
    { flag: "-p", help: "these processes alone" },
  ],
  body,
};
