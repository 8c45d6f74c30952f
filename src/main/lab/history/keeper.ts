/** Keeps a lab's timeline and task log on disk: what is new when it may leave the lab, all of it anew where the run goes on from an earlier instant. */
import type { Timeline } from "../view/timeline.ts";
import type { HistoryEntry, HistoryFile } from "./history-file.ts";

export class HistoryKeeper {
  private waiting: HistoryEntry[] = [];
  private writing = false;
  private broken = false;

  /**
   * @param file where it is kept; undefined: nowhere
   * @param confirmed resolves when what has happened so far may leave the lab
   * @param failed is told once why it cannot be kept
   */
  constructor(
    private readonly timeline: Timeline,
    private readonly file: HistoryFile | undefined,
    private readonly confirmed: () => Promise<void>,
    private readonly failed: (error: unknown) => void,
  ) {
    if (file === undefined) return;
    timeline.keep((entry) => this.waiting.push(entry));
    this.rewrite();
  }

  /** Has what is new written when it may leave the lab. */
  note(): void {
    if (this.writing || this.waiting.length === 0) return;
    const count = this.waiting.length;
    this.writing = true;
    this.confirmed()
      .then(() => this.write(Math.min(count, this.waiting.length)))
      // A lab that has failed has said so; what it had not confirmed has not happened.
      .catch(() => undefined)
      .finally(() => (this.writing = false));
  }

  /** Writes what is new. Everything so far may leave the lab. */
  write(count = this.waiting.length): void {
    const { file } = this;
    const entries = this.waiting.splice(0, count);
    if (file === undefined || this.broken || entries.length === 0) return;
    if (file.long) this.rewrite();
    else this.trying(() => file.append(entries));
  }

  /** Writes all of it anew. Everything so far may leave the lab. */
  rewrite(): void {
    this.waiting = [];
    this.trying(() => this.file?.rewrite(this.timeline.entries()));
  }

  private trying(work: () => void): void {
    if (this.broken) return;
    try {
      work();
    } catch (error) {
      this.broken = true;
      this.failed(error);
    }
  }

  close(): void {
    this.file?.close();
  }
}
