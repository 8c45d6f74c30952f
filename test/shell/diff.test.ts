/**
 * diff against the real one (GNU diffutils): the same output, status and complaints for a table of lines, and for files that were edited by chance.
 * Where files are made of a few lines repeated, several scripts are equally short; there ours is as short and makes the one file of the other.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { changes } from "../../src/main/shell/userland/changes.ts";
import { Machine, sh } from "./machine.ts";

const usable = (spawnSync("diff", ["--version"], { encoding: "utf8" }).stdout ?? "").includes("GNU diffutils");
if (!usable) console.log("diff against the real one: skipped, no GNU diff here");

const files: Record<string, string> = {
  one: "a\nb\nc\n",
  two: "a\nB\nc\nd\n",
  cut: "a\nb\nc",
  blanks: "a  b \n\tc\n",
  blanks2: "a b\n c\n",
  gaps: "\na\n\n\nb\nc\nd\ne\nf\n",
  gapless: "a\nb\nc\nd\ne\nF\n",
  binary: "a\0b\n",
  wide: `${"x".repeat(100)}\n\ttab\tin\nñandú é\n`,
  narrow: `${"x".repeat(99)}y\n\ttab\tout\nñandu é\nlast`,
  empty: "",
  "with blank": "x\n",
};

const lines = [
  ...["", "-u", "-U0", "-U 1", "-u2", "--unified=1"].map((o) => `diff ${o} --label l --label r one two`),
  ...["one cut", "cut one", "cut two", "cut cut", "one one", "empty one", "one empty", "empty empty"].flatMap((two) => [
    `diff ${two}`,
    `diff -u --label x --label y ${two}`,
    `diff -y ${two}`,
    `diff -qs ${two}`,
  ]),
  ...["-y", "-yW40", "-y --width=41", "-yW 10", "-yW80 --left-column", "-y --suppress-common-lines"].flatMap((o) => [
    `diff ${o} one two`,
    `diff ${o} wide narrow`,
  ]),
  ...["-b", "-w", "-i", "-bu -L x -L y", "-y -b"].map((o) => `diff ${o} blanks blanks2`),
  ...["-i", "-ui -Lx -Ly"].map((o) => `diff ${o} one two`),
  ...["-B", "-u", "-uB", "-U1 -B", "-q -B"].map((o) => `diff ${o} -L x -L y gaps gapless`),
  "diff -b one cut; diff -w cut one",
  "diff binary one; diff -L x binary two; diff -s -L x -L y one one; diff -q binary one; diff -a binary one; diff binary binary",
  "diff -s one one; diff -q one two; diff --brief --report-identical-files one one",
  "diff nofile one; diff one nofile; diff nofile nofile2",
  "diff -N one nofile; diff -N nofile one; diff -N nofile nofile2",
  "mkdir d; cp two d/one; diff one d; diff d one; diff one d/; diff nofile d",
  "diff - - < one; diff - one < two; diff -L l -L r -u one - < two; diff -q - - < one",
  "diff one two one; diff one; diff; diff -k one two; diff --nope one two",
  "diff -Ux one two; diff -y -u one two; diff -L a -L b -L c one two",
  "diff <(echo a) <(echo a; echo b)",
];

/** A real folder with the files above, and the same files in a machine's /root. */
function machine(extra: Record<string, string> = {}): Machine {
  const made = new Machine();
  for (const [name, text] of Object.entries({ ...files, ...extra })) made.put(`/root/${name}`, text);
  return made;
}

describe.skipIf(!usable)("our diff and GNU diff", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "quorate-diff-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function real(line: string, extra: Record<string, string> = {}): { status: number | null; out: string; err: string } {
    for (const [name, text] of Object.entries({ ...files, ...extra })) writeFileSync(join(folder, name), text);
    rmSync(join(folder, "d"), { recursive: true, force: true });
    const ran = spawnSync("bash", ["--norc", "-c", line], {
      cwd: folder,
      input: "",
      env: { PATH: "/usr/bin:/bin", LC_ALL: "C.UTF-8", TZ: "UTC" },
      encoding: "utf8",
    });
    return { status: ran.status, out: ran.stdout, err: ran.stderr.replace(/[‘’]/g, "'") };
  }

  for (const line of lines) {
    it(line, async () => expect(await sh(line, machine())).toEqual(real(line)));
  }

  it("the heading of a file is its name and time", async () => {
    const ran = await sh('touch -d "2026-01-02 03:04:05.6" one two "with blank"; diff -u one "with blank" | head -n 2', machine());
    expect(ran.out).toMatch(/^--- one\t[-\d]{10} [:.\d]{18} \+0000\n\+\+\+ "with blank"\t[-\d]{10} [:.\d]{18} \+0000\n$/);
    expect(real('diff -u one "with blank" | head -n 2').out.replace(/\d/g, "0")).toBe(ran.out.replace(/\d/g, "0"));
  });

  it("files edited by chance, in every format", async () => {
    const random = generator(7);
    for (let n = 0; n < (process.env["QUORATE_LONG"] === "1" ? 60 : 20); n++) {
      const before = Array.from({ length: 30 }, (_, at) => `line ${random(4) === 0 ? random(5) : at}`);
      const after = [...before];
      for (let edits = random(5) + 1; edits > 0; edits--) {
        const at = random(after.length);
        if (random(3) === 0) after.splice(at, 1);
        else after.splice(at, random(2), `new ${random(5)}`);
      }
      const extra = { before: `${before.join("\n")}\n`, after: `${after.join("\n")}\n` };
      const line = "diff before after; diff -u -L x -L y before after; diff -y -W 40 before after; diff -U0 -L x -L y before after";
      expect(await sh(line, machine(extra))).toEqual(real(line, extra));
    }
  });

  it("a node more or less in corosync.conf, in both formats", async () => {
    const conf = (ids: readonly number[]): string =>
      `totem {\n  version: 2\n}\n\nnodelist {\n${ids.map((id) => `  node {\n    name: pve${id}\n    nodeid: ${id}\n    quorum_votes: 1\n    ring0_addr: 10.0.0.${id}\n  }\n\n`).join("")}}\n`;
    for (const [before, after] of [
      [
        [1, 2, 3],
        [1, 2, 3, 4],
      ],
      [
        [1, 2, 3],
        [1, 3],
      ],
      [
        [1, 2, 3],
        [2, 3],
      ],
      [
        [1, 2, 3],
        [1, 2],
      ],
      [
        [1, 2, 3],
        [1, 5, 2, 3],
      ],
    ] as const) {
      const extra = { before: conf(before), after: conf(after) };
      const line = "diff before after; diff -u -L x -L y before after";
      expect(await sh(line, machine(extra))).toEqual(real(line, extra));
    }
  });
});

function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    return (state >> 8) % below;
  };
}

/** Length of a longest common subsequence, by the textbook's table. */
function commonLength(a: readonly string[], b: readonly string[]): number {
  let above = new Array<number>(b.length + 1).fill(0);
  for (const line of a) {
    const row = [0];
    for (const [at, other] of b.entries()) row.push(line === other ? (above[at] ?? 0) + 1 : Math.max(row[at] ?? 0, above[at + 1] ?? 0));
    above = row;
  }
  return above.at(-1) ?? 0;
}

describe("the changes between two files", () => {
  it("make the one of the other, and are as few as can be", () => {
    const random = generator(11);
    for (let n = 0; n < 400; n++) {
      const some = (): string[] => Array.from({ length: random(14) }, () => "abc".charAt(random(3)));
      const [a, b, horizon] = [some(), some(), random(4)];
      const hunks = changes(a, b, horizon);
      const made = [...a];
      for (const hunk of [...hunks].reverse()) made.splice(hunk.a, hunk.aCount, ...b.slice(hunk.b, hunk.b + hunk.bCount));
      expect(made).toEqual(b);
      const changed = hunks.reduce((sum, hunk) => sum + hunk.aCount + hunk.bCount, 0);
      expect(changed).toBe(a.length + b.length - 2 * commonLength(a, b));
    }
  });

  it("large files without a common line are told apart at once", () => {
    const lines = (letter: string): string[] => Array.from({ length: 100_000 }, (_, at) => `${letter}${at}`);
    const began = performance.now();
    expect(changes(lines("a"), lines("b"), 3)).toEqual([{ a: 0, aCount: 100_000, b: 0, bCount: 100_000 }]);
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
