/** Patterns as people type them: what they find, what is said of wrong ones, and that none of them keeps a shell busy. */
import { describe, expect, it } from "vitest";
import { PatternFault, PatternLimit } from "../../src/main/shell/regex/fault.ts";
import { compilePattern, findAll, type PatternOptions } from "../../src/main/shell/regex/pattern.ts";
import { sh } from "./machine.ts";

async function found(
  syntax: PatternOptions["syntax"],
  pattern: string,
  text: string,
  how: Partial<PatternOptions> = {},
): Promise<string[]> {
  const compiled = await compilePattern([pattern], { syntax, ...how });
  return [...findAll(compiled, text)].map(({ at, end }) => text.slice(at, end));
}

const long = "a".repeat(60);

describe("what is found", () => {
  it.each([
    ["extended", "a|ab|abc", "xabcab", ["abc", "ab"]],
    ["extended", "[[:digit:]]+", "a12b345", ["12", "345"]],
    ["extended", "[]x]+", "a]x]", ["]x]"]],
    ["extended", "[^]x]+", "]a]", ["a"]],
    ["extended", "[a\\]+", "a\\b", ["a\\"]],
    ["extended", "a{2,3}", "aaaaa", ["aaa", "aa"]],
    ["extended", "a{,2}b", "aab", ["aab"]],
    ["extended", "a{x", "a{x", ["a{x"]],
    ["extended", "*a", "*a", ["a"]],
    ["extended", "a+*b", "aaab", ["aaab"]],
    ["extended", "(ab)**c", "ababc", ["ababc"]],
    ["extended", "^a|b$", "aab", ["a", "b"]],
    ["extended", "\\<[a-z]+\\>", "ab cd", ["ab", "cd"]],
    ["extended", "\\<(ab|cd)\\>", "abc ab cd", ["ab", "cd"]],
    ["extended", "\\w+\\b", "ab-c", ["ab", "c"]],
    ["extended", "(.)\\1", "abba", ["bb"]],
    ["extended", "(a)(b)?\\1", "aba aa", ["aba", "aa"]],
    ["extended", "a.c", "a\nc", ["a\nc"]],
    ["basic", "a\\{2\\}", "aaa", ["aa"]],
    ["basic", "a\\|b", "ab", ["a", "b"]],
    ["basic", "a|b", "a|b", ["a|b"]],
    ["basic", "*a", "*a", ["*a"]],
    ["basic", "\\(*a\\)", "*a", ["*a"]],
    ["basic", "a^b$c", "a^b$c", ["a^b$c"]],
    ["basic", "^*a$", "*a", ["*a"]],
    ["basic", "\\(b\\)\\1", "abba", ["bb"]],
    ["basic", "x\\+y\\?", "xxyx", ["xxy", "x"]],
    ["posix", "a)", "a)", ["a)"]],
    ["perl", "\\d+(?=b)", "12b34c", ["12"]],
    ["perl", "a+?", "aa", ["a", "a"]],
    ["perl", "(?<x>a)\\k<x>", "aab", ["aa"]],
    ["perl", "\\bfoo\\b", "foo food", ["foo"]],
    ["fixed", "a.b*", "a.b* axb", ["a.b*"]],
  ] as const)("%s %s in %j", async (syntax, pattern, text, expected) => {
    expect(await found(syntax, pattern, text)).toEqual(expected);
  });

  it("a word, a line, and whatever case", async () => {
    expect(await found("extended", "a|ab", "ab a_ a a", { word: true })).toEqual(["ab", "a", "a"]);
    expect(await found("basic", "\\(a\\)\\1", "aa aab aa", { word: true })).toEqual(["aa", "aa"]);
    expect(await found("extended", "a|ab", "ab", { line: true })).toEqual(["ab"]);
    expect(await found("extended", "a|ab", "abc", { line: true })).toEqual([]);
    expect(await found("extended", "[a-c]É", "Bé", { ignoreCase: true })).toEqual(["Bé"]);
    expect(await found("fixed", "X.", "x. xy", { ignoreCase: true })).toEqual(["x."]);
  });
});

describe("what is said of wrong ones", () => {
  it.each([
    ["extended", "(a", "Unmatched ( or \\("],
    ["extended", "a)", "Unmatched ) or \\)"],
    ["basic", "\\(a", "Unmatched ( or \\("],
    ["extended", "[a", "Unmatched [, [^, [:, [., or [="],
    ["extended", "[z-a]", "Invalid range end"],
    ["extended", "[[:nope:]]", "Invalid character class name"],
    ["extended", "(a)\\2", "Invalid back reference"],
    ["extended", "a\\", "Trailing backslash"],
    ["extended", "a{3,2}", "Invalid content of \\{\\}"],
    ["extended", "a{99999}", "Regular expression too big"],
    ["posix", "*a", "Invalid preceding regular expression"],
  ] as const)("%s %s", async (syntax, pattern, message) => {
    const fault = await compilePattern([pattern], { syntax }).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(PatternFault);
    expect((fault as Error).message).toBe(message);
  });

  it("by grep and by the shell", async () => {
    expect(await sh("echo x | grep '\\(a'")).toEqual({ status: 2, out: "", err: "grep: Unmatched ( or \\(\n" });
    expect((await sh("x='(a'; [[ a =~ $x ]]")).status).toBe(2);
    expect(await sh("echo d1 | grep -E '\\d'")).toEqual({ status: 0, out: "d1\n", err: "grep: warning: stray \\ before d\n" });
  });
});

describe("none keeps a shell busy", () => {
  it.each([
    [`printf 'a%.0s' {1..200} > /tmp/b; echo - >> /tmp/b; grep -wE '(a|a)*c' /tmp/b`, 1, ""],
    [`echo ${long}b | grep -xE '(a|aa)+'`, 1, ""],
    [`echo ${long}b | grep -iE '^(A+)+$'`, 1, ""],
    [`echo ${long}b | grep -E '^(a+)+\\1$'`, 2, "grep: memory exhausted\n"],
    [`echo ${long}b | grep -P '^(?=(a+)+$)(a+)+$'`, 2, "grep: (standard input): exceeded PCRE's backtracking limit\n"],
    [`x=${long}b; [[ $x =~ ^(a|aa)+$ ]]`, 1, ""],
    [`x=${long}b; [[ $x == +(!(b)|a*)c ]]`, 1, ""],
    [`x=${long}; [[ $x == ${"*a".repeat(30)}b ]]`, 1, ""],
    [`x=${long}; case $x in +(+(a|aa)|a)b) ;; *) false;; esac`, 1, ""],
    [`x=${long}; y=\${x//+(a|aa)b/}; [ "$y" = "$x" ]`, 0, ""],
    [`find /etc -name '${"*a".repeat(30)}b'`, 0, ""],
  ])("%s", async (line, status, err) => {
    const began = performance.now();
    expect(await sh(line)).toMatchObject({ status, err });
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it("a limit is one of looking, not of the pattern", async () => {
    const pattern = await compilePattern(["^(a+)+\\1$"], { syntax: "extended" });
    expect(() => pattern.find(`${long}b`)).toThrow(PatternLimit);
    expect(pattern.find("aaaa")).toMatchObject({ at: 0, end: 4 });
  });
});
