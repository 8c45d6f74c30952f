/** Extended regular expressions: as JavaScript's where both have the same meaning, and linear where JavaScript's are not. */
import { expect, test } from "vitest";
import { compileEre, ereTrouble } from "../../src/engine/command/ere.ts";
import { Rng } from "../../src/engine/kernel/index.ts";

const ATOMS = ["a", "b", ".", "[ab]", "[^a]", "(a|b)", "(ab)", "(a|)", "x", "\\."];
const REPEATS = ["", "", "", "*", "+", "?", "{2}", "{1,3}", "{0,}"];

function pattern(rng: Rng): string {
  let text = rng.below(4) === 0 ? "^" : "";
  for (let n = rng.between(1, 4); n > 0; n--) text += rng.pick(ATOMS) + rng.pick(REPEATS) + (rng.below(6) === 0 ? "|" : "");
  return text + (rng.below(4) === 0 ? "$" : "");
}

test("5,000 random patterns and texts match as in JavaScript", () => {
  const rng = Rng.from("ere");
  const results = { hit: 0, miss: 0 };
  for (let n = 0; n < 5000; n++) {
    const of = pattern(rng);
    let text = "";
    for (let i = rng.below(8); i > 0; i--) text += rng.pick(["a", "b", "x", ".", "c"]);
    const want = new RegExp(of).test(text);
    expect(compileEre(of)?.(text), `/${of}/ on "${text}"`).toBe(want);
    results[want ? "hit" : "miss"]++;
  }
  expect(Math.min(results.hit, results.miss)).toBeGreaterThan(500);
});

test("classes, case and brackets", () => {
  expect(compileEre("^[[:alpha:]_-]+$")?.("pve-ha_crm")).toBe(true);
  expect(compileEre("[]x]")?.("]")).toBe(true);
  expect(compileEre("COROSYNC", { ignoreCase: true })?.("corosync")).toBe(true);
  expect(compileEre("^a)$")?.("a)"), "a parenthesis that closes nothing stands for itself").toBe(true);
  expect(compileEre("[A-C]", { ignoreCase: true })?.("b")).toBe(true);
});

test("what is no pattern is none", () => {
  for (const wrong of ["sl[", "(a", "(*a)", "*a", "a{2,1}", "[z-a]", "a\\", "[[:nonsense:]]", "((a{255}){255}){255}"])
    expect(compileEre(wrong), wrong).toBeUndefined();
});

test.each([
  ["[a", "Unmatched [, [^, [:, [., or [="],
  ["a[", "Invalid regular expression"],
  ["[^", "Invalid regular expression"],
  ["(a|", "Unmatched ( or \\("],
  ["a{1,", "Unmatched \\{"],
  ["a{2,1}", "Invalid content of \\{\\}"],
  ["a{99999}", "Regular expression too big"],
  ["a|*", "Invalid preceding regular expression"],
  ["{1}", "Invalid preceding regular expression"],
  ["a\\", "Trailing backslash"],
  ["[b-a]", "Invalid range end"],
  ["[[:foo:]]", "Invalid character class name"],
  ["a||b", "Success"],
  ["a{,2}", "Success"],
])("glibc says of %s: %s", (pattern, said) => expect(ereTrouble(pattern)).toBe(said));

test("a pattern that goes back and forth for ever elsewhere is read once", () => {
  const text = "a".repeat(5000);
  expect(compileEre("^(a+)+b$")?.(text)).toBe(false);
});
