/**
 * A machine that another process runs, as the world sees it. The worker has run the events of a window before the world comes to them: here they are played
 * back in the world's order, and beside them a twin in this process runs the same, so that questions are answered at once and a difference between
 * the two is noticed at the event where it begins. While no process runs the machine (power cut, worker lost) the twin stands for it. Stands where
 * the network cable into a server's rack stands. Left out: talking to the worker (hub.ts).
 */
import type {
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
import { stateOf } from "../world/digest.ts";
import type { Worker } from "./crew.ts";
import { sameEffects } from "./same.ts";
import type { Arrival, Grant, Ran, StateWords } from "./wire.ts";

export class RemoteMachine implements Machine {
  private worker: Worker | undefined;
  private next: Instant;
  private loaded: readonly Ran[] = [];
  private played = 0;
  private state: StateWords | undefined;
  private differs: string | undefined;
  /** The twin goes ahead; the process waits to be told where it stands. */
  private resting = false;

  constructor(readonly twin: Machine) {
    this.next = twin.nextTimerAt();
  }

  get name(): string {
    return this.twin.name;
  }

  // ── the worker ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The process that runs it; undefined while there is none. */
  get run(): Worker | undefined {
    return this.worker;
  }

  /** From here on the twin alone does what the machine does; the process stays, and is employed again later. */
  rest(): void {
    this.forget();
    this.resting = true;
  }

  /** From here on `worker` runs it; it stands where the twin stands. */
  employ(worker: Worker, next: Instant): void {
    this.worker = worker;
    this.resting = false;
    this.forget();
    this.next = next;
    if (next !== this.twin.nextTimerAt()) this.differ(`begins with its next timer at ${next}, not ${this.twin.nextTimerAt()}`);
  }

  /** No process runs it any more. What was loaded and not played has not happened. */
  leave(): void {
    this.worker = undefined;
    this.resting = false;
    this.forget();
  }

  private forget(): void {
    this.loaded = [];
    this.played = 0;
    this.state = undefined;
  }

  /** The twin is all there is of it at this moment. */
  private get alone(): boolean {
    return this.worker === undefined || this.resting;
  }

  /** The worker's digest of the state as it is after what is loaded; undefined once more has been loaded. */
  knowState(state: StateWords | undefined): void {
    this.state = state;
  }

  /** The worker's digest is not known: it has to be asked for. */
  get stale(): boolean {
    return this.worker !== undefined && this.state === undefined;
  }

  /** What is different in the worker and in the twin, at the first event where anything was. */
  get difference(): string | undefined {
    return this.differs;
  }

  private differ(text: string): void {
    this.differs ??= `${this.name}: its process ${text}`;
  }

  // ── events ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Takes what the worker did with a grant. False where that is not what was granted: every packet in its turn, every timer when it was due, nothing else.
   */
  load(grant: Omit<Grant, "ask" | "id">, events: readonly Ran[]): boolean {
    if (!this.fits(grant, events)) return false;
    this.loaded = events;
    this.played = 0;
    if (events.length > 0) this.state = undefined;
    return true;
  }

  private fits(grant: Omit<Grant, "ask" | "id">, events: readonly Ran[]): boolean {
    let [next, last, taken] = [this.next, grant.from, 0];
    const expected = (): readonly [Ran["kind"], Instant] | undefined => {
      const arrival: Arrival | undefined = grant.arrivals[taken];
      const timer = Math.max(next, last);
      if (!(grant.single && arrival !== undefined) && timer < grant.until && timer <= (arrival?.[0] ?? grant.until))
        return ["timer", timer];
      return arrival === undefined ? undefined : ["datagram", arrival[0]];
    };
    for (const event of events) {
      const due = expected();
      if (due === undefined || event.kind !== due[0] || event.at !== due[1]) return false;
      if (event.kind === "datagram") taken++;
      [next, last] = [event.next, event.at];
    }
    return grant.single ? events.length === 1 : expected() === undefined;
  }

  /** Takes what the worker did with an act. */
  loadAct(at: Instant, events: readonly Ran[]): boolean {
    const [event] = events;
    if (events.length !== 1 || event?.kind !== "act" || event.at !== at) return false;
    this.loaded = events;
    this.played = 0;
    this.state = undefined;
    return true;
  }

  private play(kind: Ran["kind"], now: Instant, out: Out, step: (out: Out) => void): void {
    if (this.alone) {
      step(out);
      return;
    }
    const event = this.loaded[this.played++];
    if (event === undefined || event.kind !== kind || event.at !== now)
      throw new Error(`${this.name}: the world came to a ${kind} at ${now} that its process was not granted`);
    const own: Effect[] = [];
    step((effect) => own.push(effect));
    if (!sameEffects(event.effects, own)) this.differ(`does something else at the ${kind} of ${now}`);
    this.next = event.next;
    if (event.next !== this.twin.nextTimerAt()) this.differ(`sets another timer at the ${kind} of ${now}`);
    for (const effect of event.effects) out(effect);
  }

  nextTimerAt(): Instant {
    return this.alone ? this.twin.nextTimerAt() : this.next;
  }

  runTimer(now: Instant, out: Out): void {
    this.play("timer", now, out, (o) => this.twin.runTimer(now, o));
  }

  receive(now: Instant, datagram: Datagram, out: Out): void {
    this.play("datagram", now, out, (o) => this.twin.receive(now, datagram, o));
  }

  act(now: Instant, act: MachineAct, out: Out): void {
    this.play("act", now, out, (o) => this.twin.act(now, act, o));
  }

  // ── state ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  digest(h: Hasher): void {
    this.twin.digest(h);
  }

  digested(): StateWords | undefined {
    if (this.alone) return undefined;
    const state = this.state;
    if (state === undefined) throw new Error(`${this.name}: the digest of its process was not asked for`);
    const own = stateOf(this.twin);
    if (own[0] !== state[0] || own[1] !== state[1]) this.differ("is in another state at the end of a second");
    return state;
  }

  snapshot(): MachineSnapshot {
    return this.twin.snapshot();
  }

  /** Of the twin alone: the worker is told by the hub. */
  restore(state: MachineSnapshot): void {
    this.leave();
    this.twin.restore(state);
    this.next = this.twin.nextTimerAt();
  }

  // ── questions ──────────────────────────────────────────────────────────────────────────────────────────────────────

  query(now: Instant, query: MachineQuery): QueryReply {
    return this.twin.query(now, query);
  }

  status(now: Instant): MachineStatus {
    return this.twin.status(now);
  }

  journalSince(from: number): JournalLine[] {
    return this.twin.journalSince(from);
  }

  journalLength(): number {
    return this.twin.journalLength();
  }

  diskImage(): DiskContents {
    return this.twin.diskImage();
  }

  diskSeq(): number {
    return this.twin.diskSeq();
  }
}
