/** What happens in a lab, for whoever subscribed: journal lines, things to animate, notices. Gathered while time is granted, told after each grant. */
import type { Effect } from "../../../engine/kernel/machine.ts";
import type { Instant } from "../../../engine/kernel/time.ts";
import type { JournalLine, LabEvent } from "../api.ts";

/** What one grant may bring; a grant at full speed can bring more than anybody reads. */
const journalBatchMax = 5_000;
const traceBatchMax = 2_000;

export class Feed {
  #listeners: ((event: LabEvent) => void)[] = [];
  #journal: JournalLine[] = [];
  #trace: { instant: number; node: string; trace: unknown }[] = [];

  /** Returns what ends it. */
  subscribe(listener: (event: LabEvent) => void): () => void {
    this.#listeners.push(listener);
    return () => {
      this.#listeners = this.#listeners.filter((l) => l !== listener);
    };
  }

  tell(event: LabEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** `animate`: time is slow enough for single packets to be seen. */
  take(at: Instant, node: string, effect: Effect, animate: boolean): void {
    if (this.#listeners.length === 0) return;
    if (effect.kind === "journal" && this.#journal.length < journalBatchMax) this.#journal.push({ ...effect.line, node });
    if (effect.kind === "trace" && animate && this.#trace.length < traceBatchMax)
      this.#trace.push({ instant: at, node, trace: effect.event });
  }

  flush(): void {
    const [lines, events] = [this.#journal, this.#trace];
    this.#journal = [];
    this.#trace = [];
    if (lines.length > 0) this.tell({ event: "journal", lines });
    if (events.length > 0) this.tell({ event: "trace", events });
  }
}
