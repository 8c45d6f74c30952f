/**
 * Two files key by key, and what a reload (corosync-cfgtool -R) of a running daemon does with each difference: taken at once, only after a restart, or of no
 * effect whatever one does. Source: every key changed alone under a running corosync 3.1.7, its log and its map looked at. In the real stack: cfg's reload with
 * totemconfig, totemknet and votequorum behind it. Left out: what programs other than the daemon make of a key, but for the quorum device's.
 */
import type { ConfError } from "./ast.ts";
import { nodePositions } from "./links.ts";
import { parseConf } from "./parse.ts";
import type { ConfValues } from "./values.ts";
import { numberOf } from "./values.ts";

export type ReloadEffect = "live" | "restart" | "none";

export interface ConfChange {
  /** As in the daemon's map, nodes by their position in the new file, or in the old one where they are gone from it. */
  readonly key: string;
  /** null: the file does not set it. */
  readonly old: string | null;
  readonly new: string | null;
  readonly effect: ReloadEffect;
  readonly reason: string;
}

export interface ConfDiff {
  readonly changes: readonly ConfChange[];
  /** What stops a file from being read; there are no changes then. */
  readonly errors: { readonly old: readonly ConfError[]; readonly new: readonly ConfError[] };
}

export interface Effect {
  readonly effect: ReloadEffect;
  readonly reason: string;
}

type Rule = readonly [pattern: RegExp, effect: ReloadEffect, reason: string];

const LOGGED = "the daemon logs that it cannot be changed at run time, and keeps the old value";
const SILENT = "read when the service is loaded; a reload changes the map and nothing else, without a word";
const INERT = "nothing reads it";
const UDP_ONLY = "only the UDP transports use it";

/** The first that matches is taken. */
const RULES: readonly Rule[] = [
  [/^totem\.(version|cluster_name|transport|ip_version|netmtu|threads)$/, "restart", LOGGED],
  [
    /^totem\.config_version$/,
    "live",
    "shown in the map at once; a reload does not compare it, the first meeting of nodes after a start does",
  ],
  [/^totem\.(token|token_coefficient)$/, "live", "the timers are computed anew; knet's ping timers follow only at the next reload"],
  [
    /^totem\.(crypto_model|crypto_cipher|crypto_hash|secauth|keyfile|key)$/,
    "live",
    "encryption is set up anew on every node while the cluster runs",
  ],
  [/^totem\.link_mode$/, "restart", "the map changes, the links that exist go on in the old mode"],
  [/^totem\.(nodeid|downcheck|clear_node_high_bit|rrp_.*)$/, "none", "knet and the nodelist have taken its place"],
  [
    /^totem\.(consensus|join|send_join|merge|hold|token_retransmit|token_retransmits_before_loss_const|token_warning|fail_recv_const|seqno_unchanged_const|heartbeat_failures_allowed|max_network_delay|window_size|max_messages|miss_count_const|cancel_token_hold_on_retransmit)$/,
    "live",
    "taken by the ring at once",
  ],
  [/^totem\.(knet_pmtud_interval|knet_mtu|knet_compression_(model|level|threshold)|block_unlisted_ips)$/, "live", "taken by knet at once"],
  [/^totem\.interface\.\d+\.knet_link_priority$/, "live", "the best link of every node is chosen anew"],
  [/^totem\.interface\.\d+\.knet_(ping_interval|ping_timeout|ping_precision|pong_count)$/, "live", "taken by the link at once"],
  [/^totem\.interface\.\d+\.knet_transport$/, "restart", "the reload fails (CS_ERR_INVALID_PARAM): a link must be removed and made anew"],
  [/^totem\.interface\.\d+\.mcastport$/, "restart", "the map changes, the link keeps the port it was made with"],
  [/^totem\.interface\.\d+\.linknumber$/, "none", "links are where nodes have addresses; the section alone makes none"],
  [/^totem\.interface\.\d+\.(bindnetaddr|mcastaddr|broadcast|ttl)$/, "none", UDP_ONLY],
  [/^quorum\.provider$/, "restart", "the quorum service keeps the provider it was loaded with"],
  [/^quorum\.(wait_for_all|last_man_standing|last_man_standing_window|auto_tie_breaker|auto_tie_breaker_node)$/, "restart", SILENT],
  [/^quorum\.(allow_downscale|expected_votes_tracking)$/, "restart", SILENT],
  [/^quorum\.two_node$/, "live", "taken at once, and wait_for_all with it"],
  [/^quorum\.expected_votes$/, "live", "votequorum counts anew, and may lower quorum"],
  [/^quorum\.device\.(net|heuristics)\./, "restart", "corosync-qdevice reads it when it starts: restart that, not corosync"],
  [/^quorum\.device\./, "live", "votequorum counts anew"],
  [/^quorum\.(votes|leaving_timeout)$/, "none", "the nodelist counts"],
  [/^logging\./, "live", "the log is set up anew"],
  [/^system\./, "restart", LOGGED],
  [/^resources\./, "live", "taken by the resource and watchdog services"],
  [/^uidgid\./, "live", "who may connect is read anew"],
  [/^nozzle\./, "restart", "the nozzle device is made at the start"],
];

/** Where a file's nodes stand, told by node id: the order of the nodelist is no difference. */
function nodesById(values: ConfValues): Map<string, number> {
  return new Map(nodePositions(values).map((p) => [String(numberOf(values, `nodelist.node.${p}.nodeid`, "u32") ?? `at ${p}`), p]));
}

interface Side {
  readonly values: ConfValues;
  readonly nodes: ReadonlyMap<string, number>;
}

const NODE_KEY = /^nodelist\.node\.(\d+)\.(.+)$/;

/** The keys of a file with nodes by id: canonical name → text. */
function canonical({ values, nodes }: Side): Map<string, string> {
  const idAt = new Map([...nodes].map(([id, p]) => [p, id]));
  const out = new Map<string, string>();
  for (const [key, value] of values) {
    const m = NODE_KEY.exec(key);
    out.set(m === null ? key : `node ${idAt.get(Number(m[1])) ?? ""}\u0000${m[2] ?? ""}`, value.text);
  }
  return out;
}

function nodeEffect(name: string, old: Side, next: Side, id: string, both: boolean): Effect {
  if (!old.nodes.has(id))
    return { effect: "live", reason: "a node is added: knet, totem and votequorum take it at once; the timers grow with it" };
  if (!next.nodes.has(id)) return { effect: "live", reason: "a node is removed: stop corosync there first, or it goes on by its own file" };
  if (/^ring\d+_addr$/.test(name)) {
    return both
      ? {
          effect: "restart",
          reason: "the reload fails (CS_ERR_INVALID_PARAM): remove the link in one reload and add it with the next, or restart",
        }
      : { effect: "live", reason: "the link is made, or taken down, at once" };
  }
  if (name === "quorum_votes") return { effect: "live", reason: "votequorum counts anew, and may lower quorum" };
  if (name === "name")
    return { effect: "live", reason: "the tools show it at once; the node itself looks for its own name only at a start" };
  return { effect: "none", reason: INERT };
}

/** What a reload does with a changed key, told from its name alone: of a node's keys that is what becomes of a node that is added. */
export function effectOf(key: string): Effect {
  if (key.startsWith("nodelist.node.")) return { effect: "live", reason: "knet, totem and votequorum take the nodelist at once" };
  const rule = RULES.find(([pattern]) => pattern.test(key));
  return rule === undefined ? { effect: "none", reason: INERT } : { effect: rule[1], reason: rule[2] };
}

/** What differs, sorted by key. A file that does not parse gives errors and no changes. Never throws. */
export function diffConf(oldText: string, newText: string): ConfDiff {
  const parsed = { old: parseConf(oldText), new: parseConf(newText) };
  const errors = { old: parsed.old.errors, new: parsed.new.errors };
  if (errors.old.length + errors.new.length > 0) return { changes: [], errors };
  const old: Side = { values: parsed.old.values, nodes: nodesById(parsed.old.values) };
  const next: Side = { values: parsed.new.values, nodes: nodesById(parsed.new.values) };
  const [before, after] = [canonical(old), canonical(next)];
  const changes: ConfChange[] = [];
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(name) ?? null, after.get(name) ?? null];
    if (was === is) continue;
    const m = /^node (.+)\u0000(.+)$/.exec(name);
    if (m === null) {
      changes.push({ key: name, old: was, new: is, ...effectOf(name) });
      continue;
    }
    const [id, part] = [m[1] ?? "", m[2] ?? ""];
    const key = `nodelist.node.${next.nodes.get(id) ?? old.nodes.get(id) ?? 0}.${part}`;
    changes.push({ key, old: was, new: is, ...nodeEffect(part, old, next, id, was !== null && is !== null) });
  }
  changes.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return { changes, errors };
}
