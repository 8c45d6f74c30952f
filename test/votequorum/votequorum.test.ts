/** Votes and quorum: the rules one by one, with the numbers that real daemons showed for the same acts. */
import { beforeAll, describe, expect, it } from "vitest";
import { cloneState, Hasher } from "../../src/engine/kernel/index.ts";
import { calculateQuorum, majorityOf, mayLose, summariseVotes, viewLines } from "../../src/engine/votequorum/index.ts";
import { Ledger } from "../conformance/ledger.ts";
import { keepTable } from "../conformance/table.ts";
import { haveReference, reference, skipLine } from "../shared.ts";
import { alone, form, Peer, settle } from "./bus.ts";

function brief(p: Peer): string {
  const i = p.votes.info(p.id);
  return i === undefined
    ? "none"
    : `expected ${i.expectedVotes} highest ${i.highestExpected} total ${i.totalVotes} quorum ${i.quorum} ${i.flags.join(" ")}`.trimEnd();
}

function three(): [Peer, Peer, Peer] {
  const [a, b, c] = alone([1, 2, 3]);
  if (!a || !b || !c) throw new Error("three peers wanted");
  form([a, b, c], { rep: 1, seq: 9 });
  return [a, b, c];
}

describe("arithmetic", () => {
  it("a majority is more than half", () => {
    expect([1, 2, 3, 4, 5, 8, 16].map(majorityOf)).toEqual([1, 2, 2, 3, 3, 5, 9]);
  });

  it("the quorum follows the larger of expected and present votes and never goes down by itself", () => {
    const voters = [{ nodeId: 1, votes: 1, expectedVotes: 1, member: true }];
    expect(calculateQuorum({ voters, previous: 2, allowDecrease: false, maxExpected: 0 }).quorum).toBe(2);
    expect(calculateQuorum({ voters, previous: 2, allowDecrease: true, maxExpected: 0 }).quorum).toBe(1);
    expect(calculateQuorum({ voters, previous: 0, allowDecrease: true, maxExpected: 5 }).quorum).toBe(3);
  });

  it("how many more may be lost counts the largest first, and never the last one", () => {
    expect(mayLose([1, 1, 1], 2)).toBe(1);
    expect(mayLose([1, 1], 2)).toBe(0);
    expect(mayLose([1, 1, 1, 1, 1], 3)).toBe(2);
    expect(mayLose([3, 1, 1], 3)).toBe(0);
    expect(mayLose([1], 1)).toBe(0);
    expect(summariseVotes([1], 3, 2, false)).toEqual({ votes: 1, expectedVotes: 3, quorum: 2, quorate: false, mayLose: 0 });
  });
});

describe("member lists in the log", () => {
  it("stay on one line up to 63 characters", () => {
    expect(viewLines("Members", [])).toEqual(["Members[0]:"]);
    expect(viewLines("Sync joined", [1, 3])).toEqual(["Sync joined[2]: 1 3"]);
    const ids = Array.from({ length: 24 }, (_, i) => i + 1);
    expect(viewLines("Members", ids)).toEqual([`Members[24]: ${ids.join(" ")}`]);
  });

  it("go on in further lines, all but the last with a backslash", () => {
    const ids = Array.from({ length: 27 }, (_, i) => i + 1);
    expect(viewLines("Members", ids)).toEqual([`Members[27]: ${ids.slice(0, 24).join(" ")}\\`, "Members[27]: 25 26 27"]);
  });

  it("show the beginning of the id that did not fit, as eleven real daemons did", () => {
    const ids = Array.from({ length: 11 }, (_, i) => 60_001 + i);
    expect(viewLines("Sync members", ids)).toEqual([`Sync members[11]: ${ids.slice(0, 10).join(" ")} 60\\`, "Sync members[11]: 60011"]);
  });
});

describe("a cluster of one", () => {
  it("is quorate while the service is loading, before any ring", () => {
    const only = new Peer(1, 1, 1);
    expect(only.take("QUORUM")).toEqual([
      "notice [QUORUM] This node is within the primary component and will provide service.",
      "notice [QUORUM] Members[0]:",
      "debug [QUORUM] sending quorum notification to (nil), length = 48/56",
    ]);
    form([only], { rep: 1, seq: 5 });
    expect(only.take("QUORUM")).toEqual([
      "notice [QUORUM] Sync members[1]: 1",
      "notice [QUORUM] Sync joined[1]: 1",
      "debug [QUORUM] sending nodelist notification to (nil), length = 72",
      "notice [QUORUM] Members[1]: 1",
      "debug [QUORUM] sending quorum notification to (nil), length = 52/60",
    ]);
  });

  it("counts two messages of its own, not the one sent while loading", () => {
    const only = new Peer(1, 1, 1);
    expect(only.counted).toBe(0);
    form([only], { rep: 1, seq: 5 });
    // Own nodeinfo and the device's, and cpg's list of losses.
    expect(only.counted).toBe(3);
  });
});

describe("three nodes", () => {
  it("are quorate together, and two of them without the third", () => {
    const [a, b, c] = three();
    expect([a, b, c].map(brief)).toEqual(Array(3).fill("expected 3 highest 3 total 3 quorum 2 Quorate"));
    a.take();
    form([a, b], { rep: 1, seq: 13 });
    expect(brief(a)).toBe("expected 3 highest 3 total 2 quorum 2 Quorate");
    expect(a.take("QUORUM")).toEqual([
      "notice [QUORUM] Sync members[2]: 1 2",
      "notice [QUORUM] Sync left[1]: 3",
      "debug [QUORUM] sending nodelist notification to (nil), length = 76",
      "notice [QUORUM] Members[2]: 1 2",
      "debug [QUORUM] sending quorum notification to (nil), length = 56/64",
    ]);
    form([c], { rep: 3, seq: 13 });
    expect(brief(c)).toBe("expected 3 highest 3 total 1 quorum 2");
    expect(c.take("QUORUM").slice(-3)).toEqual([
      "notice [QUORUM] This node is within the non-primary component and will NOT provide any services.",
      "notice [QUORUM] Members[1]: 3",
      "debug [QUORUM] sending quorum notification to (nil), length = 52/60",
    ]);
  });

  it("show the old verdict and the new total while a sync is unfinished, and the same losses again at the next", () => {
    const [a, b] = three();
    a.take();
    form([a, b], { rep: 1, seq: 13 }, 2);
    expect(a.quorum.view).toEqual({ ring: { rep: 1, seq: 9 }, members: [1, 2, 3], quorate: true });
    expect(a.votes.info(1)?.totalVotes).toBe(2);
    form([a, b], { rep: 1, seq: 17 });
    expect(a.take("QUORUM").filter((l) => l.includes("left"))).toEqual([
      "notice [QUORUM] Sync left[1]: 3",
      "notice [QUORUM] Sync left[1]: 3",
    ]);
    expect(a.quorum.view.members).toEqual([1, 2]);
  });

  it("a node that slept through a re-forming sees the others join and leave at once", () => {
    const [a, b, c] = three();
    form([a, b], { rep: 1, seq: 13 });
    c.take();
    // The sleeper still lists the old ring; the others do not come from it any more.
    form([a, b, c], { rep: 1, seq: 17 });
    expect(c.take("QUORUM").slice(0, 3)).toEqual([
      "notice [QUORUM] Sync members[3]: 1 2 3",
      "notice [QUORUM] Sync joined[2]: 1 2",
      "notice [QUORUM] Sync left[2]: 1 2",
    ]);
  });
});

describe("expected votes", () => {
  it("may not be below the votes present, nor take a quorate node's quorum", () => {
    const [a] = three();
    expect(a.votes.setExpected(2)).toBe("CS_ERR_INVALID_PARAM");
    expect(a.votes.setExpected(6)).toBe("CS_ERR_INVALID_PARAM");
    expect(a.votes.setExpected(5)).toBeUndefined();
    settle([a]);
    expect(brief(a)).toBe("expected 5 highest 5 total 3 quorum 3 Quorate");
    expect(a.votes.cmapEntries().find((e) => e.key === "ev_barrier")?.value).toBe(5);
  });

  it("of 1 make a lone node quorate, until the others are back", () => {
    const [a, b, c] = three();
    form([a], { rep: 1, seq: 13 });
    form([b, c], { rep: 2, seq: 13 });
    a.take();
    expect(a.votes.setExpected(1)).toBeUndefined();
    settle([a]);
    expect(brief(a)).toBe("expected 1 highest 1 total 1 quorum 1 Quorate");
    expect(a.take("QUORUM")).toEqual([
      "notice [QUORUM] This node is within the primary component and will provide service.",
      "notice [QUORUM] Members[1]: 1",
      "debug [QUORUM] sending quorum notification to (nil), length = 52/60",
    ]);
    // Recorded: node 3 is killed, node 2 is inquorate with expected 3, then 1 and 2 find each other.
    form([b], { rep: 2, seq: 17 });
    form([a, b], { rep: 1, seq: 21 });
    expect([a, b].map(brief)).toEqual(Array(2).fill("expected 2 highest 2 total 2 quorum 2 Quorate"));
    const joiner = alone([3], 3)[0];
    if (!joiner) throw new Error("a peer wanted");
    form([a, b, joiner], { rep: 1, seq: 25 });
    expect([a, joiner].map(brief)).toEqual(Array(2).fill("expected 3 highest 3 total 3 quorum 2 Quorate"));
  });
});

describe("votes of a node", () => {
  it("can be changed; expected votes follow upwards only", () => {
    const [a, b, c] = three();
    const set = (id: number, votes: number): string | undefined => {
      const error = a.votes.setVotes(id, votes);
      settle([a, b, c]);
      return error;
    };
    expect(set(9, 1)).toBe("CS_ERR_NAME_NOT_FOUND");
    expect(set(2, 2)).toBeUndefined();
    expect(brief(c)).toBe("expected 4 highest 4 total 4 quorum 3 Quorate");
    expect(set(2, 1)).toBeUndefined();
    expect(brief(c)).toBe("expected 4 highest 4 total 3 quorum 3 Quorate");
    expect(set(3, 9)).toBeUndefined();
    expect(brief(a)).toBe("expected 11 highest 11 total 11 quorum 6 Quorate");
    // 3 of 11 would be no majority: refused, as recorded.
    expect(set(3, 1)).toBe("CS_ERR_INVALID_PARAM");
    expect(set(0, 0)).toBeUndefined();
    expect(b.votes.info(1)?.votes).toBe(0);
  });

  it("overflow the quorum's one byte as in the real daemon", () => {
    const [a, b, c] = three();
    a.votes.setVotes(1, 70_000);
    settle([a, b, c]);
    expect(brief(b)).toBe("expected 70002 highest 70002 total 70002 quorum 186 Quorate");
  });
});

describe("a snapshot", () => {
  it("goes on exactly as the original", () => {
    const [a, b, c] = three();
    form([a, b], { rep: 1, seq: 13 }, 5);
    const copy = new Peer(1, 1, 3);
    copy.votes.restore(cloneState(a.votes.snapshot()));
    copy.quorum.restore(cloneState(a.quorum.snapshot()));
    const digest = (p: Peer): string => {
      const h = new Hasher();
      p.votes.digest(h);
      p.quorum.digest(h);
      return h.hex();
    };
    expect(digest(copy)).toBe(digest(a));
    expect(digest(c)).not.toBe(digest(a));
    copy.votes.syncActivate();
    a.votes.syncActivate();
    expect(digest(copy)).toBe(digest(a));
  });
});

skipLine("votequorum's debug lines");

describe.skipIf(!haveReference)("debug lines of a first start and a forming, as three real daemons wrote them", () => {
  const ledger = new Ledger("votequorum");
  let recorded: Map<string, string[]>;
  beforeAll(() => {
    recorded = new Map();
    const all = reference("corosync/transcripts/debug-lifecycle-3.txt").split("\n");
    const ours = ledger.without("votequorum-course", "recorded", all, (line) => {
      const m = /^\+ +([\d.]+) node\d +\w+ +\[(?:VOTEQ|CPG|QUORUM) *\] (.*)$/.exec(line);
      return m === null || Number(m[1]) > 3 || /Using quorum provider/.test(m[2] ?? "");
    });
    for (const line of ours) {
      const m = /^\+ +([\d.]+) (node\d) +(\w+) +\[(\w+) *\] (.*)$/.exec(line);
      if (m === null) throw new Error(`no line of a log: ${line}`);
      const lines = recorded.get(m[2] ?? "") ?? [];
      recorded.set(m[2] ?? "", [...lines, `${m[3]} [${m[4]}] ${m[5]}`.trimEnd()]);
    }
  });

  it.each([1, 2, 3])("node %i", (id) => {
    const peers = [1, 2, 3].map((n) => new Peer(n, 1, 3));
    for (const p of peers) form([p], { rep: p.id, seq: 5 });
    form(peers, { rep: 1, seq: 9 });
    const wanted = recorded.get(`node${id}`) ?? [];
    expect(wanted.length).toBeGreaterThan(50);
    expect(peers[id - 1]?.log.map((l) => l.trimEnd())).toEqual(wanted);
  });

  it("every exclusion was used", () => {
    keepTable(ledger);
    expect(ledger.unused()).toEqual([]);
  });
});
