/**
 * corosync-quorumtool: what this node's quorum services believe, and changes of votes. Layouts and messages are recorded. Like the real one it
 * takes the provider and its own node id from the key map, where a client may have changed them. Left out: with another id there the real tool shows numbers
 * that happen to lie in its memory.
 */
import { HOSTS_PATH, canonicalName } from "../config/index.ts";
import { profileOf } from "../config/index.ts";
import {
  CFG,
  CMAP,
  QUORUM,
  VOTEQUORUM,
  type CfgCalls,
  type CmapCalls,
  type ConfiguredNode,
  type QuorumCalls,
  type Verdict,
  type VotequorumCalls,
} from "../corosync/index.ts";
import { fromUtf8 } from "../kernel/index.ts";
import { getopt, wholeNumber } from "../kernel/getopt.ts";
import { ringIdText } from "../totem/types.ts";
import type { DeviceInfo, VoteInfo } from "../votequorum/info.ts";
import { nodeAddresses } from "./addresses.ts";
import { ctime } from "./dates.ts";
import { Library, errorOf, initialize } from "./library.ts";
import { TOOL_TIME, fail, notModelled, ok, printResult, type Result } from "./result.ts";
import { endless } from "./tool-program.ts";
import {
  contents,
  nextNotice,
  print,
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

const NAME = "corosync-quorumtool";
const INT_MAX = 2_147_483_647;

const USAGE = `usage: 
corosync-quorumtool <options>

  options:

  -s             show quorum status
  -m             constantly monitor quorum status
  -l             list nodes
  -a             show all names or addresses for each node
  -p             when used with -s or -l, generates machine parsable output
  -v <votes>     change the number of votes for a node (*)
  -n <nodeid>    optional nodeid of node for -v
  -e <expected>  change expected votes for the cluster (*)
  -H             show nodeids in hexadecimal rather than decimal
  -i             show node IP addresses instead of the resolved name
  -o <a|n|i>     order by [a] IP address (default), [n] name, [i] nodeid
  -f             forcefully unregister a quorum device *DANGEROUS* (*)
  -h             show this help text
  -V             show version and exit

  (*) Starred items only work if votequorum is the quorum provider for corosync

`;

type Action = "status" | "list" | "monitor" | "expected" | "votes" | "unregister";

interface Call {
  action: Action;
  hex: boolean;
  addresses: boolean;
  all: boolean;
  device: boolean;
  order: "a" | "n" | "i";
  /** 0: this node. */
  nodeId: number;
  value: number;
}

const PROVIDER_KEY = "quorum.provider";
const OWN_ID_KEY = "runtime.votequorum.this_node_id";

/** The parsed call, or what the tool answers before it asks anybody. */
function parse(args: readonly string[]): Call | Result | "version" {
  const call: Call = { action: "status", hex: false, addresses: false, all: false, device: false, order: "a", nodeId: 0, value: 0 };
  const parsed = getopt(NAME, args, "aVHslpmfe:v:hin:o:");
  for (const { name, value } of parsed.options) {
    const answer = apply(call, name, value);
    if (answer !== undefined) return answer;
  }
  return parsed.error === undefined ? call : fail(`${parsed.error}\n`, 1, USAGE);
}

function apply(call: Call, option: string, value: string): Result | "version" | undefined {
  const actions: Record<string, Action> = { s: "status", l: "list", m: "monitor", f: "unregister" };
  const action = actions[option];
  if (action !== undefined) call.action = action;
  else if (option === "a") call.all = true;
  else if (option === "H") call.hex = true;
  else if (option === "i") call.addresses = true;
  else if (option === "p") call.device = true;
  else if (option === "h") return ok(USAGE);
  else if (option === "V") return "version";
  else if (option === "o") {
    if (value !== "a" && value !== "n" && value !== "i")
      return fail("Invalid ordering option. valid orders are a(address), i(node ID) or n(name)\n");
    call.order = value;
  } else return applyNumber(call, option, value);
  return undefined;
}

function applyNumber(call: Call, option: string, text: string): Result | undefined {
  const number = wholeNumber(text, option === "v" ? 0 : 1, INT_MAX);
  if (option === "n") {
    if (number === undefined) return fail("The nodeid was not valid, try a positive number\n");
    call.nodeId = number;
    return undefined;
  }
  call.action = option === "e" ? "expected" : "votes";
  if (number === undefined) {
    return fail(
      option === "e"
        ? "New expected votes value was not valid, try a positive number\n"
        : "New votes value was not valid, try a positive number or zero\n",
    );
  }
  call.value = number;
  return undefined;
}

const NO_DAEMON = fail("Cannot initialize CMAP service\n");

/** The libraries it uses. Without a quorum provider nobody serves votequorum. */
interface Libraries {
  readonly cmap: Library<CmapCalls>;
  readonly quorum: Library<QuorumCalls>;
  readonly cfg: Library<CfgCalls>;
  readonly votequorum: Library<VotequorumCalls> | undefined;
}

function* initializeAll(): ToolPart<Libraries | undefined> {
  const cmap = yield* initialize<CmapCalls>(CMAP);
  const quorum = cmap && (yield* initialize<QuorumCalls>(QUORUM));
  const cfg = quorum && (yield* initialize<CfgCalls>(CFG));
  if (cmap === undefined || quorum === undefined || cfg === undefined) return undefined;
  return { cmap, quorum, cfg, votequorum: yield* initialize<VotequorumCalls>(VOTEQUORUM) };
}

/** What they tell of the cluster. */
interface View {
  readonly quorum: Verdict;
  readonly nodes: readonly ConfiguredNode[];
  /** /etc/hosts of the machine. */
  readonly hosts: string;
  readonly votes: ReadonlyMap<number, VoteInfo>;
  /** The quorum device as each node has it. */
  readonly devices: ReadonlyMap<number, DeviceInfo>;
}

/** Of the members and of the node that the tool takes for its own. Undefined: the daemon has gone. */
function* look({ quorum, cfg, votequorum }: Libraries, own: number): ToolPart<View | undefined> {
  const verdict = yield* quorum.read("quorum_current", {});
  const status = yield* cfg.read("corosync_cfg_ring_status_get", {});
  if (verdict === undefined || status === undefined) return undefined;
  const votes = new Map<number, VoteInfo>();
  const devices = new Map<number, DeviceInfo>();
  for (const nodeId of new Set([...verdict.members, own])) {
    if (votequorum === undefined) break;
    const vote = yield* votequorum.read("votequorum_getinfo", { nodeId });
    const device = yield* votequorum.read("votequorum_qdevice_getinfo", { nodeId });
    if (vote !== undefined) votes.set(nodeId, vote.info);
    if (device !== undefined) devices.set(nodeId, device.info);
  }
  const hosts = yield* hostsFile(status.nodes);
  return { quorum: verdict, nodes: status.nodes, hosts, votes, devices };
}

/** The resolver's file, where some node has no name. */
function* hostsFile(nodes: readonly ConfiguredNode[]): ToolPart<string> {
  if (nodes.every((n) => n.name !== "")) return "";
  const read = yield* contents(HOSTS_PATH);
  return read.ok && read.value === "data" ? fromUtf8(read.data) : "";
}

function nodeIdText(id: number, hex: boolean): string {
  return hex ? `0x${id.toString(16).padStart(8, "0")}` : String(id);
}

/** What the tool finds in its memory as the scope of an IPv6 address, which nobody has set: 32000 and some hundreds, another with every run (recorded). */
const SCOPE_BY_CHANCE = 32_704;

/** Name column of one member: the nodelist's name, else the resolver's for its first address, which is empty where there is none; `-i` addresses; `-a` one entry per link. */
function nameOf(view: View, nodeId: number, call: Call): string {
  const node = view.nodes.find((n) => n.nodeId === nodeId);
  const addresses = nodeAddresses(node?.addresses ?? []);
  const first = addresses[0] ?? "";
  if (call.addresses) {
    const shown = addresses.map((a) => (a.includes(":") ? `${a}%${SCOPE_BY_CHANCE}` : a));
    return call.all ? shown.join(", ") : (shown[0] ?? "");
  }
  const name = node === undefined || node.name === "" ? (canonicalName(view.hosts, first) ?? "") : node.name;
  // The nodelist names a node once; for further links the tool finds nothing and prints the comma alone (recorded).
  return call.all ? [name, ...addresses.slice(1).map(() => "")].join(", ") : name;
}

/** `A,V,NMW`: alive, votes, no "master wins"; `NR` where the node has no device registered. */
function deviceWord(device: DeviceInfo | undefined): string {
  if (device?.registered !== true) return "NR";
  return [device.alive ? "A" : "NA", device.castVote ? "V" : "NV", device.masterWins ? "MW" : "NMW"].join(",");
}

/** The device's own line: its votes where this node's device casts them, else what they would be. */
function deviceLine(device: DeviceInfo, hex: boolean): string {
  const votes = String(device.castVote ? device.votes : 0).padStart(10);
  const note = device.castVote ? "" : ` (votes ${device.votes})`;
  return `${nodeIdText(0, hex).padStart(10)} ${votes} ${" ".repeat(11)}${device.name}${note}\n`;
}

function rowsOf(view: View, call: Call): { id: number; name: string }[] {
  const rows = view.quorum.members.map((id) => ({ id, name: nameOf(view, id, call) }));
  if (call.order === "n") rows.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  if (call.order === "i") rows.sort((a, b) => a.id - b.id);
  return rows;
}

/** `Membership information` with its table; the device has a column and a line where some member has it registered. */
function membership(view: View, call: Call, own: number): string {
  const rows = rowsOf(view, call);
  const registered = rows.some(({ id }) => view.devices.get(id)?.registered === true);
  const column = call.device || registered;
  let text = `Membership information\n----------------------\n    Nodeid      Votes ${column ? "   Qdevice " : ""}Name\n`;
  for (const { id, name } of rows) {
    const votes = String(view.votes.get(id)?.votes ?? 0).padStart(10);
    const device = column ? `${deviceWord(view.devices.get(id)).padStart(10)} ` : "";
    text += `${nodeIdText(id, call.hex).padStart(10)} ${votes} ${device}${name}${id === own ? " (local)" : ""}\n`;
  }
  const device = view.devices.get(own);
  return registered && device ? text + deviceLine(device, call.hex) : text;
}

/** Members whose addresses the daemon does not know, such as one that a reload took out of the nodelist and that is still in the ring. */
function strangers(view: View): string {
  const unknown = view.quorum.members.filter((id) => !view.nodes.some((n) => n.nodeId === id));
  return unknown.map((id) => `Unable to get node address for nodeid ${id}: CS_ERR_NOT_EXIST\n`).join("");
}

function status(view: View, call: Call, nodeId: number, unixMicros: number): Result {
  const { quorum } = view;
  const own = view.votes.get(nodeId);
  if (own === undefined) return notModelled(`${NAME} with a ${OWN_ID_KEY} that no node has`);
  const row = (label: string, value: string): string => `${label.padEnd(18)}${value}\n`;
  const text =
    "Quorum information\n------------------\n" +
    row("Date:", ctime(unixMicros)) +
    row("Quorum provider:", "corosync_votequorum") +
    row("Nodes:", String(quorum.members.length)) +
    row("Node ID:", nodeIdText(nodeId, call.hex)) +
    row("Ring ID:", ringIdText(quorum.ring)) +
    row("Quorate:", quorum.quorate ? "Yes" : "No") +
    "\nVotequorum information\n----------------------\n" +
    row("Expected votes:", String(own.expectedVotes)) +
    row("Highest expected:", String(own.highestExpected)) +
    row("Total votes:", String(own.totalVotes)) +
    row("Quorum:", `${own.quorum} ${own.flags.includes("Quorate") ? " " : "Activity blocked"}`) +
    row("Flags:", own.flags.map((f) => `${f} `).join("")) +
    `\n${membership(view, call, nodeId)}`;
  return { stdout: text, stderr: strangers(view), status: quorum.quorate ? 0 : 2 };
}

/** Without a quorum provider there is no votequorum to ask, only the quorum service's members. */
function withoutProvider(view: View, call: Call): Result {
  const tracking = "Unable to start votequorum status tracking: CS_ERR_BAD_HANDLE\n";
  const cannot = (what: string): Result => fail(`You cannot ${what}, corosync is not using votequorum\n`);
  if (call.action === "list") {
    const rows = rowsOf(view, call).map(({ id, name }) => `${nodeIdText(id, call.hex).padStart(10)} ${name}\n`);
    return fail(strangers(view), 0, `\nMembership information\n----------------------\n    Nodeid Name\n${rows.join("")}`);
  }
  if (call.action === "monitor") return fail(tracking, 1, "\nQuorum is not configured - cannot monitor\n");
  if (call.action === "expected") return cannot("change expected votes");
  if (call.action === "votes") return cannot("change node votes");
  return call.action === "unregister" ? cannot("unregister quorum device") : fail(tracking);
}

/** The id the tool takes for its own node's. */
function* ownId({ cmap }: Libraries): ToolPart<number | undefined> {
  const found = yield* cmap.read("cmap_get", { key: OWN_ID_KEY });
  return found?.type === "u32" ? Number(found.value) : undefined;
}

/** Why the call ends before it asks votequorum for anything; else this node's id. */
function* hindered(libraries: Libraries, call: Call): ToolPart<Result | number> {
  const { cmap, votequorum } = libraries;
  const provider = yield* cmap.read("cmap_get", { key: PROVIDER_KEY });
  if (votequorum === undefined || provider?.value !== "corosync_votequorum") {
    const view = yield* look({ ...libraries, votequorum: undefined }, 0);
    return view === undefined ? NO_DAEMON : withoutProvider(view, call);
  }
  const own = yield* ownId(libraries);
  if (own === undefined) return fail("Unable to retrieve this_node_id\n");
  if (call.action !== "unregister" || (yield* votequorum.read("votequorum_getinfo", { nodeId: own })) !== undefined) return own;
  return fail("Unable to get quorum device info: CS_ERR_NOT_EXIST\n");
}

function* version(): ToolBody {
  return yield* printResult(ok(`corosync-quorumtool version: ${profileOf((yield* self()).release).corosync}\n`));
}

function* body(argv: readonly string[]): ToolBody {
  const call = parse(argv.slice(1));
  if (call === "version") return yield* version();
  if ("stdout" in call) return yield* printResult(call);
  const libraries = yield* initializeAll();
  if (libraries === undefined) return yield* printResult(NO_DAEMON);
  const own = yield* hindered(libraries, call);
  if (typeof own !== "number") return yield* printResult(own);
  if (call.action === "status" || call.action === "list") return yield* show(libraries, call, own);
  return call.action === "unregister" ? yield* unregister(libraries, own) : yield* change(libraries, call, own);
}

function* show(libraries: Libraries, call: Call, own: number): ToolBody {
  const view = yield* look(libraries, own);
  if (view === undefined) return yield* printResult(NO_DAEMON);
  if (call.action === "list") return yield* printResult(fail(strangers(view), 0, `\n${membership(view, call, own)}`));
  return yield* printResult(status(view, call, own, (yield* self()).unixMicros));
}

/** -e, -v. */
function* change({ votequorum }: Libraries, call: Call, own: number): ToolBody {
  const { value: votes } = call;
  const nodeId = call.nodeId === 0 ? own : call.nodeId;
  if (votequorum === undefined) return yield* printResult(NO_DAEMON);
  const answer =
    call.action === "expected"
      ? yield* votequorum.ask("votequorum_setexpected", { votes })
      : yield* votequorum.ask("votequorum_setvotes", { nodeId, votes });
  const what = call.action === "expected" ? "set expected votes" : `set votes ${votes} for nodeid: ${nodeId}`;
  return yield* asked(what, errorOf(answer));
}

/** -f: silent also where no device is registered. Its daemon learns of it at its next poll, and ends. */
function* unregister({ votequorum }: Libraries, nodeId: number): ToolBody {
  const device = votequorum && (yield* votequorum.read("votequorum_qdevice_getinfo", { nodeId }));
  if (votequorum === undefined || device?.info.registered !== true) return yield* asked("", undefined);
  return yield* asked(
    "unregister quorum device",
    errorOf(yield* votequorum.ask("votequorum_qdevice_unregister", { name: device.info.name })),
  );
}

function* asked(what: string, error: string | undefined): ToolPart<number> {
  if (error === "CS_ERR_LIBRARY") return yield* printResult(NO_DAEMON);
  if (error !== undefined) return yield* printResult(fail(`Unable to ${what}: ${error}\n`));
  yield* sleep(TOOL_TIME);
  return 0;
}

/** -m: the whole status and an empty line at the start and at each verdict of the quorum service. */
const monitor: Rounds = {
  name: NAME,
  body: (argv, kept) => (kept === undefined ? beginMonitor(argv) : goOnMonitoring(argv, kept)),
};

type MonitorBody = Generator<ToolAsk, number | Again, ToolAnswer>;

function* beginMonitor(argv: readonly string[]): MonitorBody {
  const call = parse(argv.slice(1));
  if (call === "version") return yield* version();
  if ("stdout" in call) return yield* printResult(call);
  const libraries = yield* initializeAll();
  if (libraries === undefined) return yield* printResult(NO_DAEMON);
  const own = yield* hindered(libraries, call);
  if (typeof own !== "number") return yield* printResult(own);
  yield* libraries.quorum.ask("quorum_trackstart", { current: false, changes: true });
  return yield* monitored(libraries, call, "");
}

function* goOnMonitoring(argv: readonly string[], kept: Kept): MonitorBody {
  const call = parse(argv.slice(1));
  if (call === "version" || "stdout" in call) return 1;
  const connection = (name: string): number => Number(kept[name]);
  const libraries = {
    cmap: new Library<CmapCalls>(connection("cmap")),
    quorum: new Library<QuorumCalls>(connection("quorum")),
    cfg: new Library<CfgCalls>(connection("cfg")),
    votequorum: new Library<VotequorumCalls>(connection("votequorum")),
  };
  if ((yield* nextNotice(libraries.quorum.connection)) === "gone") return 1;
  return yield* monitored(libraries, call, String(kept["seen"]));
}

/** Prints where the verdict is another than the one seen before. */
function* monitored(libraries: Libraries, call: Call, seen: string): ToolPart<number | Again> {
  const own = (yield* ownId(libraries)) ?? 0;
  const view = yield* look(libraries, own);
  if (view === undefined) return 1;
  const now = verdictText(view.quorum);
  if (now !== seen) yield* print(`${status(view, call, own, (yield* self()).unixMicros).stdout}\n`);
  const { cmap, quorum, cfg, votequorum } = libraries;
  return {
    again: { cmap: cmap.connection, quorum: quorum.connection, cfg: cfg.connection, votequorum: votequorum?.connection ?? 0, seen: now },
  };
}

function verdictText({ ring, members, quorate }: Verdict): string {
  return `${ringIdText(ring)} ${members.join(",")} ${quorate ? "yes" : "no"}`;
}

export const quorumtool: Tool = {
  name: NAME,
  summary: "what this node believes about votes and quorum",
  options: [
    { flag: "-s", help: "show quorum status" },
    { flag: "-m", help: "constantly monitor quorum status" },
    { flag: "-l", help: "list nodes" },
    { flag: "-a", help: "show all names or addresses for each node" },
    { flag: "-p", help: "show the quorum device column" },
    { flag: "-v", help: "change the number of votes for a node" },
    { flag: "-n", help: "nodeid of node for -v" },
    { flag: "-e", help: "change expected votes for the cluster" },
    { flag: "-H", help: "show nodeids in hexadecimal" },
    { flag: "-i", help: "show node IP addresses" },
    { flag: "-o", help: "order by a, n or i" },
    { flag: "-f", help: "forcefully unregister a quorum device" },
    { flag: "-h", help: "show help" },
    { flag: "-V", help: "show version" },
  ],
  body,
  endless: (argv) => {
    const call = parse(argv.slice(1));
    return call === "version" || "stdout" in call || call.action !== "monitor" ? undefined : endless(monitor);
  },
};
