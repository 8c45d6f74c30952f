/**
 * What leaves a lab: nothing before every worker has confirmed the instant it belongs to, and every act up to there is in the record on disk. So whatever somebody has seen
 * acknowledged is there after a crash.
 */
import type { NodeDisks } from "../../../engine/host/disk/node-disks.ts";
import type { LiveHost } from "../../../engine/host/index.ts";
import type { World } from "../../../engine/world/index.ts";
import type { LabDisk } from "../store/disk.ts";
import { stateOfWorld } from "../store/world-state.ts";

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
  private inputs = -1;

  constructor(
    private readonly host: LiveHost,
    private readonly disk: LabDisk,
    private readonly disks: NodeDisks,
  ) {}

  /** Resolves when everything so far may leave the lab. Rejects when it never will, or the record cannot be written. */
  async settled(): Promise<void> {
    const { world } = this.host;
    const [count, at, seqs] = [world.inputs().length, world.now, diskSeqs(world)];
    await this.host.whenConfirmed();
    this.disk.note(world, count);
    // What is told from here on is on every disk, also after a crash at this moment.
    this.disks.contents.release(at, seqs, count);
  }

  /** The same for what only looks: also a lab that has failed can be looked at. */
  async shown(): Promise<void> {
    try {
      await this.settled();
    } catch (error) {
      if (!this.host.failed) throw error;
    }
  }

  /** Has acts recorded that are not yet. `trouble` is told where they cannot be. */
  noteInputs(trouble: (error: unknown) => void): void {
    const count = this.host.world.inputs().length;
    if (count === this.inputs) return;
    this.inputs = count;
    this.settled().catch((error: unknown) => {
      this.inputs = -1;
      // A host that has failed has told so itself.
      if (!this.host.failed) trouble(error);
    });
  }

  /** Writes how far time has come. */
  async noteTime(): Promise<void> {
    const last = this.host.world.checkpoints().at(-1);
    await this.settled();
    this.disk.noteTime(last);
  }

  async saveDisks(): Promise<void> {
    const state = stateOfWorld(this.host.world);
    await this.settled();
    this.disk.saveDisks(state);
  }
}
