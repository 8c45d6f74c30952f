/**
 * The stats map (`corosync-cmapctl -m stats`): the counters of Totem, knet and the tool connections under the names and types of recorded dumps. Counters belong to
 * the layers; this file only names them. Left out: times of compression and encryption, which the lab does not spend, stay at their empty values.
 */
import { byKey, type CmapEntry, type CmapType, type CmapValue } from "./map.ts";

/** "No sample yet" of a minimum in knet: the largest number of its type. */
const U32_MAX = 4_294_967_295;
const U64_MAX = 18_446_744_073_709_551_615n;

const LINK_U8 = ["connected", "enabled"] as const;
const LINK_U32 = [
  "down_count",
  "latency_ave",
  "latency_max",
  "latency_min",
  "latency_samples",
  "mtu",
  "tx_data_errors",
  "tx_data_retries",
  "tx_ping_errors",
  "tx_ping_retries",
  "tx_pmtu_errors",
  "tx_pmtu_retries",
  "tx_pong_errors",
  "tx_pong_retries",
  "up_count",
] as const;
const LINK_U64 = [
  "rx_data_bytes",
  "rx_data_packets",
  "rx_ping_bytes",
  "rx_ping_packets",
  "rx_pmtu_bytes",
  "rx_pmtu_packets",
  "rx_pong_bytes",
  "rx_pong_packets",
  "rx_total_bytes",
  "rx_total_packets",
  "rx_total_retries",
  "tx_data_bytes",
  "tx_data_packets",
  "tx_ping_bytes",
  "tx_ping_packets",
  "tx_pmtu_bytes",
  "tx_pmtu_packets",
  "tx_pong_bytes",
  "tx_pong_packets",
  "tx_total_bytes",
  "tx_total_errors",
  "tx_total_packets",
] as const;
const HANDLE_U64 = [
  "rx_compress_time_ave",
  "rx_compress_time_max",
  "rx_compress_time_min",
  "rx_compressed_original_bytes",
  "rx_compressed_packets",
  "rx_compressed_size_bytes",
  "rx_crypt_packets",
  "rx_crypt_time_ave",
  "rx_crypt_time_max",
  "rx_crypt_time_min",
  "tx_compress_time_ave",
  "tx_compress_time_max",
  "tx_compress_time_min",
  "tx_compressed_original_bytes",
  "tx_compressed_packets",
  "tx_compressed_size_bytes",
  "tx_crypt_byte_overhead",
  "tx_crypt_packets",
  "tx_crypt_time_ave",
  "tx_crypt_time_max",
  "tx_crypt_time_min",
  "tx_uncompressed_packets",
] as const;
const SRP_U64 = [
  "commit_entered",
  "commit_token_lost",
  "consensus_timeouts",
  "gather_entered",
  "gather_token_lost",
  "mcast_retx",
  "mcast_rx",
  "mcast_tx",
  "memb_commit_token_rx",
  "memb_commit_token_tx",
  "memb_join_rx",
  "memb_join_tx",
  "memb_merge_detect_rx",
  "memb_merge_detect_tx",
  "operational_entered",
  "operational_token_lost",
  "orf_token_rx",
  "orf_token_tx",
  "recovery_entered",
  "recovery_token_lost",
  "rx_msg_dropped",
  "time_since_token_last_received",
  "token_hold_cancel_rx",
  "token_hold_cancel_tx",
] as const;
const SRP_U32 = ["avg_backlog_calc", "avg_token_workload", "continuous_gather", "continuous_sendmsg_failures", "mtt_rx_token"] as const;
const SRP_U8 = ["firewall_enabled_or_nic_failure"] as const;

export type KnetLinkStat = (typeof LINK_U8)[number] | (typeof LINK_U32)[number] | (typeof LINK_U64)[number];
export type SrpStat = (typeof SRP_U64)[number] | (typeof SRP_U32)[number] | (typeof SRP_U8)[number];

/** What `corosync-cmapctl -C` takes: a part of the map, or all of it. */
export type StatsGroup = "knet" | "ipc" | "totem" | "schedmiss" | "all";

/** One time that the main loop came late. */
export interface SchedMiss {
  readonly unixMs: number;
  /** Milliseconds since it last ran; a float in the map. */
  readonly delayMs: number;
}

/** What Knet.stats() gives: counters of every link, the loopback link to the own node included. */
export interface KnetStats {
  readonly links: readonly {
    readonly node: number;
    readonly link: number;
    readonly connected: boolean;
    readonly mtu: number;
    readonly counters: Partial<Record<KnetLinkStat, number>>;
  }[];
  /** Packets decrypted and encrypted. */
  readonly rxCrypt: number;
  readonly txCrypt: number;
  /** Packets compressed, and their bytes before and after. */
  readonly compressed: Partial<Record<(typeof HANDLE_U64)[number], number>>;
  /** They were cleared: knet fills its minima with zeros then, and never finds a smaller one. */
  readonly cleared: boolean;
}

/** A tool's connection to the daemon while it asks. */
export interface IpcConnection {
  readonly service: number;
  readonly pid: number;
  /** Sixteen digits at most: the address of the connection in the daemon. */
  readonly pointer: string;
  readonly procname: string;
}

export interface StatsInput {
  readonly srp: Record<SrpStat, number>;
  readonly knet: KnetStats;
  readonly connections: readonly IpcConnection[];
  /** Connections closed since the daemon started. */
  readonly closed: number;
  /** Newest first. */
  readonly schedMisses: readonly SchedMiss[];
}

function named<N extends string>(base: string, type: CmapType, names: readonly N[], values: Partial<Record<N, number>>): CmapEntry[] {
  return names.map((name) => ({ key: base + name, type, value: values[name] ?? emptyValue(name, type) }));
}

function emptyValue(name: string, type: CmapType): CmapValue {
  if (!name.endsWith("_min")) return 0;
  return type === "u64" ? U64_MAX : U32_MAX;
}

function connectionKeys(c: IpcConnection): CmapEntry[] {
  const base = `stats.ipcs.service${c.service}.${c.pid}.${c.pointer}.`;
  const u64 = [
    "dispatched",
    "flow_control_count",
    "invalid_request",
    "overload",
    "recv_retries",
    "requests",
    "responses",
    "send_retries",
  ] as const;
  const u32 = ["flow_control", "queued", "sent"] as const;
  return [
    // Opening a map takes 27 requests and one response more before the statistics are read (recorded).
    ...named(base, "u64", u64, { requests: 27, responses: 28 }),
    ...named(base, "u32", u32, {}),
    { key: `${base}queueing`, type: "i32", value: 0 },
    { key: `${base}procname`, type: "str", value: c.procname },
  ];
}

/** One link's counters with what knet sums up itself. */
function linkValues(l: KnetStats["links"][number]): Partial<Record<KnetLinkStat, number>> {
  const c = l.counters;
  const total = (direction: "rx" | "tx", what: "bytes" | "packets"): number =>
    (c[`${direction}_data_${what}`] ?? 0) +
    (c[`${direction}_ping_${what}`] ?? 0) +
    (c[`${direction}_pong_${what}`] ?? 0) +
    (c[`${direction}_pmtu_${what}`] ?? 0);
  return {
    ...c,
    connected: l.connected ? 1 : 0,
    enabled: 1,
    // No sign: an MTU given by hand may leave less than nothing for data.
    mtu: l.mtu >>> 0,
    rx_total_bytes: total("rx", "bytes"),
    rx_total_packets: total("rx", "packets"),
    tx_total_bytes: total("tx", "bytes"),
    tx_total_packets: total("tx", "packets"),
  };
}

function handleKeys({ rxCrypt, txCrypt, compressed, cleared }: KnetStats): CmapEntry[] {
  const minima = Object.fromEntries(HANDLE_U64.filter((name) => cleared && name.endsWith("_min")).map((name) => [name, 0]));
  return named("stats.knet.handle.", "u64", HANDLE_U64, { ...minima, ...compressed, rx_crypt_packets: rxCrypt, tx_crypt_packets: txCrypt });
}

function missKeys({ unixMs, delayMs }: SchedMiss, i: number): CmapEntry[] {
  const base = `stats.schedmiss.${i}.`;
  return [
    { key: `${base}delay`, type: "flt", value: Math.fround(delayMs) },
    { key: `${base}timestamp`, type: "u64", value: unixMs },
  ];
}

/** Every key of the stats map, in byte order. */
export function statsEntries(input: StatsInput): CmapEntry[] {
  const out: CmapEntry[] = [
    { key: "stats.ipcs.global.active", type: "u64", value: input.connections.length },
    { key: "stats.ipcs.global.closed", type: "u64", value: input.closed },
    ...input.connections.flatMap(connectionKeys),
    ...handleKeys(input.knet),
    ...input.schedMisses.flatMap(missKeys),
    // totempg's reservation of an idle daemon, the same in every recorded dump.
    { key: "stats.pg.msg_queue_avail", type: "u32", value: 0 },
    { key: "stats.pg.msg_reserved", type: "u32", value: 2 },
    ...named("stats.srp.", "u64", SRP_U64, input.srp),
    ...named("stats.srp.", "u32", SRP_U32, input.srp),
    ...named("stats.srp.", "u8", SRP_U8, input.srp),
  ];
  for (const l of input.knet.links) {
    const base = `stats.knet.node${l.node}.link${l.link}.`;
    const values = linkValues(l);
    out.push(...named(base, "u8", LINK_U8, values), ...named(base, "u32", LINK_U32, values), ...named(base, "u64", LINK_U64, values));
  }
  return out.sort(byKey);
}
