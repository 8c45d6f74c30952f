/**
 * corosync-qnetd-tool: the server's own state, its clusters and clients, and its shutdown. The daemon formats the text in the real stack (qnetd-ipc-cmd.c) and
 * the tool prints it. Layouts recorded, of 3.0.3. Left out: -p with another socket.
 */
import { QNETD_SOCKET, type QnetdToolCalls, type QnetdClient, type QnetdView } from "../qdevice/index.ts";
import { ringIdText } from "../totem/types.ts";
import { getopt } from "../kernel/getopt.ts";
import { callOnce } from "./library.ts";
import { ALGORITHM_NAMES, tieBreakerText } from "./qdevicetool.ts";
import { fail, notModelled, ok, printResult, type Result } from "./result.ts";
import type { Tool, ToolBody } from "./tool.ts";

const NAME = "corosync-qnetd-tool";
const USAGE = `usage: ${NAME} [-Hhlsv] [-c cluster_name] [-p qnetd_ipc_socket_path]\n`;
const NO_DAEMON = fail(`${NAME}: Can't connect to qnetd socket (is QNetd running?): No such file or directory\n`, 3);

interface Call {
  readonly action: "status" | "list" | "shutdown";
  readonly verbose: boolean;
  readonly cluster: string | undefined;
}

function parse(args: readonly string[]): Call | Result {
  const parsed = getopt(NAME, args, "Hhlsvc:p:");
  if (parsed.error !== undefined) return fail(`${parsed.error}\n`, 1, USAGE);
  const has = (name: string): boolean => parsed.options.some((o) => o.name === name);
  if (has("h")) return fail("", 1, USAGE);
  if (has("p")) return notModelled(`${NAME} -p`);
  const cluster = parsed.options.find((o) => o.name === "c")?.value;
  const actions = parsed.options.filter((o) => "Hls".includes(o.name));
  const last = actions[actions.length - 1]?.name;
  if (last === undefined) return fail("", 1, USAGE);
  return { action: last === "H" ? "shutdown" : last === "l" ? "list" : "status", verbose: has("v"), cluster };
}

function status(view: QnetdView, verbose: boolean): string {
  const { tls, clientCertRequired } = view.settings;
  const word = { off: "Unsupported", on: "Supported", required: "Required" }[tls];
  const cert = tls !== "off" && clientCertRequired ? " (client certificate required)" : "";
  return (
    `QNetd address:\t\t\t*:5403\nTLS:\t\t\t\t${word}${cert}\n` +
    `Connected clients:\t\t${view.clients}\nConnected clusters:\t\t${view.clusters.length}\n` +
    (verbose ? "Maximum send/receive size:\t32768/32768 bytes\n" : "")
  );
}

function clientText(c: QnetdClient, verified: boolean, verbose: boolean): string {
  const row = (label: string, tabs: number, value: string): string => `        ${label}${"\t".repeat(tabs)}${value}\n`;
  let text = `    Node ID ${c.nodeId}:\n${row("Client address:", 2, c.address)}`;
  if (verbose) text += row("HB interval:", 2, `${c.heartbeatMs}ms`);
  if (c.configVersion !== undefined) text += row("Configuration version:", 1, String(c.configVersion));
  if (c.config.length > 0) text += row("Configured node list:", 1, c.config.map((n) => n.nodeId).join(", "));
  if (verbose) text += row("Ring ID:", 2, ringIdText(c.ring));
  if (c.membership.length > 0) text += row("Membership node list:", 1, c.membership.map((n) => n.nodeId).join(", "));
  if (verbose) {
    const { last, membership, regular } = c.heuristics;
    text += row("Heuristics:", 2, `${last} (membership: ${membership}, regular: ${regular})`);
    text += row("TLS active:", 2, c.tls ? `Yes${verified ? " (client certificate verified)" : ""}` : "No");
  }
  if (c.lastVote !== undefined) text += row("Vote:", 3, `${c.lastVote}${c.lastAckNack === undefined ? "" : ` (${c.lastAckNack})`}`);
  return text;
}

function list(view: QnetdView, call: Call): string {
  let text = "";
  for (const { cluster, clients } of view.clusters) {
    const first = clients[0];
    if (first === undefined || (call.cluster !== undefined && call.cluster !== cluster.name)) continue;
    const kap = first.algorithm === "ffsplit" && first.keepActive ? " (KAP Tie-breaker)" : "";
    text += `Cluster "${cluster.name}":\n    Algorithm:\t\t${ALGORITHM_NAMES[first.algorithm]}${kap}\n`;
    text += `    Tie-breaker:\t${tieBreakerText(first.tieBreaker)}\n`;
    for (const c of clients) text += clientText(c, view.settings.clientCertRequired, call.verbose);
  }
  return text;
}

function* body(argv: readonly string[]): ToolBody {
  const call = parse(argv.slice(1));
  if ("stdout" in call) return yield* printResult(call);
  if (call.action === "shutdown") {
    const done = yield* callOnce<QnetdToolCalls, "shutdown">(QNETD_SOCKET, "shutdown", {});
    return done === undefined ? yield* printResult(NO_DAEMON) : 0;
  }
  const answer = yield* callOnce<QnetdToolCalls, "status">(QNETD_SOCKET, "status", {});
  if (answer === undefined) return yield* printResult(NO_DAEMON);
  return yield* printResult(ok(call.action === "list" ? list(answer.view, call) : status(answer.view, call.verbose)));
}

export const qnetdtool: Tool = {
  name: NAME,
  summary: "clusters and clients of the quorum device server",
  options: [
    { flag: "-s", help: "display status" },
    { flag: "-l", help: "list clusters and clients" },
    { flag: "-v", help: "more verbose" },
    { flag: "-c", help: "one cluster only" },
    { flag: "-H", help: "shut the server down" },
    { flag: "-h", help: "show help" },
  ],
  body,
};
