/**
 * A whole cluster with its witness: the quorum half of every node, a corosync-qdevice on each, and the corosync-qnetd they all talk to, on one clock. Memberships
 * are handed to it as Totem and sync would, when they have had the time that noticing a loss takes. In the real stack: everything above Totem that has a say in
 * who is quorate. Left out: Totem itself, TLS, and commands of heuristics.
 */
import { MS, SEC, Timers, fromUtf8, type Duration, type TimersState } from "../kernel/index.ts";
import { DEVICE_NAME, Device, Qnetd, type DeviceCall, type DeviceReply, type QnetdView } from "../qdevice/index.ts";
import type { Member } from "./design.ts";
import { Line, SERVER, type LineState } from "./line.ts";
import { deliverAll, synchronise, tokenOrder, type Clock } from "./membership.ts";
import { Voter, type VoterState } from "./voter.ts";
import { indices, type Topology } from "./topology.ts";

/** Events in one settling. Beyond it something wakes itself without end. Ours. */
const EVENTS_MAX = 1_000_000;
/** Heartbeats after which a lost server and a lost client have been noticed by whoever is left: two that go unanswered, and a half of another. */
const HEARTBEATS = 2.5;
/** For an algorithm that waits and looks again, after the last loss has been noticed. Ours. */
const AFTERWARDS: Duration = 6 * SEC;

interface ClusterNode {
  readonly member: Member;
  readonly voter: Voter;
  readonly timers: Timers;
  readonly device: Device;
  state: { alive: boolean };
  /** What the device has asked of votequorum and what votequorum has told it, in order. */
  readonly local: ((device: Device) => void)[];
}

/** A ring whose synchronisation is not done: who has not sent its part yet. */
interface Sync {
  readonly voters: readonly Voter[];
  left: Voter[];
}

export interface WitnessClusterState {
  readonly topology: Topology;
  readonly now: number;
  readonly seq: number;
  readonly nodes: readonly {
    readonly index: number;
    readonly voter: VoterState;
    readonly timers: TimersState;
    readonly device: unknown;
    readonly alive: boolean;
  }[];
  readonly line: LineState;
  readonly server: unknown;
  readonly serverTimers: TimersState;
}

/** A member, and the values of its key map as its device reads them. */
export interface WitnessMember extends Member {
  readonly keys: ReadonlyMap<string, string>;
}

export function witnessMember(member: Member): WitnessMember {
  const values = member.settings.keys.map(
    ({ key, value }) => [key, value instanceof Uint8Array ? fromUtf8(value) : String(value)] as const,
  );
  return { ...member, keys: new Map(values) };
}

export class WitnessCluster {
  private readonly clock: Clock = { now: 0 };
  private readonly line = new Line(this.clock);
  private readonly nodes = new Map<number, ClusterNode>();
  private readonly serverTimers = new Timers();
  private readonly server: Qnetd;
  private syncs: Sync[] = [];
  /** Who hears whom: the topology's groups, once their members sit. */
  private rings: readonly (readonly Voter[])[] = [];
  private seq = 5;
  private topology: Topology;

  constructor(
    private readonly members: readonly WitnessMember[],
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

  private addNode(index: number): ClusterNode {
    const member = this.members[index];
    if (member === undefined) throw new Error(`whatif: no member ${index}`);
    const voter = new Voter(member, this.clock);
    const timers = new Timers();
    const { keys } = member;
    const state = { alive: true };
    const local: ClusterNode["local"] = [];
    voter.votes.subscribe({
      registered: (error) => local.push((d) => d.answered({ error })),
      nodelist: (ring, members) => local.push((d) => d.happened({ what: "nodelist", ring, members })),
      quorum: (quorate, nodes) => local.push((d) => d.happened({ what: "quorum", quorate, nodes })),
      expectedVotes: (votes) => local.push((d) => d.happened({ what: "expected", votes })),
    });
    const device = new Device(
      {
        now: () => this.clock.now,
        setTimer: (name, at) => timers.set(name, at),
        clearTimer: (name) => timers.clear(name),
        log: () => undefined,
        tcp: this.line.client(index),
        ask: (call) => {
          local.push((d) => this.perform(voter, call, d));
          return true;
        },
        nodeId: () => member.nodeId,
        get: (key) => keys.get(key),
        list: (prefix) => [...keys.keys()].filter((key) => key.startsWith(prefix)),
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
    const node: ClusterNode = { member, voter, timers, device, state, local };
    this.nodes.set(index, node);
    return node;
  }

  /** One call of votequorum by a device. A registration that is let through is answered when it has gone round. */
  private perform(voter: Voter, call: DeviceCall, device: Device): void {
    const { votes } = voter;
    const done = (reply: DeviceReply): void => device.answered(reply);
    switch (call.call) {
      case "trackstart":
        return done(this.syncs.some((sync) => sync.voters.includes(voter)) ? { error: "CS_ERR_TRY_AGAIN" } : {});
      case "current":
        return done({ view: votes.current() });
      case "getinfo":
        return done({ votes: voter.member.settings.config.nodes.find((n) => n.nodeId === call.nodeId)?.votes ?? 1 });
      case "register": {
        const error = votes.deviceRegister(DEVICE_NAME);
        if (error !== undefined) done({ error });
        return;
      }
      case "unregister":
        return done({ error: votes.deviceUnregister(DEVICE_NAME) });
      case "master_wins":
        return done({ error: votes.deviceMasterWins(DEVICE_NAME, call.allow) });
      case "poll":
        return done({ error: votes.devicePoll(DEVICE_NAME, call.cast, call.ring) });
    }
  }

  // ── memberships ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Everybody starts, alone for a moment, then in the topology's groups; then the devices. Settled when it returns. */
  begin(): void {
    this.server.start();
    for (const mask of this.topology.groups)
      for (const index of indices(mask)) {
        const { voter } = this.addNode(index);
        voter.votes.load();
        synchronise([voter], { rep: voter.member.nodeId, seq: this.seq }, false);
      }
    this.seq += 4;
    this.rings = this.topology.groups.map((mask) => this.votersOf(mask));
    for (const mask of this.topology.groups) this.ring(mask, false);
    this.runFor(SEC);
    for (const node of this.nodes.values()) {
      node.device.start();
      this.afterwards();
    }
    this.runFor(this.settling());
  }

  /** After `wait` the topology becomes `to`, which takes away only: what is gone is gone at once, rings follow when it has been noticed. Settled when it returns. */
  become(to: Topology, wait: Duration): void {
    this.runFor(wait);
    const before = this.topology;
    const live = to.groups.reduce((bits, mask) => bits | mask, 0);
    for (const [index, node] of [...this.nodes]) {
      if (((live >> index) & 1) !== 0) continue;
      node.device.kill();
      this.nodes.delete(index);
    }
    this.topology = to;
    this.rings = to.groups.map((mask) => this.votersOf(mask));
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
      ...[...this.nodes.values()].map(
        ({ member }) => (member.settings.config.totem.tokenMs + member.settings.config.totem.consensusMs) * MS,
      ),
      0,
    );
  }

  private settling(): Duration {
    const heartbeats = [...this.nodes.values()].map(({ device }) => (device.config?.heartbeatMs ?? 0) * MS);
    return Math.floor(Math.max(...heartbeats, 0) * HEARTBEATS) + AFTERWARDS;
  }

  private ring(mask: number, together: boolean): void {
    const voters = this.votersOf(mask);
    this.form(voters, { rep: voters[0]?.member.nodeId ?? 0, seq: this.seq }, together);
  }

  private form(voters: readonly Voter[], ring: { rep: number; seq: number }, together: boolean): void {
    const ids = voters.map((s) => s.member.nodeId);
    for (const voter of voters) voter.votes.syncInit(together ? ids : [voter.member.nodeId], ids, ring);
    this.syncs.push({ voters, left: tokenOrder(voters) });
    this.afterwards();
  }

  /** What an event leads to at once: messages are delivered, and rings go on with their synchronisation. */
  private afterwards(): void {
    for (let moved = true; moved;) {
      moved = false;
      for (const { device, local } of this.nodes.values()) {
        for (let next = local.shift(); next !== undefined; next = local.shift()) {
          next(device);
          moved = true;
        }
      }
      for (const voters of this.rings) if (voters.some((s) => s.queue.length > 0)) deliverAll(voters);
      for (const sync of this.syncs) {
        const waiting = sync.left.filter((voter) => !voter.votes.syncProcess());
        deliverAll(sync.voters);
        sync.left = waiting;
        if (waiting.length > 0) continue;
        this.syncs = this.syncs.filter((other) => other !== sync);
        for (const voter of sync.voters) voter.votes.syncActivate();
        moved = true;
      }
    }
  }

  private votersOf(mask: number): Voter[] {
    return indices(mask).flatMap((index) => this.nodes.get(index)?.voter ?? []);
  }

  // ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  private runFor(duration: Duration): void {
    const until = this.clock.now + duration;
    for (let n = 0; n < EVENTS_MAX; n++) {
      if (!this.runNext(until)) {
        this.clock.now = until;
        return;
      }
      this.afterwards();
    }
    throw new Error(`whatif: more than ${EVENTS_MAX} events, and nothing has settled`);
  }

  /** Runs the next event before `until`: at one instant timers of nodes, of the server, then arrivals. */
  private runNext(until: number): boolean {
    let at = until;
    let of: ClusterNode | undefined;
    for (const node of this.nodes.values()) {
      const own = Math.min(node.voter.timers.nextAt(), node.timers.nextAt());
      if (own < at) [at, of] = [own, node];
    }
    const server = this.serverTimers.nextAt() < at;
    if (server) at = this.serverTimers.nextAt();
    const arrival = this.line.nextAt() < at;
    if (arrival) at = this.line.nextAt();
    if (at >= until) return false;
    this.clock.now = Math.max(this.clock.now, at);
    if (arrival) this.arrive();
    else if (server) this.fire(this.serverTimers, (name) => this.server.timer(name));
    else if (of !== undefined) this.runNode(of, at);
    return true;
  }

  private runNode({ voter, timers, device }: ClusterNode, at: number): void {
    if (voter.timers.nextAt() <= at) this.fire(voter.timers, (name) => voter.votes.timer(name));
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
    else this.nodes.get(arrival.to)?.device.event(arrival.event);
  }

  // ── what has come of it ──────────────────────────────────────────────────────────────────────────────────────────────

  quorate(index: number): boolean {
    return this.nodes.get(index)?.voter.votes.quorate === true;
  }

  /** A member's state without names and times: equal views, equal futures. */
  view(index: number, ring: readonly number[]): string {
    const node = this.nodes.get(index);
    if (node === undefined) return "";
    const { state } = node.device;
    const own = [
      node.state.alive,
      state.phase,
      state.connection === "connected",
      state.castVote.scheduled,
      state.castVote.vote,
      state.quorate,
    ];
    return `${node.voter.view(ring, false)}/${own.join(" ")}/${serverView(this.server.view, node.member.nodeId, ring)}`;
  }

  snapshot(): WitnessClusterState {
    return {
      topology: this.topology,
      now: this.clock.now,
      seq: this.seq,
      nodes: [...this.nodes].map(([index, b]) => ({
        index,
        voter: b.voter.snapshot(),
        timers: b.timers.snapshot(),
        device: b.device.snapshot(),
        alive: b.state.alive,
      })),
      line: this.line.snapshot(),
      server: this.server.snapshot(),
      serverTimers: this.serverTimers.snapshot(),
    };
  }

  restore(state: WitnessClusterState): void {
    this.topology = state.topology;
    this.clock.now = state.now;
    this.seq = state.seq;
    this.syncs = [];
    this.line.restore(state.line, state.topology.qnetd);
    this.server.restore(state.server);
    this.serverTimers.restore(state.serverTimers);
    this.nodes.clear();
    for (const saved of state.nodes) {
      const node = this.addNode(saved.index);
      node.voter.restore(saved.voter);
      node.timers.restore(saved.timers);
      node.device.restore(saved.device);
      node.state.alive = saved.alive;
    }
    this.rings = state.topology.groups.map((mask) => this.votersOf(mask));
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
