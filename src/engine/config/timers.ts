/**
 * The effective Totem and knet timers that follow from a configuration, with the daemon's defaults, its rounding and its treatment of 0 (which
 * means "the default" for every timer but token_coefficient and token_warning). In the real stack: totem_volatile_config_read. Source: the
 * formulas of corosync.conf(5), checked against the runtime.config.totem.* keys of running daemons.
 */
import { KNET_NET_MTU } from "../kernel/limits.ts";
import type { ConfValues } from "./values.ts";
import { numberOf, stringOf } from "./values.ts";

/** Milliseconds where a name ends in Ms. The first part has the field names of Totem's own parameters. */
export interface EffectiveTotem {
  readonly tokenMs: number;
  readonly tokenRetransmitMs: number;
  readonly holdMs: number;
  readonly consensusMs: number;
  readonly joinMs: number;
  readonly sendJoinMs: number;
  readonly mergeMs: number;
  readonly tokenWarningPercent: number;
  readonly failRecvConst: number;
  readonly seqnoUnchangedConst: number;
  readonly missCountConst: number;
  readonly windowSize: number;
  readonly maxMessages: number;
  readonly cancelTokenHoldOnRetransmit: boolean;
  readonly maxNetworkDelayMs: number;
  readonly downcheckMs: number;
  readonly heartbeatFailuresAllowed: number;
  readonly tokenRetransmitsBeforeLossConst: number;
  readonly blockUnlistedIps: boolean;
  readonly knetPmtudIntervalS: number;
  /** Of the udp transports; knet has its own. */
  readonly threads: number;
  readonly knetMtu: number;
  /** Bytes at which Totem's own packets end: netmtu less the room for addresses and headers, as a signed 32-bit number. */
  readonly netMtu: number;
  readonly knetCompressionModel: string;
  readonly knetCompressionThreshold: number;
  readonly knetCompressionLevel: number;
}

/** Ping timers of one link. */
export interface PingTimers {
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  readonly pingPrecision: number;
  readonly pongCount: number;
}

/** corosync: what is taken off netmtu for headers. */
const NETMTU_HEADERS = 90;

const INT_MIN_AS_U32 = 2_147_483_648;

/** C's conversion of a positive double to int, read back as unsigned: what does not fit becomes INT_MIN. */
function toInt(value: number): number {
  const n = Math.trunc(value);
  return n > 2_147_483_647 ? INT_MIN_AS_U32 : n < 0 ? n >>> 0 : n;
}

/** Entries of the nodelist: positions 0, 1, … as long as one has any key. */
export function nodeCount(values: ConfValues): number {
  const positions = new Set<string>();
  for (const key of values.keys()) {
    const m = /^nodelist\.node\.([0-9]+)\./.exec(key);
    if (m?.[1] !== undefined) positions.add(m[1]);
  }
  return positions.size;
}

/**
 * Effective parameters for `values`. The coefficient counts the entries of the nodelist, not who is alive, and only if the first entry has a
 * ring0_addr (observed: with ring1_addr alone it is not added).
 */
export function effectiveTotem(values: ConfValues, nodes: number = nodeCount(values)): EffectiveTotem {
  const u32 = (name: string, fallback: number): number => numberOf(values, `totem.${name}`, "u32") || fallback;
  const u32orZero = (name: string, fallback: number): number => numberOf(values, `totem.${name}`, "u32") ?? fallback;
  let tokenMs = u32("token", 3000);
  if (stringOf(values, "nodelist.node.0.ring0_addr") !== undefined && nodes > 2) {
    tokenMs = (tokenMs + (nodes - 2) * u32orZero("token_coefficient", 650)) % 4_294_967_296;
  }
  const tokenRetransmitsBeforeLossConst = u32("token_retransmits_before_loss_const", 4);
  const tokenRetransmitMs = u32("token_retransmit", toInt(tokenMs / (tokenRetransmitsBeforeLossConst + 0.2)));
  return {
    tokenMs,
    tokenRetransmitMs,
    holdMs: u32("hold", toInt(tokenRetransmitMs * 0.8 - 10)),
    // the daemon goes through a single-precision float here
    consensusMs: u32("consensus", toInt(Math.fround(1.2 * tokenMs))),
    joinMs: u32("join", 50),
    sendJoinMs: u32("send_join", 0),
    mergeMs: u32("merge", 200),
    tokenWarningPercent: u32orZero("token_warning", 75),
    failRecvConst: u32("fail_recv_const", 2500),
    seqnoUnchangedConst: u32("seqno_unchanged_const", 30),
    missCountConst: u32("miss_count_const", 5),
    windowSize: u32("window_size", 50),
    maxMessages: u32("max_messages", 17),
    cancelTokenHoldOnRetransmit: stringOf(values, "totem.cancel_token_hold_on_retransmit") === "yes",
    maxNetworkDelayMs: u32("max_network_delay", 50),
    downcheckMs: u32("downcheck", 1000),
    heartbeatFailuresAllowed: u32("heartbeat_failures_allowed", 0),
    tokenRetransmitsBeforeLossConst,
    blockUnlistedIps: stringOf(values, "totem.block_unlisted_ips") !== "no",
    knetPmtudIntervalS: u32("knet_pmtud_interval", 30),
    threads: u32("threads", 0),
    knetMtu: u32("knet_mtu", 0),
    netMtu: (u32("netmtu", KNET_NET_MTU + NETMTU_HEADERS) - NETMTU_HEADERS) | 0,
    knetCompressionModel: stringOf(values, "totem.knet_compression_model") ?? "none",
    knetCompressionThreshold: u32("knet_compression_threshold", 0),
    knetCompressionLevel: numberOf(values, "totem.knet_compression_level", "i32") ?? 0,
  };
}

/** Ping timers of `link` under an effective token timeout. */
export function pingTimers(values: ConfValues, link: number, tokenMs: number): PingTimers {
  const u32 = (name: string, fallback: number): number => numberOf(values, `totem.interface.${link}.${name}`, "u32") || fallback;
  const pongCount = u32("knet_pong_count", 2);
  return {
    pongCount,
    pingIntervalMs: u32("knet_ping_interval", toInt(tokenMs / (pongCount * 2))),
    pingTimeoutMs: u32("knet_ping_timeout", toInt(tokenMs / pongCount)),
    pingPrecision: u32("knet_ping_precision", 2048),
  };
}
