/** The record's byte strings: said once, then by their hash, and the same again when they are read, whoever wrote the record and wherever its writer began. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { Rng } from "../../src/engine/kernel/index.ts";
import { contentHash } from "../../src/engine/machine/files/index.ts";
import { makeMachine } from "../../src/engine/node/index.ts";
import {
  parseRecord,
  printRecord,
  recordEnd,
  recordInput,
  RecordReader,
  RecordWriter,
  replay,
  Said,
  type Input,
} from "../../src/engine/world/index.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { printLabFile } from "../../src/main/lab/file/labfile.ts";
import { LineFile } from "../../src/main/lab/store/atomic-files.ts";
import { LabDisk } from "../../src/main/lab/store/disk.ts";
import { Trouble } from "../../src/main/lab/trouble.ts";
import { lastSum, resummed } from "../records.ts";

const bytes = (seed: string, length: number): Uint8Array => {
  const rng = Rng.from(seed);
  return new Uint8Array(length).map(() => rng.u32() & 0xff);
};

const put = (at: number, data: Uint8Array, machine = "pve1"): Input => ({
  at,
  act: { to: "machine", machine, act: { kind: "file-write", path: "/root/x", data, append: false } },
});

const printed = (inputs: Input[]): string => printRecord({ lab: "", inputs, checkpoints: [], end: undefined });

/** Who goes on with a record. */
function writerOf(text: string): RecordWriter {
  const reader = new RecordReader();
  for (const line of text.split("\n").slice(0, -1)) reader.take(line);
  return reader.writer();
}

function lineOf(writer: RecordWriter, input: Input): string {
  let out = "";
  writer.addInput(input, (line) => (out = `${line}\n`));
  return out;
}

function inputsIn(text: string): Input[] {
  const read = parseRecord(text);
  if (!read.ok) throw new Error(`${read.line}: ${read.message}`);
  return read.record.inputs;
}

/** Each by itself, as text: byte strings compared one byte after the other take their time. */
const alone = (inputs: readonly Input[]): string[] => inputs.map((input) => recordInput(input));

/** What is wrong with a record. */
function fault(text: string): { line: number; message: string } {
  const read = parseRecord(text);
  if (read.ok) throw new Error("it was read");
  return { line: read.line, message: read.message };
}

describe("a record", () => {
  test("says the same bytes once, from 1 KiB on", () => {
    const [long, short] = [bytes("long", 50_000), bytes("short", 1023)];
    const inputs = [1, 2, 3, 4, 5].flatMap((at) => ["pve1", "pve2"].flatMap((name) => [put(at, long.slice(), name), put(at, short, name)]));
    const text = printed(inputs);
    expect(alone(inputsIn(text))).toEqual(alone(inputs));
    expect(text.match(/"base64"/g)).toHaveLength(11);
    expect(text.length).toBeLessThan(50_000 * 1.4 + 10 * 1500 + 10 * 200);
    const [, first, , second] = text.split("\n");
    expect(JSON.parse(first ?? "")).toMatchObject({
      act: { act: { data: { piece: contentHash(long), base64: Buffer.from(long).toString("base64") } } },
    });
    expect(JSON.parse(second ?? "")).toMatchObject({ act: { act: { data: { piece: contentHash(long) } } } });
  });

  test.each([
    [{ kind: "rm-rf" }, 'act.act.kind: "rm-rf" is none; there are: power-on'],
    [{ kind: "file-write", path: "/x", append: false }, "act.act.data: is missing"],
    [{ kind: "file-write", path: "/x", data: "text", append: false }, "act.act.data: bytes"],
    [{ kind: "file-touch", path: "/\ud800" }, "act.act.path: well-formed text"],
    [{ kind: "file-chmod", path: "/x", mode: 1.5 }, "act.act.mode: a whole number"],
  ])("with an act that is none, %j, is refused with its line and what is allowed", (act, message) => {
    const text = printed([put(1, bytes("x", 10)), { at: 2, act: { to: "machine", machine: "pve1", act } } as unknown as Input]);
    expect(fault(text)).toMatchObject({ line: 3, message: expect.stringContaining(message) as string });
  });

  test("that ends long after all it says, or after the end of time, is refused with its line", () => {
    const year = 366 * 24 * 3600 * 1e6;
    const text = (end: number, at = 5): string => resummed(printed([put(at, bytes("x", 10))]) + recordEnd({ at: end, digest: "0" }));
    expect(fault(text(10 * year))).toMatchObject({
      line: 3,
      message: expect.stringContaining("more than a year after the epoch") as string,
    });
    expect(fault(text(3600e6 + 6))).toMatchObject({ line: 3, message: expect.stringContaining("more than an hour after") as string });
    expect(fault(text(year + 2, year + 1))).toMatchObject({ line: 2, message: expect.stringContaining("more than a year") as string });
    expect(inputsIn(text(3600e6 + 5))).toHaveLength(1);
  });

  test("has variables called as its own keys are, and gives them back", () => {
    const env = { base64: "QQ==", piece: "0123", pairs: "x", PATH: "/bin" };
    for (const own of [env, { base64: "QQ==" }, { piece: "00" }, { pairs: "" }]) {
      const act = { kind: "session-run", session: "1", id: "2", argv: ["ls"], cwd: "/", env: own } as const;
      const inputs: Input[] = [{ at: 1, act: { to: "machine", machine: "pve1", act } }];
      expect(inputsIn(printed(inputs))).toEqual(inputs);
    }
  });

  test("of before, which says bytes each time, is read as it was", () => {
    const data = bytes("old", 3000);
    const line = (at: number): string =>
      `{"at":${at},"act":{"to":"machine","machine":"pve1","act":{"kind":"file-write","path":"/root/x","data":{"base64":"${Buffer.from(data).toString("base64")}"},"append":false}}}\n`;
    const head = (version: number): string => `{"quorateRecord":${version},"engine":"0.3.0","lab":""}\n`;
    const text = head(1) + line(1) + line(2);
    expect(inputsIn(text)).toEqual([put(1, data), put(2, data)]);
    expect(inputsIn(resummed(head(2) + line(1) + line(2)))).toEqual([put(1, data), put(2, data)]);
    // Whoever goes on with it has nothing to refer to yet.
    expect(lineOf(writerOf(text), put(3, data))).toContain('"base64"');
    expect(recordInput(put(1, data))).toBe(line(1));
  });

  test("refers no further back than its reader remembers: 500 runs of a reader, and writers that begin somewhere in them", () => {
    const wrong: string[] = [];
    for (let seed = 0; seed < 500; seed++) {
      const rng = Rng.from("window", String(seed));
      const [reader, limit] = [new Said(100), 100];
      let writer = new Said(limit);
      for (let k = 0; k < 200; k++) {
        if (rng.u32() % 20 === 0) writer = new Said(limit);
        const hash = String(rng.u32() % 12);
        // One of them is larger than all that is kept.
        const size = hash === "0" ? 101 : 5 + 4 * Number(hash);
        if (writer.get(hash) !== true) for (const said of [reader, writer]) said.say(hash, size, true);
        else if (reader.get(hash) !== true) wrong.push(`seed ${seed}, ${k}: the reader has forgotten ${hash}`);
        const kept = Array.from({ length: 12 }, (_, i) => String(i)).filter((known) => reader.get(known) === true);
        const bytes = kept.reduce((sum, known) => sum + 5 + 4 * Number(known), 0);
        if (bytes > limit) wrong.push(`seed ${seed}, ${k}: ${bytes} bytes are kept`);
        if (kept.includes("0")) wrong.push(`seed ${seed}, ${k}: what is larger than all is kept`);
      }
    }
    expect(wrong.slice(0, 5)).toEqual([]);
    const said = new Said<number>(100);
    for (const [hash, size] of [["a", 40], ["b", 40], ["a", 40], ["c", 40]] as const) said.say(hash, size, size); // prettier-ignore
    // What was said last stays.
    expect(["a", "b", "c"].map((hash) => said.get(hash))).toEqual([40, undefined, 40]);
  });

  test("has the same inputs however they come: 200 records with many sizes, written at once, appended line by line, and gone on with", () => {
    const known = Array.from({ length: 10 }, (_, i) => bytes(`any ${i}`, [0, 1, 1022, 1023, 1024, 1025, 1026, 3000, 5000, 9000][i] ?? 0));
    for (let seed = 0; seed < 200; seed++) {
      const rng = Rng.from("records", String(seed));
      const inputs = Array.from({ length: 1 + (rng.u32() % 12) }, (_, at) =>
        put(at, known[rng.u32() % 10] ?? known[0] ?? new Uint8Array()),
      );
      let text = printed([]);
      let writer = writerOf(text);
      for (const input of inputs) {
        // As if the lab had been taken down here, or had forgotten, which costs only that bytes are said again.
        if (rng.u32() % 4 === 0) writer = rng.u32() % 3 === 0 ? new RecordWriter(lastSum(text)) : writerOf(text);
        text += lineOf(writer, input);
      }
      expect(alone(inputsIn(text))).toEqual(alone(inputs));
      expect(alone(inputsIn(printed(inputs)))).toEqual(alone(inputs));
      let once = printed([]);
      for (const input of inputs) once += lineOf(writerOf(once), input);
      expect(once).toBe(printed(inputs));
    }
  });

  test("that refers to bytes it has not said, or says bytes that are not theirs, is refused with the line", () => {
    const data = bytes("data", 2000);
    const text = printed([put(1, data), put(2, bytes("other", 10)), put(3, data)]);
    const hash = contentHash(data);
    const lines = text.split("\n");
    const without = [lines[0], lines[2], lines[3], ""].join("\n");
    const unsaid = `refers to the bytes "${hash}", which are not among the last 64 MiB that the lines before it say`;
    expect(fault(resummed(without))).toEqual({ line: 3, message: unsaid });
    expect(fault(resummed(text.replaceAll(hash, "../x")))).toEqual({ line: 2, message: 'the bytes "../x" are not what their hash says' });
    const other = text.replace(/"base64":"..../, '"base64":"AAAA');
    expect(fault(resummed(other))).toEqual({ line: 2, message: `the bytes "${hash}" are not what their hash says` });
    expect(fault(resummed(text.replace(/"base64":"../, '"base64":"!!')))).toEqual({ line: 2, message: "bytes that are no base64" });
    // One bit, one line, the order of two: found at the line, whatever it says.
    const changed = "this line, or one that stood before it, is not what was written: its sum does not fit";
    expect(fault(text.replace('"at":2', '"at":6'))).toEqual({ line: 3, message: changed });
    expect(fault(without)).toEqual({ line: 2, message: changed });
    expect(fault([lines[0], lines[2], lines[1], lines[3], ""].join("\n"))).toEqual({ line: 2, message: changed });
    expect(fault(text.replace('"quorateRecord":2', '"quorateRecord":1'))).toEqual({ line: 1, message: changed });
    // A last line that was cut off takes what it says along.
    expect(inputsIn(text.slice(0, text.indexOf("\n") + 500))).toEqual([]);
  });

  test("does not take a text of its own for something said", () => {
    const data = bytes("data", 2000);
    const hash = contentHash(data);
    const lab = `{"piece":"${hash}","base64":""}`;
    const text = printRecord({ lab, inputs: [], checkpoints: [], end: undefined, notes: [{ at: 1, note: lab }] });
    expect(lineOf(writerOf(text), put(2, data))).toContain(`{"piece":"${hash}","base64":"${Buffer.from(data).toString("base64")}"}`);
  });
});

describe("the record of a lab that runs", () => {
  const file = defaultLabFile({ nodes: 2, links: 1, clustered: true, name: "lab", seed: "rec", epoch: "2026-01-01T00:00:00Z" });
  const [text, design] = [printLabFile(file), worldDesign(file)];

  test("says bytes once over downs, crashes, a torn line, a full disk and a rollback, and is replayed", () => {
    const dir = mkdtempSync(join(tmpdir(), "quorate-record-"));
    const path = join(dir, "record.jsonl");
    const data = bytes("pushed", 20_000);
    const count = (): number => readFileSync(path, "utf8").match(/"base64"/g)?.length ?? 0;
    try {
      let disk = new LabDisk(dir);
      let { world } = disk.open(text, design, makeMachine);
      const push = (machine: string, content = data): void => {
        world.act({ to: "machine", machine, act: { kind: "file-write", path: "/root/x", data: content, append: false } });
        disk.note(world);
        world.runUntil(world.now + 1_000_000);
      };
      world.runUntil(1_000_000);
      push("pve1");
      push("pve2");
      expect(count()).toBe(1);
      const before = world.snapshot();
      disk.freeze(world, 1, false);
      disk.close();
      disk = new LabDisk(dir);
      ({ world } = disk.open(text, design, makeMachine));
      push("pve1");
      disk.close();
      // Killed in the middle of a line that says other bytes.
      const other = bytes("torn", 5000);
      writeFileSync(path, lineOf(writerOf(readFileSync(path, "utf8")), put(99_000_000, other)).slice(0, -20), { flag: "a" });
      disk = new LabDisk(dir);
      ({ world } = disk.open(text, design, makeMachine));
      push("pve2", other);
      push("pve1", other);
      push("pve2");
      expect(count()).toBe(2);
      disk.rewind(text, before, "rolled back");
      world.restore(before);
      push("pve2");
      push("pve1", other);
      expect(count()).toBe(2);
      disk.freeze(world, 1, false);
      disk.close();
      const read = parseRecord(readFileSync(path, "utf8"));
      if (!read.ok) throw new Error(read.message);
      expect(alone(read.record.inputs)).toEqual(alone(world.inputs()));
      expect(replay(design, makeMachine, read.record)).toMatchObject({ equal: true });
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test("says bytes again where the line that said them could not be written", () => {
    const dir = mkdtempSync(join(tmpdir(), "quorate-record-"));
    try {
      const disk = new LabDisk(dir);
      const { world } = disk.open(text, design, makeMachine);
      const data = bytes("pushed", 20_000);
      world.act({ to: "machine", machine: "pve1", act: { kind: "file-write", path: "/root/x", data, append: false } });
      const append = vi.spyOn(LineFile.prototype, "append").mockImplementationOnce(() => {
        throw new Trouble("failed", "write record.jsonl: the disk is full");
      });
      expect(() => disk.note(world)).toThrow("the disk is full");
      append.mockRestore();
      world.act({ to: "machine", machine: "pve2", act: { kind: "file-write", path: "/root/x", data, append: false } });
      disk.note(world);
      disk.close();
      const again = new LabDisk(dir);
      const found = again.open(text, design, makeMachine);
      expect(alone(found.world.inputs())).toEqual(alone(world.inputs()));
      expect(found.world.inputs()).toHaveLength(2);
      again.close();
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
