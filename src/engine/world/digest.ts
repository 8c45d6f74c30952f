/**
 * The trace digest: a rolling hash over every delivered event, effect and journal line in world order, and every virtual second over each machine's
 * whole state. Two hosts, or a run and its replay, are the same if it is. Left out: things to draw (`trace` effects), which follow from the rest.
 */
import { Hasher, SEC, type Effect, type Instant, type Machine } from "../kernel/index.ts";

/** The rolling digest as it stood before any event of instant `at`. */
export interface Checkpoint {
  readonly at: Instant;
  readonly digest: string;
}

/** Checkpoints kept; beyond it every other one goes. Ours. */
const CHECKPOINTS_MAX = 4096;

export interface TraceState {
  readonly hash: readonly [number, number];
  readonly nextAt: Instant;
  readonly checkpoints: readonly Checkpoint[];
  readonly spacing: number;
}

const PROTO_CODES = { udp: 11, "icmp-port-unreachable": 12, tcp: 14, "icmp-echo": 17, "icmp-echo-reply": 18 } as const;

export const CLASS_ACT = 0;
export const CLASS_TIMER = 1;
export const CLASS_DATAGRAM = 2;

export class TraceDigest {
  private hash = new Hasher();
  /** Next second at which machine states are mixed in. */
  nextAt: Instant = 0;
  private checkpoints: Checkpoint[] = [];
  private spacing: number = SEC;
  /** Last state digest of each machine; undefined once it has had an event. */
  private states: (readonly [number, number] | undefined)[] = [];

  /** `target` -1: the fabric. */
  event(at: Instant, kind: number, target: number): void {
    this.hash.int(at).int(kind * 256 + target);
    if (target >= 0) this.states[target] = undefined;
  }

  /** A machine that is not the target of the event has changed with it. */
  touch(number: number): void {
    this.states[number] = undefined;
  }

  /** Other machines than before have these numbers. */
  restart(machines: number): void {
    this.states = new Array<undefined>(machines).fill(undefined);
  }

  flight(source: number, link: number, sequence: number): void {
    this.hash.int(source * 256 + link).int(sequence);
  }

  /** Any plain value, keys in the order they stand. */
  value(v: unknown): void {
    mixValue(this.hash, v);
  }

  effect(effect: Effect): void {
    mixEffect(this.hash, effect);
  }

  /** Mixes in the state of all machines and of the fabric at `nextAt` and notes a checkpoint. */
  second(machines: readonly (Machine | undefined)[], fabric: { digest(h: Hasher): void }): void {
    const at = this.nextAt;
    this.nextAt = at + SEC;
    this.hash.int(at);
    for (let i = 0; i < machines.length; i++) {
      const state = this.states[i] ?? stateOf(machines[i]);
      this.states[i] = state;
      this.hash.int(state[0]).int(state[1]);
    }
    fabric.digest(this.hash);
    if (at % this.spacing === 0) this.note(at);
  }

  private note(at: Instant): void {
    this.checkpoints.push({ at, digest: this.hash.hex() });
    if (this.checkpoints.length <= CHECKPOINTS_MAX) return;
    this.spacing *= 2;
    this.checkpoints = this.checkpoints.filter((c) => c.at % this.spacing === 0);
  }

  /** Checkpoints so far, oldest first: one a second, thinned on long runs. */
  noted(): readonly Checkpoint[] {
    return this.checkpoints;
  }

  hex(): string {
    return this.hash.hex();
  }

  snapshot(): TraceState {
    return { hash: this.hash.snapshot(), nextAt: this.nextAt, checkpoints: [...this.checkpoints], spacing: this.spacing };
  }

  restore(state: TraceState): void {
    this.hash = Hasher.restore(state.hash);
    this.nextAt = state.nextAt;
    this.checkpoints = [...state.checkpoints];
    this.spacing = state.spacing;
    this.states = [];
  }
}

/** For a world that nobody compares with another one: the seconds go by, and nothing is mixed. */
export class NoTrace extends TraceDigest {
  override event(): void {}

  override touch(): void {}

  override restart(): void {}

  override flight(): void {}

  override value(): void {}

  override effect(): void {}

  override second(): void {
    this.nextAt += SEC;
  }

  override hex(): string {
    throw new Error("this world keeps no trace digest");
  }
}

/** Mixes in what a machine did. Things to draw are left out: they follow from the rest. */
export function mixEffect(h: Hasher, effect: Effect): void {
  switch (effect.kind) {
    case "send": {
      const d = effect.datagram;
      h.int(PROTO_CODES[d.proto]).int(d.srcPort * 65_536 + d.dstPort);
      h.text(d.net).text(d.dst).bytes(d.bytes);
      return;
    }
    case "journal": {
      const l = effect.line;
      h.int(13).int(l.instant).int(l.pid).int(l.boot).text(l.unit).text(l.identifier).text(l.level).text(l.subsystem).text(l.text);
      return;
    }
    case "commit": {
      // The hash of a piece stands for its bytes.
      const { seq, rows, chunks } = effect.commit;
      h.int(15).int(seq);
      mixValue(h, rows);
      for (const { hash } of chunks) h.text(hash);
      return;
    }
    case "trace":
      return;
    default:
      mixValue(h, effect);
  }
}

/** The digest of one machine's state. */
export function stateOf(machine: Machine | undefined): readonly [number, number] {
  const elsewhere = machine?.digested?.();
  if (elsewhere !== undefined) return elsewhere;
  const h = new Hasher();
  machine?.digest(h);
  return h.snapshot();
}

function mixValue(h: Hasher, v: unknown): void {
  if (v === undefined || v === null) h.int(1);
  else if (typeof v === "number") {
    if (Number.isInteger(v)) h.int(2).int(v);
    else h.int(3).text(String(v));
  } else if (typeof v === "string") h.int(4).text(v);
  else if (typeof v === "boolean") h.int(5).bool(v);
  else if (v instanceof Uint8Array) h.int(6).bytes(v);
  else if (Array.isArray(v)) {
    h.int(7).int(v.length);
    for (const item of v) mixValue(h, item);
  } else if (typeof v === "object") {
    h.int(8);
    for (const [key, item] of Object.entries(v)) {
      // An absent key and an undefined value are the same thing once written to a file and read again.
      if (item === undefined) continue;
      h.text(key);
      mixValue(h, item);
    }
    h.int(9);
  }
}
