/** corosync-cfgtool -R with files that the daemon takes in part, or not as one would think. The lines are those of 3.1.7. */
import { describe, expect, test } from "vitest";
import { Hands, confText } from "./hands.ts";

const DONE = "Reloading corosync.conf...\nDone\n";
const AGAIN = [
  "notice [CFG] Config reload requested by node 1",
  "info [TOTEM] Configuring link 0",
  "info [TOTEM] Configured link number 0: local addr: 10.10.0.1, port=5405",
];
const MTU = "info [KNET] pmtud: MTU manually set to: 0";

/** Node 1 gets this file and is told to read it. @returns what the tool said and what came into the journal */
async function reload(hands: Hands, text: string): Promise<{ said: string; logged: string[] }> {
  hands.write(1, text);
  const from = hands.journalLength(1);
  const said = await hands.say(1, "corosync-cfgtool -R");
  return { said, logged: hands.journal(1, from) };
}

/** Whether the daemon still says something of a new membership. */
async function speaks(hands: Hands): Promise<string[]> {
  const from = hands.journalLength(1);
  await hands.say(1, "corosync-cmapctl -s runtime.force_gather str yes");
  hands.wait(3);
  return hands.journal(1, from);
}

describe("a wrong setting in the logging section", () => {
  test.each([
    ["timestamp", "timestamp: foo\n  to_syslog: no"],
    ["fileline", "fileline: foo\n  to_syslog: no"],
    ["to_syslog", "to_syslog: perhaps\n  debug: on"],
    ["syslog_facility", "syslog_facility: foo\n  debug: on"],
    ["logfile_priority", "logfile_priority: foo\n  debug: on"],
    ["debug", "debug: maybe"],
  ])("%s: the reload is well, without a word, and nothing behind it is taken over", async (_name, lines) => {
    const hands = Hands.up(confText(1));
    const { said, logged } = await reload(hands, hands.conf.replace("  debug: off\n  to_syslog: yes\n", `  ${lines}\n`));
    expect([said, logged]).toEqual([DONE, [...AGAIN, MTU]]);
    expect(await hands.say(1, "corosync-cmapctl -g config.reload_status")).toBe("config.reload_status (i32) = 1\n");
    const after = await speaks(hands);
    expect(after).toContain("error [MAIN] Forcing into GATHER state");
    expect(after.filter((line) => line.startsWith("debug"))).toEqual([]);
  });

  test("what stands before it is: no word comes to the journal any more, knet's of this reload neither", async () => {
    const hands = Hands.up(confText(1));
    const { said, logged } = await reload(hands, hands.conf.replace("  debug: off\n  to_syslog: yes\n", "  debug: foo\n  to_syslog: no\n"));
    expect([said, logged]).toEqual([DONE, AGAIN]);
    expect(await speaks(hands)).toEqual([]);
  });

  test("debug stays on where it was on", async () => {
    const hands = Hands.up(confText(1).replace("debug: off", "debug: on"));
    await reload(hands, hands.conf.replace("debug: on", "debug: maybe"));
    expect((await speaks(hands)).some((line) => line.startsWith("debug"))).toBe(true);
  });

  test("set in the running daemon's map it is the same", async () => {
    const hands = Hands.up(confText(1));
    await hands.say(1, "corosync-cmapctl -s logging.debug str foo");
    await hands.say(1, "corosync-cmapctl -s logging.to_syslog str no");
    expect(await speaks(hands)).toEqual([]);
  });

  test("a subsystem without a name does not parse", async () => {
    const hands = Hands.up(confText(1));
    const { said, logged } = await reload(
      hands,
      hands.conf.replace("  debug: off\n", "  debug: off\n  logger_subsys {\n    debug: on\n  }\n"),
    );
    expect(said).toBe("Could not reload configuration. Error CS_ERR_INVALID_PARAM\nReloading corosync.conf...\nstatus 7\n");
    expect(logged).toEqual([
      AGAIN[0],
      "error [CFG] Unable to reload config file: parser error: /etc/corosync/corosync.conf:5: No subsys key in logger_subsys directive",
    ]);
    expect(await hands.say(1, "corosync-cmapctl -g config.totemconfig_reload_in_progress")).toBe(
      "config.totemconfig_reload_in_progress (u8) = 1\n",
    );
  });
});

test("debug lines begin after a reload that switches them on, and end after one that switches them off", async () => {
  const hands = Hands.up(confText(1));
  const on = await reload(hands, hands.conf.replace("debug: off", "debug: on"));
  expect(on.logged.slice(0, 4)).toEqual([...AGAIN, MTU]);
  hands.wait(1);
  const off = await reload(hands, hands.conf);
  expect(off.logged).toContain("debug [VOTEQ] Reading configuration (runtime: 1)");
  expect(off.logged[off.logged.length - 1]).toBe(MTU);
});

test("without a nodelist votequorum goes on with what it has, and says so before knet does", async () => {
  const hands = Hands.up(confText(2));
  const { said, logged } = await reload(hands, hands.conf.replace(/nodelist \{[^]*?\n\}\n/, ""));
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
    const hands = Hands.up(conf);
    expect(await hands.say(1, "systemctl is-active corosync")).toBe("active\n");
    expect(await hands.say(1, "ls /var/lib/corosync")).toBe("ev_tracking\nringid_1\n");
  });

  test("where the file cannot be made the daemon does not start", async () => {
    const hands = new Hands(conf);
    await hands.say(1, "mkdir -p /var/lib/corosync/ev_tracking");
    hands.service(1, "start");
    hands.wait(3);
    expect(hands.journal(1).slice(-9)).toEqual([
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
