/** The timeline and the task log of a lab: nothing of the run is forgotten, what is drawn together says so, and both are there again after the lab was down. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { makeNode } from "../../src/engine/node/index.ts";
import type { Band, TimelineWindow } from "../../src/main/lab/api.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { printLabFile } from "../../src/main/lab/file/labfile.ts";
import { Bands, MACHINE_BANDS_MAX } from "../../src/main/lab/history/bands.ts";
import { HISTORY_FILE, HistoryFile, readHistory } from "../../src/main/lab/history/history-file.ts";
import { TaskLog, TASKS_MAX } from "../../src/main/lab/history/tasks.ts";
import { actsOnNode } from "../../src/main/lab/history/typed-acts.ts";
import { Lab } from "../../src/main/lab/lab.ts";
import { inProcess } from "../../src/main/lab/process/lab-host.ts";
import { advance, beginLab } from "../../src/main/lab/scenario/advance.ts";
import { LabDisk } from "../../src/main/lab/store/disk.ts";
import { Timeline } from "../../src/main/lab/view/timeline.ts";
import { testDisks } from "./node-disks.ts";

const SEC = 1_000_000;

/** A band of so many seconds in a ring of its own. */
const ring = (from: number, letter = "A"): Band => ({
  node: "pve1",
  from,
  to: null,
  ringId: `1.${from.toString(16)}`,
  members: [1],
  state: "operational",
  quorate: true,
  letter,
  count: 1,
});

const counted = (bands: readonly Band[]): number => bands.reduce((sum, { count }) => sum + count, 0);
const gapless = (bands: readonly Band[]): boolean => bands.every((band, i) => i === 0 || bands[i - 1]?.to === band.from);

describe("bands of a whole run", () => {
  it("lose no time and no change: the shortest of the older ones are drawn together, with their count", () => {
    const bands = new Bands();
    const puts = 2 * MACHINE_BANDS_MAX;
    // Long ones, and between each two a few short ones.
    let at = 0;
    for (let i = 0; i < puts; i++) {
      bands.put(ring(at));
      at += i % 5 === 0 ? 60 * SEC : SEC;
    }
    const all = bands.all();
    expect(all.length).toBe(MACHINE_BANDS_MAX);
    expect([all[0]?.from, all.at(-1)?.to, gapless(all), counted(all)]).toEqual([0, null, true, puts]);
    expect(all.slice(-150).every(({ count }) => count === 1)).toBe(true);
    // The long ones of the beginning are still themselves, as long as there is room for them.
    expect(all.slice(0, 50).filter(({ state }) => state === "operational").length).toBeGreaterThan(10);
    expect(bands.merged).toBe(puts - all.filter(({ count }) => count === 1).length);
  });

  it("are drawn as far as so many pixels can show them, and whole when one looks closer", () => {
    const bands = new Bands();
    for (let i = 0; i < 300; i++) bands.put(ring(i * SEC));
    const far = bands.window(0, 3_000 * SEC, 1_000, 300 * SEC);
    expect(far.length).toBeLessThan(60);
    expect([counted(far), gapless(far)]).toEqual([300, true]);
    expect(far[0]).toMatchObject({ state: "changing", from: 0 });
    expect(far.at(-1)).toMatchObject({ state: "operational", to: null });
    const near = bands.window(100 * SEC, 110 * SEC, 1_000, 300 * SEC);
    expect(near.map(({ state, count }) => [state, count])).toEqual(Array.from({ length: 11 }, () => ["operational", 1]));
  });

  it("go back to an instant, the last one open again", () => {
    const bands = new Bands();
    for (let i = 0; i < 10; i++) bands.put(ring(i * SEC));
    bands.rewind(4.5 * SEC);
    expect(bands.all().map(({ from, to }) => [from / SEC, to === null ? null : to / SEC])).toEqual([[0, 1], [1, 2], [2, 3], [3, 4], [4, null]]); // prettier-ignore
  });
});

test("the task log keeps the latest and says how many went", () => {
  const log = new TaskLog();
  for (let i = 0; i < TASKS_MAX + 7; i++)
    log.begin(i, { by: "page", at: null }, "act", `link cut pve${i}`, [], { result: "done", said: "", status: null });
  const { tasks, dropped, revision } = log.since(0);
  expect([tasks.length, dropped, tasks[0]?.line]).toEqual([TASKS_MAX, 7, "link cut pve7"]);
  expect(log.since(revision).tasks).toEqual([]);
  const id = log.begin(1, { by: "terminal", at: "pve1" }, "command", "sleep 5", ["pve1"]);
  log.end(id, { result: "done", said: "", status: 3 });
  log.end(id, { result: "lost", said: "", status: null });
  expect(log.since(revision).tasks).toMatchObject([{ line: "sleep 5", result: "done", status: 3 }]);
});

test.each([
  ["systemctl stop corosync", true],
  ["systemctl --no-block restart corosync.service", true],
  ["cd /tmp && sudo /usr/bin/systemctl start corosync", true],
  ["systemctl status corosync", false],
  ["systemctl is-active corosync && echo stop", false],
  ["echo systemctl stop corosync", false],
  ["kill -9 $(pidof corosync)", true],
  ["kill -l", false],
  ["pkill corosync", true],
  ["reboot", true],
  ["corosync-cfgtool -R", true],
  ["corosync-cfgtool -s", false],
  ["pvecm expected 1", true],
  ["pvecm status", false],
  ["for n in 1 2; do ip link set eno1 down; done", true],
  ["ip -br link", false],
  ["LC_ALL=C corosync-quorumtool -e 2", true],
  ["man shutdown", false],
])("%s acts on its node: %s", (line, acts) => {
  expect(actsOnNode(line)).toBe(acts);
});

let dir: string;
let disk: LabDisk;
let lab: Lab;
const file = defaultLabFile({ nodes: 3, links: 1, clustered: true, name: "lab", seed: "5", epoch: "2026-01-01T00:00:00Z" });
const text = printLabFile(file);
const path = (): string => join(dir, HISTORY_FILE);

function pass(seconds: number): void {
  advance(lab.world, lab.world.now + seconds * SEC, () => false);
}

const whole = (timeline?: Timeline): TimelineWindow =>
  timeline === undefined ? lab.history.window(0, lab.world.now + 1, 16_000) : timeline.window(0, lab.world.now + 1, 16_000, lab.world.now);
const page = { by: "page", at: null } as const;
const prompt = { by: "terminal", at: "pve2" } as const;

/** What a start makes of the file. */
function again(): { timeline: Timeline; said: string[] } {
  const { entries, said } = readHistory(path());
  const timeline = new Timeline();
  timeline.restore(entries, lab.world.now);
  for (const status of lab.world.statuses()) timeline.begin(lab.world.now, status);
  return { timeline, said };
}

describe("a lab's timeline", () => {
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "quorate-timeline-"));
    disk = new LabDisk(dir);
    const { world } = disk.open(text, worldDesign(file), makeNode);
    beginLab(world, file);
    const disks = testDisks();
    lab = new Lab(
      inProcess(world, disks, { speed: 1, paused: true }, () => lab.faults),
      { dir, file, text, version: "test", disk, disks, history: { timeline: new Timeline(), file: new HistoryFile(path()) } },
    );
  });

  afterEach(async () => {
    await lab.close();
    disk.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it("says that a node boots while it boots", async () => {
    await lab.acts.act("node kill pve3");
    pass(1);
    await lab.acts.act("node start pve3");
    expect(
      whole()
        .bands.filter(({ node }) => node === "pve3")
        .at(-1)?.state,
    ).toBe("booting");
    pass(30);
    whole();
    expect(
      whole()
        .bands.filter(({ node }) => node === "pve3")
        .map(({ state }) => state),
    ).not.toContain("stopped");
    await lab.acts.act("service stop pve3 corosync");
    pass(10);
    expect(
      whole()
        .bands.filter(({ node }) => node === "pve3")
        .at(-1)?.state,
    ).toBe("stopped");
  });

  it("is the same after the lab was down: bands, flags, actions, labels", async () => {
    await lab.acts.act("link cut pve3:net0", page);
    pass(20);
    await lab.acts.act("node kill pve2", page);
    pass(5);
    await lab.acts.act("heal", page);
    pass(20);
    lab.history.write();
    const { timeline, said } = again();
    expect(said).toEqual([]);
    expect(whole(timeline)).toEqual(whole());
    expect(timeline.tasks.all().map(({ line, by, result }) => [line, by, result])).toEqual([
      ["link cut pve3:net0", "page", "done"],
      ["node kill pve2", "page", "done"],
      ["heal", "page", "done"],
    ]);
    for (const status of lab.world.statuses()) expect(timeline.letter(status)).toBe(lab.timeline.letter(status));
  });

  it("goes on from before the first line that is not what was written, and keeps the file aside", async () => {
    await lab.acts.act("link cut pve3:net0", page);
    pass(20);
    lab.history.write();
    const lines = readFileSync(path(), "utf8").split("\n");
    const at = lines.findIndex((line) => line.includes('"task"'));
    writeFileSync(path(), [...lines.slice(0, at), lines[at]?.replace("pve3", "pve1"), ...lines.slice(at + 1)].join("\n"));
    const { timeline, said } = again();
    expect(said).toEqual([
      expect.stringMatching(new RegExp(`timeline\\.jsonl:${at + 1} is damaged; it was put aside as .*timeline\\.jsonl\\.damaged-1`)),
    ]);
    expect(readdirSync(dir)).toContain("timeline.jsonl.damaged-1");
    expect(timeline.tasks.all()).toEqual([]);
    expect(whole(timeline).begins).toBe(whole().begins);
    // A line that a crash cut short is no damage.
    writeFileSync(
      path(),
      lines
        .slice(0, at + 1)
        .join("\n")
        .slice(0, -9),
    );
    expect(again().said).toEqual([]);
  });

  it("loses what came after the snapshot that is gone back to, on disk too", async () => {
    await lab.acts.act("link cut pve3:net0", page);
    pass(10);
    await lab.saveSnapshot("calm", page);
    const calm = whole().bands;
    pass(1);
    await lab.acts.act("node kill pve1", page);
    pass(10);
    await lab.rollback("calm", page);
    lab.history.write();
    expect(whole().bands).toEqual(calm);
    const { timeline } = again();
    expect(whole(timeline)).toEqual(whole());
    expect(whole(timeline).marks.map((mark) => mark.text)).toEqual(["cut cable pve3:net0", "rolled back to calm"]);
    expect(timeline.tasks.all().map(({ line }) => line)).toEqual(["link cut pve3:net0", "snapshot calm", "rollback calm"]);
  });

  it("has several lines at once as one act, which one undo takes back; none is done where one cannot be", async () => {
    const calm = lab.world.fabric.list();
    await lab.acts.together(["node kill pve1", "link cut pve2:net0", "link cut pve3:net0"], page);
    expect(lab.world.status("pve1").power).toBe("off");
    expect(lab.world.fabric.list()).toHaveLength(calm.length + 2);
    expect(whole().marks).toHaveLength(1);
    expect(lab.timeline.tasks.all().map(({ line }) => line)).toEqual(["node kill pve1; link cut pve2:net0; link cut pve3:net0"]);
    await lab.acts.undo(page);
    expect(lab.world.status("pve1").power).toBe("on");
    expect(lab.world.fabric.list()).toEqual(calm);
    await expect(lab.acts.undo(page)).rejects.toThrow("nothing to undo");
    for (const line of ["link cut pve9:net0", "node kill pve3 --after 5"])
      await expect(lab.acts.together(["node kill pve1", line], page)).rejects.toThrow(/pve9|--after/);
    expect(lab.world.status("pve1").power).toBe("on");
  });

  it("has what was refused in the task log, with the reason", async () => {
    await expect(lab.acts.act("link cut pve9:net0", page)).rejects.toThrow("pve9");
    await expect(lab.acts.undo(page)).rejects.toThrow("nothing to undo");
    expect(lab.timeline.tasks.all()).toMatchObject([
      { kind: "act", line: "link cut pve9:net0", result: "refused", said: expect.stringContaining("pve9") as string },
      { kind: "lab", line: "undo", result: "refused", said: "nothing to undo" },
    ]);
    expect(whole().marks).toEqual([]);
  });

  it("has a flag for what was typed and acted, and for a corosync.conf that was changed, and none for what only asked", async () => {
    const conf = (data: string): Parameters<Lab["shell"]["file"]>[1] => ({ kind: "file-write", path: "/etc/corosync/corosync.conf", data: new Uint8Array(Buffer.from(data)), append: false }); // prettier-ignore
    const typed = async (line: string, status: number | undefined, does?: () => Promise<unknown>): Promise<void> => {
      const id = lab.history.typed.begin(prompt, "pve2", line);
      await does?.();
      pass(1);
      lab.history.typed.end(id, status);
    };
    await typed("pvecm status", 0);
    await typed("systemctl stop nothing", 5);
    await typed("systemctl stop corosync", 0);
    await typed("sed -i s/3/4/ /etc/corosync/corosync.conf", 0, () => lab.shell.file("pve2", conf("totem {\n}\n")));
    await typed("reboot", undefined);
    expect(whole().marks.map((mark) => mark.text)).toEqual([
      "pve2# systemctl stop corosync",
      "pve2# sed -i s/3/4/ /etc/corosync/corosync.conf",
      "pve2# reboot",
    ]);
    expect(lab.timeline.tasks.all().map(({ by, at, result, status }) => [by, at, result, status])).toEqual([
      ["terminal", "pve2", "done", 0],
      ["terminal", "pve2", "done", 5],
      ["terminal", "pve2", "done", 0],
      ["terminal", "pve2", "done", 0],
      ["terminal", "pve2", "lost", null],
    ]);
  });
});
