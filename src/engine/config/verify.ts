/**
 * What a start of corosync makes of a configuration: the daemon's own decisions in its own order, with its literal messages and exit codes. In
 * the real stack: main() with totem_config_read, totem_config_keyread and totem_config_validate, then the load of the quorum service. Source:
 * observed verdicts of corosync 3.1.7 over single mistakes and over pairs of them. Left out: memory, lock file, sockets; transports udp and udpu
 * beyond what the file says.
 */
import { EXIT_ABORT } from "./ast.ts";
import type { DaemonConfig, DaemonLink, DaemonMessage, DaemonNode, HostFacts, Refusal, Verdict } from "./daemon.ts";
import type { LinkTable } from "./links.ts";
import { readLinks } from "./links.ts";
import { readLoggers } from "./loggers.ts";
import { loggingRefusal } from "./logging.ts";
import type { ParseOutcome } from "./parse.ts";
import { parserMessage } from "./parse.ts";
import { quorumRefusal, readQuorum, VOTEQUORUM } from "./quorum.ts";
import type { Reason } from "./refuse.ts";
import { refuseInvalid, refuseLogging, refuseRead, refuseService } from "./refuse.ts";
import type { EffectiveTotem } from "./timers.ts";
import { effectiveTotem, pingTimers } from "./timers.ts";
import type { ConfValues } from "./values.ts";
import { numberOf, stringOf } from "./values.ts";

/** corosync: smallest of any Totem timer, ms. */
const TIMER_MIN_MS = 30;
/** corosync: smallest hold, ms. */
const HOLD_MIN_MS = 14;
/** corosync: bytes of a key, at least (1024 bits). */
const KEY_MIN_BYTES = 128;
const PORT_DEFAULT = 5405;
export const KEYFILE_DEFAULT = "/etc/corosync/authkey";
/** corosync: bytes of totem.link_mode with its NUL. */
const LINK_MODE_BYTES = 128;

type Transport = DaemonConfig["transport"];

function readTransport(values: ConfValues): Transport | undefined {
  const text = stringOf(values, "totem.transport") ?? "knet";
  return text === "knet" || text === "udp" || text === "udpu" ? text : undefined;
}

interface Crypto {
  readonly model: string;
  readonly cipher: string;
  readonly hash: string;
}

/** secauth on means aes256 and sha256 unless told otherwise. */
export function readCrypto(values: ConfValues): Crypto {
  const secauth = ["on", "yes"].includes(stringOf(values, "totem.secauth") ?? "");
  return {
    model: stringOf(values, "totem.crypto_model") ?? "nss",
    cipher: stringOf(values, "totem.crypto_cipher") ?? (secauth ? "aes256" : "none"),
    hash: stringOf(values, "totem.crypto_hash") ?? (secauth ? "sha256" : "none"),
  };
}

export function keyRefusal(values: ConfValues, crypto: Crypto, host: HostFacts): Reason | undefined {
  if (crypto.cipher === "none" && crypto.hash === "none") return undefined;
  const keyfile = stringOf(values, "totem.keyfile");
  const key = stringOf(values, "totem.key");
  if (keyfile === undefined && key !== undefined)
    return key.length < KEY_MIN_BYTES ? { text: "key is too short", key: "totem.key" } : undefined;
  const path = keyfile ?? KEYFILE_DEFAULT;
  const bytes = host.authkeyBytes?.(path);
  if (bytes === null) return { text: `Could not open ${path}: No such file or directory`, key: "totem.keyfile" };
  if (bytes !== undefined && bytes < KEY_MIN_BYTES) {
    return { text: `Could only read ${bytes * 8} bits of minimum ${KEY_MIN_BYTES * 8} bits from ${path}.`, key: "totem.keyfile" };
  }
  return undefined;
}

/** The timers' own rules, in the daemon's order. */
export function timerRefusal(values: ConfValues, t: EffectiveTotem): Reason | undefined {
  const atLeast = (name: string, key: string, ms: number, min: number): Reason | undefined =>
    ms < min ? { text: `The ${name} parameter (${ms} ms) may not be less than (${min} ms).`, key: `totem.${key}` } : undefined;
  const short =
    atLeast("max_network_delay", "max_network_delay", t.maxNetworkDelayMs, TIMER_MIN_MS) ??
    atLeast("token timeout", "token", t.tokenMs, TIMER_MIN_MS);
  if (short !== undefined) return short;
  if (t.tokenWarningPercent > 100) {
    return {
      text: `The token warning parameter (${t.tokenWarningPercent}%) must be between 0 (disabled) and 100.`,
      key: "totem.token_warning",
    };
  }
  if (t.tokenRetransmitMs < TIMER_MIN_MS) {
    return numberOf(values, "totem.token_retransmit", "u32")
      ? atLeast("token retransmit timeout", "token_retransmit", t.tokenRetransmitMs, TIMER_MIN_MS)
      : { text: "Not appropriate token or token_retransmits_before_loss_const value set", key: "totem.token" };
  }
  const next =
    atLeast("token hold timeout", "hold", t.holdMs, HOLD_MIN_MS) ??
    atLeast("join timeout", "join", t.joinMs, TIMER_MIN_MS) ??
    atLeast("consensus timeout", "consensus", t.consensusMs, TIMER_MIN_MS);
  if (next !== undefined) return next;
  if (t.consensusMs < t.joinMs) {
    return {
      text: `The consensus timeout parameter (${t.consensusMs} ms) may not be less than join timeout (${t.joinMs} ms).`,
      key: "totem.join",
    };
  }
  return (
    atLeast("merge timeout", "merge", t.mergeMs, TIMER_MIN_MS) ?? atLeast("downcheck timeout", "downcheck", t.downcheckMs, TIMER_MIN_MS)
  );
}

/** Rules between nodes and links: as many addresses on each link, names where there are several, one address family per link. */
export function topologyRefusal(values: ConfValues, table: LinkTable): Reason | undefined {
  const at = (position: number, key: string): string => `nodelist.node.${position}.${key}`;
  const counts = table.links.map((link) => table.nodes.filter((n) => (n.addresses[link] ?? "") !== "").length);
  if (table.links.length > 1) {
    // the daemon asks for as many names as the first link has members, by position
    for (let position = 0; position < (counts[0] ?? 0); position++) {
      if (stringOf(values, at(position, "name")) === undefined) {
        return { text: "for a multi-link configuration, all nodes must have a 'name' attribute", key: at(position, "nodeid") };
      }
    }
  }
  if (counts.some((n) => n !== counts[0])) {
    const most = Math.max(...counts);
    const lacking = table.links.find((_, i) => counts[i] !== most) ?? 0;
    const odd = table.nodes.find((n) => (n.addresses[lacking] ?? "") !== "");
    const key = odd === undefined ? at(0, "nodeid") : at(odd.position, `ring${lacking}_addr`);
    return { text: "Not all nodes have the same number of links", key };
  }
  for (const link of table.links) {
    const here = table.nodes.filter((n) => (n.addresses[link] ?? "") !== "");
    const first = here[0]?.addresses[link] ?? "";
    for (const node of here) {
      const address = node.addresses[link] ?? "";
      if (address.includes(":") !== first.includes(":")) {
        return {
          text: `Nodes for link ${link} have different IP families (compared ${address} with ${first})`,
          key: at(node.position, `ring${link}_addr`),
        };
      }
    }
  }
  return undefined;
}

/** A node id given twice; of several the one that appears first latest (observed). */
export function duplicateId(table: LinkTable): Reason | undefined {
  const seen = new Map<number, DaemonNode[]>();
  for (const node of table.nodes) if (node.nodeId !== 0) seen.set(node.nodeId, [...(seen.get(node.nodeId) ?? []).slice(0, 1), node]);
  let found: Reason | undefined;
  for (const [id, [, other]] of seen) {
    if (other !== undefined) found = { text: `Nodeid ${id} appears twice in corosync.conf`, key: `nodelist.node.${other.position}.nodeid` };
  }
  return found;
}

function interfaceRefusal(values: ConfValues, table: LinkTable, transport: Transport): Reason | undefined {
  for (const link of table.links) {
    if (!table.withPort.has(link)) return { text: `No multicast port specified for interface ${link}`, key: firstAddressKey(table, link) };
    const ttl = numberOf(values, `totem.interface.${link}.ttl`, "u8");
    if (ttl !== undefined && ttl !== 1 && transport !== "udp") {
      return { text: `Can only set ttl on multicast transport types for interface ${link}`, key: `totem.interface.${link}.ttl` };
    }
    const priority = numberOf(values, `totem.interface.${link}.knet_link_priority`, "u8");
    if (priority !== undefined && priority !== 1 && transport !== "knet") {
      return {
        text: `Can only set link priority on knet transport type for interface ${link}`,
        key: `totem.interface.${link}.knet_link_priority`,
      };
    }
  }
  return undefined;
}

function firstAddressKey(table: LinkTable, link: number): string {
  const node = table.nodes.find((n) => (n.addresses[link] ?? "") !== "");
  return `nodelist.node.${node?.position ?? 0}.ring${link}_addr`;
}

function validate(
  { values, profile }: ParseOutcome,
  table: LinkTable,
  totem: EffectiveTotem,
  transport: Transport,
  crypto: Crypto,
): Refusal | undefined {
  const no = (reason: Reason | undefined, bare = false): Refusal | undefined =>
    reason === undefined ? undefined : refuseInvalid(values, { ...reason, bare }, profile);
  if (table.links.length === 0) return no({ text: "No interfaces defined" });
  if (table.local === undefined) return no({ text: "No valid name found for local host" });
  const interfaces = no(interfaceRefusal(values, table, transport));
  if (interfaces !== undefined) return interfaces;
  if (numberOf(values, "totem.version", "u32") !== 2) {
    return no({ text: "This totem parser can only parse version 2 configurations.", key: "totem.version" });
  }
  const more = no(timerRefusal(values, totem)) ?? no(topologyRefusal(values, table)) ?? no(duplicateId(table), true);
  if (more !== undefined) return more;
  const mode = stringOf(values, "totem.link_mode");
  if (mode !== undefined && !["passive", "active", "rr"].includes(mode)) {
    return no({ text: `The Knet link mode "${mode}" specified is invalid.  It must be active, passive or rr.`, key: "totem.link_mode" });
  }
  if (transport !== "knet" && (crypto.cipher !== "none" || crypto.hash !== "none")) {
    return no({ text: "crypto_cipher & crypto_hash are only valid for the Knet transport.", key: "totem.transport" });
  }
  return undefined;
}

/** Reading: transport, crypto, key, links and nodes. */
function read({ values, profile }: ParseOutcome, host: HostFacts): { table: LinkTable; transport: Transport; crypto: Crypto } | Refusal {
  const no = (reason: Reason): Refusal => refuseRead(values, reason, profile);
  const transport = readTransport(values);
  if (transport === undefined) return no({ text: "Invalid transport type. Should be udpu, udp or knet", key: "totem.transport" });
  const crypto = readCrypto(values);
  if (crypto.cipher !== "none" && crypto.hash === "none") {
    return no({ text: "crypto_cipher requires crypto_hash with value other than none", key: "totem.crypto_hash" });
  }
  const mode = stringOf(values, "totem.link_mode");
  if (mode !== undefined && mode.length >= LINK_MODE_BYTES) return no({ text: "totem.link_mode is too long", key: "totem.link_mode" });
  const key = keyRefusal(values, crypto, host);
  if (key !== undefined) return no(key);
  const table = readLinks(values, host, ipVersionOf(values, transport), transport === "knet");
  return "text" in table ? no(table) : { table, transport, crypto };
}

function ipVersionOf(values: ConfValues, transport: Transport): DaemonConfig["ipVersion"] {
  const text = stringOf(values, "totem.ip_version");
  if (text === "ipv4" || text === "ipv6" || text === "ipv4-6" || text === "ipv6-4") return text;
  return transport === "udp" ? "ipv4" : "ipv6-4";
}

export function linkConfig(values: ConfValues, link: number, address: string, tokenMs: number): DaemonLink {
  const key = `totem.interface.${link}.`;
  return {
    link,
    address,
    mcastport: numberOf(values, `${key}mcastport`, "u16") || PORT_DEFAULT + link,
    priority: numberOf(values, `${key}knet_link_priority`, "u8") ?? 1,
    transport: stringOf(values, `${key}knet_transport`) === "sctp" ? "sctp" : "udp",
    ...pingTimers(values, link, tokenMs),
  };
}

function buildConfig(
  { values, profile }: ParseOutcome,
  table: LinkTable,
  totem: EffectiveTotem,
  transport: Transport,
  crypto: Crypto,
): DaemonConfig {
  const local = table.nodes.find((n) => n.position === table.local);
  if (local === undefined) throw new Error("config: the local node is not in the node list it was found in");
  return {
    nodeId: local.nodeId,
    localPosition: local.position,
    nodes: table.nodes,
    links: table.links.map((link) => linkConfig(values, link, local.addresses[link] ?? "", totem.tokenMs)),
    totem,
    quorum: readQuorum(values),
    clusterName: stringOf(values, "totem.cluster_name") ?? "",
    configVersion: numberOf(values, "totem.config_version", "u64") ?? 0,
    transport,
    linkMode: readLinkMode(values),
    ipVersion: ipVersionOf(values, transport),
    crypto,
    keyfile: stringOf(values, "totem.keyfile") ?? KEYFILE_DEFAULT,
    logging: readLoggers(values),
    release: profile.release,
  };
}

export function readLinkMode(values: ConfValues): DaemonConfig["linkMode"] {
  const mode = stringOf(values, "totem.link_mode");
  return mode === "active" || mode === "rr" ? mode : "passive";
}

function serviceRefusal(values: ConfValues): Refusal | undefined {
  const reason = quorumRefusal(values);
  return reason === undefined ? undefined : refuseService(values, stringOf(values, "quorum.provider") ?? VOTEQUORUM, reason);
}

/** Said twice of each link: as it is read, and as it is checked. */
function sctpWarnings(values: ConfValues, table: LinkTable): DaemonMessage[] {
  const text = "WARNING SCTP transport is deprecated and will be removed in a future release.";
  const links = table.links.filter((link) => stringOf(values, `totem.interface.${link}.knet_transport`) === "sctp");
  return links.flatMap(() => [text, text]).map((said) => ({ level: "warning", subsystem: "TOTEM", text: said }));
}

/** Warnings a start logs between reading and validating. */
function startWarnings({ values, profile }: ParseOutcome, table: LinkTable): DaemonMessage[] {
  const texts: string[] = [];
  const local = table.nodes.find((n) => n.position === table.assumed);
  if (local !== undefined && table.links.some((link) => values.has(`totem.interface.${link}.member.0`))) {
    texts.push("member section is used together with nodelist. Members ignored.");
  }
  if (numberOf(values, "totem.nodeid", "u32") !== undefined) {
    texts.push("nodeid in totem section is deprecated and ignored. Nodelist (or autogenerated) nodeid is going to be used.");
  }
  if (table.links.some((link) => (local?.addresses[link] ?? "") !== "" && values.has(`totem.interface.${link}.bindnetaddr`))) {
    texts.push("interface section bindnetaddr is used together with nodelist. Nodelist one is going to be used.");
  }
  if (texts.length > 0) texts.push("Please migrate config file to nodelist.");
  const main = texts.map((text): DaemonMessage => ({ level: "warning", subsystem: "MAIN", text }));
  return [...(profile.withoutSctp ? sctpWarnings(values, table) : []), ...main];
}

/**
 * Would corosync start with this file on this host? Either what it runs with, or its messages and exit code (8 main configuration, 7 logging,
 * 20 service, 134 assertion). Never throws.
 */
export function verifyConf(parsed: ParseOutcome, host: HostFacts): Verdict {
  const first = parsed.errors[0];
  if (first !== undefined) {
    const level = first.exitCode === EXIT_ABORT ? "crit" : "error";
    const text = parserMessage(first, parsed.profile);
    const messages: DaemonMessage[] = text === "" ? [] : [{ level, subsystem: undefined, text }];
    return { ok: false, stage: "parse", exitCode: first.exitCode, messages, line: first.line, column: first.column };
  }
  const { values } = parsed;
  const logging = loggingRefusal(values, (file) => host.openLog?.(file));
  if (logging !== undefined) return refuseLogging(values, logging);
  const got = read(parsed, host);
  if ("ok" in got) return got;
  const totem = effectiveTotem(values);
  const warnings = startWarnings(parsed, got.table);
  const invalid = validate(parsed, got.table, totem, got.transport, got.crypto) ?? serviceRefusal(values);
  if (invalid !== undefined) return { ...invalid, messages: [...warnings, ...invalid.messages] };
  return { ok: true, config: buildConfig(parsed, got.table, totem, got.transport, got.crypto), messages: warnings };
}
