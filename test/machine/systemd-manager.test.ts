/** What the service manager does with its units: jobs in order, each service type, ends, time-outs, restarts, timers, boot and shutdown. */
import { describe, expect, it } from "vitest";
import { HOUR, MINUTE, MS, SEC } from "../../src/engine/kernel/index.ts";
import type { JobMode, Verb } from "../../src/engine/machine/systemd/index.ts";
import { DAEMON, FAILS, TestMachine, WORKER, type Behaviour } from "./systemd-machine.ts";

/** A booted machine with these units in /etc and programs in /bin. */
function machine(units: Readonly<Record<string, string>>, programs: Readonly<Record<string, Behaviour>> = {}): TestMachine {
  const m = new TestMachine();
  for (const [name, text] of Object.entries(units)) m.unit(name, text);
  for (const [name, behaviour] of Object.entries(programs)) m.behaviours.set(name, behaviour);
  m.boot();
  m.said();
  return m;
}

/** Asks, and gives the job's id. */
function ask(m: TestMachine, verb: Verb, name: string, mode: JobMode = "replace"): number {
  const requested = m.manager.request(name, verb, mode);
  if ("error" in requested) throw new Error(requested.error);
  return requested.job;
}

const refusal = (m: TestMachine, verb: Verb, name: string, mode: JobMode = "replace"): string => {
  const requested = m.manager.request(name, verb, mode);
  return "error" in requested ? requested.error : `job ${requested.job}`;
};

const service = (lines: string, unit = ""): string => `[Unit]\n${unit}\n[Service]\n${lines}\n`;
const state = (m: TestMachine, name: string): string => `${m.manager.active(name)} (${m.manager.record(name)?.sub ?? ""})`;

describe("service types", () => {
  it("simple is up when it is forked, without a word before", () => {
    const m = machine({ "a.service": service("ExecStart=/bin/d") }, { d: {} });
    const job = ask(m, "start", "a.service");
    expect(m.said()).toEqual(["systemd[1]: Started a.service."]);
    expect(m.manager.jobs.result(job)).toBe("done");
    expect(state(m, "a.service")).toBe("active (running)");
  });

  it("notify is up when it says so, and failed when it ends before", () => {
    const m = machine({ "a.service": service("Type=notify\nExecStart=/bin/d", "Description=A") }, { d: DAEMON });
    const job = ask(m, "start", "a.service");
    expect(state(m, "a.service")).toBe("activating (start)");
    expect(m.manager.jobs.result(job)).toBeUndefined();
    m.run(10 * MS);
    expect(m.said()).toEqual(["systemd[1]: Starting a.service - A...", "systemd[1]: Started a.service - A."]);
    m.behaviours.set("d", { ends: { after: MS, exit: { code: 0 } } });
    ask(m, "restart", "a.service");
    m.run(SEC);
    expect(m.said().slice(-2)).toEqual([
      "systemd[1]: a.service: Failed with result 'protocol'.",
      "systemd[1]: Failed to start a.service - A.",
    ]);
  });

  it("oneshot runs its commands one after the other, and stays only if it is told to", () => {
    const m = machine(
      {
        "a.service": service("Type=oneshot\nExecStart=/bin/w 1\nExecStart=/bin/w 2"),
        "b.service": service("Type=oneshot\nExecStart=/bin/w\nRemainAfterExit=yes"),
      },
      { w: WORKER },
    );
    ask(m, "start", "a.service");
    m.run(30 * MS);
    expect(m.processes.map((p) => p.argv.join(" "))).toEqual(["/bin/w 2"]);
    m.run(SEC);
    expect(m.said()).toEqual([
      "systemd[1]: Starting a.service...",
      "systemd[1]: a.service: Deactivated successfully.",
      "systemd[1]: Finished a.service.",
    ]);
    ask(m, "start", "b.service");
    m.run(SEC);
    expect(state(m, "b.service")).toBe("active (exited)");
    ask(m, "stop", "b.service");
    expect(m.said()).toEqual([
      "systemd[1]: Starting b.service...",
      "systemd[1]: Finished b.service.",
      "systemd[1]: b.service: Deactivated successfully.",
      "systemd[1]: Stopped b.service.",
    ]);
  });

  it("forking waits for the parent's end and takes the child, or the one of the PID file, for its main process", () => {
    const m = machine(
      {
        "a.service": service("Type=forking\nExecStart=/bin/f"),
        "b.service": service("Type=forking\nPIDFile=/run/b.pid\nExecStart=/bin/f"),
      },
      { f: { ...WORKER, forks: "child" } },
    );
    ask(m, "start", "a.service");
    expect(state(m, "a.service")).toBe("activating (start)");
    m.run(SEC);
    expect(m.manager.record("a.service")?.service?.mainPid).toBe(m.pidOf("child"));
    m.write("/run/b.pid", "999\n");
    ask(m, "start", "b.service");
    m.run(SEC);
    expect(m.manager.record("b.service")?.service?.mainPid).toBe(999);
    m.end(m.pidOf("child"), { signal: "SIGSEGV" });
    expect(m.said()).toContain("systemd[1]: a.service: Main process exited, code=dumped, status=11/SEGV");
    expect(state(m, "a.service")).toBe("failed (failed)");
  });

  it("exec and simple differ over a program that is not there", () => {
    const m = machine({ "a.service": service("Type=exec\nExecStart=/bin/none"), "b.service": service("ExecStart=/bin/none") });
    const [a, b] = [ask(m, "start", "a.service"), ask(m, "start", "b.service")];
    expect(m.said()).toEqual([
      "systemd[1]: Starting a.service...",
      "(none)[700]: a.service: Failed to execute /bin/none: No such file or directory",
      "(none)[700]: a.service: Failed at step EXEC spawning /bin/none: No such file or directory",
      "systemd[1]: a.service: Main process exited, code=exited, status=203/EXEC",
      "systemd[1]: a.service: Failed with result 'exit-code'.",
      "systemd[1]: Failed to start a.service.",
      "(none)[701]: b.service: Failed to execute /bin/none: No such file or directory",
      "(none)[701]: b.service: Failed at step EXEC spawning /bin/none: No such file or directory",
      "systemd[1]: Started b.service.",
      "systemd[1]: b.service: Main process exited, code=exited, status=203/EXEC",
      "systemd[1]: b.service: Failed with result 'exit-code'.",
    ]);
    expect([m.manager.jobs.result(a), m.manager.jobs.result(b)]).toEqual(["failed", "done"]);
  });
});

describe("commands around the main one", () => {
  it("run in their order, and a failure before the main one keeps it from starting; a dash forgives", () => {
    const lines =
      "Type=notify\nExecStartPre=-/bin/bad\nExecStartPre=/bin/w\nExecStart=/bin/d\nExecStartPost=/bin/w\nExecStop=/bin/w\nExecStopPost=/bin/w";
    const m = machine(
      { "a.service": service(lines), "b.service": service("ExecStartPre=/bin/bad\nExecStart=/bin/d") },
      { w: WORKER, bad: FAILS, d: DAEMON },
    );
    ask(m, "start", "a.service");
    const seen: string[] = [];
    while (m.manager.jobs.size > 0) {
      seen.push(state(m, "a.service"));
      m.step();
    }
    expect(seen).toEqual(["activating (start-pre)", "activating (start-pre)", "activating (start)", "activating (start-post)"]);
    ask(m, "stop", "a.service");
    expect(state(m, "a.service")).toBe("deactivating (stop)");
    m.run(21 * MS);
    expect(state(m, "a.service")).toBe("deactivating (stop-sigterm)");
    m.run(5 * MS);
    expect(state(m, "a.service")).toBe("deactivating (stop-post)");
    m.run(SEC);
    expect(m.said()).toEqual([
      "systemd[1]: Starting a.service...",
      "systemd[1]: a.service: Control process exited, code=exited, status=1/FAILURE",
      "systemd[1]: Started a.service.",
      "systemd[1]: Stopping a.service...",
      "systemd[1]: a.service: Deactivated successfully.",
      "systemd[1]: Stopped a.service.",
    ]);
    ask(m, "start", "b.service");
    m.run(SEC);
    expect(m.said().slice(1)).toEqual([
      "systemd[1]: b.service: Control process exited, code=exited, status=1/FAILURE",
      "systemd[1]: b.service: Failed with result 'exit-code'.",
      "systemd[1]: Failed to start b.service.",
    ]);
    expect(m.processes).toEqual([]);
  });

  it("ExecCondition= skips, ExecReload= reloads", () => {
    const m = machine(
      {
        "a.service": service("ExecCondition=/bin/bad\nExecStart=/bin/d"),
        "b.service": service("ExecStart=/bin/d\nExecReload=/bin/w $MAINPID"),
      },
      { w: WORKER, bad: FAILS, d: DAEMON },
    );
    const job = ask(m, "start", "a.service");
    m.run(SEC);
    expect(m.said().slice(1)).toEqual([
      "systemd[1]: a.service: Skipped due to 'exec-condition'.",
      "systemd[1]: a.service was skipped because of an unmet condition check.",
    ]);
    expect(m.manager.jobs.result(job)).toBe("done");
    expect(refusal(m, "reload", "a.service")).toBe("Job type reload is not applicable for unit a.service.");
    ask(m, "start", "b.service");
    ask(m, "reload", "b.service");
    expect(state(m, "b.service")).toBe("reloading (reload)");
    expect(m.processes.at(-1)?.argv).toEqual(["/bin/w", String(m.pidOf("d"))]);
    m.run(SEC);
    m.behaviours.set("w", FAILS);
    const second = ask(m, "reload", "b.service");
    m.run(SEC);
    expect(m.manager.jobs.result(second)).toBe("failed");
    expect(m.said()).toEqual([
      "systemd[1]: Started b.service.",
      "systemd[1]: Reloading b.service...",
      "systemd[1]: Reloaded b.service.",
      "systemd[1]: Reloading b.service...",
      "systemd[1]: b.service: Control process exited, code=exited, status=1/FAILURE",
      "systemd[1]: Reload failed for b.service.",
    ]);
    expect(state(m, "b.service")).toBe("active (running)");
  });

  it("environment files come after Environment=, may be missing with a dash, and must not without", () => {
    const m = machine(
      {
        "a.service": service("Environment=A=1 B=2\nEnvironmentFile=/etc/default/a\nEnvironmentFile=-/nowhere\nExecStart=/bin/d ${A} $LIST"),
        "b.service": service("EnvironmentFile=/nowhere\nExecStart=/bin/d"),
      },
      { d: {} },
    );
    m.write("/etc/default/a", '# comment\nB=3\nLIST="x y"\n');
    ask(m, "start", "a.service");
    expect(m.processes[0]?.argv).toEqual(["/bin/d", "1", "x", "y"]);
    expect(m.processes[0]?.env).toMatchObject({ A: "1", B: "3" });
    m.said();
    ask(m, "start", "b.service");
    expect(m.said().slice(-2)).toEqual([
      "systemd[1]: b.service: Failed with result 'resources'.",
      "systemd[1]: Failed to start b.service.",
    ]);
  });
});

describe("ends", () => {
  it("success, exit codes and signals, and what counts as success", () => {
    const lines = "ExecStart=/bin/d\nSuccessExitStatus=75 SIGUSR1";
    const m = machine({ "a.service": service(lines) }, { d: {} });
    const outcome = (exit: Parameters<TestMachine["end"]>[1]): string => {
      ask(m, "start", "a.service");
      m.end(m.pidOf("d"), exit);
      return m.manager.record("a.service")?.service?.result ?? "";
    };
    expect([{ code: 0 }, { code: 75 }, { code: 2 }].map(outcome)).toEqual(["success", "success", "exit-code"]);
    m.manager.resetFailed("a.service");
    const signals = (["SIGTERM", "SIGUSR1", "SIGKILL"] as const).map((signal) => outcome({ signal }));
    expect(signals).toEqual(["success", "success", "signal"]);
    m.manager.resetFailed();
    expect(outcome({ signal: "SIGABRT" })).toBe("core-dump");
    expect(m.said()).toContain("systemd[1]: a.service: Main process exited, code=exited, status=2/INVALIDARGUMENT");
  });

  it("Restart= starts it again after RestartSec=, until the start limit; a stop by hand ends it", () => {
    const m = machine(
      {
        "a.service": service("ExecStart=/bin/bad\nRestart=on-failure\nRestartSec=1", "OnFailure=b.service"),
        "b.service": service("Type=oneshot\nExecStart=/bin/w"),
      },
      { bad: FAILS, w: WORKER },
    );
    ask(m, "start", "a.service");
    m.run(30 * MS);
    expect(state(m, "a.service")).toBe("activating (auto-restart)");
    m.run(8 * SEC);
    const said = m.said();
    expect(said.slice(0, 6)).toEqual([
      "systemd[1]: Started a.service.",
      "systemd[1]: a.service: Main process exited, code=exited, status=1/FAILURE",
      "systemd[1]: a.service: Failed with result 'exit-code'.",
      "systemd[1]: a.service: Scheduled restart job, restart counter is at 1.",
      "systemd[1]: Stopped a.service.",
      "systemd[1]: Started a.service.",
    ]);
    expect(said.slice(said.indexOf("systemd[1]: a.service: Scheduled restart job, restart counter is at 5."))).toEqual([
      "systemd[1]: a.service: Scheduled restart job, restart counter is at 5.",
      "systemd[1]: Stopped a.service.",
      "systemd[1]: a.service: Start request repeated too quickly.",
      "systemd[1]: a.service: Failed with result 'exit-code'.",
      "systemd[1]: Failed to start a.service.",
      "systemd[1]: a.service: Triggering OnFailure= dependencies.",
      "systemd[1]: Starting b.service...",
      "systemd[1]: b.service: Deactivated successfully.",
      "systemd[1]: Finished b.service.",
    ]);
    ask(m, "start", "a.service");
    expect(m.said()).toContain("systemd[1]: a.service: Start request repeated too quickly.");
    m.manager.resetFailed("a.service");
    ask(m, "start", "a.service");
    m.run(30 * MS);
    expect(state(m, "a.service")).toBe("activating (auto-restart)");
    ask(m, "stop", "a.service");
    m.run(10 * SEC);
    expect(state(m, "a.service")).toBe("inactive (dead)");
  });

  it("a start job beside a restart that is coming waits for it", () => {
    const m = machine({ "a.service": service("Type=notify\nExecStart=/bin/d\nRestart=always\nRestartSec=1") }, { d: DAEMON });
    ask(m, "start", "a.service");
    m.run(SEC);
    m.end(m.pidOf("d"), { code: 1 });
    const job = ask(m, "start", "a.service");
    m.run(500 * MS);
    expect(m.manager.jobs.result(job)).toBeUndefined();
    m.run(SEC);
    expect(m.manager.jobs.result(job)).toBe("done");
    expect(m.manager.record("a.service")?.service?.restarts).toBe(1);
  });

  it.each([
    ["Restart=on-abnormal", { code: 1 }, "failed"],
    ["Restart=on-abnormal", { signal: "SIGKILL" as const }, "activating"],
    ["Restart=always\nRestartPreventExitStatus=6", { code: 6 }, "failed"],
    ["Restart=no\nRestartForceExitStatus=7", { code: 7 }, "activating"],
    ["Restart=on-success", { code: 0 }, "activating"],
  ])("%s after %j: %s", (lines, exit, active) => {
    const m = machine({ "a.service": service(`ExecStart=/bin/d\n${lines}`) }, { d: {} });
    ask(m, "start", "a.service");
    m.end(m.pidOf("d"), exit);
    expect(m.manager.active("a.service")).toBe(active);
  });
});

describe("time-outs and signals", () => {
  it("a start that takes too long is ended: SIGTERM, then SIGKILL", () => {
    const m = machine(
      { "a.service": service("Type=notify\nExecStart=/bin/d\nTimeoutStartSec=5\nTimeoutStopSec=3") },
      { d: { term: "ignored" } },
    );
    const job = ask(m, "start", "a.service");
    m.run(10 * SEC);
    expect(m.said()).toEqual([
      "systemd[1]: Starting a.service...",
      "systemd[1]: a.service: start operation timed out. Terminating.",
      "systemd[1]: a.service: State 'stop-sigterm' timed out. Killing.",
      "systemd[1]: a.service: Killing process 700 (d) with signal SIGKILL.",
      "systemd[1]: a.service: Main process exited, code=killed, status=9/KILL",
      "systemd[1]: a.service: Failed with result 'timeout'.",
      "systemd[1]: Failed to start a.service.",
    ]);
    expect(m.signals).toEqual(["d SIGTERM", "d SIGKILL"]);
    expect(m.manager.jobs.result(job)).toBe("failed");
  });

  it.each([
    ["KillMode=control-group", ["d SIGTERM", "h SIGTERM"]],
    ["KillMode=mixed", ["d SIGTERM", "h SIGKILL"]],
    ["KillMode=process", ["d SIGTERM"]],
    ["KillSignal=SIGINT\nFinalKillSignal=SIGQUIT\nTimeoutStopSec=1\nSendSIGKILL=no", ["d SIGINT", "h SIGINT"]],
  ])("%s", (lines, signals) => {
    const m = machine({ "a.service": service(`ExecStart=/bin/d\n${lines}`) }, { d: DAEMON, h: {} });
    ask(m, "start", "a.service");
    m.processes.push({ pid: 950, unit: "a.service", name: "h", argv: ["h"], env: {} });
    ask(m, "stop", "a.service");
    m.run(100 * MS);
    expect(m.signals.slice(0, signals.length)).toEqual(signals);
  });

  it("the watchdog aborts what has stopped to answer", () => {
    const m = machine(
      { "a.service": service("Type=notify\nExecStart=/bin/d\nWatchdogSec=2\nRestart=on-watchdog") },
      { d: { ...DAEMON, pings: SEC } },
    );
    ask(m, "start", "a.service");
    m.run(10 * SEC);
    expect(state(m, "a.service")).toBe("active (running)");
    m.said();
    m.behaviours.set("d", DAEMON);
    m.manager.notified("a.service", m.pidOf("d"), { WATCHDOG: "1" });
    ask(m, "restart", "a.service");
    m.run(3 * SEC);
    const said = m.said();
    expect(said.slice(said.indexOf("systemd[1]: a.service: Watchdog timeout (limit 2s)!") + 1, -3)).toEqual([
      expect.stringMatching(/^systemd\[1\]: a.service: Killing process \d+ \(d\) with signal SIGABRT\.$/),
      "systemd[1]: a.service: Main process exited, code=dumped, status=6/ABRT",
      "systemd[1]: a.service: Failed with result 'watchdog'.",
      "systemd[1]: a.service: Scheduled restart job, restart counter is at 1.",
    ]);
  });

  it("a stopped service's last minutes: a stop in ExecStop= that hangs, and a leftover after SIGKILL", () => {
    const m = machine({ "a.service": service("ExecStart=/bin/d\nExecStop=/bin/h\nTimeoutStopSec=2") }, { d: DAEMON, h: { term: MS } });
    ask(m, "start", "a.service");
    ask(m, "stop", "a.service");
    m.run(10 * SEC);
    expect(m.said()).toEqual([
      "systemd[1]: Started a.service.",
      "systemd[1]: Stopping a.service...",
      "systemd[1]: a.service: Stopping timed out. Terminating.",
      "systemd[1]: a.service: Control process exited, code=killed, status=15/TERM",
      "systemd[1]: a.service: Failed with result 'timeout'.",
      "systemd[1]: Stopped a.service.",
    ]);
  });
});

describe("dependencies", () => {
  const unit = (text: string): string => service("Type=notify\nExecStart=/bin/d", text);

  it("Requires= with After= starts in order, fails with it, and stops with it", () => {
    const m = machine({ "a.service": unit("Requires=b.service\nAfter=b.service"), "b.service": unit("") }, { d: DAEMON });
    ask(m, "start", "a.service");
    m.run(SEC);
    expect(m.said()).toEqual([
      "systemd[1]: Starting b.service...",
      "systemd[1]: Started b.service.",
      "systemd[1]: Starting a.service...",
      "systemd[1]: Started a.service.",
    ]);
    ask(m, "stop", "b.service");
    m.run(SEC);
    expect(m.said().filter((l) => l.includes("Stopped"))).toEqual(["systemd[1]: Stopped a.service.", "systemd[1]: Stopped b.service."]);
    m.behaviours.set("d", FAILS);
    const job = ask(m, "start", "a.service");
    m.run(SEC);
    expect(m.said().slice(-5)).toEqual([
      "systemd[1]: b.service: Main process exited, code=exited, status=1/FAILURE",
      "systemd[1]: b.service: Failed with result 'exit-code'.",
      "systemd[1]: Failed to start b.service.",
      "systemd[1]: Dependency failed for a.service.",
      "systemd[1]: a.service: Job a.service/start failed with result 'dependency'.",
    ]);
    expect(m.manager.jobs.result(job)).toBe("dependency");
  });

  it("Wants= does not mind a failure or a unit that is not there; Requires= does", () => {
    const m = machine(
      {
        "a.service": unit("Wants=b.service none.service"),
        "b.service": service("ExecStart=/bin/none"),
        "c.service": unit("Requires=none.service"),
      },
      { d: DAEMON },
    );
    ask(m, "start", "a.service");
    m.run(SEC);
    expect(m.manager.active("a.service")).toBe("active");
    expect(refusal(m, "start", "c.service")).toBe("Unit none.service not found.");
    expect(refusal(m, "start", "none.service")).toBe("Unit none.service not found.");
    expect(refusal(m, "stop", "none.service")).toBe("Unit none.service not loaded.");
  });

  it("BindsTo= goes down with it, PartOf= by request only, Requisite= fails at once where it is not up", () => {
    const m = machine(
      {
        "a.service": unit(""),
        "bound.service": unit("BindsTo=a.service\nAfter=a.service"),
        "part.service": unit("PartOf=a.service"),
        "req.service": unit("Requisite=a.service\nAfter=a.service"),
      },
      { d: DAEMON },
    );
    const failed = ask(m, "start", "req.service");
    m.run(SEC);
    expect(m.manager.jobs.result(failed)).toBe("dependency");
    for (const name of ["bound.service", "part.service"]) ask(m, "start", name);
    m.run(SEC);
    const main = (): number => m.manager.record("a.service")?.service?.mainPid ?? 0;
    m.end(main(), { code: 1 });
    m.run(SEC);
    expect(["a.service", "bound.service", "part.service"].map((n) => m.manager.active(n))).toEqual(["failed", "inactive", "active"]);
    ask(m, "start", "bound.service");
    m.run(SEC);
    const before = m.manager.record("part.service")?.service?.mainPid;
    ask(m, "restart", "a.service");
    m.run(SEC);
    expect(m.manager.record("part.service")?.service?.mainPid).not.toBe(before);
    expect(m.manager.active("bound.service")).toBe("active");
    ask(m, "stop", "a.service");
    m.run(SEC);
    expect(["a.service", "bound.service", "part.service"].map((n) => m.manager.active(n))).toEqual(["inactive", "inactive", "inactive"]);
  });

  it("Conflicts= stops the other first", () => {
    const m = machine({ "a.service": unit("Conflicts=b.service\nAfter=b.service"), "b.service": unit("") }, { d: DAEMON });
    ask(m, "start", "b.service");
    m.run(SEC);
    m.said();
    ask(m, "start", "a.service");
    m.run(SEC);
    expect(m.said().filter((l) => /Stopped|Starting/.test(l))).toEqual([
      "systemd[1]: Stopped b.service.",
      "systemd[1]: Starting a.service...",
    ]);
    expect(refusal(m, "start", "shutdown.target")).toContain("Operation refused, unit shutdown.target may be requested by dependency only");
  });

  it("a circle in the order loses a wanted job; one of required jobs is refused", () => {
    const m = machine(
      {
        "a.service": unit("Wants=b.service\nAfter=b.service"),
        "b.service": unit("After=a.service"),
        "x.service": unit("Requires=y.service\nAfter=y.service"),
        "y.service": unit("After=x.service"),
      },
      { d: DAEMON },
    );
    ask(m, "start", "a.service");
    expect(m.said().slice(0, 3)).toEqual([
      "systemd[1]: a.service: Found ordering cycle on b.service/start",
      "systemd[1]: a.service: Found dependency on a.service/start",
      "systemd[1]: a.service: Job b.service/start deleted to break ordering cycle starting with a.service/start",
    ]);
    m.run(SEC);
    expect([m.manager.active("a.service"), m.manager.active("b.service")]).toEqual(["active", "inactive"]);
    expect(refusal(m, "start", "x.service")).toBe("Transaction order is cyclic. See system logs for details.");
  });

  it("a job gives way to its opposite, but not in mode fail", () => {
    const m = machine({ "a.service": unit("") }, { d: { ready: SEC, term: SEC } });
    const start = ask(m, "start", "a.service");
    expect(refusal(m, "stop", "a.service", "fail")).toBe(
      "Transaction for a.service/stop is destructive (a.service has 'start' job queued, but 'stop' is included in transaction).",
    );
    const stop = ask(m, "stop", "a.service");
    expect(m.manager.jobs.result(start)).toBe("canceled");
    m.run(5 * SEC);
    expect(m.manager.jobs.result(stop)).toBe("done");
  });

  it("conditions skip, assertions fail", () => {
    const m = machine(
      {
        "a.service": unit("Description=A\nConditionPathExists=!/etc/hosts\nConditionPathExistsGlob=/etc/h*"),
        "b.service": unit("AssertFileNotEmpty=/etc/nothing"),
        "c.service": unit("ConditionPathExists=|/none\nConditionHost=|other"),
        "d.service": unit("ConditionPathExists=|/none\nConditionHost=|pve*\nConditionPathIsDirectory=/etc"),
      },
      { d: DAEMON },
    );
    m.write("/etc/hosts", "127.0.0.1 localhost\n");
    const jobs = ["a", "b", "c", "d"].map((n) => ask(m, "start", `${n}.service`));
    m.run(SEC);
    expect(jobs.map((j) => m.manager.jobs.result(j))).toEqual(["done", "assert", "done", "done"]);
    expect(m.said()).toEqual([
      "systemd[1]: a.service - A was skipped because of an unmet condition check (ConditionPathExists=!/etc/hosts).",
      "systemd[1]: b.service: Starting requested but asserts failed.",
      "systemd[1]: Assertion failed for b.service.",
      "systemd[1]: c.service was skipped because no trigger condition checks were met.",
      "systemd[1]: Starting d.service...",
      "systemd[1]: Started d.service.",
    ]);
  });
});

describe("timers", () => {
  const job = service("Type=oneshot\nExecStart=/bin/w");
  const starts = (m: TestMachine): string[] =>
    m.lines.filter((l) => l.includes("Starting t.service")).map((l) => l.trim().split(" ")[0] ?? "");

  it("OnBootSec= and OnUnitActiveSec= elapse again and again", () => {
    const m = machine({ "t.timer": "[Timer]\nOnBootSec=1min\nOnUnitActiveSec=10min\n", "t.service": job }, { w: WORKER });
    ask(m, "start", "t.timer");
    m.run(25 * MINUTE);
    expect(starts(m)).toEqual(["60000", "660000", "1260000"]);
    expect(state(m, "t.timer")).toBe("active (waiting)");
    ask(m, "stop", "t.timer");
    expect(m.said().slice(-2)).toEqual(["systemd[1]: t.timer: Deactivated successfully.", "systemd[1]: Stopped t.timer."]);
    m.run(HOUR);
    expect(starts(m)).toEqual([]);
  });

  it("OnActiveSec= elapses once, OnCalendar= by the wall clock", () => {
    const m = machine(
      { "t.timer": "[Timer]\nOnActiveSec=5\n", "t.service": job, "c.timer": "[Timer]\nOnCalendar=*:0/15\nUnit=t.service\n" },
      { w: WORKER },
    );
    ask(m, "start", "t.timer");
    m.run(HOUR);
    expect(starts(m)).toEqual(["5000"]);
    expect(state(m, "t.timer")).toBe("active (elapsed)");
    m.said();
    // It is 10:35:28.
    ask(m, "start", "c.timer");
    m.run(HOUR);
    const quarter = (9 * MINUTE + 32 * SEC) / MS;
    expect(starts(m)).toEqual([0, 1, 2, 3].map((i) => String(HOUR / MS + quarter + (i * 15 * MINUTE) / MS)));
  });

  it("Persistent= makes up for what was missed while the machine was off; RandomizedDelaySec= stays within its bounds", () => {
    const m = machine(
      {
        "t.timer": "[Timer]\nOnCalendar=hourly\nPersistent=yes\n",
        "t.service": job,
        "r.timer": "[Timer]\nOnActiveSec=10\nRandomizedDelaySec=20\nUnit=t.service\n",
      },
      { w: WORKER },
    );
    ask(m, "start", "t.timer");
    m.manager.powerLost();
    m.run(5 * HOUR);
    m.boot();
    ask(m, "start", "t.timer");
    m.run(SEC);
    expect(starts(m)).toEqual([String((5 * HOUR) / MS)]);
    m.said();
    ask(m, "start", "r.timer");
    m.run(31 * SEC);
    const [at = ""] = starts(m);
    expect(Number(at) - (5 * HOUR + SEC) / MS).toBeGreaterThanOrEqual(10_000);
    expect(Number(at) - (5 * HOUR + SEC) / MS).toBeLessThan(30_000);
  });
});

describe("boot, shutdown, daemon-reload", () => {
  const node = (): TestMachine => {
    const m = new TestMachine(["systemd", "corosync", "corosync-qdevice"]);
    m.write("/etc/corosync/corosync.conf", "totem {}\n");
    m.behaviours.set("corosync", DAEMON);
    m.behaviours.set("corosync-qdevice", DAEMON);
    m.behaviours.set("corosync-cfgtool", { ends: { after: MS, exit: { code: 0 } } });
    return m;
  };

  it("boots side by side in the order of dependencies, and tells when everything is there", () => {
    const m = node();
    m.unit("slow.service", service("Type=notify\nExecStart=/bin/slow"));
    m.link("/etc/systemd/system/multi-user.target.wants/slow.service", "/etc/systemd/system/slow.service");
    m.behaviours.set("slow", { ready: SEC, term: SEC });
    m.boot();
    m.run(100 * MS);
    expect([m.manager.active("corosync-qdevice.service"), m.manager.active("slow.service"), m.startedAt]).toEqual([
      "active",
      "activating",
      undefined,
    ]);
    m.run(SEC);
    expect(m.startedAt).toBe(SEC);
    expect(m.said().at(-1)).toBe("systemd[1]: Startup finished in 0ms (kernel) + 1s (userspace) = 1s.");
    expect(m.traces).toEqual(["corosync active", "corosync-qdevice active", "slow active"]);
    m.manager.shutdown("reboot");
    m.run(100 * MS);
    expect([m.manager.active("corosync.service"), m.manager.active("slow.service"), m.actions]).toEqual(["inactive", "deactivating", []]);
    expect(refusal(m, "start", "corosync.service")).toContain("is destructive");
    m.run(2 * SEC);
    expect(m.actions).toEqual(["reboot"]);
    expect(m.said().slice(-2)).toEqual(["systemd[1]: Reached target reboot.target - System Reboot.", "systemd[1]: Shutting down."]);
  });

  it("corosync's configuration is its condition, and the device's daemon does not care", () => {
    const m = node();
    m.remove("/etc/corosync/corosync.conf");
    m.boot();
    m.run(SEC);
    expect(m.said()).toContain(
      "systemd[1]: corosync.service - Corosync Cluster Engine was skipped because of an unmet condition check (ConditionPathExists=/etc/corosync/corosync.conf).",
    );
    expect(m.manager.active("corosync-qdevice.service")).toBe("active");
  });

  it("daemon-reload reads changed files, keeps what runs, and forgets what is gone", () => {
    const m = machine(
      { "a.service": service("ExecStart=/bin/d", "Description=Old"), "b.service": service("ExecStart=/bin/d") },
      { d: DAEMON },
    );
    ask(m, "start", "a.service");
    m.unit("a.service", service("ExecStart=/bin/d\nRestart=always\nRestartSec=1", "Description=New"));
    m.remove("/etc/systemd/system/b.service");
    expect(m.manager.graph.get("a.service")?.description).toBe("Old");
    m.said();
    m.manager.reload();
    expect(m.said()).toEqual(["systemd[1]: Reloading."]);
    expect(m.manager.graph.get("a.service")?.description).toBe("New");
    expect(refusal(m, "start", "b.service")).toBe("Unit b.service not found.");
    m.end(m.pidOf("d"), { code: 3 });
    m.run(2 * SEC);
    expect(state(m, "a.service")).toBe("active (running)");
  });

  it("isolate stops what the target does not want", () => {
    const m = machine({ "a.service": service("ExecStart=/bin/d"), "only.target": "[Unit]\nAllowIsolate=yes\n" }, { d: DAEMON });
    ask(m, "start", "a.service");
    ask(m, "isolate", "only.target");
    m.run(SEC);
    expect([m.manager.active("a.service"), m.manager.active("only.target"), m.manager.active("multi-user.target")]).toEqual([
      "inactive",
      "active",
      "inactive",
    ]);
    expect(refusal(m, "isolate", "basic.target")).toBe("Operation refused, unit may not be isolated.");
  });

  it("goes on from a copy taken at any event as the original does", () => {
    const story = (m: TestMachine, from: number, copyAt: number | undefined): string[] => {
      const digests: string[] = [];
      let machine = m;
      for (let i = from; i < 60 && machine.nextAt() !== Infinity; i++) {
        if (i === copyAt) machine = machine.copy();
        machine.step();
        digests.push(machine.digest());
        if (i === 4) machine.manager.request("corosync.service", "restart");
        if (i === 12) machine.end(machine.pidOf("corosync-qdevice"), { signal: "SIGKILL" });
        if (i === 20) machine.manager.shutdown("poweroff");
      }
      return digests;
    };
    const begin = (): TestMachine => {
      const m = node();
      m.unit("t.timer", "[Timer]\nOnBootSec=5ms\nOnUnitActiveSec=7ms\nRandomizedDelaySec=3ms\n");
      m.unit("t.service", service("Type=oneshot\nExecStart=/bin/w\nExecStartPost=/bin/w"));
      m.behaviours.set("w", { ends: { after: 2 * MS, exit: { code: 0 } } });
      m.link("/etc/systemd/system/multi-user.target.wants/t.timer", "/etc/systemd/system/t.timer");
      m.boot();
      return m;
    };
    const straight = story(begin(), 0, undefined);
    expect(straight.length).toBeGreaterThan(20);
    for (let at = 0; at < straight.length; at++) expect(story(begin(), 0, at), `copied at event ${at}`).toEqual(straight);
  });
});
