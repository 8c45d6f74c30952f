/**
 * How top is called, and what is said of a wrong call: texts and exit statuses of procps 4.0, which ends with 0 where getopt(3) has complained. Left out, and said so: -e, -E, -H, -S, -s, -1, the
 * interactive screen.
 */
import { getopt, wholeNumber } from "../kernel/getopt.ts";
import { listOf } from "./processes.ts";

const ITERATIONS_MAX = 10_000;
/** Seconds between two pictures. */
const DELAY_S = 3;
const WIDTH = 80;

const USAGE = `
Usage:
 top [options]

Options:
 -b, --batch-mode                run in non-interactive batch mode
 -c, --cmdline-toggle            reverse last remembered 'c' state
 -d, --delay =SECS [.TENTHS]     iterative delay as SECS [.TENTHS]
 -E, --scale-summary-mem =SCALE  set mem as: k,m,g,t,p,e for SCALE
 -e, --scale-task-mem =SCALE     set mem with: k,m,g,t,p for SCALE
 -H, --threads-show              show tasks plus all their threads
 -i, --idle-toggle               reverse last remembered 'i' state
 -n, --iterations =NUMBER        exit on maximum iterations NUMBER
 -O, --list-fields               output all field names, then exit
 -o, --sort-override =FIELD      force sorting on this named FIELD
 -p, --pid =PIDLIST              monitor only the tasks in PIDLIST
 -S, --accum-time-toggle         reverse last remembered 'S' state
 -s, --secure-mode               run with secure mode restrictions
 -U, --filter-any-user =USER     show only processes owned by USER
 -u, --filter-only-euser =USER   show only processes owned by USER
 -w, --width [=COLUMNS]          change print width [,use COLUMNS]
 -1, --single-cpu-toggle         reverse last remembered '1' state

 -h, --help                      display this help text, then exit
 -V, --version                   output version information & exit

For more details see top(1).
`;

/** Every field there is, in the order of top -O. */
const FIELDS: readonly string[] = (
  "PID PPID UID USER RUID RUSER SUID SUSER GID GROUP PGRP TTY TPGID SID PR NI " +
  "nTH P %CPU TIME TIME+ %MEM VIRT SWAP RES CODE DATA SHR nMaj nMin nDRT S " +
  "COMMAND WCHAN Flags CGROUPS SUPGIDS SUPGRPS TGID OOMa OOMs ENVIRON vMj vMn USED nsIPC nsMNT nsNET " +
  "nsPID nsUSER nsUTS LXC RSan RSfd RSlk RSsh CGNAME NU LOGID EXE RSS PSS PSan PSfd " +
  "PSsh USS ioR ioRop ioW ioWop AGID AGNI STARTED ELAPSED %CUU %CUC nsCGROUP nsTIME"
).split(" ");
/** Those that are shown. */
export const SHOWN = ["PID", "USER", "PR", "NI", "VIRT", "RES", "SHR", "S", "%CPU", "%MEM", "TIME+", "COMMAND"] as const;
export type Field = (typeof SHOWN)[number];

export interface TopCall {
  readonly times: number;
  readonly delaySeconds: number;
  readonly pids: readonly string[];
  readonly user: string | undefined;
  readonly sort: Field | undefined;
  readonly width: number;
  /** -i: those that do nothing are not shown. */
  readonly busyOnly: boolean;
  /** -c: whole command lines. */
  readonly commandLine: boolean;
}

export interface Said {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly status: number;
}

const LONG = [
  "batch-mode",
  "cmdline-toggle",
  "delay=",
  "scale-summary-mem=",
  "scale-task-mem=",
  "threads-show",
  "idle-toggle",
  "iterations=",
  "list-fields",
  "sort-override=",
  "pid=",
  "accum-time-toggle",
  "secure-mode",
  "filter-any-user=",
  "filter-only-euser=",
  "width=",
  "single-cpu-toggle",
  "help",
  "version",
];
const SHORT_OF: { readonly [long: string]: string } = {
  "batch-mode": "b",
  "cmdline-toggle": "c",
  delay: "d",
  "scale-summary-mem": "E",
  "scale-task-mem": "e",
  "threads-show": "H",
  "idle-toggle": "i",
  iterations: "n",
  "list-fields": "O",
  "sort-override": "o",
  pid: "p",
  "accum-time-toggle": "S",
  "secure-mode": "s",
  "filter-any-user": "U",
  "filter-only-euser": "u",
  width: "w",
  "single-cpu-toggle": "1",
  help: "h",
  version: "V",
};

const wrong = (text: string): Said => ({ stderr: `top: ${text}\n`, status: 1 });
const notModelled = (what: string): Said => ({ stderr: `top: ${what}: not modelled in this lab\n`, status: 1 });

/** What is wrong with the value of an option; undefined: nothing. */
function badValue(letter: string, value: string, knowsUser: (name: string) => boolean): Said | undefined {
  switch (letter) {
    case "n":
      return wholeNumber(value, 1, ITERATIONS_MAX) === undefined ? wrong(`bad iterations argument '${value}'`) : undefined;
    case "d":
      if (/^-/.test(value)) return wrong("-d requires positive argument");
      return /^[0-9]*[.,]?[0-9]*$/.test(value) && /[0-9]/.test(value) ? undefined : wrong(`bad delay interval '${value}'`);
    case "p": {
      const bad = listOf(value).find((word) => !/^[0-9]{1,11}$/.test(word));
      return bad === undefined ? undefined : wrong(`bad pid '${bad}'`);
    }
    case "u":
    case "U":
      return knowsUser(value.replace(/^!/, "")) ? undefined : wrong("Invalid user");
    case "o": {
      const name = value.replace(/^[+-]/, "");
      if (!FIELDS.includes(name)) return wrong(`unrecognized field name '${name}'`);
      return SHOWN.some((field) => field === name) ? undefined : notModelled(`-o ${name}`);
    }
    case "w":
      return wholeNumber(value, 3, 512) === undefined ? wrong(`bad width arg '${value}'`) : undefined;
    case "E":
    case "e":
      return /^[kmgtpe]$/.test(value) ? notModelled(`-${letter}`) : wrong(`bad memory scaling arg '${value}'`);
    default:
      return "HS1s".includes(letter) ? notModelled(`-${letter}`) : undefined;
  }
}

export function parseTop(args: readonly string[], knowsUser: (name: string) => boolean): TopCall | Said {
  const parsed = getopt("top", args, "bcd:E:e:Hhin:Oo:p:SsU:u:Vw:1", LONG);
  const values = new Map<string, string>();
  const pids: string[] = [];
  for (const { name, value } of parsed.options) {
    const letter = SHORT_OF[name] ?? name;
    if (letter === "h") return { stdout: USAGE, status: 0 };
    if (letter === "V") return { stdout: "top from procps-ng 4.0.2\n", status: 0 };
    if (letter === "O") return { stdout: FIELDS.map((f) => `${f}\n`).join(""), status: 0 };
    const bad = badValue(letter, value, knowsUser);
    if (bad !== undefined) return bad;
    if (letter === "p") pids.push(...listOf(value));
    values.set(letter, value);
  }
  // In batch mode it has begun a line by then.
  if (parsed.error !== undefined) return { stdout: values.has("b") ? "\n" : "", stderr: `${parsed.error}\n`, status: 0 };
  const [operand] = parsed.operands;
  if (operand !== undefined) return wrong(`unknown option '${operand}'`);
  const times = values.get("n");
  if (!values.has("b") || times === undefined) return notModelled("without -b and -n");
  const sort = values.get("o")?.replace(/^[+-]/, "");
  return {
    times: Number(times),
    delaySeconds: Number((values.get("d") ?? String(DELAY_S)).replace(",", ".")),
    pids,
    user: values.get("u") ?? values.get("U"),
    sort: SHOWN.find((field) => field === sort),
    width: Number(values.get("w") ?? WIDTH),
    busyOnly: values.has("i"),
    commandLine: values.has("c"),
  };
}
