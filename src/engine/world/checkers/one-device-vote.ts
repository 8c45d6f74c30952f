/**
 * One device vote: the quorum device does not go on giving its vote to two components of a cluster. Looked at are settled nodes only: corosync operational and
 * synchronised, the machine not stalled, the device's last poll not older than votequorum believes it. The vote moves in steps that the real programs do
 * not tie together, so two components may have it for a while and no longer. Of `test`, which says yes to everybody, and of `lms` and `2nodelms` only the
 * second half can be asked: they judge a client when it speaks and let stand what they told the others, so that two components may have their votes for
 * good (recorded: 1 2 by the tie breaker, then 3 4 5 because they are more). With every algorithm a node does not go on casting a vote that its server, which it is connected to, refused it on
 * the ring that it is on. Left out: nodes with different devices; nodes that do not know each other, which are no cluster.
 */
import { MS, type Duration, type Instant, type MachineStatus, type QdeviceStatus } from "../../kernel/index.ts";
import type { Checker, Complain } from "./checker.ts";
import { Lasting } from "./lasting.ts";

/** A node that casts the device's vote. */
export interface Caster {
  readonly machine: string;
  readonly nodeId: number;
  readonly ring: string;
  readonly members: readonly number[];
  readonly knows: ReadonlySet<number>;
  readonly device: QdeviceStatus;
}

/**
 * In timeouts of the device (quorum.device.timeout, of which a heartbeat is 0.8). The server has refusals confirmed first, or drops the client; the client knows half a
 * heartbeat later, and a timeout later still where its process was stopped for less than that.
 */
const MOVES_WITHIN = 1.4;

/** The vote of the device has moved by then. */
export function moveTime(statuses: readonly MachineStatus[]): Duration {
  return MOVES_WITHIN * Math.max(0, ...statuses.map((s) => s.quorum?.qdevice?.timeoutMs ?? 0)) * MS;
}

/** Settled nodes that cast the device's vote. */
export function casters(at: Instant, statuses: readonly MachineStatus[]): Caster[] {
  return statuses.flatMap(({ name, power, corosync, quorum }) => {
    const device = quorum?.qdevice;
    if (power !== "on" || corosync === null || corosync.syncing || corosync.state !== "operational") return [];
    if (device === undefined || device === null || !device.castVote || device.lastPoll === null) return [];
    // Nobody is there to poll, or to hear that nobody does.
    if (at - device.lastPoll > device.timeoutMs * MS) return [];
    const { nodeId, ringId: ring, members, nodelist } = corosync;
    return [{ machine: name, nodeId, ring, members, knows: new Set(nodelist.map((n) => n.nodeId)), device }];
  });
}

/** Of one cluster and one device, and with no member in common. */
export function apart(a: Caster, b: Caster): boolean {
  if (!a.knows.has(b.nodeId) || !b.knows.has(a.nodeId) || a.device.host !== b.device.host) return false;
  return !a.members.some((id) => b.members.includes(id));
}

/** The last answer that the device's server gave this node, on this ring, was no. */
function isRefused(c: Caster, statuses: readonly MachineStatus[]): boolean {
  return statuses.some(({ nics, power, qnetd }) => {
    if (qnetd === null || power !== "on" || !nics.some((n) => n.address === c.device.host)) return false;
    return qnetd.clusters.some(
      ({ clients, holders }) =>
        !holders.includes(c.nodeId) && clients.some((k) => k.nodeId === c.nodeId && k.ringId === c.ring && /^N?ACK$/.test(k.vote)),
    );
  });
}

export class OneDeviceVote implements Checker {
  readonly name = "one-device-vote";
  readonly sentence = "the quorum device gives its vote to one component only, and nobody casts one that was refused";
  private readonly lasting = new Lasting();
  private readonly lastingRefused = new Lasting();

  look(statuses: readonly MachineStatus[], complain: Complain, at: Instant): void {
    const every = casters(at, statuses);
    const all = every.filter((c) => c.device.algorithm === "ffsplit");
    const say = (c: Caster): string => `${c.machine} with ${c.members.join(" ")} on ${c.ring}`;
    const pairs = all.flatMap((a, i) => all.slice(i + 1).flatMap((b) => (apart(a, b) ? [`${say(a)} and ${say(b)}`] : [])));
    for (const pair of this.lasting.see(at, pairs, moveTime(statuses))) complain(`${pair} go on casting the vote of the device`);
    const refused = every.filter((c) => isRefused(c, statuses)).map(say);
    for (const one of this.lastingRefused.see(at, refused, moveTime(statuses)))
      complain(`${one} goes on casting the vote that it was refused`);
  }
}
