/** Packing and splitting of messages: the longest goes through whole, a full queue says so, and order is kept. */
import { expect, test } from "vitest";
import { MESSAGE_SIZE_MAX } from "../../src/engine/kernel/index.ts";
import { BareRing } from "./ring.ts";

function ringOfThree(): BareRing {
  const ring = new BareRing(3, "packing", []);
  for (const id of [1, 2, 3]) ring.start(id);
  ring.run(8);
  for (const id of [1, 2, 3]) ring.daemon(id).delivered.length = 0;
  return ring;
}

test("the longest message a service may send reaches everybody between its neighbours", () => {
  const ring = ringOfThree();
  expect(ring.daemon(2).say("before")).toBe(true);
  expect(ring.daemon(2).say("x".repeat(MESSAGE_SIZE_MAX))).toBe(true);
  expect(ring.daemon(2).say("after")).toBe(true);
  ring.run(2);
  for (const id of [1, 2, 3]) {
    const got = ring.daemon(id).delivered;
    expect(got.map((m) => m.length)).toEqual(["2:before".length, MESSAGE_SIZE_MAX + 2, "2:after".length]);
  }
});

test("a queue of 64 frames refuses what does not fit whole, and takes it again later", () => {
  const ring = ringOfThree();
  let taken = 0;
  while (ring.daemon(1).say("y".repeat(MESSAGE_SIZE_MAX))) taken++;
  expect(taken).toBe(3);
  ring.run(5);
  for (const id of [1, 2, 3]) expect(ring.daemon(id).delivered.length).toBe(3);
  expect(ring.daemon(1).say("z")).toBe(true);
});
