/** corosync typed in a terminal: how it runs beside the unit's, its signals, the background, power and shutdown, and that a snapshot keeps all of it. */
import { describe, expect, test } from "vitest";
import { Hasher, SEC } from "../../src/engine/kernel/index.ts";
import { TestNetwork } from "./lab.ts";

/** One machine that has booted, with corosync stopped. Second 0 of the tests is its second 10. */
function machine(): TestNetwork {
  const network = new TestNetwork(["pve1"], { disabled: ["corosync"] });
  network.runTo(10 * SEC);
  return network;
}

function type(network: TestNetwork, id: string, line: string): void {
  network.act(0, { kind: "command", id, argv: line.split(" "), cwd: "/root", stdin: "" });
}

/** What command `id` printed on standard error and its exit status, undefined while it runs. */
function seen(network: TestNetwork, id: string): { err: string; status: number | undefined } {
  let err = "";
  let status: number | undefined;
  for (const { effect } of network.effects) {
    if (effect.kind === "output" && effect.id === id) err += effect.text;
    if (effect.kind === "exit" && effect.id === id) status = effect.status;
  }
  return { err, status };
}

const digest = (network: TestNetwork): string => {
  const h = new Hasher();
  network.node(0).digest(h);
  return h.hex();
};

describe("the words", () => {
  test.each([
    ["corosync -v", 0, /^Corosync Cluster Engine, version '3\.1\.7'\n/],
    ["corosync -tv", 0, /^Corosync Cluster Engine, version/],
    ["corosync -h", 1, /^corosync: invalid option -- 'h'\nusage:\n {8}-c {5}: Corosync config file path\.\n/],
    ["corosync -t -p", 1, /^corosync: invalid option -- 'p'\nusage:/],
    ["/usr/sbin/corosync -c", 1, /^corosync: option requires an argument -- 'c'\nusage:/],
  ])("%s only prints", (line, status, text) => {
    const network = machine();
    const answer = network.node(0).query(network.now, { kind: "command", argv: line.split(" "), cwd: "/", stdin: "" });
    expect(answer).toMatchObject({ kind: "result", status });
    expect(answer.kind === "result" ? answer.stdout + answer.stderr : "").toMatch(text);
  });

  test.each(["corosync", "corosync -f", "corosync -t", "corosync -t -c other.conf", "corosync extra"])("%s runs a process", (line) => {
    const network = machine();
    expect(network.node(0).query(network.now, { kind: "command", argv: line.split(" "), cwd: "/", stdin: "" })).toEqual({ kind: "acts" });
  });
});

describe("a daemon in the terminal", () => {
  test("says everything there and in the journal of the session, and leaves at Ctrl-C with status 0", () => {
    const network = machine();
    type(network, "c", "corosync -f");
    network.runTo(12 * SEC);
    expect(network.node(0).status(network.now)).toMatchObject({ busy: true, units: { corosync: "inactive" }, quorum: { quorate: true } });
    network.act(0, { kind: "command-signal", id: "c", signal: "SIGINT" });
    network.runTo(14 * SEC);
    const { err, status } = seen(network, "c");
    expect(status).toBe(0);
    const said = err
      .split("\n")
      .slice(0, -1)
      .map((l) => l.slice("Jan 01 00:00:00.000 ".length));
    const logged = network.journal(0).filter((l) => l.unit === "session-1.scope");
    expect(said).toEqual(logged.map((l) => `${l.level.padEnd(7)} [${l.subsystem.padEnd(6)}] ${l.text}`));
    expect(err).toMatch(/^Jan 01 00:00:10\.0\d\d notice {2}\[MAIN {2}\] Corosync Cluster Engine 3\.1\.7 starting up\n/);
    expect(err).toMatch(/Node was shut down by a signal\n[^]*exiting normally\n$/);
    expect(network.node(0).status(network.now).busy).toBe(false);
  });

  test("before it has its handlers a signal ends it", () => {
    const network = machine();
    type(network, "c", "corosync -f");
    network.act(0, { kind: "command-signal", id: "c", signal: "SIGINT" });
    expect(seen(network, "c").status).toBe(130);
  });

  test("in the background it goes on after its command, keeps the unit from starting, and goes with the session at shutdown", () => {
    const network = machine();
    type(network, "c", "corosync");
    network.runTo(12 * SEC);
    expect([seen(network, "c").status, seen(network, "c").err.split("\n").length]).toEqual([0, 3]);
    expect(network.node(0).status(network.now)).toMatchObject({ busy: false, units: { corosync: "inactive" }, quorum: { quorate: true } });
    network.act(0, { kind: "service", op: "start", unit: "corosync" });
    network.runTo(13 * SEC);
    expect(network.node(0).status(network.now).units.corosync).toBe("failed");
    expect(network.lines(0)).toContain("systemd: corosync.service: Main process exited, code=exited, status=18/n/a");
    network.act(0, { kind: "shutdown" });
    network.runTo(16 * SEC);
    expect(network.journal(0).some((l) => l.unit === "session-1.scope" && l.text === "Node was shut down by a signal")).toBe(true);
  });

  test("a power cut takes it with its command", () => {
    const network = machine();
    type(network, "c", "corosync -f");
    network.runTo(12 * SEC);
    network.act(0, { kind: "power-cut" });
    expect(seen(network, "c").status).toBe(137);
  });

  test("a snapshot in the middle of it goes on to the same end", () => {
    const run = (restored: boolean): { err: string; status: number | undefined; digest: string } => {
      const network = machine();
      type(network, "c", "corosync -f");
      network.runTo(10.2 * SEC);
      if (restored) network.node(0).restore(structuredClone(network.node(0).snapshot()));
      network.runTo(12 * SEC);
      if (restored) network.node(0).restore(structuredClone(network.node(0).snapshot()));
      network.act(0, { kind: "command-signal", id: "c", signal: "SIGTERM" });
      network.runTo(14 * SEC);
      return { ...seen(network, "c"), digest: digest(network) };
    };
    expect(run(true)).toEqual(run(false));
  });
});
