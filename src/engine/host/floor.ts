/** Who has the floor: while anybody does, no time is granted, for a bounded while. In the real stack nothing stands here: time does not wait for anybody. */
import type { HostClock } from "./clock.ts";

export class Floor {
  private readonly claims = new Set<number>();
  private next = 1;

  /** @param free is told when the last claim has gone */
  constructor(
    private readonly clock: HostClock,
    private readonly boundMs: number,
    private readonly free: () => void,
  ) {}

  get held(): boolean {
    return this.claims.size > 0;
  }

  /** Claims it until the answer is called, at most for the bound of wall time. */
  claim(): () => void {
    const claim = this.next++;
    this.claims.add(claim);
    const cancel = Number.isFinite(this.boundMs) ? this.clock.after(this.boundMs, () => this.release(claim)) : undefined;
    return () => {
      cancel?.();
      this.release(claim);
    };
  }

  private release(claim: number): void {
    if (this.claims.delete(claim) && this.claims.size === 0) this.free();
  }
}
