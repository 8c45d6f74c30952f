/** A terminal and everybody who looks at it: its output goes to all of them, and waits for the slowest. One that is kept outlives its last viewer for a while. */
import type { Sessions } from "../sessions.ts";
import { HeldOutput } from "./held-output.ts";
import { Scrollback } from "./scrollback.ts";
import type { ServedClient } from "./served-client.ts";
import { isFull, whenRead } from "./when-read.ts";

/** Wall time for which a kept terminal waits for somebody to come back. */
const KEPT_MS = 10 * 60_000;

export interface SharedTerminalOptions {
  readonly node: string;
  readonly keep: boolean;
  readonly sessions: Sessions;
  /** Resolves when everything so far may leave the lab. */
  readonly released: () => Promise<void>;
  /** It is over. */
  readonly gone: (id: string) => void;
}

interface Viewer {
  /** Characters that may still be sent before some are drawn. */
  credit: number;
  /** Reasons for which it has the program wait. */
  halts: number;
}

export class SharedTerminal {
  id = "";
  /** Wall ms since which nobody looks; undefined: somebody does. */
  leftAt: number | undefined;
  private readonly viewers = new Map<ServedClient, Viewer>();
  private readonly scrollback = new Scrollback();
  private halts = 0;
  private timer: NodeJS.Timeout | undefined;
  readonly held: HeldOutput;

  constructor(readonly options: SharedTerminalOptions) {
    this.held = new HeldOutput({
      released: options.released,
      lost: (why) => {
        this.put(`\r\nquorate: ${why}\r\n`);
        options.sessions.closeTerminal(this.id);
      },
      crowded: (much) => this.halt(much ? 1 : -1),
    });
  }

  /** Puts out what may leave the lab. */
  readonly sink = {
    data: (text: string): void => this.held.put(text.length, () => this.put(text)),
    exit: (status: number): void => this.held.end(() => this.exit(status)),
  };

  /** Somebody looks at it from now on. @returns what it has put out so far */
  join(client: ServedClient, credit: number | undefined): string {
    clearTimeout(this.timer);
    this.leftAt = undefined;
    this.part(client);
    this.viewers.set(client, { credit: credit ?? Number.POSITIVE_INFINITY, halts: 0 });
    client.terminals.add(this.id);
    return this.scrollback.text();
  }

  /** A client is gone. */
  leave(client: ServedClient): void {
    this.part(client);
    if (this.viewers.size > 0) return;
    if (!this.options.keep) return this.options.sessions.closeTerminal(this.id);
    this.leftAt = performance.now();
    this.timer = setTimeout(() => this.options.sessions.closeTerminal(this.id), KEPT_MS);
    this.timer.unref();
  }

  /** A client has drawn so many more characters. */
  earn(client: ServedClient, chars: number): void {
    const viewer = this.viewers.get(client);
    if (viewer === undefined) return;
    if (viewer.credit <= 0 && viewer.credit + chars > 0) this.let(viewer, false);
    viewer.credit += chars;
  }

  private part(client: ServedClient): void {
    const viewer = this.viewers.get(client);
    if (viewer === undefined) return;
    this.viewers.delete(client);
    client.terminals.delete(this.id);
    this.halt(-viewer.halts);
  }

  private put(text: string): void {
    this.scrollback.add(text);
    for (const [client, viewer] of this.viewers) this.show(client, viewer, text);
  }

  private show(client: ServedClient, viewer: Viewer, text: string): void {
    const { channel } = client;
    channel.send({ event: "terminal-data", terminal: this.id, data: text });
    if (viewer.credit > 0 && viewer.credit <= text.length) this.let(viewer, true);
    viewer.credit -= text.length;
    if (!isFull(channel)) return;
    this.let(viewer, true);
    const there = (): boolean => this.viewers.get(client) === viewer;
    whenRead(channel, there, () => {
      if (there()) this.let(viewer, false);
    });
  }

  /** A viewer has the program wait, or no longer. */
  private let(viewer: Viewer, wait: boolean): void {
    viewer.halts += wait ? 1 : -1;
    this.halt(wait ? 1 : -1);
  }

  private halt(by: number): void {
    const before = this.halts;
    this.halts += by;
    if (before > 0 !== this.halts > 0) this.options.sessions.halt(this.id, this.halts > 0);
  }

  private exit(status: number): void {
    clearTimeout(this.timer);
    for (const client of this.viewers.keys()) {
      client.terminals.delete(this.id);
      client.channel.send({ event: "terminal-exit", terminal: this.id, status });
    }
    this.viewers.clear();
    this.options.gone(this.id);
  }
}
