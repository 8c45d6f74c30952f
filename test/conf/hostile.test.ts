/**
 * Hostile files. Whatever stands in a corosync.conf, reading it ends, quickly and without a crash, and whatever is said about it names a line the
 * file has. 5,000 generated files (20,000 with QUORATE_LONG=1) go through the parser, the verdict, the checker, the printer and the import.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkConf, importConf, parseConf, printConf, verifyConf } from "../../src/engine/config/index.ts";
import { hostileConf } from "./arbitrary.ts";
import { node1 } from "./good.ts";

const FILES = process.env["QUORATE_LONG"] === "1" ? 20_000 : 5_000;

function linesOf(text: string): number {
  return Math.max(1, text.split("\n").length);
}

function isPlace(n: number, most: number): boolean {
  return n >= 1 && n <= most && Number.isInteger(n);
}

describe("hostile files", () => {
  test(`${FILES} of them: never a crash, always a line number`, { timeout: 240_000 }, () => {
    const tally = { accepted: 0, refused: 0, errors: 0 };
    fc.assert(
      fc.property(hostileConf, (text) => {
        const lines = linesOf(text);
        const parsed = parseConf(text);
        const verdict = verifyConf(parsed, node1);
        const findings = checkConf(text);
        const errors = findings.filter((f) => f.severity === "error").length;
        const claims: [claim: string, holds: boolean][] = [
          [
            "every error has its place",
            [...parsed.errors, ...findings].every((f) => isPlace(f.line, lines) && isPlace(f.column, Infinity)),
          ],
          ["a file that does not parse does not start", parsed.errors.length === 0 || !verdict.ok],
          [
            "a refusal has a status and a reason",
            verdict.ok || ([7, 8, 20, 134].includes(verdict.exitCode) && verdict.messages.length > 0),
          ],
          ["the checker names a parse error too", parsed.errors.length === 0 || errors > 0],
          ["a file is imported if the checker finds no error", importConf(text).ok === (errors === 0)],
          ["it can be printed", typeof printConf(parsed.conf) === "string"],
        ];
        for (const [claim, holds] of claims) if (!holds) throw new Error(`does not hold: ${claim}`);
        tally[verdict.ok ? "accepted" : "refused"]++;
        tally.errors += errors;
      }),
      { numRuns: FILES, seed: 20_260_101 },
    );
    console.log(`hostile files: ${tally.refused} refused, ${tally.accepted} accepted, ${tally.errors} errors named`);
    // both answers occur: the generator reaches past the parser
    expect(tally.refused).toBeGreaterThan(FILES / 10);
    expect(tally.accepted).toBeGreaterThan(FILES / 100);
  });

  const many = (n: number, line: (i: number) => string): string => Array.from({ length: n }, (_, i) => line(i)).join("\n");
  const node = (i: number): string => `node {\nname: n${i}\nnodeid: ${i + 1}\nring0_addr: h${i}\n}`;

  test.each<[string, string]>([
    ["a hundred thousand lines of rubbish", many(100_000, () => "rubbish")],
    ["a hundred thousand open sections", many(100_000, () => "a {")],
    ["a hundred thousand closing braces", many(100_000, () => "}")],
    ["one line of a megabyte", "x".repeat(1 << 20)],
    ["ten thousand nodes", `nodelist {\n${many(10_000, node)}\n}\ntotem {\nversion: 2\n}\n`],
    ["ten thousand nodes with one id", `nodelist {\n${many(10_000, () => node(1))}\n}\ntotem {\nversion: 2\n}\n`],
    [
      "ten thousand nodes of one name",
      `nodelist {\n${many(10_000, (i) => `node {\nname: n\nnodeid: ${i + 1}\nring0_addr: h\n}`)}\n}\ntotem {\nversion: 2\n}\n`,
    ],
    ["ten thousand interfaces", `totem {\n${many(10_000, (i) => `interface {\nlinknumber: ${i % 256}\nknet_link_priority: 2\n}`)}\n}\n`],
    ["fifty thousand keys", `foo {\n${many(50_000, (i) => `k${i}: ${i}`)}\n}\n`],
  ])("%s", { timeout: 60_000 }, (_, text) => {
    const before = process.cpuUsage();
    const parsed = parseConf(text);
    verifyConf(parsed, node1);
    expect(parsed.errors.length).toBeLessThanOrEqual(200);
    for (const f of checkConf(text)) expect(f.line).toBeLessThanOrEqual(linesOf(text));
    printConf(parsed.conf);
    importConf(text);
    const used = process.cpuUsage(before);
    // processor seconds, far above what it takes: a step that grows with the square of the size would take minutes
    expect((used.user + used.system) / 1e6).toBeLessThan(10);
  });
});
