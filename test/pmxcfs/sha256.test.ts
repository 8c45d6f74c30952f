/** SHA-256 as Node's own computes it, at every length around a block's end. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { sha256 } from "../../src/engine/kernel/index.ts";

test("SHA-256 is the standard's, whatever the parts", () => {
  for (const length of [0, 1, 3, 55, 56, 57, 63, 64, 65, 119, 120, 1000]) {
    const data = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 0xff);
    const expected = createHash("sha256").update(data).digest("hex");
    const cut = Math.floor(length / 3);
    expect(Buffer.from(sha256(data.subarray(0, cut), data.subarray(cut))).toString("hex")).toBe(expected);
  }
});
