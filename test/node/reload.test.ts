/** corosync-cfgtool -R with files that the daemon takes in part, or not as one would think. The lines are those of 3.1.7. */
import { describe, expect, test } from "vitest";
import { Operator, confText } from "./operator.ts";

const DONE = "Reloading corosync.conf...\nDone\n";
const AGAIN = [
  "notice [CFG] Config reload requested by node 1",
  "info [TOTEM] Configuring link 0",
  "info [TOTEM] Configured link number 0: local addr: 10.10.0.1, port=5405",
];
const MTU = "info [KNET] pmtud: MTU manually set to: 0";

const every = (operator: Operator, text: string): void => [1, 2].forEach((node) => operator.write(node, text));

/** A file of this one's kind without a link. */
const without = (text: string, link: number): string =>
  text.replace(new RegExp(`    ring${link}_addr.*\\n`, "g"), "").replace(`  interface {\n    linknumber: ${link}\n  }\n`, "");

/** Node 1 gets this file and is told to read it. @returns what the tool said and what came into the journal */
async function reload(operator: Operator, text: string): Promise<{ said: string; logged: string[] }> {
  operator.write(1, text);
  const from = operator.journalLength(1);
  const said = await operator.say(1, "corosync-cfgtool -R");
  return { said, logged: operator.journal(1, from) };
}

/** Whether the daemon still says something of a new membership. */
async function speaks(operator: Operator): Promise<string[]> {
  const from = operator.journalLength(1);
  await operator.say(1, "corosync-cmapctl -s runtime.force_gather str yes");
  operator.wait(3);
  return operator.journal(1, from);
}

describe("another hash", () => {
  const withHash = (text: string, hash: string): string => text.replace("  secauth: on\n", `  secauth: on\n  crypto_hash: ${hash}\n`);

  test("on both: the MTU follows within the second", async () => {
    const operator = Operator.up(withHash(confText(2), "sha512"));
    operator.wait(5);
    const mtu = (): Promise<string> => operator.say(1, "corosync-cmapctl -m stats -g stats.knet.node2.link0.mtu");
    expect(await mtu()).toBe("stats.knet.node2.link0.mtu (u32) = 1365\n");
    const changed = withHash(confText(2), "sha1");
    operator.write(2, changed);
    const { logged } = await reload(operator, changed);
    expect(logged).toContain("info [TOTEM] kronosnet crypto reconfigured on index 2: nss/aes256/sha1");
    const from = operator.journalLength(1);
    operator.wait(1);
    expect(operator.journal(1, from)).toEqual([
      "info [KNET] pmtud: PMTUD link change for host: 2 link: 0 from 1365 to 1397",
      "info [KNET] pmtud: Global data MTU changed to: 1397",
    ]);
    expect(await mtu()).toBe("stats.knet.node2.link0.mtu (u32) = 1397\n");
  });

  test("on one: each names the size that the other's pings have on the wire", async () => {
    const operator = Operator.up(withHash(confText(2), "sha1"));
    await reload(operator, withHash(confText(2), "sha512"));
    operator.wait(3);
    const named = (node: number): string[] => [...new Set(operator.journal(node).filter((line) => line.includes("Unable to decrypt")))];
    expect(named(1)).toContain("error [KNET] rx: Unable to decrypt packet from 10.10.0.2:5405 (size 68)!");
    expect(named(2)).toContain("error [KNET] rx: Unable to decrypt packet from 10.10.0.1:5405 (size 112)!");
  });
});

describe("a wrong setting in the logging section", () => {
  test.each([
    ["timestamp", "timestamp: foo\n  to_syslog: no"],
    ["fileline", "fileline: foo\n  to_syslog: no"],
    ["to_syslog", "to_syslog: perhaps\n  debug: on"],
    ["syslog_facility", "syslog_facility: foo\n  debug: on"],
    ["logfile_priority", "logfile_priority: foo\n  debug: on"],
    ["debug", "debug: maybe"],
  ])("%s: the reload is well, without a word, and nothing behind it is taken over", async (_name, lines) => {
    const operator = Operator.up(confText(1));
    const { said, logged } = await reload(operator, operator.conf.replace("  debug: off\n  to_syslog: yes\n", `  ${lines}\n`));
    expect([said, logged]).toEqual([DONE, [...AGAIN, MTU]]);
    expect(await operator.say(1, "corosync-cmapctl -g config.reload_status")).toBe("config.reload_status (i32) = 1\n");
    const after = await speaks(operator);
    expect(after).toContain("error [MAIN] Forcing into GATHER state");
    expect(after.filter((line) => line.startsWith("debug"))).toEqual([]);
  });

  test("what stands before it is: no word comes to the journal any more, knet's of this reload neither", async () => {
    const operator = Operator.up(confText(1));
    const { said, logged } = await reload(
      operator,
      operator.conf.replace("  debug: off\n  to_syslog: yes\n", "  debug: foo\n  to_syslog: no\n"),
    );
    expect([said, logged]).toEqual([DONE, AGAIN]);
    expect(await speaks(operator)).toEqual([]);
  });

  test("debug stays on where it was on", async () => {
    const operator = Operator.up(confText(1).replace("debug: off", "debug: on"));
    await reload(operator, operator.conf.replace("debug: on", "debug: maybe"));
    expect((await speaks(operator)).some((line) => line.startsWith("debug"))).toBe(true);
  });

  test("set in the running daemon's map it is the same", async () => {
    const operator = Operator.up(confText(1));
    await operator.say(1, "corosync-cmapctl -s logging.debug str foo");
    await operator.say(1, "corosync-cmapctl -s logging.to_syslog str no");
    expect(await speaks(operator)).toEqual([]);
  });

  test("a subsystem without a name does not parse", async () => {
    const operator = Operator.up(confText(1));
    const { said, logged } = await reload(
      operator,
      operator.conf.replace("  debug: off\n", "  debug: off\n  logger_subsys {\n    debug: on\n  }\n"),
    );
    expect(said).toBe("Could not reload configuration. Error CS_ERR_INVALID_PARAM\nReloading corosync.conf...\nstatus 7\n");
    expect(logged).toEqual([
      AGAIN[0],
      "error [CFG] Unable to reload config file: parser error: /etc/corosync/corosync.conf:5: No subsys key in logger_subsys directive",
    ]);
    expect(await operator.say(1, "corosync-cmapctl -g config.totemconfig_reload_in_progress")).toBe(
      "config.totemconfig_reload_in_progress (u8) = 1\n",
    );
  });
});

test("debug lines begin after a reload that switches them on, and end after one that switches them off", async () => {
  const operator = Operator.up(confText(1));
  const on = await reload(operator, operator.conf.replace("debug: off", "debug: on"));
  expect(on.logged.slice(0, 4)).toEqual([...AGAIN, MTU]);
  operator.wait(1);
  const off = await reload(operator, operator.conf);
  expect(off.logged).toContain("debug [VOTEQ] Reading configuration (runtime: 1)");
  expect(off.logged[off.logged.length - 1]).toBe(MTU);
});

test("without a nodelist votequorum goes on with what it has, and says so before knet does", async () => {
  const operator = Operator.up(confText(2));
  const { said, logged } = await reload(operator, operator.conf.replace(/nodelist \{[^]*?\n\}\n/, ""));
  expect([said, logged]).toEqual([
    DONE,
    [
      AGAIN[0],
      "crit [VOTEQ] configuration error: nodelist or quorum.expected_votes must be configured!",
      "crit [VOTEQ] will continue with current runtime data",
      "info [KNET] link: Resetting MTU for link 0 because host 2 joined",
      MTU,
    ],
  ]);
});

describe("expected_votes_tracking", () => {
  const conf = confText(1, { quorum: "  expected_votes_tracking: 1\n" });

  test("makes its file", async () => {
    const operator = Operator.up(conf);
    expect(await operator.say(1, "systemctl is-active corosync")).toBe("active\n");
    expect(await operator.say(1, "ls /var/lib/corosync")).toBe("ev_tracking\nringid_1\n");
  });

  test("where the file cannot be made the daemon does not start", async () => {
    const operator = new Operator(conf);
    await operator.say(1, "mkdir -p /var/lib/corosync/ev_tracking");
    operator.service(1, "start");
    operator.wait(3);
    expect(operator.journal(1).slice(-9)).toEqual([
      "notice [SERV] Service engine loaded: corosync watchdog service [7]",
      "notice [QUORUM] Using quorum provider corosync_votequorum",
      "warning [VOTEQ] Unable to create /var/lib/corosync/ev_tracking file",
      "crit [QUORUM] Quorum provider: corosync_votequorum failed to initialize.",
      "error [SERV] Service engine 'corosync_quorum' failed to load for reason 'Unable to load ev_tracking file!'",
      "error [MAIN] Corosync Cluster Engine exiting with status 20 at service.c:356.",
      "systemd: corosync.service: Main process exited, code=exited, status=20/n/a",
      "systemd: corosync.service: Failed with result 'exit-code'.",
      "systemd: Failed to start corosync.service - Corosync Cluster Engine.",
    ]);
  });
});

describe("links", () => {
  const CONF = confText(2, { links: 2 });
  const KEYS = "corosync-cmapctl nodelist totem.interface. config. runtime.config.totem.interface. runtime.members.";

  /** Lines of the key map that are gone, and that are new. */
  async function changed(operator: Operator, act: () => Promise<void>): Promise<{ gone: string[]; added: string[] }> {
    const list = async (): Promise<string[]> => (await operator.type(1, KEYS)).stdout.trim().split("\n");
    const before = await list();
    await act();
    const after = await list();
    return { gone: before.filter((l) => !after.includes(l)), added: after.filter((l) => !before.includes(l)) };
  }

  test("one is removed, and comes back: the ring stays, and the keys that a start fills in do not come back", async () => {
    const operator = Operator.up(CONF);
    every(operator, without(CONF, 1));
    let from = operator.journalLength(1);
    const removed = await changed(operator, async () => {
      expect(await operator.say(1, "corosync-cfgtool -R")).toBe(DONE);
      operator.wait(1);
    });
    expect(operator.journal(1, from)).toEqual([
      ...AGAIN,
      "info [KNET] link: Resetting MTU for link 1 because host 2 joined",
      MTU,
      "info [KNET] host: host: 2 (passive) best link: 0 (pri: 1)",
      "info [KNET] pmtud: Global data MTU changed to: 1397",
    ]);
    const OVER = ["config.reload_in_progress (u8) = 0", "config.reload_status (i32) = 1", "config.totemconfig_reload_in_progress (u8) = 0"];
    expect(removed).toEqual({
      gone: [
        "nodelist.node.0.ring1_addr (str) = 10.10.1.1",
        "nodelist.node.1.ring1_addr (str) = 10.10.1.2",
        "totem.interface.0.bindnetaddr (str) = 10.10.0.1",
        "totem.interface.1.bindnetaddr (str) = 10.10.1.1",
      ],
      added: OVER,
    });
    expect(await operator.say(1, "corosync-cfgtool -a 2")).toBe("10.10.0.2\n");
    expect((await operator.type(1, "corosync-cmapctl -m stats stats.knet.node2")).stdout).not.toContain("link1");

    every(operator, CONF);
    from = operator.journalLength(1);
    const back = await changed(operator, async () => {
      await operator.say(1, "corosync-cfgtool -R");
      operator.wait(5);
    });
    expect(back).toEqual({
      gone: [],
      added: ["nodelist.node.0.ring1_addr (str) = 10.10.1.1", "nodelist.node.1.ring1_addr (str) = 10.10.1.2"],
    });
    expect(operator.journal(1, from).slice(0, 5)).toEqual([
      ...AGAIN,
      "info [TOTEM] Configuring link 1",
      "info [TOTEM] Configured link number 1: local addr: 10.10.1.1, port=5406",
    ]);
    expect(operator.journal(1, from).slice(-3)).toEqual([
      "info [KNET] host: host: 2 (passive) best link: 0 (pri: 1)",
      "info [KNET] pmtud: PMTUD link change for host: 2 link: 1 from 469 to 1397",
      "info [KNET] pmtud: Global data MTU changed to: 1397",
    ]);
    expect((await operator.type(1, "corosync-quorumtool")).stdout).toContain("Ring ID:          1.9\n");
  });

  test("link 0 may go where another stays", async () => {
    const operator = Operator.up(CONF);
    every(operator, without(CONF, 0));
    await operator.say(1, "corosync-cfgtool -R");
    operator.wait(1);
    expect(await operator.say(1, "corosync-cfgtool -s")).toBe(
      "Local node ID 1, transport knet\nLINK ID 1 udp\n\taddr\t= 10.10.1.1\n\tstatus:\n" +
        "\t\tnodeid:          1:\tlocalhost\n\t\tnodeid:          2:\tconnected\n",
    );
    expect((await operator.type(1, "corosync-quorumtool -l -i")).stdout).toContain("         2          1 10.10.1.2\n");
    expect((await operator.type(1, "corosync-quorumtool")).stdout).toContain("Ring ID:          1.9\n");
  });

  test("an address may not move: the file is refused on every node, which is told of its own only", async () => {
    const operator = Operator.up(CONF);
    every(operator, CONF.replace("10.10.0.1\n", "10.10.0.51\n"));
    const from = [operator.journalLength(1), operator.journalLength(2)];
    const { gone, added } = await changed(operator, async () => {
      expect(await operator.say(1, "corosync-cfgtool -R")).toBe(
        "Could not reload configuration. Error CS_ERR_INVALID_PARAM\nReloading corosync.conf...\nstatus 7\n",
      );
    });
    operator.wait(1);
    for (const node of [1, 2]) {
      expect(operator.journal(node, from[node - 1])).toEqual([
        AGAIN[0],
        "error [TOTEM] new config has different address for link 0 (addr changed from 10.10.0.1 to 10.10.0.51). Internal value was NOT changed.",
        "error [CFG] Cannot configure new interface definitions: To reconfigure an interface it must be deleted and recreated. A working interface needs to be available to corosync at all times",
        MTU,
      ]);
    }
    expect(gone).toContain("nodelist.local_node_pos (u32) = 0");
    expect(added).toContain("config.reload_status (i32) = 7");
    expect((await operator.type(1, "corosync-quorumtool -l -i")).stdout).toContain("         1          1 10.10.0.1 (local)\n");
    // Set right again it is taken.
    every(operator, CONF);
    expect(await operator.say(1, "corosync-cfgtool -R")).toBe(DONE);
  });
});

describe("the key", () => {
  const key = (operator: Operator, node: number, byte: number, bytes = 256): void =>
    operator.act(node, { kind: "file-write", path: "/etc/corosync/authkey", data: new Uint8Array(bytes).fill(byte), append: false });

  test("a new one on every node is taken over without a break", async () => {
    const operator = Operator.up(confText(2));
    for (const node of [1, 2]) key(operator, node, 8);
    const from = [operator.journalLength(1), operator.journalLength(2)];
    expect(await operator.say(1, "corosync-cfgtool -R")).toBe(DONE);
    operator.wait(3);
    for (const node of [1, 2]) {
      expect(operator.journal(node, from[node - 1]).slice(3)).toEqual([
        "info [TOTEM] kronosnet crypto reconfigured on index 2: nss/aes256/sha256",
        MTU,
        "info [KNET] pmtud: Global data MTU changed to: 1397",
      ]);
    }
    expect((await operator.type(1, "corosync-quorumtool")).stdout).toContain("Ring ID:          1.9\n");
  });

  test("on one node only it parts them, and with the right one they are together again", async () => {
    const operator = Operator.up(confText(2));
    key(operator, 1, 8);
    await operator.say(1, "corosync-cfgtool -R");
    operator.wait(5);
    expect(operator.journal(2)).toContain("error [KNET] nsscrypto: Digest does not match. Check crypto key and configuration.");
    expect((await operator.type(1, "corosync-quorumtool")).stdout).toContain("Quorate:          No\n");
    key(operator, 1, 7);
    expect(await operator.say(1, "corosync-cfgtool -R")).toBe(DONE);
    operator.wait(5);
    expect((await operator.type(1, "corosync-quorumtool")).stdout).toContain("Quorate:          Yes\n");
  });

  test.each([
    ["short", 64, "Could only read 512 bits of minimum 1024 bits from /etc/corosync/authkey."],
    ["missing", 0, "Could not open /etc/corosync/authkey: No such file or directory"],
  ])("a %s one is refused", async (_name, bytes, reason) => {
    const operator = Operator.up(confText(1));
    if (bytes > 0) key(operator, 1, 8, bytes);
    else await operator.say(1, "rm /etc/corosync/authkey");
    const { said, logged } = await reload(operator, operator.conf);
    expect(said).toBe("Could not reload configuration. Error CS_ERR_INVALID_PARAM\nReloading corosync.conf...\nstatus 7\n");
    expect(logged).toEqual([AGAIN[0], `error [CFG] Crypto configuration is not valid: ${reason}`, MTU]);
  });
});

test("systemd has no way to reload it: the unit file names none", async () => {
  expect(await Operator.up(confText(1)).say(1, "systemctl reload corosync")).toBe(
    "Failed to reload corosync.service: Job type reload is not applicable for unit corosync.service.\nstatus 3\n",
  );
});

test("at any moment of a reload that changes links, votes and key, a copy goes on to the same end", async () => {
  const begin = (): Operator => {
    const operator = Operator.up(confText(3, { links: 2 }));
    for (const node of [1, 2, 3]) {
      operator.write(node, without(operator.conf, 1).replace("quorum_votes: 1", "quorum_votes: 2"));
      operator.act(node, { kind: "file-write", path: "/etc/corosync/authkey", data: new Uint8Array(256).fill(9), append: false });
    }
    operator.act(1, { kind: "command", id: "r", argv: ["corosync-cfgtool", "-R"], cwd: "/", stdin: "" });
    return operator;
  };
  const whole = begin();
  const start = whole.world.now;
  const end = start + 2_500_000;
  whole.world.runUntil(end);
  expect(whole.journal(2)).toContain("info [TOTEM] kronosnet crypto reconfigured on index 2: nss/aes256/sha256");
  const watched = begin();
  // The message goes round within a millisecond, the change of key within a few more.
  for (const micros of [0, 150, 300, 500, 800, 1200, 2000, 3000, 5000, 60_000, 150_000]) {
    watched.world.runUntil(start + micros);
    const copy = new Operator(watched.conf);
    copy.world.restore(structuredClone(watched.world.snapshot()));
    expect(copy.world.digest()).toBe(watched.world.digest());
    copy.world.runUntil(end);
    expect(copy.world.digest()).toBe(whole.world.digest());
    expect(copy.journal(2)).toEqual(whole.journal(2));
  }
});
