/**
 * One Totem instance spoken to by hand: the test plays everybody else, packet by packet, so that losses fall exactly where they hurt. Own multicasts come
 * back at once, as they do over loopback.
 */
import { KNET_NET_MTU, MS, Rng, Timers, type Port } from "../../src/engine/kernel/index.ts";
import { Totem, type Configuration } from "../../src/engine/totem/index.ts";
import {
  COMMIT_TOKEN,
  JOIN,
  MCAST,
  ORF_TOKEN,
  decode,
  encodeCommit,
  encodeJoin,
  encodeMcast,
  encodeMergeDetect,
  encodeToken,
  type CommitToken,
  type Join,
  type Mcast,
  type OrfToken,
  type TotemMessage,
} from "../../src/engine/totem/messages.ts";
import { TotemPg } from "../../src/engine/totem/pg.ts";
import type { RingId } from "../../src/engine/totem/types.ts";
import { params } from "./ring.ts";

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** One message as the only one of its frame. */
function frameOf(text: string): Uint8Array {
  let frame = new Uint8Array(0);
  const pg = new TotemPg(
    KNET_NET_MTU,
    (f) => void (frame = new Uint8Array(f)),
    () => 64,
  );
  pg.mcast(bytes(text));
  pg.flush();
  return frame;
}

export class ByHand {
  now = 0;
  readonly timers = new Timers();
  readonly totem: Totem;
  /** What the instance told the application. */
  readonly told: string[] = [];
  readonly log: string[] = [];
  /** Packets sent and not yet looked at. */
  sent: TotemMessage[] = [];
  /** On its way back to the instance itself. */
  private readonly loop: Uint8Array[] = [];

  constructor(
    readonly me: number,
    readonly n: number,
  ) {
    const port: Port = {
      now: () => this.now,
      setTimer: (name, at) => this.timers.set(name, at),
      clearTimer: (name) => this.timers.clear(name),
      rng: Rng.from("by hand"),
      log: (_level, _subsystem, text) => this.log.push(text),
      trace: () => undefined,
    };
    const transport = {
      multicast: (packet: Uint8Array): void => {
        this.note(packet);
        this.loop.push(packet);
      },
      unicast: (to: number, packet: Uint8Array): void => {
        this.note(packet);
        if (to === me) this.loop.push(packet);
      },
    };
    const listener = {
      deliver: (from: number, payload: Uint8Array): void => void this.told.push(`${from}:${new TextDecoder().decode(payload)}`),
      configuration: (c: Configuration): void => void this.told.push(`${c.kind} [${c.members.join(" ")}]`),
      storeRingSeq: (): void => undefined,
    };
    this.totem = new Totem(port, params(me, n), transport, listener, 0);
  }

  private note(packet: Uint8Array): void {
    const message = decode(packet);
    if (message !== undefined) this.sent.push(message);
  }

  /** Lets time pass; timers run. */
  wait(ms: number): void {
    const end = this.now + ms * MS;
    while (this.timers.nextAt() <= end) {
      this.now = this.timers.nextAt();
      const name = this.timers.pop(this.now);
      if (name !== undefined) this.totem.timer(name);
      this.drain();
    }
    this.now = end;
  }

  private drain(): void {
    for (let packet = this.loop.shift(); packet !== undefined; packet = this.loop.shift()) this.totem.receive(packet);
  }

  start(): void {
    this.totem.start();
    this.drain();
  }

  private last<T extends TotemMessage>(type: T["type"]): T {
    const found = this.sent.filter((m): m is T => m.type === type).pop();
    if (found === undefined) throw new Error(`node ${this.me} sent no packet of type ${type}`);
    return found;
  }

  get token(): OrfToken {
    return this.last<OrfToken>(ORF_TOKEN);
  }

  get commit(): CommitToken {
    return this.last<CommitToken>(COMMIT_TOKEN);
  }

  get join(): Join {
    return this.last<Join>(JOIN);
  }

  joinFrom(from: number, ringSeq: number, proc: number[], failed: number[] = []): void {
    this.receive(encodeJoin({ type: JOIN, from, leave: false, ringSeq, proc, failed }));
  }

  mergeDetectFrom(from: number, ring: RingId): void {
    this.receive(encodeMergeDetect(from, ring));
  }

  /** `from` sends one application message of `ring`. */
  message(ring: RingId, from: number, seq: number, text: string): Uint8Array {
    return encodeMcast({ type: MCAST, encapsulated: false, from, seq, ring, payload: frameOf(text) });
  }

  /** A message of an old ring carried through the recovery of `ring`. */
  carried(ring: RingId, from: number, seq: number, inner: Uint8Array): Uint8Array {
    return encodeMcast({ type: MCAST, encapsulated: true, from, seq, ring, payload: inner });
  }

  receive(packet: Uint8Array): void {
    this.totem.receive(packet);
    this.drain();
  }

  /** The commit token of `ring` = {1, me} on its first visit; node 1 comes from `previous` and has received up to `aru` there. */
  commitToken(ring: RingId, previous: RingId, aru: number): void {
    const blank = { ring: { rep: 0, seq: 0 }, aru: 0, highDelivered: 0, receivedFlg: false };
    const one = { ring: previous, aru, highDelivered: aru, receivedFlg: true };
    this.receive(
      encodeCommit({
        type: COMMIT_TOKEN,
        tokenSeq: 1,
        ring,
        retransFlg: false,
        membIndex: 1,
        addrs: [1, this.me],
        entries: [one, blank],
      }),
    );
    // The ring id goes to disk first.
    this.wait(5);
  }

  /** The commit token comes round again, complete. */
  commitTokenAgain(): void {
    this.receive(encodeCommit({ ...this.commit, tokenSeq: this.commit.tokenSeq + 1 }));
  }

  /** A visit of the token: what is not named is as this node passed it on, or as a new token has it. */
  visit(ring: RingId, change: Partial<OrfToken> = {}): void {
    const before = this.sent.some((m) => m.type === ORF_TOKEN && m.ring.seq === ring.seq) ? this.token : undefined;
    const newToken: OrfToken = {
      type: ORF_TOKEN,
      seq: 0,
      tokenSeq: 0,
      aru: 0,
      aruAddr: 0,
      ring,
      backlog: 0,
      fcc: 0,
      retransFlg: false,
      rtr: [],
    };
    const token = { ...(before ?? newToken), tokenSeq: (before?.tokenSeq ?? 0) + 1, ...change };
    this.receive(encodeToken(token));
  }

  /** Node `me` and node 1 form `ring`, both from other rings. Recovery takes four visits. */
  form(ring: RingId): void {
    this.joinFrom(1, 5, [1, this.me]);
    this.joinFrom(1, 5, [1, this.me]);
    this.commitToken(ring, { rep: 1, seq: 5 }, 0);
    this.commitTokenAgain();
    for (let i = 0; i < 4; i++) this.visit(ring);
  }
}

export type { Mcast };
