/**
 * corosync's services as its clients meet them: over local sockets, by requests that are answered once and notices that come unasked. What a client is told when the daemon is
 * not there, does not run, synchronises or dies; and what the daemon does when a client goes.
 */
import { describe, expect, test } from "vitest";
import { CFG, CMAP, CPG, QUORUM, VOTEQUORUM } from "../../src/engine/corosync/index.ts";
import { MS, SEC, utf8, type IpcRequest, type Os } from "../../src/engine/kernel/index.ts";
import { clients, type Clients, type TestClient } from "./client.ts";

const NAMES = ["node1", "node2", "node3"];

function formed(): Clients {
  const made = clients(NAMES);
  made.network.runTo(10 * SEC);
  return made;
}

/** The connection to a service, made when it is first wanted. */
function connection(os: Os, client: TestClient, service: string): number {
  const known = client.connections.get(service) ?? os.ipc.connect(service);
  if (known === undefined) throw new Error(`nobody serves ${service}`);
  client.connections.set(service, known);
  return known;
}

function ask(c: Clients, place: number, service: string, request: IpcRequest): void {
  c.now(place, (os) => void os.ipc.request(connection(os, c.client(place), service), request));
}

/** The last reply that the client on a node has had. */
function reply(c: Clients, place: number): Readonly<Record<string, unknown>> {
  const last = c.client(place).heard.findLast(({ event }) => event.what === "reply");
  if (last?.event.what !== "reply") throw new Error("no reply");
  return last.event.reply;
}

const service = (op: "service-stall" | "service-resume"): { kind: typeof op; unit: string } => ({ kind: op, unit: "corosync" });

describe("a daemon that is not there", () => {
  test("before its services are loaded nobody serves them; a client that asks for one in the first synchronisation is told to try again", () => {
    const c = clients(NAMES, {}, MS / 20);
    const found: (number | undefined)[] = [];
    c.now(0, (os) => found.push(os.ipc.connect(CPG)));
    expect(found).toEqual([undefined]);
    // They are loaded about 0.35 s after exec, and the first ring, of this node alone, forms at once.
    while (c.client(0).answers.length === 0 && c.network.now < SEC) {
      c.now(0, (os) => {
        const [cpg, votes] = [os.ipc.connect(CPG), os.ipc.connect(VOTEQUORUM)];
        if (cpg === undefined || votes === undefined) return;
        os.ipc.request(cpg, { call: "cpg_join", group: "g", pid: 4711 });
        os.ipc.request(votes, { call: "votequorum_setexpected", votes: 5 });
        os.ipc.request(votes, { call: "votequorum_getinfo", nodeId: 1 });
      });
    }
    expect(c.client(0).answers).toEqual(["CS_ERR_TRY_AGAIN", "CS_ERR_TRY_AGAIN", "ok"]);
    c.network.runTo(10 * SEC);
    ask(c, 0, CPG, { call: "cpg_join", group: "g", pid: 4711 });
    expect(c.client(0).answers.at(-1)).toBe("ok");
  });

  test("killed, it is gone for who was connected, whose open question stays open; who comes then finds nobody", () => {
    const c = formed();
    c.network.act(0, service("service-stall"));
    ask(c, 0, QUORUM, { call: "quorum_getquorate" });
    c.network.act(0, { kind: "service", unit: "corosync", op: "kill" });
    c.network.runTo(c.network.now + 10 * MS);
    expect(c.client(0).heard.map(({ event }) => event.what)).toEqual(["gone"]);
    const found: (number | undefined)[] = [];
    c.now(0, (os) => found.push(os.ipc.connect(QUORUM)));
    expect(found).toEqual([undefined]);
  });

  test("going down, it answers who is connected until it unloads its services, then with CS_ERR_LIBRARY, and is gone; nobody new comes in", () => {
    const c = formed();
    ask(c, 0, QUORUM, { call: "quorum_getquorate" });
    c.network.act(0, { kind: "service", unit: "corosync", op: "stop" });
    const found: (number | undefined)[] = [];
    c.now(0, (os) => found.push(os.ipc.connect(CMAP)));
    expect(found).toEqual([undefined]);
    ask(c, 0, QUORUM, { call: "quorum_getquorate" });
    c.network.runTo(c.network.now + 60 * MS);
    ask(c, 0, QUORUM, { call: "quorum_getquorate" });
    expect(c.client(0).answers).toEqual(["ok", "ok", "CS_ERR_LIBRARY"]);
    c.network.runTo(c.network.now + 5 * SEC);
    expect(c.client(0).heard.at(-1)?.event.what).toBe("gone");
  });

  test("stopped, it lets a question wait, and answers when it goes on", () => {
    const c = formed();
    c.network.act(0, service("service-stall"));
    ask(c, 0, QUORUM, { call: "quorum_getquorate" });
    c.network.runTo(c.network.now + 300 * MS);
    expect(c.client(0).answers).toEqual([]);
    const at = c.network.now;
    c.network.act(0, service("service-resume"));
    expect(c.client(0).heard.map((h) => [h.at, h.event.what])).toEqual([[at, "reply"]]);
    expect(reply(c, 0)).toMatchObject({ quorate: true });
  });

  test("a call that it does not know", () => {
    const c = formed();
    ask(c, 0, CFG, { call: "corosync_cfg_fly" });
    expect(c.client(0).answers).toEqual(["CS_ERR_NOT_SUPPORTED"]);
  });
});

describe("process groups", () => {
  const join: IpcRequest = { call: "cpg_join", group: "g", pid: 4711 };

  test("a message reaches all members in one order, the sender too; it is told by notices", () => {
    const c = formed();
    ask(c, 0, CPG, join);
    ask(c, 1, CPG, join);
    ask(c, 0, CPG, { call: "cpg_mcast_joined", message: utf8("one") });
    ask(c, 1, CPG, { call: "cpg_mcast_joined", message: utf8("two") });
    const told = (place: number): unknown[] =>
      c
        .client(place)
        .notices("cpg_deliver")
        .map((n) => [n.nodeId, n.message]);
    expect(told(0)).toEqual([
      [1, utf8("one")],
      [2, utf8("two")],
    ]);
    expect(told(1)).toEqual(told(0));
    expect(c.client(0).notices("cpg_confchg").at(-1)).toMatchObject({
      members: [
        { nodeId: 1, pid: 4711 },
        { nodeId: 2, pid: 4711 },
      ],
      joined: [{ nodeId: 2, pid: 4711, reason: "join" }],
    });
  });

  test("one connection is in one group; it leaves, hears of that last, and may join another", () => {
    const c = formed();
    ask(c, 0, CPG, { call: "cpg_mcast_joined", message: utf8("x") });
    ask(c, 0, CPG, join);
    ask(c, 0, CPG, { call: "cpg_join", group: "h", pid: 4711 });
    ask(c, 0, CPG, { call: "cpg_leave" });
    ask(c, 0, CPG, { call: "cpg_join", group: "h", pid: 4711 });
    expect(c.client(0).answers).toEqual(["CS_ERR_NOT_EXIST", "ok", "CS_ERR_EXIST", "ok", "ok"]);
    expect(
      c
        .client(0)
        .notices("cpg_confchg")
        .map((n) => [n.group, n.left, n.joined]),
    ).toEqual([
      ["g", [], [{ nodeId: 1, pid: 4711, reason: "join" }]],
      ["g", [{ nodeId: 1, pid: 4711, reason: "leave" }], []],
      ["h", [], [{ nodeId: 1, pid: 4711, reason: "join" }]],
    ]);
  });

  test("a client that exits without a word is gone for its group with procdown", () => {
    const c = formed();
    ask(c, 0, CPG, join);
    ask(c, 1, CPG, join);
    c.now(0, (os) => os.exit({ code: 0 }));
    expect(c.client(1).notices("cpg_confchg").at(-1)).toMatchObject({
      members: [{ nodeId: 2, pid: 4711 }],
      left: [{ nodeId: 1, pid: 4711, reason: "procdown" }],
    });
    ask(c, 1, CPG, { call: "cpg_membership_get", group: "g" });
    expect(reply(c, 1)).toEqual({ members: [{ nodeId: 2, pid: 4711 }] });
  });
});

describe("quorum and votequorum", () => {
  test("who tracks quorum is told the present verdict, and every later one", () => {
    const c = formed();
    ask(c, 0, QUORUM, { call: "quorum_trackstart", current: true, changes: true });
    c.network.cut.add("10.10.0.1");
    c.network.runTo(c.network.now + 10 * SEC);
    const told = c.client(0).notices("quorum_notification");
    expect(told.map((n) => [n.quorate, n.members])).toEqual([
      [true, [1, 2, 3]],
      [false, [1]],
    ]);
    ask(c, 0, QUORUM, { call: "quorum_trackstop" });
    c.network.cut.clear();
    c.network.runTo(c.network.now + 10 * SEC);
    expect(c.client(0).notices("quorum_notification")).toHaveLength(2);
    ask(c, 0, QUORUM, { call: "quorum_getquorate" });
    expect(reply(c, 0)).toEqual({ quorate: true });
  });

  test("expected votes that one client sets are told to another that tracks, on another node", () => {
    const c = formed();
    ask(c, 1, VOTEQUORUM, { call: "votequorum_trackstart" });
    ask(c, 0, VOTEQUORUM, { call: "votequorum_setexpected", votes: 4 });
    ask(c, 0, VOTEQUORUM, { call: "votequorum_setexpected", votes: 2 });
    expect(c.client(0).answers).toEqual(["ok", "CS_ERR_INVALID_PARAM"]);
    expect(c.client(1).notices("votequorum_expectedvotes_notification")).toMatchObject([{ expectedVotes: 4 }]);
    ask(c, 1, VOTEQUORUM, { call: "votequorum_getinfo", nodeId: 9 });
    expect(c.client(1).answers.at(-1)).toBe("CS_ERR_NOT_EXIST");
  });

  test("a device that no configuration names may not poll", () => {
    const c = formed();
    ask(c, 0, VOTEQUORUM, { call: "votequorum_qdevice_poll", name: "Qdevice", castVote: true, ring: { rep: 1, seq: 1 } });
    expect(c.client(0).answers).toEqual(["CS_ERR_NOT_EXIST"]);
  });
});

describe("the configuration map", () => {
  test("who tracks a prefix is told what is set and deleted below it, with what was there before, and nothing else", () => {
    const c = formed();
    ask(c, 0, CMAP, { call: "cmap_track_add", key: "test.", prefix: true });
    ask(c, 0, CMAP, { call: "cmap_set", key: "test.a", type: "u8", value: 1 });
    ask(c, 0, CMAP, { call: "cmap_set", key: "test.a", type: "u8", value: 1 });
    ask(c, 0, CMAP, { call: "cmap_set", key: "other.a", type: "u8", value: 1 });
    ask(c, 0, CMAP, { call: "cmap_set", key: "test.a", type: "u8", value: 2 });
    ask(c, 0, CMAP, { call: "cmap_delete", key: "test.a" });
    ask(c, 0, CMAP, { call: "cmap_delete", key: "test.a" });
    const entry = (value: number): object => ({ key: "test.a", type: "u8", value });
    expect(
      c
        .client(0)
        .notices("cmap_notify")
        .map((n) => [n.entry, n.before]),
    ).toEqual([
      [entry(1), undefined],
      [entry(2), entry(1)],
      [undefined, entry(2)],
    ]);
    expect(c.client(0).answers.at(-1)).toBe("CS_ERR_NOT_EXIST");
  });

  test("who tracks a statistic is told in the daemon's rounds, every 1.5 s, where it is another; who tracks by prefix hears of no values", () => {
    const c = formed();
    const track = (key: string, prefix: boolean): void => ask(c, 0, CMAP, { call: "cmap_track_add", map: "stats", key, prefix });
    track("stats.srp.orf_token_rx", false);
    track("stats.srp.operational_entered", false);
    track("stats.no.such", false);
    const counts: number[] = [];
    for (let n = 1; n <= 6; n++) {
      c.network.runTo(10 * SEC + n * 1500 * MS);
      counts.push(c.client(0).notices("cmap_notify").length);
    }
    expect(counts).toEqual([1, 2, 3, 4, 5, 6]);
    const told = c.client(0).notices("cmap_notify");
    expect(told.map((n) => n.key)).toEqual(counts.map(() => "stats.srp.orf_token_rx"));
    expect(told.slice(1).map((n) => n.before)).toEqual(told.slice(0, -1).map((n) => n.entry));

    // Cleared, it is another too; and without anybody who looks there is no round.
    ask(c, 0, CMAP, { call: "cmap_set", map: "stats", key: "stats.clear.totem", type: "str", value: "" });
    c.network.runTo(c.network.now + 1500 * MS);
    const cleared = c
      .client(0)
      .notices("cmap_notify")
      .find((n) => n["key"] === "stats.srp.operational_entered");
    expect(cleared?.["entry"]).toMatchObject({ value: 0 });
    ask(c, 0, CMAP, { call: "cmap_track_delete", key: "stats.srp.orf_token_rx" });
    ask(c, 0, CMAP, { call: "cmap_track_delete", key: "stats.srp.operational_entered" });
    track("stats.srp.", true);
    const before = c.client(0).notices("cmap_notify").length;
    c.network.runTo(c.network.now + 5 * SEC);
    expect(c.client(0).notices("cmap_notify")).toHaveLength(before);
  });

  test("keys that corosync keeps for itself cannot be set; the stats map takes only what clears it", () => {
    const c = formed();
    ask(c, 0, CMAP, { call: "cmap_set", key: "totem.cluster_name", type: "str", value: "x" });
    ask(c, 0, CMAP, { call: "cmap_set", map: "stats", key: "stats.knet", type: "str", value: "" });
    ask(c, 0, CMAP, { call: "cmap_set", map: "stats", key: "stats.clear.knet", type: "str", value: "" });
    ask(c, 0, CMAP, { call: "cmap_get", key: "totem.cluster_name" });
    expect(c.client(0).answers).toEqual(["CS_ERR_ACCESS", "CS_ERR_ACCESS", "ok", "ok"]);
    expect(reply(c, 0)).toEqual({ type: "str", value: "lab" });
  });
});

describe("the configuration service", () => {
  test("a reload is answered when this node has read its file again", () => {
    const c = formed();
    c.client(0).next((os) => void os.ipc.request(connection(os, c.client(0), CFG), { call: "corosync_cfg_reload_config" }));
    c.network.runTo(c.network.now + SEC);
    expect(c.client(0).answers).toEqual(["ok"]);
    const lines = c.network.lines(0).filter((l) => l.includes("Config reload requested"));
    expect(lines).toHaveLength(1);
  });

  test("a node that is no member cannot be killed; one that is ends", () => {
    const c = formed();
    ask(c, 0, CFG, { call: "corosync_cfg_kill_node", nodeId: 7, reason: "test" });
    ask(c, 0, CFG, { call: "corosync_cfg_kill_node", nodeId: 2, reason: "test" });
    expect(c.client(0).answers).toEqual(["CS_ERR_NOT_EXIST", "ok"]);
    expect(c.network.node(1).status(c.network.now).units["corosync"]).toBe("failed");
  });
});
