/**
 * The texts of /proc, in the formats of proc(5), and the view of the machine they are made from. In the real stack: fs/proc. What the lab does not model is what an idle
 * machine would show: processor times are zero but for idle, load is zero, memory is used by nobody.
 */
import { SEC, type Instant } from "../../kernel/index.ts";

export interface ProcProcess {
  readonly pid: number;
  /** What its files are known by, where that is not its pid. */
  readonly files?: number;
  readonly ppid: number;
  /** The name ps shows; the kernel keeps 15 characters. */
  readonly comm: string;
  readonly argv: readonly string[];
  readonly exe?: string;
  readonly state: "R" | "S" | "D" | "T" | "Z";
  readonly startedAt: Instant;
  readonly uid: number;
  readonly gid: number;
  readonly session: number;
}

/** What /proc asks the machine. All of it is pure but `setHostname`. */
export interface ProcView {
  /** Ascending. */
  pids(): readonly number[];
  process(pid: number): ProcProcess | undefined;
  hostname(): string;
  /** A write to /proc/sys/kernel/hostname. */
  setHostname(name: string): void;
  now(): Instant;
  bootedAt(): Instant;
  /** Seconds since 1970 at boot. */
  bootUnixSeconds(): number;
  readonly kernelRelease: string;
  /** As /proc/version has it. */
  readonly kernelLine: string;
  readonly processors: number;
  readonly memoryBytes: number;
}

/** USER_HZ: ticks of a second in these files. */
const TICKS = 100;
const COMM_MAX = 15;

function hundredths(span: number): string {
  const n = Math.floor(span / (SEC / TICKS));
  return `${Math.floor(n / TICKS)}.${String(n % TICKS).padStart(2, "0")}`;
}

const ticks = (span: number): number => Math.floor(span / (SEC / TICKS));

export function uptime(view: ProcView): string {
  const up = view.now() - view.bootedAt();
  return `${hundredths(up)} ${hundredths(up * view.processors)}\n`;
}

function running(view: ProcView): number {
  return Math.max(1, view.pids().filter((pid) => view.process(pid)?.state === "R").length);
}

export function loadavg(view: ProcView): string {
  const pids = view.pids();
  return `0.00 0.00 0.00 ${running(view)}/${pids.length} ${pids.at(-1) ?? 1}\n`;
}

export function statText(view: ProcView): string {
  const idle = ticks(view.now() - view.bootedAt());
  const rest = "0 0 0 0 0 0";
  const lines = [`cpu  0 0 0 ${idle * view.processors} ${rest}`];
  for (let n = 0; n < view.processors; n++) lines.push(`cpu${n} 0 0 0 ${idle} ${rest}`);
  const pids = view.pids();
  lines.push("intr 0", "ctxt 0", `btime ${view.bootUnixSeconds()}`, `processes ${pids.at(-1) ?? 1}`);
  lines.push(`procs_running ${running(view)}`, "procs_blocked 0");
  return `${lines.join("\n")}\n`;
}

const kb = (name: string, bytes: number): string => `${`${name}:`.padEnd(16)}${String(Math.floor(bytes / 1024)).padStart(8)} kB`;

export function meminfo(view: ProcView): string {
  const all = view.memoryBytes;
  const rows: readonly (readonly [string, number])[] = [
    ["MemTotal", all],
    ["MemFree", all],
    ["MemAvailable", all],
    ["Buffers", 0],
    ["Cached", 0],
    ["SwapCached", 0],
    ["Active", 0],
    ["Inactive", 0],
    ["SwapTotal", 0],
    ["SwapFree", 0],
    ["Dirty", 0],
    ["Writeback", 0],
    ["Shmem", 0],
    ["SReclaimable", 0],
  ];
  return `${rows.map(([name, bytes]) => kb(name, bytes)).join("\n")}\n`;
}

export function cpuinfo(processors: number): string {
  const one = (n: number): string =>
    `processor\t: ${n}\nvendor_id\t: GenuineIntel\nmodel name\t: QEMU Virtual CPU\ncpu MHz\t\t: 2000.000\nphysical id\t: 0\nsiblings\t: ${processors}\ncore id\t\t: ${n}\ncpu cores\t: ${processors}\nflags\t\t: fpu\n\n`;
  return Array.from({ length: processors }, (_, n) => one(n)).join("");
}

export const FILESYSTEMS = ["nodev\tsysfs", "nodev\ttmpfs", "nodev\tproc", "nodev\tdevtmpfs", "\text4", "nodev\tfuse", ""].join("\n");

export function processComm(p: ProcProcess): string {
  return p.comm.slice(0, COMM_MAX);
}

const STATES = { R: "running", S: "sleeping", D: "disk sleep", T: "stopped", Z: "zombie" } as const;

export function processStat(view: ProcView, p: ProcProcess): string {
  const started = ticks(Math.max(0, p.startedAt - view.bootedAt()));
  const head = `${p.pid} (${processComm(p)}) ${p.state} ${p.ppid} ${p.session} ${p.session} 0 -1 4194304`;
  // minflt … cstime, then priority, nice, threads, itrealvalue, starttime; what follows is about memory and processors.
  return `${head} ${"0 ".repeat(8)}20 0 1 0 ${started} ${"0 ".repeat(29)}0\n`;
}

export function processStatus(p: ProcProcess, umask: number, descriptors: number): string {
  const ids = (id: number): string => [id, id, id, id].join("\t");
  const slots = Math.max(64, Math.ceil(descriptors / 64) * 64);
  const rows: readonly (readonly [string, string])[] = [
    ["Name", processComm(p)],
    ["Umask", umask.toString(8).padStart(4, "0")],
    ["State", `${p.state} (${STATES[p.state]})`],
    ["Tgid", String(p.pid)],
    ["Ngid", "0"],
    ["Pid", String(p.pid)],
    ["PPid", String(p.ppid)],
    ["TracerPid", "0"],
    ["Uid", ids(p.uid)],
    ["Gid", ids(p.gid)],
    ["FDSize", String(slots)],
    ["Threads", "1"],
  ];
  return rows.map(([name, value]) => `${name}:\t${value}\n`).join("");
}
