/** What clients are sent unasked: events as they happen, and snapshots, no more of them than a page can draw and its line can take. */
import type { LabEvent } from "../../api.ts";
import type { Lab } from "../../lab.ts";
import { looksOn, type ServedClient } from "./served-client.ts";

/** A page is sent no more snapshots a second than it can draw smoothly. */
const snapshotEveryMs = 100;
/** A snapshot grows with the square of the nodes (every peer of every node); beyond these many it is sent less often in proportion. */
const snapshotNodesFree = 16;
/** While nothing but time has changed, a page of more nodes than this is sent less often in proportion: to draw the same again is what costs it. */
const restNodesFree = 5;
/** What somebody has just done, and what changes in slow motion, is shown at once; what comes in a burst is shown together so long after the last snapshot. */
const soonEveryMs = 30;
/** Snapshots that may wait at a time for the workers to confirm what they show. */
const showingMax = 4;
/** A client that has so much unread gets no snapshot until it has read some. */
const backlogMaxBytes = 1 << 20;

export class Broadcast {
  /** Runs while somebody looks on. */
  private timer: NodeJS.Timeout | undefined;
  /** Snapshots on their way to the clients. */
  private showing = 0;
  /** Resolves when the last of them has been sent. */
  private sent: Promise<void> = Promise.resolve();
  private readonly everyMs: number;
  private ticks = 0;
  /** Wall ms at which the last snapshot was taken. */
  private takenAt = Number.NEGATIVE_INFINITY;
  private over = false;
  private later: NodeJS.Timeout | undefined;
  /** The changes that clients in slow motion have been shown. */
  private changesSeen = -1;
  private readonly unfollow: () => void;

  constructor(
    private readonly lab: Lab,
    private readonly clients: ReadonlySet<ServedClient>,
  ) {
    lab.onEvent((event) => this.event(event));
    lab.host.watched(false);
    this.unfollow = lab.host.onProgress(() => this.progressed());
    this.everyMs = snapshotEveryMs * Math.max(1, Math.round((lab.world.names.length / snapshotNodesFree) ** 2));
  }

  /** Somebody is here, or has just asked something: at the next turn it is seen who looks on. */
  here(): void {
    if (this.over) return;
    this.lab.host.watched(true);
    this.timer ??= setInterval(() => {
      this.ticks++;
      const watched = [...this.clients].some(looksOn);
      this.lab.host.watched(watched);
      if (watched) return this.snapshots();
      clearInterval(this.timer);
      this.timer = undefined;
    }, this.everyMs);
  }

  /** Something is to be seen now: whoever looks on need not wait for the next turn. */
  soon(): void {
    const wait = this.waitMs;
    if (wait === 0) this.snapshots();
    else this.within(wait);
  }

  private get waitMs(): number {
    return Math.max(0, soonEveryMs * (this.everyMs / snapshotEveryMs) - (performance.now() - this.takenAt));
  }

  private within(ms: number): void {
    this.later ??= setTimeout(() => this.snapshots(), ms);
  }

  /**
   * In slow motion every change is shown: what stands for some frames only would be over before the next turn. Not in the middle of it: whoever moves the world has more to
   * do until it stands.
   */
  private progressed(): void {
    if (!this.lab.host.slow || this.lab.changes === this.changesSeen) return;
    this.changesSeen = this.lab.changes;
    this.within(this.waitMs);
  }

  /** No more snapshots. */
  end(): void {
    this.over = true;
    clearInterval(this.timer);
    clearTimeout(this.later);
    this.unfollow();
  }

  private event(event: LabEvent): void {
    for (const client of this.clients) {
      if (event.event === "journal") {
        const lines = client.journal ? event.lines.filter(client.journal) : [];
        if (lines.length > 0) client.channel.send({ event: "journal", lines });
      } else if (event.event === "trace") {
        if (client.trace) client.channel.send(event);
      } else if (client.authenticated) client.channel.send(event);
    }
  }

  private snapshots(): void {
    clearTimeout(this.later);
    this.later = undefined;
    const wanting = [...this.clients].filter((client) => client.snapshots && (client.channel.backlog?.() ?? 0) < backlogMaxBytes);
    const changes = this.lab.changes;
    const instant = this.lab.world.now;
    const tick = this.ticks;
    const restMs = snapshotEveryMs * Math.max(1, Math.round(this.lab.world.names.length / restNodesFree));
    const rested = (since: number): boolean => (tick - since) * this.everyMs >= restMs;
    const behind = wanting.filter(
      ({ shown }) => shown?.changes !== changes || (shown.instant !== instant && (this.lab.time().paused || rested(shown.tick))),
    );
    if (behind.length === 0 || this.showing >= showingMax) return;
    const snapshot = this.lab.snapshot();
    this.takenAt = performance.now();
    this.showing++;
    for (const client of behind) client.shown = { changes, instant, tick };
    const send = (): void => {
      for (const client of behind) {
        if (this.clients.has(client)) client.channel.send({ event: "snapshot", snapshot });
      }
    };
    // In the order in which they were taken: a page draws the last one it gets.
    this.sent = Promise.all([this.lab.output.shown(), this.sent])
      .then(send)
      // The lab says itself that its record cannot be written.
      .catch(() => undefined)
      .finally(() => this.showing--);
  }
}
