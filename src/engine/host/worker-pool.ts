/**
 * The worker processes of one run: starts them, knows which of those that call are its own, passes on what they say, notices who falls silent, and leaves nobody
 * behind. Stands where the server room stands. Left out: what workers are told, and what a lost one means (hub.ts).
 */
import { fork, type ChildProcess } from "node:child_process";
import { randomBytes, timingSafeEqual } from "node:crypto";
import { curveKeyPair, Router, version } from "zeromq";
import { makeEndpoint, removeEndpoint, type Transport } from "./endpoint.ts";
import { Outbox } from "./outbox.ts";
import type { Orders } from "./serve.ts";
import { MESSAGE_BYTES_MAX, unpackAnswer, type Answer } from "./wire.ts";
import { WorkerProcess } from "./worker-process.ts";

/** Of the library that carries the messages. */
export const zeromqVersion = version;

/** What Node runs for a worker: the program and what comes before it. */
export interface WorkerProgram {
  readonly file: string;
  readonly execArgv: readonly string[];
  /** The Node that runs it; absent: the one that runs this process. */
  readonly node?: string;
}

export interface PoolOptions {
  readonly program: WorkerProgram;
  readonly transport?: Transport;
  /** Where the run's private directory is made. */
  readonly dir?: string;
  /** Who owes an answer and has said nothing for so long is lost, wall ms. */
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

interface Starting {
  readonly worker: WorkerProcess;
  readonly hello: () => void;
}

export class WorkerPool {
  private readonly run = randomBytes(8).toString("hex");
  private readonly secret = randomBytes(24).toString("base64url");
  private readonly outbox: Outbox;
  /** By the name the socket gives each peer. */
  private readonly known = new Map<string, WorkerProcess>();
  private readonly routes = new Map<number, Buffer>();
  private readonly starting = new Map<number, Starting>();
  private readonly children = new Map<number, ChildProcess>();
  private readonly looking: NodeJS.Timeout;
  /** They run, and no machine is theirs. */
  private idle: WorkerProcess[] = [];
  /** They were started before anybody needed them, and have not said hello. */
  private warming: Promise<WorkerProcess | undefined>[] = [];
  private nextNumber = 1;
  private closing = false;
  /** Messages that were thrown away: of strangers, of no known shape, or asked for by nobody. */
  dropped = 0;

  private constructor(
    private readonly options: PoolOptions,
    private readonly router: Router,
    readonly address: string,
    /** With which a worker proves that it talks to this hub; where the directory of the socket does not keep others away. */
    private readonly hubKey: string | undefined,
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
  static async open(options: PoolOptions): Promise<WorkerPool> {
    const endpoint = makeEndpoint(options.transport, options.dir);
    const router = new Router({ linger: 0, mandatory: true, maxMessageSize: MESSAGE_BYTES_MAX });
    // Any user of the computer can reach a port of it. Who does not know the key gets no further than the first lines, whatever he sends.
    const keys = endpoint.transport === "tcp" ? curveKeyPair() : undefined;
    if (keys !== undefined) {
      router.curveServer = true;
      router.curveSecretKey = keys.secretKey;
    }
    try {
      await router.bind(endpoint.address);
    } catch (error) {
      router.close();
      removeEndpoint(endpoint.address);
      throw error;
    }
    const pool = new WorkerPool(options, router, router.lastEndpoint ?? endpoint.address, keys?.publicKey);
    void pool.listen();
    return pool;
  }

  /** Process ids of those that run. */
  get pids(): number[] {
    return [...this.children.values()].flatMap((child) => child.pid ?? []);
  }

  /** A worker that follows no machine any more and owes nothing; it will begin as another one. */
  release(worker: WorkerProcess): void {
    worker.employ(undefined);
    this.idle.push(worker);
  }

  /** Starts so many workers for whoever will need them: they come up beside whatever this process does meanwhile. */
  warm(count: number): void {
    for (let i = 0; i < count; i++)
      // Whoever needs it starts another one, and is told why that does not come up.
      this.warming.push(this.start().catch(() => undefined));
  }

  /** Ends those that nobody needed after all. */
  async endIdle(): Promise<void> {
    const warming = await Promise.all(this.warming.splice(0));
    for (const worker of [...this.idle.splice(0), ...warming]) worker?.kill("was not needed");
  }

  /** A worker that is free, or else a new one. Throws where it does not come up. */
  async hire(): Promise<WorkerProcess> {
    if (this.closing) throw new Error("the workers of this run have ended");
    for (let free = this.idle.pop(); free !== undefined; free = this.idle.pop()) if (free.gone === undefined) return free;
    for (let warm = this.warming.shift(); warm !== undefined; warm = this.warming.shift()) {
      const worker = await warm;
      if (worker !== undefined && worker.gone === undefined) return worker;
    }
    return this.start();
  }

  private async start(): Promise<WorkerProcess> {
    const number = this.nextNumber++;
    const child = this.spawn(number);
    const worker = new WorkerProcess(number, child, (bytes) => this.post(number, bytes));
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
        worker.onEnd((why) => settle(new Error(`a worker did not start: it ${why}`)));
        const { address, hubKey, run, secret } = this;
        const orders: Orders = { address, ...(hubKey === undefined ? {} : { hubKey }), run, secret, worker: number };
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

  /** Ends all of them and waits until they are gone. */
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
