/** The doors of a lab from its own side: its page keeps its address, a file becomes a lab in its place, terminals wait for who comes back, and a change of corosync.conf is planned. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer, type Server as NetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CONF_PATH } from "../../src/engine/config/index.ts";
import { utf8 } from "../../src/engine/kernel/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { World } from "../../src/engine/world/index.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { confOf, worldDesign } from "../../src/main/lab/file/design.ts";
import { exportWarnings } from "../../src/main/lab/file/export.ts";
import { Scrollback, SCROLLBACK_CHARS_MAX } from "../../src/main/lab/process/server/scrollback.ts";
import { beginLab } from "../../src/main/lab/scenario/advance.ts";
import { readLock } from "../../src/main/lab/store/lock.ts";
import { pageFileName, readPageFile, writePageFile } from "../../src/main/lab/store/page-file.ts";
import { confPlan } from "../../src/main/lab/view/conf-plan.ts";
import { newPlace, type Place } from "./quorate.ts";

const file = defaultLabFile({ nodes: 3, links: 1, clustered: true, name: "lab", seed: "5", epoch: "2026-01-01T00:00:00Z" });
const conf = confOf(file) ?? "";

function formed(): World {
  const world = new World(worldDesign(file), makeNode);
  beginLab(world, file);
  return world;
}

function write(world: World, nodes: readonly string[], text: string): void {
  for (const machine of nodes)
    world.act({ to: "machine", machine, act: { kind: "file-write", path: CONF_PATH, data: utf8(text), append: false } });
}

describe("what becomes of a changed corosync.conf", () => {
  const longer = conf.replace("config_version: 3", "config_version: 4\n  token: 5000");

  it("is nothing where everybody has it and runs with it", () => {
    expect(confPlan(formed(), "pve1", conf)).toEqual({
      files: [{ nodes: ["pve1", "pve2", "pve3"], version: 3, same: true, changes: [] }],
      without: [],
      changes: [],
      pending: [],
      version: { now: 3, next: 3 },
      warnings: [],
      steps: [],
    });
  });

  it("goes onto every node and is then reloaded, in that order", () => {
    const world = formed();
    const before = confPlan(world, "pve1", longer);
    expect(before.changes.map(({ key, effect }) => [key, effect])).toEqual([
      ["totem.config_version", "live"],
      ["totem.token", "live"],
    ]);
    expect(before.warnings).toEqual([]);
    expect(before.steps.map(({ what, node, command }) => [what, node, command])).toEqual([
      ["write", undefined, undefined],
      ["reload", "pve1", "corosync-cfgtool -R"],
    ]);
    write(world, ["pve1"], longer);
    const between = confPlan(world, "pve2", longer);
    expect(between.files.map(({ nodes, version, same }) => [nodes, version, same])).toEqual([
      [["pve1"], 4, true],
      [["pve2", "pve3"], 3, false],
    ]);
    write(world, ["pve2", "pve3"], longer);
    const written = confPlan(world, "pve1", longer);
    expect(written.changes).toEqual([]);
    expect(written.pending.map(({ key }) => key)).toEqual(expect.arrayContaining(["totem.config_version", "totem.token"]));
    expect(written.steps.map(({ what }) => what)).toEqual(["reload"]);
  });

  it("warns of a config_version that was not raised", () => {
    const { warnings } = confPlan(formed(), "pve1", conf.replace("config_version: 3", "config_version: 3\n  token: 5000"));
    expect(warnings).toEqual([
      expect.stringContaining("config_version was not raised: it is 3, and there are nodes with 3. Write config_version: 4"),
    ]);
  });

  it("restarts one node after the other where a reload does not do, and says if that loses quorum", () => {
    const world = formed();
    const renamed = conf.replace("config_version: 3", "config_version: 4").replace("cluster_name: lab", "cluster_name: other");
    const { steps, warnings } = confPlan(world, "pve1", renamed);
    expect(steps.find(({ what }) => what === "restart")).toMatchObject({
      node: "pve1",
      command: "systemctl restart corosync",
      text: expect.stringMatching(/one node after the other: pve1, pve2 and pve3\. Go on with the next only when it is a member again/),
    });
    expect(warnings).toEqual([]);
    world.act({ to: "machine", machine: "pve3", act: { kind: "power-cut" } });
    world.runUntil(world.now + 10_000_000);
    expect(confPlan(world, "pve1", renamed).warnings).toEqual([
      "while corosync restarts on pve1 the others hold 1 of the 2 votes needed: quorum is lost",
    ]);
  });

  it("has no steps where corosync refuses the file", () => {
    const plan = confPlan(formed(), "pve1", conf.replace("version: 2", "version: 1"));
    expect(plan.steps).toEqual([]);
    expect(plan.warnings[0]).toContain("corosync refuses this file, line");
  });
});

describe("an export", () => {
  it("names placeholder addresses, and a version lower than that of the file it began with", () => {
    const world = formed();
    expect(exportWarnings(world).map(({ code }) => code)).toEqual(["placeholder"]);
    write(world, world.names, conf.replace("config_version: 3", "config_version: 2"));
    expect(exportWarnings(world).map(({ code, text }) => `${code}: ${text.slice(0, 46)}`)).toEqual([
      "placeholder: placeholder addresses: 10.0.0.11 (pve1), 10.0.",
      "version: config_version is 2, lower than the 3 of the f",
    ]);
  });
});

describe("what a terminal has put out", () => {
  it("is kept in bounds, from the beginning of a line on", () => {
    const kept = new Scrollback();
    for (let n = 0; n < 100_000; n++) kept.add(`line ${n}\r\n`);
    const text = kept.text();
    expect(text.length).toBeLessThanOrEqual(SCROLLBACK_CHARS_MAX);
    expect(text.length).toBeGreaterThan(SCROLLBACK_CHARS_MAX / 2);
    expect(text).toMatch(/^line \d+\r\n/);
    expect(text.endsWith("line 99999\r\n")).toBe(true);
    kept.add("x".repeat(SCROLLBACK_CHARS_MAX * 3));
    expect(kept.text().length).toBeLessThanOrEqual(SCROLLBACK_CHARS_MAX);
  });

  it("is a program's own screen where it began before what is kept", () => {
    const kept = new Scrollback();
    kept.add("\u001b[?1049h");
    for (let n = 0; n < 60_000; n++) kept.add(`line ${n}\r\n`);
    expect(kept.text().startsWith("\u001b[?1049hline")).toBe(true);
  });
});

describe("where the page of a lab is", () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "quorate-page-"))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it("is its owner's alone to read, and forgotten where it is damaged", () => {
    const kept = { port: 40_000, token: "a".repeat(32) };
    writePageFile(dir, kept);
    expect(readPageFile(dir)).toEqual(kept);
    expect(statSync(join(dir, pageFileName)).mode & 0o777).toBe(0o600);
    for (const wrong of [
      { port: 0, token: kept.token },
      { port: 70_000, token: kept.token },
      { port: 40_000, token: "short" },
    ]) {
      writePageFile(dir, wrong);
      expect(readPageFile(dir)).toBeUndefined();
    }
  });
});

describe("the page of a lab whose supervisor is killed", () => {
  let place: Place;
  beforeAll(() => (place = newPlace()));
  afterAll(() => place.end());

  const held = (port: number): Promise<NetServer> =>
    new Promise((done) => {
      const server = createServer((socket) => socket.destroy());
      server.listen(port, "127.0.0.1", () => done(server));
    });
  async function killed(): Promise<void> {
    const pid = readLock(place.lab)?.pid ?? 0;
    process.kill(pid, "SIGKILL");
    await expect.poll(() => alive(pid), { timeout: 10_000 }).toBe(false);
  }
  function alive(pid: number): boolean {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  }

  it("is where it was, and says so where somebody else is there", async () => {
    await place.ok("up", "--nodes", "1", "--host", "inprocess");
    const url = (await place.ok("serve")).trim();
    await killed();
    const again = await place.run(["up"]);
    expect([again.status, again.stdout]).toEqual([0, expect.stringContaining(`page ${url}`)]);
    expect((await place.ok("serve")).trim()).toBe(url);

    await killed();
    const port = Number(new URL(url).port);
    const stranger = await held(port);
    const moved = await place.run(["serve"]);
    stranger.close();
    expect(moved.stderr).toMatch(new RegExp(`another program has port ${port} of the page now; the page is at port \\d+`));
    const next = new URL(moved.stdout.trim());
    expect([next.port === String(port), next.hash]).toEqual([false, new URL(url).hash]);
  });
});
