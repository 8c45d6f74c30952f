/** Shell patterns: against what the manual says, and that they end. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Glob, GlobLimit, globMatches } from "../../src/engine/kernel/index.ts";
import { sh } from "./machine.ts";

/** A pattern as a tree, with its text and every text of up to some length that fits. */
type Tree = { kind: "char"; c: string } | { kind: "any" } | { kind: "star" } | { kind: "group"; operator: string; of: Tree[][] };

const textOf = (trees: readonly Tree[]): string =>
  trees
    .map((t) => {
      if (t.kind === "char") return t.c;
      if (t.kind === "group") return `${t.operator}(${t.of.map(textOf).join("|")})`;
      return t.kind === "any" ? "?" : "*";
    })
    .join("");

/** As the manual has it, one way after the other. */
function fits(trees: readonly Tree[], text: string): boolean {
  const [first, ...rest] = trees;
  if (!first) return text === "";
  if (first.kind === "char") return text.startsWith(first.c) && fits(rest, text.slice(1));
  if (first.kind === "any") return text !== "" && fits(rest, text.slice(1));
  const cuts = [...Array(text.length + 1).keys()];
  if (first.kind === "star") return cuts.some((n) => fits(rest, text.slice(n)));
  const one = (part: string): boolean => first.of.some((of) => fits(of, part));
  const many = (part: string): boolean =>
    part === "" || [...Array(part.length).keys()].some((n) => one(part.slice(0, n + 1)) && many(part.slice(n + 1)));
  const part = (piece: string): boolean => {
    switch (first.operator) {
      case "@":
        return one(piece);
      case "?":
        return piece === "" || one(piece);
      case "*":
        return many(piece);
      case "+":
        return one(piece) || (piece !== "" && many(piece));
      default:
        return !one(piece);
    }
  };
  return cuts.some((n) => part(text.slice(0, n)) && fits(rest, text.slice(n)));
}

const { trees } = fc.letrec<{ tree: Tree; trees: Tree[] }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom("a", "b").map((c): Tree => ({ kind: "char", c })),
    fc.constantFrom<Tree>({ kind: "any" }, { kind: "star" }),
    fc.record({
      kind: fc.constant("group" as const),
      operator: fc.constantFrom("@", "?", "*", "+", "!"),
      of: fc.array(tie("trees"), { minLength: 1, maxLength: 2 }),
    }),
  ),
  trees: fc.array(tie("tree"), { maxLength: 3 }),
}));

describe("a pattern", () => {
  it("fits what its words say, from either end", () => {
    fc.assert(
      fc.property(trees, fc.stringMatching(/^[ab]{0,5}$/), (tree, text) => {
        const glob = new Glob(textOf(tree), true);
        expect(glob.matches(text)).toBe(fits(tree, text));
        const heads = [...Array(text.length + 1).keys()].filter((n) => fits(tree, text.slice(0, n)));
        expect([glob.start(text, false), glob.start(text, true)]).toEqual([heads[0], heads.at(-1)]);
        const tails = [...Array(text.length + 1).keys()].filter((n) => fits(tree, text.slice(n)));
        expect([glob.end(text, true), glob.end(text, false)]).toEqual([tails[0], tails.at(-1)]);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["[!a-c]*", "dog", true],
    ["[^[:alpha:]]?", "1é", true],
    ["[]-]", "-", true],
    ["[z-a]", "z", false],
    ["[a", "[a", true],
    ["\\*", "*", true],
    ["?", "😀", true],
    ["@(a)", "@(a)", true],
  ])("%s and %s: %s", (pattern, text, expected) => expect(globMatches(pattern, text)).toBe(expected));

  it("replaces from left to right", async () => {
    expect((await sh("x=aXbXc; echo ${x//X/-} ${x/X*/-} ${x//[a-c]/.} ${x/#a/A} ${x/%c/C} ${x//?/<&>}")).out).toBe(
      "a-b-c a- .X.X. AXbXc aXbXC <a><X><b><X><c>\n",
    );
  });
});

describe("none of them", () => {
  it("takes for ever: what has no end in sight says so", async () => {
    expect(globMatches(`${"*a".repeat(100)}b`, "a".repeat(10_000))).toBe(false);
    expect(() => new Glob("*(!(a)!(b))c", true).matches("a".repeat(40_000))).toThrow(GlobLimit);
    const ran = await sh(`x=$(head -c 40000 /dev/zero | tr '\\0' a); [[ $x == *(!(a)!(b))c ]]`);
    expect(ran).toEqual({ status: 1, out: "", err: "bash: pattern takes too long\n" });
  });

  it("fills memory: what comes out too long is said", async () => {
    const ran = await sh("x=$(head -c 1000000 /dev/zero | tr '\\0' a); y=${x//a/$x}; echo $?");
    expect(ran.err).toMatch(/^bash: cannot allocate \d+ bytes\n$/);
  });
});
