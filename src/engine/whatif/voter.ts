/**
 * The quorum half of one node: the votequorum core that runs in a node, with timers of its own and a queue towards the ring. What it is told comes from a
 * settled membership (membership.ts) instead of Totem. In the real stack: votequorum.c between two synchronisations. Left out: everything below
 * it, which is why a question over thousands of failures is answered in seconds.
 */
import { Rng, Timers, type Instant, type Port, type TimersState } from "../kernel/index.ts";
import type { ServicePort } from "../totem/service.ts";
import { Votequorum } from "../votequorum/index.ts";
import { votequorumParams } from "../corosync/index.ts";
import type { Member } from "./design.ts";

export interface Sent {
  readonly handler: number;
  readonly from: number;
  readonly payload: Uint8Array;
}

export interface VoterState {
  readonly votes: unknown;
  readonly timers: TimersState;
}

/** Nothing a node draws decides what a settled membership ends in. */
const RNG = Rng.from("whatif");

export class Voter {
  readonly timers = new Timers();
  readonly votes: Votequorum;
  /** Messages for the ring, not delivered yet. */
  queue: Sent[] = [];

  constructor(
    readonly member: Member,
    clock: { readonly now: Instant },
  ) {
    const { nodeId, settings } = member;
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
    this.votes = new Votequorum(port, ring, votequorumParams(settings.config), () => undefined);
  }

  /**
   * All that tools could show of this node's quorum, with the members of its ring by their rank (or unordered) and everybody else by what is left of them.
   * Members with equal views are in the same state but for their names, and so are rings whose members have equal views.
   */
  view(ring: readonly number[], ranked: boolean): string {
    const { nodeId } = this.member;
    const place = (id: number): string => (!ring.includes(id) ? "gone" : ranked ? String(ring.indexOf(id)) : "here");
    const told = this.votes.nodes().map((n) => `${place(n.nodeId)} ${n.state} ${n.votes} ${n.expectedVotes} ${n.flags.join(",")}`);
    const own = this.votes.info(nodeId);
    const device = this.votes.deviceInfo(nodeId);
    const keys = this.votes.cmapEntries().flatMap(({ key, value }) => {
      if (key === "this_node_id") return [];
      return [`${key}=${key.endsWith("_node_id") ? place(value) : value}`];
    });
    const self = [own?.votes, own?.expectedVotes, own?.quorum, own?.totalVotes, own?.highestExpected, own?.flags.join(",")].join(" ");
    return [self, ...told.sort(), ...keys, device === undefined ? "" : JSON.stringify(device)].join("|");
  }

  snapshot(): VoterState {
    return { votes: this.votes.snapshot(), timers: this.timers.snapshot() };
  }

  restore(state: VoterState): void {
    this.votes.restore(state.votes);
    this.timers.restore(state.timers);
  }
}
