/**
 * corosync-cmapctl: reading and changing the keys of the configuration map, reading the statistics map. Messages are those of 3.1.7, recorded. Left out: the tools' own
 * connections, so that -C ipc clears nothing that shows.
 */
import type { CmapEntry } from "../cmap/map.ts";
import type { StatsGroup } from "../cmap/stats.ts";
import { fromUtf8, utf8 } from "../kernel/index.ts";
import { entryText, parseValue } from "./cmap-text.ts";
import { getopt } from "../kernel/getopt.ts";
import type { DaemonView, ToolHost } from "./host.ts";
import {
  fail,
  ok,
  printResult,
  TOOL_TIME,
  type Answer,
  type Ask,
  type CommandSpec,
  type Follow,
  type FollowState,
  type Result,
  type Run,
} from "./spec.ts";

const NAME = "corosync-cmapctl";
/** Program names are cut at 15 characters by the kernel (TASK_COMM_LEN). */
const PROCNAME = NAME.slice(0, 15);

const USAGE = `
usage:  corosync-cmapctl [-b] [-DdghsqTCt] [-p filename] [-m map] [params...]

    -b show binary values

    -m select map to use
          The  default  map is 'icmap' which contains configuration information and some runtime variables used by corosync. 
          A 'stats' map is also available which displays network statistics - in great detail when knet is used as the transport.
Set key:
    corosync-cmapctl -s key_name type value

    where type is one of ([i|u][8|16|32|64] | flt | dbl | str | bin)
    for bin, value is file name (or - for stdin)

    map can be either 'icmap' (the default) which contains corosync
    configuration information, or 'stats' which contains statistics
    about the networking and IPC traffic in some detail.

Clear stats:
    corosync-cmapctl -C [knet|ipc|totem|schedmiss|all]
    The 'stats' map is implied

Load settings from a file:
    corosync-cmapctl -p filename

    the format of the file is:
    [^[^]]<key_name>[ <type> <value>]
    Keys prefixed with single caret ('^') are deleted (see -d).
    Keys (actually prefixes) prefixed with double caret ('^^') are deleted by prefix (see -D).
    <type> and <value> are optional (not checked) in above cases.
    Other keys are set (see -s) so both <type> and <value> are required.

Delete key:
    corosync-cmapctl -d key_name...

Delete multiple keys with prefix:
    corosync-cmapctl -D key_prefix...

Get key:
    corosync-cmapctl [-b] -g key_name...

Quiet mode:
    corosync-cmapctl [-b] -q -g key_name...

Display all keys:
    corosync-cmapctl [-b]

Display keys with prefix key_name:
    corosync-cmapctl [-b] key_name...

Track changes on keys with key_name:
    corosync-cmapctl [-b] -t key_name

Track changes on keys with key prefix:
    corosync-cmapctl [-b] -T key_prefix

`;

const NO_DAEMON = fail("Failed to initialize the cmap API. Error CS_ERR_LIBRARY\n");

const CLEAR = "stats.clear.";
const GROUPS: readonly StatsGroup[] = ["knet", "ipc", "totem", "schedmiss", "all"];

interface Call {
  action: "list" | "get" | "set" | "delete" | "delete-prefix" | "track" | "track-prefix" | "load" | "clear";
  /** -C: the part of the statistics. */
  group: StatsGroup;
  /** -p: where the settings come from. */
  file: string;
  map: "icmap" | "stats";
  binary: boolean;
  quiet: boolean;
  operands: readonly string[];
}

function parse(args: readonly string[]): Call | Result {
  const call: Call = { action: "list", group: "all", file: "", map: "icmap", binary: false, quiet: false, operands: [] };
  const parsed = getopt(NAME, args, "m:hgsdDtTbqp:C:");
  const actions: Record<string, Call["action"]> = { g: "get", s: "set", d: "delete", D: "delete-prefix", t: "track", T: "track-prefix" };
  for (const { name, value } of parsed.options) {
    const action = actions[name];
    if (name === "h") return ok(USAGE);
    if (action !== undefined) call.action = action;
    else if (name === "b") call.binary = true;
    else if (name === "q") call.quiet = true;
    else if (name === "p") {
      call.action = "load";
      call.file = value;
    } else if (name === "m") {
      if (value !== "default" && value !== "icmap" && value !== "stats")
        return fail("invalid map name, must be 'default', 'icmap' or 'stats'\n");
      call.map = value === "stats" ? "stats" : "icmap";
    } else {
      const group = GROUPS.find((g) => g === value);
      if (group === undefined) return fail("argument to -C should be 'knet', 'totem', 'ipc', 'schedmiss' or 'all'\n");
      Object.assign(call, { action: "clear", map: "stats", group });
    }
  }
  if (parsed.error !== undefined) return fail(`${parsed.error}\n`);
  if (!["list", "load", "clear"].includes(call.action) && parsed.operands.length === 0) return fail("Expected key after options\n");
  call.operands = parsed.operands;
  return call;
}

function entries(host: ToolHost, daemon: DaemonView, map: Call["map"], prefix: string): CmapEntry[] {
  if (map === "icmap") return daemon.cmapList(prefix);
  return daemon.stats({ procname: PROCNAME, pid: host.pid }).filter((e) => e.key.startsWith(prefix));
}

function query(host: ToolHost, argv: readonly string[]): Result {
  const call = parse(argv.slice(1));
  if ("stdout" in call) return call;
  const daemon = host.corosync();
  if (typeof daemon === "string") return NO_DAEMON;
  if (call.action === "get") return get(host, daemon, call);
  if (call.action === "set") return fail("At least 3 parameters are expected for set\n");
  const prefixes = call.operands.length === 0 ? [""] : call.operands;
  const found = prefixes.flatMap((p) => entries(host, daemon, call.map, p));
  return { stdout: found.map((e) => entryText(e, call.binary, call.quiet)).join(""), stderr: "", status: found.length === 0 ? 1 : 0 };
}

/** Stops at the first key that is not there. */
function get(host: ToolHost, daemon: DaemonView, call: Call): Result {
  let stdout = "";
  for (const key of call.operands) {
    const found = call.map === "icmap" ? daemon.cmapGet(key) : entries(host, daemon, "stats", key).find((e) => e.key === key);
    if (found === undefined) return fail(`Can't get key ${key}. Error CS_ERR_NOT_EXIST\n`, 1, stdout);
    stdout += entryText(found, call.binary, call.quiet);
  }
  return ok(stdout);
}

function changes(call: Call): boolean {
  return (
    call.action === "load" ||
    call.action === "clear" ||
    call.action === "delete" ||
    call.action === "delete-prefix" ||
    (call.action === "set" && call.operands.length >= 3)
  );
}

/** 3.1.7 ends with a fault when one of these keys is asked for by its name; listing them is well (recorded). */
function deadly(host: ToolHost, daemon: DaemonView, call: Call, key: string): boolean {
  return call.map === "stats" && key.startsWith("stats.schedmiss.") && entries(host, daemon, "stats", key).some((e) => e.key === key);
}

function isQuery(argv: readonly string[], host: ToolHost): boolean {
  const call = parse(argv.slice(1));
  if ("stdout" in call || host.corosync() === "down") return true;
  const daemon = host.corosync();
  if (typeof daemon !== "string" && call.action === "get" && call.operands.some((key) => deadly(host, daemon, call, key))) return false;
  return daemon !== "stalled" && !changes(call) && !call.action.startsWith("track");
}

/** Keys a -t or -T call watches, with their printed form. */
function watched(host: ToolHost, daemon: DaemonView, call: Call): FollowState {
  const exact = call.action === "track";
  const key = call.operands[0] ?? "";
  const found = entries(host, daemon, call.map, key).filter((e) => !exact || e.key === key);
  return Object.fromEntries(found.map((e) => [e.key, entryText(e, call.binary, false)]));
}

function changesBetween(before: FollowState, after: FollowState): string {
  let text = "";
  for (const [key, line] of Object.entries(after)) {
    if (before[key] === undefined) text += `create> ${String(line)}`;
    else if (before[key] !== line) text += `modify> ${String(line)}`;
  }
  for (const [key, line] of Object.entries(before)) if (after[key] === undefined) text += `delete> ${String(line)}`;
  return text;
}

/** The daemon has not answered yet: the first answer is what later ones are compared with. No key has an empty name. */
const UNSEEN: FollowState = { "": true };

/** -t, -T: every creation, change and deletion, until "q", the end of input or Ctrl-C. */
const tracking: Follow = {
  begin: (host, argv) => {
    const call = parse(argv.slice(1));
    const daemon = host.corosync();
    if ("stdout" in call || typeof daemon === "string") return { state: UNSEEN, stdout: 'Type "q" to finish\n' };
    return { state: watched(host, daemon, call), stdout: 'Type "q" to finish\n' };
  },
  input: (line) => (line === undefined || line.startsWith("q") ? 0 : undefined),
  poll: (host, argv, state) => {
    const call = parse(argv.slice(1));
    const daemon = host.corosync();
    if ("stdout" in call || daemon === "down") return { state, stdout: "", status: 1 };
    if (daemon === "stalled") return { state, stdout: "" };
    const now = watched(host, daemon, call);
    return { state: now, stdout: state[""] === true ? "" : changesBetween(state, now) };
  },
};

function* complain(text: string): Run {
  yield { ask: "print", stream: "stderr", text };
  return 1;
}

function* run(argv: readonly string[], io: { readonly stdin: string }): Run {
  const call = parse(argv.slice(1));
  if ("stdout" in call) return yield* printResult(call);
  yield { ask: "daemon" };
  if (call.action === "get" && call.map === "stats") return yield* getStats(call, argv);
  if (!changes(call)) {
    const shown = yield { ask: "run", argv };
    return yield* printResult(shown.kind === "result" ? shown.result : NO_DAEMON);
  }
  let status = 0;
  if (call.action === "clear") yield { ask: "act", act: { act: "stats-clear", what: call.group } };
  else if (call.action === "load") status = yield* load(call);
  else if (call.action === "set") status = yield* set(call, io.stdin);
  else if (call.action === "delete") status = yield* removeAll(call);
  else for (const prefix of call.operands) yield* removePrefix(call, prefix);
  yield { ask: "sleep", micros: TOOL_TIME };
  return status;
}

function* getStats(call: Call, argv: readonly string[]): Run {
  const options = argv.slice(1).filter((word) => !call.operands.includes(word));
  for (const key of call.operands) {
    const listed = yield { ask: "run", argv: [NAME, "-m", "stats", key] };
    const there = listed.kind === "result" && listed.result.stdout.startsWith(`${key} (`);
    if (there && key.startsWith("stats.schedmiss.")) {
      yield { ask: "act", act: { act: "daemon-crash" } };
      return yield* complain(`Can't get key ${key}. Error CS_ERR_LIBRARY\n`);
    }
    const shown = yield { ask: "run", argv: [NAME, ...options, key] };
    const status = yield* printResult(shown.kind === "result" ? shown.result : NO_DAEMON);
    if (status !== 0) return status;
  }
  return 0;
}

function* set(call: Call, stdin: string): Run {
  const [key = "", type = "", text = ""] = call.operands;
  const parsed = type === "bin" ? yield* binary(text, stdin) : parseValue(type, text);
  if ("message" in parsed) return yield* complain(`${parsed.message}\n`);
  if (call.map === "stats") return yield* setStats(key);
  const answer = yield { ask: "act", act: { act: "cmap-set", key, type: parsed.type, value: parsed.value } };
  const error = answer.kind === "done" ? answer.error : undefined;
  return error === undefined ? 0 : yield* complain(`Failed to set key ${key}. Error ${error}\n`);
}

/** The only keys of the stats map that can be set are those of -C, whatever the value; what stands behind the name is not looked at (recorded). */
function* setStats(key: string): Run {
  const name = key.startsWith(CLEAR) ? key.slice(CLEAR.length) : undefined;
  if (name === undefined) return yield* complain(`Failed to set key ${key}. Error CS_ERR_ACCESS\n`);
  const what = GROUPS.find((group) => name.startsWith(group));
  if (what === undefined) return yield* complain(`Failed to set key ${key}. Error CS_ERR_NOT_SUPPORTED\n`);
  yield { ask: "act", act: { act: "stats-clear", what } };
  return 0;
}

/** What -s KEY bin takes for its value: a file's bytes, or with - what it reads. */
function* binary(path: string, stdin: string): Generator<Ask, { type: "bin"; value: Uint8Array } | { message: string }, Answer> {
  if (path === "-") return { type: "bin", value: utf8(stdin) };
  const answer = yield { ask: "file", path };
  const data = answer.kind === "file" ? answer.data : undefined;
  return data === undefined ? { message: "Can't open input file: No such file or directory" } : { type: "bin", value: data };
}

/**
 * -p: one line after the other until one fails, which is the tool's failure; a key that cannot be deleted is only told. A line is words between blanks, of
 * which the third is the value: what follows is ignored (recorded). Lines that begin with # and empty ones are passed over.
 */
function* load(call: Call): Run {
  const answer = yield { ask: "file", path: call.file };
  const data = answer.kind === "file" ? answer.data : undefined;
  if (data === undefined) {
    yield* complain("Couldn't open file.: No such file or directory\n");
    return 0;
  }
  for (const line of fromUtf8(data).split("\n")) {
    const [key = "", type, value] = line.split(/[ \t\r]+/).filter((word) => word !== "");
    if (key === "" || key.startsWith("#")) continue;
    if (key.startsWith("^^")) yield* removePrefix(call, key.slice(2));
    else if (key.startsWith("^")) yield* remove(call, key.slice(1));
    else if (type === undefined || value === undefined) return yield* complain(`Both type and value for key ${key} are required\n`);
    else {
      const status = yield* set({ ...call, operands: [key, type, value] }, "");
      if (status !== 0) return status;
    }
  }
  return 0;
}

/** Stops at the first key that cannot be deleted. */
function* removeAll(call: Call): Run {
  for (const key of call.operands) {
    const status = yield* remove(call, key);
    if (status !== 0) return status;
  }
  return 0;
}

function* remove(call: Call, key: string): Run {
  const answer =
    call.map === "stats" ? ({ kind: "done", error: "CS_ERR_ACCESS" } as const) : yield { ask: "act", act: { act: "cmap-delete", key } };
  const error = answer.kind === "done" ? answer.error : undefined;
  return error === undefined ? 0 : yield* complain(`Can't delete key ${key}. Error ${error}\n`);
}

/** The tool does not count what it cannot delete as its own failure (recorded: exit 0). */
function* removePrefix(call: Call, prefix: string): Run {
  const map = call.map === "stats" ? ["-m", "stats"] : [];
  const listed = yield { ask: "run", argv: [NAME, ...map, prefix] };
  const lines = listed.kind === "result" ? listed.result.stdout.split("\n") : [];
  for (const line of lines) {
    const key = /^(\S+) \((?:[iu]\d+|flt|dbl|str|bin)\)/.exec(line)?.[1];
    if (key !== undefined && key.startsWith(prefix)) yield* remove(call, key);
  }
  return 0;
}

export const cmapctl: CommandSpec = {
  name: NAME,
  summary: "keys of corosync's configuration and statistics maps",
  options: [
    { flag: "-g", help: "get keys" },
    { flag: "-s", help: "set a key: name type value" },
    { flag: "-d", help: "delete keys" },
    { flag: "-D", help: "delete keys by prefix" },
    { flag: "-m", help: "map: icmap or stats" },
    { flag: "-b", help: "show binary values" },
    { flag: "-q", help: "the value alone" },
    { flag: "-t", help: "track a key" },
    { flag: "-T", help: "track keys by prefix" },
    { flag: "-p", help: "load settings from a file" },
    { flag: "-C", help: "clear statistics" },
    { flag: "-h", help: "show help" },
  ],
  isQuery,
  query,
  run,
  follow: (argv) => {
    const call = parse(argv.slice(1));
    return "stdout" in call || !call.action.startsWith("track") ? undefined : tracking;
  },
};
