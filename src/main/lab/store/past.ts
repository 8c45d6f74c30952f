/** The past of a lab: worlds as they stood, when time stood still, and a lab of its own made from any instant. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Past, PastError } from "../../../engine/host/index.ts";
import type { Instant } from "../../../engine/kernel/time.ts";
import { makeMachine } from "../../../engine/node/index.ts";
import type { World, WorldSnapshot } from "../../../engine/world/index.ts";
import { files, writeLab, type Frozen } from "./disk.ts";
import { rememberLab } from "./registry.ts";
import { makeDir } from "./atomic-files.ts";
import { systemTrouble, Trouble, usage } from "../trouble.ts";

/** Pauses remembered; older ones are taken for running time. */
const pausesMax = 10_000;

export class LabPast {
  private past: Past | undefined;
  private pauses: { from: Instant; to: Instant | undefined }[] = [];

  /** `onFailure` is told when the replay of the run did not repeat it. */
  constructor(
    private readonly world: World,
    private readonly onFailure: (text: string) => void,
  ) {}

  /** Keeps up with the run in the background from now on. */
  follow(): void {
    this.open().follow();
  }

  /** Begins with what is at hand: the run as it stands. Whatever was before is replayed when somebody wants to see it. */
  private open(): Past {
    this.past ??= new Past(this.world, makeMachine, {
      start: this.world.snapshot(),
      snapshot: () => this.world.snapshot(),
      onFailure: this.onFailure,
    });
    return this.past;
  }

  /** Lets `look` look at the world as it stood at `at`, with the acts of that instant done. Throws Trouble. */
  async visit<T>(at: Instant, look: (world: World) => T): Promise<T> {
    if (!Number.isSafeInteger(at) || at < 0 || at > this.world.now)
      throw usage(`instant ${at}: the lab has come from 0 to ${this.world.now} microseconds`);
    try {
      return await this.open().visit(at, look);
    } catch (error) {
      throw error instanceof PastError ? new Trouble("failed", error.message) : error;
    }
  }

  /** The run goes on from `state`, where `put` puts it. */
  async rewind(state: WorldSnapshot, put: () => Promise<void>): Promise<void> {
    if (this.past === undefined) await put();
    else await this.past.rewind(state, put);
    this.pauses = this.pauses.filter((pause) => pause.from <= state.now);
    for (const pause of this.pauses) if (pause.to !== undefined && pause.to > state.now) pause.to = state.now;
  }

  /** Time stands still, or goes on, from `at` on. */
  paused(at: Instant, paused: boolean): void {
    const last = this.pauses.at(-1);
    const open = last !== undefined && last.to === undefined;
    if (paused && !open) this.pauses.push({ from: at, to: undefined });
    if (!paused && open) last.to = at;
    if (this.pauses.length > pausesMax) this.pauses.shift();
  }

  /** Time stood still at this instant. */
  wasPaused(at: Instant): boolean {
    return this.pauses.some(({ from, to }) => from <= at && at <= (to ?? Number.POSITIVE_INFINITY));
  }

  close(): void {
    this.past?.close();
  }
}

/** Makes the directory of a fork: a frozen lab that `up` goes on with. Throws Trouble when there is something already, or it cannot be written. */
export function writeFork(dir: string, lab: string, frozen: Omit<Frozen, "notes">): void {
  try {
    makeDir(dir, true);
    if (readdirSync(dir).length > 0)
      throw usage(
        existsSync(join(dir, files.lab)) ? `${dir} holds a lab already; name another directory` : `${dir} is not empty; name another`,
      );
  } catch (error) {
    throw systemTrouble(error, `lab directory ${dir}`);
  }
  writeLab(dir, lab, { ...frozen, notes: [{ at: frozen.world.state.now, note: "forked here from another lab" }] });
  rememberLab(dir);
}
