/**
 * A machine in the hub, beside the worker that follows it: the machine itself, and a note of everything that happens to it, so that the worker can be told and what the
 * worker did can be compared. While no worker follows it (power cut, worker lost) it is the machine alone. Stands where the network cable into a server stands. Left
 * out: talking to the worker, and comparing (verifier.ts).
 */
import type {
  ArmedTimer,
  Attached,
  Datagram,
  DiskContents,
  Effect,
  Hasher,
  Instant,
  JournalLine,
  Machine,
  MachineAct,
  MachineQuery,
  MachineSnapshot,
  MachineStatus,
  Out,
  QueryReply,
} from "../kernel/index.ts";
import { stateOf } from "../world/index.ts";
import { commitOf, type StampedCommit } from "./disk-sink.ts";
import { EventLog, type DigestPair, type Entries, type EntryKind } from "./event-log.ts";
import type { StretchInput } from "./wire.ts";

/** What the hub is told in the middle of a step. */
export interface ReplicaOwner {
  /** The whole second at which states are being taken. */
  readonly stateAt: Instant;
  /** Its power goes at this moment, and with it the worker. */
  cut(replica: Replica): void;
  /** It is switched on and no worker follows it. */
  switchedOn(replica: Replica): void;
}

/** What happened to a machine since it was last asked. */
export interface Happened {
  /** Events, states not counted. */
  readonly events: number;
  readonly inputs: readonly StretchInput[];
  readonly states: readonly Instant[];
  readonly entries: Entries;
  readonly digest: DigestPair;
  readonly commits: readonly StampedCommit[];
  /** About what telling it takes. */
  readonly bytes: number;
}

/** Bytes of an input beside its payload, and of a row of a disk. */
const INPUT_BYTES = 64;

/** Bytes an act carries. */
function bytesIn(act: MachineAct): number {
  if (act.kind === "file-write") return act.data.length;
  if (act.kind === "file") return act.call.call === "write" ? act.call.data.length : 0;
  if (act.kind !== "disk") return 0;
  const rows = act.image.inodes.length + act.image.entries.length;
  return rows * INPUT_BYTES + act.chunks.reduce((sum, { data }) => sum + data.length, 0);
}

export class Replica implements Machine {
  private log: EventLog | undefined;
  private inputs: StretchInput[] = [];
  private states: Instant[] = [];
  private commits: StampedCommit[] = [];
  private events = 0;
  private bytes = 0;
  private now: Instant = 0;
  private out: Out = () => undefined;
  private readonly tap: Out;

  constructor(
    private readonly machine: Machine,
    private readonly owner: ReplicaOwner,
  ) {
    this.tap = (effect: Effect) => {
      this.log?.effect(effect);
      const commit = commitOf(this.now, effect);
      if (commit !== undefined) this.commits.push(commit);
      this.out(effect);
    };
  }

  get name(): string {
    return this.machine.name;
  }

  // ── the worker ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A worker follows it. */
  get followed(): boolean {
    return this.log !== undefined;
  }

  /** From here on a worker follows, which stands where the machine stands. */
  follow(): void {
    this.take();
    this.log = new EventLog();
  }

  /** No worker follows it any more. */
  leave(): void {
    this.log = undefined;
  }

  /** Something has happened that nobody was told of. */
  get untold(): boolean {
    return this.commits.length > 0 || (this.log?.length ?? 0) > 0;
  }

  take(): Happened {
    const { events, inputs, states, commits, bytes } = this;
    this.inputs = [];
    this.states = [];
    this.commits = [];
    this.events = 0;
    this.bytes = 0;
    const log = this.log ?? new EventLog();
    return { events, inputs, states, commits, bytes, digest: log.digest(), entries: log.cut() };
  }

  // ── events ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  nextTimerAt(): Instant {
    return this.machine.nextTimerAt();
  }

  armed(): readonly ArmedTimer[] {
    return this.machine.armed?.() ?? [];
  }

  private begin(kind: EntryKind, now: Instant, out: Out): void {
    this.events++;
    this.log?.begin(kind, now);
    this.now = now;
    this.out = out;
  }

  runTimer(now: Instant, out: Out): void {
    this.begin("timer", now, out);
    this.machine.runTimer(now, this.tap);
    this.log?.end(this.machine.nextTimerAt());
  }

  receive(now: Instant, datagram: Datagram, out: Out): void {
    if (this.log !== undefined) {
      this.inputs.push({ at: now, datagram });
      this.bytes += INPUT_BYTES + datagram.bytes.length;
    }
    this.begin("datagram", now, out);
    this.machine.receive(now, datagram, this.tap);
    this.log?.end(this.machine.nextTimerAt());
  }

  act(now: Instant, act: MachineAct, out: Out): void {
    if (act.kind === "power-cut" || act.kind === "worker-lost") this.owner.cut(this);
    if (act.kind === "power-on" && this.log === undefined) this.owner.switchedOn(this);
    if (this.log !== undefined) {
      this.inputs.push({ at: now, act });
      this.bytes += INPUT_BYTES + bytesIn(act);
    }
    this.begin("act", now, out);
    this.machine.act(now, act, this.tap);
    this.log?.end(this.machine.nextTimerAt());
  }

  // ── state ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  digest(h: Hasher): void {
    this.machine.digest(h);
  }

  digested(): DigestPair {
    const state = stateOf(this.machine);
    if (this.log !== undefined) {
      const at = this.owner.stateAt;
      this.states.push(at);
      this.log.state(at, state, this.machine.nextTimerAt());
    }
    return state;
  }

  snapshot(): MachineSnapshot {
    return this.machine.snapshot();
  }

  /** The worker, if there was one, follows it no more: it begins again. */
  restore(state: MachineSnapshot): void {
    this.leave();
    this.take();
    this.machine.restore(state);
  }

  // ── questions ──────────────────────────────────────────────────────────────────────────────────────────────────────

  query(now: Instant, query: MachineQuery): QueryReply {
    return this.machine.query(now, query);
  }

  status(now: Instant): MachineStatus {
    return this.machine.status(now);
  }

  journalSince(from: number): JournalLine[] {
    return this.machine.journalSince(from);
  }

  journalLength(): number {
    return this.machine.journalLength();
  }

  diskImage(): DiskContents {
    return this.machine.diskImage();
  }

  diskSeq(): number {
    return this.machine.diskSeq();
  }

  attached(): Attached | undefined {
    return this.machine.attached?.();
  }
}
