/**
 * top in batch mode: the processes of this machine, `-n` times, in procps 4.0's layout of 80 columns. The lab models neither processor time nor memory nor load: all of them are zero, and the
 * processors idle. Left out: the interactive screen, sorting, threads, other fields; a call without -b or -n is refused.
 */
import { HOUR, MINUTE, SEC, civilFromUnix } from "../kernel/index.ts";
import { getopt, wholeNumber } from "../kernel/getopt.ts";
import { listOf, processes, userNames, type ProcessRow } from "./processes.ts";
import { failed, print, self, sleep, type Tool, type ToolBody } from "./tool.ts";

/** Seconds between two pictures. */
const DELAY_S = 3;
const ITERATIONS_MAX = 10_000;
const COMMAND_WIDTH = 10;

const two = (n: number): string => String(n).padStart(2, "0");

/** `up 37 min`, `up  1:05`, `up 2 days,  1:05`. */
export function uptimeText(micros: number): string {
  const [days, hours, minutes] = [Math.floor(micros / (24 * HOUR)), Math.floor(micros / HOUR) % 24, Math.floor(micros / MINUTE) % 60];
  const front = days === 0 ? "" : `${days} day${days === 1 ? "" : "s"}, `;
  return `up ${front}${hours > 0 ? `${String(hours).padStart(2)}:${two(minutes)}` : `${minutes} min`}`;
}

function heading(rows: readonly ProcessRow[], unixMicros: number): string {
  const c = civilFromUnix(unixMicros);
  const boot = rows.find((row) => row.pid === 1)?.startUnixMicros ?? unixMicros;
  const users = new Set(rows.filter((row) => row.leader && row.tty !== "").map((row) => row.tty)).size;
  const count = (...states: string[]): string => String(rows.filter((row) => states.includes(row.state)).length).padStart(3);
  return [
    `top - ${two(c.hour)}:${two(c.minute)}:${two(c.second)} ${uptimeText(unixMicros - boot)}, ${String(users).padStart(2)} user${users > 1 ? "s" : ""},  load average: 0.00, 0.00, 0.00`,
    `Tasks: ${String(rows.length).padStart(3)} total, ${count("R")} running, ${count("S", "D")} sleeping, ${count("T")} stopped, ${count("Z")} zombie`,
    "%Cpu(s):  0.0 us,  0.0 sy,  0.0 ni,100.0 id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st ",
    "MiB Mem :      0.0 total,      0.0 free,      0.0 used,      0.0 buff/cache     ",
    "MiB Swap:      0.0 total,      0.0 free,      0.0 used.      0.0 avail Mem ",
    "",
    "  PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND",
    "",
  ].join("\n");
}

function line(row: ProcessRow, users: ReadonlyMap<number, string>): string {
  const name = users.get(row.uid) ?? String(row.uid);
  const user = name.length > 8 ? `${name.slice(0, 7)}+` : name;
  const command = row.comm.length > COMMAND_WIDTH ? `${row.comm.slice(0, COMMAND_WIDTH - 1)}+` : row.comm;
  return `${String(row.pid).padStart(5)} ${user.padEnd(8)}  20   0       0      0      0 ${row.state}   0.0   0.0   0:00.00 ${command}\n`;
}

function* body(argv: readonly string[]): ToolBody {
  const args = argv.slice(1).map((word) => (/^[bHiSc]+n?[0-9]*$/.test(word) ? `-${word}` : word));
  const parsed = getopt("top", args, "bn:d:p:");
  if (parsed.error !== undefined) return yield* failed(`${parsed.error.replace(" -- ", " ")}\n`);
  const value = (name: string): string | undefined => parsed.options.findLast((o) => o.name === name)?.value;
  const times = wholeNumber(value("n") ?? "", 1, ITERATIONS_MAX);
  if (value("n") !== undefined && times === undefined) return yield* failed(`top: bad iterations argument '${value("n") ?? ""}'\n`);
  if (value("b") === undefined || times === undefined) return yield* failed("top: without -b and -n: not modelled in this lab\n");
  const delay = value("d") === undefined ? DELAY_S : Number(value("d"));
  if (!(delay >= 0)) return yield* failed(`top: bad delay interval '${value("d") ?? ""}'\n`);
  const pids = parsed.options.filter((o) => o.name === "p").flatMap((o) => listOf(o.value));
  for (let n = 0; n < times; n++) {
    if (n > 0) yield* sleep(Math.round(delay * SEC));
    const rows = (yield* processes()).filter((row) => pids.length === 0 || pids.includes(String(row.pid)));
    const users = yield* userNames();
    const me = yield* self();
    // Whoever runs has used the most: it stands first.
    const order = [...rows].sort((a, b) => Number(b.state === "R") - Number(a.state === "R") || a.pid - b.pid);
    yield* print(`${n > 0 ? "\n" : ""}${heading(rows, me.unixMicros)}${order.map((row) => line(row, users)).join("")}`);
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
