/**
 * Whose turn it is on one machine: one program runs at any moment, to the end of its turn, and the earliest timer of all says who is next. In the real stack: the run queue and the
 * timer wheel. Asked for every event of the world, so that nothing here looks at more than it must: each process's next timer is kept, and only who has just run is asked again.
 */
import { NEVER, type ArmedTimer, type Instant, type Program } from "../../kernel/index.ts";
import { timerOf, type Process } from "./process.ts";

export class Turns {
  /** Whose program is running; nothing else may be called meanwhile. */
  private current: Process | undefined;
  /** The one with the earliest timer; undefined: to be looked for. */
  private earliest: Process | undefined;

  constructor(private readonly processes: () => readonly Process[]) {}

  get running(): boolean {
    return this.current !== undefined;
  }

  /** Lets one program run. Nothing else runs meanwhile, and none is called that has ended. */
  take(process: Process, run: (program: Program) => void): void {
    if (this.current !== undefined) throw new Error(`${process.record.comm} is called while ${this.current.record.comm} runs`);
    const { program } = process;
    if (program === undefined || process.record.exit !== undefined) return;
    this.current = process;
    run(program);
    this.current = undefined;
    this.asked(process);
  }

  /** Its timers may be others now. */
  asked(process: Process): void {
    const at = timerOf(process);
    const before = process.timerAt;
    process.timerAt = at;
    const first = this.earliest;
    if (first === undefined) return;
    if (first === process) {
      if (at > before) this.earliest = undefined;
    } else if (at < first.timerAt || (at === first.timerAt && process.record.serial < first.record.serial)) this.earliest = process;
  }

  first(): Process | undefined {
    if (this.earliest !== undefined) return this.earliest;
    let best: Process | undefined;
    // They stand in the order of their serial numbers, so that of equal instants the older one's is first.
    for (const p of this.processes()) if (best === undefined || p.timerAt < best.timerAt) best = p;
    this.earliest = best;
    return best;
  }

  /** Instant of the earliest timer of a process that runs. */
  nextTimerAt(): Instant {
    return this.first()?.timerAt ?? NEVER;
  }

  /** Timers of the processes that run, as far as their programs name them; in the order of the processes. */
  armed(): ArmedTimer[] {
    return this.processes().flatMap((process) => {
      if (timerOf(process) === NEVER) return [];
      return (process.program?.armed?.() ?? []).map(({ name, at }) => ({ program: process.record.comm, name, at }));
    });
  }

  /** Processes have come, gone or stopped. */
  changed(): void {
    this.earliest = undefined;
  }
}
