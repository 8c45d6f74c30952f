/**
 * What votequorum tells the daemon, and what it makes of it: a new membership pauses the cast vote timer until heuristics and server have spoken, the quorum's list
 * goes to the server, expected votes are looked at. In the real stack: the callbacks of qdevice-votequorum.c and qdevice-model-net.c. Left out: other models than net.
 */
import { copyRing, ringIdText, type RingId } from "../../totem/types.ts";
import type { Heuristics, Vote } from "../tlv.ts";
import { ffsplitTrouble } from "./device-config.ts";
import type { DeviceCore } from "./device-core.ts";
import { quorumNodes, type DevicePort, type NodeVotes, type VoteNode } from "./device-state.ts";
import type { DeviceNet } from "./net.ts";

/** The process ends when what is going on at this instant is over. */
export const ALGORITHM_TIMER = "algorithm";
const STATE_NUMBERS = { member: 1, dead: 2, leaving: 3 } as const;

export class DeviceNotifications {
  /** @param askVotes asks for the votes of all nodes; `expected` is called when they are known */
  constructor(
    private readonly port: DevicePort,
    private readonly device: DeviceCore,
    private readonly net: () => DeviceNet | undefined,
    private readonly askVotes: (expectedVotes: number) => void,
  ) {}

  /** A membership is forming. */
  onNodelist(ring: RingId, members: readonly number[]): void {
    const s = this.device.state;
    this.device.debug("Votequorum nodelist notify callback:");
    this.device.debug(`  Ring_id = (${ringIdText(ring)})`);
    this.device.debug(`  Node list (size = ${members.length}):`);
    members.forEach((id, i) => this.device.debug(`    ${i} nodeid = ${id}`));
    s.ring = copyRing(ring);
    s.members = [...members];
    this.device.debug("Algorithm decided to pause cast vote timer and result vote is No change ");
    this.device.castVote?.pause(true);
  }

  /** Quorum, and the nodes votequorum has ever heard of. */
  onQuorum(quorate: boolean, nodes: readonly VoteNode[]): void {
    const s = this.device.state;
    this.device.debug("Votequorum quorum notify callback:");
    this.device.debug(`  Quorate = ${quorate ? 1 : 0}`);
    this.device.debug(`  Node list (size = ${nodes.length}):`);
    nodes.forEach((n, i) => this.device.debug(`    ${i} nodeid = ${n.nodeId}, state = ${n.nodeId === 0 ? 0 : STATE_NUMBERS[n.state]}`));
    s.quorate = quorate;
    s.voteNodes = nodes.map((n) => ({ ...n }));
    if (s.config?.algorithm === "lms") this.device.debug(`algo-lms: quorum_notify. quorate = ${quorate ? 1 : 0}`);
    const connected = s.connection === "connected";
    this.device.debug(`Algorithm decided to ${connected ? "send" : "not send"} list and result vote is No change`);
    if (connected) this.net()?.sendQuorum(quorumNodes(s.voteNodes));
  }

  /** The own expected votes have changed. */
  onExpected(votes: number): void {
    this.device.debug("Votequorum expected_votes notify callback:");
    this.device.debug(`  Expected_votes: ${votes}`);
    this.device.debug(
      `qdevice_model_net_votequorum_expected_votes_notify (expected votes old=${this.device.state.expectedVotes} / new=${votes})`,
    );
    if (this.device.state.config?.algorithm === "ffsplit") this.askVotes(votes);
    else this.expected(votes, undefined);
  }

  /** @param votes of all nodes, where the algorithm wants them */
  expected(expectedVotes: number, votes: readonly NodeVotes[] | undefined): void {
    const trouble = votes === undefined ? undefined : ffsplitTrouble(this.port.get, votes);
    if (trouble === undefined) this.device.debug("Algorithm result vote is No change");
    else {
      this.port.log("crit", trouble);
      this.device.debug("Algorithm returned error. Disconnecting.");
      // What else the daemon tells at this moment is still heard (recorded).
      this.port.setTimer(ALGORITHM_TIMER, this.port.now());
    }
    this.device.state.expectedVotes = expectedVotes;
  }

  /** The commands that are run at a new membership have ended. */
  membershipResult(result: Heuristics, starting: boolean): void {
    const s = this.device.state;
    s.heuristics.membership = result;
    this.device.debug("Votequorum heuristics exec result callback:");
    this.device.debug(`  seq_number = ${s.heuristicsSeq}, exec_result = ${result === "Undefined" ? "Disabled" : result}`);
    const connected = s.connection === "connected";
    const vote: Vote = connected ? "Wait for reply" : "No change";
    this.device.debug(`Algorithm decided to ${connected ? "send" : "not send"} list, result vote is ${vote} and heuristics is ${result}`);
    if (connected) this.net()?.sendMembership(result);
    this.device.castVote?.pause(false);
    this.device.result(vote, "qdevice_model_net_votequorum_node_list_notify");
    this.net()?.scheduleRegular();
    if (!starting) return;
    this.device.debug("Qdevice ready to provide service");
    this.device.debug("Running QDevice main loop");
    this.net()?.connect();
  }
}
