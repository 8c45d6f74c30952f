/** Whether somebody answers: where nothing was heard for a moment the lab is asked for an answer, and where none comes it is silent until one does. */

const lookMs = 250;
/** Quiet for so long, it is asked. A lab that runs sends more often than that. */
const askAfterMs = 800;
/** And after so long it is silent: said within 3 s. */
const silentAfterMs = 2_500;

export interface HeartbeatEnds {
  ping(): void;
  changed(silent: boolean): void;
}

export class Heartbeat {
  silent = false;
  private heardAt = 0;
  private lookedAt = 0;
  private asked = false;
  private timer: number | undefined;

  constructor(private readonly ends: HeartbeatEnds) {}

  start(): void {
    this.stop();
    this.heardAt = this.lookedAt = performance.now();
    this.timer = window.setInterval(() => this.look(), lookMs);
  }

  stop(): void {
    window.clearInterval(this.timer);
    this.timer = undefined;
    this.silent = false;
    this.asked = false;
  }

  heard(): void {
    this.heardAt = performance.now();
    this.asked = false;
    if (!this.silent) return;
    this.silent = false;
    this.ends.changed(false);
  }

  private look(): void {
    const now = performance.now();
    // The page itself stood still (a tab in the background, a computer asleep): what has come meanwhile is heard after this.
    if (now - this.lookedAt > silentAfterMs - askAfterMs) this.heardAt = Math.max(this.heardAt, now - askAfterMs);
    this.lookedAt = now;
    const quiet = now - this.heardAt;
    if (quiet > askAfterMs && !this.asked) {
      this.asked = true;
      this.ends.ping();
    }
    if (quiet <= silentAfterMs || this.silent) return;
    this.silent = true;
    this.ends.changed(true);
  }
}
