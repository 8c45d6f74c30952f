/** The quorum device as its process sees votequorum: registration, polls in time and for the right ring, and what the others make of it. */
import { describe, expect, it } from "vitest";
import { SEC } from "../../src/engine/kernel/index.ts";
import type { VoteListener } from "../../src/engine/votequorum/index.ts";
import { form, goOn, Peer, settle } from "./bus.ts";

const NAME = "Qdevice";
const DEVICE = { votes: 1, timeoutMs: 10_000, syncTimeoutMs: 30_000 };

function brief(p: Peer): string {
  const i = p.votes.info(p.id);
  return `expected ${i?.expectedVotes} total ${i?.totalVotes} quorum ${i?.quorum} ${i?.flags.join(" ")}`.trimEnd();
}

/** Two nodes with one vote each and a device with one; its votes are part of what is expected. */
function pair(): [Peer, Peer] {
  const peers = [1, 2].map((id) => new Peer(id, 1, 3, { device: DEVICE }));
  for (const p of peers) form([p], { rep: p.id, seq: 5 });
  form(peers, { rep: 1, seq: 9 });
  const [a, b] = peers;
  if (!a || !b) throw new Error("two peers wanted");
  return [a, b];
}

function registered(): [Peer, Peer] {
  const [a, b] = pair();
  for (const p of [a, b]) expect(p.votes.deviceRegister(NAME)).toBeUndefined();
  settle([a, b]);
  for (const p of [a, b]) {
    expect(p.votes.deviceMasterWins(NAME, false)).toBeUndefined();
    expect(p.votes.devicePoll(NAME, true, p.votes.ringId)).toBeUndefined();
  }
  settle([a, b]);
  a.take();
  b.take();
  return [a, b];
}

describe("a registered device", () => {
  it("is known to the own node after the message came round, and casts its vote with a poll", () => {
    const [a, b] = pair();
    const heard: string[] = [];
    a.votes.subscribe({ registered: (error) => heard.push(error ?? "OK") });
    expect(a.votes.devicePoll(NAME, true, a.votes.ringId)).toBe("CS_ERR_NOT_EXIST");
    expect(a.votes.deviceRegister(NAME)).toBeUndefined();
    expect(a.votes.deviceRegister(NAME)).toBe("CS_ERR_TRY_AGAIN");
    expect(heard).toEqual([]);
    settle([a, b]);
    expect(heard).toEqual(["OK"]);
    expect(brief(a)).toBe("expected 3 total 2 quorum 2 Quorate Qdevice");
    expect(brief(b)).toBe("expected 3 total 2 quorum 2 Quorate");
    expect(a.votes.devicePoll(NAME, true, a.votes.ringId)).toBeUndefined();
    settle([a, b]);
    expect(brief(a)).toBe("expected 3 total 3 quorum 2 Quorate Qdevice");
    expect(b.votes.deviceInfo(1)).toEqual({
      name: NAME,
      registered: true,
      alive: true,
      castVote: true,
      masterWins: false,
      votes: 1,
      timeoutMs: 10_000,
    });
    // The device of node 1 votes for node 1 alone, and that is what node 2 says of node 1.
    expect(b.votes.info(1)?.totalVotes).toBe(3);
    expect(b.votes.info(2)?.totalVotes).toBe(2);
  });

  it("may not have two names", () => {
    const [a, b] = registered();
    expect(a.votes.deviceRegister("other")).toBe("CS_ERR_EXIST");
    expect(a.take("VOTEQ")).toContain(
      `warning [VOTEQ] A new qdevice with different name (new: other old: ${NAME}) is trying to re-register!`,
    );
    expect(a.votes.devicePoll("other", true, a.votes.ringId)).toBe("CS_ERR_INVALID_PARAM");
    expect(a.votes.deviceUpdate(NAME, "other")).toBeUndefined();
    settle([a, b]);
    expect(a.votes.devicePoll("other", true, a.votes.ringId)).toBeUndefined();
    expect(b.votes.deviceUnregister(NAME)).toBe("CS_ERR_INVALID_PARAM");
    expect(b.votes.deviceUnregister("other")).toBeUndefined();
  });

  it("loses its vote when it does not poll in time", () => {
    const [a, b] = registered();
    a.pass(10 * SEC - 1);
    expect(a.votes.devicePoll(NAME, true, a.votes.ringId)).toBeUndefined();
    a.pass(10 * SEC - 1);
    expect(a.take("VOTEQ")).toEqual([]);
    a.pass(1);
    settle([a, b]);
    expect(a.take("VOTEQ")).toContain(`info [VOTEQ] lost contact with quorum device ${NAME}`);
    expect(b.votes.deviceInfo(1)).toMatchObject({ registered: true, alive: false, castVote: false });
    expect(brief(a)).toBe("expected 3 total 2 quorum 2 Quorate Qdevice");
  });

  it("unregistered takes its votes along, and its name where it was the last", () => {
    const [a, b] = registered();
    for (const p of [a, b]) expect(p.votes.deviceUnregister(NAME)).toBeUndefined();
    settle([a, b]);
    expect(brief(a)).toBe("expected 3 total 2 quorum 2 Quorate");
    expect(a.votes.deviceInfo(1)).toMatchObject({ name: "", registered: false });
    expect(a.votes.deviceRegister("other")).toBeUndefined();
  });

  it("keeps half of two nodes quorate", () => {
    const [a, b] = registered();
    form([a], { rep: 1, seq: 13 });
    form([b], { rep: 2, seq: 13 });
    expect(a.votes.devicePoll(NAME, true, { rep: 1, seq: 13 })).toBeUndefined();
    expect(b.votes.devicePoll(NAME, false, { rep: 2, seq: 13 })).toBeUndefined();
    settle([a]);
    settle([b]);
    expect(goOn([a])).toBe(true);
    expect(goOn([b])).toBe(true);
    expect([a, b].map(brief)).toEqual(["expected 3 total 2 quorum 2 Quorate Qdevice", "expected 3 total 1 quorum 2 Qdevice"]);
  });
});

describe("a sync with a device alive", () => {
  it("waits for a poll that names the new ring", () => {
    const [a, b] = registered();
    form([a], { rep: 1, seq: 13 });
    expect(a.take("VOTEQ")).toContain(`info [VOTEQ] waiting for quorum device ${NAME} poll (but maximum for 30000 ms)`);
    expect(a.votes.devicePoll(NAME, true, { rep: 1, seq: 9 })).toBe("CS_ERR_MESSAGE_ERROR");
    expect(a.take("VOTEQ")).toContain("debug [VOTEQ] Received poll ring id (1.9) != last sync ring id (1.d). Ignoring poll call.");
    expect(goOn([a])).toBe(false);
    expect(a.quorum.view.members).toEqual([1, 2]);
    expect(a.votes.devicePoll(NAME, true, { rep: 1, seq: 13 })).toBeUndefined();
    expect(goOn([a])).toBe(true);
    expect(a.quorum.view.members).toEqual([1]);
    form([b], { rep: 2, seq: 13 });
    b.pass(30 * SEC - 1);
    expect(goOn([b])).toBe(false);
    b.pass(1);
    settle([b]);
    expect(goOn([b])).toBe(true);
    expect(brief(b)).toBe("expected 3 total 1 quorum 2 Qdevice");
  });

  it("does not wait for one that lost contact before", () => {
    const [a] = registered();
    a.pass(10 * SEC);
    form([a], { rep: 1, seq: 13 });
    expect(a.quorum.view.members).toEqual([1]);
  });
});

it("whoever tracks hears of nodes, quorum and expected votes", () => {
  const [a, b] = pair();
  const heard: string[] = [];
  const listener: VoteListener = {
    nodelist: (ring, members, joined, left) =>
      heard.push(`ring ${ring.rep}.${ring.seq} of ${members.join()} joined ${joined.join()} left ${left.join()}`),
    quorum: (quorate, nodes) => heard.push(`${quorate ? "quorate" : "inquorate"} ${nodes.map((n) => `${n.nodeId}:${n.state}`).join(" ")}`),
    expectedVotes: (votes) => heard.push(`expected ${votes}`),
  };
  const stop = a.votes.subscribe(listener);
  form([a], { rep: 1, seq: 13 });
  expect(heard).toEqual(["ring 1.13 of 1 joined  left 2", "inquorate 2:dead 1:member"]);
  form([b], { rep: 2, seq: 13 });
  heard.length = 0;
  a.votes.setExpected(1);
  settle([a]);
  // The device's configured vote is one of two present, so one expected vote is not what remains.
  expect(heard).toEqual(["expected 1", "expected 2"]);
  stop();
  form([a, b], { rep: 1, seq: 17 });
  expect(heard.length).toBe(2);
});
