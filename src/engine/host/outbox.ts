/**
 * Messages that wait to be sent on a ZeroMQ socket, which takes one at a time and refuses a second. Bounded: who does not read is given up. Stands where the
 * kernel's send buffer stands. Left out: receiving.
 */

/** Messages that may wait: beyond what a hub sends ahead of its workers (lead.ts), so only a reader that stands still can fill it. */
const OUTBOX_MAX = 8192;

export interface Sender {
  send(frames: (Uint8Array | Buffer)[]): Promise<void>;
}

export class Outbox {
  private waiting: (Uint8Array | Buffer)[][] = [];
  private sending = false;

  /** @param onTrouble a message could not be sent: its receiver is gone */
  constructor(
    private readonly socket: Sender,
    private readonly onTrouble: (error: unknown) => void,
  ) {}

  /** False where too many wait already. */
  put(frames: (Uint8Array | Buffer)[]): boolean {
    if (this.waiting.length >= OUTBOX_MAX) return false;
    this.waiting.push(frames);
    if (!this.sending) void this.drain();
    return true;
  }

  private async drain(): Promise<void> {
    this.sending = true;
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      try {
        await this.socket.send(next);
      } catch (error) {
        this.onTrouble(error);
      }
    }
    this.sending = false;
  }
}
