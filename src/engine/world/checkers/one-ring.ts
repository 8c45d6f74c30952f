/**
 * One ring after healing and quiet: once every fault is healed and every daemon runs, all nodes end on one ring with all of them as members, synchronised
 * and quorate. Liveness: it says nothing of how long that takes; the caller decides when it must have happened. Left out: quorum where wait_for_all waits for exactly the
 * votes a node remembers, or expected votes have shrunk, or more are expected than there are since somebody once told a node to have more (observed); such
 * nodes can stay blocked in one ring with all others.
 */
import type { MachineStatus } from "../../kernel/index.ts";
import type { Checker, Complain } from "./checker.ts";

export const ONE_RING = "one-ring";

export class OneRing implements Checker {
  readonly name = ONE_RING;
  readonly sentence = "after healing and quiet all nodes are on one ring";

  atRest(statuses: readonly MachineStatus[], complain: Complain): void {
    const trouble = notOneRing(statuses);
    if (trouble !== undefined) complain(trouble);
  }
}

/** Why the nodes are not on one ring together; undefined when they are. */
export function notOneRing(statuses: readonly MachineStatus[]): string | undefined {
  const nodes = statuses.filter((s) => s.kind === "node");
  let ring: string | undefined;
  for (const { name, corosync, quorum } of nodes) {
    if (corosync === null || quorum === null) return `corosync does not run on ${name}`;
    if (corosync.state !== "operational") return `${name} is in ${corosync.state}`;
    ring ??= corosync.ringId;
    if (corosync.ringId !== ring) return `${name} is on ring ${corosync.ringId}, ${nodes[0]?.name ?? ""} on ${ring}`;
    if (corosync.members.length !== nodes.length) return `${name} sees ${corosync.members.length} of ${nodes.length} nodes`;
    if (corosync.syncing) return `${name} has not synchronised`;
    const there = corosync.nodelist.reduce((sum, n) => sum + n.votes, quorum.qdevice?.votes ?? 0);
    const waits = quorum.flags.some((f) => /^(WaitForAll|LastManStanding|AllowDownscale)$/.test(f));
    if (!quorum.quorate && !waits && quorum.expectedVotes <= there) return `${name} is not quorate`;
  }
  return undefined;
}
