/**
 * A lab's directory: the lab file, the record that grows while the lab runs, and the state it was frozen in. A crash at any instant leaves a record
 * whose replay gives every node's disk; `disks.bin` saves having to replay from the beginning.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import {
  ENGINE_VERSION,
  parseRecord,
  printRecord,
  recordCheckpoint,
  recordEnd,
  recordHead,
  recordInput,
  World,
  type Checkpoint,
  type Input,
  type MachineFactory,
  type Note,
  type WorldDesign,
  type WorldSnapshot,
} from "../../../engine/world/index.ts";
import { LineFile, writeAtomic } from "./atomic-files.ts";
import { Trouble } from "../trouble.ts";

export const files = { lab: "lab.yaml", record: "record.jsonl", frozen: "frozen.bin", disks: "disks.bin" };

/** Notes kept; a lab that is rolled back over and over says so for the last times. */
const notesMax = 100;

/** What a frozen lab is more than its world. */
export interface Frozen {
  engine: string;
  world: WorldSnapshot;
  speed: number | "max";
  paused: boolean;
  /** Of the record. */
  notes?: readonly Note[];
}

function writeFrozen(path: string, frozen: Omit<Frozen, "engine">): void {
  const state: Frozen = { ...frozen, engine: ENGINE_VERSION };
  writeAtomic(path, serialize(state), 0o600);
}

/** The record of a run that led to `world`. */
function recordOf(lab: string, world: WorldSnapshot, notes: readonly Note[]): string {
  return printRecord({ lab, inputs: [...world.inputs], checkpoints: [...world.trace.checkpoints], end: undefined, notes });
}

/** Makes the files of a lab that is frozen at `frozen.world`. The lab file comes last: without it there is no lab. Throws Trouble. */
export function writeLab(dir: string, lab: string, frozen: Omit<Frozen, "engine">): void {
  writeAtomic(join(dir, files.record), recordOf(lab, frozen.world, frozen.notes ?? []));
  writeFrozen(join(dir, files.frozen), frozen);
  writeAtomic(join(dir, files.lab), lab);
}

function readFrozen(path: string): Frozen | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const value: unknown = deserialize(readFileSync(path));
    if (typeof value !== "object" || value === null || !("engine" in value) || value.engine !== ENGINE_VERSION) return undefined;
    // Written by this program, this version, atomically: the shape is Frozen's.
    return value as Frozen;
  } catch {
    // Another version of the runtime, or not ours: the record still tells everything.
    return undefined;
  }
}

/** How a lab was found in its directory. */
export interface Found {
  world: World;
  /** new: never ran. frozen: goes on at the same instant. crashed: everything but the disks is lost. */
  how: "new" | "frozen" | "crashed";
  speed: number | "max";
  paused: boolean;
}

export class LabDisk {
  #record: LineFile | undefined;
  #seen = 0;
  /** Instant of the last checkpoint in the record. */
  #noted = -1;
  #notes: readonly Note[] = [];

  constructor(readonly dir: string) {}

  path(name: keyof typeof files): string {
    return join(this.dir, files[name]);
  }

  /** Brings the world back as far as the directory tells. `lab` is the lab file's text. Throws Trouble when the record cannot be read. */
  open(lab: string, design: WorldDesign, make: MachineFactory): Found {
    const frozen = readFrozen(this.path("frozen"));
    if (frozen && existsSync(this.path("record"))) {
      const world = new World(design, make);
      world.restore(frozen.world);
      this.#notes = frozen.notes ?? [];
      this.#continue(world);
      return { world, how: "frozen", speed: frozen.speed, paused: frozen.paused };
    }
    if (existsSync(this.path("record"))) {
      const world = this.#replayed(design, make);
      this.#continue(world);
      return { world, how: "crashed", speed: 1, paused: false };
    }
    const world = new World(design, make);
    this.#record = new LineFile(this.path("record"), "w");
    this.#record.append(recordHead(lab).trimEnd());
    return { world, how: "new", speed: 1, paused: false };
  }

  /** From the last saved disks on, every input of the record again. */
  #replayed(design: WorldDesign, make: MachineFactory): World {
    const outcome = parseRecord(readFileSync(this.path("record"), "utf8"));
    if (!outcome.ok) throw new Trouble("lab", `${this.path("record")}:${outcome.line}: ${outcome.message}`);
    const { record } = outcome;
    if (record.engine !== ENGINE_VERSION)
      throw new Trouble(
        "lab",
        `${this.path("record")} is of engine ${record.engine}, this is ${ENGINE_VERSION}; "quorate rm" deletes the lab`,
      );
    this.#notes = record.notes ?? [];
    const world = new World(design, make);
    const saved = readFrozen(this.path("disks"));
    if (saved && saved.world.inputs.length <= record.inputs.length) world.restore(saved.world);
    // Acts that were waiting for their instant come from the record, where they were written when they happened.
    const waiting = new Set(world.waiting().map((input) => JSON.stringify(input)));
    const rest: Input[] = record.inputs.slice(world.inputs().length);
    for (const input of rest) if (!waiting.has(JSON.stringify(input))) world.expect(input.at, input.act);
    const last = Math.max(world.now, record.inputs.at(-1)?.at ?? 0, record.checkpoints.at(-1)?.at ?? 0, record.end?.at ?? 0);
    world.runUntil(last + 1);
    return world;
  }

  #continue(world: World): void {
    rmSync(this.path("frozen"), { force: true });
    this.#dropTornLine();
    this.#record = new LineFile(this.path("record"));
    this.#seen = world.inputs().length;
  }

  /** A line that a crash cut short must not be continued by the next one. */
  #dropTornLine(): void {
    const text = readFileSync(this.path("record"), "utf8");
    if (!text.endsWith("\n")) writeAtomic(this.path("record"), text.slice(0, text.lastIndexOf("\n") + 1));
  }

  /** Writes the inputs that the record has not yet, up to so many of them. Called before anything about them is acknowledged. */
  note(world: World, count = Number.POSITIVE_INFINITY): void {
    const inputs = world.inputs();
    for (; this.#seen < Math.min(inputs.length, count); this.#seen++) {
      const input = inputs[this.#seen];
      if (input) this.#record?.append(recordInput(input).trimEnd());
    }
  }

  /** Writes how far time has come, so that a crash loses little of it; the inputs before it are written. */
  noteTime(last: Checkpoint | undefined): void {
    if (last === undefined || last.at <= this.#noted) return;
    this.#noted = last.at;
    this.#record?.append(recordCheckpoint(last).trimEnd());
  }

  saveDisks(world: WorldSnapshot): void {
    writeFrozen(this.path("disks"), { world, speed: 1, paused: false });
  }

  /** Everything on disk, so that the next start goes on at this instant. */
  freeze(world: World, speed: number | "max", paused: boolean): void {
    this.note(world);
    this.noteTime(world.checkpoints().at(-1));
    const snapshot = world.snapshot();
    // In the middle of an instant there is no digest that a replay could be compared with.
    if (!snapshot.opened) this.#record?.append(recordEnd({ at: world.now, digest: world.digest() }).trimEnd());
    this.#record?.sync();
    writeFrozen(this.path("frozen"), { world: snapshot, speed, paused, notes: this.#notes });
  }

  /** What the record says about itself. */
  notes(): readonly Note[] {
    return this.#notes;
  }

  /** The record becomes that of the run up to `state`, with a note. Throws Trouble when the disk refuses; then it is what it was. */
  rewind(lab: string, state: WorldSnapshot, note: string): void {
    const notes = [...this.#notes.filter((old) => old.at <= state.now), { at: state.now, note }].slice(-notesMax);
    const text = recordOf(lab, state, notes);
    // Disks of the run that is given up must not be taken for this one's.
    rmSync(this.path("disks"), { force: true });
    this.#record?.close();
    try {
      writeAtomic(this.path("record"), text);
      this.#notes = notes;
      this.#seen = state.inputs.length;
      this.#noted = state.trace.checkpoints.at(-1)?.at ?? -1;
    } finally {
      this.#record = new LineFile(this.path("record"));
    }
  }

  close(): void {
    this.#record?.close();
  }
}
