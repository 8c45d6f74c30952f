/**
 * A lab's directory: the lab file, the record that grows while the lab runs, and the state it was frozen in. A crash at any instant leaves a record
 * whose replay gives every node's disk; `disks.bin` saves having to replay from the beginning. A state file that is damaged is named and put aside; the record tells the rest.
 */
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isCount, isText, listOf, shape } from "../../../engine/kernel/check.ts";
import type { Instant } from "../../../engine/kernel/index.ts";
import {
  parseRecord,
  printRecord,
  recordCheckpoint,
  recordEnd,
  recordHead,
  recordInput,
  Said,
  saidIn,
  World,
  type Checkpoint,
  type Input,
  type MachineFactory,
  type Note,
  type SaidHashes,
  type WorldDesign,
  type WorldSnapshot,
} from "../../../engine/world/index.ts";
import { LineFile, writeAtomic } from "./atomic-files.ts";
import { otherVersion, refuseOtherVersion } from "./other-version.ts";
import { readSealed, SealTrouble, writeSealed, type SealedKind } from "./sealed-file.ts";
import type { PieceStore } from "./state-pieces.ts";
import { asWorldSnapshot, stateOfWorld, worldAt, type WorldState } from "./world-state.ts";
import { Trouble } from "../trouble.ts";

export const files = { lab: "lab.yaml", record: "record.jsonl", frozen: "frozen.bin", disks: "disks.bin", nodes: "disks" };

/** Notes kept; a lab that is rolled back over and over says so for the last times. */
const notesMax = 100;

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

/** The record of a run that led to `world`. */
function recordOf(lab: string, world: WorldSnapshot, notes: readonly Note[]): string {
  return printRecord({ lab, inputs: [...world.inputs], checkpoints: [...world.trace.checkpoints], end: undefined, notes });
}

/**
 * Makes the files of a lab that is frozen at `frozen.world`. It has no store yet, so the frozen state brings the contents of its files along. The lab file comes last: without
 * it there is no lab. Throws Trouble.
 */
export function writeLab(dir: string, lab: string, frozen: Frozen): void {
  writeAtomic(join(dir, files.record), recordOf(lab, frozen.world.state, frozen.notes ?? []));
  writeFrozen(join(dir, files.frozen), kinds.frozen, frozen, undefined);
  writeAtomic(join(dir, files.lab), lab);
}

/** A file that is not used is kept beside, under a name that says why. */
function putAside(path: string): string {
  for (let k = 1; ; k++) {
    const aside = `${path}.damaged-${k}`;
    if (existsSync(aside)) continue;
    renameSync(path, aside);
    return aside;
  }
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
  /** By the record, as it stands on disk. */
  private said: SaidHashes = new Said();
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
  ) {}

  path(name: keyof typeof files): string {
    return join(this.dir, files[name]);
  }

  /**
   * Brings the world back as far as the directory tells. Throws Trouble when the record cannot be read, or is of another engine; then nothing was changed.
   * @param lab the lab file's text
   * @param told instant up to which somebody outside had been told of the run: after a crash the run is played at least to there
   */
  open(lab: string, design: WorldDesign, make: MachineFactory, told = 0): Found {
    refuseOtherVersion(this.dir);
    const said: string[] = [];
    const frozen = this.state("frozen", design, make, said);
    if (frozen !== undefined) {
      const { world, speed, paused, notes } = frozen;
      this.keptNotes = notes;
      // It holds all that a record tells.
      if (!existsSync(this.path("record"))) writeAtomic(this.path("record"), recordOf(lab, world.snapshot(), notes));
      this.continue(world);
      return { world, how: "frozen", speed, paused, said };
    }
    if (existsSync(this.path("record"))) {
      const world = this.replayed(design, make, said, told);
      this.continue(world);
      return { world, how: "crashed", speed: 1, paused: false, said };
    }
    const world = new World(design, make);
    this.record = new LineFile(this.path("record"), "w");
    this.record.append(recordHead(lab).trimEnd());
    return { world, how: "new", speed: 1, paused: false, said };
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

  /** From the last saved disks on, every input of the record again. */
  private replayed(design: WorldDesign, make: MachineFactory, said: string[], told: Instant): World {
    const outcome = parseRecord(readFileSync(this.path("record"), "utf8"));
    if (!outcome.ok) throw new Trouble("lab", `${this.path("record")}:${outcome.line}: ${outcome.message}`);
    const { record } = outcome;
    this.keptNotes = record.notes ?? [];
    const saved = this.state("disks", design, make, said)?.world;
    const world = saved !== undefined && saved.inputs().length <= record.inputs.length ? saved : new World(design, make);
    // Acts that were waiting for their instant come from the record, where they were written when they happened.
    const waiting = new Set(world.waiting().map((input) => JSON.stringify(input)));
    const rest: Input[] = record.inputs.slice(world.inputs().length);
    for (const input of rest) if (!waiting.has(JSON.stringify(input))) world.expect(input.at, input.act);
    const last = Math.max(world.now, told, record.inputs.at(-1)?.at ?? 0, record.checkpoints.at(-1)?.at ?? 0, record.end?.at ?? 0);
    world.runUntil(last + 1);
    return world;
  }

  private continue(world: World): void {
    rmSync(this.path("frozen"), { force: true });
    this.said = saidIn(this.dropTornLine());
    this.record = new LineFile(this.path("record"));
    this.seen = world.inputs().length;
  }

  /** A line that a crash cut short must not be continued by the next one. Returns what is left. */
  private dropTornLine(): string {
    const text = readFileSync(this.path("record"), "utf8");
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    if (whole !== text) writeAtomic(this.path("record"), whole);
    return whole;
  }

  /** Writes the inputs that the record has not yet, up to so many of them. Called before anything about them is acknowledged. */
  note(world: World, count = Number.POSITIVE_INFINITY): void {
    const inputs = world.inputs();
    for (; this.seen < Math.min(inputs.length, count); this.seen++) {
      const input = inputs[this.seen];
      if (input) this.append(input);
    }
  }

  private append(input: Input): void {
    const line = recordInput(input, this.said).trimEnd();
    this.owned();
    try {
      this.record?.append(line);
    } catch (error) {
      // What the line says is not in the record: the next one must not refer to it.
      this.said = new Said();
      throw error;
    }
  }

  /** Writes how far time has come, so that a crash loses little of it; the inputs before it are written. */
  noteTime(last: Checkpoint | undefined): void {
    if (last === undefined || last.at <= this.noted) return;
    this.owned();
    this.noted = last.at;
    this.record?.append(recordCheckpoint(last).trimEnd());
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
    if (!kept.state.opened) this.record?.append(recordEnd({ at: world.now, digest: world.digest() }).trimEnd());
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
    const text = recordOf(lab, state, notes);
    this.owned();
    // Disks of the run that is given up must not be taken for this one's.
    rmSync(this.path("disks"), { force: true });
    this.record?.close();
    try {
      writeAtomic(this.path("record"), text);
      this.keptNotes = notes;
      this.said = saidIn(text);
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
