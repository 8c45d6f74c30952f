/** `quorate conf check` and `conf print` on files: what they print, and the exit status a script goes by. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { confCheck, confPrint, readConf } from "../../src/main/cli/conf.ts";
import { goodConf, replace } from "./good.ts";

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "quorate-conf-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

function file(text: string): string {
  const path = join(dir, "corosync.conf");
  writeFileSync(path, text);
  return path;
}

function ran(work: () => number): { status: number; out: string; err: string } {
  const said = { out: "", err: "" };
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((said.out += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((said.err += String(text)), true));
  const status = work();
  vi.restoreAllMocks();
  return { status, ...said };
}

describe("conf check", () => {
  test("a good file: 0", () => {
    const path = file(goodConf(3, 2));
    expect(ran(() => confCheck(path, false))).toEqual({
      status: 0,
      out: `${path}: corosync accepts this file (errors: 0, warnings: 0, notes: 0)\n`,
      err: "",
    });
  });

  test("an error: 1, with its place", () => {
    const path = file(replace(goodConf(3, 2), "nodeid: 2", "nodeid: 1"));
    const { status, out } = ran(() => confCheck(path, false));
    expect(status).toBe(1);
    expect(out).toContain(`${path}:19:13: error: Nodeid 1 appears twice in corosync.conf [duplicate-nodeid]\n`);
    expect(out).toContain("corosync refuses this file (errors: 1,");
  });

  test("as JSON", () => {
    const path = file(replace(goodConf(3, 2), "nodeid: 2", "nodeid: 1"));
    const { status, out } = ran(() => confCheck(path, true));
    expect(status).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      errors: 1,
      warnings: 0,
      findings: [{ severity: "error", code: "duplicate-nodeid", line: 19, column: 13, text: "Nodeid 1 appears twice in corosync.conf" }],
    });
  });
});

describe("conf print", () => {
  test("a file that parses, in its canonical shape: 0", () => {
    const path = file("totem {\nversion:2\n}\n");
    expect(ran(() => confPrint(path))).toEqual({ status: 0, out: "totem {\n  version: 2\n}\n\n", err: "" });
  });

  test("one that does not: 1, every place on stderr, nothing on stdout", () => {
    const path = file("totem {\ntoken: x\ngarbage\n}\n");
    const { status, out, err } = ran(() => confPrint(path));
    expect({ status, out }).toEqual({ status: 1, out: "" });
    expect(err.split("\n").map((line) => line.slice(path.length, path.length + 6))).toEqual([":2:8: ", ":3:1: ", ""]);
  });
});

test("what cannot be read: one line that names the file", () => {
  expect(() => readConf(join(dir, "none"))).toThrow(`read ${join(dir, "none")}: no such file or directory`);
  expect(() => readConf(dir)).toThrow(`read ${dir}: it is a directory`);
  expect(() => readConf(file("x".repeat((1 << 20) + 1)))).toThrow("larger than 1 MiB, which is as much as a corosync.conf may have");
});
