/** One after the other: what waits for processes while it moves a world. Alone, work begins at once. */

export class Turns {
  private waiting = 0;
  private tail: Promise<unknown> = Promise.resolve();

  /** Somebody has a turn. */
  get taken(): boolean {
    return this.waiting > 0;
  }

  /** Does `work` when everything asked before is done. */
  async take<T>(work: () => T | Promise<T>): Promise<T> {
    const before = this.waiting++ > 0 ? this.tail : undefined;
    let done = (): void => undefined;
    this.tail = new Promise<void>((resolve) => (done = resolve));
    try {
      if (before !== undefined) await before;
      return await work();
    } finally {
      this.waiting--;
      done();
    }
  }

  /** Resolves when everybody who has or waits for a turn by now has had it. */
  async free(): Promise<void> {
    if (this.taken) await this.tail;
  }
}
