/** Names and comments use the field's terms: none of those that only this project's authors would understand. */
import { describe, expect, test } from "vitest";
import { sourceFiles } from "./project.ts";
import { notYetClean, vocabularyFaults } from "./vocabulary.ts";

const files = [
  ...sourceFiles("src", [".ts", ".svelte"]),
  ...sourceFiles("test", [".ts", ".mjs", ".js"]),
  ...sourceFiles("scripts", [".mjs", ".mts"]),
];
const found = files.flatMap(({ path, text }) => vocabularyFaults(path, text).map((fault) => `${path}:${fault}`));
const isIn = (fault: string, start: string): boolean => fault.startsWith(start);

test("no name and no comment has a banned term", () => {
  expect(files.length).toBeGreaterThan(300);
  expect(found.filter((fault) => !notYetClean.some((start) => isIn(fault, start))).join("\n")).toBe("");
});

test.each(notYetClean)("%s has some still; if not, it goes from the list", (start) => {
  expect(found.filter((fault) => isIn(fault, start)).length).toBeGreaterThan(0);
});

describe("each is seen", () => {
  test.each([
    ["src/a.ts", "const lifeOf = 1;\n", "1: life in lifeOf"],
    ["src/a.ts", "class A {\n  #deeds = 1;\n}\n", "2: deeds in #deeds"],
    ["src/a.ts", "interface A {\n  MAX_SEATS: number;\n}\n", "2: seats in MAX_SEATS"],
    ["src/a.ts", "f();\n/**\n * One.\n * A fresh one.\n */\nconst a = 1;\n", "4: fresh in * A fresh one."],
    ["src/a.ts", "const a = 1; // of the crew\n", "1: crew in // of the crew"],
    ["src/a.ts", "// the last line, with its twin\n", "1: twin in // the last line, with its twin"],
    ["src/engine/world/rack.ts", "export const a = 1;\n", "0: rack in src/engine/world/rack.ts"],
    ["src/A.svelte", '<script lang="ts">\n  let words = $state("");\n</script>\n', "2: words in words"],
    ["src/A.svelte", "<p>{seat.x}</p>\n", "1: seat in seat"],
    ["src/A.svelte", "<!-- In words. -->\n<p></p>\n", "1: words in <!-- In words. -->"],
    ["src/a.ts", "const bench = 1;\n", "1: bench in bench"],
    ["scripts/a.mjs", "export const mover = 1;\n", "1: mover in mover"],
  ])("%s: %s", (path, text, fault) => {
    expect(vocabularyFaults(path, text)).toEqual([fault]);
  });

  test.each([
    ["src/a.ts", 'const refreshed = delivery("in other words", `twin ${years} beforehand`);\n'],
    ["src/a.ts", "// `npm run bench` says how fast.\nconst word = 1;\n"],
    ["test/bench/a.ts", "const bench = 1;\n"],
    ["src/A.svelte", "<p>In other words: fresh.</p>\n"],
  ])("no false alarm: %s: %s", (path, text) => {
    expect(vocabularyFaults(path, text)).toEqual([]);
  });
});
