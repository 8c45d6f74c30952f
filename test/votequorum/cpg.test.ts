/** Closed process groups: who is told what, and in which order. */
import { describe, expect, it } from "vitest";
import type { CpgHandlers } from "../../src/engine/cpg/index.ts";
import { cloneState, utf8, fromUtf8 } from "../../src/engine/kernel/index.ts";
import { alone, form, settle, type Peer } from "./bus.ts";

const GROUP = "pve_dcdb_v1";

/** Writes what a member process hears, in order. */
function listener(heard: string[]): CpgHandlers {
  const list = (xs: readonly { nodeId: number; pid: number; reason?: string }[]): string =>
    xs.map((x) => `${x.nodeId}/${x.pid}${x.reason === undefined ? "" : `:${x.reason}`}`).join(" ");
  return {
    confchg: (c) => void heard.push(`members ${list(c.members)} left ${list(c.left)} joined ${list(c.joined)}`.replace(/ +/g, " ").trim()),
    deliver: (from, message) => void heard.push(`${from.nodeId}/${from.pid} says ${fromUtf8(message)}`),
    totem: (ring, members) => void heard.push(`ring ${ring.rep}.${ring.seq} of ${members.join(" ")}`),
  };
}

function pair(): [Peer, Peer, string[], string[]] {
  const [a, b] = alone([1, 2]);
  if (!a || !b) throw new Error("two peers wanted");
  form([a, b], { rep: 1, seq: 9 });
  const [heardA, heardB]: [string[], string[]] = [[], []];
  expect(a.cpg.join(GROUP, 100, listener(heardA))).toBeUndefined();
  settle([a, b]);
  expect(b.cpg.join(GROUP, 200, listener(heardB))).toBeUndefined();
  settle([a, b]);
  return [a, b, heardA, heardB];
}

describe("joining and leaving", () => {
  it("every member hears of each join at the same point, the joiner of its own", () => {
    const [, , heardA, heardB] = pair();
    expect(heardA).toEqual(["members 1/100 left joined 1/100:join", "members 1/100 2/200 left joined 2/200:join"]);
    expect(heardB).toEqual(["members 1/100 2/200 left joined 2/200:join"]);
  });

  it("messages reach all members, the sender included, in one order", () => {
    const [a, b, heardA, heardB] = pair();
    heardA.length = heardB.length = 0;
    a.cpg.mcast(GROUP, 100, utf8("one"));
    b.cpg.mcast(GROUP, 200, utf8("two"));
    a.cpg.mcast(GROUP, 100, utf8("three"));
    settle([a, b]);
    expect(heardA).toEqual(["1/100 says one", "1/100 says three", "2/200 says two"]);
    expect(heardB).toEqual(heardA);
  });

  it("the leaver hears its own leave last; a process that died hears nothing", () => {
    const [a, b, heardA, heardB] = pair();
    heardA.length = heardB.length = 0;
    b.cpg.leave(GROUP, 200);
    settle([a, b]);
    expect(heardB).toEqual(["members 1/100 left 2/200:leave joined"]);
    a.cpg.died(100);
    settle([a, b]);
    expect(heardA).toEqual(["members 1/100 left 2/200:leave joined"]);
    expect(b.cpg.groups()).toEqual([]);
  });

  it("refuses what it must", () => {
    const [a, b] = pair();
    expect(a.cpg.join(GROUP, 100, listener([]))).toBe("CS_ERR_EXIST");
    expect(a.cpg.join("", 1, listener([]))).toBe("CS_ERR_INVALID_PARAM");
    expect(a.cpg.join("g".repeat(129), 1, listener([]))).toBe("CS_ERR_NAME_TOO_LONG");
    expect(a.cpg.mcast(GROUP, 999, utf8("x"))).toBe("CS_ERR_NOT_EXIST");
    expect(a.cpg.mcast(GROUP, 100, new Uint8Array(1024 * 1024))).toBe("CS_ERR_TOO_BIG");
    a.cpg.join("other", 100, listener([]));
    expect(a.cpg.mcast("other", 100, utf8("too early"))).toBe("CS_ERR_TRY_AGAIN");
    form([a, b], { rep: 1, seq: 13 }, 2);
    expect(a.cpg.mcast(GROUP, 100, utf8("during a sync"))).toBe("CS_ERR_TRY_AGAIN");
  });
});

describe("a membership change", () => {
  it("tells the losses first, then the arrivals, then the ring", () => {
    const [a, b, heardA, heardB] = pair();
    heardA.length = heardB.length = 0;
    form([a], { rep: 1, seq: 13 });
    form([b], { rep: 2, seq: 13 });
    expect(heardA).toEqual(["members 1/100 left 2/200:nodedown joined", "ring 1.13 of 1"]);
    form([a, b], { rep: 1, seq: 17 });
    expect(heardA.slice(2)).toEqual(["members 1/100 2/200 left joined 2/200:nodeup", "ring 1.17 of 1 2"]);
    expect(heardB.slice(2)).toEqual(["members 1/100 2/200 left joined 1/100:nodeup", "ring 1.17 of 1 2"]);
  });

  it("a loss in an interrupted sync is not forgotten", () => {
    const [a, b, heardA] = pair();
    heardA.length = 0;
    form([a], { rep: 1, seq: 13 }, 2);
    form([b], { rep: 2, seq: 13 });
    // The node is back before the sync that missed it ended: it left and joined.
    form([a, b], { rep: 1, seq: 17 });
    expect(heardA).toEqual([
      "members 1/100 left 2/200:nodedown joined",
      "members 1/100 2/200 left joined 2/200:nodeup",
      "ring 1.17 of 1 2",
    ]);
  });

  it("a snapshot keeps membership; handlers are attached again", () => {
    const [a, b] = pair();
    const heard: string[] = [];
    a.cpg.restore(cloneState(a.cpg.snapshot()));
    a.cpg.attach(GROUP, 100, listener(heard));
    b.cpg.mcast(GROUP, 200, utf8("still here"));
    settle([a, b]);
    expect(heard).toEqual(["2/200 says still here"]);
  });

  it("tools are told the newest group first, and its members by node", () => {
    const [a, b] = pair();
    a.cpg.join("second", 101, listener([]));
    settle([a, b]);
    b.cpg.join(GROUP, 300, listener([]));
    settle([a, b]);
    expect(b.cpg.groupsNewestFirst()).toEqual(["second", GROUP]);
    expect(b.cpg.members(GROUP).map((m) => `${m.nodeId}/${m.pid}`)).toEqual(["1/100", "2/200", "2/300"]);
  });
});
