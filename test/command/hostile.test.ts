/** Whatever is typed: a command answers, acts or refuses, and never throws; what it says about nonsense is one line or its usage. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CommandRuns, answerQuery, commands, completions } from "../../src/engine/command/index.ts";
import { CmapMap } from "../../src/engine/cmap/index.ts";
import { cloneState, Hasher, type Effect } from "../../src/engine/kernel/index.ts";
import { handmade, link, view, type NodeShape } from "./fake-host.ts";

const NODES: NodeShape[] = [1, 2].map((i) => ({ nodeId: i, name: `node${i}`, addresses: [`10.10.0.${i}`], votes: 1 }));

function machine(): ReturnType<typeof handmade> {
  const [a, b] = NODES;
  if (!a || !b) throw new Error("two nodes wanted");
  return handmade(
    view({
      nodeId: 1,
      nodes: NODES,
      members: [1, 2],
      ring: { rep: 1, seq: 9 },
      quorate: true,
      expectedVotes: 2,
      highestExpected: 2,
      totalVotes: 2,
      quorum: 2,
      links: [link(a, b, 0, true)],
      cmap: [{ key: "test.one", type: "u8", value: 1 }],
    }),
  );
}

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
        fc.constantFrom(...commands.keys()),
        fc.array(word, { maxLength: 6 }),
        fc.constantFrom("up", "down", "stalled"),
        (name, args, state) => {
          const m = machine();
          if (state !== "up") m.daemon = state === "down" ? "down" : "stalled";
          const argv = [name, ...args];
          const answer = answerQuery(m.host, argv, { cwd: "/", stdin: "x" });
          if (answer !== undefined && answer !== "acts") {
            expect(Number.isInteger(answer.status) && answer.status >= 0 && answer.status < 256).toBe(true);
            return;
          }
          const effects: Effect[] = [];
          let asked = 0;
          const runs = new CommandRuns({
            host: () => m.host,
            act: () => (++asked % 2 === 0 ? "CS_ERR_TRY_AGAIN" : undefined),
            manager: () => (++asked % 2 === 0 ? { error: "Access denied" } : { job: 1 }),
            job: () => undefined,
            emit: (e) => void effects.push(e),
            setTimer: () => undefined,
            clearTimer: () => undefined,
          });
          runs.start("c", argv, { cwd: "/", stdin: "x" });
          runs.restore(cloneState(runs.snapshot()));
          m.daemon = "down";
          runs.wake();
          runs.timer("c");
          runs.signal("c", "SIGINT");
          expect(runs.busy).toBe(false);
          expect(effects.filter((e) => e.kind === "exit")).toHaveLength(1);
        },
      ),
      { numRuns: 5000, seed: 7 },
    );
  });

  it("can be completed", () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 4 }), fc.constantFrom(...commands.keys()), (args, name) => {
        const offered = completions(machine().host, [name, ...args]);
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
