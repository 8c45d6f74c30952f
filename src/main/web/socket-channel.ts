/** A WebSocket as the Channel of the lab's API. Bounded: a page that does not read is let go. */
import type { RawData, WebSocket } from "ws";
import type { Channel } from "../lab/api.ts";

/** What may wait in the socket for a slow page. A snapshot of 16 nodes is some 100 kB. */
const bufferedMaxBytes = 32 << 20;
/** Messages kept while nobody listens yet. */
const earlyMessagesMax = 64;

export class SocketChannel implements Channel {
  private handler: ((message: unknown) => void) | undefined;
  private early: unknown[] = [];
  private ended: (() => void)[] = [];
  private closed = false;

  constructor(private readonly ws: WebSocket) {
    ws.on("message", (data, binary) => this.receive(data, binary));
    ws.on("close", () => this.end());
    // `close` follows; the reason is of no use to anybody here.
    ws.on("error", () => ws.terminate());
  }

  send(message: unknown): void {
    if (this.closed || this.ws.readyState !== this.ws.OPEN) return;
    if (this.ws.bufferedAmount > bufferedMaxBytes) this.ws.terminate();
    else this.ws.send(JSON.stringify(message));
  }

  /** Bytes that wait for the page. */
  backlog(): number {
    return this.ws.bufferedAmount;
  }

  /** The latest handler gets the messages from now on. */
  onMessage(handler: (message: unknown) => void): void {
    this.handler = handler;
    for (const message of this.early.splice(0)) handler(message);
  }

  /** Until somebody listens again, messages are kept. */
  release(): void {
    this.handler = undefined;
  }

  onClose(handler: () => void): void {
    if (this.closed) handler();
    else this.ended.push(handler);
  }

  close(): void {
    this.ws.close(1000);
  }

  private receive(data: RawData, binary: boolean): void {
    // What arrives after we have hung up is not heard.
    if (this.ws.readyState !== this.ws.OPEN) return;
    if (binary) return this.ws.close(1003, "text only");
    let message: unknown;
    try {
      message = JSON.parse(asText(data));
    } catch {
      return this.ws.close(1007, "not JSON");
    }
    if (this.handler !== undefined) this.handler(message);
    else if (this.early.push(message) > earlyMessagesMax) this.ws.close(1013, "too many messages at once");
  }

  private end(): void {
    if (this.closed) return;
    this.closed = true;
    for (const handler of this.ended) handler();
  }
}

function asText(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString("utf8");
  return (data instanceof ArrayBuffer ? Buffer.from(data) : data).toString("utf8");
}
