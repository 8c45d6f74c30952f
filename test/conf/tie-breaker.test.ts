/** auto_tie_breaker_node: what the daemon makes of it, and that the checker says what the daemon does. The values and what comes of them are those of corosync 3.1.7. */
import { describe, expect, test } from "vitest";
import { checkConf, parseTieBreaker } from "../../src/engine/config/index.ts";
import { goodConf, withKey } from "./good.ts";

const OFF = "off";

describe.each<[string, typeof OFF | "lowest" | "highest" | number[]]>([
  ["lowest", "lowest"],
  ["highest", "highest"],
  ["lowest 2", OFF],
  ["lowestx", OFF],
  ["highest,", OFF],
  ["Lowest", OFF],
  ["1", [1]],
  ["1 2", [1, 2]],
  ["1  2", [1, 2]],
  ["1,2", [1]],
  ["2;1", [2]],
  ["2 x", [2]],
  ["2x", [2]],
  ["+2", [2]],
  ["1\t2", [1]],
  ["1 2 1", [1, 2, 1]],
  ["1 # first", [1]],
  ["1 0 2", [1, 2]],
  ["x 2", OFF],
  ["0 2", OFF],
  ["0x2", OFF],
  ['"1"', OFF],
  ["4294967296", OFF],
  ["4294967298 1", [2, 1]],
  ["-1", [4_294_967_295]],
  ["99999999999999999999 1", [4_294_967_295, 1]],
])("%j", (written, meant) => {
  test("is read so", () => {
    const read = parseTieBreaker(written);
    expect(read?.type === "list" ? read.nodes : (read?.type ?? OFF)).toEqual(meant);
  });

  test("and the checker speaks of the same", () => {
    const text = withKey(withKey(goodConf(4, 2), "quorum", "auto_tie_breaker: 1"), "quorum", `auto_tie_breaker_node: ${written}`);
    const found = checkConf(text).filter((f) => f.code.startsWith("tie-breaker"));
    expect(found.some((f) => f.text.includes("switches auto_tie_breaker off"))).toBe(meant === OFF);
    if (!Array.isArray(meant)) return;
    const plain = /^[0-9]+( +[0-9]+)*$/.test(written);
    expect(found.some((f) => f.text.includes(`takes the node ids ${meant.join(", ")}:`))).toBe(!plain);
    expect(found.some((f) => f.code === "tie-breaker-missing")).toBe(meant.some((id) => id > 4));
  });
});
