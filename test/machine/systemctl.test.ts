/** systemctl over the service manager: layouts, exit codes, and what it asks for. */
import { describe, expect, it } from "vitest";
import { HOUR, MS, SEC } from "../../src/engine/kernel/index.ts";
import type { Result } from "../../src/engine/command/result.ts";
import { runSystemctl } from "./systemctl-run.ts";
import { DAEMON, FAILS, TestMachine, WORKER } from "./systemd-machine.ts";

function machine(): TestMachine {
  const m = new TestMachine(["systemd", "corosync"]);
  m.write("/etc/corosync/corosync.conf", "totem {}\n");
  m.behaviours.set("corosync", DAEMON);
  m.behaviours.set("corosync-cfgtool", { ends: { after: MS, exit: { code: 0 } } });
  m.behaviours.set("w", WORKER);
  m.behaviours.set("bad", FAILS);
  m.unit("a.service", "[Unit]\nDescription=A\n[Service]\nType=forking\nExecStartPre=/bin/w\nExecStart=/bin/w\nExecReload=/bin/bad\n");
  m.unit("job.service", "[Service]\nType=oneshot\nExecStart=/bin/w\n");
  m.unit("job.timer", "[Timer]\nOnCalendar=daily\n");
  m.boot();
  m.run(SEC);
  return m;
}

const type = (m: TestMachine, text: string): Result => runSystemctl(m, ["systemctl", ...text.split(" ")]);

describe("a service that lost its file while it ran", () => {
  it.each([
    ["masked", (m: TestMachine) => type(m, "mask --now corosync.service")],
    [
      "gone",
      (m: TestMachine) => {
        m.remove("/usr/lib/systemd/system/corosync.service");
        type(m, "daemon-reload");
        return type(m, "stop corosync.service");
      },
    ],
  ])("and is %s has its processes ended by a stop", (_, stop) => {
    const m = machine();
    expect(m.processes.map((p) => p.name)).toEqual(["corosync"]);
    expect(stop(m).status).toBe(0);
    m.run(SEC);
    expect(m.processes).toEqual([]);
    expect(type(m, "is-active corosync").stdout).toBe("inactive\n");
  });
});

describe("systemctl", () => {
  it.each([
    ["start corosync", 0, ""],
    ["start none", 5, "Failed to start none.service: Unit none.service not found.\n"],
    ["stop none", 5, "Failed to stop none.service: Unit none.service not loaded.\n"],
    ["reload corosync", 3, "Failed to reload corosync.service: Job type reload is not applicable for unit corosync.service.\n"],
    [
      "start shutdown.target",
      4,
      "Failed to start shutdown.target: Operation refused, unit shutdown.target may be requested by dependency only (it is configured to refuse manual start/stop).\n",
    ],
    ["start t@.service", 1, "Failed to start t@.service: Unit name t@.service is missing the instance name.\n"],
    ["is-active corosync none", 0, ""],
    ["is-active none", 3, ""],
    ["is-failed corosync", 1, ""],
    ["is-enabled none", 1, "Failed to get unit file state for none.service: No such file or directory\n"],
    ["status none", 4, "Unit none.service could not be found.\n"],
    ["status job", 3, ""],
    ["cat none", 1, "No files found for none.service.\n"],
    ["kill none", 1, "Failed to kill unit none.service: Unit none.service not loaded.\n"],
    ["kill -s NOSUCH corosync", 1, 'Failed to parse signal string "NOSUCH".\n'],
    ["reset-failed none", 1, "Failed to reset failed state of unit none.service: Unit none.service not loaded.\n"],
    ["enable none", 1, "Failed to enable unit: Unit file none.service does not exist.\n"],
    ["start", 1, "Too few arguments.\n"],
    ["frobnicate", 1, "Unknown command verb frobnicate.\n"],
    ["is-system-running", 0, ""],
  ])("%s exits %i", (items, status, stderr) => {
    const done = type(machine(), items);
    expect({ status: done.status, stderr: done.stderr }).toEqual({ status, stderr });
  });

  it("status tells of control processes, drop-ins, timers and what they start", () => {
    const m = machine();
    m.write("/etc/systemd/system/job.service.d/a.conf", "[Service]\nNice=5\n");
    m.write("/etc/systemd/system/job.service.d/b.conf", "[Service]\nNice=6\n");
    type(m, "start job.timer");
    type(m, "start job");
    expect(type(m, "status job.timer -n 0").stdout).toBe(
      "● job.timer\n" +
        "     Loaded: loaded (/etc/systemd/system/job.timer; static)\n" +
        "     Active: active (waiting) since Fri 2026-11-20 09:35:29 UTC; 20ms ago\n" +
        "    Trigger: Sat 2026-11-21 00:00:00 UTC; 14h left\n" +
        "   Triggers: ○ job.service\n",
    );
    expect(type(m, "status job -n 1").stdout).toBe(
      "○ job.service\n" +
        "     Loaded: loaded (/etc/systemd/system/job.service; static)\n" +
        "    Drop-In: /etc/systemd/system/job.service.d\n" +
        "             ├─a.conf\n" +
        "             └─b.conf\n" +
        "     Active: inactive (dead) since Fri 2026-11-20 09:35:29 UTC; now\n" +
        "TriggeredBy: ● job.timer\n" +
        "    Process: 701 ExecStart=/bin/w (code=exited, status=0/SUCCESS)\n" +
        "   Main PID: 701 (code=exited, status=0/SUCCESS)\n" +
        "\nNov 20 09:35:29 pve1 systemd[1]: Finished job.service.\n",
    );
    m.run(HOUR);
    expect(type(m, "list-timers").stdout).toBe(
      "NEXT                        LEFT     LAST PASSED UNIT      ACTIVATES\n" +
        "Sat 2026-11-21 00:00:00 UTC 13h left -    -      job.timer job.service\n" +
        "\n1 timers listed.\nPass --all to see loaded but inactive timers, too.\n",
    );
  });

  it("list-units filters by state and type; plain and without legend for scripts", () => {
    const m = machine();
    m.behaviours.set("w", FAILS);
    type(m, "start job");
    expect(type(m, "list-units --failed --no-legend").stdout).toBe("● job.service loaded failed failed job.service\n");
    expect(type(m, "list-units --plain --no-legend --type=service").stdout).toBe(
      "corosync.service loaded active running Corosync Cluster Engine\njob.service      loaded failed failed  job.service\n",
    );
    expect(type(m, "is-system-running")).toEqual({ stdout: "degraded\n", stderr: "", status: 1 });
    type(m, "reset-failed");
    expect(type(m, "list-units --failed").stdout.split("\n").slice(0, 2)).toEqual([
      "  UNIT LOAD ACTIVE SUB DESCRIPTION",
      "0 loaded units listed.",
    ]);
  });

  it("a job that fails is told with the unit's result; --no-block does not wait for it", () => {
    const m = machine();
    m.behaviours.set("w", FAILS);
    expect(type(m, "start --no-block job")).toEqual({ stdout: "", stderr: "", status: 0 });
    expect(type(m, "list-jobs").stdout).toContain("job.service start running");
    expect(type(m, "start job")).toEqual({
      stdout: "",
      stderr:
        'Job for job.service failed because the control process exited with error code.\nSee "systemctl status job.service" and "journalctl -xeu job.service" for details.\n',
      status: 1,
    });
  });

  it("try-restart leaves alone what does not run; show has names and values", () => {
    const m = machine();
    expect(type(m, "try-restart job").status).toBe(0);
    expect(m.manager.active("job.service")).toBe("inactive");
    const pid = m.pidOf("corosync");
    type(m, "try-restart corosync");
    expect(m.pidOf("corosync")).not.toBe(pid);
    expect(type(m, "show -p ActiveState,SubState corosync").stdout).toBe("ActiveState=active\nSubState=running\n");
    expect(type(m, "show --value -p MainPID corosync").stdout).toBe(`${m.pidOf("corosync")}\n`);
    expect(type(m, "show -p LoadState none").stdout).toBe("LoadState=not-found\n");
    expect(type(m, "list-dependencies --reverse corosync").stdout).toBe("corosync.service\n● └─multi-user.target\n");
  });
});
