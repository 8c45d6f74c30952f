/** The lines of bash-lines.txt, run by the real bash (5.2 or later, with GNU tools) and by our shell: output, status and first message are equal. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sh } from "./machine.ts";

const version = spawnSync("bash", ["-c", "echo ${BASH_VERSINFO[0]} ${BASH_VERSINFO[1]}; sed --version"], { encoding: "utf8" }).stdout ?? "";
const [major = 0, minor = 0] = (/^(\d+) (\d+)\n.*GNU/s.exec(version) ?? []).slice(1).map(Number);
const usable = major > 5 || (major === 5 && minor >= 2);
if (!usable) console.log("shell against bash: skipped, no bash 5.2 with GNU tools here");

const text = readFileSync(fileURLToPath(new URL("bash-lines.txt", import.meta.url)), "utf8");
const lines = text
  .split(/\n\n+/)
  .slice(1)
  .map((line) => line.replace(/\n$/, ""));

describe.skipIf(!usable)("our shell and bash", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "quorate-bash-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  for (const line of lines) {
    it(line, async () => {
      const real = spawnSync("bash", ["-c", line], {
        env: { PATH: "/usr/bin:/bin:/usr/sbin", HOME: "/root", LANG: "C" },
        cwd: folder,
        encoding: "utf8",
        input: "",
        timeout: 10_000,
      });
      const ours = await sh(line);
      const first = (err: string): string => err.replace(/bash: (?:-c: )?line \d+: /g, "bash: ").split("\n")[0] ?? "";
      expect([ours.status, ours.out, first(ours.err)]).toEqual([real.status, real.stdout, first(real.stderr)]);
    });
  }
});
