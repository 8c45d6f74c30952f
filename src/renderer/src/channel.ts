/**
 * The page's way to the lab: a MessagePort from the desktop's bridge, or a WebSocket to where the page came from. Whoever uses it does not know
 * which. It says hello, matches replies to requests, judges what arrives by the API's schema, and reconnects.
 */
import { event, replyMessage, type LabEvent, type Op, type Reply, type Request } from "../../main/lab/api.ts";

export type Face = "desktop" | "web";

export type LinkState =
  | { kind: "connecting" }
  | { kind: "open" }
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
}

const bridge = (window as Window & { host?: HostBridge }).host;

const firstRetryMs = 500;
const slowestRetryMs = 5_000;
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

function webWire(ends: WireEnds): void {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/socket`);
  socket.onopen = () => ends.opened({ send: (what) => socket.send(JSON.stringify(what)), close: () => socket.close() });
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") ends.received(JSON.parse(data));
  };
  socket.onclose = ({ reason }) => ends.closed(reason === "" ? "the lab does not answer" : reason);
}

const tokenKey = "quorate-token";

/** What the address carries; after the first hello it carries none, and the tab remembers it for when it is loaded again. */
const tokenOfPage = (): string => location.hash.slice(1) || (sessionStorage.getItem(tokenKey) ?? "");

/** Out of the address: addresses are looked at, copied, and kept in a history. */
function keepToken(token: string): void {
  sessionStorage.setItem(tokenKey, token);
  if (location.hash !== "") history.replaceState(history.state, "", location.pathname + location.search);
}

interface Waiting {
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
  let greeted = false;
  let nextId = 1;
  let retryMs = firstRetryMs;
  let timer: number | undefined;
  let attempt = 0;

  const tell = (state: LinkState): void => states.forEach((handler) => handler(state));

  function ask(request: Request): Promise<unknown> {
    const to = wire;
    if (to === undefined) return Promise.reject(new Refusal("lab", "the lab does not answer"));
    if (waiting.size >= waitingMax) return Promise.reject(new Refusal("lab", "the lab does not answer: too many questions are open"));
    const id = nextId++;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      to.send({ id, request });
    });
  }

  function receive(message: unknown): void {
    if (typeof message !== "object" || message === null) return;
    if ("event" in message) {
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
    for (const { reject } of waiting.values()) reject(new Refusal("lab", reason));
    waiting.clear();
    if (refused !== undefined) return tell({ kind: "refused", reason: refused });
    tell({ kind: "lost", reason: greeted ? "the lab's supervisor is gone" : reason });
    timer = window.setTimeout(connect, retryMs);
    retryMs = Math.min(slowestRetryMs, retryMs * 2);
  }

  let refused: string | undefined;

  function connect(): void {
    window.clearTimeout(timer);
    const secret = tokenOfPage();
    if (face === "web" && secret === "")
      return tell({ kind: "refused", reason: "this address carries no token: open the whole address that quorate printed" });
    refused = undefined;
    const mine = ++attempt;
    const ends: WireEnds = {
      opened: (opened) => {
        wire = opened;
        ask({ op: "hello", secret }).then(
          (result) => {
            if (face === "web") keepToken((result as Reply<"hello">).secret ?? secret);
            greeted = true;
            retryMs = firstRetryMs;
            tell({ kind: "open" });
          },
          (error: unknown) => {
            if (error instanceof Refusal && error.code === "refused") refused = error.message;
            opened.close();
          },
        );
      },
      received: (message) => mine === attempt && receive(message),
      closed: (reason) => mine === attempt && closed(reason),
    };
    if (bridge === undefined) webWire(ends);
    else desktopWire(bridge, ends);
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
  };
}
