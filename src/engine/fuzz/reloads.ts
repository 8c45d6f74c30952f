/**
 * Changed configuration files for a schedule: somebody puts another corosync.conf into place, on all nodes or on some, and calls `corosync-cfgtool -R` on one. Drawn
 * from the seed apart from everything else, as options are. Each file lies beside the one in force from the beginning and is moved into its place, as
 * an editor does it. Left out: what the files say, word for word, which is the caller's; another authkey.
 */
import { MS, SEC, Rng, type Duration } from "../kernel/index.ts";
import { onMachine } from "./faults.ts";
import type { ScheduledAct } from "./fault-schedule.ts";
import type { WorldAct } from "../world/types.ts";
import type { Change, Variant } from "./variants.ts";

export interface Reloads {
  readonly variants: readonly Variant[];
  readonly acts: readonly ScheduledAct[];
  readonly mends: readonly ScheduledAct[];
}

const DIRECTORY = "/etc/corosync";
const AGREED_NAME = "corosync.conf.agreed";
/** What everybody has in the end. */
export const AGREED = `${DIRECTORY}/${AGREED_NAME}`;
const IN_FORCE = `${DIRECTORY}/corosync.conf`;

/** For every begun minute. */
const LEAST = 3;
const MOST = 6;
/** Nodes that were started in the course of mending have the agreed file; what still runs with another takes it over then. */
const AGREED_AT: Duration = 17_900 * MS;
/** The last ones when a ring that waited half a minute for a device's poll, in which no reload comes through, is done with that. */
const RELOADS_AT: readonly Duration[] = [24 * SEC, 32 * SEC, 40 * SEC, 54 * SEC, 64 * SEC];
/** One that ended because its version was not the others' is started again. */
const STARTED_AGAIN: readonly Duration[] = [28 * SEC, 36 * SEC];
/**
 * Daemons that list each other differently form no ring for long enough to read their files again, as with a cable that is half cut, and an address that
 * one was started with stays until it is started again: where nodes were taken out of the list, or had other addresses, everybody's daemon is started
 * anew, one after the other.
 */
const RESTARTED_AT: Duration = 44 * SEC;
/** Again after the interval of the start limit: what was restarted in vain may not be started in it. */
const DEVICES_AT: readonly Duration[] = [58 * SEC, 70 * SEC];
/** Not all at once: each asks the whole ring. */
const APART: Duration = 300 * MS;

/** Where a variant lies on a disk. */
export const placeOf = (variant: Variant): string => `${DIRECTORY}/${variant.name}`;

/** What is drawn from. */
interface Cluster {
  readonly names: readonly string[];
  readonly links: number;
  readonly device: boolean;
  /** Nodes are taken out of the list, too, or have another address in it. */
  readonly lists: boolean;
}

function changeOf(rng: Rng, { names, links, device, lists }: Cluster): Change {
  const node = rng.pick(names);
  const kinds: Change[] = [
    { kind: "nothing" },
    { kind: "votes", node, votes: rng.between(1, 3) },
    { kind: "votes", node, votes: rng.between(2, 3) },
    { kind: "votes", node, votes: rng.between(2, 3) },
    { kind: "token", ms: rng.pick([1000, 2000, 5000]) },
    { kind: "priorities", values: Array.from({ length: links }, () => rng.below(256)) },
    { kind: "logging", debug: rng.pick(["on", "trace"] as const) },
    {
      kind: "crypto",
      cipher: rng.pick(["aes128", "aes192", "aes256", "none"]),
      hash: rng.pick(["md5", "sha1", "sha256", "sha384", "sha512"]),
    },
    { kind: "broken", how: rng.pick(["brace", "line", "number"] as const) },
  ];
  // Both leave daemons that must be started again.
  if (lists) kinds.push({ kind: "without", node }, { kind: "without", node }, { kind: "without", node }, { kind: "address", node });
  // Fewer than all votes expected would be an override.
  if (!device) kinds.push({ kind: "expected", votes: names.length + rng.below(2) });
  if (links > 1) kinds.push({ kind: "links", count: links - 1 }, { kind: "no-address", node });
  return rng.pick(kinds);
}

/** Who gets the file: everybody, or some. A broken one is one node's; a node that is taken out of the list keeps the file it has, more often than not. */
function receivers(rng: Rng, names: readonly string[], change: Change): readonly string[] {
  if (change.kind === "broken") return [rng.pick(names)];
  const others = change.kind === "without" && rng.percent(70) ? names.filter((n) => n !== change.node) : names;
  if (rng.percent(65)) return others;
  const some = others.filter(() => rng.percent(50));
  return some.length === 0 ? others : some;
}

export function reloadsOf(
  seed: string,
  names: readonly string[],
  links: number,
  device: boolean,
  from: Duration,
  faultsFor: Duration,
  healedAt: Duration,
): Reloads {
  const rng = Rng.from(seed, "reloads");
  const minutes = Math.max(1, Math.ceil(faultsFor / (60 * SEC)));
  const variants: Variant[] = [];
  const acts: ScheduledAct[] = [];
  const place = (variant: Variant, nodes: readonly string[], at: Duration): ScheduledAct[] =>
    nodes.map((n) => ({ at, act: onMachine(n, { kind: "file-rename", from: placeOf(variant), to: IN_FORCE }) }));
  const ask = (node: string, at: Duration): ScheduledAct => ({
    at,
    act: onMachine(node, { kind: "command", id: `reload-${rng.u32()}`, argv: ["corosync-cfgtool", "-R"], cwd: "/root", stdin: "" }),
  });
  const cluster: Cluster = { names, links, device, lists: rng.percent(50) };
  const times = Array.from({ length: rng.between(LEAST * minutes, MOST * minutes) }, () => from + rng.below(faultsFor)).sort(
    (a, b) => a - b,
  );
  for (const [i, at] of times.entries()) {
    const change = changeOf(rng, cluster);
    // As a rule somebody counts up; sometimes it is forgotten.
    const variant: Variant = { name: `corosync.conf.${i + 1}`, change, versionUp: rng.percent(85) ? i + 1 : rng.below(i + 1) };
    variants.push(variant);
    acts.push(...place(variant, receivers(rng, names, change), at));
    if (rng.percent(90)) acts.push(ask(rng.pick(names), at + rng.below(2) * rng.below(2 * SEC)));
  }
  const agreed: Variant = { name: AGREED_NAME, change: { kind: "nothing" }, versionUp: times.length + 1 };
  const mends = place(agreed, names, healedAt + AGREED_AT);
  for (const after of RELOADS_AT) names.forEach((n, i) => mends.push(ask(n, healedAt + after + i * APART)));
  const unit = (n: string, op: "start" | "restart", name: string, after: Duration): void =>
    void mends.push({ at: healedAt + after, act: onMachine(n, { kind: "service", op, unit: name }) });
  for (const after of STARTED_AGAIN) for (const n of names) unit(n, "start", "corosync", after);
  if (cluster.lists) names.forEach((n, i) => unit(n, "restart", "corosync", RESTARTED_AT + i * SEC));
  if (device) for (const after of DEVICES_AT) for (const n of names) unit(n, "start", "corosync-qdevice", after);
  return { variants: [...variants, agreed], acts, mends };
}

/** What an act renames: as it is drawn, or as a shell's `mv` does it. */
export function movedBy(act: WorldAct["act"]): { readonly from: string; readonly to: string } | undefined {
  if (act.kind === "file-rename") return act;
  return act.kind === "file" && act.call.call === "rename" ? act.call : undefined;
}
