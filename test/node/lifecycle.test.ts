/**
 * The corosync process from exec to exit, against recordings of the real one: the same lines in the same order at start, at SIGTERM and at
 * corosync-cfgtool -H, and about the same times.
 */
import { describe, expect, test } from "vitest";
import { MS, SEC } from "../../src/engine/kernel/index.ts";
import { Ledger, type Side } from "../conformance/ledger.ts";
import { keepTable } from "../conformance/table.ts";
import { haveReference, reference, skipLine } from "../shared.ts";
import { TestNetwork } from "./lab.ts";

interface Recording {
  config: string;
  steps: { title: string; t_start: number; log: Record<string, [number, string][]> }[];
}

const ledger = new Ledger("process");

/** The line as our recorder prints it, from `Nov 20 … corosync notice  [MAIN  ] text`. */
const recorded = (line: string): string => line.replace(/^.*? corosync (\w+) +\[/, (_, level: string) => `${level.padEnd(7)} [`).trimEnd();

function logOf(recording: Recording, step: number, node: string): string[] {
  const lines = (recording.steps[step]?.log[node] ?? []).map(([, line]) => recorded(line));
  return ledger.without("process-memlock", "recorded", lines, (line) => line.includes("RLIMIT_MEMLOCK"));
}

const daemon = (network: TestNetwork, i: number, from: number): string[] =>
  network
    .lines(i, from)
    .filter((l) => !l.startsWith("systemd: "))
    .map((l) => l.trimEnd());

skipLine("node/lifecycle");

describe.skipIf(!haveReference)("one node, as recorded in form-1", () => {
  test("start, SIGTERM, start, SIGKILL, start: line by line", () => {
    const recording = JSON.parse(reference("corosync/transcripts/form-1.json")) as Recording;
    const network = new TestNetwork(["node1"], { conf: recording.config, disabled: ["corosync"] });
    network.runTo(SEC);
    const play = (step: number, op: "start" | "stop" | "kill"): void => {
      const from = network.node(0).journalLength();
      network.act(0, { kind: "service", op, unit: "corosync" });
      network.runTo(network.now + 2 * SEC);
      expect(daemon(network, 0, from), recording.steps[step]?.title ?? "").toEqual(logOf(recording, step, "node1"));
    };
    play(0, "start");
    play(2, "stop");
    play(3, "start");
    play(4, "kill");
    play(5, "start");
    expect(network.node(0).query(network.now, { kind: "file-read", path: "/var/lib/corosync/ringid_1" })).toEqual({
      kind: "file",
      data: Uint8Array.of(15, 0, 0, 0, 0, 0, 0, 0),
    });
    expect(network.node(0).query(network.now, { kind: "file-stat", path: "/var/lib/corosync/ringid_1" })).toMatchObject({
      stat: { mode: 0o600, size: 8 },
    });
  });

  test("of the three that start together, each says the same but for knet's order", () => {
    const recording = JSON.parse(reference("corosync/transcripts/form-3-together.json")) as Recording;
    const network = new TestNetwork(["node1", "node2", "node3"], { conf: recording.config });
    network.runTo(5 * SEC);
    for (const [i, node] of ["node1", "node2", "node3"].entries()) {
      const without = (side: Side, lines: string[]): string[] => ledger.without("process-knet", side, lines, (l) => l.includes("[KNET"));
      const lab = daemon(network, i, 0).filter((l) => !l.startsWith("kernel: "));
      expect(without("lab", lab), node).toEqual(without("recorded", logOf(recording, 0, node)));
    }
  });

  test("every exclusion was used", () => {
    keepTable(ledger);
    expect(ledger.unused()).toEqual([]);
  });
});

describe("keys", () => {
  test("a node with another authkey: the links stay down and every ping is an error on both sides", () => {
    const network = new TestNetwork(["pve1", "pve2"]);
    network.runTo(1);
    network.act(1, { kind: "file-write", path: "/etc/corosync/authkey", data: new Uint8Array(256).fill(8), append: false });
    network.runTo(8 * SEC);
    for (let i = 0; i < 2; i++) {
      expect(network.node(i).status(network.now)).toMatchObject({
        corosync: { ringId: `${i + 1}.5`, members: [i + 1] },
        quorum: { quorate: false },
      });
      expect(network.lines(i)).toContain("error   [KNET  ] nsscrypto: Digest does not match. Check crypto key and configuration.");
    }
  });
});

describe("times of a start", () => {
  test("over 50 seeds: knet after 0.25 s, the services 0.1 s later, a quarter of the daemons 0.05 s late, ready with the first ring", () => {
    let slow = 0;
    for (let seed = 0; seed < 50; seed++) {
      const network = new TestNetwork(["pve1"], { seed: String(seed) });
      network.runTo(SEC);
      const at = (text: string): number => network.journal(0).find((l) => l.text.startsWith(text))?.instant ?? NaN;
      const exec = at("Corosync Cluster Engine 3.1.7 starting up");
      if (exec > 40 * MS) slow++;
      expect(at("totemknet initialized") - exec).toBeGreaterThanOrEqual(236 * MS);
      expect(at("totemknet initialized") - exec).toBeLessThanOrEqual(244 * MS);
      expect(at("Configuring link 0") - at("totemknet initialized")).toBeGreaterThanOrEqual(98 * MS);
      expect(at("Started corosync.service")).toBeLessThan(0.43 * SEC);
      expect(at("A new membership (1.5) was formed.") - at("Configuring link 0")).toBeLessThan(8 * MS);
    }
    expect(slow).toBeGreaterThan(4);
    expect(slow).toBeLessThan(25);
  });
});

describe("times of a stop", () => {
  test("SIGTERM: the leave comes after 0.24 to 0.40 s, the end after about 1.1 s; the others need no timeout", () => {
    for (let seed = 0; seed < 20; seed++) {
      const network = new TestNetwork(["pve1", "pve2"], { seed: String(seed) });
      network.runTo(10 * SEC);
      const [from, other] = [network.node(1).journalLength(), network.node(0).journalLength()];
      network.act(1, { kind: "service", op: "stop", unit: "corosync" });
      network.runTo(13 * SEC);
      const left = network
        .node(0)
        .journalSince(other)
        .find((l) => l.text.endsWith("was formed. Members left: 2"));
      const gone = network
        .node(1)
        .journalSince(from)
        .find((l) => l.text === "Corosync Cluster Engine exiting normally");
      expect((left?.instant ?? 0) - 10 * SEC).toBeGreaterThan(0.23 * SEC);
      expect((left?.instant ?? 0) - 10 * SEC).toBeLessThan(0.42 * SEC);
      expect((gone?.instant ?? 0) - 10 * SEC).toBeGreaterThan(1 * SEC);
      expect((gone?.instant ?? 0) - 10 * SEC).toBeLessThan(1.25 * SEC);
    }
  });

  test("corosync-cfgtool -H: everybody hears who goes, and the ring is formed anew within 20 ms", () => {
    const network = new TestNetwork(["pve1", "pve2", "pve3"]);
    network.runTo(10 * SEC);
    const from = network.node(0).journalLength();
    network.act(1, { kind: "command", id: "c", argv: ["corosync-cfgtool", "-H"], cwd: "/root", stdin: "" });
    network.runTo(10 * SEC + 20 * MS);
    const lines = network.lines(0, from);
    expect(lines[0]).toBe("notice  [CFG   ] Node 2 was shut down by sysadmin");
    expect(lines).toContain("notice  [TOTEM ] A new membership (1.d) was formed. Members left: 2");
    expect(lines.filter((l) => l.includes("Failed to receive the leave message"))).toEqual([]);
    network.runTo(12 * SEC);
    expect(network.node(1).status(network.now).units).toEqual({ corosync: "inactive" });
  });

  test("corosync-cfgtool -k: the victim dies with status 255 and without a leave; the others need token and consensus", () => {
    const network = new TestNetwork(["pve1", "pve2", "pve3"]);
    network.runTo(10 * SEC);
    const from = network.node(2).journalLength();
    network.act(0, { kind: "command", id: "c", argv: ["corosync-cfgtool", "-k", "3"], cwd: "/root", stdin: "" });
    network.runTo(11 * SEC);
    expect(network.lines(2, from)).toEqual([
      "notice  [CFG   ] Killed by node 1 : Killed by corosync-cfgtool",
      "error   [MAIN  ] Corosync Cluster Engine exiting with status -1 at cfg.c:566.",
      "systemd: corosync.service: Main process exited, code=exited, status=255/EXCEPTION",
      "systemd: corosync.service: Failed with result 'exit-code'.",
    ]);
    expect(network.node(0).status(network.now).corosync?.members).toEqual([1, 2, 3]);
    network.runTo(19 * SEC);
    expect(network.node(0).status(network.now).corosync?.members).toEqual([1, 2]);
  });

  test("after its leave message a daemon believes nothing any more, though it still answers pings", () => {
    const network = new TestNetwork(["pve1", "pve2"]);
    network.runTo(10 * SEC);
    network.act(1, { kind: "service", op: "stop", unit: "corosync" });
    network.runTo(10.15 * SEC);
    expect(network.node(1).status(network.now)).toMatchObject({ units: { corosync: "deactivating" }, corosync: { members: [1, 2] } });
    network.runTo(10.6 * SEC);
    expect(network.node(1).status(network.now)).toMatchObject({ units: { corosync: "deactivating" }, corosync: null, quorum: null });
    expect(network.node(0).status(network.now).corosync?.links).toMatchObject([{ to: 2, connected: true }]);
  });

  test("where the ring number cannot be stored the daemon gives up", () => {
    const network = new TestNetwork(["pve1"]);
    network.runTo(SEC);
    network.act(0, { kind: "service", op: "stop", unit: "corosync" });
    network.runTo(3 * SEC);
    network.act(0, { kind: "file-remove", path: "/var/lib/corosync", recursive: true });
    network.act(0, { kind: "file-write", path: "/var/lib/corosync", data: new Uint8Array(0), append: false });
    network.act(0, { kind: "service", op: "start", unit: "corosync" });
    network.runTo(5 * SEC);
    expect(network.node(0).status(network.now).units).toEqual({ corosync: "failed" });
  });
});
