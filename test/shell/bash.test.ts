/**
 * The lines of bash-lines.txt, run by our shell: output, status and first message are those of the real bash (5.2, with GNU tools), as bash-answers.json has them. The long form
 * (QUORATE_LONG=1) asks the bash of this computer whether it still says so; QUORATE_RECORD=1 writes down what it says now.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sh } from "./machine.ts";

type Answer = readonly [status: number | null, out: string, firstMessage: string];

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const lines = readFileSync(here("bash-lines.txt"), "utf8")
  .split(/\n\n+/)
  .slice(1)
  .map((line) => line.replace(/\n$/, ""));
const answers = JSON.parse(readFileSync(here("bash-answers.json"), "utf8")) as Record<string, Answer>;

const recording = process.env["QUORATE_RECORD"] === "1";
const asking = recording || process.env["QUORATE_LONG"] === "1";

function realBash(): boolean {
  const version =
    spawnSync("bash", ["-c", "echo ${BASH_VERSINFO[0]} ${BASH_VERSINFO[1]}; sed --version"], { encoding: "utf8" }).stdout ?? "";
  const [major = 0, minor = 0] = (/^(\d+) (\d+)\n.*GNU/s.exec(version) ?? []).slice(1).map(Number);
  return major > 5 || (major === 5 && minor >= 2);
}
const usable = asking && realBash();
if (asking && !usable) console.log("the real bash: skipped, no bash 5.2 with GNU tools here");

const firstMessage = (err: string): string => err.replace(/bash: (?:-c: )?line \d+: /g, "bash: ").split("\n")[0] ?? "";

describe("our shell says what bash says", () => {
  it("and every answer is that of a line", () => {
    expect(Object.keys(answers).sort()).toEqual([...lines].sort());
  });

  for (const line of lines)
    it(line, async () => {
      const ours = await sh(line);
      expect([ours.status, ours.out, firstMessage(ours.err)]).toEqual(answers[line]);
    });
});

describe.skipIf(!usable)("bash itself", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "quorate-bash-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("says what is written down", () => {
    const said = Object.fromEntries(
      lines.map((line): [string, Answer] => {
        // Without --norc a bash whose input is a socket reads ~/.bashrc, as one that a remote shell started.
        const { status, stdout, stderr } = spawnSync("bash", ["--norc", "-c", line], {
          env: { PATH: "/usr/bin:/bin:/usr/sbin", HOME: "/root", LANG: "C" },
          cwd: folder,
          encoding: "utf8",
          input: "",
          timeout: 60_000,
        });
        return [line, [status, stdout, firstMessage(stderr)]];
      }),
    );
    if (recording) writeFileSync(here("bash-answers.json"), `${JSON.stringify(said, null, 1)}\n`);
    else expect(said).toEqual(answers);
  });
});
