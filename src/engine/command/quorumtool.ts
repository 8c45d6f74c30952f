/**
 * corosync-quorumtool: what this node's quorum services believe, and changes of votes. Layouts and messages are those of 3.1.7, recorded. Like the real one it
 * takes the provider and its own node id from the key map, where a client may have changed them. Left out: with another id there the real tool shows numbers
 * that happen to lie in its memory.
 */
import { ringIdText } from "../totem/types.ts";
import type { DeviceInfo } from "../votequorum/info.ts";
import { ctime } from "./dates.ts";
import { getopt, wholeNumber } from "../kernel/getopt.ts";
import type { DaemonView, ToolHost } from "./host.ts";
import { fail, notModelled, ok, printResult, TOOL_TIME, unixMicros, type CommandSpec, type Follow, type Result, type Run } from "./spec.ts";

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
function parse(args: readonly string[]): Call | Result {
  const call: Call = { action: "status", hex: false, addresses: false, all: false, device: false, order: "a", nodeId: 0, value: 0 };
  const parsed = getopt(NAME, args, "aVHslpmfe:v:hin:o:");
  for (const { name, value } of parsed.options) {
    const answer = apply(call, name, value);
    if (answer) return answer;
  }
  return parsed.error === undefined ? call : fail(`${parsed.error}\n`, 1, USAGE);
}

function apply(call: Call, option: string, value: string): Result | undefined {
  const actions: Record<string, Action> = { s: "status", l: "list", m: "monitor", f: "unregister" };
  const action = actions[option];
  if (action !== undefined) call.action = action;
  else if (option === "a") call.all = true;
  else if (option === "H") call.hex = true;
  else if (option === "i") call.addresses = true;
  else if (option === "p") call.device = true;
  else if (option === "h") return ok(USAGE);
  else if (option === "V") return ok("corosync-quorumtool version: 3.1.7\n");
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

function nodeIdText(id: number, hex: boolean): string {
  return hex ? `0x${id.toString(16).padStart(8, "0")}` : String(id);
}

/** Name column of one member: the nodelist's name, else its first address; `-i` addresses; `-a` one entry per link. */
function nameOf(daemon: DaemonView, nodeId: number, call: Call): string {
  const node = daemon.nodelist.find((n) => n.nodeId === nodeId);
  const addresses = (node?.addresses ?? []).filter((a) => a !== "");
  const first = addresses[0] ?? "";
  if (call.addresses) return call.all ? addresses.join(", ") : first;
  const name = node === undefined || node.name === "" ? first : node.name;
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

function rowsOf(daemon: DaemonView, call: Call): { id: number; name: string }[] {
  const rows = daemon.quorum.members.map((id) => ({ id, name: nameOf(daemon, id, call) }));
  if (call.order === "n") rows.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  if (call.order === "i") rows.sort((a, b) => a.id - b.id);
  return rows;
}

/** `Membership information` with its table; the device has a column and a line where some member has it registered. */
function membership(daemon: DaemonView, call: Call, own: number): string {
  const rows = rowsOf(daemon, call);
  const registered = rows.some(({ id }) => daemon.device(id)?.registered === true);
  const column = call.device || registered;
  let text = `Membership information\n----------------------\n    Nodeid      Votes ${column ? "   Qdevice " : ""}Name\n`;
  for (const { id, name } of rows) {
    const votes = String(daemon.votes(id)?.votes ?? 0).padStart(10);
    const device = column ? `${deviceWord(daemon.device(id)).padStart(10)} ` : "";
    text += `${nodeIdText(id, call.hex).padStart(10)} ${votes} ${device}${name}${id === own ? " (local)" : ""}\n`;
  }
  const device = daemon.device(own);
  return registered && device ? text + deviceLine(device, call.hex) : text;
}

/** Members whose addresses the daemon does not know, such as one that a reload took out of the nodelist and that is still in the ring. */
function strangers(daemon: DaemonView): string {
  const unknown = daemon.quorum.members.filter((id) => !daemon.nodelist.some((n) => n.nodeId === id));
  return unknown.map((id) => `Unable to get node address for nodeid ${id}: CS_ERR_NOT_EXIST\n`).join("");
}

function status(host: ToolHost, daemon: DaemonView, call: Call, nodeId: number): Result {
  const { quorum } = daemon;
  const own = daemon.votes(nodeId);
  if (own === undefined) return notModelled(`${NAME} with a ${OWN_ID_KEY} that no node has`);
  const row = (label: string, value: string): string => `${label.padEnd(18)}${value}\n`;
  const text =
    "Quorum information\n------------------\n" +
    row("Date:", ctime(unixMicros(host, host.now))) +
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
    `\n${membership(daemon, call, nodeId)}`;
  return { stdout: text, stderr: strangers(daemon), status: quorum.quorate ? 0 : 2 };
}

/** Without a quorum provider there is no votequorum to ask, only the quorum service's members. */
function withoutProvider(daemon: DaemonView, call: Call): Result {
  const tracking = "Unable to start votequorum status tracking: CS_ERR_BAD_HANDLE\n";
  const cannot = (what: string): Result => fail(`You cannot ${what}, corosync is not using votequorum\n`);
  if (call.action === "list") {
    const rows = rowsOf(daemon, call).map(({ id, name }) => `${nodeIdText(id, call.hex).padStart(10)} ${name}\n`);
    return fail(strangers(daemon), 0, `\nMembership information\n----------------------\n    Nodeid Name\n${rows.join("")}`);
  }
  if (call.action === "monitor") return fail(tracking, 1, "\nQuorum is not configured - cannot monitor\n");
  if (call.action === "expected") return cannot("change expected votes");
  if (call.action === "votes") return cannot("change node votes");
  return call.action === "unregister" ? cannot("unregister quorum device") : fail(tracking);
}

function hasProvider(daemon: DaemonView): boolean {
  return daemon.votes(daemon.nodeId) !== undefined && daemon.cmapGet(PROVIDER_KEY)?.value === "corosync_votequorum";
}

/** The id the tool takes for its own node's. */
function ownId(daemon: DaemonView): number | undefined {
  const found = daemon.cmapGet(OWN_ID_KEY);
  return found?.type === "u32" ? Number(found.value) : undefined;
}

/** Why the call ends before it asks votequorum for anything. */
function hindered(daemon: DaemonView, call: Call): Result | undefined {
  if (!hasProvider(daemon)) return withoutProvider(daemon, call);
  const own = ownId(daemon);
  if (own === undefined) return fail("Unable to retrieve this_node_id\n");
  if (call.action !== "unregister" || daemon.votes(own) !== undefined) return undefined;
  return fail("Unable to get quorum device info: CS_ERR_NOT_EXIST\n");
}

const ACTING: readonly Action[] = ["monitor", "expected", "votes", "unregister"];

function query(host: ToolHost, argv: readonly string[]): Result {
  const call = parse(argv.slice(1));
  if ("stdout" in call) return call;
  const daemon = host.corosync();
  if (typeof daemon === "string") return NO_DAEMON;
  const hindrance = hindered(daemon, call);
  if (hindrance !== undefined) return hindrance;
  const own = ownId(daemon) ?? 0;
  return call.action === "list" ? fail(strangers(daemon), 0, `\n${membership(daemon, call, own)}`) : status(host, daemon, call, own);
}

/** Present unless the daemon hangs: then the tool hangs with it. */
function isQuery(argv: readonly string[], host: ToolHost): boolean {
  const call = parse(argv.slice(1));
  const daemon = host.corosync();
  if ("stdout" in call || daemon === "down") return true;
  if (daemon === "stalled") return false;
  return hindered(daemon, call) !== undefined || !ACTING.includes(call.action);
}

function* run(argv: readonly string[]): Run {
  const call = parse(argv.slice(1));
  if ("stdout" in call) return yield* printResult(call);
  yield { ask: "daemon" };
  if (call.action === "status" || call.action === "list" || call.action === "monitor") {
    const shown = yield { ask: "run", argv };
    return yield* printResult(shown.kind === "result" ? shown.result : NO_DAEMON);
  }
  const key = yield { ask: "run", argv: ["corosync-cmapctl", "-q", "-g", OWN_ID_KEY] };
  const own = key.kind === "result" ? Number(key.result.stdout) : 0;
  if (call.action === "unregister") return yield* unregister(own);
  const expected = call.action === "expected";
  const nodeId = call.nodeId === 0 ? own : call.nodeId;
  const answer = yield {
    ask: "act",
    act: expected ? { act: "set-expected", votes: call.value } : { act: "set-votes", nodeId, votes: call.value },
  };
  const error = answer.kind === "done" ? answer.error : undefined;
  if (error === "CS_ERR_LIBRARY") return yield* printResult(NO_DAEMON);
  if (error !== undefined) {
    const what = expected ? "Unable to set expected votes" : `Unable to set votes ${call.value} for nodeid: ${nodeId}`;
    return yield* printResult(fail(`${what}: ${error}\n`));
  }
  yield { ask: "sleep", micros: TOOL_TIME };
  return 0;
}

/** -f: silent also where no device is registered. Its daemon learns of it at its next poll, and ends. */
function* unregister(nodeId: number): Run {
  const answer = yield { ask: "act", act: { act: "device-unregister", nodeId } };
  const error = answer.kind === "done" ? answer.error : undefined;
  if (error === "CS_ERR_LIBRARY") return yield* printResult(NO_DAEMON);
  if (error !== undefined) return yield* printResult(fail(`Unable to unregister quorum device: ${error}\n`));
  yield { ask: "sleep", micros: TOOL_TIME };
  return 0;
}

/** -m: the whole status and an empty line at the start and at each verdict of the quorum service. */
const monitor: Follow = {
  begin: (host, argv) => {
    const daemon = host.corosync();
    if (typeof daemon === "string") return { state: { seen: "" }, stdout: "" };
    return { state: { seen: verdict(daemon) }, stdout: `${shown(host, daemon, argv)}\n` };
  },
  poll: (host, argv, state) => {
    const daemon = host.corosync();
    if (daemon === "stalled") return { state, stdout: "" };
    if (daemon === "down") return { state, stdout: "", stderr: state.seen === "" ? NO_DAEMON.stderr : "", status: 1 };
    const now = verdict(daemon);
    return now === state.seen ? { state, stdout: "" } : { state: { seen: now }, stdout: `${shown(host, daemon, argv)}\n` };
  },
};

function shown(host: ToolHost, daemon: DaemonView, argv: readonly string[]): string {
  const call = parse(argv.slice(1));
  return "stdout" in call ? "" : status(host, daemon, call, ownId(daemon) ?? 0).stdout;
}

function verdict(daemon: DaemonView): string {
  return `${ringIdText(daemon.quorum.ring)} ${daemon.quorum.members.join(",")} ${daemon.quorum.quorate ? "yes" : "no"}`;
}

export const quorumtool: CommandSpec = {
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
  isQuery,
  query,
  run,
  follow: (argv) => {
    const call = parse(argv.slice(1));
    return "stdout" in call || call.action !== "monitor" ? undefined : monitor;
  },
};
