/** What the options of the quorum section do when votes change under them, as real daemons were seen to do it. */
import { describe, expect, test } from "vitest";
import { parseConf, verifyConf } from "../../src/engine/config/index.ts";
import type { VotequorumParams } from "../../src/engine/votequorum/index.ts";
import { node1 } from "../conf/good.ts";
import { form, Peer, settle } from "./bus.ts";

function formed(
  votes: readonly number[],
  options: Partial<VotequorumParams>,
): { peers: Peer[]; params: (votes: readonly number[]) => void } {
  const sum = (v: readonly number[]): number => v.reduce((a, b) => a + b, 0);
  const of = (i: number, v: readonly number[]): VotequorumParams => ({
    nodeId: i + 1,
    votes: v[i] ?? 1,
    expectedVotes: sum(v),
    listedVotes: sum(v),
    debug: false,
    ...options,
  });
  const peers = votes.map((v, i) => new Peer(i + 1, v, sum(votes), of(i, votes)));
  for (const p of peers) form([p], { rep: p.id, seq: 5 });
  form(peers, { rep: 1, seq: 9 });
  const params = (v: readonly number[]): void => {
    peers.forEach((p, i) => p.votes.reconfigure(of(i, v)));
    settle(peers);
  };
  return { peers, params };
}

const said = (p: Peer | undefined): string => {
  const info = p?.votes.info(p.id);
  return info === undefined ? "" : `${info.expectedVotes} ${info.highestExpected} ${info.totalVotes} ${info.quorum}`;
};

describe.each([{ allowDownscale: true }, { expectedVotesTracking: true }])(
  "with %o a running node expects what it has tracked",
  (options) => {
    test("a file with more votes raises it only as far as votes are there; one with fewer does not lower it", () => {
      const { peers, params } = formed([1, 1, 1, 1], options);
      // a fifth node that never comes: the sum of the file does not count
      const five = [1, 1, 1, 1, 2];
      params(five);
      expect(peers.map(said)).toEqual(peers.map(() => "4 4 4 3"));
      params([1, 1, 1, 3]);
      expect(peers.map(said)).toEqual(peers.map(() => "6 6 6 4"));
      params([1, 1, 1, 2]);
      expect(peers.map(said)).toEqual(peers.map(() => "6 6 5 4"));
    });

    test("-e with less is heard by the others and not by oneself", () => {
      const { peers } = formed([1, 1, 1], options);
      expect(peers[0]?.votes.setExpected(5)).toBeUndefined();
      settle(peers);
      expect(peers.map(said)).toEqual(peers.map(() => "5 5 3 3"));
      expect(peers[0]?.votes.setExpected(3)).toBeUndefined();
      settle(peers);
      expect(peers.map(said)).toEqual(peers.map(() => "5 5 3 3"));
    });
  },
);

describe("auto_tie_breaker: an odd cluster is one with an odd sum of votes in its nodelist", () => {
  const conf = (votes: readonly number[], quorum: string): string =>
    `totem {\n  version: 2\n  cluster_name: lab\n}\nnodelist {\n${votes
      .map(
        (v, i) => `  node {\n    nodeid: ${i + 1}\n    name: node${i + 1}\n    quorum_votes: ${v}\n    ring0_addr: 10.10.0.${i + 1}\n  }\n`,
      )
      .join("")}}\nquorum {\n  provider: corosync_votequorum\n  auto_tie_breaker: 1\n${quorum}}\n`;
  const refusal = (votes: readonly number[], quorum = "  last_man_standing: 1\n"): number => {
    const verdict = verifyConf(parseConf(conf(votes, quorum)), { ...node1, authkeyBytes: () => 256 });
    return verdict.ok ? 0 : verdict.exitCode;
  };

  test("with last_man_standing and nobody waiting the daemon does not start", () => {
    expect(refusal([1, 1, 1])).toBe(20);
    expect(refusal([2, 1, 1, 1])).toBe(20);
    expect(refusal([3, 2, 1])).toBe(0);
    expect(refusal([1, 1, 1, 1], "  last_man_standing: 1\n  expected_votes: 5\n")).toBe(0);
  });

  test("without it the tie breaker is switched off", () => {
    const off = (votes: readonly number[]): boolean =>
      formed(votes, { autoTieBreaker: true }).peers.every((p) => p.log.some((l) => l.includes("auto_tie_breaker has been disabled")));
    expect(off([2, 1, 1, 1])).toBe(true);
    expect(off([2, 1, 1])).toBe(false);
  });

  test("a reload that makes the sum odd switches it off, one that makes it even brings it back", () => {
    const options = (votes: readonly number[]): Partial<VotequorumParams> => ({
      autoTieBreaker: true,
      listedVotes: votes.reduce((a, b) => a + b, 0),
      expectedVotes: votes.reduce((a, b) => a + b, 0),
    });
    const { peers } = formed([1, 1, 1, 1], options([1, 1, 1, 1]));
    const shown = (): boolean[] => peers.map((p) => p.votes.info(p.id)?.flags.includes("AutoTieBreaker") === true);
    expect(shown()).toEqual([true, true, true, true]);
    const reload = (votes: readonly number[]): void => {
      peers.forEach((p, i) =>
        p.votes.reconfigure({ nodeId: p.id, votes: votes[i] ?? 1, debug: false, expectedVotes: 0, ...options(votes) } as VotequorumParams),
      );
      settle(peers);
    };
    reload([1, 1, 1, 2]);
    expect(shown()).toEqual([false, false, false, false]);
    reload([1, 1, 2, 2]);
    expect(shown()).toEqual([true, true, true, true]);
  });

  test("with last_man_standing a reload that makes the sum odd changes nothing, and says why; once a vote of two has ended last_man_standing it does", () => {
    const options = (votes: readonly number[]): Partial<VotequorumParams> => ({
      autoTieBreaker: true,
      lastManStanding: true,
      listedVotes: votes.reduce((a, b) => a + b, 0),
      expectedVotes: votes.reduce((a, b) => a + b, 0),
    });
    const { peers } = formed([1, 1], options([1, 1]));
    const shown = (): string[] =>
      peers.map((p) => {
        const info = p.votes.info(p.id);
        return `${info?.totalVotes} of ${info?.expectedVotes}: ${info?.flags.join(" ")}`;
      });
    const reload = (votes: readonly number[]): void => {
      peers.forEach((p, i) =>
        p.votes.reconfigure({ nodeId: p.id, votes: votes[i] ?? 1, debug: false, expectedVotes: 0, ...options(votes) } as VotequorumParams),
      );
      settle(peers);
    };
    const before = shown();
    expect(before).toEqual(Array<string>(2).fill("2 of 2: Quorate LastManStanding AutoTieBreaker"));
    for (const votes of [
      [1, 0],
      [1, 2],
    ]) {
      reload(votes);
      expect(shown()).toEqual(before);
    }
    const said = peers[0]?.log.filter((l) => l.startsWith("crit [VOTEQ]"));
    expect(said).toHaveLength(10);
    expect(said?.[0]).toBe("crit [VOTEQ] auto_tie_breaker is set, the cluster has an odd number of nodes");
    reload([2, 2]);
    expect(shown()).toEqual(Array<string>(2).fill("4 of 4: Quorate AutoTieBreaker"));
    reload([1, 2]);
    expect(shown()).toEqual(Array<string>(2).fill("3 of 3: Quorate"));
  });

  test("with last_man_standing the half that has the lowest node opens the window, whoever breaks the tie", () => {
    const windows = (node: string): boolean[] => {
      const { peers } = formed([1, 1], {
        autoTieBreaker: true,
        autoTieBreakerNode: node,
        lastManStanding: true,
        lastManStandingWindowMs: 2000,
      });
      for (const p of peers) form([p], { rep: p.id, seq: 13 });
      return peers.map((p) => p.timers.has("last_man_standing"));
    };
    expect(windows("1")).toEqual([true, false]);
    expect(windows("2")).toEqual([true, false]);
  });
});
