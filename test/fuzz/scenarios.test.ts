// A schedule and the scenario told of it are the same run; every act has an acting line that does just that; and the command keeps its promises: the same seed
// is the same run, a series goes on from its file, and what cannot be read is refused in one line.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkConf, parseConf } from "../../src/engine/config/index.ts";
import type { MachineAct } from "../../src/engine/kernel/machine.ts";
import { unitNames } from "../../src/engine/node/index.ts";
import type { WorldAct } from "../../src/engine/world/index.ts";
import {
  drawSchedule,
  runSchedule,
  type Bounds,
  type ScheduledAct,
  type FaultSchedule,
  type Variant,
} from "../../src/engine/fuzz/index.ts";
import { begin } from "../../src/main/cli/fuzz.ts";
import { lineOf, readAct } from "../../src/main/lab/act/table.ts";
import { doneRuns, newState, median, note, readState, writeState } from "../../src/main/lab/fuzz/fuzz-state.ts";
import { confOf, worldDesign } from "../../src/main/lab/file/design.ts";
import { fuzz } from "../../src/main/lab/fuzz/fuzz.ts";
import { parseLabFile, printLabFile } from "../../src/main/lab/file/labfile.ts";
import { maker, labOf, scenarioOf, variantText } from "../../src/main/lab/fuzz/schedule-scenario.ts";
import { runScenario } from "../../src/main/lab/scenario/scenario.ts";

const bounds: Bounds = { nodes: [2, 5], links: [1, 2], faultsFor: 60_000_000 };

const designs = new WeakMap<FaultSchedule, ReturnType<typeof worldDesign>>();

/** The cluster of a schedule, made once: a schedule has dozens of acts. */
function designOf(schedule: FaultSchedule): ReturnType<typeof worldDesign> {
  const known = designs.get(schedule) ?? worldDesign(labOf(schedule));
  designs.set(schedule, known);
  return known;
}

/** What the acting line of `act` does. */
function told(act: WorldAct, schedule: FaultSchedule): WorldAct[] {
  const design = designOf(schedule);
  const units = (name: string): string[] => design.machines.filter((m) => m.name === name).flatMap(unitNames);
  return [...readAct(lineOf(act), { design, units }).acts];
}

/**
 * The schedule with its tools and what is moved named as the steps of a scenario name them, and all else written as an acting line has it: a digest sees both.
 * @param start where the schedule begins
 */
function asTold(schedule: FaultSchedule, start = 0): FaultSchedule {
  const tell = ({ at, act }: ScheduledAct, i: number): ScheduledAct[] =>
    act.to === "machine" && act.act.kind === "command"
      ? [{ at, act: { ...act, act: { ...act.act, id: `step-${i}` } } }]
      : act.to === "machine" && act.act.kind === "file-rename"
        ? [{ at, act: { ...act, act: movedByShell(act.act, `shell-${act.machine}-${start + at}-${i}-1`) } }]
        : told(act, schedule).map((one) => ({ at, act: one }));
  return {
    ...schedule,
    acts: schedule.acts.flatMap(tell),
    mends: schedule.mends.flatMap((scheduled, i) => tell(scheduled, schedule.acts.length + i)),
  };
}

/** What `mv` comes to in a shell. */
const movedByShell = ({ from, to }: { from: string; to: string }, id: string): MachineAct => ({
  kind: "file",
  id,
  call: { call: "rename", from, to },
});

/** Only its reloads: nothing is done to a machine that is off. */
function calm(schedule: FaultSchedule): FaultSchedule {
  const acts = schedule.acts.filter(({ act }) => act.act.kind === "file-rename" || act.act.kind === "command");
  return { ...schedule, acts: acts.filter(({ act }) => act.act.kind !== "command" || act.act.argv[1] === "-R") };
}

describe("schedules and scenarios", () => {
  test("every act of 300 schedules is one acting line, or one tool", () => {
    const kinds = new Set<string>();
    for (let i = 0; i < 300; i++) {
      const schedule = drawSchedule(`l${i}`, bounds);
      for (const { act } of [...schedule.acts, ...schedule.mends]) {
        kinds.add(act.act.kind);
        if (act.act.kind !== "command") expect(told(act, schedule)).toEqual([act]);
      }
    }
    // Every sort of fault was drawn.
    const sorts = [
      "link-cut",
      "link-set",
      "link-heal",
      "partition",
      "switch",
      "heal",
      "power-cut",
      "shutdown",
      "reboot",
      "power-on",
      "stall",
    ];
    for (const sort of [...sorts, "resume", "service", "service-stall", "service-resume", "command"]) expect(kinds).toContain(sort);
  });

  test("wide schedules have slow and narrow cables, blocked ports and cards that are down, and keep every invariant; others are what they were", () => {
    const kinds = new Set<string>();
    const settings = new Set<string>();
    for (let i = 0; i < 100; i++) {
      const schedule = drawSchedule(`w${i}`, { ...bounds, wide: true });
      for (const { act } of [...schedule.acts, ...schedule.mends]) {
        kinds.add(act.act.kind);
        if (act.act.kind === "link-set") for (const key of Object.keys(act.act.settings)) settings.add(key);
        if (act.act.kind !== "command") expect(told(act, schedule)).toEqual([act]);
      }
    }
    for (const kind of ["block", "nic-up"]) expect(kinds).toContain(kind);
    for (const key of ["rateMbit", "mtuBytes"]) expect(settings).toContain(key);
    expect(drawSchedule("w0", { ...bounds, wide: false })).toEqual(drawSchedule("w0", bounds));
    for (let i = 0; i < 6; i++) {
      const played = runSchedule(drawSchedule(`w${i}`, { ...bounds, wide: true }), maker);
      expect([i, played.violations.slice(0, 1)]).toEqual([i, []]);
    }
  }, 120_000);

  test("a scenario is played as its schedule: the same instant at the end, and where nothing was done to a machine that is off, the same run", async () => {
    let same = 0;
    for (let i = 0; i < 8; i++) {
      const schedule = asTold(drawSchedule(`s${i}`, bounds));
      const played = runSchedule(schedule, maker);
      const text = printLabFile(scenarioOf(schedule, "one-ring"));
      const { result } = await runScenario(parseLabFile(text, "scenario"), "scenario");
      expect(result.violations).toEqual([]);
      expect([schedule.seed, result.instant]).toEqual([schedule.seed, played.ranFor]);
      // A scenario says of a step that came to nothing that it did; a schedule just goes on, and has the act among its inputs.
      const failed = result.steps.filter((r) => !r.passed);
      for (const step of failed) expect(step.got).toMatch(/powered off$/);
      if (failed.length > 0) continue;
      same++;
      expect([schedule.seed, result.digest]).toEqual([schedule.seed, played.digest]);
    }
    expect(same).toBeGreaterThan(0);
  }, 60_000);

  test("schedules with reloads change files on all nodes or some, broken ones too, and call for a reload; others are what they were", () => {
    const changes = new Set<string>();
    for (let i = 0; i < 60; i++) {
      const schedule = drawSchedule(`r${i}`, { ...bounds, reloads: true });
      for (const { change } of schedule.variants ?? []) changes.add(change.kind);
      const moved = schedule.acts.filter(({ act }) => act.act.kind === "file-rename");
      const asked = schedule.acts.filter(({ act }) => act.act.kind === "command" && act.act.argv[1] === "-R");
      expect([schedule.seed, moved.length > 0, asked.length > 0]).toEqual([schedule.seed, true, true]);
    }
    const kinds = ["nothing", "votes", "expected", "token", "priorities", "links", "without"];
    kinds.push("no-address", "broken", "logging", "crypto", "address");
    expect([...changes].sort()).toEqual(kinds.sort());
    expect(drawSchedule("r0", { ...bounds, reloads: false })).toEqual(drawSchedule("r0", bounds));
  });

  test("each changed file says what it is for", () => {
    const lab = labOf(drawSchedule("r", { ...bounds, nodes: [3, 3], links: [2, 2] }));
    const plain = String(confOf(lab));
    const differs = (change: Variant["change"]): string[] => {
      const lines = variantText(lab, { name: "x", change, versionUp: 4 }).split("\n");
      const was = plain.split("\n");
      return [
        ...was.filter((l) => !lines.includes(l)).map((l) => `-${l.trim()}`),
        ...lines.filter((l) => !was.includes(l)).map((l) => `+${l.trim()}`),
      ];
    };
    const version = ["-config_version: 3", "+config_version: 7"];
    expect(differs({ kind: "nothing" })).toEqual(version);
    expect(differs({ kind: "votes", node: "pve2", votes: 3 })).toEqual([...version.slice(0, 1), "+quorum_votes: 3", "+config_version: 7"]);
    expect(differs({ kind: "expected", votes: 4 })).toEqual(["-config_version: 3", "+expected_votes: 4", "+config_version: 7"]);
    expect(differs({ kind: "token", ms: 2000 })).toEqual([...version, "+token: 2000"]);
    expect(differs({ kind: "without", node: "pve1" })).toEqual([
      "-name: pve1",
      "-nodeid: 1",
      "-ring0_addr: 10.0.0.11",
      "-ring1_addr: 10.10.1.11",
      ...version,
    ]);
    expect(differs({ kind: "no-address", node: "pve3" })).toEqual(["-ring1_addr: 10.10.1.13", ...version]);
    expect(differs({ kind: "address", node: "pve2" })).toEqual([
      "-ring0_addr: 10.0.0.12",
      "-config_version: 3",
      "+ring0_addr: 10.0.0.199",
      "+config_version: 7",
    ]);
    expect(differs({ kind: "logging", debug: "trace" })).toEqual([
      "-debug: off",
      "-config_version: 3",
      "+debug: trace",
      "+config_version: 7",
    ]);
    const crypto = ["+crypto_cipher: aes128", "+crypto_hash: sha1"];
    expect(differs({ kind: "crypto", cipher: "aes128", hash: "sha1" })).toEqual(["-config_version: 3", "+config_version: 7", ...crypto]);
    expect(differs({ kind: "links", count: 1 })).toEqual([
      ...[1, 2, 3].map((i) => `-ring1_addr: 10.10.1.1${i}`),
      "-config_version: 3",
      "-linknumber: 1",
      "+config_version: 7",
    ]);
    for (const how of ["brace", "line", "number"] as const)
      expect(parseConf(variantText(lab, { name: "x", change: { kind: "broken", how }, versionUp: 4 })).errors.length).toBeGreaterThan(0);
  });

  test("beside a quorum device schedules have what the daemon takes there, and the device is set up in every way", () => {
    const texts = Array.from({ length: 40 }, (_, i) => {
      const lab = labOf(drawSchedule(`d${i}`, { ...bounds, options: true, qdevice: true }));
      return String(confOf(lab));
    });
    const seen = new Set(texts.flatMap((text) => text.split("\n").map((l) => l.trim())));
    for (const line of ["wait_for_all: 1", "algorithm: ffsplit", "algorithm: lms", "tie_breaker: lowest", "tie_breaker: 1"])
      expect(seen).toContain(line);
    for (const line of ["keep_active_partition_tie_breaker: off", "timeout: 5000", "sync_timeout: 60000"]) expect(seen).toContain(line);
    for (const text of texts) expect(checkConf(text).filter((f) => f.severity === "error")).toEqual([]);
    const [plain, optioned] = [false, true].map((options) => drawSchedule("d0", { ...bounds, options, qdevice: true }));
    expect(optioned?.acts).toEqual(plain?.acts);
  });

  test("a scenario told of a schedule with reloads is the same run", async () => {
    const drawn = calm(drawSchedule("s", { ...bounds, reloads: true }));
    const schedule = asTold(drawn, runSchedule(drawn, maker).start);
    const played = runSchedule(schedule, maker);
    expect(played.violations).toEqual([]);
    const { result } = await runScenario(parseLabFile(printLabFile(scenarioOf(schedule, "one-ring")), "scenario"), "scenario");
    expect(result.steps.filter((r) => !r.passed)).toEqual([]);
    expect([result.instant, result.digest]).toEqual([played.ranFor, played.digest]);
  }, 60_000);

  test("the same seed is the same run", async () => {
    const task = { seed: "again", bounds, tries: 0 };
    expect(await fuzz(task)).toEqual(await fuzz(task));
  });
});

describe("the state of a series", () => {
  let dir = "";
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "quorate-fuzz-"));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  test("runs that end in another order are all counted, once, and survive a restart", async () => {
    const state = newState({ seed: "x", bounds });
    const report = await fuzz({ seed: "x", bounds, tries: 0 });
    for (const index of [2, 0, 3]) note(state, report, index);
    expect([state.next, state.ahead, doneRuns(state)]).toEqual([1, [2, 3], 3]);
    const path = join(dir, "state.json");
    writeState(path, state);
    const read = readState(path);
    expect(read).toEqual(state);
    if (read !== undefined) note(read, report, 1);
    expect([read?.next, read?.ahead]).toEqual([4, []]);
  });

  test("a new series draws every fault there is; one of old goes on with the bounds it was begun with", () => {
    expect(begin({}, undefined).bounds.wide).toBe(true);
    const path = join(dir, "old.json");
    const old = { ...newState({ seed: "old", bounds }), next: 7 };
    writeState(path, old);
    expect(begin({ seed: "old", nodes: "2..5" }, path)).toEqual(old);
    expect(() => begin({ nodes: "2..6" }, path)).toThrow("a series of --seed old --nodes 2..5 --links 1..2 --seconds 60");
    const seriesFile = join(dir, "wide.json");
    writeState(seriesFile, begin({ seed: "new" }, seriesFile));
    expect(begin({}, seriesFile).bounds).toEqual({ nodes: [2, 7], links: [1, 2], faultsFor: 60_000_000, wide: true, releases: true });
    const more = join(dir, "more.json");
    writeState(more, begin({ seed: "more", options: true, qdevice: true, reloads: true }, more));
    expect(begin({ reloads: true }, more).bounds).toMatchObject({ options: true, qdevice: true, reloads: true });
    expect(() => begin({ reloads: true }, seriesFile)).toThrow("a series of --seed new --nodes 2..7 --links 1..2 --seconds 60");
    expect(() => begin({ nodes: "2..3" }, more)).toThrow("--links 1..2 --options --qdevice --reloads --seconds 60");
  });

  test("the median of counted values is the one in the middle", () => {
    expect(median({ "3": 1, "5": 1, "100": 1 })).toBe(5);
    expect(median({ "10": 5, "9": 1 })).toBe(10);
    expect(median({})).toBe(0);
  });

  test("a file that is no state, or of another engine, is refused and left as it is", () => {
    const path = join(dir, "other.json");
    writeFileSync(path, "precious\n");
    expect(() => readState(path)).toThrow(`${path}: not the state of a fuzz series`);
    writeFileSync(path, JSON.stringify({ ...newState({ seed: "x", bounds }), engine: "0.0.1" }));
    expect(() => readState(path)).toThrow("from engine 0.0.1");
    expect(readFileSync(path, "utf8")).toContain("0.0.1");
    expect(readState(join(dir, "none.json"))).toBeUndefined();
  });
});
