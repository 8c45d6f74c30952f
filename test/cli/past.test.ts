/** Going back: the status as it was, forks that go on by themselves, named snapshots and rollback, and records that are checked. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { complaint, newPlace, type Place } from "./quorate.ts";
import { resummed } from "../records.ts";

let place: Place;
beforeAll(() => {
  place = newPlace();
});
afterAll(() => place.end());

type Json = Record<string, unknown>;
const json = async (...args: string[]): Promise<Json> => JSON.parse(await place.ok(...args)) as Json;

async function refused(args: string[], status: number, said: RegExp): Promise<void> {
  const ran = await place.run(args);
  expect(complaint(ran)).toMatch(said);
  expect(ran.status).toBe(status);
}

/** What the status was, each time as asked: right after an act, and while time passes. */
const seen: Json[] = [];
const look = async (): Promise<Json> => {
  const status = await json("status", "--json");
  seen.push(status);
  return status;
};

describe("the past, from the command line", { timeout: 180_000 }, () => {
  it("is the status as it was, while the lab goes on", async () => {
    await place.ok("up", "--host", "inprocess", "--clustered", "--seed", "9", "--speed", "10");
    await look();
    await place.ok("link", "cut", "pve3:net0");
    await look();
    await place.ok("wait", "--members", "2", "--node", "pve1");
    await look();
    await place.ok("pause");
    await place.ok("node", "kill", "pve2");
    await look();
    await place.ok("resume");
    for (const status of seen) expect(await json("seek", String(status["instant"]), "--json")).toEqual(status);
    expect(await json("time", "--json")).toMatchObject({ paused: false });
    expect(await place.ok("seek", "1s")).toMatch(/pve1 +booting/);
    await refused(["seek", "9h"], 2, /^quorate: instant 32400000000: the lab has come from 0 to \d+ microseconds$/);
    await refused(["seek", "soon"], 2, /seek "soon": an instant is/);
  });

  it("is kept under a name, and gone back to; the record is then that of the run up to there", async () => {
    await place.ok("heal");
    await place.ok("node", "start", "pve2");
    await place.ok("wait", "--members", "3", "--quorate");
    await place.ok("exec", "pve1", "echo before > /root/note");
    await place.ok("pause");
    const kept = await json("snapshot", "calm", "--json");
    const then = await look();
    expect(kept).toMatchObject({ name: "calm", instant: then["instant"] });
    await refused(["snapshot", "calm"], 1, /there is a snapshot calm already/);
    await refused(["snapshot", "../x"], 2, /a name is 1 to 64 letters/);
    await place.ok("resume");
    await place.ok("exec", "pve1", "echo after > /root/note");
    await place.ok("node", "kill", "pve1");
    await place.ok("wait", "--members", "2", "--node", "pve2");
    await place.ok("pause");
    await refused(["rollback", "clam"], 2, /no snapshot "clam"; there are: calm$/);
    expect(await json("rollback", "calm", "--json")).toEqual(kept);
    expect(await json("status", "--json")).toEqual(then);
    expect(await place.ok("exec", "pve1", "cat /root/note")).toBe("before\n");
    for (const status of seen) expect(await json("seek", String(status["instant"]), "--json")).toEqual(status);
    const record = join(place.dir, "record");
    await place.ok("record", "--out", record);
    expect(readFileSync(record, "utf8")).toContain('"note":"rolled back to calm"');
    expect(readFileSync(record, "utf8")).not.toContain('"kind":"power-cut","machine":"pve1"');
    await place.ok("replay", record, "--check");
  });

  it("survives down and up", async () => {
    await place.ok("down");
    await place.ok("up");
    expect(await json("snapshot", "--json")).toMatchObject([{ name: "calm" }]);
    for (const status of seen) expect(await json("seek", String(status["instant"]), "--json")).toMatchObject({ nodes: status["nodes"] });
    await place.ok("rollback", "calm");
    await place.ok("snapshot", "--delete", "calm");
    expect(await json("snapshot", "--json")).toEqual([]);
  });

  it("is a lab of its own: disks, design and record up to there", async () => {
    const [, second] = seen;
    const dir = join(place.dir, "branch");
    const made = await json("fork", "--at", String(second?.["instant"]), "--out", dir, "--json");
    expect(made).toEqual({ lab: dir, instant: second?.["instant"] });
    expect((await json("up", "--lab", dir, "--json"))["instant"]).toBe(second?.["instant"]);
    expect(await json("status", "--lab", dir, "--json")).toMatchObject({ nodes: second?.["nodes"] });
    await place.ok("resume", "--lab", dir);
    await place.ok("wait", "--lab", dir, "--members", "1", "--node", "pve3");
    const record = join(place.dir, "branch-record");
    await place.ok("record", "--lab", dir, "--out", record);
    await place.ok("replay", record, "--check");
    await place.ok("rm", "--yes", "--lab", dir);
    expect(existsSync(dir)).toBe(false);
    await refused(["fork", "--out", place.lab], 2, /holds a lab already/);
    mkdirSync(dir);
    writeFileSync(join(dir, "thesis.txt"), "");
    await refused(["fork", "--out", dir], 2, /is not empty; name another$/);
  });

  it("replay --check fails on a record that another run would have left, and says where", async () => {
    const record = join(place.dir, "record");
    await place.ok("record", "--out", record);
    writeFileSync(record, resummed(readFileSync(record, "utf8").replace('"kind":"power-cut"', '"kind":"stall"')));
    await refused(
      ["replay", record, "--check"],
      1,
      /^quorate: the replay differs from .*record at \d+\.\d{6} s, or since the digest before$/,
    );
    expect((await place.run(["replay", record])).status).toBe(0);
    expect((await place.run(["replay", record, "--check", "--until", "5s"])).status).toBe(0);
  });
});
