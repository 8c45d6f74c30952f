/**
 * The page's way to the lab: a MessagePort from the desktop's bridge, or a WebSocket to where the page came from. Whoever uses it does not know
 * which. It says hello, matches replies to requests, judges what arrives by the API's schema, and reconnects.
 */
import { event, replyMessage, type LabEvent, type Op, type Reply, type Request } from "../../main/lab/api.ts";
import { Challenge, MAC_HERE } from "./challenge.ts";
import { credentialOf, recalled, remember, remembersKey, type Credential } from "./credential.ts";
import { Heartbeat } from "./heartbeat.ts";
import { doors } from "./words/doors.ts";

export type Face = "desktop" | "web";

export type LinkState =
  | { kind: "connecting" }
  | { kind: "open" }
  /** The connection stands, and nobody answers on it. What is asked is refused until somebody does. */
  | { kind: "silent" }
  /** The connection broke; the page tries again. */
  | { kind: "lost"; reason: string }
  /** The lab does not know us: trying again is of no use. */
  | { kind: "refused"; reason: string };

type RequestOf<O extends Op> = Extract<Request, { op: O }>;

/** The lab said no. `message` is its one line for a person. */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export interface Connection {
  readonly face: Face;
  call<O extends Op>(request: RequestOf<O> & { op: O }): Promise<Reply<O>>;
  onEvent(handler: (event: LabEvent) => void): void;
  onState(handler: (state: LinkState) => void): void;
  /** Connects, or connects anew at once. */
  connect(): void;
  /** To the page of another lab, by its address. The desktop has a window for each lab. */
  goTo(url: string, dir: string): void;
  /** Ops that were sent and are not answered yet, in order. */
  unanswered(): Op[];
}

/** What carries messages: one attempt, one wire. */
interface Wire {
  send(message: unknown): void;
  close(): void;
}
interface WireEnds {
  opened(wire: Wire): void;
  received(message: unknown): void;
  closed(reason: string): void;
}

/** What the desktop's preload puts on the window. */
interface HostBridge {
  face: "desktop";
  platform: string;
  connect(): void;
  openLab(dir: string): void;
}

const bridge = (window as Window & { host?: HostBridge }).host;

const firstRetryMs = 500;
const slowestRetryMs = 5_000;
/** Who has not shown that it is the lab by then is let go. */
const greetingMs = 8_000;
/** What may wait until a silent lab answers: late it means the same. */
const harmless: ReadonlySet<Op> = new Set(["terminal-resize", "terminal-drawn"]);
/** Requests without an answer; more means that nobody is there. */
const waitingMax = 1_000;

function desktopWire(host: HostBridge, ends: WireEnds): void {
  const take = (message: MessageEvent): void => {
    const port = message.ports[0];
    if (message.source !== window || message.data !== "channel" || port === undefined) return;
    window.removeEventListener("message", take);
    port.onmessage = ({ data }) => ends.received(data);
    port.addEventListener("close", () => ends.closed("the lab's supervisor is gone"));
    ends.opened({ send: (what) => port.postMessage(what), close: () => port.close() });
  };
  window.addEventListener("message", take);
  host.connect();
}

/** @returns what ends the attempt */
function webWire(ends: WireEnds): () => void {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/socket`);
  socket.onopen = () => ends.opened({ send: (what) => socket.send(JSON.stringify(what)), close: () => socket.close() });
  socket.onmessage = ({ data }) => {
    const message = typeof data === "string" ? parsed(data) : undefined;
    if (message === undefined) socket.close();
    else ends.received(message);
  };
  socket.onclose = ({ reason }) => ends.closed(reason === "" ? "the lab does not answer" : reason);
  return () => socket.close();
}

/** undefined: no JSON, so not our lab. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What the address carries: none any more once the page is in. */
const tokenOfAddress = (): string => location.hash.slice(1);

interface Waiting {
  op: Op;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Makes the connection; `connect` starts it. */
export function makeConnection(): Connection {
  const face: Face = bridge === undefined ? "web" : "desktop";
  const events: ((event: LabEvent) => void)[] = [];
  const states: ((state: LinkState) => void)[] = [];
  const waiting = new Map<number, Waiting>();
  let wire: Wire | undefined;
  /** It has been in since the page was loaded. */
  let greeted = false;
  /** It is in. */
  let admitted = false;
  let greetingTimer: number | undefined;
  let nextId = 1;
  let retryMs = firstRetryMs;
  let timer: number | undefined;
  let attempt = 0;

  const tell = (state: LinkState): void => states.forEach((handler) => handler(state));

  function send(request: Request): Promise<unknown> {
    const to = wire;
    if (to === undefined) return Promise.reject(new Refusal("lab", "the lab does not answer"));
    if (waiting.size >= waitingMax) return Promise.reject(new Refusal("lab", "the lab does not answer: too many questions are open"));
    const id = nextId++;
    return new Promise((resolve, reject) => {
      waiting.set(id, { op: request.op, resolve, reject });
      to.send({ id, request });
    });
  }

  // Whoever has not shown that it is the lab is told nothing. What is asked of a lab that does not answer would be done whenever it does, long after it was meant.
  function ask(request: Request): Promise<unknown> {
    if (!admitted) return Promise.reject(new Refusal("lab", doors.refusedWhileAway));
    return heartbeat.silent && !harmless.has(request.op) ? Promise.reject(new Refusal("lab", doors.refusedWhileSilent)) : send(request);
  }

  const heartbeat = new Heartbeat({
    ping: () => void send({ op: "ping" }).catch(() => undefined),
    changed: (silent) => tell({ kind: silent ? "silent" : "open" }),
  });

  function receive(message: unknown): void {
    heartbeat.heard();
    if (typeof message !== "object" || message === null) return;
    if ("event" in message) {
      if (!admitted && face === "web") return;
      const parsed = event.safeParse(message);
      if (parsed.success) for (const handler of events) handler(parsed.data);
      else console.warn("a message of the lab that this page does not know", parsed.error.issues.slice(0, 3));
      return;
    }
    const parsed = replyMessage.safeParse(message);
    if (!parsed.success) return;
    const reply = parsed.data;
    const asker = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.ok) asker?.resolve(reply.result);
    else asker?.reject(new Refusal(reply.error.code, reply.error.message));
  }

  function closed(reason: string): void {
    wire = undefined;
    admitted = false;
    window.clearTimeout(greetingTimer);
    heartbeat.stop();
    for (const { reject } of waiting.values()) reject(new Refusal("lab", reason));
    waiting.clear();
    // One that has been in comes back: who is at the port now may be somebody else, and the lab later.
    if (refused !== undefined && !greeted) return tell({ kind: "refused", reason: refused });
    tell({ kind: "lost", reason: refused ?? (greeted ? "the lab's supervisor is gone" : reason) });
    timer = window.setTimeout(connect, retryMs);
    retryMs = Math.min(slowestRetryMs, retryMs * 2);
  }

  let refused: string | undefined;

  /** With what this page was in last. */
  let credential: Credential | undefined;

  /** Shows that both know the token, and sends it to nobody; what the page comes back with is a key that no script can read. Throws Refusal. */
  async function introduce(): Promise<void> {
    const token = tokenOfAddress();
    const mine = token === "" ? (credential ?? (await recalled())) : await credentialOf(token);
    if (mine === undefined) throw new Refusal("refused", doors.noToken);
    const challenge = new Challenge(mine.key, Number(location.port || 80));
    const answer = (await send({ op: "challenge", key: mine.name, nonce: challenge.nonce })) as Reply<"challenge">;
    if (!(await challenge.proves(answer))) throw new Refusal("refused", doors.stranger);
    const { secret } = (await send({ op: "prove", proof: await challenge.answer(answer.nonce) })) as Reply<"prove">;
    credential = await credentialOf(secret);
    // What the browser stores holds nobody up.
    void remember(credential);
    // Addresses are looked at, copied, and kept in a history.
    if (location.hash !== "") history.replaceState(history.state, "", location.pathname + location.search);
  }

  async function greet(): Promise<void> {
    if (face === "web") await introduce();
    else await send({ op: "hello", secret: tokenOfAddress() });
    window.clearTimeout(greetingTimer);
    greeted = admitted = true;
    retryMs = firstRetryMs;
    heartbeat.start();
    tell({ kind: "open" });
  }

  function connect(): void {
    window.clearTimeout(timer);
    if (face === "web" && tokenOfAddress() === "" && credential === undefined && !remembersKey())
      return tell({ kind: "refused", reason: doors.noToken });
    if (face === "web" && !MAC_HERE) return tell({ kind: "refused", reason: doors.insecure });
    refused = undefined;
    const mine = ++attempt;
    const ends: WireEnds = {
      opened: (opened) => {
        wire = opened;
        greet().catch((error: unknown) => {
          if (error instanceof Refusal && error.code === "refused") refused = error.message;
          opened.close();
        });
      },
      received: (message) => mine === attempt && receive(message),
      closed: (reason) => mine === attempt && closed(reason),
    };
    window.clearTimeout(greetingTimer);
    if (bridge === undefined) {
      const giveUp = webWire(ends);
      greetingTimer = window.setTimeout(giveUp, greetingMs);
    } else desktopWire(bridge, ends);
  }

  // Another whole address in the same tab: its token counts from now on.
  if (face === "web") window.addEventListener("hashchange", () => location.hash !== "" && location.reload());

  return {
    face,
    // Each op is answered with its own shape; the lab validated what it sent.
    call: ask as Connection["call"],
    onEvent: (handler) => events.push(handler),
    onState: (handler) => states.push(handler),
    connect,
    goTo: (url, dir) => {
      if (bridge === undefined) location.assign(url);
      else bridge.openLab(dir);
    },
    unanswered: () => [...waiting.values()].map(({ op }) => op),
  };
}
