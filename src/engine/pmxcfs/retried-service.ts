/**
 * A connection to one of corosync's services that is tried again until it stands. In the real stack: the service loop of pmxcfs's loop.c, which looks once a second and tries one again when its last attempt was
 * more than five seconds ago.
 */

/** Seconds between attempts, by the loop's own clock of whole seconds. */
const RETRY_TICKS = 6;

export interface ServiceState {
  readonly lastAttempt: number | undefined;
  readonly failing: boolean;
}

export abstract class RetriedService {
  /** The loop's second in which it was tried last. */
  private lastAttempt: number | undefined;
  /** The last attempt failed: the next failure is said without its heading. */
  private failing = false;

  constructor(protected readonly log: (level: "notice" | "crit", text: string) => void) {}

  abstract get down(): boolean;
  /** Tries it; false: it failed, and has said so. */
  protected abstract connect(): boolean;

  /** One look of the loop. @param tick seconds since the daemon began */
  look(tick: number): void {
    if (!this.down || (this.lastAttempt !== undefined && tick - this.lastAttempt < RETRY_TICKS)) return;
    this.lastAttempt = tick;
    if (!this.connect()) this.failed();
    else this.failing = false;
  }

  protected failed(): void {
    if (!this.failing) this.log("crit", "can't initialize service");
    this.failing = true;
  }

  protected serviceState(): ServiceState {
    return { lastAttempt: this.lastAttempt, failing: this.failing };
  }

  protected restoreService({ lastAttempt, failing }: ServiceState): void {
    this.lastAttempt = lastAttempt;
    this.failing = failing;
  }
}
