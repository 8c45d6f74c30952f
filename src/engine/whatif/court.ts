/**
 * A whole cluster with its witness: the quorum half of every node, a corosync-qdevice on each, and the corosync-qnetd they all talk to, on one clock. Memberships
 * are handed to it as Totem and sync would, when they have had the time that noticing a loss takes. In the real stack: everything above Totem that has a say in
 * who is quorate. Left out: Totem itself, TLS, and commands of heuristics.
 */
import { MS, SEC, Timers, fromUtf8, type Duration, type TimersState } from "../kernel/index.ts";
import { Device, Qnetd, type QnetdView } from "../qdevice/index.ts";
import type { Member } from "./design.ts";
import { Line, SERVER, type LineState } from "./line.ts";
import { deliverAll, synchronise, tokenOrder, type Clock } from "./membership.ts";
import { Seat, type SeatState } from "./seat.ts";
import { indices, type Topology } from "./topology.ts";

/** Events in one settling. Beyond it something wakes itself without end. Ours. */
const EVENTS_MOST = 1_000_000;
/** Heartbeats after which a lost server and a lost client have been noticed by whoever is left: two that go unanswered, and a half of another. */
const HEARTBEATS = 2.5;
/** For an algorithm that waits and looks again, after the last loss has been noticed. Ours. */
const AFTERWARDS: Duration = 6 * SEC;

interface Bench {
  readonly member: Member;
  readonly seat: Seat;
  readonly timers: Timers;
  readonly device: Device;
  state: { alive: boolean };
}

/** A ring whose synchronisation is not done: who has not sent its part yet. */
interface Sync {
  readonly seats: readonly Seat[];
  left: Seat[];
}

export interface CourtState {
  readonly topology: Topology;
  readonly now: number;
  readonly seq: number;
  readonly benches: readonly {
    readonly index: number;
    readonly seat: SeatState;
    readonly timers: TimersState;
    readonly device: unknown;
    readonly alive: boolean;
  }[];
  readonly line: LineState;
  readonly server: unknown;
  readonly serverTimers: TimersState;
}

/** A member, and the values of its key map as its device reads them. */
export interface CourtMember extends Member {
  readonly keys: ReadonlyMap<string, string>;
}

export function courtMember(member: Member): CourtMember {
  const values = member.settings.keys.map(
    ({ key, value }) => [key, value instanceof Uint8Array ? fromUtf8(value) : String(value)] as const,
  );
  return { ...member, keys: new Map(values) };
}

export class Court {
  private readonly clock: Clock = { now: 0 };
  private readonly line = new Line(this.clock);
  private readonly benches = new Map<number, Bench>();
  private readonly serverTimers = new Timers();
  private readonly server: Qnetd;
  private syncs: Sync[] = [];
  /** Who hears whom: the topology's groups, once their members sit. */
  private rings: readonly (readonly Seat[])[] = [];
  private seq = 5;
  private topology: Topology;

  constructor(
    private readonly members: readonly CourtMember[],
    topology: Topology,
  ) {
    this.topology = topology;
    this.line.reach = topology.qnetd;
    this.server = new Qnetd(
      {
        now: () => this.clock.now,
        tcp: this.line.server(),
        setTimer: (name, at) => this.serverTimers.set(name, at),
        clearTimer: (name) => this.serverTimers.clear(name),
        log: () => undefined,
      },
      { tls: "off", clientCertRequired: false, debug: false },
    );
  }

  private sit(index: number): Bench {
    const member = this.members[index];
    if (member === undefined) throw new Error(`whatif: no member ${index}`);
    const seat = new Seat(member, this.clock);
    const timers = new Timers();
    const { keys } = member;
    const state = { alive: true };
    const device = new Device(
      {
        now: () => this.clock.now,
        setTimer: (name, at) => timers.set(name, at),
        clearTimer: (name) => timers.clear(name),
        log: () => undefined,
        tcp: this.line.client(index),
        votequorum: () => seat.votes,
        answers: () => true,
        ready: () => !this.syncs.some((sync) => sync.seats.includes(seat)),
        nodeId: () => member.nodeId,
        get: (key) => keys.get(key),
        list: (prefix) => [...keys.keys()].filter((key) => key.startsWith(prefix)),
        nodeVotes: () => member.settings.config.nodes,
        resolve: (host) => host,
        hasDatabase: () => true,
        run: () => false,
        notifyReady: () => undefined,
        exited: () => {
          state.alive = false;
        },
      },
      { debug: false, test: false },
    );
    const bench: Bench = { member, seat, timers, device, state };
    this.benches.set(index, bench);
    return bench;
  }

  // ── memberships ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Everybody starts, alone for a moment, then in the topology's groups; then the devices. Settled when it returns. */
  begin(): void {
    this.server.start();
    for (const mask of this.topology.groups)
      for (const index of indices(mask)) {
        const { seat } = this.sit(index);
        seat.votes.load();
        synchronise([seat], { rep: seat.member.nodeId, seq: this.seq }, false);
      }
    this.seq += 4;
    this.rings = this.topology.groups.map((mask) => this.seatsOf(mask));
    for (const mask of this.topology.groups) this.ring(mask, false);
    this.runFor(SEC);
    for (const bench of this.benches.values()) {
      bench.device.start();
      this.afterwards();
    }
    this.runFor(this.settling());
  }

  /** After `wait` the topology becomes `to`, which takes away only: what is gone is gone at once, rings follow when it has been noticed. Settled when it returns. */
  become(to: Topology, wait: Duration): void {
    this.runFor(wait);
    const before = this.topology;
    const live = to.groups.reduce((bits, mask) => bits | mask, 0);
    for (const [index, bench] of [...this.benches]) {
      if (((live >> index) & 1) !== 0) continue;
      bench.device.kill();
      this.benches.delete(index);
    }
    this.topology = to;
    this.rings = to.groups.map((mask) => this.seatsOf(mask));
    this.line.reach = to.qnetd;
    const changed = to.groups.filter((mask) => !before.groups.includes(mask));
    if (changed.length > 0) {
      this.runFor(this.noticing());
      this.seq += 4;
      for (const mask of changed) this.ring(mask, true);
    }
    this.runFor(this.settling());
  }

  /** A lost token and a consensus: what the slowest member takes to a new ring. */
  private noticing(): Duration {
    return Math.max(
      ...[...this.benches.values()].map(
        ({ member }) => (member.settings.config.totem.tokenMs + member.settings.config.totem.consensusMs) * MS,
      ),
      0,
    );
  }

  private settling(): Duration {
    const heartbeats = [...this.benches.values()].map(({ device }) => (device.config?.heartbeatMs ?? 0) * MS);
    return Math.floor(Math.max(...heartbeats, 0) * HEARTBEATS) + AFTERWARDS;
  }

  private ring(mask: number, together: boolean): void {
    const seats = this.seatsOf(mask);
    this.form(seats, { rep: seats[0]?.member.nodeId ?? 0, seq: this.seq }, together);
  }

  private form(seats: readonly Seat[], ring: { rep: number; seq: number }, together: boolean): void {
    const ids = seats.map((s) => s.member.nodeId);
    for (const seat of seats) seat.votes.syncInit(together ? ids : [seat.member.nodeId], ids, ring);
    this.syncs.push({ seats, left: tokenOrder(seats) });
    this.afterwards();
  }

  /** What an event leads to at once: messages are delivered, and rings go on with their synchronisation. */
  private afterwards(): void {
    for (let moved = true; moved;) {
      moved = false;
      for (const seats of this.rings) if (seats.some((s) => s.queue.length > 0)) deliverAll(seats);
      for (const sync of this.syncs) {
        const waiting = sync.left.filter((seat) => !seat.votes.syncProcess());
        deliverAll(sync.seats);
        sync.left = waiting;
        if (waiting.length > 0) continue;
        this.syncs = this.syncs.filter((other) => other !== sync);
        for (const seat of sync.seats) seat.votes.syncActivate();
        moved = true;
      }
    }
  }

  private seatsOf(mask: number): Seat[] {
    return indices(mask).flatMap((index) => this.benches.get(index)?.seat ?? []);
  }

  // ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  private runFor(duration: Duration): void {
    const until = this.clock.now + duration;
    for (let n = 0; n < EVENTS_MOST; n++) {
      if (!this.runNext(until)) {
        this.clock.now = until;
        return;
      }
      this.afterwards();
    }
    throw new Error(`whatif: more than ${EVENTS_MOST} events, and nothing has settled`);
  }

  /** Runs the next event before `until`: at one instant timers of nodes, of the server, then arrivals. */
  private runNext(until: number): boolean {
    let at = until;
    let of: Bench | undefined;
    for (const bench of this.benches.values()) {
      const own = Math.min(bench.seat.timers.nextAt(), bench.timers.nextAt());
      if (own < at) [at, of] = [own, bench];
    }
    const server = this.serverTimers.nextAt() < at;
    if (server) at = this.serverTimers.nextAt();
    const arrival = this.line.nextAt() < at;
    if (arrival) at = this.line.nextAt();
    if (at >= until) return false;
    this.clock.now = Math.max(this.clock.now, at);
    if (arrival) this.arrive();
    else if (server) this.fire(this.serverTimers, (name) => this.server.timer(name));
    else if (of !== undefined) this.runBench(of, at);
    return true;
  }

  private runBench({ seat, timers, device }: Bench, at: number): void {
    if (seat.timers.nextAt() <= at) this.fire(seat.timers, (name) => seat.votes.timer(name));
    else this.fire(timers, (name) => device.timer(name));
  }

  private fire(timers: Timers, run: (name: string) => void): void {
    const name = timers.pop(this.clock.now);
    if (name !== undefined) run(name);
  }

  private arrive(): void {
    const arrival = this.line.pop();
    if (arrival === undefined) return;
    if (arrival.to === SERVER) this.server.event(arrival.event);
    else this.benches.get(arrival.to)?.device.event(arrival.event);
  }

  // ── what has come of it ──────────────────────────────────────────────────────────────────────────────────────────────

  quorate(index: number): boolean {
    return this.benches.get(index)?.seat.votes.quorate === true;
  }

  /** A member's state without names and times: equal views, equal futures. */
  view(index: number, ring: readonly number[]): string {
    const bench = this.benches.get(index);
    if (bench === undefined) return "";
    const { state } = bench.device;
    const own = [
      bench.state.alive,
      state.phase,
      state.connection === "connected",
      state.castVote.scheduled,
      state.castVote.vote,
      state.quorate,
    ];
    return `${bench.seat.view(ring, false)}/${own.join(" ")}/${serverView(this.server.view, bench.member.nodeId, ring)}`;
  }

  snapshot(): CourtState {
    return {
      topology: this.topology,
      now: this.clock.now,
      seq: this.seq,
      benches: [...this.benches].map(([index, b]) => ({
        index,
        seat: b.seat.snapshot(),
        timers: b.timers.snapshot(),
        device: b.device.snapshot(),
        alive: b.state.alive,
      })),
      line: this.line.snapshot(),
      server: this.server.snapshot(),
      serverTimers: this.serverTimers.snapshot(),
    };
  }

  restore(state: CourtState): void {
    this.topology = state.topology;
    this.clock.now = state.now;
    this.seq = state.seq;
    this.syncs = [];
    this.line.restore(state.line, state.topology.qnetd);
    this.server.restore(state.server);
    this.serverTimers.restore(state.serverTimers);
    this.benches.clear();
    for (const saved of state.benches) {
      const bench = this.sit(saved.index);
      bench.seat.restore(saved.seat);
      bench.timers.restore(saved.timers);
      bench.device.restore(saved.device);
      bench.state.alive = saved.alive;
    }
    this.rings = state.topology.groups.map((mask) => this.seatsOf(mask));
  }
}

/** What the server holds of one node. */
function serverView(view: QnetdView, nodeId: number, ring: readonly number[]): string {
  return view.clusters
    .flatMap(({ cluster, clients }) => {
      const c = clients.find((client) => client.nodeId === nodeId);
      const won = cluster.winners.includes(nodeId);
      if (c === undefined) return [`gone ${cluster.ffsplit} ${won}`];
      const members = c.membership.filter((n) => ring.includes(n.nodeId)).length;
      return [
        [cluster.ffsplit, won, c.lastVote, c.lastAckNack, c.ffsplit, c.lmsResult, members, c.membership.length, c.heuristics.last].join(
          " ",
        ),
      ];
    })
    .join(";");
}
