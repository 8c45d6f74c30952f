/**
 * What leaves a lab: nothing before every worker has confirmed the instant it belongs to, and every act up to there is in the record on disk. So whatever somebody has seen
 * acknowledged is there after a crash.
 */
import type { NodeDisks } from "../../../engine/host/disk/node-disks.ts";
import type { LiveHost } from "../../../engine/host/index.ts";
import type { World } from "../../../engine/world/index.ts";
import { collectContents } from "../store/collect.ts";
import type { LabDisk } from "../store/disk.ts";
import { stateOfWorld } from "../store/world-state.ts";

/** Bytes by which the store of contents grows before it is looked through. */
const CONTENTS_GROWTH_MAX = 64 * 1024 * 1024;

/** The last commit of each machine's disk, by its number. */
function diskSeqs(world: World): Map<number, number> {
  const seqs = new Map<number, number>();
  world.topology.machines.forEach((_design, number) => {
    const machine = world.machineAt(number);
    if (machine !== undefined) seqs.set(number, machine.diskSeq());
  });
  return seqs;
}

export class OutputCommit {
  /** Acts that are recorded, or about to be. */
  private inputs = "";
  /** Bytes of the store when it was last looked through. */
  private contentsAfter: number;

  constructor(
    private readonly host: LiveHost,
    private readonly disk: LabDisk,
    private readonly disks: NodeDisks,
    /** Hears what is to be said. */
    private readonly told: (line: string) => void = () => undefined,
    private readonly growthMax = CONTENTS_GROWTH_MAX,
  ) {
    this.contentsAfter = disks.contents.bytes;
  }

  /** Resolves when everything so far may leave the lab. Rejects when it never will, or the record cannot be written. */
  async settled(): Promise<void> {
    const { world } = this.host;
    const [count, at, seqs] = [world.inputs().length, world.now, diskSeqs(world)];
    const same = this.sameCourse();
    await this.host.whenConfirmed();
    if (!same()) return;
    this.disk.note(world, count);
    // What is told from here on is on every disk, also after a crash at this moment.
    this.disks.contents.release(at, seqs, count);
  }

  /** Whether the run is still the one it is now when the answer is asked: one that was put back meanwhile has another record, and other disks. */
  private sameCourse(): () => boolean {
    const { course } = this.disk;
    return () => course !== undefined && this.disk.course === course;
  }

  /** The same for what only looks: also a lab that has failed can be looked at. */
  async shown(): Promise<void> {
    try {
      await this.settled();
    } catch (error) {
      if (!this.host.failed) throw error;
    }
  }

  /** Has acts recorded that are not yet. `trouble` is told where they cannot be, `whenFull` when they were and there is no room for more. */
  noteInputs(trouble: (error: unknown) => void, whenFull: (why: string) => void): void {
    const count = `${this.disk.course}:${this.host.world.inputs().length}`;
    if (count === this.inputs) return;
    this.inputs = count;
    this.settled().then(
      () => {
        const { full } = this.disk;
        if (full !== undefined) whenFull(full);
      },
      (error: unknown) => {
        this.inputs = "";
        // A host that has failed has told so itself.
        if (!this.host.failed) trouble(error);
      },
    );
  }

  /** Writes how far time has come. */
  async noteTime(): Promise<void> {
    const last = this.host.world.checkpoints().at(-1);
    const same = this.sameCourse();
    await this.settled();
    if (same()) this.disk.noteTime(last);
  }

  async saveDisks(): Promise<void> {
    const state = stateOfWorld(this.host.world);
    const same = this.sameCourse();
    await this.settled();
    if (!same()) return;
    this.disk.saveDisks(state);
    await this.boundContents();
  }

  /** Contents that nobody refers to any more, files written over and deleted, are forgotten when there may be many of them. */
  private async boundContents(): Promise<void> {
    const { contents } = this.disks;
    if (contents.bytes < this.contentsAfter + this.growthMax) return;
    await this.host.still(() => {
      for (const line of collectContents(this.disk.dir, this.disks)) this.told(line);
    });
    this.contentsAfter = contents.bytes;
  }
}
