/**
 * corosync-cfgtool: links and nodes as knet sees them, killing a node, an orderly shutdown. Layouts and messages are those of 3.1.7, recorded. Left out: the log
 * files that -L reopens; `-i` is accepted and changes nothing, as with knet on real nodes.
 */
import type { LinkStatus } from "../kernel/index.ts";
import { getopt, wholeNumber } from "../kernel/getopt.ts";
import type { DaemonView, ToolHost } from "./host.ts";
import { fail, ok, printResult, TOOL_TIME, type CommandSpec, type Result, type Run } from "./spec.ts";

const NAME = "corosync-cfgtool";
const UINT_MAX = 4_294_967_295;

const USAGE = `corosync-cfgtool [[-i <interface ip>] [-b] -s] [-R] [-L] [-k nodeid] [-a nodeid] [-h] [-H]

A tool for displaying and configuring active parameters within corosync.
options:
	-i	Finds only information about the specified interface IP address or link id when used with -s..
	-s	Displays the status of the current links on this node.
	-n	Displays the status of the connected nodes and their links.
	-b	Displays the brief status of the current links on this node when used with -s.
	-R	Tell all instances of corosync in this cluster to reload corosync.conf.
	-L	Tell corosync to reopen all logging files.
	-k	Kill a node identified by node id.
	-a	Display the IP address(es) of a node
	-h	Print basic usage.
	-H	Shutdown corosync cleanly on this node.
		--force will shut down corosync regardless of daemon vetos
`;

const NO_DAEMON = "Could not initialize corosync configuration API error 2\n";

interface Call {
  action: "usage" | "links" | "nodes" | "addresses" | "kill" | "shutdown" | "reload" | "reopen";
  brief: boolean;
  nodeId: number;
}

function parse(args: readonly string[]): Call | Result {
  const call: Call = { action: "usage", brief: false, nodeId: 0 };
  const parsed = getopt(NAME, args, "i:snbrRLk:a:hH", ["force"]);
  const actions: Record<string, Call["action"]> = {
    s: "links",
    n: "nodes",
    R: "reload",
    L: "reopen",
    H: "shutdown",
    a: "addresses",
    k: "kill",
  };
  for (const { name, value } of parsed.options) {
    if (name === "h") return ok(USAGE);
    if (name === "b") call.brief = true;
    const action = actions[name];
    if (action === undefined) continue;
    call.action = action;
    if (name !== "a" && name !== "k") continue;
    const id = wholeNumber(value, 1, UINT_MAX);
    if (id === undefined) return fail("The nodeid was not valid, try a positive number\n");
    call.nodeId = id;
  }
  return parsed.error === undefined ? call : fail(`${parsed.error}\n`);
}

function linksByNumber(daemon: DaemonView): { link: number; address: string; peers: Map<number, LinkStatus> }[] {
  const own = daemon.nodelist.find((n) => n.nodeId === daemon.nodeId)?.addresses ?? [];
  return own
    .map((address, link) => ({ link, address, peers: new Map(daemon.links.filter((l) => l.link === link).map((l) => [l.to, l])) }))
    .filter((l) => l.address !== "");
}

function head(daemon: DaemonView): string {
  return `Local node ID ${daemon.nodeId}, transport knet\n`;
}

/** -s: each link of this node with every node of the nodelist; -b: one character a node (n: itself; bit 0 enabled, bit 1 connected). */
function showLinks(daemon: DaemonView, brief: boolean): string {
  const nodes = [...daemon.nodelist].sort((a, b) => a.nodeId - b.nodeId);
  let text = head(daemon);
  for (const { link, address, peers } of linksByNumber(daemon)) {
    text += `LINK ID ${link} udp\n\taddr\t= ${address}\n`;
    const shown = nodes.filter((n) => n.nodeId === daemon.nodeId || peers.has(n.nodeId));
    if (brief) {
      text += `\tstatus\t= ${shown.map((n) => (n.nodeId === daemon.nodeId ? "n" : peers.get(n.nodeId)?.connected === true ? "3" : "1")).join("")}\n`;
      continue;
    }
    text += "\tstatus:\n";
    for (const n of shown) {
      const word = n.nodeId === daemon.nodeId ? "localhost" : peers.get(n.nodeId)?.connected === true ? "connected" : "disconnected";
      text += `\t\tnodeid: ${String(n.nodeId).padStart(10)}:\t${word}\n`;
    }
  }
  return text;
}

/** -n: other nodes with at least one connected link. A link that is down keeps its last MTU. */
function showNodes(daemon: DaemonView): string {
  let text = head(daemon);
  for (const n of [...daemon.nodelist].sort((a, b) => a.nodeId - b.nodeId)) {
    const links = daemon.links.filter((l) => l.to === n.nodeId).sort((a, b) => a.link - b.link);
    if (n.nodeId === daemon.nodeId || !links.some((l) => l.connected)) continue;
    text += `nodeid: ${n.nodeId} reachable\n`;
    for (const l of links) {
      text += `   LINK: ${l.link} udp (${l.localAddress}->${l.remoteAddress}) enabled${l.connected ? " connected" : ""} mtu: ${l.mtu}\n`;
    }
    text += "\n";
  }
  return text;
}

function query(host: ToolHost, argv: readonly string[]): Result {
  const call = parse(argv.slice(1));
  if ("stdout" in call) return call;
  if (call.action === "usage") return ok(USAGE);
  const daemon = host.corosync();
  const before = call.action === "kill" ? `Killing node ${call.nodeId}\n` : "";
  if (typeof daemon === "string") return fail(NO_DAEMON, 1, before);
  const shows = call.action === "links" || call.action === "nodes";
  if (shows && daemon.nodelist.length === 0) return fail("No nodes found in nodelist\n");
  if (call.action === "links") return ok(showLinks(daemon, call.brief));
  if (call.action === "nodes") return ok(showNodes(daemon));
  // The daemon opens its log files anew; it says nothing, and neither does the tool.
  if (call.action === "reopen") return ok("");
  const addresses = daemon.nodelist.find((n) => n.nodeId === call.nodeId)?.addresses.filter((a) => a !== "");
  return addresses === undefined ? fail(`Could not get node address for nodeid ${call.nodeId}\n`) : ok(`${addresses.join(" ")}\n`);
}

function isQuery(argv: readonly string[], host: ToolHost): boolean {
  const call = parse(argv.slice(1));
  if ("stdout" in call || host.corosync() === "down") return true;
  return host.corosync() !== "stalled" && call.action !== "kill" && call.action !== "shutdown" && call.action !== "reload";
}

function* run(argv: readonly string[]): Run {
  const call = parse(argv.slice(1));
  if ("stdout" in call) return yield* printResult(call);
  yield { ask: "daemon" };
  if (call.action === "reload") return yield* reload();
  if (call.action !== "kill" && call.action !== "shutdown") {
    const shown = yield { ask: "run", argv };
    return yield* printResult(shown.kind === "result" ? shown.result : fail(NO_DAEMON));
  }
  if (call.action === "kill") yield { ask: "print", stream: "stdout", text: `Killing node ${call.nodeId}\n` };
  else yield { ask: "print", stream: "stdout", text: "Shutting down corosync\n" };
  const answer = yield {
    ask: "act",
    act: call.action === "kill" ? { act: "kill-node", nodeId: call.nodeId } : { act: "corosync-shutdown" },
  };
  const error = answer.kind === "done" ? answer.error : undefined;
  if (error === "CS_ERR_LIBRARY") return yield* printResult(fail(NO_DAEMON));
  if (error !== undefined) {
    return yield* printResult(fail(`Could not ${call.action === "kill" ? "kill node" : "shutdown"} (error = ${error})\n`));
  }
  yield { ask: "sleep", micros: TOOL_TIME };
  return 0;
}

/** cs_error_t of what a reload may answer: the tool's exit status. */
const EXIT_OF: Record<string, number> = { CS_ERR_LIBRARY: 2, CS_ERR_TRY_AGAIN: 6, CS_ERR_INVALID_PARAM: 7 };

/** -R: asks, and waits until this node has read its file. What the others make of theirs the tool does not learn. */
function* reload(): Run {
  yield { ask: "print", stream: "stdout", text: "Reloading corosync.conf...\n" };
  const asked = yield { ask: "act", act: { act: "reload" } };
  let error = asked.kind === "done" ? asked.error : undefined;
  if (error === undefined) {
    const done = yield { ask: "reloaded", number: asked.kind === "done" ? (asked.number ?? 0) : 0 };
    error = done.kind === "done" ? done.error : undefined;
  }
  if (error === undefined) return yield* printResult(ok("Done\n"));
  return yield* printResult(fail(`Could not reload configuration. Error ${error}\n`, EXIT_OF[error] ?? 1));
}

export const cfgtool: CommandSpec = {
  name: NAME,
  summary: "corosync's links and nodes; kill a node; shut down",
  options: [
    { flag: "-s", help: "status of the links of this node" },
    { flag: "-n", help: "status of the connected nodes and their links" },
    { flag: "-b", help: "brief status with -s" },
    { flag: "-i", help: "interface, with -s" },
    { flag: "-a", help: "addresses of a node" },
    { flag: "-k", help: "kill a node" },
    { flag: "-H", help: "shut down corosync on this node" },
    { flag: "-R", help: "reload corosync.conf everywhere" },
    { flag: "-L", help: "reopen log files" },
    { flag: "-h", help: "show help" },
  ],
  isQuery,
  query,
  run,
};
