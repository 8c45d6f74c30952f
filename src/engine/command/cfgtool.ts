/**
 * corosync-cfgtool: links and nodes as knet sees them, killing a node, an orderly shutdown. Layouts and messages are recorded. `-i` is accepted
 * and changes nothing, as with knet on real nodes.
 */
import { linkAddress, nodeAddresses } from "./addresses.ts";
import { profileOf } from "../config/index.ts";
import { CFG, CMAP, RELOAD_ERROR, type CfgCalls, type CmapCalls } from "../corosync/index.ts";
import type { LinkStatus } from "../kernel/index.ts";
import { getopt, wholeNumber } from "../kernel/getopt.ts";
import { callOnce, errorOf, initialize, type Library } from "./library.ts";
import { TOOL_TIME, fail, ok, printResult, type Result } from "./result.ts";
import { failed, print, self, sleep, type Tool, type ToolBody, type ToolPart } from "./tool.ts";

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

const NO_DAEMON = fail("Could not initialize corosync configuration API error 2\n");

type Cfg = Library<CfgCalls>;

/** What the daemon knows of links and nodes, and this node's id. */
type Daemon = CfgCalls["corosync_cfg_ring_status_get"]["reply"] & { readonly nodeId: number };

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

function linksByNumber(daemon: Daemon): { link: number; address: string; peers: Map<number, LinkStatus> }[] {
  const own = daemon.nodes.find((n) => n.nodeId === daemon.nodeId)?.addresses ?? [];
  return own
    .map((address, link) => ({ link, address, peers: new Map(daemon.links.filter((l) => l.link === link).map((l) => [l.to, l])) }))
    .filter((l) => l.address !== "");
}

function head(daemon: Daemon): string {
  return `Local node ID ${daemon.nodeId}, transport knet\n`;
}

/** -s: each link of this node with every node of the nodelist; -b: one character a node (n: itself; bit 0 enabled, bit 1 connected). */
function showLinks(daemon: Daemon, brief: boolean): string {
  const nodes = [...daemon.nodes].sort((a, b) => a.nodeId - b.nodeId);
  let text = head(daemon);
  for (const { link, address, peers } of linksByNumber(daemon)) {
    text += `LINK ID ${link} udp\n\taddr\t= ${linkAddress(address)}\n`;
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
function showNodes(daemon: Daemon): string {
  let text = head(daemon);
  for (const n of [...daemon.nodes].sort((a, b) => a.nodeId - b.nodeId)) {
    const links = daemon.links.filter((l) => l.to === n.nodeId).sort((a, b) => a.link - b.link);
    if (n.nodeId === daemon.nodeId || !links.some((l) => l.connected)) continue;
    text += `nodeid: ${n.nodeId} reachable\n`;
    for (const l of links) {
      text += `   LINK: ${l.link} udp (${linkAddress(l.localAddress)}->${linkAddress(l.remoteAddress)}) enabled${l.connected ? " connected" : ""} mtu: ${l.mtu}\n`;
    }
    text += "\n";
  }
  return text;
}

/** -s, -n. */
function* show(cfg: Cfg, call: Call): ToolBody {
  const local = yield* cfg.read("corosync_cfg_local_get", {});
  const status = yield* cfg.read("corosync_cfg_ring_status_get", {});
  if (local === undefined || status === undefined) return yield* printResult(NO_DAEMON);
  if (status.nodes.length === 0) return yield* printResult(fail("No nodes found in nodelist\n"));
  const daemon = { ...status, ...local };
  return yield* printResult(ok(call.action === "links" ? showLinks(daemon, call.brief) : showNodes(daemon)));
}

function* addresses(cfg: Cfg, nodeId: number): ToolBody {
  const found = yield* cfg.read("corosync_cfg_get_node_addrs", { nodeId });
  if (found === undefined) return yield* printResult(fail(`Could not get node address for nodeid ${nodeId}\n`));
  return yield* printResult(ok(`${nodeAddresses(found.addresses).join(" ")}\n`));
}

function* killNode(nodeId: number): ToolBody {
  yield* print(`Killing node ${nodeId}\n`);
  const cfg = yield* initialize<CfgCalls>(CFG);
  if (cfg === undefined) return yield* printResult(NO_DAEMON);
  return yield* asked("kill node", errorOf(yield* cfg.ask("corosync_cfg_kill_node", { nodeId, reason: "Killed by corosync-cfgtool" })));
}

function* shutdown(cfg: Cfg): ToolBody {
  yield* print("Shutting down corosync\n");
  return yield* asked("shutdown", errorOf(yield* cfg.ask("corosync_cfg_try_shutdown", {})));
}

function* asked(what: string, error: string | undefined): ToolPart<number> {
  if (error === "CS_ERR_LIBRARY") return yield* printResult(NO_DAEMON);
  if (error !== undefined) return yield* printResult(fail(`Could not ${what} (error = ${error})\n`));
  yield* sleep(TOOL_TIME);
  return 0;
}

function* body(argv: readonly string[]): ToolBody {
  const call = parse(argv.slice(1));
  if ("stdout" in call) return yield* printResult(call);
  if (call.action === "usage") return yield* printResult(ok(USAGE));
  if (call.action === "kill") return yield* killNode(call.nodeId);
  const cfg = yield* initialize<CfgCalls>(CFG);
  if (cfg === undefined) return yield* printResult(NO_DAEMON);
  switch (call.action) {
    case "links":
    case "nodes":
      return yield* show(cfg, call);
    case "addresses":
      return yield* addresses(cfg, call.nodeId);
    case "shutdown":
      return yield* shutdown(cfg);
    case "reload":
      return yield* reload(cfg);
    case "reopen":
      return yield* reopen(cfg);
  }
}

/** -L: silent where all went well. */
function* reopen(cfg: Cfg): ToolBody {
  const error = errorOf(yield* cfg.ask("corosync_cfg_reopen_log_files", {}));
  if (error === undefined) return 0;
  return yield* printResult(fail(`Could not reopen corosync logging files. Error ${error}\n`, EXIT_OF[error] ?? 1));
}

/** cs_error_t of what a reload may answer: the tool's exit status. */
const EXIT_OF: Record<string, number> = { CS_ERR_LIBRARY: 2, CS_ERR_TRY_AGAIN: 6, CS_ERR_INVALID_PARAM: 7 };

/** -R: asks, and waits until this node has read its file. What the others make of theirs the tool does not learn. */
function* reload(cfg: Cfg): ToolBody {
  yield* print("Reloading corosync.conf...\n");
  const error = errorOf(yield* cfg.ask("corosync_cfg_reload_config", {}));
  const told = profileOf((yield* self()).release).tellsReloadErrors;
  // The look for what could be applied only in part forgets the status.
  if (error !== undefined)
    return yield* printResult(fail(`Could not reload configuration. Error ${error}\n`, told ? 0 : (EXIT_OF[error] ?? 1)));
  yield* print("Done\n");
  return told ? yield* partial() : 0;
}

/** What the daemon could not apply. */
function* partial(): ToolBody {
  const found = yield* callOnce<CmapCalls, "cmap_get">(CMAP, "cmap_get", { key: RELOAD_ERROR });
  if (found === undefined) return 0;
  yield* print(`ERROR from reload: ${String(found.value)} - see syslog for more information\n`);
  return yield* failed("Errors in appying config, corosync.conf might not match the running system\n");
}

export const cfgtool: Tool = {
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
  body,
};
