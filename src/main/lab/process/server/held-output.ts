/** What a session puts out, on its way to whoever looks at it: held, in order, until every worker has confirmed what it may depend on. */

/** Characters that may be held: time stands while they wait, so that only a program that needs none can put out more. */
const heldCharsMax = 64 << 20;
/** Where more is held, whoever can be told to wait is told to. */
const heldCharsMany = 1 << 20;

export interface HeldOutputOptions {
  /** Resolves when everything so far may leave the lab; rejects when it never will. */
  readonly released: () => Promise<void>;
  /** What is held will never leave the lab; nothing more is taken. */
  readonly lost: (why: string) => void;
  /** Much is held, or no longer. */
  readonly crowded?: (much: boolean) => void;
}

export class HeldOutput {
  private tail: Promise<unknown> = Promise.resolve();
  private chars = 0;
  private over = false;

  constructor(private readonly options: HeldOutputOptions) {}

  /** Has `send` called when what has happened so far may leave the lab, after everything put before. */
  put(chars: number, send: () => void): void {
    if (this.over) return;
    const before = this.chars;
    this.chars += chars;
    if (this.chars > heldCharsMax) return this.lose("more output than can be held back");
    if (before <= heldCharsMany && this.chars > heldCharsMany) this.options.crowded?.(true);
    const released = this.options.released();
    this.tail = this.tail
      .then(() => released)
      .then(
        () => {
          if (!this.over) send();
          const much = this.chars > heldCharsMany;
          this.chars -= chars;
          if (much && this.chars <= heldCharsMany) this.options.crowded?.(false);
        },
        (error: unknown) => this.lose(error instanceof Error ? error.message : String(error)),
      );
    // It is waited for above, in its turn.
    released.catch(() => undefined);
  }

  /** The last thing put: it comes also where what was before it is lost. */
  end(send: () => void): void {
    if (this.over) return send();
    this.put(0, send);
    void this.tail.then(() => {
      if (this.over) send();
    });
  }

  private lose(why: string): void {
    if (this.over) return;
    this.over = true;
    this.options.lost(why);
  }
}
