/**
 * A worker process from its start to its end: takes its orders from the process that started it, says hello to the hub, follows, and ends when the hub does.
 * In the real stack this is a computer with its power supply. Left out: what the machine does (follower.ts).
 */
import { curveKeyPair, Dealer } from "zeromq";
import { isCount, isText, shape } from "../kernel/check.ts";
import type { Load } from "../fuzz/index.ts";
import type { MachineFactory } from "../world/index.ts";
import type { DiskSink } from "./disk-sink.ts";
import { removeEndpoint } from "./endpoint.ts";
import { Follower } from "./follower.ts";
import { Outbox } from "./outbox.ts";
import { MESSAGE_BYTES_MAX, pack, troubleWithAsk, unpackAsk, type Answer, type Ask } from "./wire.ts";

/** What a worker is told on the channel to the process that started it: nothing of it shows on a command line or in the environment. */
export interface Orders {
  readonly address: string;
  /** The hub's public key, where the way to it is not private. */
  readonly hubKey?: string;
  readonly run: string;
  readonly secret: string;
  readonly worker: number;
}

const areOrders = shape({ address: isText, run: isText, secret: isText, worker: isCount }, { hubKey: isText });

/** Who has no orders by then was started by hand. */
const ORDERS_WITHIN_MS = 10_000;
/** A process whose parent died without its channel closing is found out this often. */
const ORPHAN_LOOK_MS = 10_000;

/**
 * Runs one machine for the hub that started this process.
 * @param disks where durable changes go before a stretch is confirmed; absent: nowhere
 */
export function serve(make: (load: Load | undefined) => MachineFactory, disks?: DiskSink): void {
  if (process.send === undefined) {
    console.error("quorate: this program is started by a lab, not by hand");
    process.exit(2);
  }
  // The parent was gone before this line was reached: nobody tells a second time.
  if (!process.connected) process.exit(0);
  // Ctrl-C and a closing terminal are for the supervisor, which takes its lab down in order.
  process.on("SIGINT", () => undefined);
  process.on("SIGHUP", () => undefined);
  const nobody = setTimeout(() => process.exit(2), ORDERS_WITHIN_MS);
  process.once("message", (orders: unknown) => {
    clearTimeout(nobody);
    if (!areOrders(orders)) process.exit(2);
    endWithHub((orders as Orders).address);
    void work(orders as Orders, new Follower(make, disks));
  });
  process.on("disconnect", () => process.exit(0));
}

/** The hub's process is gone: with it everything of its run goes, the socket it can no longer remove too. */
function endWithHub(address: string): void {
  const end = (): never => {
    removeEndpoint(address);
    process.exit(0);
  };
  process.removeAllListeners("disconnect");
  process.on("disconnect", end);
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) end();
  }, ORPHAN_LOOK_MS).unref();
}

async function work(orders: Orders, follower: Follower): Promise<void> {
  const dealer = new Dealer({ linger: 0, maxMessageSize: MESSAGE_BYTES_MAX });
  const outbox = new Outbox(dealer, (error) => {
    throw error;
  });
  const say = (answer: Answer): void => {
    if (!outbox.put([pack(answer)])) throw new Error("the hub does not read");
  };
  if (orders.hubKey !== undefined) {
    const own = curveKeyPair();
    dealer.curveServerKey = orders.hubKey;
    dealer.curvePublicKey = own.publicKey;
    dealer.curveSecretKey = own.secretKey;
  }
  dealer.connect(orders.address);
  say({ say: "hello", run: orders.run, secret: orders.secret, worker: orders.worker });
  for await (const frames of dealer) {
    const [frame] = frames;
    const ask = frames.length === 1 && frame !== undefined ? unpackAsk(frame) : undefined;
    if (ask?.ask === "bye") process.exit(0);
    // Whoever asks counts the seconds for an answer: what is no question gets one too.
    const refused = (): Answer => ({ say: "refused", message: frame === undefined ? "no message" : troubleWithAsk(frame) });
    say(ask === undefined ? refused() : answer(follower, ask));
  }
}

function answer(follower: Follower, ask: Exclude<Ask, { ask: "bye" }>): Answer {
  try {
    const answered = follower.answer(ask);
    if (ask.ask === "begin") process.title = `quorate node ${follower.name ?? ""}`;
    return answered;
  } catch (error) {
    return { say: "failed", message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
