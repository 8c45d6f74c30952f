/**
 * The processes of a service: starting the commands of its unit file with their environment, and sending signals to those that are left. In the real stack: service_spawn
 * and unit_kill_context; systemd.exec(5), systemd.kill(5). Left out: users, limits, sandboxes, and sockets that are passed on.
 */
import { fromUtf8, NEVER, type ProcessExit, type Signal } from "../../kernel/index.ts";
import type { Core, Service } from "./core.ts";
import type { ExecKind } from "./definition.ts";
import { baseName } from "./files.ts";
import { journalUnit } from "./names.ts";
import { parseEnvironmentFile, withEnvironment } from "./values.ts";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin";
/** execve(2) failed: exit-status.h. */
const EXIT_EXEC = 203;

const ERRNO_TEXTS = { ENOENT: "No such file or directory", EACCES: "Permission denied", ENOSYS: "not modelled in this lab" } as const;

/** The variables of a service; undefined where a file of them is missing that must be there. */
function environmentOf(core: Core, { unit, def, s }: Service): Map<string, string> | undefined {
  const env = new Map<string, string>([
    ["LANG", "C"],
    ["PATH", PATH],
  ]);
  for (const [name, value] of def.environment) env.set(name, value);
  for (const file of def.environmentFiles) {
    const optional = file.startsWith("-");
    const path = optional ? file.slice(1) : file;
    const data = core.hooks.files.read(path);
    if (data !== undefined) for (const [name, value] of parseEnvironmentFile(fromUtf8(data))) env.set(name, value);
    else if (!optional) {
      core.say(unit, "warning", "Failed to load environment files: No such file or directory");
      core.say(unit, "warning", "Failed to run 'start' task: No such file or directory");
      return undefined;
    }
  }
  if (s.mainPid > 0) env.set("MAINPID", String(s.mainPid));
  return env;
}

export interface Started {
  readonly pid: number;
  /** It is gone already, with this. */
  readonly exit: ProcessExit | undefined;
}

/** Starts one command. Undefined: it could not even be tried. */
export function spawnCommand(core: Core, service: Service, kind: ExecKind, index: number): Started | undefined {
  const { unit, def, s } = service;
  const command = def.exec[kind][index];
  const env = environmentOf(core, service);
  if (command === undefined || env === undefined) return undefined;
  const argv = withEnvironment(command, env);
  if (def.type === "notify" || kind !== "ExecStart") env.set("NOTIFY_SOCKET", "/run/systemd/notify");
  if (def.watchdog > 0 && def.watchdog !== NEVER) env.set("WATCHDOG_USEC", String(def.watchdog));
  if (kind === "ExecStopPost") env.set("SERVICE_RESULT", s.result);
  const { pid, errno } = core.hooks.spawn({
    unit: unit.name,
    kind,
    path: command.path,
    argv,
    env: Object.fromEntries(env),
    cwd: def.workingDirectory?.replace(/^-/, "").replace("~", "/root") ?? "/",
    user: def.user ?? "root",
  });
  const exit: ProcessExit | undefined = errno === undefined ? undefined : { code: EXIT_EXEC };
  const now = core.hooks.now();
  // The newest run of each command is what `status` shows.
  s.execs = s.execs.filter((e) => e.kind !== kind || e.index !== index);
  s.execs.push({ kind, index, pid, startedAt: now, endedAt: undefined, exit: undefined });
  if (errno !== undefined) {
    const as = { pid, identifier: `(${baseName(command.path)})` };
    const step = `Failed at step EXEC spawning ${command.path}: ${ERRNO_TEXTS[errno]}`;
    core.hooks.log(journalUnit(unit.name), "error", `${unit.name}: Failed to execute ${command.path}: ${ERRNO_TEXTS[errno]}`, as);
    core.hooks.log(journalUnit(unit.name), "error", `${unit.name}: ${step}`, as);
  }
  return { pid, exit };
}

/** Writes down how a process ended. */
export function recordExit({ s }: Service, pid: number, exit: ProcessExit, now: number): void {
  s.execs = s.execs.map((e) => (e.pid === pid && e.endedAt === undefined ? { ...e, endedAt: now, exit } : e));
}

export type KillStep = "terminate" | "watchdog" | "kill";

/** Who gets the signal of a step: KillMode=. */
function targets(core: Core, { unit, def, s }: Service, step: KillStep): { pid: number; name: string }[] {
  const group = core.hooks.processes(unit.name);
  const own = group.filter((p) => p.pid === s.mainPid || p.pid === s.controlPid);
  switch (def.killMode) {
    case "control-group":
      return [...group];
    case "mixed":
      return step === "kill" ? [...group] : own;
    case "process":
      return own;
    case "none":
      return [];
  }
}

/** Sends the signal of a step. @returns whether there is anybody to wait for */
export function killProcesses(core: Core, service: Service, step: KillStep): boolean {
  const { unit, def, s } = service;
  const polite = (s.restarting ? def.restartKillSignal : undefined) ?? def.killSignal;
  const signal: Signal = step === "kill" ? def.finalKillSignal : step === "watchdog" ? def.watchdogSignal : polite;
  const victims = targets(core, service, step);
  for (const { pid, name } of victims) {
    if (step !== "terminate") core.say(unit, "notice", `Killing process ${pid} (${name}) with signal ${signal}.`);
    core.hooks.kill(pid, signal);
    if (step !== "terminate") continue;
    // A stopped process shall hear of it.
    core.hooks.kill(pid, "SIGCONT");
    if (def.sendSighup) core.hooks.kill(pid, "SIGHUP");
  }
  return victims.length > 0;
}
