/**
 * One worker process as the hub holds it: what is sent to it, what it still owes, and its end, which is told when the process is really gone. Stands where a server
 * and its power switch stand. Left out: how it is started (worker-pool.ts), and what it is told (hub.ts).
 */
import type { ChildProcess } from "node:child_process";
import { pack, type Answer, type Ask, type Stretch } from "./wire.ts";

/** The question without its number. */
export type Question = Ask extends infer A ? (A extends { id: number } ? Omit<A, "id"> : never) : never;
export type Confirmation = Extract<Answer, { say: "confirm" }>;
type Reply = Extract<Answer, { id: number }>;

interface Pending {
  readonly id: number;
  readonly done: (answer: Reply | undefined) => void;
}

/** Whoever the worker works for. */
export interface Employer {
  confirmed(confirmation: Confirmation): void;
  /** The machine broke an assertion. */
  failed(message: string): void;
  /** The process has ended: nothing of it is left. */
  gone(why: string): void;
}

export class WorkerProcess {
  private pending: Pending[] = [];
  private nextId = 1;
  /** Messages that it has not answered yet. */
  private owed = 0;
  /** Looks since it last said something. */
  private looks = 0;
  private ending: string | undefined;
  private over: string | undefined;
  private employer: Employer | undefined;
  private readonly ends: ((why: string) => void)[] = [];

  constructor(
    readonly number: number,
    private readonly child: ChildProcess,
    private readonly post: (bytes: Uint8Array) => boolean,
  ) {
    child.once("exit", (status, signal) =>
      this.end(signal === null ? `ended with status ${status ?? "unknown"}` : `was ended by ${signal}`),
    );
    // One that could not be started at all has no end either.
    child.once("error", (error) => (child.pid === undefined ? this.end(error.message) : undefined));
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Why it is no longer there, or will not be in a moment; undefined while it is. */
  get gone(): string | undefined {
    return this.over ?? this.ending;
  }

  /** Who is told from now on; undefined: nobody. */
  employ(employer: Employer | undefined): void {
    this.employer = employer;
  }

  /** Called once, when the process has ended. */
  onEnd(listener: (why: string) => void): void {
    if (this.over !== undefined) listener(this.over);
    else this.ends.push(listener);
  }

  /** Asks. Undefined: the worker is gone. */
  ask(question: Question): Promise<Reply | undefined> {
    if (this.gone !== undefined) return Promise.resolve(undefined);
    const id = this.nextId++;
    return new Promise((done) => {
      this.pending.push({ id, done });
      this.send({ ...question, id } as Ask);
    });
  }

  /** Sends a stretch; it will be confirmed. */
  follow(stretch: Stretch): void {
    if (this.gone === undefined) this.send(stretch);
  }

  private send(message: Ask): void {
    this.owed++;
    if (!this.post(pack(message))) this.kill("does not read");
  }

  /** It has said something. False where nobody waits for that. */
  take(answer: Exclude<Answer, { say: "hello" }>): boolean {
    this.looks = 0;
    if (this.owed === 0) return false;
    this.owed--;
    if (answer.say === "failed") this.employer?.failed(answer.message);
    else if (answer.say === "refused") this.refused(answer.message);
    else if (answer.say === "confirm") this.employer?.confirmed(answer);
    else {
      const at = this.pending.findIndex((p) => p.id === answer.id);
      const [pending] = at < 0 ? [] : this.pending.splice(at, 1);
      pending?.done(answer);
      return pending !== undefined;
    }
    return this.employer !== undefined;
  }

  /** It has not done what it was told, so it is no longer where its machine is; whoever waits for another answer gets none. */
  private refused(message: string): void {
    for (const { done } of this.pending.splice(0)) done(undefined);
    this.employer?.failed(`refused what it was told: ${message}`);
  }

  /** Another look at who still owes an answer. */
  look(most: number): void {
    if (this.owed > 0 && ++this.looks > most) this.kill("does not answer");
  }

  /** The process ends now, whatever it does; that it has ended is told later. */
  kill(why = "was killed"): void {
    if (this.gone !== undefined) return;
    this.ending = why;
    this.child.kill("SIGKILL");
  }

  bye(): void {
    this.post(pack({ ask: "bye" }));
  }

  private end(why: string): void {
    if (this.over !== undefined) return;
    this.over = this.ending ?? why;
    const pending = this.pending;
    this.pending = [];
    for (const p of pending) p.done(undefined);
    this.employer?.gone(this.over);
    for (const listener of this.ends) listener(this.over);
  }
}
