/** The history of a lab that runs: its timeline with the task log, what is typed at the nodes' prompts, and the file in which both are kept. */
import type { Instant } from "../../../engine/kernel/time.ts";
import type { World } from "../../../engine/world/index.ts";
import type { TimelineWindow } from "../api-history.ts";
import { usage } from "../trouble.ts";
import { Timeline } from "../view/timeline.ts";
import type { HistoryFile } from "./history-file.ts";
import { HistoryKeeper } from "./keeper.ts";
import { TypedLines } from "./typed-lines.ts";

/** The timeline so far, and where it is kept. */
export interface KeptHistory {
  readonly timeline: Timeline;
  readonly file: HistoryFile;
}

export class LabHistory {
  readonly timeline: Timeline;
  readonly typed: TypedLines;
  private readonly keeper: HistoryKeeper;

  /**
   * @param kept undefined: it begins now and is kept nowhere
   * @param confirmed resolves when what has happened so far may leave the lab
   * @param failed is told once why it is kept no longer
   */
  constructor(
    private readonly world: World,
    kept: KeptHistory | undefined,
    confirmed: () => Promise<void>,
    failed: (text: string) => void,
  ) {
    this.timeline = kept?.timeline ?? new Timeline();
    for (const status of world.statuses()) this.timeline.begin(world.now, status);
    this.typed = new TypedLines(world, this.timeline);
    this.keeper = new HistoryKeeper(this.timeline, kept?.file, confirmed, (error) =>
      failed(`the timeline is not kept any more: ${error instanceof Error ? error.message : String(error)}`),
    );
  }

  /** To be asked before anything is drawn: which machines have booted meanwhile. */
  look(): void {
    this.timeline.look(this.world.now, (machine) => this.world.status(machine).booting);
  }

  /** Time has gone on. */
  progress(): void {
    this.look();
    this.keeper.note();
  }

  /** What is to be drawn of [from, to) on so many pixels. Throws Trouble. */
  window(from: Instant, to: Instant, px: number): TimelineWindow {
    if (to <= from) throw usage(`timeline: the end (${to}) comes after the beginning (${from})`);
    this.look();
    return this.timeline.window(from, to, px, this.world.now);
  }

  /** What is new is written now. Everything so far may leave the lab. */
  write(): void {
    this.keeper.write();
  }

  /** The run goes on from where it stands now; what came after it is forgotten. */
  rolledBack(said: string): void {
    const { timeline, world } = this;
    timeline.rewind(world.now, world.statuses());
    timeline.mark(world.now, "act", said);
    this.typed.lose();
    this.keeper.rewrite();
  }

  close(): void {
    this.keeper.close();
  }
}
