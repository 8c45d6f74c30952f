/**
 * The disks of a lab's nodes in the lab's directory: one folder a machine, by its number, and the contents they share. A worker writes its own machine's; the hub, or a lab in
 * one process, those of all. In the real stack: the cables from the servers to their disks. Left out: what the rows mean.
 */
import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { DiskImage, Instant } from "../../kernel/index.ts";
import type { StampedCommit } from "../disk-sink.ts";
import { Contents } from "./contents.ts";
import { Damaged } from "./database.ts";
import { Disk } from "./disk.ts";
import { imageDigest, isHole } from "./rows.ts";

/** A disk as a machine has it in mind, or as it was read. */
export interface DiskState {
  readonly image: DiskImage;
  readonly chunks: ReadonlyMap<string, Uint8Array>;
}

/** What was found on a disk when a lab is brought up. */
export type DiskFound =
  /** Nothing was ever laid down there. */
  | { readonly found: "nothing" }
  /** What the machine has in mind, too. */
  | { readonly found: "same" }
  /** Something else; `foreign` rows that somebody else wrote. */
  | { readonly found: "other"; readonly state: DiskState; readonly foreign: number }
  /** It could not be read and was put aside, under this name. */
  | { readonly found: "damaged"; readonly why: string; readonly aside: string };

/** One machine's disk. */
export class NodeDisk {
  private readonly disk: Disk;
  /** Instants of commits in the log that have not reached the rows, so that asking costs nothing where there are none. */
  private unsettled: Instant[] = [];
  private settledTo: Instant = -1;

  constructor(
    readonly dir: string,
    private readonly contents: Contents,
  ) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.disk = new Disk(join(dir, "disk.db"), contents);
    // What a run before left in the log is confirmed, or cut, by whoever brings the lab up.
    this.unsettled = this.disk.lastSeq > this.disk.appliedSeq ? [0] : [];
  }

  write(commits: readonly StampedCommit[]): void {
    this.disk.write(commits);
    for (const { at } of commits) this.unsettled.push(at);
  }

  /** Everything up to `until` may reach the rows. */
  confirmed(until: Instant): void {
    if (until <= this.settledTo) return;
    this.settledTo = until;
    if (!this.unsettled.some((at) => at <= until)) return;
    this.disk.settle(until);
    this.unsettled = this.unsettled.filter((at) => at > until);
  }

  /** What had not been told to anybody at `until` has not happened. */
  cut(until: Instant): void {
    this.disk.cut(until);
    this.unsettled = [];
  }

  /** Has exactly this on the disk, where it has not. `seq` alone tells: between two looks only the lab writes. */
  follow(seq: number, state: () => DiskState): void {
    if (!this.disk.empty && this.disk.lastSeq === seq) return;
    const { image, chunks } = state();
    this.disk.lay(image, (hash) => pieceOf(chunks, hash));
    this.unsettled = [];
  }

  /** Compares what is on the disk with what the machine has in mind. Throws Damaged. */
  compare(own: DiskState): DiskFound {
    if (this.disk.empty) return { found: "nothing" };
    const { image, foreign } = this.disk.read();
    if (foreign === 0 && imageDigest(image) === imageDigest(own.image)) return { found: "same" };
    const chunks = new Map<string, Uint8Array>();
    for (const { inode } of image.inodes)
      for (const hash of inode.chunks ?? []) if (!own.chunks.has(hash) && !isHole(hash)) chunks.set(hash, this.contents.get(hash));
    return { found: "other", state: { image, chunks }, foreign };
  }

  close(): void {
    this.disk.close();
  }
}

function pieceOf(chunks: ReadonlyMap<string, Uint8Array>, hash: string): Uint8Array {
  const piece = chunks.get(hash);
  if (piece === undefined) throw new Error(`a disk refers to the piece ${hash}, which nobody has`);
  return piece;
}

export class NodeDisks {
  readonly contents: Contents;
  private readonly open = new Map<number, NodeDisk>();

  /** @param dir of the lab */
  constructor(private readonly dir: string) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.contents = new Contents(join(dir, "contents.db"));
  }

  /** The folder of machine `number`. */
  folder(number: number): string {
    return join(this.dir, "disks", String(number));
  }

  of(number: number): NodeDisk {
    let disk = this.open.get(number);
    if (disk === undefined) {
      disk = new NodeDisk(this.folder(number), this.contents);
      this.open.set(number, disk);
    }
    return disk;
  }

  /** Looks at a disk that nobody uses, cut at the instant up to which something had been told. One that cannot be read is put aside. */
  look(number: number, until: Instant, own: DiskState): DiskFound {
    try {
      const disk = this.of(number);
      disk.cut(until);
      return disk.compare(own);
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      return { found: "damaged", why: error.message, aside: this.putAside(number) };
    }
  }

  private putAside(number: number): string {
    this.release(number);
    const folder = this.folder(number);
    for (let k = 1; ; k++) {
      const aside = `${folder}.damaged-${k}`;
      try {
        renameSync(folder, aside);
        return aside;
      } catch (error) {
        if (!(error instanceof Error && "code" in error && (error.code === "ENOTEMPTY" || error.code === "EEXIST"))) throw error;
      }
    }
  }

  /** Somebody else writes this disk from here on. */
  release(number: number): void {
    const disk = this.open.get(number);
    this.open.delete(number);
    disk?.close();
  }

  close(): void {
    for (const number of [...this.open.keys()]) this.release(number);
    this.contents.close();
  }
}
