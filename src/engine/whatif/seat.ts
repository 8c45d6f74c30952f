/**
 * The quorum half of one node: the votequorum core that runs in a node, with timers of its own and a queue towards the ring. What it is told comes from a
 * settled membership (membership.ts) instead of Totem. In the real stack: votequorum.c between two synchronisations. Left out: everything below
 * it, which is why a question over thousands of failures is answered in seconds.
 */
import { Rng, Timers, type Instant, type Port, type TimersState } from "../kernel/index.ts";
import type { ServicePort } from "../totem/service.ts";
import { Votequorum, configuredExpectedVotes } from "../votequorum/index.ts";
import type { Member } from "./design.ts";

export interface Sent {
  readonly handler: number;
  readonly from: number;
  readonly payload: Uint8Array;
}

export interface SeatState {
  readonly votes: unknown;
  readonly timers: TimersState;
}

/** Nothing a node draws decides what a settled membership ends in. */
const RNG = Rng.from("whatif");

export class Seat {
  readonly timers = new Timers();
  readonly votes: Votequorum;
  /** Messages for the ring, not delivered yet. */
  queue: Sent[] = [];

  constructor(
    readonly member: Member,
    clock: { readonly now: Instant },
  ) {
    const { nodeId, settings } = member;
    const { config } = settings;
    const port: Port = {
      now: () => clock.now,
      setTimer: (name, at) => this.timers.set(name, at),
      clearTimer: (name) => this.timers.clear(name),
      rng: RNG,
      log: () => undefined,
      trace: () => undefined,
    };
    const ring: ServicePort = {
      mcast: (_service, handler, payload) => {
        this.queue.push({ handler, from: nodeId, payload });
        return true;
      },
    };
    const expectedVotes = configuredExpectedVotes(
      config.nodes.map((n) => n.votes),
      config.quorum.expectedVotes,
    );
    const votes = config.nodes[config.localPosition]?.votes ?? 1;
    this.votes = new Votequorum(port, ring, { nodeId, votes, expectedVotes, debug: false }, () => undefined);
  }

  /** What a tool on this node would say of its quorum, in one word: members of a ring with equal words are in the same state but for their names. */
  view(): string {
    const info = this.votes.info(this.member.nodeId);
    return info === undefined ? "" : `${info.votes} ${info.expectedVotes} ${info.highestExpected} ${info.totalVotes} ${info.quorum} ${info.flags.join(",")}`;
  }

  snapshot(): SeatState {
    return { votes: this.votes.snapshot(), timers: this.timers.snapshot() };
  }

  restore(state: SeatState): void {
    this.votes.restore(state.votes);
    this.timers.restore(state.timers);
  }
}
