/**
 * What a line puts out, on its way to the lab's process: gathered, because a message a line would be most of the work, and held where whoever reads it
 * has not taken what is under way, as at a full pipe.
 */
import { CREDIT_CHARS } from "../lab/protocol.ts";

type Stream = "stdout" | "stderr";

/** Characters of one message. */
const MESSAGE_CHARS = 16 * 1024;

export class LineOutput {
  private readonly parts: { readonly stream: Stream; text: string }[] = [];
  private waiting = 0;
  private underWay = 0;
  private soon = false;
  private over = false;
  private readonly wake = new Set<() => void>();

  constructor(private readonly send: (stream: Stream, data: string) => void) {}

  put(stream: Stream, text: string): void {
    if (this.over || text === "") return;
    const last = this.parts.at(-1);
    if (last?.stream === stream) last.text += text;
    else this.parts.push({ stream, text });
    this.waiting += text.length;
    if (this.waiting >= MESSAGE_CHARS) this.flush();
    else if (!this.soon) {
      this.soon = true;
      setImmediate(() => this.flush());
    }
  }

  /** What to wait for before putting more; undefined where there is room. */
  room(): Promise<void> | undefined {
    return this.underWay > CREDIT_CHARS && !this.over ? this.made() : undefined;
  }

  private async made(): Promise<void> {
    while (this.underWay > CREDIT_CHARS && !this.over) await new Promise<void>((resolve) => this.wake.add(resolve));
  }

  flush(): void {
    this.soon = false;
    for (const { stream, text } of this.parts.splice(0)) {
      this.underWay += text.length;
      for (let at = 0; at < text.length; at += CREDIT_CHARS) this.send(stream, text.slice(at, at + CREDIT_CHARS));
    }
    this.waiting = 0;
  }

  /** So many characters have been taken. */
  taken(chars: number): void {
    this.underWay -= chars;
    this.rouse();
  }

  /** What comes after this is nobody's. */
  end(): void {
    this.flush();
    this.over = true;
    this.rouse();
  }

  private rouse(): void {
    if (this.underWay > CREDIT_CHARS && !this.over) return;
    const waiting = [...this.wake];
    this.wake.clear();
    for (const wake of waiting) wake();
  }
}
