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
/** What somebody has just done is shown at once, unless a snapshot was taken so shortly before: what comes in a burst is shown together at the next turn. */
const soonEveryMs = 30;
/** A client that has so much unread gets no snapshot until it has read some. */
const backlogMaxBytes = 1 << 20;

export class Broadcast {
  private readonly timer: NodeJS.Timeout;
  /** A snapshot is on its way to the clients. */
  private showing = false;
  private readonly everyMs: number;
  private ticks = 0;
  /** Wall ms at which the last snapshot was taken. */
  private takenAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly lab: Lab,
    private readonly clients: ReadonlySet<ServedClient>,
  ) {
    lab.onEvent((event) => this.event(event));
    lab.host.watched(false);
    this.everyMs = snapshotEveryMs * Math.max(1, Math.round((lab.world.names.length / snapshotNodesFree) ** 2));
    this.timer = setInterval(() => {
      this.ticks++;
      this.snapshots();
    }, this.everyMs);
  }

  /** Somebody has done something: whoever looks on need not wait for the next turn. */
  soon(): void {
    if (performance.now() - this.takenAt >= soonEveryMs) this.snapshots();
  }

  /** No more snapshots. */
  end(): void {
    clearInterval(this.timer);
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
    this.lab.host.watched([...this.clients].some(looksOn));
    const wanting = [...this.clients].filter((client) => client.snapshots && (client.channel.backlog?.() ?? 0) < backlogMaxBytes);
    const changes = this.lab.changes;
    const instant = this.lab.world.now;
    const tick = this.ticks;
    const restMs = snapshotEveryMs * Math.max(1, Math.round(this.lab.world.names.length / restNodesFree));
    const rested = (since: number): boolean => (tick - since) * this.everyMs >= restMs;
    const behind = wanting.filter(
      ({ shown }) => shown?.changes !== changes || (shown.instant !== instant && (this.lab.time().paused || rested(shown.tick))),
    );
    if (behind.length === 0 || this.showing) return;
    const snapshot = this.lab.snapshot();
    this.takenAt = performance.now();
    this.showing = true;
    const send = (): void => {
      for (const client of behind) {
        if (!this.clients.has(client)) continue;
        client.shown = { changes, instant, tick };
        client.channel.send({ event: "snapshot", snapshot });
      }
    };
    this.lab.output
      .shown()
      .then(send)
      // The lab says itself that its record cannot be written.
      .catch(() => undefined)
      .finally(() => (this.showing = false));
  }
}
