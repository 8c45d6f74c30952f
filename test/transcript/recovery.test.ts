/** Recovery under losses that a whole simulated ring meets too rarely: one node, everybody else played by the test. */
import { expect, test } from "vitest";
import { ByHand } from "./byhand.ts";

const R1 = { rep: 1, seq: 9 };
const R2 = { rep: 1, seq: 13 };
const R3 = { rep: 1, seq: 17 };

/** Node 2 has received 1, 2, 3 and 10 of R1 when the ring breaks; node 1 has all ten. */
function brokenRing(): ByHand {
  const two = new ByHand(2, 3);
  two.start();
  two.form(R1);
  expect(two.told).toEqual(["transitional []", "regular [2]", "transitional [2]", "regular [1 2]"]);
  for (const seq of [1, 2, 3, 10]) two.receive(two.message(R1, 1, seq, `m${seq}`));
  two.wait(3700);
  expect(two.totem.phase).toBe("gather");
  two.joinFrom(1, R1.seq, [1, 2]);
  two.commitToken(R2, R1, 10);
  two.commitTokenAgain();
  expect(two.totem.phase).toBe("recovery");
  return two;
}

const all = Array.from({ length: 10 }, (_, i) => `1:m${i + 1}`);

test("what recovery brings is delivered before the new ring", () => {
  const two = brokenRing();
  for (let seq = 4; seq <= 10; seq++) two.receive(two.carried(R2, 1, seq - 3, two.message(R1, 1, seq, `m${seq}`)));
  for (let i = 0; i < 6; i++) two.visit(R2, { seq: 7, aru: 7 });
  expect(two.told.slice(4)).toEqual([...all, "transitional [1 2]", "regular [1 2]"]);
});

test("messages of a recovery that failed do not take the place of the messages they carry", () => {
  const two = brokenRing();
  two.receive(two.carried(R2, 1, 1, two.message(R1, 1, 4, "m4")));
  two.wait(3700);
  expect(two.totem.phase).toBe("gather");
  // Node 1 does not know yet and goes on: its numbers in R2 are those of holes in R1.
  for (let seq = 5; seq <= 10; seq++) two.receive(two.carried(R2, 1, seq, two.message(R1, 1, seq, `m${seq}`)));
  two.joinFrom(1, R2.seq, [1, 2]);
  two.commitToken(R3, R1, 10);
  two.commitTokenAgain();
  for (let seq = 4; seq <= 10; seq++) two.receive(two.carried(R3, 1, seq - 3, two.message(R1, 1, seq, `m${seq}`)));
  for (let i = 0; i < 6; i++) two.visit(R3, { seq: 7, aru: 7 });
  expect(two.told.slice(4)).toEqual([...all, "transitional [1 2]", "regular [1 2]"]);
});
