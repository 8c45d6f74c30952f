/** Signals inside one session: everything that waits does so through an Interrupt, so Ctrl-C and `kill` end it at once. */

export const SIGNALS: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  KILL: 9,
  USR1: 10,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
};

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

  get fired(): boolean {
    return this.signal !== 0;
  }

  fire(signal: number): void {
    if (this.signal !== 0) return;
    this.signal = signal;
    for (const listener of [...this.listeners]) listener(signal);
    this.listeners.clear();
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
  race<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const off = this.onFire((signal) => reject(new Interrupted(signal)));
      work.then(
        (value) => {
          off();
          resolve(value);
        },
        (error: unknown) => {
          off();
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }

  /** An interrupt that fires when this one does, and can fire alone. `done()` unties it. */
  child(): { interrupt: Interrupt; done: () => void } {
    const interrupt = new Interrupt();
    return { interrupt, done: this.onFire((signal) => interrupt.fire(signal)) };
  }
}
