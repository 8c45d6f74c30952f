/** systemctl and journalctl: what systemd 252 prints on a machine with these units and lines. */
import { describe, expect, it } from "vitest";
import type { Result } from "../../src/engine/command/index.ts";
import { defaultIdentifier, MINUTE, SEC, type JournalLine, type LogLevel, type ProcessExit } from "../../src/engine/kernel/index.ts";
import { newService, type ServiceRecord, type UnitRecord } from "../../src/engine/machine/systemd/index.ts";
import { ask as question, handmade, type Handmade } from "./fake-host.ts";

/** Started at 1 s, up at 2 s. */
const RUNS: Partial<UnitRecord> = { active: "active", sub: "running", since: 2 * SEC, inactiveExit: SEC, activeEnter: 2 * SEC };
const PROCESS = { pid: 812, name: "corosync", command: "/usr/sbin/corosync -f" };

function service(change: Partial<ServiceRecord>, exit?: ProcessExit): { service: ServiceRecord } {
  const execs = [{ kind: "ExecStart" as const, index: 0, pid: 812, startedAt: SEC, endedAt: exit && 12 * SEC, exit }];
  return { service: { ...newService(), execs, ...change } };
}

/** It was up from 2 s to 12 s. */
function failed(result: ServiceRecord["result"], exit: ProcessExit): Partial<UnitRecord> {
  const ended = { active: "failed", sub: "failed", since: 12 * SEC, activeExit: 12 * SEC, inactiveEnter: 12 * SEC } as const;
  return { ...RUNS, ...ended, ...service({ result, mainExit: exit }, exit) };
}

function line(instant: number, unit: string, pid: number, text: string, subsystem = "", level: LogLevel = "info", boot = 0): JournalLine {
  return { instant, unit, identifier: defaultIdentifier(unit, pid), pid, boot, level, subsystem, text };
}

function machine(record: Partial<UnitRecord> = { ...RUNS, ...service({ mainPid: 812 }) }): Handmade {
  const made = handmade("down");
  made.now = 6 * MINUTE + 2 * SEC;
  made.unit = { record, processes: record.active === "active" ? [PROCESS] : [] };
  made.journal = [
    line(0, "kernel", 0, "Linux version 6.8.12-13-pve", "", "notice"),
    line(SEC, "corosync", 1, "Starting corosync.service - Corosync Cluster Engine..."),
    line(SEC + 10_500, "corosync", 812, "Corosync Cluster Engine 3.1.7 starting up", "MAIN", "notice"),
    line(2 * SEC, "corosync", 812, "Members[1]: 1", "QUORUM", "notice"),
    line(2 * SEC, "corosync", 1, "Started corosync.service - Corosync Cluster Engine."),
    line(3 * SEC, "corosync", 812, "host: host: 2 has no active links", "KNET", "warning"),
  ];
  return made;
}

function ask(made: Handmade, text: string): Result {
  const args = [...text.matchAll(/"([^"]*)"|(\S+)/g)].map((m) => m[1] ?? m[2] ?? "");
  const answer = question(made, args);
  if (answer === undefined || answer === "acts") throw new Error(`${text}: ${String(answer)}`);
  return answer;
}

describe("journalctl", () => {
  it("-u corosync has systemd's lines and the daemon's, the subsystem in its bracket", () => {
    expect(ask(machine(), "journalctl -u corosync --no-pager").stdout).toBe(
      "Nov 20 09:35:29 node1 systemd[1]: Starting corosync.service - Corosync Cluster Engine...\n" +
        "Nov 20 09:35:29 node1 corosync[812]:   [MAIN  ] Corosync Cluster Engine 3.1.7 starting up\n" +
        "Nov 20 09:35:30 node1 corosync[812]:   [QUORUM] Members[1]: 1\n" +
        "Nov 20 09:35:30 node1 systemd[1]: Started corosync.service - Corosync Cluster Engine.\n" +
        "Nov 20 09:35:31 node1 corosync[812]:   [KNET  ] host: host: 2 has no active links\n",
    );
  });

  it.each([
    ["-n 1", "Nov 20 09:35:31 node1 corosync[812]:   [KNET  ] host: host: 2 has no active links\n"],
    ["-n1 -r -o short-precise", "Nov 20 09:35:31.000000 node1 corosync[812]:   [KNET  ] host: host: 2 has no active links\n"],
    ["-k", "Nov 20 09:35:28 node1 kernel: Linux version 6.8.12-13-pve\n"],
    ["-p warning -o cat", "  [KNET  ] host: host: 2 has no active links\n"],
    ['--since "2026-11-20 09:35:31"', "Nov 20 09:35:31 node1 corosync[812]:   [KNET  ] host: host: 2 has no active links\n"],
    ['-u corosync --since "2026-11-20 09:35:29" --until 09:35:29 -o cat', "Starting corosync.service - Corosync Cluster Engine...\n"],
    ["-u pveproxy", "-- No entries --\n"],
    ['--since "1 min ago"', "-- No entries --\n"],
  ])("%s", (options, stdout) => expect(ask(machine(), `journalctl ${options}`)).toEqual({ stdout, stderr: "", status: 0 }));

  it.each([
    ["-t corosync -n 1 -o short-unix", "1795167331.000000 node1 corosync[812]:   [KNET  ] host: host: 2 has no active links\n"],
    ["-t corosync -n 1 -o short-monotonic --no-hostname", "[    3.000000] corosync[812]:   [KNET  ] host: host: 2 has no active links\n"],
    ["-g MEMBERS -o cat", "-- No entries --\n"],
    ["-g members -o cat", "  [QUORUM] Members[1]: 1\n"],
    ["_PID=1 -n 1 -o cat", "Started corosync.service - Corosync Cluster Engine.\n"],
    ["_SYSTEMD_UNIT=corosync.service -n 1 -o cat", "  [KNET  ] host: host: 2 has no active links\n"],
    [
      "_SYSTEMD_UNIT=corosync.service + _PID=1 -o cat -n 2",
      "Started corosync.service - Corosync Cluster Engine.\n  [KNET  ] host: host: 2 has no active links\n",
    ],
    ["_SYSTEMD_UNIT=corosync.service _PID=1", "-- No entries --\n"],
    ["-p notice..notice -o cat -t kernel", "Linux version 6.8.12-13-pve\n"],
    ["--disk-usage", "Archived and active journals take up 8.0M in the file system.\n"],
  ])("selects: %s", (options, stdout) => expect(ask(machine(), `journalctl ${options}`).stdout).toBe(stdout));

  it("json has the fields of an entry as strings", () => {
    const text = ask(machine(), "journalctl -u corosync -n 1 -o json").stdout;
    expect(JSON.parse(text)).toMatchObject({
      __REALTIME_TIMESTAMP: "1795167331000000",
      __MONOTONIC_TIMESTAMP: "3000000",
      PRIORITY: "4",
      SYSLOG_IDENTIFIER: "corosync",
      _PID: "812",
      _SYSTEMD_UNIT: "corosync.service",
      MESSAGE: "  [KNET  ] host: host: 2 has no active links",
    });
    expect(JSON.parse(ask(machine(), "journalctl -u corosync -n 1 -o json-pretty").stdout)).toEqual(JSON.parse(text));
    const verbose = ask(machine(), "journalctl _PID=1 -n 1 -o verbose").stdout.split("\n");
    expect(verbose[0]).toMatch(/^Fri 2026-11-20 09:35:30\.000000 UTC \[s=[0-9a-f]{32};i=/);
    expect(verbose).toContain("    UNIT=corosync.service");
  });

  it("tells boots apart", () => {
    const made = machine();
    made.journal.push(
      line(5 * MINUTE, "kernel", 0, "Linux version 6.8.12-13-pve", "", "notice", 1),
      line(5 * MINUTE, "corosync", 1, "second boot", "", "info", 1),
    );
    const lines = ask(made, "journalctl -u corosync -o short").stdout.split("\n");
    expect(lines[5]).toMatch(/^-- Boot [0-9a-f]{32} --$/);
    expect(ask(made, "journalctl -b -u corosync -o cat").stdout).toBe("second boot\n");
    const boots = ask(made, "journalctl --list-boots").stdout.split("\n");
    expect(boots[0]).toBe("IDX BOOT ID                          FIRST ENTRY                 LAST ENTRY");
    expect(boots.slice(1, 3).map((l) => l.replace(/[0-9a-f]{32}/, "ID"))).toEqual([
      " -1 ID Fri 2026-11-20 09:35:28 UTC Fri 2026-11-20 09:35:31 UTC",
      "  0 ID Fri 2026-11-20 09:40:28 UTC Fri 2026-11-20 09:40:28 UTC",
    ]);
    const id = /[0-9a-f]{32}/.exec(boots[2] ?? "")?.[0] ?? "";
    expect(ask(made, `journalctl -b ${id} -u corosync -o cat`).stdout).toBe("second boot\n");
    expect(ask(made, "journalctl -b -1 -u corosync -n 1 -o cat").stdout).toBe("  [KNET  ] host: host: 2 has no active links\n");
  });

  it("-g looks for a pattern in time, however it is made", () => {
    const made = machine();
    const lines = ask(made, "journalctl -o cat")
      .stdout.split("\n")
      .filter((line) => line !== "");
    const fitting = lines.filter((line) => /\bst\w+ed\b/i.test(line));
    expect(fitting.length).toBeGreaterThan(0);
    expect(ask(made, "journalctl -o cat -g \\bst\\w+ed\\b").stdout).toBe(`${fitting.join("\n")}\n`);
    const began = performance.now();
    expect(ask(made, "journalctl -g (.|.|..)*(a+)+\\d{3}x$").stdout).toBe("-- No entries --\n");
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it.each([
    ["--since gestern", "Failed to parse timestamp: gestern\n"],
    ["-p loud", "Unknown log level loud\n"],
    [
      "-o export",
      "journalctl -o export (available: short, short-precise, short-iso, short-iso-precise, short-full, short-unix, short-monotonic, verbose, json, json-pretty, cat): not modelled in this lab\n",
    ],
    ["-g (?=a)b", "journalctl -g (?=a)b: not modelled in this lab\n"],
    ["-g (a)\\1", "journalctl -g (a)\\1: not modelled in this lab\n"],
    ["-g (a", 'Bad pattern "(a": missing closing parenthesis\n'],
    ["--vacuum-time soon", "Failed to parse vacuum time: soon\n"],
    ["-o nosuch", "Unknown output format 'nosuch'.\n"],
    ["-n x", "Failed to add match 'x': Invalid argument\n"],
    ["--frobnicate", "journalctl: unrecognized option '--frobnicate'\n"],
  ])("%s is refused", (options, stderr) => expect(ask(machine(), `journalctl ${options}`)).toEqual({ stdout: "", stderr, status: 1 }));
});

describe("systemctl", () => {
  it("status of a running unit", () => {
    expect(ask(machine(), "systemctl status corosync -n 1")).toEqual({
      stdout:
        "● corosync.service - Corosync Cluster Engine\n" +
        "     Loaded: loaded (/lib/systemd/system/corosync.service; enabled; preset: enabled)\n" +
        "     Active: active (running) since Fri 2026-11-20 09:35:30 UTC; 6min ago\n" +
        "       Docs: man:corosync\n             man:corosync.conf\n             man:corosync_overview\n" +
        "   Main PID: 812 (corosync)\n" +
        "     CGroup: /system.slice/corosync.service\n             └─812 /usr/sbin/corosync -f\n" +
        "\nNov 20 09:35:31 node1 corosync[812]:   [KNET  ] host: host: 2 has no active links\n",
      stderr: "",
      status: 0,
    });
  });

  it("status of one that failed exits 3 and names the process that ended", () => {
    const { stdout, status } = ask(machine(failed("exit-code", { code: 8 })), "systemctl status corosync -n 0");
    expect(status).toBe(3);
    expect(stdout.split("\n").slice(0, 4)).toEqual([
      "× corosync.service - Corosync Cluster Engine",
      "     Loaded: loaded (/lib/systemd/system/corosync.service; enabled; preset: enabled)",
      "     Active: failed (Result: exit-code) since Fri 2026-11-20 09:35:40 UTC; 5min ago",
      "   Duration: 10s",
    ]);
    expect(stdout).toContain(
      "    Process: 812 ExecStart=/usr/sbin/corosync -f $COROSYNC_OPTIONS (code=exited, status=8)\n   Main PID: 812 (code=exited, status=8)\n",
    );
    const killed = machine(failed("signal", { signal: "SIGKILL" }));
    expect(ask(killed, "systemctl status corosync -n 0").stdout).toContain("   Main PID: 812 (code=killed, signal=KILL)\n");
  });

  it("status of one whose condition did not hold", () => {
    const unmet = { kind: "PathExists", value: "/etc/corosync/corosync.conf", negated: false, trigger: false } as const;
    const skipped = machine({ conditionAt: 2 * SEC, unmet });
    expect(ask(skipped, "systemctl status corosync -n 0").stdout).toContain(
      "     Active: inactive (dead)\n  Condition: start condition failed at Fri 2026-11-20 09:35:30 UTC; 6min ago\n             └─ ConditionPathExists=/etc/corosync/corosync.conf was not met\n",
    );
  });

  it.each([
    ["is-active corosync", "active\n", "", 0],
    ["is-active nothing", "inactive\n", "", 3],
    ["is-failed corosync", "active\n", "", 1],
    ["is-enabled corosync.service", "enabled\n", "", 0],
    ["is-enabled nothing", "", "Failed to get unit file state for nothing.service: No such file or directory\n", 1],
    ["status nothing", "", "Unit nothing.service could not be found.\n", 4],
    ["frobnicate corosync", "", "Unknown command verb frobnicate.\n", 1],
    ["start", "", "Too few arguments.\n", 1],
    ["show -p ActiveState,SubState corosync", "ActiveState=active\nSubState=running\n", "", 0],
  ])("%s", (args, stdout, stderr, status) => expect(ask(machine(), `systemctl ${args}`)).toEqual({ stdout, stderr, status }));
});
