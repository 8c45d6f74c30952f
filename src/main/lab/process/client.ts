/** A client of a running lab: finds its socket, does the handshake, and asks. The command line, the desktop window and the terminals all come this way. */
import { createConnection } from "node:net";
import type { Channel, LabEvent, Op, Reply, Request } from "../api.ts";
import { holderRuns, readLock } from "../store/lock.ts";
import { LocalChannel } from "./socket.ts";
import { Trouble, type TroubleCode } from "../trouble.ts";

const connectTimeoutMs = 5_000;
/** A lab that refuses to be taken down because it goes already says within this time whether it is frozen. */
const goneWithinMs = 5_000;

type RequestOf<O extends Op> = Extract<Request, { op: O }>;
type Handler = (event: LabEvent) => void;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Judges one message of the lab; see check.ts. Without one, messages are taken as they are: the peer is our own program behind a private socket. */
export type Judge = (message: unknown) => boolean;

export class LabClient {
  private next = 1;
  private waiting = new Map<number, Waiting>();
  private handlers: Handler[] = [];
  private gone: string | undefined;
  private labFrozen = false;
  readonly closed: Promise<string>;

  constructor(
    readonly channel: Channel,
    private readonly judge?: Judge,
  ) {
    channel.onMessage((message) => this.receive(message));
    this.closed = new Promise((resolve) =>
      channel.onClose(() => {
        this.gone ??= "the lab's supervisor is gone";
        for (const waiting of this.waiting.values()) waiting.reject(new Trouble("lab", this.gone));
        this.waiting.clear();
        resolve(this.gone);
      }),
    );
  }

  /** Asks and waits for the answer. Throws Trouble with what the lab said. */
  call<O extends Op>(request: RequestOf<O> & { op: O }): Promise<Reply<O>> {
    if (this.gone !== undefined) return Promise.reject(new Trouble("lab", this.gone));
    const id = this.next++;
    return new Promise<Reply<O>>((resolve, reject) => {
      // The reply's type follows from the request's: the lab answers each op with its own shape.
      this.waiting.set(id, { resolve: (value) => resolve(value as Reply<O>), reject });
      this.channel.send({ id, request });
    });
  }

  /** The lab has said that it goes, and that it can be resumed. */
  get frozen(): boolean {
    return this.labFrozen;
  }

  onEvent(handler: Handler): void {
    this.handlers.push(handler);
  }

  close(): void {
    this.gone ??= "the connection was closed";
    this.channel.close();
  }

  private receive(message: unknown): void {
    if (typeof message !== "object" || message === null || (this.judge && !this.judge(message))) return;
    if ("event" in message) {
      // Judged above, or sent by our own program.
      const event = message as LabEvent;
      if (event.event === "gone") {
        this.gone = event.reason;
        this.labFrozen = event.frozen === true;
      }
      for (const handler of this.handlers) handler(event);
      return;
    }
    const reply = message as { id: number; ok: boolean; result?: unknown; error?: { code: TroubleCode; message: string } };
    const waiting = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    if (reply.ok) waiting?.resolve(reply.result);
    else waiting?.reject(new Trouble(reply.error?.code ?? "lab", reply.error?.message ?? "the lab refused without a reason"));
  }
}

/** Why nobody answers for this directory, in one line. */
function absent(dir: string): Trouble {
  const lock = readLock(dir);
  if (!lock) return new Trouble("lab", `no lab is running in ${dir}; "quorate up" starts one`);
  if (!holderRuns(lock))
    return new Trouble("lab", `the supervisor of ${dir} (process ${lock.pid}) was killed; "quorate up" powers the lab on from disk`);
  return new Trouble("lab", `the supervisor of ${dir} (process ${lock.pid}) does not answer`);
}

function open(path: string): Promise<LocalChannel | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    const timer = setTimeout(() => socket.destroy(), connectTimeoutMs);
    socket.once("connect", () => {
      clearTimeout(timer);
      resolve(new LocalChannel(socket));
    });
    socket.once("close", () => {
      clearTimeout(timer);
      resolve(undefined);
    });
    socket.on("error", () => socket.destroy());
  });
}

/** Connects to a socket whose secret is known (session processes get both in their environment). */
export async function connectSocket(path: string, secret: string, judge?: Judge): Promise<LabClient | undefined> {
  const channel = await open(path);
  if (!channel) return undefined;
  const client = new LabClient(channel, judge);
  await client.call({ op: "hello", secret });
  return client;
}

/** Connects to the running lab of a directory. Throws Trouble, one line, when there is none. */
export async function connectLab(dir: string, judge?: Judge): Promise<LabClient> {
  const lock = readLock(dir);
  const client = lock && (await connectSocket(lock.socket, lock.secret, judge));
  if (!client) throw absent(dir);
  return client;
}

/**
 * Takes the lab down, and waits until its supervisor has hung up: who hangs up first may miss the answer. A lab that somebody else takes down at the same moment is as frozen.
 * Throws Trouble when it is not.
 */
export async function freezeLab(client: LabClient): Promise<void> {
  try {
    await client.call({ op: "down" });
  } catch (error) {
    await Promise.race([client.closed, new Promise((resolve) => setTimeout(resolve, goneWithinMs))]);
    if (!client.frozen) throw error;
  }
  await client.closed;
}
