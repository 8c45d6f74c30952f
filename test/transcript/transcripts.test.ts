// Every transcript of every layer, replayed. QUORATE_REWRITE=1 writes what really happened into the files, for a person to read the difference.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DRIVERS } from "./drivers/index.ts";
import { malformed, retell } from "./told.ts";

/** Of all layers together. */
const TRANSCRIPTS_MIN = 23;
const rewrite = process.env["QUORATE_REWRITE"] === "1";
let count = 0;

for (const [layer, makeDriver] of Object.entries(DRIVERS)) {
  const dir = new URL(`./${layer}/`, import.meta.url);
  describe(layer, () => {
    for (const file of readdirSync(dir).filter((f) => f.endsWith(".txt"))) {
      count++;
      test(file, async () => {
        const url = new URL(file, dir);
        const text = readFileSync(url, "utf8");
        const told = await retell(text, makeDriver());
        expect(malformed(told)).toEqual([]);
        if (rewrite) writeFileSync(url, told);
        else expect(told).toBe(text);
      });
    }
  });
}

test(`there are ${TRANSCRIPTS_MIN} or more`, () => {
  expect(count).toBeGreaterThanOrEqual(TRANSCRIPTS_MIN);
});

test("an answer that is not what happened fails", async () => {
  const text = "# Two nodes.\n# Source: FACTS 9\n\nnodes 2\nring 1\n\nstatus\n----\nnode1: expected 2, total 2, quorum 2, Quorate\n";
  expect(await retell(text, DRIVERS["votequorum"]?.() ?? { run: () => [] })).not.toBe(text);
  expect(malformed("nodes 2\n\nring 1\n\nstatus\n")).toEqual([
    "the first block is not prose alone",
    "no line says '# Source: FACTS n' or a manual page",
  ]);
});
