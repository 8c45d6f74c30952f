/**
 * What corosync-qdevice takes from the configuration map when it starts, and what it refuses. In the real stack: qdevice_instance_configure_from_cmap and
 * qdevice_net_instance_init. The texts are the daemon's. Left out: the advanced settings of -S but for the test algorithm's.
 */
import type { Algorithm, NodeInfo, TieBreaker } from "../tlv.ts";

export interface HeuristicsConfig {
  readonly mode: "on" | "sync" | "off";
  readonly timeoutMs: number;
  readonly syncTimeoutMs: number;
  readonly intervalMs: number;
  readonly execs: readonly { readonly name: string; readonly command: string }[];
}

export interface DeviceConfig {
  readonly nodeId: number;
  readonly nodes: readonly NodeInfo[];
  readonly configVersion: number | undefined;
  readonly clusterName: string;
  readonly host: string;
  readonly port: number;
  readonly tls: "off" | "on" | "required";
  readonly algorithm: Algorithm;
  readonly tieBreaker: TieBreaker;
  readonly keepActive: boolean;
  /** Of votequorum's polls: quorum.device.timeout and sync_timeout. */
  readonly timeoutMs: number;
  readonly syncTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly castVoteMs: number;
  readonly connectTimeoutMs: number;
  readonly heuristics: HeuristicsConfig;
}

/** One value of the map as text; undefined where the key is absent. */
export type GetKey = (key: string) => string | undefined;
/** Keys below a prefix, in the map's order. */
export type ListKeys = (prefix: string) => readonly string[];

const HEARTBEAT_MIN = 1000;
const HEARTBEAT_MAX = 120_000;

function whole(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,10}$/.test(text) ? Number(text) : undefined;
}

/** The nodelist in the map's order of positions. */
export function configNodes(get: GetKey, list: ListKeys): NodeInfo[] {
  const positions = new Set<number>();
  for (const key of list("nodelist.node.")) {
    const m = /^nodelist\.node\.(\d+)\./.exec(key);
    if (m !== null) positions.add(Number(m[1]));
  }
  return [...positions]
    .sort((a, b) => a - b)
    .flatMap((p) => {
      const nodeId = whole(get(`nodelist.node.${p}.nodeid`));
      const dataCenterId = whole(get(`nodelist.node.${p}.datacenterid`)) ?? 0;
      return nodeId === undefined ? [] : [{ nodeId, dataCenterId, state: "not set" as const }];
    });
}

function heuristicsConfig(get: GetKey, list: ListKeys, timeoutMs: number, syncTimeoutMs: number): HeuristicsConfig | string {
  const base = "quorum.device.heuristics.";
  const number = (key: string, fallback: number, low: number, high: number): number | string => {
    const text = get(base + key);
    const value = text === undefined ? fallback : whole(text);
    return value === undefined || (text !== undefined && (value < low || value > high))
      ? `heuristics.${key} must be valid number in range <${low},${high}>`
      : value;
  };
  const timeout = number("timeout", Math.floor(timeoutMs / 2), 1000, 120_000);
  const sync = number("sync_timeout", Math.floor(syncTimeoutMs / 2), 1000, 120_000);
  const interval = number("interval", 3 * timeoutMs, 1000, 3_600_000);
  if (typeof timeout === "string") return timeout;
  if (typeof sync === "string") return sync;
  if (typeof interval === "string") return interval;
  const mode = get(`${base}mode`) ?? "off";
  if (mode !== "on" && mode !== "sync" && mode !== "off") return "quorum.device.heuristics.mode value is not valid.";
  const execs = list(`${base}exec_`)
    .filter((key) => /^[^.]+$/.test(key.slice(base.length)))
    .map((key) => ({ name: key.slice(base.length + "exec_".length), command: get(key) ?? "" }));
  return { mode, timeoutMs: timeout, syncTimeoutMs: sync, intervalMs: interval, execs };
}

const ALGORITHM_NAMES: Readonly<Record<string, Algorithm>> = { test: "test", ffsplit: "ffsplit", "2nodelms": "2nodelms", lms: "lms" };

function tieBreaker(text: string | undefined): TieBreaker | undefined {
  if (text === undefined || text === "lowest") return { mode: "lowest", nodeId: 0 };
  if (text === "highest") return { mode: "highest", nodeId: 0 };
  const nodeId = whole(text);
  return nodeId === undefined || nodeId === 0 ? undefined : { mode: "node-id", nodeId };
}

/** "on", "yes" and "1", and their opposites, as the daemon takes them. */
function onOff(text: string | undefined, fallback: boolean): boolean | undefined {
  if (text === undefined) return fallback;
  if (/^(on|yes|1)$/i.test(text)) return true;
  return /^(off|no|0)$/i.test(text) ? false : undefined;
}

/** The general part: model and nodes. A string is the error the daemon ends with. */
export function readInstance(get: GetKey, list: ListKeys): { readonly nodes: readonly NodeInfo[] } | string {
  const model = get("quorum.device.model");
  if (model === undefined) return "Can't read quorum.device.model cmap key.";
  if (model !== "net") return `Configured device model ${model} is not supported.`;
  return { nodes: configNodes(get, list) };
}

/** The part of model net. `own`: this node's id. A string is the error the daemon ends with. */
export function readNet(get: GetKey, list: ListKeys, own: number, testEnabled: boolean): DeviceConfig | string {
  const net = (key: string): string | undefined => get(`quorum.device.net.${key}`);
  const nodes = configNodes(get, list);
  if (nodes.length === 0) return "No configured nodes found - configuration without node list is not supported";
  const timeoutMs = whole(get("quorum.device.timeout")) || 10_000;
  const syncTimeoutMs = whole(get("quorum.device.sync_timeout")) || 30_000;
  const tls = net("tls") ?? "on";
  const tlsWord = tls === "required" ? "required" : onOff(tls, true) === undefined ? undefined : onOff(tls, true) === true ? "on" : "off";
  if (tlsWord === undefined) return "quorum.device.net.tls value is not valid.";
  const host = net("host");
  if (host === undefined || host === "") return "Qdevice net daemon address is not defined (quorum.device.net.host)";
  const port = whole(net("port") ?? "5403");
  if (port === undefined || port < 1 || port > 65_535) return "quorum.device.net.port must be in range 1-65535";
  const clusterName = get("totem.cluster_name");
  if (clusterName === undefined || clusterName === "") return "Cluster name (totem.cluster_name) has to be defined.";
  const heartbeatMs = Math.min(HEARTBEAT_MAX, Math.max(HEARTBEAT_MIN, Math.floor(timeoutMs * 0.8)));
  const algorithmText = net("algorithm") ?? "ffsplit";
  const algorithm = ALGORITHM_NAMES[algorithmText];
  if (algorithm === undefined) return `Unknown decision algorithm ${algorithmText}`;
  if (algorithm === "test" && !testEnabled)
    return "Test algorithm is not enabled. You can force enable it by passing -S net_test_algorithm_enabled=on to corosync-qdevice command";
  const tie = tieBreaker(net("tie_breaker"));
  if (tie === undefined) return "tie_breaker must be lowest|highest|valid_node_id";
  const connect = net("connect_timeout");
  const connectTimeoutMs = connect === undefined ? heartbeatMs : whole(connect);
  if (connectTimeoutMs === undefined || connectTimeoutMs < 1000 || connectTimeoutMs > 120_000)
    return "connect_timeout must be valid number in range <1000,120000>";
  if (!/^[046]$/.test(net("force_ip_version") ?? "0")) return "force_ip_version must be one of 0|4|6";
  const keepActive = onOff(net("keep_active_partition_tie_breaker"), true);
  if (keepActive === undefined) return "quorum.device.net.keep_active_partition_tie_breaker value is not valid.";
  const heuristics = heuristicsConfig(get, list, timeoutMs, syncTimeoutMs);
  if (typeof heuristics === "string") return heuristics;
  return {
    nodeId: own,
    nodes,
    configVersion: whole(get("totem.config_version")),
    clusterName,
    host,
    port,
    tls: tlsWord,
    algorithm,
    tieBreaker: tie,
    keepActive,
    timeoutMs,
    syncTimeoutMs,
    heartbeatMs,
    castVoteMs: Math.floor(timeoutMs * 0.5),
    connectTimeoutMs,
    heuristics,
  };
}

/** What the fifty-fifty algorithm asks of the votes before it starts. */
export function ffsplitTrouble(get: GetKey, nodeVotes: readonly { readonly nodeId: number; readonly votes: number }[]): string | undefined {
  const odd = nodeVotes.find((n) => n.votes !== 1);
  if (odd !== undefined)
    return `50:50 split algorithm works only if all nodes have exactly 1 vote. Node ${odd.nodeId} has ${odd.votes} votes!`;
  return get("quorum.device.votes") === "1"
    ? undefined
    : "50:50 split algorithm works only if quorum.device.votes configuration key is set to 1!";
}
