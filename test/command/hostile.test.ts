/** Whatever is typed: a command answers, acts or refuses, and never throws; what it says about nonsense is one line or its usage. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { completions, toolNamed, tools } from "../../src/engine/command/index.ts";
import { CmapMap } from "../../src/engine/cmap/index.ts";
import { cloneState, Hasher, NEVER } from "../../src/engine/kernel/index.ts";
import { ask, cluster } from "./fake-host.ts";
import { LoneProcess } from "./lone-process.ts";

/** Without the daemon itself, which a command line may run. */
const NAMES = [...tools.keys()].filter((name) => name !== "corosync");

const options = "abcdefghijklmnopqrstuvwxyzDHRLTVSUC0123456789";
const word = fc.oneof(
  fc.constantFrom(...options).map((c) => `-${c}`),
  fc.constantFrom(
    "-",
    "--",
    "",
    "-:",
    "--since",
    "--until=",
    "--boot=x",
    "-1",
    "0",
    "1",
    "9".repeat(40),
    "1e3",
    "corosync",
    "status",
    "start",
    "expected",
    "u8",
    "u64",
    "flt",
    "bin",
    "test.one",
    "\u0000",
    "é",
    "-n-1",
    "-b",
    "-o",
  ),
  fc.string({ maxLength: 12 }),
);

describe("any command line", () => {
  it("is answered, acts, or is refused", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...NAMES),
        fc.array(word, { maxLength: 6 }),
        fc.constantFrom("up", "down", "stalled"),
        (name, args, state) => {
          const m = cluster();
          if (state !== "up") m.daemon = state === "down" ? "down" : "stalled";
          const argv = [name, ...args];
          const answer = ask(m, argv);
          if (answer !== undefined && answer !== "acts") {
            expect(Number.isInteger(answer.status) && answer.status >= 0 && answer.status < 256).toBe(true);
            return;
          }
          let asked = 0;
          const process = new LoneProcess(argv, m, () => (++asked % 2 === 0 ? { error: "CS_ERR_TRY_AGAIN" } : {}));
          process.program.start();
          process.settle();
          if (process.ended === undefined) process.replace();
          m.daemon = "down";
          process.events.push({ kind: "input", line: undefined });
          process.settle();
          for (let n = 0; process.ended === undefined && process.program.nextTimerAt() !== NEVER && n < 100; n++) process.timer();
          expect(process.said.filter((text) => text.startsWith("exit ")).length).toBeLessThanOrEqual(1);
          // What is left waits for a notice, as those do that never end.
          if (process.ended === undefined) expect(toolNamed(name)?.endless?.(argv)).toBeDefined();
        },
      ),
      { numRuns: 5000, seed: 7 },
    );
  });

  it("can be completed", () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 4 }), fc.constantFrom(...NAMES), (args, name) => {
        const offered = completions(new Set(tools.keys()), cluster(), [name, ...args]);
        expect(offered.every((w) => w.startsWith(args[args.length - 1] ?? name))).toBe(true);
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});

describe("the map's digest", () => {
  it("follows every change and nothing else", () => {
    const map = new CmapMap();
    const digest = (): string => {
      const h = new Hasher();
      map.digest(h);
      return h.hex();
    };
    map.put("test.a", "u8", 1);
    const one = digest();
    const state = cloneState(map.snapshot());
    map.put("test.a", "u8", 1);
    expect(digest()).toBe(one);
    map.put("test.a", "u8", 2);
    expect(digest()).not.toBe(one);
    map.restore(state);
    expect(digest()).toBe(one);
    map.delete("test.a");
    expect(digest()).not.toBe(one);
  });
});
