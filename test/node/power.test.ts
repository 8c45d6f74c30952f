/**
 * Power and units: a machine boots for its boot time, starts its units in order and is then on; systemd says what systemd says, for a start, a stop, a crash, and
 * a unit that cannot start.
 */
import { describe, expect, test } from "vitest";
import { NEVER, SEC, utf8 } from "../../src/engine/kernel/index.ts";
import { TestNetwork, conf } from "./lab.ts";

const systemd = (network: TestNetwork, i: number, from = 0): string[] => network.lines(i, from).filter((l) => l.startsWith("systemd: "));

describe("booting", () => {
  test("takes the design's time; corosync starts then, and the machine is on when it is ready", () => {
    const network = new TestNetwork(["pve1"], { boot: 5 * SEC });
    network.runTo(5 * SEC - 1);
    expect(network.node(0).status(network.now)).toMatchObject({ power: "on", booting: true, units: { corosync: "inactive" } });
    network.runTo(5 * SEC + 300_000);
    expect(network.node(0).status(network.now)).toMatchObject({ booting: true, units: { corosync: "activating" } });
    network.runTo(6 * SEC);
    expect(network.node(0).status(network.now)).toMatchObject({ booting: false, units: { corosync: "active" } });
    expect(systemd(network, 0)).toEqual([
      "systemd: Starting corosync.service - Corosync Cluster Engine...",
      "systemd: Started corosync.service - Corosync Cluster Engine.",
    ]);
  });

  test("without a corosync.conf the unit is skipped, and the machine is on all the same", () => {
    const network = new TestNetwork(["pve1"], { files: [] });
    network.runTo(SEC);
    expect(network.node(0).status(network.now)).toMatchObject({
      booting: false,
      units: { corosync: "inactive" },
      corosync: null,
      quorum: null,
    });
    expect(systemd(network, 0)).toEqual([
      "systemd: corosync.service - Corosync Cluster Engine was skipped because of an unmet condition check (ConditionPathExists=/etc/corosync/corosync.conf).",
    ]);
  });

  test("a disabled unit is left alone until somebody starts it", () => {
    const network = new TestNetwork(["pve1"], { disabled: ["corosync"] });
    network.runTo(SEC);
    expect(systemd(network, 0)).toEqual([]);
    network.act(0, { kind: "service", op: "start", unit: "corosync" });
    network.runTo(2 * SEC);
    expect(network.node(0).status(network.now).units).toEqual({ corosync: "active" });
  });

  test("a machine designed off does nothing until the button is pressed", () => {
    const network = new TestNetwork(["pve1"], { power: "off" });
    expect(network.node(0).nextTimerAt()).toBe(NEVER);
    network.runTo(SEC);
    network.act(0, { kind: "power-on" });
    network.runTo(2 * SEC);
    expect(network.node(0).status(network.now)).toMatchObject({ power: "on", powerSince: SEC, units: { corosync: "active" } });
  });
});

describe("going down", () => {
  test("an orderly shutdown stops corosync by its ExecStop, then the power goes", () => {
    const network = new TestNetwork(["pve1"]);
    network.runTo(SEC);
    const from = network.node(0).journalLength();
    network.act(0, { kind: "shutdown" });
    network.runTo(4 * SEC);
    const lines = network.lines(0, from);
    expect(lines.slice(0, 4)).toEqual([
      "systemd: System is powering down.",
      "systemd: Stopping corosync.service - Corosync Cluster Engine...",
      "notice  [CFG   ] Node 1 was shut down by sysadmin",
      "notice  [SERV  ] Unloading all Corosync service engines.",
    ]);
    expect(lines.slice(-3)).toEqual([
      "notice  [MAIN  ] Corosync Cluster Engine exiting normally",
      "systemd: corosync.service: Deactivated successfully.",
      "systemd: Stopped corosync.service - Corosync Cluster Engine.",
    ]);
    expect(network.node(0).status(network.now)).toMatchObject({ power: "off", units: { corosync: "inactive" } });
    expect(network.node(0).nextTimerAt()).toBe(NEVER);
  });

  test("a reboot comes back by itself, with its disk and its journal", () => {
    const network = new TestNetwork(["pve1"]);
    network.runTo(SEC);
    network.act(0, { kind: "file-write", path: "/root/kept", data: utf8("x"), append: false });
    network.act(0, { kind: "reboot" });
    network.runTo(5 * SEC);
    expect(network.node(0).status(network.now)).toMatchObject({ power: "on", units: { corosync: "active" }, corosync: { ringId: "1.a" } });
    expect(network.node(0).query(network.now, { kind: "file-read", path: "/root/kept" }).kind).toBe("file");
    expect(network.lines(0).filter((l) => l.startsWith("kernel: Linux version"))).toHaveLength(2);
  });

  test("is booting from the moment nothing runs any more, so that nobody takes it for a machine that is back", () => {
    const network = new TestNetwork(["pve1"], { boot: 5 * SEC });
    network.runTo(10 * SEC);
    network.act(0, { kind: "reboot" });
    const settled: string[] = [];
    for (let t = 10 * SEC; t < 22 * SEC; t += SEC / 10) {
      network.runTo(t);
      const { power, booting, units } = network.node(0).status(network.now);
      const unit = units["corosync"] ?? "";
      if (power === "on" && !booting && (unit === "inactive" || unit === "failed")) settled.push(`${t}: ${unit}`);
    }
    expect(settled).toEqual([]);
    expect(network.node(0).status(network.now).units).toEqual({ corosync: "active" });
  });

  test.each([
    ["while its units stop", "deactivating"],
    ["when nothing runs any more", "inactive"],
  ])("the power button, pressed %s, brings it back once it is off", (_, unit) => {
    const network = new TestNetwork(["pve1"]);
    network.runTo(SEC);
    network.act(0, { kind: "shutdown" });
    for (let t = SEC; t < 3 * SEC && network.node(0).status(network.now).units["corosync"] !== unit; t += SEC / 50) network.runTo(t);
    expect(network.node(0).status(network.now)).toMatchObject({ power: "on", units: { corosync: unit } });
    network.act(0, { kind: "power-on" });
    network.runTo(8 * SEC);
    expect(network.node(0).status(network.now)).toMatchObject({ power: "on", units: { corosync: "active" }, corosync: { ringId: "1.a" } });
  });

  test("a power cut says nothing and leaves nothing running", () => {
    const network = new TestNetwork(["pve1"]);
    network.runTo(SEC);
    const from = network.node(0).journalLength();
    network.act(0, { kind: "power-cut" });
    expect(network.node(0).status(network.now)).toMatchObject({ power: "off", units: { corosync: "inactive" }, corosync: null });
    network.runTo(60 * SEC);
    expect(network.lines(0, from)).toEqual([]);
  });
});

describe("units that fail", () => {
  test("SIGKILL: failed with result signal, and a start brings it back", () => {
    const network = new TestNetwork(["pve1"]);
    network.runTo(SEC);
    const from = network.node(0).journalLength();
    network.act(0, { kind: "service", op: "kill", unit: "corosync" });
    expect(network.lines(0, from)).toEqual([
      "systemd: corosync.service: Main process exited, code=killed, status=9/KILL",
      "systemd: corosync.service: Failed with result 'signal'.",
    ]);
    expect(network.node(0).status(network.now).units).toEqual({ corosync: "failed" });
    network.act(0, { kind: "service", op: "start", unit: "corosync" });
    network.runTo(2 * SEC);
    expect(network.node(0).status(network.now).units).toEqual({ corosync: "active" });
  });

  test("a missing key: exit 8, with the daemon's words", () => {
    const network = new TestNetwork(["pve1"], { files: [{ path: "/etc/corosync/corosync.conf", data: utf8(conf(["pve1"])) }] });
    network.runTo(SEC);
    expect(network.lines(0).slice(2)).toEqual([
      "notice  [MAIN  ] Corosync Cluster Engine 3.1.7 starting up",
      "info    [MAIN  ] Corosync built-in features: dbus monitoring watchdog augeas systemd xmlconf vqsim nozzle snmp pie relro bindnow",
      "error   [MAIN  ] Could not open /etc/corosync/authkey: No such file or directory",
      "error   [MAIN  ] Corosync Cluster Engine exiting with status 8 at main.c:1417.",
      "systemd: corosync.service: Main process exited, code=exited, status=8/n/a",
      "systemd: corosync.service: Failed with result 'exit-code'.",
      "systemd: Failed to start corosync.service - Corosync Cluster Engine.",
    ]);
    expect(network.node(0).status(network.now)).toMatchObject({ booting: false, units: { corosync: "failed" } });
  });

  test("a file that does not parse: the daemon's words go to standard error, which the unit throws away, and to syslog", () => {
    const network = new TestNetwork(["pve1"], { conf: "totem {\n" });
    network.runTo(SEC);
    expect(network.lines(0).slice(1)).toEqual([
      "systemd: Starting corosync.service - Corosync Cluster Engine...",
      "corosync: parser error: /etc/corosync/corosync.conf:1: Missing closing brace",
      "systemd: corosync.service: Main process exited, code=exited, status=8/n/a",
      "systemd: corosync.service: Failed with result 'exit-code'.",
      "systemd: Failed to start corosync.service - Corosync Cluster Engine.",
    ]);
  });

  test("an unknown quorum provider: found when the services are loaded, exit 20", () => {
    const text = conf(["pve1"]).replace("corosync_votequorum", "dice");
    const network = new TestNetwork(["pve1"], { conf: text });
    network.runTo(SEC);
    const lines = network.lines(0);
    expect(lines).toContain("info    [TOTEM ] totemknet initialized");
    expect(lines.slice(-7, -3)).toEqual([
      "notice  [QUORUM] Using quorum provider dice",
      "crit    [QUORUM] Quorum provider: dice failed to initialize.",
      "error   [SERV  ] Service engine 'corosync_quorum' failed to load for reason 'Invalid quorum provider'",
      "error   [MAIN  ] Corosync Cluster Engine exiting with status 20 at service.c:356.",
    ]);
  });

  test("what the lab does not model is refused by name, not run as if it were absent", () => {
    const text = conf(["pve1", "pve2"]).replace("link_mode: passive", "link_mode: passive\n  heartbeat_failures_allowed: 2");
    const network = new TestNetwork(["pve1"], { conf: text });
    network.runTo(SEC);
    expect(network.lines(0)).toContain("error   [MAIN  ] totem.heartbeat_failures_allowed: 2: not modelled in this lab");
    expect(network.node(0).status(network.now)).toMatchObject({ units: { corosync: "failed" }, corosync: null });
  });

  test("a daemon that stands still hears SIGTERM all the same, as systemd sends SIGCONT with it", () => {
    const network = new TestNetwork(["pve1"]);
    network.runTo(SEC);
    network.act(0, { kind: "service-stall", unit: "corosync" });
    network.act(0, { kind: "service", op: "restart", unit: "corosync" });
    network.runTo(5 * SEC);
    expect(systemd(network, 0).slice(-2)).toEqual([
      "systemd: Starting corosync.service - Corosync Cluster Engine...",
      "systemd: Started corosync.service - Corosync Cluster Engine.",
    ]);
  });
});

test("after a power cut what is told is the new daemon's, even where chance gives it the old one's pid", () => {
  const network = new TestNetwork(["pve1"], { seed: "250" });
  const daemonPid = (from: number): number | undefined =>
    network
      .node(0)
      .journalSince(from)
      .find((line) => line.pid !== 1)?.pid;
  const ring = (): string | undefined => network.node(0).status(network.now).corosync?.ringId;
  network.runTo(SEC);
  const first = { pid: daemonPid(0), ring: ring(), lines: network.node(0).journalLength() };
  network.act(0, { kind: "power-cut" });
  network.act(0, { kind: "power-on" });
  network.runTo(2 * SEC);
  expect(daemonPid(first.lines)).toBe(first.pid);
  expect(first.ring).toBe("1.5");
  expect(ring()).toBe("1.a");
});
