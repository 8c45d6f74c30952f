/**
 * The worker processes of one run: starts them, knows which of those that call are its own, passes questions and answers, notices who dies or falls silent,
 * and leaves nobody behind. Stands where the rack and its power switches stand. Left out: what is asked, and what a lost worker means (hub.ts).
 */
import { fork, type ChildProcess } from "node:child_process";
import { randomBytes, timingSafeEqual } from "node:crypto";
import { Router, version } from "zeromq";
import { makeEndpoint, removeEndpoint, type Transport } from "./endpoint.ts";
import { Outbox } from "./outbox.ts";
import type { Orders } from "./serve.ts";
import { MESSAGE_BYTES_MAX, pack, unpackAnswer, type Answer, type Ask } from "./wire.ts";

/** Of the library that carries the messages. */
export const zeromqVersion = version;

/** What Node runs for a worker: the program and what comes before it. */
export interface WorkerProgram {
  readonly file: string;
  readonly execArgv: readonly string[];
  /** The Node that runs it; absent: the one that runs this process. */
  readonly node?: string;
}

export interface CrewOptions {
  readonly program: WorkerProgram;
  readonly transport?: Transport;
  /** Where the run's private directory is made. */
  readonly dir?: string;
  /** Who has not answered for so long is lost, wall ms. */
  readonly silentMs?: number;
  /** Who has not said hello by then has not started, wall ms. */
  readonly startMs?: number;
  /** Where the workers' own errors go: a file descriptor; absent: to this process's. */
  readonly log?: number;
}

const SILENT_MS = 5_000;
const START_MS = 60_000;
/** Silence is counted in looks, not read from a clock: a computer that slept counts as one look. */
const LOOK_MS = 250;
/** Workers that were asked to go and do not. */
const BYE_MS = 1_000;

/** The question without its number. */
export type Question = Ask extends infer A ? (A extends { id: number } ? Omit<A, "id"> : never) : never;
export type Said = Exclude<Answer, { say: "hello" }>;

interface Pending {
  readonly id: number;
  readonly done: (answer: Said | undefined) => void;
  looks: number;
}

/** One worker process. */
export class Worker {
  private pending: Pending[] = [];
  private nextId = 1;
  private lostWhy: string | undefined;
  private readonly listeners: ((why: string) => void)[] = [];

  constructor(
    readonly number: number,
    private readonly child: ChildProcess,
    private readonly post: (bytes: Uint8Array) => boolean,
  ) {
    child.once("exit", (status, signal) =>
      this.lose(signal === null ? `ended with status ${status ?? "unknown"}` : `was ended by ${signal}`),
    );
    child.once("error", (error) => this.lose(error.message));
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Why it is no longer there; undefined while it is. */
  get gone(): string | undefined {
    return this.lostWhy;
  }

  /** Called once, when it dies or is given up. */
  onGone(listener: (why: string) => void): void {
    this.listeners.push(listener);
  }

  /** Asks. Undefined: the worker is gone. Throws where the machine broke an assertion. */
  async ask(question: Question): Promise<Said | undefined> {
    if (this.lostWhy !== undefined) return undefined;
    const id = this.nextId++;
    const answer = await new Promise<Said | undefined>((done) => {
      this.pending.push({ id, done, looks: 0 });
      if (!this.post(pack({ ...question, id } as Ask))) this.lose("does not read");
    });
    if (answer?.say === "failed") throw new Error(answer.message);
    return answer;
  }

  /** An answer has come. False where nobody waits for it. */
  take(answer: Said): boolean {
    const at = this.pending.findIndex((p) => p.id === answer.id);
    const [pending] = at < 0 ? [] : this.pending.splice(at, 1);
    pending?.done(answer);
    return pending !== undefined;
  }

  /** Another look at who still owes an answer. */
  look(most: number): void {
    const first = this.pending[0];
    if (first !== undefined && ++first.looks > most) this.lose("does not answer");
  }

  /** The process ends now, whatever it does. */
  kill(): void {
    this.child.kill("SIGKILL");
    this.lose("was killed");
  }

  bye(): void {
    this.post(pack({ ask: "bye" }));
  }

  private lose(why: string): void {
    if (this.lostWhy !== undefined) return;
    this.lostWhy = why;
    this.child.kill("SIGKILL");
    const pending = this.pending;
    this.pending = [];
    for (const p of pending) p.done(undefined);
    for (const listener of this.listeners) listener(why);
  }
}

interface Starting {
  readonly worker: Worker;
  readonly hello: () => void;
}

export class Crew {
  private readonly run = randomBytes(8).toString("hex");
  private readonly secret = randomBytes(24).toString("base64url");
  private readonly outbox: Outbox;
  /** By the name the socket gives each peer. */
  private readonly known = new Map<string, Worker>();
  private readonly routes = new Map<number, Buffer>();
  private readonly starting = new Map<number, Starting>();
  private readonly children = new Map<number, ChildProcess>();
  private readonly looking: NodeJS.Timeout;
  /** They run, and no machine is theirs. */
  private idle: Worker[] = [];
  private nextNumber = 1;
  private closing = false;
  /** Messages that were thrown away: of strangers, of no known shape, or asked for by nobody. */
  dropped = 0;

  private constructor(
    private readonly options: CrewOptions,
    private readonly router: Router,
    readonly address: string,
  ) {
    // A peer that is gone is noticed by its process.
    this.outbox = new Outbox(router, () => undefined);
    const most = Math.ceil((options.silentMs ?? SILENT_MS) / LOOK_MS);
    this.looking = setInterval(() => {
      for (const worker of this.known.values()) worker.look(most);
    }, LOOK_MS);
    this.looking.unref();
  }

  /** Opens the endpoint. Throws where the system gives none. */
  static async open(options: CrewOptions): Promise<Crew> {
    const endpoint = makeEndpoint(options.transport, options.dir);
    const router = new Router({ linger: 0, mandatory: true, maxMessageSize: MESSAGE_BYTES_MAX });
    try {
      await router.bind(endpoint.address);
    } catch (error) {
      router.close();
      removeEndpoint(endpoint.address);
      throw error;
    }
    const crew = new Crew(options, router, router.lastEndpoint ?? endpoint.address);
    void crew.listen();
    return crew;
  }

  /** Process ids of those that run. */
  get pids(): number[] {
    return [...this.children.values()].flatMap((child) => child.pid ?? []);
  }

  /** A worker nobody employs any more; it will begin as another machine. */
  release(worker: Worker): void {
    this.idle.push(worker);
  }

  /** A worker that is free, or else a new one. Throws where it does not come up. */
  async hire(): Promise<Worker> {
    if (this.closing) throw new Error("the workers of this run have been sent home");
    for (let free = this.idle.pop(); free !== undefined; free = this.idle.pop()) if (free.gone === undefined) return free;
    const number = this.nextNumber++;
    const child = this.spawn(number);
    const worker = new Worker(number, child, (bytes) => this.post(number, bytes));
    const timeout = this.options.startMs ?? START_MS;
    try {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`a worker did not start within ${timeout} ms`)), timeout);
        const settle = (error?: Error): void => {
          clearTimeout(timer);
          if (error === undefined) resolve();
          else reject(error);
        };
        this.starting.set(number, { worker, hello: () => settle() });
        worker.onGone((why) => settle(new Error(`a worker did not start: it ${why}`)));
        const orders: Orders = { address: this.address, run: this.run, secret: this.secret, worker: number };
        child.send(orders);
      });
    } catch (error) {
      worker.kill();
      throw error;
    } finally {
      this.starting.delete(number);
    }
    return worker;
  }

  private spawn(number: number): ChildProcess {
    const { program, log } = this.options;
    const out = log ?? "inherit";
    const child = fork(program.file, [], {
      execArgv: [...program.execArgv],
      ...(program.node === undefined ? {} : { execPath: program.node }),
      env: { ...process.env, ELECTRON_RUN_AS_NODE: "1" },
      stdio: ["ignore", out, out, "ipc"],
    });
    this.children.set(number, child);
    const over = (): void => {
      this.children.delete(number);
      const route = this.routes.get(number);
      this.routes.delete(number);
      if (route !== undefined) this.known.delete(route.toString("latin1"));
    };
    child.once("exit", over);
    // One that could not be started at all has no end either.
    child.once("error", () => child.pid === undefined && over());
    return child;
  }

  private post(number: number, bytes: Uint8Array): boolean {
    const route = this.routes.get(number);
    // Gone already: whoever asks is told by the process's end.
    if (route === undefined || this.closing) return true;
    return this.outbox.put([route, bytes]);
  }

  private async listen(): Promise<void> {
    for await (const frames of this.router) {
      const [route, payload] = frames;
      if (frames.length !== 2 || route === undefined || payload === undefined || !this.take(route, payload)) this.dropped++;
    }
  }

  private take(route: Buffer, payload: Buffer): boolean {
    const worker = this.known.get(route.toString("latin1"));
    const answer = unpackAnswer(payload);
    if (answer === undefined) return false;
    if (answer.say === "hello") return worker === undefined && this.greet(route, answer);
    return worker?.take(answer) ?? false;
  }

  private greet(route: Buffer, hello: Extract<Answer, { say: "hello" }>): boolean {
    const starting = this.starting.get(hello.worker);
    if (starting === undefined || hello.run !== this.run || !sameSecret(hello.secret, this.secret)) return false;
    this.starting.delete(hello.worker);
    // The frame's memory belongs to the message.
    const own = Buffer.from(route);
    this.routes.set(hello.worker, own);
    this.known.set(own.toString("latin1"), starting.worker);
    starting.hello();
    return true;
  }

  /** Sends everybody home and waits until they are gone. */
  async close(): Promise<void> {
    if (this.closing) return;
    const ended = [...this.children.values()].map((child) => new Promise<void>((resolve) => child.once("exit", () => resolve())));
    for (const worker of this.known.values()) worker.bye();
    this.closing = true;
    clearInterval(this.looking);
    const late = setTimeout(() => {
      for (const child of this.children.values()) child.kill("SIGKILL");
    }, BYE_MS);
    // One that has not said hello yet cannot be told.
    for (const { worker } of this.starting.values()) worker.kill();
    await Promise.all(ended);
    clearTimeout(late);
    this.router.close();
    removeEndpoint(this.address);
  }
}

function sameSecret(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
