/** Engines with one rule broken. Each must be caught by the checker of the invariant that the rule keeps. */
import type { Patch } from "./bundle.ts";

export interface Mutant {
  /** What is broken, in words. */
  readonly rule: string;
  /** The invariant that must complain. */
  readonly invariant: string;
  readonly patch: Patch;
}

export const mutants: readonly Mutant[] = [
  {
    rule: "a message is delivered although an earlier one is missing",
    invariant: "total-order",
    patch: {
      file: "totem/delivery.ts",
      find: "if (message === undefined && !skipHoles) return;",
      replace: "if (message === undefined && !skipHoles && seq % 2 === 0) return;",
    },
  },
  {
    rule: "a node that misses messages gives its own the last number again",
    invariant: "total-order",
    patch: {
      file: "totem/token.ts",
      find: "seq: ++token.seq,",
      replace: "seq: s.myAru < token.seq - 1 && s.phase === 'operational' ? token.seq : ++token.seq,",
    },
  },
  {
    rule: "a node now and then leaves out a message of its own",
    invariant: "self-delivery",
    patch: {
      file: "totem/delivery.ts",
      find: "if (message.encapsulated) continue;",
      replace: "if (message.encapsulated || (message.from === t.params.nodeId && seq % 50 === 0)) continue;",
    },
  },
  {
    rule: "members do not re-send each other the old ring's messages in recovery",
    invariant: "virtual-synchrony",
    patch: { file: "totem/commit.ts", find: "  originateOldMessages(t, token);\n", replace: "" },
  },
  {
    rule: "half of the votes is enough",
    invariant: "one-quorate-component",
    patch: { file: "votequorum/arithmetic.ts", find: "return Math.floor(votes / 2) + 1;", replace: "return Math.ceil(votes / 2);" },
  },
  {
    rule: "the votes expected are those of the nodes that are there",
    invariant: "one-quorate-component",
    patch: {
      file: "votequorum/arithmetic.ts",
      find: "const computed = Math.max(majorityOf(basis), majorityOf(totalVotes));\n  return { quorum: input.allowDecrease ? computed : Math.max(input.previous, computed), totalVotes, highestExpected };",
      replace: "const computed = majorityOf(totalVotes);\n  return { quorum: computed, totalVotes, highestExpected: Math.max(basis, 0) };",
    },
  },
  {
    rule: "an idle ring does not make itself known to others",
    invariant: "one-ring",
    patch: { file: "totem/token.ts", find: "    startMergeDetect(t);\n", replace: "" },
  },
  {
    rule: "a new ring takes the old ring's number",
    invariant: "one-ring",
    patch: { file: "totem/commit.ts", find: "s.tokenRingSeq + 4", replace: "s.tokenRingSeq" },
  },
];
