/**
 * A lab's directory: the lab file, the record that grows while the lab runs, and the state it was frozen in. A crash at any instant leaves a record
 * whose replay gives every node's disk; `disks.bin` saves having to replay from the beginning. What is damaged is named and put aside, and the best that is left counts.
 */
import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isCount, isText, listOf, shape } from "../../../engine/kernel/check.ts";
import type { Instant } from "../../../engine/kernel/index.ts";
import {
  recordCheckpoint,
  recordEnd,
  recordHead,
  recordInput,
  RecordWriter,
  World,
  type Checkpoint,
  type Input,
  type MachineFactory,
  type Note,
  type WorldDesign,
  type WorldSnapshot,
} from "../../../engine/world/index.ts";
import { LineFile, PRIVATE_MODE, writeAtomic } from "./atomic-files.ts";
import {
  asideName,
  endAfterGood,
  keepAside,
  otherVersion,
  readRecordFile,
  refuseOtherVersion,
  writeRecord,
  type RecordFile,
} from "./record-file.ts";
import { readSealed, SealTrouble, writeSealed, type SealedKind } from "./sealed-file.ts";
import type { PieceStore } from "./state-pieces.ts";
import { asWorldSnapshot, stateOfWorld, worldAt, type WorldState } from "./world-state.ts";

export const files = { lab: "lab.yaml", record: "record.jsonl", frozen: "frozen.bin", disks: "disks.bin", nodes: "disks" };

/** Notes kept; a lab that is rolled back over and over says so for the last times. */
const notesMax = 100;

/**
 * What may be kept of one lab: bytes of its record, of which what its acts carried is the most, and acts, which a lab has in memory too. From there on nothing more is done to the
 * lab, so that all it has done can be kept.
 */
export interface RecordBudget {
  readonly bytes: number;
  readonly acts: number;
}

/** Less than a record may have that is replayed, by more than the longest act takes; acts: hours of a script that does nothing else. */
const RECORD_MAX: RecordBudget = { bytes: 128 * 1024 * 1024, acts: 250_000 };

/** What a frozen lab is more than its world. */
export interface Frozen {
  world: WorldState;
  speed: number | "max";
  paused: boolean;
  /** Of the record. */
  notes?: readonly Note[];
}

export const kinds: Record<"frozen" | "disks", SealedKind> = { frozen: "frzn", disks: "disk" };

function writeFrozen(path: string, kind: SealedKind, { world, speed, paused, notes = [] }: Frozen, store: PieceStore | undefined): void {
  const { state, digest, machines } = world;
  writeSealed(path, kind, { instant: state.now, digest, machines }, { world: state, speed, paused, notes }, store);
}

const isFrozen = shape({
  world: (v) => asWorldSnapshot(v) !== undefined,
  speed: (v) => v === "max" || (typeof v === "number" && v > 0),
  paused: (v) => typeof v === "boolean",
  notes: listOf(shape({ at: isCount, note: isText })),
});

/** Throws SealTrouble. */
function readFrozen(path: string, kind: SealedKind, store: PieceStore | undefined): Frozen {
  const { head, value } = readSealed(path, kind, store);
  const { digest, machines } = head;
  if (!isFrozen(value) || typeof digest !== "string" || typeof machines !== "string")
    throw new SealTrouble("damaged", path, "is damaged: it does not hold the state of a lab");
  // As checked just now.
  const { world: state, ...rest } = value as Omit<Frozen, "world"> & { world: WorldSnapshot };
  return { ...rest, world: { state, digest, machines } };
}

/**
 * Makes the files of a lab that is frozen at `frozen.world`. It has no store yet, so the frozen state brings the contents of its files along. The lab file comes last: without
 * it there is no lab. Throws Trouble.
 */
export function writeLab(dir: string, lab: string, frozen: Frozen): void {
  writeRecord(join(dir, files.record), lab, frozen.world.state, frozen.notes ?? []);
  writeFrozen(join(dir, files.frozen), kinds.frozen, frozen, undefined);
  writeAtomic(join(dir, files.lab), lab, PRIVATE_MODE);
}

/** A file that is not used is kept beside, under a name that says why. */
function putAside(path: string): string {
  const aside = asideName(path);
  renameSync(path, aside);
  return aside;
}

/** What somebody outside had been told of a run: the instant, and how many acts. */
export interface Told {
  readonly at: Instant;
  readonly acts: number;
}

const NOTHING_TOLD: Told = { at: 0, acts: 0 };

/** Why a record is not that of a run with so many acts; undefined where it is. */
function strange(path: string, { reader }: RecordFile, lab: string, acts: number): string | undefined {
  const { fault, record } = reader;
  if (fault !== undefined) return `${path}:${fault.line}: ${fault.message}`;
  if (record === undefined) return `${path} is damaged: it is empty`;
  if (record.lab !== lab) return `${path} is that of another lab file`;
  const more = record.inputs.length - acts;
  if (more > 0) return `${path} has ${more === 1 ? "an act" : `${more} acts`} that the state it is to go on from does not know`;
  if (more < 0) return `${path} lacks the last ${more === -1 ? "act" : `${-more} acts`} of the state it is to go on from`;
  return undefined;
}

/** How a lab was found in its directory. */
export interface Found {
  world: World;
  /** new: never ran. frozen: goes on at the same instant. crashed: everything but the disks is lost. */
  how: "new" | "frozen" | "crashed";
  speed: number | "max";
  paused: boolean;
  /** What was damaged, and what became of it. */
  said: readonly string[];
}

export class LabDisk {
  private record: LineFile | undefined;
  private seen = 0;
  private courseNumber = 0;
  private frozen = false;
  /** Of the record, as it stands on disk. */
  private writer = new RecordWriter();
  /** Instant of the last checkpoint in the record. */
  private noted = -1;
  private keptNotes: readonly Note[] = [];

  /**
   * @param store of the lab, for the contents of files; undefined: state files hold them themselves
   * @param owned throws where the directory is the lab's no longer: before every write
   */
  constructor(
    readonly dir: string,
    private readonly store?: PieceStore,
    private readonly owned: () => void = () => undefined,
    private readonly budget = RECORD_MAX,
  ) {}

  /** Why nothing more may be done to the lab, and what helps; undefined: there is room. */
  get full(): string | undefined {
    const { bytes, acts } = this.budget;
    const what =
      (this.record?.size ?? 0) >= bytes ? `${Math.round(bytes / 1024 / 1024)} MiB` : this.seen >= acts ? `${acts} acts` : undefined;
    if (what === undefined) return undefined;
    return `${this.path("record")} has ${what}, the most that is kept of one lab; "quorate rollback NAME" goes back to a snapshot, "quorate up --lab DIR" makes another lab`;
  }

  path(name: keyof typeof files): string {
    return join(this.dir, files[name]);
  }

  /**
   * Brings the world back as far as the directory tells: the frozen state, else the state as last saved and the record, else the record alone. What is damaged is put aside and
   * said. Throws Trouble where a file cannot be read at all, or is of another engine; then nothing was changed.
   * @param lab the lab file's text
   * @param told after a crash the run is played at least to there
   */
  open(lab: string, design: WorldDesign, make: MachineFactory, told = NOTHING_TOLD): Found {
    refuseOtherVersion(this.dir);
    const said: string[] = [];
    const frozen = this.state("frozen", design, make, said);
    const found = existsSync(this.path("record")) ? readRecordFile(this.path("record")) : undefined;
    if (frozen !== undefined) {
      const { world, speed, paused, notes } = frozen;
      this.keptNotes = notes;
      this.continue(lab, world, found, said, world.inputs().length);
      return { world, how: "frozen", speed, paused, said };
    }
    if (found !== undefined || existsSync(this.path("disks")) || this.ranBefore()) {
      const { world, acts } = this.replayed(found, design, make, said, told);
      this.continue(lab, world, found, said, acts);
      // What had been announced may have come about just now.
      this.note(world);
      return { world, how: "crashed", speed: 1, paused: false, said };
    }
    const world = new World(design, make);
    this.record = new LineFile(this.path("record"), "w");
    this.append(recordHead(lab));
    return { world, how: "new", speed: 1, paused: false, said };
  }

  /** Some node has a disk. */
  private ranBefore(): boolean {
    return existsSync(this.path("nodes")) && readdirSync(this.path("nodes")).some((name) => /^\d+$/.test(name));
  }

  /** What a state file holds, with a world that stands there. One that is damaged is put aside and said; then, and where there is none, undefined. */
  private state(
    name: "frozen" | "disks",
    design: WorldDesign,
    make: MachineFactory,
    said: string[],
  ): { world: World; speed: number | "max"; paused: boolean; notes: readonly Note[] } | undefined {
    const path = this.path(name);
    if (!existsSync(path)) return undefined;
    try {
      const { world: kept, speed, paused, notes = [] } = readFrozen(path, kinds[name], this.store);
      const world = worldAt(design, make, kept);
      if (world === undefined) throw new SealTrouble("damaged", path, "is damaged: no lab stands where it says");
      return { world, speed, paused, notes };
    } catch (error) {
      if (!(error instanceof SealTrouble)) throw error;
      if (error.fault === "version") throw otherVersion(error.message);
      said.push(`${error.message}; it was put aside as ${putAside(path)}, and what is in the record counts`);
      return undefined;
    }
  }

  /** From the state as last saved on, every input of the record again. `acts`: so many of them the record should have. */
  private replayed(
    found: RecordFile | undefined,
    design: WorldDesign,
    make: MachineFactory,
    said: string[],
    told: Told,
  ): { world: World; acts: number } {
    const record = found?.reader.record;
    const inputs = record?.inputs ?? [];
    this.keptNotes = record?.notes ?? [];
    const world = this.state("disks", design, make, said)?.world ?? new World(design, make);
    const acts = Math.max(inputs.length, world.inputs().length);
    // Acts that were waiting for their instant come from the record, where they were written when they happened.
    const waiting = new Set(world.waiting().map((input) => recordInput(input)));
    const instants = new Set(world.waiting().map(({ at }) => at));
    const waits = (input: Input): boolean => instants.has(input.at) && waiting.has(recordInput(input));
    const rest: Input[] = inputs.slice(world.inputs().length);
    for (const input of rest) if (!waits(input)) world.expect(input.at, input.act);
    const last = Math.max(world.now, told.at, inputs.at(-1)?.at ?? 0, record?.checkpoints.at(-1)?.at ?? 0, record?.end?.at ?? 0);
    world.runUntil(last + 1);
    const lost = told.acts - acts;
    if (lost > 0) said.push(`${this.path("record")} lacks the last ${lost === 1 ? "act" : `${lost} acts`} that the lab had done`);
    return { world, acts };
  }

  /** The record goes on; where it is not that of `world` up to so many acts, it is written anew. */
  private continue(lab: string, world: World, found: RecordFile | undefined, said: string[], acts: number): void {
    const path = this.path("record");
    const why = found === undefined ? `${path} is missing` : strange(path, found, lab, acts);
    if (found === undefined || why !== undefined || !found.reader.current) {
      const aside = found === undefined || why === undefined ? "" : ` was put aside as ${keepAside(path)} and`;
      if (why !== undefined) said.push(`${why}; it${aside} was written anew from what is known`);
      this.writer = writeRecord(path, lab, world.snapshot(), this.keptNotes);
      this.seen = world.inputs().length;
    } else {
      endAfterGood(path, found);
      this.writer = found.reader.writer();
      this.seen = acts;
    }
    this.record = new LineFile(path);
  }

  /** What the start came to is on disk, in the record and in the state as saved: the frozen state has had its time. */
  stands(): void {
    rmSync(this.path("frozen"), { force: true });
  }

  /** Writes the inputs that the record has not yet, up to so many of them. Called before anything about them is acknowledged. */
  note(world: World, count = Number.POSITIVE_INFINITY): void {
    const inputs = world.inputs();
    for (; this.seen < Math.min(inputs.length, count); this.seen++) {
      const input = inputs[this.seen];
      if (input) this.writer.addInput(input, (line) => this.write(line));
    }
  }

  private append(text: string): void {
    this.writer.add(text, (line) => this.write(line));
  }

  private write(line: string): void {
    this.owned();
    this.record?.append(line);
  }

  /** Writes how far time has come, so that a crash loses little of it; the inputs before it are written. */
  noteTime(last: Checkpoint | undefined): void {
    if (last === undefined || last.at <= this.noted) return;
    this.noted = last.at;
    this.append(recordCheckpoint(last));
  }

  saveDisks(world: WorldState): void {
    // What stands on disk is what it was frozen with.
    if (this.frozen) return;
    this.owned();
    writeFrozen(this.path("disks"), kinds.disks, { world, speed: 1, paused: false }, this.store);
  }

  /** Everything on disk, so that the next start goes on at this instant. */
  freeze(world: World, speed: number | "max", paused: boolean): void {
    this.owned();
    this.note(world);
    this.noteTime(world.checkpoints().at(-1));
    const kept = stateOfWorld(world);
    // In the middle of an instant there is no digest that a replay could be compared with.
    if (!kept.state.opened) this.append(recordEnd({ at: world.now, digest: world.digest() }));
    this.record?.sync();
    writeFrozen(this.path("frozen"), kinds.frozen, { world: kept, speed, paused, notes: this.keptNotes }, this.store);
    // Nothing that happens from here on has happened.
    this.frozen = true;
    this.record?.close();
    this.record = undefined;
  }

  /** What the record says about itself. */
  notes(): readonly Note[] {
    return this.keptNotes;
  }

  /** The record becomes that of the run up to `state`, with a note. Throws Trouble when the disk refuses; then it is what it was. */
  rewind(lab: string, state: WorldSnapshot, note: string): void {
    const notes = [...this.keptNotes.filter((old) => old.at <= state.now), { at: state.now, note }].slice(-notesMax);
    this.owned();
    // Disks of the run that is given up must not be taken for this one's.
    rmSync(this.path("disks"), { force: true });
    this.record?.close();
    try {
      this.writer = writeRecord(this.path("record"), lab, state, notes);
      this.keptNotes = notes;
      this.seen = state.inputs.length;
      this.noted = state.trace.checkpoints.at(-1)?.at ?? -1;
      this.courseNumber++;
    } finally {
      this.record = new LineFile(this.path("record"));
    }
  }

  /** The run stands where `rewind` said. */
  rewound(): void {
    this.courseNumber++;
  }

  /**
   * Which course of events the record is of; undefined between `rewind` and `rewound`, while the run is still the one that is given up. What was asked for under another number is
   * not the record's.
   */
  get course(): number | undefined {
    return this.courseNumber % 2 === 0 ? this.courseNumber : undefined;
  }

  close(): void {
    this.record?.close();
  }
}
