/**
 * votequorum on a total order without a ring. Commands: nodes VOTES,VOTES… [OPTION [VALUE]]… (options of the quorum section) · ring 1,2 3 (those together form a ring) · stop ID · start ID ·
 * expected NODE VOTES (corosync-quorumtool -e) · votes NODE ID VOTES (-v -n) · cancel NODE (quorum.cancel_wait_for_all) · run SECONDS · status.
 * Shown: log lines of QUORUM and VOTEQ since the last block; status is one line for each node.
 */
import { SEC } from "../../../src/engine/kernel/index.ts";
import type { VotequorumParams } from "../../../src/engine/votequorum/index.ts";
import { form, Peer, settle } from "../../votequorum/bus.ts";
import type { Driver } from "../told.ts";

type Options = { -readonly [K in keyof VotequorumParams]?: VotequorumParams[K] };

/** The option as the engine has it. */
function option(options: Options, name: string, value: string): void {
  switch (name) {
    case "two_node":
      options.twoNode = true;
      // corosync switches it on with two_node.
      options.waitForAll ??= true;
      break;
    case "wait_for_all":
      options.waitForAll = value === "1";
      break;
    case "last_man_standing":
      options.lastManStanding = true;
      break;
    case "auto_tie_breaker":
      options.autoTieBreaker = true;
      break;
    case "auto_tie_breaker_node":
      options.autoTieBreakerNode = value;
      break;
    case "allow_downscale":
      options.allowDownscale = true;
      break;
    default:
      throw new Error(`no such option: ${name}`);
  }
}

export class VotequorumDriver implements Driver {
  private peers: Peer[] = [];
  private given: number[] = [];
  private options: Options = {};
  private seq = 5;

  run(line: string): string[] {
    const [verb, ...args] = line.split(" ");
    const [first = "", second = "", third = ""] = args;
    switch (verb) {
      case "nodes":
        this.nodes(args);
        break;
      case "ring":
        for (const ids of args) this.ring(ids.split(",").map((id) => this.peer(id)));
        break;
      case "stop":
        this.peers = this.peers.filter((p) => p.id !== Number(first));
        return [];
      case "start":
        this.start(Number(first));
        break;
      case "expected":
        this.answer(first, this.peer(first).votes.setExpected(Number(second)));
        break;
      case "votes":
        this.answer(first, this.peer(first).votes.setVotes(Number(second), Number(third)));
        break;
      case "cancel":
        this.peer(first).votes.cancelWaitForAll();
        break;
      case "run":
        for (const p of this.peers) p.pass(Number(first) * SEC);
        break;
      case "status":
        return this.peers.map((p) => this.status(p));
      default:
        throw new Error(`votequorum transcripts have no such command: ${line}`);
    }
    for (const ring of this.rings()) settle(ring);
    return this.peers.flatMap((p) =>
      p.take("QUORUM", "VOTEQ").flatMap((l) => (l.startsWith("debug") ? [] : [`node${p.id} ${l.trimEnd()}`])),
    );
  }

  private nodes([votes = "", ...rest]: readonly string[]): void {
    this.given = votes.split(",").map(Number);
    this.options = {};
    for (const word of rest) {
      const [name = "", value = "1"] = word.split("=");
      option(this.options, name, value);
    }
    this.peers = [];
    this.given.forEach((_, i) => this.start(i + 1));
  }

  private start(id: number): void {
    const sum = this.given.reduce((a, b) => a + b, 0);
    const peer = new Peer(id, this.given[id - 1] ?? 1, sum, { listedVotes: sum, debug: false, ...this.options });
    this.peers = [...this.peers, peer].sort((a, b) => a.id - b.id);
    peer.now = Math.max(0, ...this.peers.map((p) => p.now));
    this.ring([peer]);
    peer.take();
  }

  private ring(peers: readonly Peer[]): void {
    this.seq += 4;
    form(peers, { rep: Math.min(...peers.map((p) => p.id)), seq: this.seq });
  }

  private rings(): Peer[][] {
    const keys = [...new Set(this.peers.map((p) => p.ring.join(",")))];
    return keys.map((key) => this.peers.filter((p) => p.ring.join(",") === key));
  }

  private peer(id: string): Peer {
    const found = this.peers.find((p) => p.id === Number(id));
    if (found === undefined) throw new Error(`node${id} does not run`);
    return found;
  }

  private answer(node: string, error: string | undefined): void {
    if (error !== undefined) this.peer(node).log.push(`answer [VOTEQ] ${error}`);
  }

  private status(p: Peer): string {
    const i = p.votes.info(p.id);
    if (i === undefined) throw new Error(`node${p.id} knows nothing of itself`);
    const { expectedVotes, totalVotes, quorum, flags } = i;
    return `node${p.id}: expected ${expectedVotes}, total ${totalVotes}, quorum ${quorum}: ${flags.join(" ") || "-"}`;
  }
}
