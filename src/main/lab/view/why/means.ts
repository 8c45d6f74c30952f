/**
 * What a state means for whoever runs the cluster: votes and quorum, and what the services above them make of it. Only what is there is spoken of: of a cluster file system, of guests
 * and of high availability nothing as long as a machine's status has none.
 */
import type { MachineStatus, QuorumStatus } from "../../../../engine/kernel/status.ts";
import type { Component, WhyClause } from "../../api.ts";
import { runs } from "./explain.ts";
import { listed, statusOf, statusRef, type Scene } from "./scene.ts";

const votes = (n: number): string => `${n} ${n === 1 ? "vote" : "votes"}`;

/** "pve3 has 1 of 3 votes and needs 2: not quorate."; as its nodes count themselves. `stale`: by a ring that the others have left. */
export function votesText(
  nodes: readonly string[],
  { totalVotes, expectedVotes, quorum, quorate, qdevice }: QuorumStatus,
  stale = false,
): string {
  const many = nodes.length > 1;
  const own = qdevice === null ? "" : ` (${qdevice.castVote ? qdevice.votes : "none"} of the QDevice)`;
  const verb = stale ? (many ? "still count" : "still counts") : many ? "have" : "has";
  return `${listed(nodes)} ${verb} ${totalVotes} of ${votes(expectedVotes)}${own} and ${many ? "need" : "needs"} ${quorum}: ${quorate ? "quorate" : "not quorate"}.`;
}

/** What the services above quorum make of it, one function each, of one machine's status: /etc/pve, guests and HA come in here. No machine has any of them yet. */
const SERVICES: readonly ((machine: MachineStatus, scene: Scene) => WhyClause[])[] = [];

/** Sides told in one Why; the rest is in the votes of the page. */
const SIDES_TOLD = 3;

export function meansOf(scene: Scene, sides: readonly Component[], stale?: Component): WhyClause[] {
  return sides
    .filter((side) => runs(scene, side))
    .slice(0, SIDES_TOLD)
    .flatMap((side): WhyClause[] => {
      const speaker = side.nodes.map((name) => statusOf(scene, name)).find((machine) => machine !== undefined && machine.quorum !== null);
      if (!speaker?.quorum) return [];
      const refs = [statusRef(speaker.name, "quorum", scene.now)];
      return [
        { role: "means", text: votesText(side.nodes, speaker.quorum, side === stale), refs },
        ...SERVICES.flatMap((service) => service(speaker, scene)),
      ];
    });
}
