/** Signals inside one session: everything that waits does so through an Interrupt, so Ctrl-C and `kill` end it at once, and SIGSTOP holds it. */

/** Thrown at the place that waited or computed when a signal came. */
export class Interrupted extends Error {
  constructor(readonly signal: number) {
    super(`signal ${signal}`);
  }

  get status(): number {
    return 128 + this.signal;
  }
}

export class Interrupt {
  private signal = 0;
  private readonly listeners = new Set<(signal: number) => void>();
  /** Settles when what was stopped goes on. */
  private held: { readonly over: Promise<void>; readonly end: () => void } | undefined;

  constructor(private readonly above?: Interrupt) {}

  get fired(): boolean {
    return this.signal !== 0;
  }

  fire(signal: number): void {
    if (this.signal !== 0) return;
    this.signal = signal;
    this.hold(false);
    for (const listener of [...this.listeners]) listener(signal);
    this.listeners.clear();
  }

  /** Nothing under it goes on (SIGSTOP), or it does again. */
  hold(on: boolean): void {
    if (on === (this.held !== undefined) || (on && this.fired)) return;
    this.held?.end();
    this.held = undefined;
    if (!on) return;
    let end = (): void => undefined;
    const over = new Promise<void>((resolve) => (end = resolve));
    this.held = { over, end };
  }

  get stopped(): boolean {
    return this.held !== undefined || (this.above?.stopped ?? false);
  }

  /** Settles when it is not stopped. */
  async running(): Promise<void> {
    while (this.held) await this.held.over;
    if (this.above?.stopped) await this.above.running();
  }

  /** @throws Interrupted */
  check(): void {
    if (this.signal !== 0) throw new Interrupted(this.signal);
  }

  /** @returns a function that takes the listener away; it is called at once if the signal has come already */
  onFire(listener: (signal: number) => void): () => void {
    if (this.signal !== 0) {
      listener(this.signal);
      return () => undefined;
    }
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** `work`, or Interrupted if the signal comes first. The work itself is left to end unheard. */
  async race<T>(work: Promise<T>): Promise<T> {
    let off = (): void => undefined;
    const fired = new Promise<never>((_, reject) => (off = this.onFire((signal) => reject(new Interrupted(signal)))));
    try {
      return await Promise.race([work, fired]);
    } finally {
      off();
    }
  }

  /** An interrupt that fires when this one does, and can fire alone. `done()` unties it. */
  child(): { interrupt: Interrupt; done: () => void } {
    const interrupt = new Interrupt(this);
    return { interrupt, done: this.onFire((signal) => interrupt.fire(signal)) };
  }
}
