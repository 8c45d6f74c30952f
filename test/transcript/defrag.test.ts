/** What knet gives to Totem: every packet of a host once, whole, and never mixed with another one. */
import { expect, test } from "vitest";
import { newWindow, takeFragment } from "../../src/engine/knet/defrag.ts";

const piece = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (bytes: Uint8Array | undefined): string | undefined => (bytes === undefined ? undefined : new TextDecoder().decode(bytes));

test("fragments in any order make one message, and each message comes once", () => {
  const w = newWindow();
  expect(takeFragment(w, 7, 3, 2, piece("c"))).toBeUndefined();
  expect(takeFragment(w, 7, 3, 0, piece("a"))).toBeUndefined();
  expect(text(takeFragment(w, 7, 3, 1, piece("b")))).toBe("abc");
  expect(takeFragment(w, 7, 3, 1, piece("b"))).toBeUndefined();
  expect(text(takeFragment(w, 6, 1, 0, piece("late")))).toBe("late");
  expect(takeFragment(w, 6, 1, 0, piece("late"))).toBeUndefined();
});

test("pieces of a message that lost a fragment are not mixed with the message of the same number 65536 packets later", () => {
  const w = newWindow();
  takeFragment(w, 100, 2, 0, piece("old head, "));
  for (let seq = 101; seq < 100 + 65_536; seq++) takeFragment(w, seq % 65_536, 1, 0, piece("x"));
  expect(takeFragment(w, 100, 2, 1, piece("new tail"))).toBeUndefined();
  expect(text(takeFragment(w, 100, 2, 0, piece("new head, ")))).toBe("new head, new tail");
});
