/**
 * corosync-qdevice-tool: what the device's daemon on this node knows, and its shutdown. The daemon formats the text in the real stack (qdevice-ipc-cmd.c,
 * qdevice-net-ipc-cmd.c) and the tool prints it. Layouts recorded, of 3.0.3. Left out: -p with another socket.
 */
import { DEVICE_SOCKET, connectionWord, type DeviceToolCalls, type DeviceView } from "../qdevice/index.ts";
import { ringIdText } from "../totem/types.ts";
import type { Instant, SelfFacts } from "../kernel/index.ts";
import { getopt } from "../kernel/getopt.ts";
import { isoSeconds } from "./dates.ts";
import { callOnce } from "./library.ts";
import { fail, notModelled, ok, printResult, type Result } from "./result.ts";
import { self, type Tool, type ToolBody } from "./tool.ts";

const NAME = "corosync-qdevice-tool";
const USAGE = `usage: ${NAME} [-Hhsv] [-p qdevice_ipc_socket_path]\n`;
const NO_DAEMON = fail(`${NAME}: Can't connect to QDevice socket (is QDevice running?): No such file or directory\n`, 3);

type Call = { readonly action: "status" | "shutdown"; readonly verbose: boolean };

function parse(args: readonly string[]): Call | Result {
  const parsed = getopt(NAME, args, "Hhsvp:");
  if (parsed.error !== undefined) return fail(`${parsed.error}\n`, 1, USAGE);
  const has = (name: string): boolean => parsed.options.some((o) => o.name === name);
  if (has("h")) return fail("", 1, USAGE);
  if (has("p")) return notModelled(`${NAME} -p`);
  if (has("H")) return { action: "shutdown", verbose: false };
  return has("s") ? { action: "status", verbose: has("v") } : fail("", 1, USAGE);
}

export const ALGORITHM_NAMES = { test: "Test", ffsplit: "Fifty-Fifty split", "2nodelms": "2 Node LMS", lms: "LMS" } as const;

export function tieBreakerText(tie: { readonly mode: "lowest" | "highest" | "node-id"; readonly nodeId: number }): string {
  if (tie.mode === "node-id") return `Node with node ID ${tie.nodeId}`;
  return `Node with ${tie.mode} node ID`;
}

/** Microseconds since 1970 of an instant. */
function wallMicros(me: SelfFacts, instant: Instant): number {
  return me.unixMicros - me.now + instant;
}

const yes = (value: boolean): string => (value ? "Yes" : "No");

function general(me: SelfFacts, device: DeviceView, verbose: boolean): string {
  const { config, state } = device;
  let text = `Qdevice information\n-------------------\nModel:\t\t\tNet\nNode ID:\t\t${config.nodeId}\n`;
  if (verbose) text += `HB interval:\t\t${config.timeoutMs}ms\nSync HB interval:\t${config.syncTimeoutMs}ms\n`;
  if (config.configVersion !== undefined) text += `Configuration version:\t${config.configVersion}\n`;
  text += "Configured node list:\n";
  config.nodes.forEach((n, i) => {
    text += `    ${i}\tNode ID = ${n.nodeId}${n.dataCenterId === 0 ? "" : `, Data center ID = ${n.dataCenterId}`}\n`;
  });
  const mode = { on: "Enabled", sync: "Sync", off: "Disabled" }[config.heuristics.mode];
  if (verbose) text += `Heuristics:\t\t${mode}\nRing ID:\t\t${ringIdText(state.ring)}\n`;
  text += `Membership node list:\t${state.members.join(", ")}\n`;
  if (!verbose) return text;
  text += `Quorate:\t\t${yes(state.quorate)}\nQuorum node list:\n`;
  state.voteNodes
    .filter((n) => n.nodeId !== 0)
    .forEach((n, i) => {
      text += `    ${i}\tNode ID = ${n.nodeId}, State = ${n.state}\n`;
    });
  text += `Expected votes:\t\t${state.expectedVotes}\n`;
  const poll = state.lastPoll;
  const polled = poll === undefined ? "Never" : `${isoSeconds(wallMicros(me, poll.at))}${poll.cast ? " (cast vote)" : ""}`;
  return `${text}Last poll call:\t\t${polled}\n`;
}

function net(me: SelfFacts, device: DeviceView, verbose: boolean): string {
  const { config } = device;
  let text = `\nQdevice-net information\n----------------------\nCluster name:\t\t${config.clusterName}\nQNetd host:\t\t${config.host}:${config.port}\n`;
  if (verbose) {
    const tls = { off: "Unsupported", on: "Supported", required: "Required" }[config.tls];
    text += `Connect timeout:\t${config.connectTimeoutMs}ms\nHB interval:\t\t${config.heartbeatMs}ms\n`;
    text += `VQ vote timer interval:\t${config.castVoteMs}ms\nTLS:\t\t\t${tls}\n`;
  }
  text += `Algorithm:\t\t${ALGORITHM_NAMES[config.algorithm]}\nTie-breaker:\t\t${tieBreakerText(config.tieBreaker)}\n`;
  if (verbose) {
    const kap = { ffsplit: config.keepActive ? "Enabled" : "Disabled", lms: "Algorithm hard-coded" };
    text += `KAP Tie-breaker:\t${config.algorithm === "ffsplit" || config.algorithm === "lms" ? kap[config.algorithm] : "Unsupported by algorithm"}\n`;
    text += `Poll timer running:\t${device.polling ? `Yes${device.casts ? " (cast vote)" : ""}` : "No"}\n`;
  }
  text += `State:\t\t\t${connectionWord(device)}\n`;
  return verbose ? text + netVerbose(me, device) : text;
}

function netVerbose(me: SelfFacts, device: DeviceView): string {
  const { state } = device;
  const { regular, membership, connect } = state.heuristics;
  let text = "";
  if (device.config.heuristics.mode !== "off")
    text += `Heuristics result:\t${membership} (regular: ${regular}, membership: ${membership}, connect: ${connect})\n`;
  if (state.connection !== "connected") return `${text}TLS active:\t\tNo\n`;
  text += `TLS active:\t\t${state.tls ? "Yes (client certificate sent)" : "No"}\n`;
  if (state.connectedAt !== undefined) text += `Connected since:\t${isoSeconds(wallMicros(me, state.connectedAt))}\n`;
  if (state.echoReceivedAt !== undefined) text += `Echo reply received:\t${isoSeconds(wallMicros(me, state.echoReceivedAt))}\n`;
  return text;
}

function* body(argv: readonly string[]): ToolBody {
  const call = parse(argv.slice(1));
  if ("stdout" in call) return yield* printResult(call);
  if (call.action === "shutdown") {
    const done = yield* callOnce<DeviceToolCalls, "shutdown">(DEVICE_SOCKET, "shutdown", {});
    return done === undefined ? yield* printResult(NO_DAEMON) : 0;
  }
  const status = yield* callOnce<DeviceToolCalls, "status">(DEVICE_SOCKET, "status", {});
  if (status === undefined) return yield* printResult(NO_DAEMON);
  const me = yield* self();
  return yield* printResult(ok(general(me, status.view, call.verbose) + net(me, status.view, call.verbose)));
}

export const qdevicetool: Tool = {
  name: NAME,
  summary: "what the quorum device of this node knows",
  options: [
    { flag: "-s", help: "display status" },
    { flag: "-v", help: "more verbose" },
    { flag: "-H", help: "shut the device's daemon down" },
    { flag: "-h", help: "show help" },
  ],
  body,
};
