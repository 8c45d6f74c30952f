/**
 * What somebody was told is written is there after the worst: a worker killed, the supervisor killed, a disk changed by hand or broken while the lab was down. With
 * QUORATE_LONG=1 two hundred workers and a hundred supervisors are killed.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wallMs } from "node:timers/promises";
import { serialize } from "node:v8";
import { DatabaseSync } from "@photostructure/sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { contentHash } from "../../src/engine/machine/files/index.ts";
import { connectLab, type LabClient } from "../../src/main/lab/process/client.ts";
import { alive, newPlace, type Place } from "./quorate.ts";
import { resummed } from "../records.ts";

const long = process.env["QUORATE_LONG"] === "1";
const workerKills = long ? 200 : 20;
const hubKills = long ? 100 : 10;

let place: Place;

beforeEach(() => {
  place = newPlace();
});

afterEach(async () => {
  await place.end();
});

/** Numbers that a loop on the node has written into files and then printed: what somebody outside was told. */
class Writer {
  told = 0;
  ended: number | undefined;

  constructor(
    private readonly client: LabClient,
    readonly round: string,
  ) {
    let rest = "";
    client.onEvent((event) => {
      if (event.event === "exec-exit") this.ended = event.status;
      if (event.event !== "exec-output" || event.stream !== "stdout") return;
      const lines = `${rest}${event.data}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.told = Number(line);
    });
  }

  async begin(): Promise<void> {
    const loop = `mkdir -p /srv/${this.round}; i=0; while true; do i=$((i+1)); echo w$i > /srv/${this.round}/$i; echo $i; done`;
    await this.client.call({ op: "exec", node: "pve1", line: loop });
  }

  async reaches(count: number): Promise<void> {
    for (let waited = 0; waited < 60_000 && this.told < count; waited += 5) await wallMs(5);
    expect(this.told).toBeGreaterThanOrEqual(count);
  }
}

/** Every number up to `told` is in its file. */
async function allThere(round: string, told: number): Promise<void> {
  const seen = await place.ok("exec", "pve1", "--", `cd /srv/${round}; for i in $(seq 1 ${told}); do cat $i; done`);
  expect(seen.split("\n").slice(0, -1)).toEqual(Array.from({ length: told }, (_, i) => `w${i + 1}`));
}

describe("a node that is written to", () => {
  it(
    `has everything that was told after its worker is killed, ${workerKills} times`,
    async () => {
      await place.ok("up", "--nodes", "1", "--speed", "100");
      for (let k = 0; k < workerKills; k++) {
        const client = await connectLab(place.lab);
        const writer = new Writer(client, `worker-${k}`);
        await writer.begin();
        await writer.reaches(3 + ((7 * k) % 23));
        const { workers } = await client.call({ op: "info" });
        process.kill(workers["pve1"] ?? 0, "SIGKILL");
        for (let waited = 0; waited < 10_000 && writer.ended === undefined; waited += 20) await wallMs(20);
        client.close();
        await place.ok("node", "start", "pve1");
        await allThere(writer.round, writer.told);
      }
    },
    long ? 3_600_000 : 300_000,
  );

  it(
    `has everything that was told after the supervisor is killed, ${hubKills} times`,
    async () => {
      await place.ok("up", "--nodes", "2", "--speed", "100");
      for (let k = 0; k < hubKills; k++) {
        const client = await connectLab(place.lab);
        const writer = new Writer(client, `hub-${k}`);
        await writer.begin();
        await writer.reaches(3 + ((5 * k) % 17));
        const { pid, workers } = await client.call({ op: "info" });
        // One worker is held back: what it has not confirmed was told to nobody, and has happened on no disk.
        if (k % 2 === 1) process.kill(workers["pve2"] ?? 0, "SIGSTOP");
        if (k % 2 === 1) await wallMs(200);
        process.kill(pid, "SIGKILL");
        if (k % 2 === 1) process.kill(workers["pve2"] ?? 0, "SIGCONT");
        client.close();
        for (let waited = 0; waited < 10_000 && alive(pid); waited += 20) await wallMs(20);
        await place.ok("up", "--cold", "--speed", "100");
        await allThere(writer.round, writer.told);
      }
    },
    long ? 3_600_000 : 300_000,
  );
});

describe("a disk that somebody touched while the lab was down", () => {
  it("counts where it was changed by hand: it is said, and recorded, and the node boots from it", async () => {
    await place.ok("up", "--nodes", "1", "--host", "inprocess");
    await place.ok("exec", "pve1", "--", "echo kept > /root/note");
    await place.ok("down");
    const db = new DatabaseSync(join(place.lab, "disks", "0", "disk.db"));
    db.exec("UPDATE inode SET mode = 384 WHERE ino = (SELECT ino FROM entry WHERE name = 'note')");
    db.close();
    const ran = await place.run(["up"]);
    expect([ran.status, ran.stderr]).toEqual([0, expect.stringContaining("the disk of pve1 is not as the lab left it")]);
    expect(await place.ok("exec", "pve1", "--", "stat -c %a /root/note; cat /root/note")).toBe("600\nkept\n");
    expect(readFileSync(join(place.lab, "record.jsonl"), "utf8")).toContain('"kind":"disk"');
    const record = join(place.dir, "run.jsonl");
    await place.ok("record", "--out", record);
    await place.ok("replay", record, "--check");
  }, 120_000);

  it("is put aside and named where it cannot be read", async () => {
    await place.ok("up", "--nodes", "1", "--host", "inprocess");
    await place.ok("exec", "pve1", "--", "echo kept > /root/note");
    await place.ok("down");
    const file = join(place.lab, "disks", "0", "disk.db");
    // What SQLite has not carried over from its log yet would mend the file.
    for (const beside of ["-wal", "-shm"]) rmSync(`${file}${beside}`, { force: true });
    writeFileSync(file, "no database any more ".repeat(400));
    const ran = await place.run(["up"]);
    expect([ran.status, ran.stderr]).toEqual([0, expect.stringContaining(`${file} is damaged`)]);
    expect(existsSync(join(place.lab, "disks", "0.damaged-1", "disk.db"))).toBe(true);
    expect(await place.ok("exec", "pve1", "--", "cat /root/note")).toBe("kept\n");
  }, 120_000);
});

describe("contents of files that were deleted", () => {
  const count = (from: number, to: number): string => Array.from({ length: to - from + 1 }, (_, i) => `${from + i}\n`).join("");
  const [kept, gone] = [count(1, 2000), count(2001, 4000)];
  const store = (): string => join(place.lab, "disks", "contents.db");
  const inStore = (text: string): boolean => {
    const db = new DatabaseSync(store());
    try {
      return db.prepare("SELECT 1 FROM chunk WHERE hash = ?").get(contentHash(Buffer.from(text))) !== undefined;
    } finally {
      db.close();
    }
  };

  it("are kept as long as the run or a snapshot refers to them, over down and up, and are in a fork", async () => {
    await place.ok("up", "--nodes", "2", "--host", "inprocess");
    await place.ok("exec", "pve1", "--", "seq 1 2000 > /root/kept");
    await place.ok("snapshot", "calm");
    await place.ok("exec", "pve1", "--", "seq 2001 4000 > /root/gone; rm /root/gone /root/kept");
    await place.ok("down");
    expect([inStore(kept), inStore(gone)]).toEqual([true, true]);
    await place.ok("up");
    await place.ok("down");
    // What was written is part of the run as long as its record says it; a run that was taken back says it no longer.
    expect([inStore(kept), inStore(gone)]).toEqual([true, true]);
    await place.ok("up");
    await place.ok("rollback", "calm");
    expect(await place.ok("exec", "pve1", "--", "cat /root/kept")).toBe(kept);
    await place.ok("down");
    await place.ok("up");
    await place.ok("down");
    expect([inStore(kept), inStore(gone)]).toEqual([true, false]);
    await place.ok("up");
    const fork = join(place.dir, "fork");
    await place.ok("fork", "--out", fork);
    await place.ok("rm", "--yes");
    await place.ok("up", "--lab", fork);
    expect(await place.ok("exec", "--lab", fork, "pve1", "--", "cat /root/kept")).toBe(kept);
    await place.ok("rm", "--yes", "--lab", fork);
  }, 120_000);

  it("that a state needs and the store has lost are named, and the lab comes up from its record", async () => {
    await place.ok("up", "--nodes", "1", "--host", "inprocess");
    await place.ok("exec", "pve1", "--", "seq 1 2000 > /root/kept");
    await place.ok("down");
    const db = new DatabaseSync(store());
    db.prepare("DELETE FROM chunk WHERE hash = ?").run(contentHash(Buffer.from(kept)));
    db.close();
    const ran = await place.run(["up"]);
    const frozen = join(place.lab, "frozen.bin");
    expect([ran.status, ran.stderr]).toEqual([
      0,
      expect.stringContaining(
        `${frozen} cannot be used: ${store()} is damaged: the piece ${contentHash(Buffer.from(kept))} of a file's contents is missing; it was put aside as ${frozen}.damaged-1`,
      ),
    ]);
    expect(await place.ok("exec", "pve1", "--", "cat /root/kept")).toBe(kept);
    await place.ok("down");
    expect(inStore(kept)).toBe(true);
    expect((await place.run(["up"])).stderr).not.toContain("damaged");
  }, 120_000);
});

describe("a lab that another version made", () => {
  it("is refused in one line that says what can be done; nothing in it changes, and it can be deleted", async () => {
    await place.ok("up", "--nodes", "1", "--host", "inprocess");
    await place.ok("down");
    const record = join(place.lab, "record.jsonl");
    writeFileSync(record, resummed(readFileSync(record, "utf8").replace(/"engine":"[^"]*"/, '"engine":"0.2.0"')));
    // As that version froze a lab.
    writeFileSync(join(place.lab, "frozen.bin"), serialize({ engine: "0.2.0", world: {}, speed: 1, paused: false }));
    const contents = (): string[] =>
      readdirSync(place.lab, { recursive: true, withFileTypes: true }).map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return entry.isFile() ? `${path} ${readFileSync(path).toString("base64")}` : path;
      });
    const before = contents();
    const told = `quorate: ${place.lab} is a lab of engine 0.2.0, this is 0.3.0; bring it up with the version that made it, or "quorate rm" deletes it\n`;
    for (const args of [["up"], ["up", "--cold"], ["serve"]]) {
      const ran = await place.run(args);
      expect([args, ran.status, ran.stdout, ran.stderr]).toEqual([args, 1, "", told]);
    }
    expect(contents()).toEqual(before);
    await place.ok("rm", "--yes");
    expect(existsSync(place.lab)).toBe(false);
  }, 60_000);
});
