/** What happens in a lab, for whoever subscribed: journal lines, things to animate, notices. Gathered while time is granted, told after each grant. */
import type { Effect } from "../../../engine/kernel/machine.ts";
import type { Instant } from "../../../engine/kernel/time.ts";
import type { JournalLine, LabEvent } from "../api.ts";

/** What one grant may bring; a grant at full speed can bring more than anybody reads. */
const journalBatchMax = 5_000;
const traceBatchMax = 2_000;

export class Feed {
  /** Lines that wait to be told. */
  private releasing: readonly JournalLine[] | undefined;
  private listeners: ((event: LabEvent) => void)[] = [];
  private journal: JournalLine[] = [];
  private trace: { instant: number; node: string; trace: unknown }[] = [];

  /** @param released resolves when what has happened so far may leave the lab, rejects when it never will */
  constructor(private readonly released: () => Promise<void>) {}

  /** Returns what ends it. */
  subscribe(listener: (event: LabEvent) => void): () => void {
    this.listeners.push(listener);
    return () => {
      this.listeners = this.listeners.filter((l) => l !== listener);
    };
  }

  tell(event: LabEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  /** `animate`: time is slow enough for single packets to be seen. */
  take(at: Instant, node: string, effect: Effect, animate: boolean): void {
    if (this.listeners.length === 0) return;
    if (effect.kind === "journal" && this.journal.length < journalBatchMax) this.journal.push({ ...effect.line, node });
    if (effect.kind === "trace" && animate && this.trace.length < traceBatchMax)
      this.trace.push({ instant: at, node, trace: effect.event });
  }

  /** Lines that have been gathered and not told yet. */
  untold(): readonly JournalLine[] {
    return [...(this.releasing ?? []), ...this.journal];
  }

  /** Has what was gathered told when it may leave the lab; what comes meanwhile is told after it. */
  flush(): void {
    const [lines, events] = [this.journal, this.trace];
    if (this.releasing !== undefined || lines.length + events.length === 0) return;
    this.journal = [];
    this.trace = [];
    this.releasing = lines;
    this.released()
      .then(() => {
        this.releasing = undefined;
        if (lines.length > 0) this.tell({ event: "journal", lines });
        if (events.length > 0) this.tell({ event: "trace", events });
        this.flush();
      })
      // A lab that has failed has said so; what it had not confirmed has not happened.
      .catch(() => (this.releasing = undefined));
  }
}
