/**
 * The disks of a lab's nodes in the lab's directory: one folder a machine, by its number, and the contents they share. A worker writes its own machine's; the hub, or a lab in
 * one process, those of all. In the real stack: the cables from the servers to their disks. Left out: what the rows mean.
 */
import { existsSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { DiskContents, DiskImage, Instant, Piece } from "../../kernel/index.ts";
import type { DiskDifference, DiskPlace, DiskSink, StampedCommit } from "../disk-sink.ts";
import { Contents } from "./contents.ts";
import { crashCut, type DiskCut } from "./crash-cut.ts";
import { Damaged, makeFolder, opened } from "./database.ts";
import { Disk } from "./disk.ts";
import { imageDigest, isHole } from "./rows.ts";

/** What was found on a disk: what the machine has in mind too; nothing, since it never ran; or something else. */
export type DiskFound = { readonly found: "same"; readonly overwritten?: number } | { readonly found: "nothing" } | DiskDifference;

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
    makeFolder(dir);
    this.disk = new Disk(join(dir, "disk.db"), contents);
    // What a run before left in the log is confirmed, or cut, by whoever brings the lab up.
    this.unsettled = opened(this.disk, () => this.disk.logged);
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

  /** What is later than `until` and than commit `seq` has not happened. Returns how many rows of somebody else's what had happened overwrites. */
  cut(until: Instant, seq?: number): number {
    const overwritten = this.disk.cut(until, seq);
    this.unsettled = [];
    return overwritten;
  }

  /** Instant of the last commit in the rows. */
  get appliedAt(): Instant {
    return this.disk.appliedAt;
  }

  /** Has exactly this on the disk, where it has not: a state of another run may have had as many commits. */
  follow({ image, chunks }: DiskContents): void {
    if (!this.disk.empty && this.disk.lastSeq === image.seq && imageDigest(this.disk.current()) === imageDigest(image)) return;
    this.disk.lay(image, (hash) => pieceOf(chunks, hash));
    this.unsettled = [];
  }

  /**
   * Compares what is on the disk with what the machine has in mind. Throws Damaged.
   * @param overwritten rows of somebody else's that are there no longer
   */
  compare(own: DiskContents, overwritten = 0): DiskFound {
    if (this.disk.empty) return { found: "nothing" };
    const { image, foreign } = this.disk.whole();
    if (foreign === 0 && imageDigest(image) === imageDigest(own.image))
      return overwritten === 0 ? { found: "same" } : { found: "same", overwritten };
    const wanted = new Set(
      image.inodes.flatMap(({ inode }) => inode.chunks ?? []).filter((hash) => !isHole(hash) && !own.chunks.has(hash)),
    );
    const chunks = [...wanted].map((hash): Piece => ({ hash, data: this.contents.get(hash) }));
    return { found: "other", image, chunks, foreign };
  }

  /** All of it, whether it has reached the rows or not. */
  current(): DiskImage {
    return this.disk.current();
  }

  close(): void {
    this.disk.close();
  }
}

function contentsFile(dir: string): string {
  return join(dir, "contents.db");
}

function asideName(path: string): string {
  for (let k = 1; ; k++) if (!existsSync(`${path}.damaged-${k}`)) return `${path}.damaged-${k}`;
}

/** A SQLite file and what belongs to it get another name. */
function putFilesAside(file: string): string {
  const aside = asideName(file);
  for (const part of ["-wal", "-shm", ""]) if (existsSync(`${file}${part}`)) renameSync(`${file}${part}`, `${aside}${part}`);
  return aside;
}

function pieceOf(chunks: ReadonlyMap<string, Uint8Array>, hash: string): Uint8Array {
  const piece = chunks.get(hash);
  if (piece === undefined) throw new Error(`a disk refers to the piece ${hash}, which nobody has`);
  return piece;
}

export class NodeDisks {
  readonly contents: Contents;
  private readonly open = new Map<number, NodeDisk>();

  /** @param dir of the disks alone */
  constructor(readonly dir: string) {
    makeFolder(dir);
    this.contents = new Contents(contentsFile(dir));
  }

  /**
   * The same for whoever brings the lab up, before anybody else has it open: where the contents are damaged, they are put aside, and what can be read of them goes on.
   * `said`: what there is to say of that.
   */
  static mended(dir: string): { readonly disks: NodeDisks; readonly said: string | undefined } {
    makeFolder(dir);
    const file = contentsFile(dir);
    let [damaged, why]: [Contents | undefined, string | undefined] = [undefined, undefined];
    try {
      damaged = new Contents(file);
      why = damaged.fault();
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      why = error.why;
    }
    const kept = why === undefined || damaged === undefined ? [] : [...damaged.readable()];
    damaged?.close();
    if (why === undefined) return { disks: new NodeDisks(dir), said: undefined };
    const aside = putFilesAside(file);
    const disks = new NodeDisks(dir);
    disks.contents.add(kept);
    return { disks, said: `${file} is damaged: ${why}; it was put aside as ${aside}, and ${kept.length} pieces of files could be read` };
  }

  /** The folder of machine `number`. */
  folder(number: number): string {
    return join(this.dir, String(number));
  }

  of(number: number): NodeDisk {
    let disk = this.open.get(number);
    if (disk === undefined) {
      disk = new NodeDisk(this.folder(number), this.contents);
      this.open.set(number, disk);
    }
    return disk;
  }

  /** What a crash has left of all disks together. */
  toldCut(): DiskCut {
    return crashCut(
      this.contents,
      this.numbers().map((number) => this.appliedAt(number)),
    );
  }

  private appliedAt(number: number): Instant {
    try {
      return this.of(number).appliedAt;
    } catch (error) {
      // Whoever looks at it puts it aside.
      if (error instanceof Damaged) return 0;
      throw error;
    }
  }

  /** Looks at a disk that nobody uses, cut at the instant up to which something had been told. One that cannot be read is put aside. */
  look(number: number, until: Instant, own: DiskContents, seq?: number): DiskFound {
    return this.compared(number, own, (disk) => disk.cut(until, seq));
  }

  /** The same while the lab runs: what not every process has confirmed stays in the log. */
  lookRunning(number: number, own: DiskContents): DiskFound {
    return this.compared(number, own, () => 0);
  }

  private compared(number: number, own: DiskContents, before: (disk: NodeDisk) => number): DiskFound {
    try {
      const disk = this.of(number);
      return disk.compare(own, before(disk));
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      return { found: "damaged", why: error.message, aside: this.putAside(number) };
    }
  }

  private putAside(number: number): string {
    this.release(number);
    const folder = this.folder(number);
    const aside = asideName(folder);
    renameSync(folder, aside);
    return aside;
  }

  /** Machines that have a folder here. */
  private numbers(): number[] {
    return readdirSync(this.dir).flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
  }

  /**
   * Forgets contents that neither a disk nor anything else refers to. Only while nobody else writes. A disk that cannot be read, of a machine that is there no longer, is put aside.
   * @param referred hashes of the pieces that something beside the disks refers to
   * @returns what is to be said
   */
  collect(referred: Iterable<string>): string[] {
    const said: string[] = [];
    const inUse = new Set(referred);
    for (const number of this.numbers()) {
      // A disk that was not open is a worker's.
      const open = this.open.has(number);
      try {
        for (const { inode } of this.of(number).current().inodes) for (const hash of inode.chunks ?? []) inUse.add(hash);
      } catch (error) {
        if (!(error instanceof Damaged)) throw error;
        said.push(`${error.message}; it was put aside as ${this.putAside(number)}`);
      }
      if (!open) this.release(number);
    }
    this.contents.collect(inUse);
    return said;
  }

  /** Everything has been confirmed up to `until`, and nobody else writes: it stands in the rows, where a person finds it. A disk that cannot be read is left as it is. */
  settle(until: Instant): void {
    for (const number of this.numbers())
      try {
        this.of(number).confirmed(until);
      } catch (error) {
        // It is named when the lab is brought up.
        if (!(error instanceof Damaged)) throw error;
      }
  }

  /** Pieces of a machine's disk that are missing in the contents, or have changed there, are written anew. Returns how many. */
  mend({ image, chunks }: DiskContents): number {
    const wanted = new Set(image.inodes.flatMap(({ inode }) => (inode.chunks ?? []).filter((hash) => !isHole(hash))));
    return this.contents.mend([...wanted].map((hash) => ({ hash, data: pieceOf(chunks, hash) })));
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

/** The disk of the one machine that a worker runs. */
export class WorkerDisk implements DiskSink {
  private disks: NodeDisks | undefined;
  private disk: NodeDisk | undefined;

  begin({ dir, number, look }: DiskPlace, own: DiskContents): DiskDifference | undefined {
    this.disks?.close();
    this.disks = new NodeDisks(dir);
    const found = look ? this.disks.lookRunning(number, own) : { found: "nothing" as const };
    this.disk = this.disks.of(number);
    if (found.found !== "other") this.disk.follow(own);
    return found.found === "other" || found.found === "damaged" ? found : undefined;
  }

  write(_machine: string, commits: readonly StampedCommit[]): void {
    this.disk?.write(commits);
  }

  confirmed(_machine: string, until: Instant): void {
    this.disk?.confirmed(until);
  }
}

/** The disks of all machines, for a lab in one process and for a hub that writes for workers that are gone. */
export class AllDisks implements DiskSink {
  /** @param shared workers have these files open, too: none stays open here */
  constructor(
    private readonly disks: NodeDisks,
    private readonly numberOf: (machine: string) => number,
    private readonly shared: boolean,
  ) {}

  begin({ number }: DiskPlace, own: DiskContents): undefined {
    this.disks.of(number).follow(own);
    return undefined;
  }

  write(machine: string, commits: readonly StampedCommit[]): void {
    const number = this.numberOf(machine);
    this.disks.of(number).write(commits);
    if (this.shared) this.disks.release(number);
  }

  confirmed(machine: string, until: Instant): void {
    if (!this.shared) this.disks.of(this.numberOf(machine)).confirmed(until);
  }
}
