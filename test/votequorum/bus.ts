/**
 * A total order without a ring: messages are queued and delivered to every member in the order they were sent, and a sync is done by hand in the order of service ids.
 * Enough to test services alone; who may send when is Totem's matter and tested elsewhere.
 */
import { profileOf } from "../../src/engine/config/index.ts";
import { Cpg } from "../../src/engine/cpg/index.ts";
import { Rng, type Instant, type Port } from "../../src/engine/kernel/index.ts";
import type { ServiceEngine, ServicePort } from "../../src/engine/totem/service.ts";
import type { RingId } from "../../src/engine/totem/types.ts";
import { QuorumService, Votequorum, type VotequorumParams } from "../../src/engine/votequorum/index.ts";

interface Message {
  service: number;
  handler: number;
  from: number;
  payload: Uint8Array;
}

export class Peer {
  readonly log: string[] = [];
  readonly queue: Message[] = [];
  readonly cpg: Cpg;
  readonly quorum: QuorumService;
  readonly votes: Votequorum;
  /** Members at this peer's last sync. */
  ring: number[] = [];
  counted = 0;
  now: Instant = 0;
  readonly timers = new Map<string, Instant>();

  constructor(
    readonly id: number,
    votes: number,
    expectedVotes: number,
    options: Partial<VotequorumParams> = {},
  ) {
    const port: Port = {
      now: () => this.now,
      setTimer: (name, at) => void this.timers.set(name, at),
      clearTimer: (name) => void this.timers.delete(name),
      rng: Rng.from("bus", String(id)),
      log: (level, subsystem, text) => void this.log.push(`${level} [${subsystem}] ${text}`),
      trace: () => undefined,
    };
    const send: ServicePort = {
      mcast: (service, handler, payload, uncounted = false) => {
        this.queue.push({ service, handler, from: id, payload });
        if (!uncounted) this.counted++;
        return true;
      },
    };
    this.cpg = new Cpg(port, send, id, profileOf("3.1.7"), true);
    this.quorum = new QuorumService(port, id);
    this.votes = new Votequorum(port, send, { nodeId: id, votes, expectedVotes, debug: true, ...options }, (m, q, r) =>
      this.quorum.setQuorum(m, q, r),
    );
    this.votes.load();
  }

  get services(): ServiceEngine[] {
    return [this.cpg, this.quorum, this.votes];
  }

  deliver(m: Message): void {
    this.services.find((s) => s.id === m.service)?.execute(m.handler, m.from, m.payload);
  }

  /** Time goes on; votequorum's timers that are due then run. */
  pass(duration: number): void {
    this.now += duration;
    for (const [name, at] of [...this.timers]) {
      if (at > this.now) continue;
      this.timers.delete(name);
      this.votes.timer(name);
    }
  }

  /** Log lines of one subsystem or more, and the empty log afterwards. */
  take(...subsystems: string[]): string[] {
    const out = this.log.filter((l) => subsystems.some((s) => l.includes(`[${s}]`)));
    this.log.length = 0;
    return out;
  }
}

/** Delivers what is queued, in order of node ids, until nothing is left. */
export function settle(peers: readonly Peer[]): void {
  for (let moved = true; moved;) {
    moved = false;
    for (const from of peers) {
      for (let m = from.queue.shift(); m !== undefined; m = from.queue.shift()) {
        moved = true;
        for (const to of peers) to.deliver(m);
      }
    }
  }
}

/** A ring of exactly these peers is formed: who came from the same old ring is in each other's transitional list. `until`: stop before that service's turn. */
export function form(peers: readonly Peer[], ring: RingId, until = 99): void {
  const members = peers.map((p) => p.id).sort((a, b) => a - b);
  const before = new Map(peers.map((p) => [p.id, p.ring]));
  for (const p of peers) {
    const trans = members.filter((id) => id === p.id || (p.ring.includes(id) && (before.get(id)?.includes(p.id) ?? false)));
    for (const s of p.services) s.syncInit?.(trans, members, ring);
    p.ring = members;
  }
  settle(peers);
  for (const index of [0, 1, 2]) {
    if ((peers[0]?.services[index]?.id ?? 0) >= until) return;
    const waiting = peers.filter((p) => p.services[index]?.syncProcess?.() === false);
    settle(peers);
    if (waiting.length > 0) return;
    for (const p of peers) p.services[index]?.syncActivate?.();
  }
}

/** The last service's turn again, after it had to wait. @returns all were ready and the sync is over */
export function goOn(peers: readonly Peer[]): boolean {
  const waiting = peers.filter((p) => !p.votes.syncProcess());
  settle(peers);
  if (waiting.length > 0) return false;
  for (const p of peers) p.votes.syncActivate();
  return true;
}

/** Peers with one vote each that have all formed their own ring once. */
export function alone(ids: readonly number[], expected = ids.length): Peer[] {
  const peers = ids.map((id) => new Peer(id, 1, expected));
  for (const p of peers) form([p], { rep: p.id, seq: 5 });
  return peers;
}
