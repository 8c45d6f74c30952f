/**
 * Random scenarios for real daemons and the lab alike: a cluster with some of the quorum section's options, and one act after another with time to settle
 * between. Plain data drawn from a seed.
 */
import { Rng } from "../../src/engine/kernel/index.ts";

/** Nodes are told by their numbers, 1 and up; 0 is the qnetd host. */
export const QNETD = 0;

export type Act =
  | { readonly kind: "start" | "stop" | "kill" | "stall" | "resume"; readonly node: number }
  | { readonly kind: "start-all" }
  /** Every cable between two groups is cut, on every link. */
  | { readonly kind: "partition"; readonly groups: readonly (readonly number[])[] }
  | { readonly kind: "heal" }
  | { readonly kind: "expected"; readonly node: number; readonly votes: number }
  /** The file of every node gets other votes for node `of`; `node` asks for the reload. */
  | { readonly kind: "reload"; readonly node: number; readonly of: number; readonly votes: number };

export interface Scenario {
  readonly seed: string;
  readonly nodes: number;
  readonly links: number;
  readonly votes: readonly number[];
  /** Keys of the quorum section. */
  readonly quorum: Readonly<Record<string, string>>;
  /** A quorum device's algorithm and votes. */
  readonly device: { readonly algorithm: "ffsplit" | "lms"; readonly votes: number } | undefined;
  readonly acts: readonly Act[];
}

const ACTS_LEAST = 7;
const ACTS_MOST = 11;

/** Where the drawing thinks the cluster stands. */
interface Ground {
  readonly nodes: number;
  readonly device: boolean;
  readonly up: Set<number>;
  readonly stalled: Set<number>;
  cut: boolean;
}

function quorumOptions(rng: Rng, nodes: number): Record<string, string> {
  const quorum: Record<string, string> = {};
  if (nodes === 2 && rng.percent(40)) {
    quorum["two_node"] = "1";
    if (rng.percent(30)) quorum["wait_for_all"] = "0";
  } else if (rng.percent(40)) {
    quorum["auto_tie_breaker"] = "1";
    const which = rng.pick(["", "lowest", "highest", "1 2", String(nodes)]);
    if (which !== "") quorum["auto_tie_breaker_node"] = which;
  }
  if (rng.percent(30)) quorum["wait_for_all"] = "1";
  if (quorum["two_node"] === undefined && rng.percent(35)) {
    quorum["last_man_standing"] = "1";
    quorum["last_man_standing_window"] = "2000";
  }
  if (rng.percent(30)) quorum["allow_downscale"] = "1";
  if (rng.percent(15)) quorum["expected_votes"] = String(rng.between(nodes, nodes + 1));
  return quorum;
}

/** What can be done next, so that most of it does something. */
function draw(rng: Rng, g: Ground): Act {
  const all = Array.from({ length: g.nodes }, (_, i) => i + 1);
  const running = all.filter((n) => g.up.has(n) && !g.stalled.has(n));
  const kinds: Act["kind"][] = ["partition", "partition"];
  if (running.length > 0) kinds.push("stop", "stop", "kill", "kill", "stall", "expected", "reload", "reload");
  if (g.up.size < g.nodes) kinds.push("start", "start", "start", "start");
  if (g.stalled.size > 0) kinds.push("resume", "resume", "resume", "resume");
  if (g.cut) kinds.push("heal", "heal", "heal", "heal");
  const kind = rng.pick(kinds);
  switch (kind) {
    case "stop":
    case "kill":
      return { kind, node: rng.pick(running) };
    case "stall":
      return { kind, node: rng.pick(running) };
    case "start":
      return { kind, node: rng.pick(all.filter((n) => !g.up.has(n))) };
    case "resume":
      return { kind, node: rng.pick([...g.stalled]) };
    case "expected":
      return { kind, node: rng.pick(running), votes: rng.between(1, g.nodes + 1) };
    case "reload":
      return { kind, node: rng.pick(running), of: rng.pick(all), votes: rng.between(0, 3) };
    case "partition":
      return { kind, groups: groups(rng, all, g.device) };
    case "heal":
    case "start-all":
      return { kind };
  }
}

function groups(rng: Rng, all: readonly number[], device: boolean): number[][] {
  const out: number[][] = [[], [], []];
  const parts = all.length > 2 && rng.percent(25) ? 3 : 2;
  for (const n of device ? [...all, QNETD] : all) out[rng.below(parts)]?.push(n);
  const full = out.filter((g) => g.length > 0);
  return full.length > 1 ? full : [all.slice(0, 1), all.slice(1)];
}

function note(g: Ground, act: Act): void {
  if (act.kind === "start") g.up.add(act.node);
  else if (act.kind === "stop" || act.kind === "kill") g.up.delete(act.node);
  else if (act.kind === "stall") g.stalled.add(act.node);
  else if (act.kind === "resume") g.stalled.delete(act.node);
  else if (act.kind === "partition") g.cut = true;
  else if (act.kind === "heal") g.cut = false;
}

export function scenarioOf(seed: string): Scenario {
  const rng = Rng.from(seed, "oracle");
  const nodes = rng.between(2, 5);
  const votes = Array.from({ length: nodes }, () => (rng.percent(25) ? rng.between(0, 3) : 1));
  const device =
    rng.percent(25) && nodes >= 2 ? { algorithm: rng.pick(["ffsplit", "lms"] as const), votes: rng.pick([1, nodes - 1]) } : undefined;
  const quorum = device === undefined ? quorumOptions(rng, nodes) : {};
  const g: Ground = {
    nodes,
    device: device !== undefined,
    up: new Set(Array.from({ length: nodes }, (_, i) => i + 1)),
    stalled: new Set(),
    cut: false,
  };
  const acts: Act[] = [{ kind: "start-all" }];
  const count = rng.between(ACTS_LEAST, ACTS_MOST);
  while (acts.length < count) {
    const act = draw(rng, g);
    note(g, act);
    acts.push(act);
  }
  return { seed, nodes, links: rng.between(1, 2), votes: device === undefined ? votes : votes.map(() => 1), quorum, device, acts };
}

export const nameOf = (node: number): string => (node === QNETD ? "qnetd" : `node${node}`);

/** The corosync.conf of the scenario, with the votes and version given. */
export function confOf(s: Scenario, votes: readonly number[], version: number): string {
  const node = (i: number): string =>
    [
      `    name: node${i + 1}`,
      `    nodeid: ${i + 1}`,
      `    quorum_votes: ${votes[i] ?? 1}`,
      ...Array.from({ length: s.links }, (_, k) => `    ring${k}_addr: 10.10.${k}.${i + 1}`),
    ].join("\n");
  const nodes = Array.from({ length: s.nodes }, (_, i) => `  node {\n${node(i)}\n  }\n`).join("");
  const options = Object.entries(s.quorum).map(([key, value]) => `  ${key}: ${value}\n`);
  const device =
    s.device === undefined
      ? ""
      : `  device {\n    model: net\n    votes: ${s.device.votes}\n    net {\n      algorithm: ${s.device.algorithm}\n      host: 10.10.0.200\n      tls: off\n    }\n  }\n`;
  return (
    `logging {\n  debug: off\n  to_syslog: yes\n}\n\nnodelist {\n${nodes}}\n\n` +
    `quorum {\n${device}  provider: corosync_votequorum\n${options.join("")}}\n\n` +
    // A short token: everything settles within seconds.
    `totem {\n  cluster_name: oracle\n  config_version: ${version}\n  ip_version: ipv4-6\n  link_mode: passive\n  secauth: on\n  token: 1000\n` +
    `  version: 2\n}\n`
  );
}

/** What one act is, in a line. */
export function sayAct(act: Act): string {
  switch (act.kind) {
    case "start-all":
      return "start every node";
    case "partition":
      return `partition ${act.groups.map((g) => g.map(nameOf).join(",")).join(" | ")}`;
    case "heal":
      return "heal";
    case "expected":
      return `corosync-quorumtool -e ${act.votes} on ${nameOf(act.node)}`;
    case "reload":
      return `node${act.of} gets ${act.votes} votes in every file, corosync-cfgtool -R on ${nameOf(act.node)}`;
    default:
      return `${act.kind} ${nameOf(act.node)}`;
  }
}

/** What a scenario is, in a line. */
export function sayScenario(s: Scenario): string {
  const options = Object.entries(s.quorum).map(([key, value]) => `${key}: ${value}`);
  if (s.device !== undefined) options.push(`device ${s.device.algorithm} with ${s.device.votes} votes`);
  return `${s.nodes} nodes with ${s.votes.join(" ")} votes, ${s.links} links, ${options.length === 0 ? "no options" : options.join(", ")}`;
}
