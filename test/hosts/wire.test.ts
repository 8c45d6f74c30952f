// What hub and workers say to each other arrives as it was sent, and nothing else is taken for it: a key more or less, another type, cut short, noise.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pack, unpackAnswer, unpackAsk, type Answer, type Ask } from "../../src/engine/host/wire.ts";
import { NEVER, SEC } from "../../src/engine/kernel/index.ts";
import { clusterDesign, worldHere } from "./worlds.ts";

const design = clusterDesign("wire", 3);
const world = worldHere(design);
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

const stretch = {
  ask: "stretch",
  sequence: 2,
  from: 5 * SEC,
  until: 5 * SEC + 200,
  events: 3,
  inputs: [
    { at: 5 * SEC + 7, datagram },
    { at: 5 * SEC + 7, datagram: { ...datagram, wire: 1500 } },
  ],
  states: [5 * SEC],
  verified: 1,
  confirmed: 4 * SEC,
} as const;

const open = { call: "open", path: "/x", flags: { access: "w", create: true }, mode: 0o644 } as const;
/** With rows of every kind: a directory, a file with a hole, a link. */
const times = { uid: 0, gid: 0, atime: -1, mtime: 0, ctime: 0 };
const image = {
  seq: 3,
  inodes: [
    { ino: 2, inode: { type: "directory", mode: 0o755, size: 4096, ...times } },
    { ino: 12, inode: { type: "file", mode: 0o644, size: 16_385, chunks: ["-1", "aa"], ...times } },
    { ino: 13, inode: { type: "symlink", mode: 0o777, size: 1, target: "x", ...times } },
  ],
  entries: [{ dir: 2, name: "x", ino: 12 }],
} as const;

const asks: readonly Ask[] = [
  { ask: "begin", id: 1, facts: { seed: "s", epochUnixMicros: 1e15 }, design: machine },
  { ask: "begin", id: 1, facts: { seed: "s", epochUnixMicros: 1e15 }, design: machine, snapshot },
  stretch,
  { ...stretch, inputs: [{ at: 2 ** 45, act: { kind: "file-write", path: "/x", data: new Uint8Array([1]), append: false } }] },
  { ...stretch, inputs: [{ at: 1, act: { kind: "command-input", id: "c", line: undefined } }], confirmed: -1 },
  { ...stretch, inputs: [{ at: 1, act: { kind: "file", id: "f", session: "t", call: open } }] },
  { ...stretch, inputs: [{ at: 1, act: { kind: "file", id: "f", call: { call: "write", fd: 3, data: new Uint8Array([1]) } } }] },
  { ...stretch, inputs: [{ at: 1, act: { kind: "file-interrupt", id: "f" } }] },
  { ...stretch, inputs: [{ at: 1, act: { kind: "disk", image, chunks: [{ hash: "aa", data: new Uint8Array([1]) }] } }] },
  { ask: "entry", id: 4, sequence: 2, index: 0 },
  { ask: "bye" },
];

const answers: readonly Answer[] = [
  { say: "hello", run: "r", secret: "s", worker: 1 },
  { say: "begun", id: 1, next: NEVER },
  { say: "confirm", sequence: 2, digest: [-5, 2 ** 31 - 1] },
  { say: "entry", id: 4, entry: { kind: "timer", at: 9, next: NEVER, digest: [0, -1] } },
  { say: "entry", id: 4 },
  { say: "failed", message: "why" },
  { say: "refused", message: "why" },
];

const named = <T extends object>(list: readonly T[]): (readonly [string, T])[] =>
  list.map((m, i) => [`${i} ${String(Object.values(m)[0])}`, m] as const);

describe("arrives as it was sent", () => {
  test.each(named(asks))("question %s", (_name, ask) => expect(unpackAsk(pack(ask))).toEqual(ask));
  test.each(named(answers))("answer %s", (_name, answer) => expect(unpackAnswer(pack(answer))).toEqual(answer));
});

describe("nothing else is taken for it", () => {
  test.each(named([...asks, ...answers]))("%s with a key more, a key less, another type anywhere near the top", (_name, message) => {
    const taken = (m: object): boolean => (unpackAsk(pack(m as Ask)) ?? unpackAnswer(pack(m as Answer))) !== undefined;
    expect(taken(message)).toBe(true);
    expect(taken({ ...message, more: 1 })).toBe(false);
    for (const [key, value] of Object.entries(message)) {
      if (key === "snapshot" || key === "entry") continue;
      const { [key]: _gone, ...less } = message as Record<string, unknown>;
      expect([key, taken(less)]).toEqual([key, false]);
      const other = typeof value === "number" ? "1" : 1.5;
      expect([key, taken({ ...message, [key]: other })]).toEqual([key, false]);
    }
  });

  test.each([
    ["a packet whose bytes are text", { at: 1, datagram: { ...datagram, bytes: "00" } }],
    ["a port that is no number", { at: 1, datagram: { ...datagram, dstPort: null } }],
    ["a packet that is an act too", { at: 1, datagram, act: { kind: "stall" } }],
    ["an act of no known kind", { at: 1, act: { kind: "explode" } }],
    ["a key that every object has", { at: 1, act: { kind: "constructor" } }],
    ["an instant that is none", { at: -1, datagram }],
    ["nothing", undefined],
  ])("%s", (_name, input) => {
    expect(unpackAsk(pack(stretch))).toEqual(stretch);
    expect(unpackAsk(pack({ ...stretch, inputs: [input] } as unknown as Ask))).toBeUndefined();
  });

  test("messages that are cut short, or changed in one byte, never throw", () => {
    const whole = [...asks, ...answers].map(pack);
    for (const bytes of whole)
      for (let n = 0; n < Math.min(bytes.length - 1, 300); n++)
        expect(unpackAnswer(bytes.slice(0, n)) ?? unpackAsk(bytes.slice(0, n))).toBeUndefined();
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
