/**
 * The checker's rules about the totem and logging sections: timers that corosync takes but that do not fit together, keys knet does not use, keys
 * nobody knows.
 */
import type { ConfEntry } from "./ast.ts";
import { EXIT_ABORT } from "./ast.ts";
import type { Finding } from "./finding.ts";
import type { ParseOutcome } from "./parse.ts";
import { ringKeys } from "./links.ts";
import { isKnownKey, KNOWN_KEYS } from "./known-keys.ts";
import { effectiveTotem, pingTimers } from "./timers.ts";
import { numberOf, stringOf } from "./values.ts";
import { readCrypto } from "./verify.ts";

type Add = (severity: Finding["severity"], code: string, key: string, text: string, mend: string, ...sections: string[]) => void;

/** corosync.conf(5): consensus must be at least this many times token. */
const CONSENSUS_FACTOR = 1.2;
/** libknet's KNET_THREADS_TIMERES: a ping timeout below it is refused by libknet of corosync 3.1.10 (`timeout cannot be less than thread_timer_res (200 ms)`), observed. */
const KNET_WAKE_MS = 200;
/** Below this a busy host loses tokens for no fault of the network. Ours. */
const TOKEN_LOW_MS = 1000;
/** Above this a dead node is noticed later than the HA watchdog's 60 s allow. Ours. */
const TOKEN_HIGH_MS = 30_000;
/** corosync: default port of link 0. */
const PORT_DEFAULT = 5405;

/** Keys of an interface section that belong to the old UDP transports. */
const INERT = ["bindnetaddr", "mcastaddr", "broadcast", "ttl"];

/** Links that nodes have addresses on: only they have ping timers. Without any, link 0. */
function usedLinks({ values }: ParseOutcome): number[] {
  const links = new Set([...ringKeys(values).values()].flat().map(({ link }) => link));
  return links.size === 0 ? [0] : [...links].sort((a, b) => a - b);
}

/** What knet itself refuses, link by link where the file has the timeout, else once for the token it is computed from. */
function pingTimeouts(parsed: ParseOutcome, tokenMs: number, add: Add): void {
  const { values } = parsed;
  if ((stringOf(values, "totem.transport") ?? "knet") !== "knet") return;
  const { refusesShortTimeouts, corosync } = parsed.profile;
  const severity = refusesShortTimeouts ? "error" : "warning";
  const then = refusesShortTimeouts
    ? `corosync ${corosync} does not start with it`
    : `corosync ${corosync}'s links flap, and later ones do not start`;
  const after = `is below the ${KNET_WAKE_MS} ms in which its thread wakes: ${then}`;
  const low = usedLinks(parsed)
    .map((link) => ({ link, key: `totem.interface.${link}.knet_ping_timeout`, ping: pingTimers(values, link, tokenMs) }))
    .filter(({ ping }) => ping.pingTimeoutMs < KNET_WAKE_MS);
  for (const { link, key, ping } of low.filter((l) => values.has(l.key)))
    add(
      severity,
      "ping-timeout-low",
      key,
      `link ${link}: knet's ping timeout of ${ping.pingTimeoutMs} ms ${after}`,
      `write ${KNET_WAKE_MS} or more, or leave it out`,
    );
  const computed = low.find((l) => !values.has(l.key));
  if (computed === undefined) return;
  const { pingTimeoutMs, pongCount } = computed.ping;
  add(
    severity,
    "ping-timeout-low",
    "totem.token",
    `a token of ${tokenMs} ms makes knet's ping timeout ${pingTimeoutMs} ms (over ${pongCount} pongs), which ${after}`,
    `${KNET_WAKE_MS * pongCount} ms is the least that works; use ${TOKEN_LOW_MS} ms or more`,
    "totem",
  );
}

function timers(parsed: ParseOutcome, add: Add): void {
  const { values } = parsed;
  const t = effectiveTotem(values);
  const key = values.has("totem.consensus") ? "totem.consensus" : "totem.token";
  if (values.has("totem.consensus") && t.consensusMs < Math.floor(CONSENSUS_FACTOR * t.tokenMs)) {
    add(
      "warning",
      "consensus",
      key,
      `consensus is ${t.consensusMs} ms, below 1.2 times the effective token timeout of ${t.tokenMs} ms: forming may never agree`,
      "leave consensus out; it is then computed",
    );
  }
  if (t.tokenMs < TOKEN_LOW_MS)
    add(
      "warning",
      "token-low",
      "totem.token",
      `an effective token timeout of ${t.tokenMs} ms: a short stall already breaks the membership`,
      "use 1000 ms or more",
      "totem",
    );
  if (t.tokenMs > TOKEN_HIGH_MS)
    add(
      "warning",
      "token-high",
      "totem.token",
      `an effective token timeout of ${t.tokenMs} ms: a dead node is noticed later than a watchdog of 60 s allows`,
      "lower token or token_coefficient",
      "totem",
    );
  pingTimeouts(parsed, t.tokenMs, add);
  for (let link = 0; link < 8; link++) {
    const ping = pingTimers(values, link, t.tokenMs);
    const own = [`totem.interface.${link}.knet_ping_timeout`, `totem.interface.${link}.knet_ping_interval`].find((k) => values.has(k));
    if (own !== undefined && ping.pingTimeoutMs < ping.pingIntervalMs) {
      add(
        "warning",
        "ping-timers",
        own,
        `link ${link}: the ping timeout of ${ping.pingTimeoutMs} ms is below the ping interval of ${ping.pingIntervalMs} ms: pongs come later than they are waited for`,
        "set both, the timeout at least as long as the interval",
      );
    }
  }
}

function identity(parsed: ParseOutcome, add: Add): void {
  const { values } = parsed;
  const version = numberOf(values, "totem.config_version", "u64");
  if (version === undefined) {
    if (!parsed.errors.some((e) => e.exitCode === EXIT_ABORT))
      add(
        "warning",
        "config-version-missing",
        "",
        "no config_version: nodes with different files join each other unnoticed",
        "write `config_version: 1`, and add 1 at every change",
        "totem",
      );
  } else if (version === 0)
    add(
      "warning",
      "config-version-zero",
      "totem.config_version",
      "config_version 0 switches the comparison between nodes off",
      "use 1 or more, and add 1 at every change",
    );
  else if (version > Number.MAX_SAFE_INTEGER)
    add(
      "warning",
      "config-version-wrapped",
      "totem.config_version",
      `a negative or huge config_version: corosync reads it as ${values.get("totem.config_version")?.text ?? ""}`,
      "use a small positive number",
    );
  if (!stringOf(values, "totem.cluster_name"))
    add(
      "warning",
      "cluster-name-missing",
      "totem.cluster_name",
      "no cluster_name: a QDevice server and the cluster stack's tools need it",
      "write the cluster's name in the totem section",
      "totem",
    );
  const transport = stringOf(values, "totem.transport") ?? "knet";
  const crypto = readCrypto(values);
  if (transport === "knet" && crypto.cipher === "none")
    add(
      "warning",
      "no-encryption",
      "totem.secauth",
      "cluster traffic is neither encrypted nor authenticated, which the next upstream release of corosync no longer takes",
      "write `secauth: on` and give every node the same /etc/corosync/authkey",
      "totem",
    );
  if (transport === "udp" || transport === "udpu")
    add(
      "warning",
      "old-transport",
      "totem.transport",
      `transport ${transport}: one link and no encryption, and off by default in the next upstream release of corosync`,
      "remove the key; knet is the default",
    );
  const mode = stringOf(values, "totem.link_mode");
  if (mode === "active" || mode === "rr")
    add("warning", "link-mode", "totem.link_mode", `link_mode ${mode} is little used; the cluster stack writes passive`, "use passive");
  if (numberOf(values, "totem.nodeid", "u32") !== undefined)
    add("warning", "inert-key", "totem.nodeid", "nodeid in the totem section is ignored; the nodelist counts", "remove it");
}

function inert(parsed: ParseOutcome, add: Add): void {
  if ((stringOf(parsed.values, "totem.transport") ?? "knet") !== "knet") return;
  for (const key of parsed.values.keys()) {
    const m = /^totem\.interface\.([0-9]+)\.([a-z]+)$/.exec(key);
    if (m === null) continue;
    const name = m[2] ?? "";
    if (INERT.includes(name))
      add("warning", "inert-key", key, `${name} belongs to the UDP transports; knet takes its addresses from the nodelist`, "remove it");
    if (name !== "mcastport") continue;
    const port = numberOf(parsed.values, key, "u16") ?? 0;
    if (port === PORT_DEFAULT + Number(m[1]))
      add("warning", "inert-key", key, `mcastport ${port} is what link ${m[1] ?? ""} uses anyway`, "remove it");
    else
      add(
        "note",
        "custom-port",
        key,
        `link ${m[1] ?? ""} uses UDP port ${port} instead of ${PORT_DEFAULT + Number(m[1])}: firewalls must know`,
        "remove it unless that is meant",
      );
  }
}

/** What the upgrade from corosync 2 (two rings, RRP) leaves behind, and settings that do not go together. */
function leftovers({ values }: ParseOutcome, add: Add): void {
  for (const key of values.keys()) {
    const rrp = /^totem\.(rrp_[a-z_]+)$/.exec(key)?.[1];
    if (rrp !== undefined)
      add(
        "warning",
        "rrp-leftover",
        key,
        `${rrp} belonged to corosync 2's redundant rings; link_mode and knet have taken its place`,
        "remove it",
      );
  }
  const t = effectiveTotem(values);
  if (t.maxMessages > t.windowSize)
    add(
      "warning",
      "window",
      values.has("totem.max_messages") ? "totem.max_messages" : "totem.window_size",
      `max_messages ${t.maxMessages} is more than window_size ${t.windowSize}: the window limits first`,
      "leave both out",
    );
}

function unknownKeys(entries: readonly ConfEntry[], path: string, add: Add): void {
  const known = KNOWN_KEYS.get(path);
  for (const entry of entries) {
    const at = `@${entry.line}:${entry.column}`;
    const below = path === "" ? entry.name : `${path}.${entry.name}`;
    if (below === "totem.interface.ringnumber") {
      add(
        "warning",
        "rrp-leftover",
        at,
        "ringnumber is ignored: without linknumber every interface section is about link 0, and later ones overwrite it",
        "write linknumber instead",
      );
      continue;
    }
    if (
      known !== undefined &&
      !isKnownKey(known, entry.name) &&
      !below.startsWith("totem.rrp_") &&
      (path !== "" || entry.kind === "section")
    ) {
      add(
        "warning",
        entry.kind === "key" ? "unknown-key" : "unknown-section",
        at,
        `corosync knows no ${entry.kind} '${entry.name}'${path === "" ? "" : ` in ${path}`} and ignores it`,
        "check the spelling, or remove it",
      );
    } else if (entry.kind === "section") unknownKeys(entry.entries, below, add);
  }
}

/** A known number set by a dotted name outside its section: a string the daemon then does not see. */
function mistyped(parsed: ParseOutcome, add: Add): void {
  for (const name of [
    "totem.token",
    "totem.version",
    "totem.config_version",
    "totem.consensus",
    "totem.token_coefficient",
    "quorum.two_node",
    "quorum.expected_votes",
  ]) {
    if (parsed.values.get(name)?.type === "str")
      add(
        "warning",
        "mistyped-key",
        name,
        `'${name}' as one word is stored as text and not used as the number it looks like`,
        `open the section and write the key in it`,
      );
  }
}

export function totemAdvice(parsed: ParseOutcome, add: Add): void {
  timers(parsed, add);
  identity(parsed, add);
  inert(parsed, add);
  leftovers(parsed, add);
  unknownKeys(parsed.conf.entries, "", add);
  mistyped(parsed, add);
  if (stringOf(parsed.values, "logging.debug") === "on")
    add("note", "debug-on", "logging.debug", "debug logging is on: many lines a second on every node", "write `debug: off`");
}
