/** Options of the quorum section and the quorum device where they decide, as plain sentences with the key's name. Says what votequorum reports, and computes none of it. */
import type { CorosyncStatus, QdeviceStatus, QuorumOptions, QuorumStatus } from "../../../engine/kernel/status.ts";
import type { Component } from "../api.ts";

type Note = Component["notes"][number];
type Votes = Pick<Component, "votes" | "expectedVotes" | "quorum" | "quorate">;

const note = (key: string, text: string, tone: Note["tone"] = "plain"): Note => ({ key, text, tone });

function deviceNote(device: QdeviceStatus): Note | undefined {
  if (!device.registered) return note("QDevice", "not running on this side, gives no vote", "warn");
  if (!device.castVote)
    return device.state === "Connected"
      ? note("QDevice", "gives this side no vote", "warn")
      : note("QDevice", `not reached (${device.state.toLowerCase()}), gives no vote`, "warn");
  if (device.masterWins) return note("QDevice", "keeps this side quorate by itself (master wins)");
  return undefined;
}

/** "node 1 (pve1)" */
function nodeNames(corosync: CorosyncStatus, ids: readonly number[]): string {
  const one = (id: number): string => {
    const name = corosync.nodelist.find((peer) => peer.nodeId === id)?.name;
    return name === undefined ? `node ${id}` : `node ${id} (${name})`;
  };
  return ids.map(one).join(", else ");
}

function tieNote(options: QuorumOptions, corosync: CorosyncStatus, votes: Votes): Note | undefined {
  if (options.tieBreaker === "none" || votes.votes * 2 !== votes.expectedVotes) return undefined;
  const who = options.tieBreakerNodes.length === 0 ? `the ${options.tieBreaker} node` : nodeNames(corosync, options.tieBreakerNodes);
  return note("auto_tie_breaker", `an even split, and the side with ${who} goes on${votes.quorate ? ": this one" : ", not this one"}`);
}

/** `listed`: votes of everybody in the nodelist, and of the device. */
export function voteNotes(quorum: QuorumStatus, corosync: CorosyncStatus, votes: Votes, listed: number): Note[] {
  const { options, qdevice } = quorum;
  const seen = quorum.votes.filter(({ member }) => member).length;
  const all = Math.max(corosync.nodelist.length, quorum.votes.length);
  return [
    qdevice === null ? undefined : deviceNote(qdevice),
    options.waiting && !quorum.quorate ? note("wait_for_all", `waits for all: ${seen} of ${all} seen`, "warn") : undefined,
    options.twoNode && votes.quorum === 1 ? note("two_node", "one vote of two is enough") : undefined,
    tieNote(options, corosync, votes),
    options.windowEnds === null
      ? undefined
      : note("last_man_standing", `its window of ${options.windowMs / 1000} s runs; then those who are left are all that is expected`),
    options.allowDownscale && votes.expectedVotes < listed
      ? note("allow_downscale", `${listed - votes.expectedVotes} of ${listed} votes left in order, and are not expected any more`)
      : undefined,
  ].filter((one) => one !== undefined);
}
