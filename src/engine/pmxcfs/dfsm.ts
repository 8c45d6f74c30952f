/**
 * The state machine by which the members of a process group come to the same data and stay there: at every change of the group they show each other their states, the one with the
 * best leads, the others take over what they miss, and every message is applied by all in one order. In the real stack: pmxcfs's dfsm.c. What the data are, and who leads, is `DfsmData`'s. Left out:
 * that sending blocks the daemon, so that messages of the other group wait meanwhile.
 *
 * Two rules are this file's own, where the facts leave them open: what a member queues while it waits for the leader's updates is applied in the order it came, whoever sent it; and what it had
 * queued so when the group changes again is part of the leader's state already, so that it is dropped, and who waits for it here is told EBUSY.
 */
import { joinedBytes, type Errno, type Hasher } from "../kernel/index.ts";
import { decodeMessage, encodeMessage, memberText, sameMember, type Epoch, type Member, type Message } from "./messages.ts";

export type DfsmMode = "start" | "start sync" | "synced" | "update" | "leave" | "error" | "newer protocol";

export interface DfsmPort {
  readonly self: Member;
  seconds(): number;
  /** To all members, this one included, in one order. Never refused: who sends it tries again as long as needed. */
  multicast(message: Uint8Array): void;
  log(level: "notice" | "crit", text: string): void;
  /** What came of this member's own message with that number. */
  concluded(count: number, outcome: Errno | undefined): void;
  /** It has to leave its group, and join again later. */
  leave(): void;
}

/** All members' states, and who shows which. */
export type States = readonly { readonly member: Member; readonly state: Uint8Array }[];

/** What a member does after all have shown their states. "wait": for the leader's updates. */
export type Decision = { readonly lead: readonly Uint8Array[] } | "synced" | "wait" | "error";

export interface DfsmData {
  readonly protocol: number;
  /** This member's state. */
  state(): Uint8Array;
  decide(states: States): Decision;
  /** One of the leader's updates. */
  update(body: Uint8Array): void;
  /** All have come. False: it is not the leader's state that came of it. */
  commit(): boolean;
  /** Applies a message. "resync": this member must not, and has to be synchronised anew. */
  deliver(from: Member, subtype: number, time: number, body: Uint8Array): Errno | undefined | "resync";
  /** Who is in the group now. */
  members?(members: readonly Member[]): void;
  /** This member is up to date. */
  synced(): void;
  /** Of all data; absent: they are never verified. */
  checksum?(): Uint8Array;
}

interface Queued {
  readonly from: Member;
  readonly subtype: number;
  readonly time: number;
  readonly count: number;
  readonly body: Uint8Array;
}

interface DfsmState {
  mode: DfsmMode;
  members: readonly Member[];
  epoch: Epoch | undefined;
  epochCounter: number;
  states: { readonly member: Member; readonly state: Uint8Array }[];
  queue: Queued[];
  /** Updates that have come from the leader. */
  updates: number;
  lastCount: number;
  /** Numbers of own messages that have not come back. */
  own: number[];
  verifying: { readonly id: number; readonly checksum: Uint8Array } | undefined;
}

const NOTHING = new Uint8Array(0);

export class Dfsm {
  private s: DfsmState = {
    mode: "start",
    members: [],
    epoch: undefined,
    epochCounter: 0,
    states: [],
    queue: [],
    updates: 0,
    lastCount: 0,
    own: [],
    verifying: undefined,
  };

  constructor(
    private readonly port: DfsmPort,
    private readonly data: DfsmData,
  ) {}

  get mode(): DfsmMode {
    return this.s.mode;
  }

  get members(): readonly Member[] {
    return this.s.members;
  }

  /** Messages that wait for the end of a synchronisation. */
  get queueLength(): number {
    return this.s.queue.length;
  }

  /** Leads the present synchronisation's beginning: the member with the lowest node id. */
  get isLowest(): boolean {
    const [lowest] = this.s.members;
    return lowest !== undefined && sameMember(lowest, this.port.self);
  }

  /** Sends a message. @returns its number, with which `concluded` comes; undefined: this member is in no group */
  send(subtype: number, body: Uint8Array): number | undefined {
    if (!this.s.members.some((m) => sameMember(m, this.port.self)) || this.s.mode === "leave") return undefined;
    const count = ++this.s.lastCount;
    this.s.own.push(count);
    this.normal(subtype, count, body);
    return count;
  }

  private normal(subtype: number, count: number, body: Uint8Array): void {
    const { protocol } = this.data;
    this.port.multicast(encodeMessage({ type: "normal", subtype, count, protocol, time: this.port.seconds(), body }));
  }

  private control(type: Exclude<Message["type"], "normal">, epoch: Epoch, body: Uint8Array): void {
    this.port.multicast(encodeMessage({ type, epoch, protocol: this.data.protocol, time: this.port.seconds(), body }));
  }

  private setMode(mode: DfsmMode): void {
    if (this.s.mode === mode) return;
    this.s.mode = mode;
    const { port } = this;
    if (mode === "start") port.log("notice", "start cluster connection");
    else if (mode === "start sync") port.log("notice", "starting data syncronisation");
    else if (mode === "update") port.log("notice", "waiting for updates from leader");
    else if (mode === "leave") port.log("crit", "leaving CPG group");
    else if (mode === "error") port.log("crit", "serious internal error - stop cluster connection");
    else if (mode === "newer protocol") port.log("crit", "detected newer protocol - please update this node");
    else {
      port.log("notice", "all data is up to date");
      this.data.synced();
    }
  }

  /** A new attempt to connect begins. */
  restart(): void {
    this.setMode("start");
  }

  /** There is no connection any more: nobody waits for what was sent. */
  disconnected(): void {
    Object.assign(this.s, { members: [], epoch: undefined, states: [], queue: [], updates: 0, verifying: undefined });
    this.conclude(() => true, "EBUSY");
    if (this.s.mode !== "error" && this.s.mode !== "newer protocol") this.s.mode = "leave";
  }

  private conclude(which: (count: number) => boolean, outcome: Errno | undefined): void {
    const done = this.s.own.filter(which);
    this.s.own = this.s.own.filter((count) => !which(count));
    for (const count of done) this.port.concluded(count, outcome);
  }

  // ---- the group

  /** @param members ascending by node, then process */
  changed(members: readonly Member[], joined: readonly Member[]): void {
    const { s } = this;
    this.port.log("notice", `members: ${members.map(memberText).join(", ")}`);
    s.members = members;
    this.data.members?.(members);
    if (!members.some((m) => sameMember(m, this.port.self)) || s.mode === "error" || s.mode === "newer protocol") return;
    Object.assign(s, { states: [], epoch: undefined, updates: 0 });
    this.sortQueue(joined);
    if (members.length === 1) {
      this.setMode("synced");
      this.deliverQueue();
      return;
    }
    this.setMode("start sync");
    if (!this.isLowest) return;
    s.epochCounter++;
    const epoch = { ...this.port.self, counter: s.epochCounter, time: this.port.seconds() };
    this.control("sync start", epoch, NOTHING);
  }

  /** What a newcomer has not heard is sent again, by who sent it. */
  private sortQueue(joined: readonly Member[]): void {
    const { s } = this;
    const own = s.queue.filter(({ from }) => sameMember(from, this.port.self));
    if (s.mode === "update") {
      s.queue = [];
      this.conclude((count) => own.some((message) => message.count === count), "EBUSY");
    } else if (joined.some((member) => !sameMember(member, this.port.self))) {
      s.queue = [];
      for (const { subtype, count, body } of own) this.normal(subtype, count, body);
    }
  }

  // ---- messages

  received(from: Member, bytes: Uint8Array): void {
    const message = decodeMessage(bytes);
    if (message === undefined || this.s.mode === "error" || this.s.mode === "newer protocol" || this.s.mode === "leave") return;
    if (message.protocol > this.data.protocol) return this.stop("newer protocol");
    if (message.protocol < this.data.protocol) return;
    if (message.type === "normal") {
      const { subtype, time, count, body } = message;
      this.onNormal({ from, subtype, time, count, body });
    } else this.onControl(from, message);
  }

  private onNormal(message: Queued): void {
    if (this.s.mode === "synced") this.deliver(message);
    else this.s.queue.push(message);
  }

  private deliver({ from, subtype, time, count, body }: Queued): void {
    const own = sameMember(from, this.port.self);
    const outcome = this.data.deliver(from, subtype, time, body);
    if (outcome !== "resync") {
      if (own) this.conclude((c) => c === count, outcome);
      return;
    }
    if (own) this.conclude((c) => c === count, "EPERM");
    this.leave();
  }

  private leave(): void {
    this.setMode("leave");
    this.s.queue = [];
    this.conclude(() => true, "EBUSY");
    this.port.leave();
  }

  private stop(mode: "error" | "newer protocol"): void {
    this.setMode(mode);
    this.s.queue = [];
    this.conclude(() => true, "EBUSY");
    this.port.leave();
  }

  private deliverQueue(): void {
    const { queue } = this.s;
    if (queue.length === 0) return;
    this.port.log("notice", `dfsm_deliver_queue: queue length ${queue.length}`);
    this.s.queue = [];
    for (const message of queue) if (this.s.mode === "synced") this.deliver(message);
  }

  private onControl(from: Member, message: Exclude<Message, { type: "normal" }>): void {
    const { s } = this;
    if (message.type === "sync start") return this.onSyncStart(from, message.epoch);
    if (s.epoch === undefined || !sameEpoch(s.epoch, message.epoch)) return;
    if (message.type === "state") this.onState(from, message.body);
    else if (message.type === "update" && s.mode === "update") {
      s.updates++;
      this.data.update(message.body);
    } else if (message.type === "update complete" && s.mode === "update") this.onComplete();
    else if (message.type === "verify request" || message.type === "verify") this.onVerify(from, message);
  }

  private onSyncStart(from: Member, epoch: Epoch): void {
    const [lowest] = this.s.members;
    if (this.s.mode !== "start sync" || lowest === undefined || !sameMember(lowest, from)) return;
    const counter = epoch.counter.toString(16).toUpperCase().padStart(8, "0");
    this.port.log("notice", `received sync request (epoch ${memberText(epoch)}/${counter})`);
    this.s.epoch = epoch;
    this.s.states = [];
    this.control("state", epoch, this.data.state());
  }

  private onState(from: Member, state: Uint8Array): void {
    const { s } = this;
    if (s.mode !== "start sync" || s.epoch === undefined) return;
    s.states = [...s.states.filter(({ member }) => !sameMember(member, from)), { member: from, state }];
    if (!s.members.every((m) => s.states.some(({ member }) => sameMember(member, m)))) return;
    this.port.log("notice", "received all states");
    const decision = this.data.decide(s.members.flatMap((m) => s.states.find(({ member }) => sameMember(member, m)) ?? []));
    s.states = [];
    if (decision === "error") return this.stop("error");
    if (decision === "wait") return this.setMode("update");
    if (decision !== "synced") {
      for (const body of decision.lead) this.control("update", s.epoch, body);
      this.control("update complete", s.epoch, NOTHING);
    }
    this.setMode("synced");
    this.deliverQueue();
  }

  private onComplete(): void {
    const { s } = this;
    this.port.log("notice", `update complete - trying to commit (got ${s.updates} inode updates)`);
    s.updates = 0;
    if (!this.data.commit()) return this.stop("error");
    this.setMode("synced");
    this.deliverQueue();
  }

  // ---- verification

  /** Time for the member with the lowest node id to ask all for their checksums. */
  verify(): void {
    const { epoch } = this.s;
    if (this.s.mode !== "synced" || epoch === undefined || !this.isLowest || this.data.checksum === undefined) return;
    this.control("verify request", epoch, encodeId(this.port.seconds()));
  }

  private onVerify(from: Member, message: Exclude<Message, { type: "normal" }>): void {
    const { s, data } = this;
    if (s.mode !== "synced" || data.checksum === undefined || message.body.length < 8) return;
    const id = message.body[0] ?? 0;
    if (message.type === "verify request") {
      s.verifying = { id, checksum: data.checksum() };
      if (sameMember(from, this.port.self)) this.control("verify", message.epoch, joinedBytes([message.body, s.verifying.checksum]));
      return;
    }
    if (s.verifying?.id !== id) return;
    const [ours, theirs] = [hex16(s.verifying.checksum), hex16(message.body.subarray(8))];
    s.verifying = undefined;
    if (ours === theirs) return this.port.log("notice", "data verification successful");
    this.port.log("crit", `wrong checksum ${theirs} != ${ours} - restarting`);
    this.leave();
  }

  snapshot(): DfsmState {
    return { ...this.s, states: [...this.s.states], queue: [...this.s.queue], own: [...this.s.own] };
  }

  restore(state: DfsmState): void {
    this.s = { ...state, states: [...state.states], queue: [...state.queue], own: [...state.own] };
  }

  digest(h: Hasher): void {
    const { s } = this;
    h.text(s.mode).int(s.members.length).int(s.states.length).int(s.queue.length).int(s.updates).int(s.lastCount).int(s.own.length);
    h.int(s.epochCounter).int(s.epoch?.counter ?? -1);
    for (const { nodeId, pid } of s.members) h.int(nodeId).int(pid);
    for (const { from, count } of s.queue) h.int(from.nodeId).int(count);
  }
}

function sameEpoch(a: Epoch, b: Epoch): boolean {
  return sameMember(a, b) && a.counter === b.counter && a.time === b.time;
}

/** A number of a verification; the lab's are one byte of the clock. */
function encodeId(seconds: number): Uint8Array {
  const id = new Uint8Array(8);
  id[0] = seconds & 0xff;
  return id;
}

/** The first eight bytes, as the daemon prints a checksum. */
function hex16(checksum: Uint8Array): string {
  return [...checksum.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join("");
}
