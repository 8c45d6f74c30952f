/** The local socket as the Channel of the lab's API: one JSON message a line. Bounded both ways: a peer that does not read is let go. */
import type { Socket } from "node:net";
import { StringDecoder } from "node:string_decoder";
import type { Channel } from "../api.ts";

/** The largest request of the API is 1 MiB of text, which JSON may escape. */
const lineMaxChars = 8 << 20;
/** What may wait in the socket for a slow reader. */
const waitingMaxBytes = 64 << 20;

export class LocalChannel implements Channel {
  private handler: ((message: unknown) => void) | undefined;
  private early: unknown[] = [];
  private ended: (() => void)[] = [];
  private closed = false;
  private rest: string[] = [];
  private restChars = 0;
  private decoder = new StringDecoder("utf8");

  constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on("data", (bytes) => this.receive(bytes));
    socket.on("close", () => this.end());
    // `close` follows; the peer's death is its own affair.
    socket.on("error", () => socket.destroy());
  }

  send(message: unknown): void {
    if (this.closed || this.socket.destroyed || this.socket.writableEnded) return;
    if (this.socket.writableLength > waitingMaxBytes) this.socket.destroy();
    else this.socket.write(`${JSON.stringify(message)}\n`);
  }

  /** Bytes the peer has not taken yet. */
  backlog(): number {
    return this.socket.writableLength;
  }

  /** The latest handler gets the messages from now on; those that came before the first one are not lost. */
  onMessage(handler: (message: unknown) => void): void {
    this.handler = handler;
    const early = this.early;
    this.early = [];
    for (const message of early) handler(message);
  }

  onClose(handler: () => void): void {
    if (this.closed) handler();
    else this.ended.push(handler);
  }

  close(): void {
    this.socket.end();
  }

  private receive(bytes: Buffer): void {
    const lines = this.decoder.write(bytes).split("\n");
    // Parts of a long line are joined once, at its end.
    const last = lines.pop() ?? "";
    if (lines.length > 0) {
      lines[0] = this.rest.join("") + (lines[0] ?? "");
      this.rest = [];
      this.restChars = 0;
    }
    this.rest.push(last);
    this.restChars += last.length;
    if (this.restChars > lineMaxChars) {
      this.socket.destroy();
      return;
    }
    for (const line of lines) {
      let message: unknown;
      try {
        message = JSON.parse(line);
      } catch {
        // Not our protocol: nothing of it can be trusted.
        this.socket.destroy();
        return;
      }
      if (this.handler) this.handler(message);
      else if (this.early.length < 1000) this.early.push(message);
      else this.socket.destroy();
    }
  }

  private end(): void {
    if (this.closed) return;
    this.closed = true;
    for (const handler of this.ended) handler();
  }
}
