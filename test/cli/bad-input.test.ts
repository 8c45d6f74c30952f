/** Bad input to the command line: one line that says what is wrong, where, and what is allowed; and the right exit status. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { existsSync } from "node:fs";
import { complaint, newPlace, type Place, type Ran } from "./quorate.ts";

let place: Place;
beforeAll(async () => {
  place = newPlace();
  await place.ok("up", "--nodes", "2", "--host", "inprocess");
});
afterAll(() => place.end());

function oneLine(ran: Ran, status: number, said: string | RegExp): void {
  expect(ran.stdout).toBe("");
  const lines = complaint(ran).split("\n");
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^quorate: /);
  expect(lines[0]).toMatch(said);
  expect(ran.status).toBe(status);
}

/** A file system that is `options`, mounted below the scratch directory; undefined where this user may not mount. */
function mounted(name: string, options: string): string | undefined {
  const dir = join(place.dir, name);
  mkdirSync(dir);
  return spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", dir]).status === 0 ? dir : undefined;
}

describe("bad input gets one clear line", { timeout: 120_000 }, () => {
  it("an unknown node: the names there are; 2, and 255 under exec", async () => {
    oneLine(await place.run(["exec", "pve9", "true"]), 255, /no node pve9; there are: pve1, pve2$/);
    oneLine(await place.run(["status", "pve9"]), 2, /no node pve9; there are: pve1, pve2$/);
    oneLine(await place.run(["node", "kill", "pve9"]), 2, /unknown node "pve9"; there are: pve1, pve2$/);
  });

  it("a node that is off", async () => {
    await place.ok("node", "kill", "pve2");
    oneLine(await place.run(["exec", "pve2", "true"]), 255, /pve2 is powered off$/);
    oneLine(await place.run(["node", "reboot", "pve2"]), 1, /pve2 is powered off$/);
    oneLine(await place.run(["service", "start", "pve2", "corosync"]), 1, /pve2 is powered off$/);
  });

  it("a busy lab directory: it says by what, and what to do", async () => {
    oneLine(await place.run(["up", "--nodes", "5"]), 2, /is busy: a lab runs there; "quorate down" freezes it/);
    // Without a creating option a running lab is simply shown.
    expect((await place.run(["up"])).status).toBe(0);
  });

  it("a directory that is somebody else's", async () => {
    const dir = join(place.dir, "mine");
    mkdirSync(dir);
    writeFileSync(join(dir, "thesis.txt"), "");
    oneLine(await place.run(["up", "--lab", dir]), 2, /is not empty and holds no lab \(thesis.txt\)/);
  });

  it("a path that is no directory, and one where none can be made", async () => {
    const file = join(place.dir, "a-file");
    writeFileSync(file, "");
    oneLine(await place.run(["up", "--lab", file]), 1, `${file} is not a directory`);
    oneLine(await place.run(["up", "--lab", join(file, "lab")]), 1, `${file} is not a directory`);
    // There mkdir says that the new name does not exist.
    if (process.platform === "linux") oneLine(await place.run(["up", "--lab", "/proc/none/lab"]), 1, /\/proc\/none\/lab: /);
  });

  it("a malformed lab file: file, line and column", async () => {
    const file = join(place.dir, "bad.yaml");
    writeFileSync(file, "quorate: 1\nnetworks: { net0: 10.0.0.0/24 }\nnodes:\n  pve1: { net9: 10.0.0.11 }\n");
    oneLine(await place.run(["run", file]), 2, `${file}:4:11: no network net9; there are: net0`);
    oneLine(await place.run(["up", "--file", file, "--lab", join(place.dir, "other")]), 2, `${file}:4:11: `);
    oneLine(await place.run(["run", join(place.dir, "none.yaml")]), 2, /none\.yaml: no such file or directory$/);
  });

  it("a corosync.conf that real corosync would refuse", async () => {
    const file = join(place.dir, "corosync.conf");
    writeFileSync(file, "totem {\n  version: 2\n");
    oneLine(await place.run(["import", file]), 2, `${file}:`);
    oneLine(await place.run(["import", join(place.dir, "none.conf")]), 2, /none\.conf: no such file or directory$/);
  });

  it("a broken record: file and line", async () => {
    const file = join(place.dir, "broken");
    writeFileSync(file, "hello\n");
    oneLine(await place.run(["replay", file]), 2, `${file}:1: not a record`);
  });

  it("a directory that cannot be written, and a full disk", async (test) => {
    const readOnly = mounted("ro", "ro,size=64k");
    const full = mounted("full", "size=16k");
    if (readOnly === undefined || full === undefined) return test.skip("skipped: mounting a small file system needs root");
    try {
      oneLine(await place.run(["up", "--lab", join(readOnly, "lab")]), 1, /read-only/);
      writeFileSync(join(full, "ballast"), Buffer.alloc(16 << 10));
      oneLine(await place.run(["up", "--lab", join(full, "lab")]), 1, /the disk is full$/);
    } finally {
      for (const dir of [readOnly, full]) spawnSync("umount", [dir]);
    }
    oneLine(await place.run(["record", "--out", "/dev/full"]), 1, /write \/dev\/full: the disk is full$/);
  });

  it("a port in use", async (test) => {
    if (!existsSync(resolve(import.meta.dirname, "../../out/renderer/index.html"))) return test.skip("skipped: the page is not built");
    const other = createServer();
    const port = await new Promise<number>((done) =>
      other.listen(0, "127.0.0.1", () => {
        const address = other.address();
        done(typeof address === "object" && address !== null ? address.port : 0);
      }),
    );
    oneLine(await place.run(["serve", "--port", String(port)]), 1, new RegExp(`port ${port} on 127.0.0.1 is in use`));
    other.close();
    oneLine(await place.run(["serve", "--port", "99999"]), 2, /--port "99999": a whole number from 1 to 65535/);
  });

  it("wrong usage: what is wrong and what is allowed", async () => {
    const wrong: [string[], RegExp][] = [
      [["exec", "pve1"], /usage: exec/],
      [["speed", "500"], /a number from 0.001 to 100, or max/],
      [["up", "--host", "cloud"], /--host "cloud": workers or inprocess is allowed/],
      [["ha-sim", "x"], /ha-sim is not part of this version; \S/],
      [["nonsense"], /unknown command 'nonsense'/],
      [["link", "cut", "pve1:net5"], /unknown network of pve1 "net5"; there is: net0/],
      [["wait"], /for what\? There are: --quorate/],
    ];
    const ran = await Promise.all(wrong.map(([args]) => place.run(args)));
    for (const [i, [, said]] of wrong.entries()) oneLine(ran[i] ?? { stdout: "", stderr: "", status: -1 }, 2, said);
  });

  it("no lab at all", async () => {
    const lab = ["--lab", join(place.dir, "nothing")];
    oneLine(await place.run(["status", ...lab]), 1, /no lab is running in .*; "quorate up" starts one$/);
    oneLine(await place.run(["exec", ...lab, "pve1", "true"]), 255, /no lab is running/);
    oneLine(await place.run(["rm", "--yes", ...lab]), 1, /no lab in /);
  });
});
