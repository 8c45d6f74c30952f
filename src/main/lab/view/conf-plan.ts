/**
 * What becomes of a corosync.conf that is to go onto every node: who has which file, what a reload takes and what needs a restart, what a running corosync does not have yet, and the
 * safe order of what to do. Told from the disks, the daemons' own maps and the quorum as it is.
 */
import {
  checkConf,
  CONF_PATH,
  diffConf,
  effectOf,
  isAboutLab,
  numberOf,
  parseConf,
  type ConfValues,
} from "../../../engine/config/index.ts";
import { fromUtf8 } from "../../../engine/kernel/bytes.ts";
import type { MachineStatus } from "../../../engine/kernel/status.ts";
import type { World } from "../../../engine/world/world.ts";
import type { ConfChange, ConfFile, ConfPlan, ConfStep } from "../api.ts";

const RELOAD = "corosync-cfgtool -R";
const RESTART = "systemctl restart corosync";

interface NodeState {
  readonly name: string;
  readonly on: boolean;
  /** Of its corosync; undefined where none runs. */
  readonly status: MachineStatus;
  readonly text: string | undefined;
  /** In its file, and not what its corosync runs with. */
  readonly pending: ConfChange[];
  readonly running: boolean;
}

type Asked = Pick<World, "names" | "query" | "status">;

const versionOf = (values: ConfValues): number | undefined => numberOf(values, "totem.config_version", "u64");

/** `nodelist.node.0.name (str) = pve1`, line by line. */
function liveMap(world: Asked, node: string): Map<string, string> | undefined {
  const reply = world.query(node, { kind: "command", argv: ["corosync-cmapctl"], cwd: "/", stdin: "" });
  if (reply.kind !== "result" || reply.status !== 0) return undefined;
  const lines = reply.stdout.split("\n").map((line) => /^(\S+) \(\w+\) = (.*)$/.exec(line));
  return new Map(lines.flatMap((m) => (m === null ? [] : [[m[1] ?? "", m[2] ?? ""] as const])));
}

/** Keys of a file that a running daemon has otherwise, or not at all. What is of no effect is left out. */
function pendingOf(world: Asked, node: string, text: string): ConfChange[] {
  const live = liveMap(world, node);
  const { values, errors } = parseConf(text);
  if (live === undefined || errors.length > 0) return [];
  return [...values].flatMap(([key, value]): ConfChange[] => {
    const { effect, reason } = effectOf(key);
    const now = live.get(key);
    return effect === "none" || key.startsWith("uidgid.") || now === value.text
      ? []
      : [{ key, old: now ?? null, new: value.text, effect, reason }];
  });
}

function stateOf(world: Asked, name: string): NodeState {
  const status = world.status(name);
  const on = status.power === "on";
  const file = world.query(name, { kind: "file-read", path: CONF_PATH });
  const text = file.kind === "file" ? fromUtf8(file.data) : undefined;
  const running = on && status.corosync !== null;
  return { name, on, status, text, running, pending: running && text !== undefined ? pendingOf(world, name, text) : [] };
}

/** The files there are, each with all who have it: the one asked about first, then in the lab's order. */
function filesOf(nodes: readonly NodeState[], text: string): ConfFile[] {
  const byText = new Map<string, string[]>();
  for (const node of nodes) if (node.text !== undefined) byText.set(node.text, [...(byText.get(node.text) ?? []), node.name]);
  return [...byText]
    .map(([there, names]) => ({
      nodes: names,
      version: versionOf(parseConf(there).values) ?? null,
      same: there === text,
      changes: there === text ? [] : diffConf(there, text).changes.map((change) => ({ ...change })),
    }))
    .sort((a, b) => Number(b.same) - Number(a.same));
}

const listed = (names: readonly string[]): string =>
  names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1] ?? ""}`;

/** Why the others are not quorate while this one's corosync restarts; undefined: they are. */
function lostWithout({ name, status: { corosync, quorum } }: NodeState): string | undefined {
  if (corosync === null || quorum === null || !quorum.quorate) return undefined;
  const own = quorum.votes.find(({ nodeId }) => nodeId === corosync.nodeId)?.votes ?? 0;
  const left = quorum.totalVotes - own;
  return left >= quorum.quorum
    ? undefined
    : `while corosync restarts on ${name} the others hold ${left} of the ${quorum.quorum} votes needed: quorum is lost`;
}

function stepsOf(asked: NodeState, nodes: readonly NodeState[], text: string, changes: readonly ConfChange[]): ConfStep[] {
  const steps: ConfStep[] = [];
  const stale = nodes.filter((n) => n.text !== text);
  const behind = stale.filter((n) => n.on).map((n) => n.name);
  const off = stale.filter((n) => !n.on).map((n) => n.name);
  if (behind.length > 0)
    steps.push({ what: "write", text: `Write the file on every node: ${listed(behind)} ${behind.length === 1 ? "has" : "have"} another.` });
  if (off.length > 0)
    steps.push({
      what: "wait",
      text: `${listed(off)} ${off.length === 1 ? "is" : "are"} off and ${off.length === 1 ? "keeps" : "keep"} the old file: write it there before corosync starts.`,
    });
  const awaited = (effect: ConfChange["effect"]): NodeState[] =>
    nodes.filter((n) => n.running && (n.text === text ? n.pending : changes).some((change) => change.effect === effect));
  const reload = awaited("live");
  if (reload.length > 0) {
    const node = reload.includes(asked) ? asked.name : (reload[0]?.name ?? asked.name);
    steps.push({
      what: "reload",
      node,
      command: RELOAD,
      text: "Reload on one node: every member of its partition reads its own file anew, and corosync goes on running.",
    });
  }
  const restart = awaited("restart");
  const [first] = restart;
  if (first !== undefined) {
    const one = restart.length === 1;
    const why = one ? "" : " Go on with the next only when it is a member again (corosync-quorumtool -s).";
    steps.push({
      what: "restart",
      node: first.name,
      command: RESTART,
      text: `Restart corosync on ${one ? first.name : `one node after the other: ${listed(restart.map((n) => n.name))}`}.${why}`,
    });
  }
  return steps;
}

/** Throws nothing: a text that does not parse has no changes and a warning. */
export function confPlan(world: Asked, node: string, text: string): ConfPlan {
  const nodes = world.names.map((name) => stateOf(world, name)).filter(({ status }) => status.kind === "node");
  const asked = nodes.find(({ name }) => name === node);
  const files = filesOf(nodes, text);
  const changes = diffConf(asked?.text ?? "", text).changes.map((change) => ({ ...change }));
  const now = Math.max(0, ...files.map(({ version }) => version ?? 0));
  const next = versionOf(parseConf(text).values) ?? 0;
  const error = checkConf(text).find((f) => f.severity === "error" && !isAboutLab(f));
  const warnings: string[] = [];
  if (error !== undefined)
    warnings.push(
      `corosync refuses this file, line ${error.line}: ${error.text}. A reload would fail, and a node that restarts with it stays out.`,
    );
  const differs = files.some((file) => file.changes.some(({ key }) => key !== "totem.config_version"));
  if (differs && next <= now)
    warnings.push(
      `config_version was not raised: it is ${next}, and there are nodes with ${now}. Write config_version: ${now + 1}, so that everybody can tell which file is the newer one.`,
    );
  const steps = error === undefined && asked !== undefined ? stepsOf(asked, nodes, text, changes) : [];
  const restart = steps.find(({ what }) => what === "restart");
  for (const lost of nodes.filter((n) => n.name === restart?.node).map(lostWithout)) if (lost !== undefined) warnings.push(lost);
  return {
    files,
    without: nodes.filter((n) => n.text === undefined).map((n) => n.name),
    changes,
    pending: asked?.pending ?? [],
    version: { now, next },
    warnings,
    steps,
  };
}
