/** A wall clock that a test moves on. */
import type { HostClock } from "../../src/engine/host/index.ts";

export class ManualClock implements HostClock {
  private at = 0;
  private calls: { at: number; call: () => void; order: number }[] = [];
  private order = 0;
  /** What every look at the clock costs, as work does. */
  lookCostMs = 0;

  now(): number {
    this.at += this.lookCostMs;
    return this.at;
  }

  after(ms: number, call: () => void): () => void {
    const entry = { at: this.at + Math.max(0, ms), call, order: ++this.order };
    this.calls.push(entry);
    return () => {
      this.calls = this.calls.filter((c) => c !== entry);
    };
  }

  get pending(): number {
    return this.calls.length;
  }

  /** Passes without running anything: the computer was busy elsewhere. */
  stall(ms: number): void {
    this.at += ms;
  }

  /** Runs what falls due in the next `ms`, giving promises their turn in between. */
  async pass(ms: number): Promise<void> {
    const until = this.at + ms;
    for (;;) {
      await Promise.resolve();
      this.calls.sort((a, b) => a.at - b.at || a.order - b.order);
      const next = this.calls[0];
      if (next === undefined || next.at > until) break;
      this.calls.shift();
      this.at = Math.max(this.at, next.at);
      next.call();
    }
    this.at = Math.max(this.at, until);
    await Promise.resolve();
  }
}
