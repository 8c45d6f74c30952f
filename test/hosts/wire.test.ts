// What hub and workers say to each other arrives as it was sent, and nothing else is taken for it: a key more or less, another type, cut short, noise.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pack, unpackAnswer, unpackAsk, type Answer, type Ask } from "../../src/engine/host/wire.ts";
import { sameEffects } from "../../src/engine/host/same.ts";
import { NEVER, SEC, type Effect } from "../../src/engine/kernel/index.ts";
import { clusterDesign, worldHere } from "./worlds.ts";

const design = clusterDesign("wire", 3);
const world = worldHere(design);
const effects: Effect[] = [];
world.watch({ effect: (_at, _machine, effect) => effects.push(effect) });
world.runUntil(25 * SEC);
const [machine] = design.machines;
const [snapshot] = world.snapshot().machines;
if (machine === undefined || snapshot === undefined) throw new Error("the world has no machine");

const datagram = {
  proto: "udp",
  net: "net0",
  src: "10.0.0.11",
  srcPort: 5405,
  dst: "10.0.0.12",
  dstPort: 5405,
  bytes: new Uint8Array([0, 255]),
} as const;

const asks: readonly Ask[] = [
  { ask: "begin", id: 1, facts: { seed: "s", epochUnixMicros: 1e15 }, design: machine },
  { ask: "begin", id: 1, facts: { seed: "s", epochUnixMicros: 1e15 }, design: machine, snapshot },
  { ask: "grant", id: 2, from: 5 * SEC, until: 5 * SEC + 200, arrivals: [[5 * SEC + 7, datagram]], single: false, state: true },
  { ask: "act", id: 3, at: 2 ** 45, act: { kind: "file-write", path: "/x", data: new Uint8Array([1]), append: false } },
  { ask: "act", id: 3, at: 1, act: { kind: "command-input", id: "c", line: undefined } },
  { ask: "state", id: 4 },
  { ask: "query", id: 5, at: 1, query: { kind: "command", argv: ["pvecm", "status"], cwd: "/", stdin: "" } },
  { ask: "status", id: 6, at: 1 },
  { ask: "snapshot", id: 7 },
  { ask: "bye" },
];

const answers: readonly Answer[] = [
  { say: "hello", run: "r", secret: "s", worker: 1 },
  { say: "begun", id: 1, next: NEVER },
  {
    say: "ran",
    id: 2,
    events: [{ kind: "timer", at: 9, next: NEVER, effects: [...effects, { kind: "send", datagram }] }],
    state: [-5, 2 ** 31 - 1],
  },
  { say: "ran", id: 2, events: [] },
  { say: "state", id: 4, state: [0, -1] },
  { say: "reply", id: 5, reply: world.query("pve1", { kind: "file-list", path: "/etc" }) },
  { say: "status", id: 6, status: world.status("pve1") },
  { say: "snapshot", id: 7, snapshot },
  { say: "failed", id: 8, message: "why" },
];

const named = <T extends object>(list: readonly T[]): (readonly [string, T])[] =>
  list.map((m, i) => [`${i} ${String(Object.values(m)[0])}`, m] as const);

describe("arrives as it was sent", () => {
  test("the cluster has said something of every kind that a boot brings", () => {
    expect([...new Set(effects.map((e) => e.kind))].sort()).toEqual(["journal", "trace"]);
    expect(effects.length).toBeGreaterThan(100);
  });
  test.each(named(asks))("question %s", (_name, ask) => expect(unpackAsk(pack(ask))).toEqual(ask));
  test.each(named(answers))("answer %s", (_name, answer) => expect(unpackAnswer(pack(answer))).toEqual(answer));
});

describe("nothing else is taken for it", () => {
  test.each(named([...asks, ...answers]))("%s with a key more, a key less, another type anywhere near the top", (_name, message) => {
    const taken = (m: object): boolean => (unpackAsk(pack(m as Ask)) ?? unpackAnswer(pack(m as Answer))) !== undefined;
    expect(taken(message)).toBe(true);
    expect(taken({ ...message, more: 1 })).toBe(false);
    for (const [key, value] of Object.entries(message)) {
      if (key === "snapshot" || key === "state") continue;
      const { [key]: _gone, ...less } = message as Record<string, unknown>;
      expect([key, taken(less)]).toEqual([key, false]);
      const other = typeof value === "number" ? "1" : 1.5;
      expect([key, taken({ ...message, [key]: other })]).toEqual([key, false]);
    }
  });

  test.each([
    ["an effect of no known kind", { kind: "explode" }],
    ["a trace of no known kind", { kind: "trace", event: { what: "rumour" } }],
    ["a packet whose bytes are text", { kind: "send", datagram: { ...datagram, bytes: "00" } }],
    ["a port that is no number", { kind: "send", datagram: { ...datagram, dstPort: null } }],
    ["a key that every object has", { kind: "constructor" }],
    ["a line of another level", { kind: "journal", line: { instant: 1, unit: "u", identifier: "u", pid: 1, boot: 0, level: "loud", subsystem: "", text: "" } }],
  ])("%s", (_name, effect) => {
    const answer = { say: "ran", id: 1, events: [{ kind: "timer", at: 1, next: 2, effects: [effect] }] };
    expect(unpackAnswer(pack(answer as unknown as Answer))).toBeUndefined();
  });

  test("messages that are cut short, or changed in one byte, never throw", () => {
    const whole = answers.slice(0, 5).map(pack);
    for (const bytes of whole)
      for (let n = 0; n < Math.min(bytes.length - 1, 300); n++) expect(unpackAnswer(bytes.slice(0, n))).toBeUndefined();
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(), fc.integer({ min: 0, max: 255 }), (which, where, byte) => {
        const changed = Uint8Array.from(whole[which] ?? []);
        changed[where % changed.length] = byte;
        unpackAnswer(changed);
        unpackAsk(changed);
      }),
      { numRuns: 2000 },
    );
  });

  test("and what was no message does not spoil the next", () => {
    for (const message of [...asks, ...answers]) {
      const [bytes] = [pack(message)];
      for (let n = 0; n < Math.min(bytes.length, 64); n++)
        for (const byte of [0x40, 0x41, 0x4f, 0x60, 0xc1, 0xd4, 0xd6]) {
          const changed = Uint8Array.from(bytes);
          changed[n] = byte;
          unpackAnswer(changed);
          unpackAsk(changed);
        }
    }
    for (const ask of asks) expect(unpackAsk(pack(ask))).toEqual(ask);
    for (const answer of answers) expect(unpackAnswer(pack(answer))).toEqual(answer);
  });

  test("noise", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        expect(unpackAnswer(noise)).toBeUndefined();
        expect(unpackAsk(noise)).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });
});

describe("two machines did the same", () => {
  test("where every effect is equal, and only there", () => {
    const copy = structuredClone(effects);
    expect(sameEffects(effects, copy)).toBe(true);
    expect(sameEffects(effects, copy.slice(1))).toBe(false);
    const send = (bytes: number[]): Effect[] => [{ kind: "send", datagram: { ...datagram, bytes: Uint8Array.from(bytes) } }];
    expect(sameEffects(send([1, 2]), send([1, 2]))).toBe(true);
    expect(sameEffects(send([1, 2]), send([1, 3]))).toBe(false);
    expect(sameEffects(send([1, 2]), send([1, 2, 3]))).toBe(false);
    expect(sameEffects(send([1]), [{ kind: "exit", id: "c", status: 0 }])).toBe(false);
    const result = (error: string | undefined): Effect[] => [{ kind: "file-result", path: "/x", error }];
    expect(sameEffects(result(undefined), [{ kind: "file-result", path: "/x" } as Effect])).toBe(true);
    expect(sameEffects(result(undefined), result("ENOENT"))).toBe(false);
  });
});
