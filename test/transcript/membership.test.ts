/** The membership protocol's odd moments, with lines as the real daemon's debug log has them: one node, everybody else played by the test. */
import { expect, test } from "vitest";
import { Hasher } from "../../src/engine/kernel/index.ts";
import { ByHand } from "./byhand.ts";
import { params } from "./ring.ts";

const R1 = { rep: 1, seq: 9 };
const R2 = { rep: 1, seq: 13 };

function ringOfTwo(): ByHand {
  const two = new ByHand(2, 3);
  two.start();
  two.form(R1);
  two.wait(100);
  return two;
}

/** Lines about the membership since the last look. */
function membership(two: ByHand): string[] {
  return two.log.splice(0).filter((l) => /GATHER|was lost|got commit|entering COMMIT|Restoring|has not been|pause|LEAVE/.test(l));
}

test("a join of a member ends COMMIT and RECOVERY, with the lines the real daemon writes", () => {
  const two = ringOfTwo();
  two.joinFrom(1, R1.seq, [1, 2]);
  two.commitToken(R2, R1, 0);
  membership(two);
  two.commitToken(R2, R1, 0);
  two.joinFrom(1, R2.seq, [1, 2]);
  expect(membership(two)).toEqual(["got commit token", "entering GATHER state from 13(join during commit state)."]);

  const R3 = { rep: 1, seq: 17 };
  two.commitToken(R3, R1, 0);
  two.commitTokenAgain();
  expect(two.totem.phase).toBe("recovery");
  membership(two);
  two.joinFrom(1, R3.seq, [1, 2]);
  expect(membership(two)).toEqual([
    "Restoring instance->my_aru 0 my high seq received 0",
    "entering GATHER state from 5(The token was lost in the RECOVERY state.).",
    "entering GATHER state from 14(join during recovery).",
  ]);
});

test("everybody agrees but no commit token comes: the token's warning and timeout end the wait", () => {
  const two = ringOfTwo();
  two.joinFrom(1, R1.seq, [1, 2]);
  two.joinFrom(1, R1.seq, [1, 2]);
  membership(two);
  two.wait(4380 + 2736);
  expect(membership(two)).toEqual([]);
  // Of the 100 ms before the gathering the token's last visit was at the start.
  two.wait(2);
  expect(membership(two)).toEqual([expect.stringMatching(/^Token has not been received in 72\d\d ms $/)]);
  two.wait(3650 - 2737);
  expect(membership(two).slice(0, 2)).toEqual([
    "entering GATHER state from 0(consensus timeout).",
    "entering GATHER state from 3(The consensus timeout expired.).",
  ]);
});

test("a stranger that has given up a member begins the gather anew with each of its joins", () => {
  const two = ringOfTwo();
  membership(two);
  for (let i = 0; i < 3; i++) {
    two.joinFrom(3, 5, [1, 2, 3], [1]);
    two.wait(50);
  }
  expect(membership(two)).toEqual(Array.from({ length: 3 }, () => "entering GATHER state from 11(merge during join)."));
  two.wait(4380 - 51);
  expect(membership(two)).toEqual([]);
  two.wait(2);
  expect(membership(two)[0]).toBe("entering GATHER state from 0(consensus timeout).");
});

test("two that have each given up another one do not keep each other gathering", () => {
  const two = ringOfTwo();
  two.joinFrom(3, 5, [1, 2, 3, 4]);
  two.joinFrom(3, 5, [1, 2, 3, 4]);
  two.joinFrom(4, 5, [1, 2, 3, 4]);
  two.wait(4380);
  expect(two.join).toMatchObject({ proc: [1, 2, 3, 4], failed: [1] });
  membership(two);
  two.joinFrom(3, 5, [1, 2, 3, 4], [4]);
  expect(membership(two)).toEqual([]);
});

test("the warning is repeated in OPERATIONAL only", () => {
  const two = ringOfTwo();
  two.totem.reconfigure({ ...params(2, 3), tokenWarningPercent: 30 });
  two.visit(R1);
  membership(two);
  two.wait(3649);
  expect(membership(two)).toEqual([
    "Token has not been received in 1095 ms ",
    "Token has not been received in 2190 ms ",
    "Token has not been received in 3285 ms ",
  ]);
  two.wait(10);
  two.joinFrom(1, R1.seq, [1, 2]);
  two.commitToken(R2, R1, 0);
  membership(two);
  two.wait(3600);
  expect(membership(two).length).toBe(1);
});

test("a node that cannot receive gives itself up once the others agree", () => {
  const two = ringOfTwo();
  // Node 1 has sent message 1 that node 2 never gets.
  for (let i = 0; i < 2510 && two.totem.phase === "operational"; i++) two.visit(R1, { seq: 1 });
  expect(two.log).toContain("FAILED TO RECEIVE");
  expect(two.join).toMatchObject({ proc: [1, 2], failed: [2] });
  expect(two.totem.phase).toBe("gather");
  two.joinFrom(1, R1.seq, [1, 2], [2]);
  expect(two.totem.phase).toBe("operational");
  expect(two.totem.members).toEqual([2]);
});

test("a node that cannot receive and hears nobody gives itself up when the consensus timeout expires", () => {
  const two = ringOfTwo();
  for (let i = 0; i < 2510 && two.totem.phase === "operational"; i++) two.visit(R1, { seq: 1 });
  two.wait(4370);
  expect(two.totem.phase).toBe("gather");
  two.wait(20);
  expect(two.totem.members).toEqual([2]);
});

test("a node that slept flushes the joins that waited, also while it commits", () => {
  const two = ringOfTwo();
  two.joinFrom(1, R1.seq, [1, 2]);
  two.commitToken(R2, R1, 0);
  two.totem.paused(two.now);
  membership(two);
  two.now += 2_000_000;
  two.joinFrom(1, R2.seq, [1, 2]);
  expect(membership(two)).toEqual(["Process pause detected for 2000 ms, flushing membership messages."]);
  expect(two.totem.phase).toBe("commit");
  two.totem.running();
});

test("a member that was started again is heard at once, but not by one that slept and has seen no token since", () => {
  const again = { rep: 1, seq: 14 };
  const two = ringOfTwo();
  two.totem.paused(two.now);
  two.visit(R1);
  two.totem.running();
  two.mergeDetectFrom(1, again);
  expect(two.totem.phase).toBe("operational");

  two.visit(R1);
  membership(two);
  two.mergeDetectFrom(1, again);
  expect(membership(two)).toEqual(["entering GATHER state from 9(merge during operational state)."]);
});

test("a snapshot holds everything, and no number or flag of the state escapes the digest", () => {
  const two = ringOfTwo();
  two.receive(two.message(R1, 1, 3, "hole before"));
  two.visit(R1, { seq: 3 });
  const digest = (totem: ByHand["totem"]): string => {
    const h = new Hasher();
    totem.digest(h);
    return h.hex();
  };
  const snapshot = two.totem.snapshot();
  const other = new ByHand(2, 3);
  other.totem.restore(snapshot);
  expect(other.totem.snapshot()).toEqual(snapshot);
  expect(digest(other.totem)).toBe(digest(two.totem));

  for (const [key, value] of Object.entries(snapshot.srp)) {
    if (typeof value !== "number" && typeof value !== "boolean") continue;
    const changed = typeof value === "number" ? value + 1 : !value;
    other.totem.restore({ ...snapshot, srp: { ...snapshot.srp, [key]: changed } });
    expect([key, digest(other.totem) === digest(two.totem)]).toEqual([key, false]);
  }
});
