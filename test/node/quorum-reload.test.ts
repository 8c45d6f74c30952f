/** What a running daemon makes of quorum options that come and go in its file: which need a restart, and which follow two_node. As real daemons were seen to do it. */
import { describe, expect, test } from "vitest";
import type { WorldAct } from "../../src/engine/world/index.ts";
import { Operator, confText } from "./operator.ts";

const fabric = (operator: Operator, act: Extract<WorldAct, { to: "fabric" }>["act"]): void => {
  const done = operator.world.act({ to: "fabric", act });
  if (!done.ok) throw new Error(done.message);
};

/** These nodes get the file, and the first of them is told to read it; all do. */
async function reload(operator: Operator, nodes: readonly number[], text: string): Promise<void> {
  for (const node of nodes) operator.write(node, text);
  expect(await operator.say(nodes[0] ?? 1, "corosync-cfgtool -R")).toBe("Reloading corosync.conf...\nDone\n");
  operator.wait(3);
}

/** Quorum and flags of a node, as its tool has them. */
async function quorum(operator: Operator, node: number): Promise<string> {
  const { stdout } = await operator.type(node, "corosync-quorumtool -s");
  return [...stdout.matchAll(/^(?:Quorum|Flags): +(.*?) *$/gm)].map(([, text]) => text).join(" | ");
}

const key = async (operator: Operator, node: number, name: string): Promise<string> =>
  (await operator.say(node, `corosync-cmapctl -g runtime.votequorum.${name}`)).trim();

describe("auto_tie_breaker is read at the start alone", () => {
  const halves = [
    ["node1", "node2"],
    ["node3", "node4"],
  ];
  const split = async (operator: Operator): Promise<string[]> => {
    fabric(operator, { kind: "partition", groups: halves });
    operator.wait(12);
    const seen = [await quorum(operator, 1), await quorum(operator, 3)];
    fabric(operator, { kind: "heal" });
    operator.wait(12);
    return seen;
  };
  const BLOCKED = "3 Activity blocked | ";

  test("one that comes by a reload decides nothing before a restart", async () => {
    const operator = Operator.up(confText(4));
    for (const options of ["  auto_tie_breaker: 1\n", "  auto_tie_breaker: 1\n  auto_tie_breaker_node: highest\n"]) {
      const from = operator.journalLength(1);
      await reload(operator, [1, 2, 3, 4], confText(4, { quorum: options }));
      expect(operator.journal(1, from).filter((line) => line.includes("[VOTEQ]"))).toEqual([]);
      expect(await quorum(operator, 1)).toBe("3 | Quorate");
      expect(await key(operator, 1, "atb_type")).toBe("runtime.votequorum.atb_type (u32) = 0");
      expect(await split(operator)).toEqual([BLOCKED, BLOCKED]);
    }
  });

  test("one that goes, or names another node, by a reload decides as at the start", async () => {
    const operator = Operator.up(confText(4, { quorum: "  auto_tie_breaker: 1\n" }));
    for (const options of ["  auto_tie_breaker: 1\n  auto_tie_breaker_node: highest\n", ""]) {
      await reload(operator, [1, 2, 3, 4], confText(4, { quorum: options }));
      expect(await quorum(operator, 1)).toBe("3 | Quorate AutoTieBreaker");
      expect(await key(operator, 1, "atb_type")).toBe("runtime.votequorum.atb_type (u32) = 1");
      expect(await split(operator)).toEqual(["3 | Quorate AutoTieBreaker", "3 Activity blocked | AutoTieBreaker"]);
    }
  });
});

describe("wait_for_all that the file does not give follows two_node", () => {
  const TWO = "  two_node: 1\n";

  test("a third node comes and two_node goes: who was lost and comes back need not be all", async () => {
    const operator = Operator.up(confText(3));
    const two = confText(3, { quorum: TWO });
    // Two nodes of two, as they were before the third was bought.
    operator.service(3, "stop");
    const pair = two.replace(/ {2}node \{\n {4}name: node3\n[^}]*\}\n/, "");
    for (const node of [1, 2]) operator.service(node, "stop");
    operator.wait(3);
    for (const node of [1, 2]) operator.write(node, pair);
    for (const node of [1, 2]) operator.service(node, "start");
    operator.wait(8);
    expect(await quorum(operator, 1)).toBe("1 | 2Node Quorate WaitForAll");
    await reload(operator, [1, 2, 3], confText(3));
    expect(await quorum(operator, 1)).toBe("2 | Quorate");
    operator.service(3, "start");
    operator.wait(6);
    for (const node of [2, 3]) operator.service(node, "kill");
    operator.wait(8);
    expect(await quorum(operator, 1)).toBe("2 Activity blocked | ");
    operator.service(2, "start");
    operator.wait(8);
    expect(await quorum(operator, 1)).toBe("2 | Quorate");
    expect(await key(operator, 1, "wait_for_all_status")).toBe("runtime.votequorum.wait_for_all_status (u8) = 0");
  });

  test("on a lone node two_node goes and comes again: blocked, and quorate at once; wait_for_all: 0 beside it needs a restart", async () => {
    const operator = Operator.up(confText(2));
    const two = confText(2, { quorum: TWO });
    await reload(operator, [1, 2], two);
    expect(await quorum(operator, 1)).toBe("1 | 2Node Quorate WaitForAll");
    operator.service(2, "kill");
    operator.wait(8);
    expect(await quorum(operator, 1)).toBe("1 | 2Node Quorate WaitForAll");
    await reload(operator, [1], confText(2));
    expect(await quorum(operator, 1)).toBe("2 Activity blocked | ");
    await reload(operator, [1], two);
    expect(await quorum(operator, 1)).toBe("1 | 2Node Quorate WaitForAll");
    expect(await key(operator, 1, "wait_for_all_status")).toBe("runtime.votequorum.wait_for_all_status (u8) = 0");
    await reload(operator, [1], confText(2, { quorum: `${TWO}  wait_for_all: 0\n` }));
    expect(await quorum(operator, 1)).toBe("1 | 2Node Quorate WaitForAll");
  });

  test("who still waits when two_node goes waits no longer", async () => {
    const operator = new Operator(confText(2, { quorum: TWO }));
    operator.service(1, "start");
    operator.wait(5);
    expect(await quorum(operator, 1)).toBe("1 Activity blocked | 2Node WaitForAll");
    await reload(operator, [1], confText(2));
    expect(await key(operator, 1, "wait_for_all_status")).toBe("runtime.votequorum.wait_for_all_status (u8) = 0");
    await reload(operator, [1], confText(2, { quorum: TWO }));
    expect(await quorum(operator, 1)).toBe("1 | 2Node Quorate WaitForAll");
  });

  test("one that the file gives stays as it was at the start", async () => {
    const operator = Operator.up(confText(2, { quorum: `${TWO}  wait_for_all: 1\n` }));
    await reload(operator, [1, 2], confText(2, { quorum: "  wait_for_all: 1\n" }));
    expect(await quorum(operator, 1)).toBe("2 | Quorate WaitForAll");
  });
});
