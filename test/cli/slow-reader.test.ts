/** What a command writes reaches whoever reads it slowly: more than a pipe holds is waited for, and a reader that goes away ends it quietly. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const cli = resolve(import.meta.dirname, "../../out/main/cli.js");
const LINES = 12_000;
let dir: string;

/** A file that is printed as it stands: several times 64 KiB. */
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "quorate-pipe-"));
  const keys = Array.from({ length: LINES }, (_, i) => `  key_${i}: what is said in line ${i}\n`).join("");
  writeFileSync(join(dir, "corosync.conf"), `totem {\n  version: 2\n${keys}}\n`);
});
afterAll(() => rmSync(dir, { recursive: true }));

/** A line of a shell in which $Q prints that file. */
function shell(line: string): string {
  const command = `"${process.execPath}" "${cli}" conf print "${join(dir, "corosync.conf")}"`;
  const { stdout, stderr } = spawnSync("sh", ["-c", line.replace("$Q", command)], { encoding: "utf8", maxBuffer: 1 << 24 });
  return stderr + stdout;
}

test("all of it comes through a pipe whose reader begins a second late", () => {
  const whole = shell("$Q");
  expect(whole.length).toBeGreaterThan(3 * 65_536);
  expect(shell("$Q | (sleep 1; cat)")).toBe(whole);
});

test("a reader that goes away ends it, without a word", () => {
  expect(shell("$Q | head -c 10; echo; echo over")).toMatch(/^.{10}\nover\n$/s);
});
