/**
 * corosync-cmapctl: reading and changing the keys of the configuration map, reading the statistics map. Messages are those of 3.1.7, recorded. Left out: the tools' own
 * connections, so that -C ipc clears nothing that shows.
 */
import type { CmapEntry, CmapType, CmapValue } from "../cmap/map.ts";
import type { StatsGroup } from "../cmap/stats.ts";
import { CMAP, type CmapCalls, type CmapNotices } from "../corosync/index.ts";
import { fromUtf8, utf8 } from "../kernel/index.ts";
import { getopt } from "../kernel/getopt.ts";
import { entryText, parseValue } from "./cmap-text.ts";
import { errorOf, initialize, type Library } from "./library.ts";
import { TOOL_TIME, fail, ok, printResult, type Result } from "./result.ts";
import { endless } from "./tool-program.ts";
import {
  contents,
  failed,
  nextEvent,
  print,
  readLine,
  self,
  sleep,
  type Again,
  type Kept,
  type Rounds,
  type Tool,
  type ToolAnswer,
  type ToolAsk,
  type ToolBody,
  type ToolPart,
} from "./tool.ts";

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

type Cmap = Library<CmapCalls>;
type Which = { readonly map?: "stats"; readonly procname?: string; readonly pid?: number };

/** Which map; the statistics show the connection of the one that reads them. */
function* which(call: Call): ToolPart<Which> {
  return call.map === "icmap" ? {} : { map: "stats", procname: PROCNAME, pid: (yield* self()).pid };
}

function* entries(cmap: Cmap, call: Call, prefix: string): ToolPart<readonly CmapEntry[]> {
  return (yield* cmap.read("cmap_iter", { ...(yield* which(call)), prefix }))?.entries ?? [];
}

function* body(argv: readonly string[]): ToolBody {
  const call = parse(argv.slice(1));
  if ("stdout" in call) return yield* printResult(call);
  const cmap = yield* initialize<CmapCalls>(CMAP);
  if (cmap === undefined) return yield* printResult(NO_DAEMON);
  if (call.action === "get") return yield* get(cmap, call);
  if (call.action === "list") return yield* list(cmap, call);
  if (call.action === "set" && call.operands.length < 3) return yield* failed("At least 3 parameters are expected for set\n");
  const status = yield* change(cmap, call);
  yield* sleep(TOOL_TIME);
  return status;
}

function* list(cmap: Cmap, call: Call): ToolBody {
  let text = "";
  for (const prefix of call.operands.length === 0 ? [""] : call.operands)
    for (const entry of yield* entries(cmap, call, prefix)) text += entryText(entry, call.binary, call.quiet);
  yield* print(text);
  return text === "" ? 1 : 0;
}

/** Stops at the first key that is not there. 3.1.7 ends with a fault where a key of stats.schedmiss. is asked for by its name (recorded). */
function* get(cmap: Cmap, call: Call): ToolBody {
  const map = yield* which(call);
  for (const key of call.operands) {
    const found = yield* cmap.ask("cmap_get", { ...map, key });
    if ("error" in found) return yield* failed(`Can't get key ${key}. Error ${found.error}\n`);
    yield* print(entryText({ key, type: found.type, value: found.value }, call.binary, call.quiet));
  }
  return 0;
}

function* change(cmap: Cmap, call: Call): ToolBody {
  switch (call.action) {
    case "clear":
      yield* cmap.ask("cmap_set", { map: "stats", key: `stats.clear.${call.group}`, type: "str", value: "" });
      return 0;
    case "load":
      return yield* load(cmap, call);
    case "set":
      return yield* set(cmap, call, call.operands);
    case "delete":
      return yield* removeAll(cmap, call);
    default:
      for (const prefix of call.operands) yield* removePrefix(cmap, call, prefix);
      return 0;
  }
}

/** Of the stats map only the keys of -C can be set. */
function* set(cmap: Cmap, call: Call, [key = "", type = "", text = ""]: readonly string[]): ToolBody {
  const parsed = type === "bin" ? yield* binary(text) : parseValue(type, text);
  if ("message" in parsed) return yield* failed(`${parsed.message}\n`);
  const error = errorOf(yield* cmap.ask("cmap_set", { map: call.map, key, type: parsed.type, value: parsed.value }));
  return error === undefined ? 0 : yield* failed(`Failed to set key ${key}. Error ${error}\n`);
}

/** What -s KEY bin takes for its value: a file's bytes, or with - what it reads, as lines. */
function* binary(path: string): ToolPart<{ readonly type: CmapType; readonly value: CmapValue } | { readonly message: string }> {
  if (path === "-") {
    let text = "";
    for (let line = yield* readLine(""); line !== undefined; line = yield* readLine("")) text += `${line}\n`;
    return { type: "bin", value: utf8(text) };
  }
  const data = yield* bytesOf(path);
  return data === undefined ? { message: "Can't open input file: No such file or directory" } : { type: "bin", value: data };
}

function* bytesOf(path: string): ToolPart<Uint8Array | undefined> {
  const read = yield* contents(path);
  return read.ok && read.value === "data" ? read.data : undefined;
}

/**
 * -p: one line after the other until one fails, which is the tool's failure; a key that cannot be deleted is only told. A line is fields between blanks, of
 * which the third is the value: what follows is ignored (recorded). Lines that begin with # and empty ones are passed over.
 */
function* load(cmap: Cmap, call: Call): ToolBody {
  const data = yield* bytesOf(call.file);
  if (data === undefined) {
    yield* print("Couldn't open file.: No such file or directory\n", "stderr");
    return 0;
  }
  for (const line of fromUtf8(data).split("\n")) {
    const [key = "", type, value] = line.split(/[ \t\r]+/).filter((field) => field !== "");
    if (key === "" || key.startsWith("#")) continue;
    if (key.startsWith("^^")) yield* removePrefix(cmap, call, key.slice(2));
    else if (key.startsWith("^")) yield* remove(cmap, call, key.slice(1));
    else if (type === undefined || value === undefined) return yield* failed(`Both type and value for key ${key} are required\n`);
    else {
      const status = yield* set(cmap, call, [key, type, value]);
      if (status !== 0) return status;
    }
  }
  return 0;
}

/** Stops at the first key that cannot be deleted. */
function* removeAll(cmap: Cmap, call: Call): ToolBody {
  for (const key of call.operands) {
    const status = yield* remove(cmap, call, key);
    if (status !== 0) return status;
  }
  return 0;
}

function* remove(cmap: Cmap, call: Call, key: string): ToolBody {
  const error = errorOf(yield* cmap.ask("cmap_delete", { map: call.map, key }));
  return error === undefined ? 0 : yield* failed(`Can't delete key ${key}. Error ${error}\n`);
}

/** The tool does not count what it cannot delete as its own failure (recorded: exit 0). */
function* removePrefix(cmap: Cmap, call: Call, prefix: string): ToolPart<void> {
  for (const { key } of yield* entries(cmap, call, prefix)) yield* remove(cmap, call, key);
}

// ── tracking ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** -t, -T: every creation, change and deletion, until "q", the end of input or Ctrl-C. */
const tracking: Rounds = {
  name: NAME,
  body: (argv, kept) => (kept === undefined ? beginTracking(argv) : goOnTracking(argv, kept)),
};

type TrackBody = Generator<ToolAsk, number | Again, ToolAnswer>;

/** What is kept. */
const CONNECTION = "connection";

function* beginTracking(argv: readonly string[]): TrackBody {
  const call = parse(argv.slice(1));
  if ("stdout" in call) return yield* printResult(call);
  const cmap = yield* initialize<CmapCalls>(CMAP);
  if (cmap === undefined) return yield* printResult(NO_DAEMON);
  const map = yield* which(call);
  for (const key of call.operands) yield* cmap.ask("cmap_track_add", { ...map, key, prefix: call.action === "track-prefix" });
  yield* print('Type "q" to finish\n');
  return { again: { [CONNECTION]: cmap.connection } };
}

function* goOnTracking(argv: readonly string[], kept: Kept): TrackBody {
  const call = parse(argv.slice(1));
  if ("stdout" in call) return 1;
  const happened = yield* nextEvent(Number(kept[CONNECTION]));
  if (happened === "gone") return 1;
  if ("line" in happened) return happened.line === undefined || happened.line.startsWith("q") ? 0 : { again: kept };
  yield* print(changeText(happened.notice as unknown as CmapNotices["cmap_notify"], call));
  return { again: kept };
}

function changeText({ entry, before }: CmapNotices["cmap_notify"], call: Call): string {
  if (entry !== undefined) return `${before === undefined ? "create" : "modify"}> ${entryText(entry, call.binary, false)}`;
  return before === undefined ? "" : `delete> ${entryText(before, call.binary, false)}`;
}

/** Completion of a key. */
function* operands(): ToolPart<readonly string[]> {
  const cmap = yield* initialize<CmapCalls>(CMAP);
  const listed = cmap && (yield* cmap.read("cmap_iter", { prefix: "" }));
  return listed?.entries.map((e) => e.key) ?? [];
}

export const cmapctl: Tool = {
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
  operands,
  body,
  endless: (argv) => {
    const call = parse(argv.slice(1));
    return "stdout" in call || !call.action.startsWith("track") ? undefined : endless(tracking);
  },
};
