/**
 * A lab whose files are tampered with, one at a time, by a few bits or by an end that comes too early, and then brought up again as its process does it. What has to hold: it comes
 * up, at the second time without a word; what is not said is as it was.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { Rng } from "../../src/engine/kernel/index.ts";
import { makeMachine } from "../../src/engine/node/index.ts";
import { RecordReader, type World, type WorldAct } from "../../src/engine/world/index.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { printLabFile } from "../../src/main/lab/file/labfile.ts";
import { bringUp, labTextOf, type Standing } from "../../src/main/lab/process/start/bring-up.ts";
import { NamedSnapshots } from "../../src/main/lab/store/named-snapshots.ts";
import { stateOfWorld } from "../../src/main/lab/store/world-state.ts";
import { Trouble } from "../../src/main/lab/trouble.ts";

/** Taken down in order, or killed in the middle of its work. */
export type Ending = "frozen" | "killed";
export type Tampering = "flip" | "cut";

/** What a lab came up with. */
interface Came {
  readonly digest: string;
  readonly acts: number;
  readonly said: readonly string[];
}

/** Every disk has what its machine has in mind, confirmed or, for the last of it, only in its log. */
function writeDisks({ found: { world }, disks }: Standing): void {
  for (const name of world.names) {
    const machine = world.machineAt(world.numberOf(name));
    if (machine !== undefined) disks.of(world.numberOf(name)).follow(machine.diskImage());
  }
}

function close({ disk, disks }: Standing): void {
  disk.close();
  disks.close();
}

export class TamperedLab {
  readonly root = mkdtempSync(join(tmpdir(), "quorate-tamper-"));
  private readonly sound: Came;
  private readonly first: string;

  constructor(readonly ending: Ending) {
    this.first = join(this.root, "first");
    this.make();
    this.sound = this.came(this.copy());
  }

  private make(): void {
    const making = join(this.root, "making");
    mkdirSync(making);
    const file = defaultLabFile({ nodes: 1, links: 1, clustered: false, name: "lab", seed: "tamper", epoch: "2026-01-01T00:00:00Z" });
    writeFileSync(join(making, "lab.yaml"), printLabFile(file));
    const lab = bringUp(making, labTextOf(making), false);
    const { world } = lab.found;
    const act = (of: WorldAct): void => {
      const done = world.act(of);
      if (!done.ok) throw new Error(done.message);
      lab.disk.note(world);
    };
    const write = (path: string, size: number): void => {
      const rng = Rng.from(path);
      const data = new Uint8Array(size).map(() => rng.u32() & 0xff);
      act({ to: "machine", machine: "pve1", act: { kind: "file-write", path, data, append: false } });
    };
    world.runUntil(1_000_000);
    for (let i = 0; i < 10; i++) write(`/root/small-${i}`, 300);
    write("/root/large", 40_000);
    writeDisks(lab);
    new NamedSnapshots(making, lab.disks.contents).save("calm", stateOfWorld(world));
    lab.disk.saveDisks(stateOfWorld(world));
    world.runUntil(2_000_000);
    act({ to: "machine", machine: "pve1", act: { kind: "file-mkdir", path: "/root/a/b", parents: true } });
    // What is told and confirmed is in the redo log alone, where a kill finds it.
    const unwatch = world.watch({
      effect: (at, number, effect) => {
        if (effect.kind === "commit") lab.disks.of(number).write([{ at, commit: effect.commit }]);
      },
    });
    write("/root/late", 5000);
    write("/root/small-1", 20);
    unwatch();
    world.runUntil(3_000_000);
    lab.disk.noteTime(world.checkpoints().at(-1));
    lab.disks.contents.release(world.now, new Map([[0, world.machineAt(0)?.diskSeq() ?? 0]]), world.inputs().length);
    if (this.ending === "frozen") {
      lab.disk.freeze(world, 2, true);
      lab.disks.settle(world.now);
      close(lab);
      cpSync(making, this.first, { recursive: true });
    } else {
      // As a kill leaves it: SQLite's logs beside its files, and the lock of a process that is gone.
      writeFileSync(join(making, "running.json"), JSON.stringify({ pid: 2 ** 22 + 1, socket: "/none", secret: "s", run: "0" }));
      cpSync(making, this.first, { recursive: true });
      close(lab);
    }
  }

  /** The files of the lab, as paths in its directory. What only SQLite's own processes share is not among them unless `all`, nor what lies in a frozen lab just so. */
  files(all: boolean): string[] {
    const found = readdirSync(this.first, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const paths = found.map(({ parentPath, name }) => relative(this.first, join(parentPath, name)));
    const twice = (path: string): boolean => path.endsWith("-shm") || (this.ending === "killed" && /^(lab\.yaml|snapshots\b)/.test(path));
    return paths.filter((path) => statSync(join(this.first, path)).size > 0 && (all || !twice(path))).sort();
  }

  private copy(): string {
    const dir = join(this.root, "copy");
    rmSync(dir, { recursive: true, force: true });
    cpSync(this.first, dir, { recursive: true });
    return dir;
  }

  /** Brings it up and takes it down again. */
  private came(dir: string): Came {
    const lab = bringUp(dir, labTextOf(dir), false);
    const { world } = lab.found;
    try {
      writeDisks(lab);
      const came = { digest: stateDigest(world), acts: world.inputs().length, said: lab.said };
      world.runUntil(world.now + 1_000_000);
      writeDisks(lab);
      const named = new NamedSnapshots(dir, lab.disks.contents);
      // It can be gone back to, or says why not.
      for (const { name } of named.list()) troubleOf(() => named.load(name, world.design, makeMachine));
      lab.disk.freeze(world, 1, true);
      return came;
    } finally {
      close(lab);
    }
  }

  /** One try. Undefined where all held, else what did not. */
  attempt(file: string, tampering: Tampering, seed: number): string | undefined {
    const dir = this.copy();
    tamper(join(dir, file), tampering, Rng.from(file, tampering, String(seed)));
    const what = `${this.ending}, ${tampering} ${seed} of ${file}`;
    try {
      const came = this.came(dir);
      const told = came.said.filter((line) => !this.sound.said.includes(line));
      const bad = told.find((line) => line.includes("\n") || /undefined|is not (a function|iterable)|Cannot read|Maximum call/.test(line));
      if (bad !== undefined) return `${what}: it is not said clearly: ${bad}`;
      const same = came.digest === this.sound.digest && came.acts === this.sound.acts;
      if (!same && told.length === 0) return `${what}: another state, and nothing is said`;
      const record = recordFault(dir);
      if (record !== undefined) return `${what}: its record afterwards: ${record}`;
      if (told.length === 0) return undefined;
      // A named snapshot stays where it is until somebody deletes it.
      const again = this.came(dir).said.filter((line) => !line.includes("/snapshots/"));
      return again.length > 0 ? `${what}: the second time it is said again: ${again.join("; ")}` : undefined;
    } catch (error) {
      return `${what}: it does not come up: ${error instanceof Error ? (error instanceof Trouble ? error.message : String(error.stack)) : String(error)}`;
    }
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }
}

function troubleOf(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Trouble) || error.message.includes("\n")) throw error;
  }
}

/** What a person sees of a world: its machines, and what lies on their disks. */
function stateDigest(world: World): string {
  return `${world.digest()} ${JSON.stringify(world.statuses().map(({ name, power }) => [name, power]))}`;
}

function recordFault(dir: string): string | undefined {
  const reader = new RecordReader();
  for (const line of readFileSync(join(dir, "record.jsonl"), "utf8").split("\n").slice(0, -1)) reader.take(line);
  return reader.fault === undefined ? undefined : `${reader.fault.line}: ${reader.fault.message}`;
}

/** Changes one to three bits of a file, or takes away its end. */
function tamper(path: string, how: Tampering, rng: Rng): void {
  const bytes = readFileSync(path);
  const at = (): number => rng.u32() % bytes.length;
  if (how === "cut") return writeFileSync(path, bytes.subarray(0, at()));
  const bits = 1 + (rng.u32() % 3);
  for (let i = 0; i < bits; i++) {
    const where = at();
    bytes[where] = (bytes[where] ?? 0) ^ (1 << (rng.u32() % 8));
  }
  writeFileSync(path, bytes);
}
