/** What is kept of a lab has bounds: the same bytes once wherever they stand, a record that stops the lab before it is lost, and a store that forgets while the lab runs. */
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Contents } from "../../src/engine/host/disk/contents.ts";
import { Rng } from "../../src/engine/kernel/index.ts";
import { contentHash } from "../../src/engine/machine/files/index.ts";
import { makeMachine } from "../../src/engine/node/index.ts";
import { World } from "../../src/engine/world/index.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { printLabFile } from "../../src/main/lab/file/labfile.ts";
import { Lab } from "../../src/main/lab/lab.ts";
import { inProcess } from "../../src/main/lab/process/lab-host.ts";
import { OutputCommit } from "../../src/main/lab/process/output-commit.ts";
import { bringUp, labTextOf, type Standing } from "../../src/main/lab/process/start/bring-up.ts";
import { LabDisk, type RecordBudget } from "../../src/main/lab/store/disk.ts";
import { packWithPieces, unpackWithPieces } from "../../src/main/lab/store/state-pieces.ts";

const file = defaultLabFile({ nodes: 1, links: 1, clustered: false, name: "lab", seed: "budget", epoch: "2026-01-01T00:00:00Z" });
const text = printLabFile(file);

const bytes = (seed: string, length: number): Uint8Array => {
  const rng = Rng.from(seed);
  return new Uint8Array(length).map(() => rng.u32() & 0xff);
};

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "quorate-budget-"));
  writeFileSync(join(dir, "lab.yaml"), text);
});
afterEach(() => rmSync(dir, { recursive: true }));

const write = (data: Uint8Array, path = "/tmp/x") =>
  ({ to: "machine", machine: "pve1", act: { kind: "file-write", path, data, append: false } }) as const;

describe("a file that is written again and again", () => {
  const data = bytes("again", 400_000);

  /** A world that has written it so many times, each time from bytes of their own, as a shell does. */
  function written(times: number): World {
    const world = new World(worldDesign(file), makeMachine);
    for (let i = 0; i < times; i++) {
      expect(world.act(write(data.slice()))).toMatchObject({ ok: true });
      world.runUntil(world.now + 1000);
    }
    return world;
  }

  it("is in memory once, in a state file once, and once when that is read", () => {
    const world = written(50);
    const copies = (inputs: readonly { act: unknown }[]): number =>
      new Set(inputs.map(({ act }) => (act as ReturnType<typeof write>).act.data)).size;
    expect(copies(world.inputs())).toBe(1);
    const packed = packWithPieces(world.snapshot().inputs, undefined);
    expect(packed.length).toBeLessThan(450_000);
    expect(copies(unpackWithPieces(packed, undefined) as { act: unknown }[])).toBe(1);
  });

  it("can be frozen and goes on, however often: more bytes than a state may hold", () => {
    const inputs = Array.from({ length: 4000 }, (_, at) => ({ at, act: write(data) }));
    const read = unpackWithPieces(packWithPieces(inputs, undefined), undefined) as typeof inputs;
    expect(read).toHaveLength(4000);
    expect(contentHash(read[3999]?.act.act.data ?? new Uint8Array())).toBe(contentHash(data));
  });
});

describe("a record that is full", () => {
  function lab(budget: RecordBudget): { lab: Lab; standing: Standing } {
    const standing = bringUp(dir, labTextOf(dir), false);
    const disk = new LabDisk(dir, standing.disks.contents, undefined, budget);
    standing.disk.close();
    const { world } = disk.open(text, worldDesign(file), makeMachine);
    const made: Lab = new Lab(
      inProcess(world, standing.disks, { speed: 1, paused: true }, () => made.faults),
      { dir, file, text, version: "test", disk, disks: standing.disks },
    );
    return { lab: made, standing: { ...standing, disk } };
  }

  it.each<[string, RecordBudget, string]>([
    ["bytes", { bytes: 300_000, acts: 1000 }, "0 MiB"],
    ["acts", { bytes: 1e9, acts: 5 }, "5 acts"],
  ])(
    "(%s) pauses the lab with one line and takes no more; it can be looked at, kept and gone back with, and loses nothing",
    async (_what, budget, most) => {
      const { lab: full, standing } = lab(budget);
      const notices: string[] = [];
      full.onEvent((event) => event.event === "notice" && notices.push(event.text));
      await full.saveSnapshot("before");
      full.resume();
      let done = 0;
      const why =
        `${join(dir, "record.jsonl")} has ${most}, the most that is kept of one lab; "quorate rollback NAME" goes back to a snapshot, ` +
        `"quorate up --lab DIR" makes another lab`;
      const push = async (): Promise<void> => {
        await full.acts.inTurn(() => full.acts.one(write(bytes(`part ${done}`, 100_000))));
        await full.output.settled();
        done++;
      };
      await expect((async () => { for (let i = 0; i < 20; i++) await push(); })()).rejects.toThrow(why); // prettier-ignore
      expect([full.time().paused, notices]).toEqual([true, [`the lab is paused: ${why}`]]);
      expect(full.snapshot().problems[0]).toMatchObject({ code: "record-full", text: `the lab is paused: ${why}` });
      await full.saveSnapshot("full");
      const frozen = budget.acts === 5;
      if (frozen) {
        standing.disk.freeze(full.world, 1, true);
        expect(existsSync(join(dir, "frozen.bin"))).toBe(true);
      } else {
        await full.rollback("before");
        await push();
        expect(full.snapshot().problems.map(({ code }) => code)).not.toContain("record-full");
        expect(statSync(join(dir, "record.jsonl")).size).toBeLessThan(300_000);
      }
      await full.close();
      standing.disk.close();
      standing.disks.close();
    },
  );
});

describe("the contents of files", () => {
  it("that nobody refers to any more are forgotten while the lab runs", async () => {
    const { found, disk, disks } = bringUp(dir, labTextOf(dir), false);
    const host = inProcess(found.world, disks, { speed: 1, paused: true }, () => ({
      failed: () => undefined,
      lost: () => undefined,
      disk: () => undefined,
    }));
    const output = new OutputCommit(host, disk, disks, undefined, 80_000);
    const before = disks.contents.bytes;
    let most = 0;
    // Short enough that the acts keep what they wrote themselves.
    for (let i = 0; i < 100; i++) {
      const result = await host.act(write(bytes(`log ${i}`, 4000), "/root/log"));
      expect(result.ok).toBe(true);
      if (i % 5 === 0) await output.saveDisks();
      most = Math.max(most, disks.contents.bytes - before);
    }
    expect(most).toBeLessThan(200_000);
    const kept = found.world.query("pve1", { kind: "file-read", path: "/root/log" });
    if (kept.kind !== "file") throw new Error(kept.kind);
    expect(disks.contents.get(contentHash(kept.data))).toEqual(kept.data);
    await host.close();
    disk.close();
    disks.close();
  });

  it("are put there again by a process that had put them there before another one forgot them", () => {
    const [one, other] = [new Contents(join(dir, "contents.db")), new Contents(join(dir, "contents.db"))];
    const data = bytes("piece", 100);
    const piece = { hash: contentHash(data), data };
    one.add([piece]);
    other.collect(new Set());
    expect(() => one.get(piece.hash)).toThrow("is missing");
    one.add([piece]);
    expect(other.get(piece.hash)).toEqual(data);
    one.close();
    other.close();
  });
});
