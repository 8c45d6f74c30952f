/** Causes that lie in one machine: no power, stalled processors, a daemon that failed, was stopped or has not started yet, a broken file, a disk. */
import type { MachineStatus } from "../../../../engine/kernel/status.ts";
import { SEC } from "../../../../engine/kernel/index.ts";
import { beforeLossOf, type Finding, type Fix, type WhyClause } from "../../api.ts";
import { diskMeans, diskText, powerText } from "./cause-text.ts";
import type { Notice, NoticeKind } from "./notices.ts";
import type { RecordedAct } from "./record.ts";
import { daemonOf, ends, reloads, starts, stoppedBy } from "./daemon-acts.ts";
import { actRef, mainOf, noticeRef, statusRef, type Cause, type Scene, nothing } from "./scene.ts";

export const CONF = "/etc/corosync/corosync.conf";
const keepsAway =
  (name: string): Cause["stops"] =>
  (a, b) =>
    a === name || b === name;

const did = (machine: string, ...kinds: readonly string[]): ((act: RecordedAct) => boolean) => {
  return ({ act }) => act.to === "machine" && act.machine === machine && kinds.includes(act.act.kind);
};

/** Typed at a prompt of this machine. */
const typed = (machine: string, pattern: RegExp): ((act: RecordedAct) => boolean) => {
  return ({ act, line }) =>
    act.to === "machine" && act.machine === machine && (act.act.kind === "session-run" || act.act.kind === "command") && pattern.test(line);
};

const lastNotice = (scene: Scene, machine: string, unit: string, ...kinds: readonly NoticeKind[]): Notice | undefined =>
  scene.record.notices(scene.world, machine, 0).findLast((notice) => notice.unit === unit && kinds.includes(notice.what));

const startFix = (label: string, act: string): Fix => ({ label, act });
const look = (label: string, node: string, command: string): Fix => ({ label, node, command });

function powerCause(scene: Scene, machine: MachineStatus): Cause | undefined {
  const { name, power, powerSince, worker } = machine;
  if (power === "on") return undefined;
  const status = statusRef(name, "power", powerSince);
  const base = { nodes: [name], out: name, stops: keepsAway(name) };
  if (power === "stalled") {
    const act = scene.record.last(did(name, "stall"));
    return {
      ...base,
      code: "node-stalled",
      severity: "error",
      rank: 20,
      since: act?.at ?? powerSince,
      text: `${name} is stalled: nothing on it runs`,
      refs: [...(act === undefined ? [] : [actRef(act)]), status],
      fixes: [startFix(`Resume ${name}`, `node resume ${name}`)],
    };
  }
  const off = scene.record.last(
    (act) =>
      did(name, "power-cut", "shutdown", "worker-lost")(act) ||
      typed(name, /^(poweroff|halt|shutdown|init 0|systemctl (poweroff|halt))/)(act),
    powerSince,
  );
  const kind = off?.act.to === "machine" ? off.act.act.kind : undefined;
  const how = worker === "lost" ? "lost" : kind === undefined ? "never" : kind === "power-cut" ? "cut" : "shutdown";
  const start = startFix(`Power on ${name}`, `node start ${name}`);
  return {
    ...base,
    code: worker === "lost" ? "worker-lost" : "node-off",
    severity: how === "cut" || how === "lost" ? "error" : how === "shutdown" ? "warning" : "note",
    rank: how === "lost" ? 0 : how === "cut" ? 30 : 40,
    since: powerSince,
    text: powerText(name, how),
    refs: [...(off === undefined ? [] : [actRef(off)]), status],
    fixes: [start],
    ...(how === "lost" ? { mend: `quorate rollback ${beforeLossOf(name)} goes back to before` } : {}),
  };
}

/**
 * What a file on the machine's disk has wrong, as far as it keeps corosync from starting. A name that corosync does not know is passed over by it, and what is missing then is the error: the
 * name is told first, for it is what was written wrong.
 */
export function fileError(scene: Scene, name: string): Pick<Finding, "text" | "line" | "column" | "mend"> | undefined {
  const found = scene.findings.get(name) ?? [];
  const error = found.find(({ severity }) => severity === "error");
  // Where every file has it, it was meant, or is at least nothing by which this node differs.
  const others = [...scene.findings].filter(([other]) => other !== name).map(([, theirs]) => theirs);
  const usual = (text: string): boolean => others.length > 0 && others.every((theirs) => theirs.some((one) => one.text === text));
  const unknown = found.find(({ code, text }) => code === "unknown-section" && !usual(text));
  if (unknown === undefined || unknown === error) return error;
  return error === undefined ? unknown : { ...unknown, text: `${unknown.text}; then: ${error.text}` };
}

/** A file that corosync runs with, or has not read yet, although something in it cannot be meant. */
function badFileCause(scene: Scene, { name }: MachineStatus): Cause | undefined {
  const broken = fileError(scene, name);
  if (broken === undefined) return undefined;
  const written = scene.record.last(wrote(name));
  const read = written === undefined ? undefined : readSince(scene, name, written);
  return {
    code: "bad-file",
    severity: "error",
    rank: 10,
    nodes: [name],
    since: written?.at ?? scene.now,
    text: `corosync.conf of ${name} is broken: ${broken.text}`,
    refs: [
      ...(written === undefined ? [] : [actRef(written)]),
      ...(read === undefined ? [] : [actRef(read)]),
      statusRef(name, CONF, scene.now),
    ],
    // What corosync has not read keeps nobody from anybody yet.
    stops: written === undefined || read !== undefined ? keepsAway(name) : nothing,
    fixes: [look("See its journal", name, "journalctl -u corosync -n 20")],
    line: broken.line,
    column: broken.column,
    ...(broken.mend === "" ? {} : { mend: broken.mend }),
  };
}

/** What made corosync of this machine read the file that was written: a reload, or a start. */
export function readSince(scene: Scene, name: string, written: RecordedAct): RecordedAct | undefined {
  const started = starts(daemonOf(scene, name, "corosync"));
  return scene.record.last((one) => one.at >= written.at && (reloads(one) || started(one)));
}

const wrote = (machine: string): ((act: RecordedAct) => boolean) => {
  return ({ act, line }) =>
    act.to === "machine" && act.machine === machine && /^(write|remove) /.test(line) && line.includes("corosync.conf");
};

/** What a unit is given to stop before it is killed, and a little more. */
const STOP_TIMEOUT = 100 * SEC;

/** What was done to the file that a daemon says it could not start without. */
function missedFile(scene: Scene, machine: string, told: Notice | undefined, until: number): RecordedAct | undefined {
  const [path] = /\/etc\/corosync\/[\w./-]*\w/.exec(told?.text ?? "") ?? [];
  const done = path === undefined ? "" : path.slice(path.lastIndexOf("/") + 1);
  return done === ""
    ? undefined
    : scene.record.last((one) => one.machine === machine && /^(write|remove) /.test(one.line) && one.line.endsWith(done), until);
}

function failedCause(scene: Scene, { name }: MachineStatus, unit: string, main: boolean): Cause {
  const failed = lastNotice(scene, name, unit, "failed", "killed");
  const killed = lastNotice(scene, name, unit, "killed");
  const at = failed?.at ?? scene.now;
  const wasKilled = killed !== undefined && failed !== undefined && failed.at - killed.at < 1_000_000;
  const broken = main && !wasKilled ? fileError(scene, name) : undefined;
  const refused = scene.record
    .notices(scene.world, name, 0)
    .filter(
      (notice) =>
        notice.unit === unit &&
        notice.what === (unit === "corosync" ? "refused" : "device") &&
        notice.at <= at &&
        at - notice.at < 5_000_000,
    );
  const told = refused.find(({ text }) => !text.startsWith("Corosync Cluster Engine exiting"));
  const written = broken === undefined ? missedFile(scene, name, told, at) : scene.record.last(wrote(name), at);
  const daemon = daemonOf(scene, name, unit);
  const [ended, started] = [ends(daemon), starts(daemon)];
  // A daemon that was killed was killed then, or at the end of what a unit is given to stop.
  const act = scene.record.last((one) => (ended(one) && (!wasKilled || at - one.at <= STOP_TIMEOUT)) || (!wasKilled && started(one)), at);
  const acts = [written, act].filter((one) => one !== undefined).sort((a, b) => a.at - b.at);
  const [cause] = acts;
  const status = statusRef(name, `units.${unit}`, at);
  const text =
    broken !== undefined
      ? `corosync.conf of ${name} is broken: ${broken.text}`
      : wasKilled
        ? `${unit} on ${name} was killed`
        : `${unit} failed on ${name}`;
  const noticed: WhyClause[] = [
    ...(told === undefined
      ? []
      : [{ role: "noticed" as const, text: `${unit} on ${name} refused to start.`, refs: [noticeRef(name, told)] }]),
    ...(failed === undefined
      ? []
      : [{ role: "noticed" as const, text: `systemd on ${name} took ${unit} for failed.`, refs: [noticeRef(name, failed)] }]),
  ];
  return {
    code: broken === undefined ? "unit-failed" : "bad-file",
    severity: "error",
    rank: broken === undefined ? 12 : 10,
    nodes: [name],
    since: cause !== undefined && cause.at <= at ? cause.at : at,
    text,
    refs: [...acts.map(actRef), ...(broken === undefined ? [] : [statusRef(name, CONF, at)]), status],
    ...(main ? { out: name } : {}),
    stops: main ? keepsAway(name) : nothing,
    noticed,
    fixes: [
      look("See why", name, `journalctl -u ${unit} -n 20`),
      ...(broken === undefined ? [startFix(`Start ${unit}`, `service start ${name} ${unit}`)] : []),
    ],
    ...(broken === undefined ? {} : { line: broken.line, column: broken.column, ...(broken.mend === "" ? {} : { mend: broken.mend }) }),
  };
}

function stoppedCause(scene: Scene, { name, powerSince }: MachineStatus, unit: string, main: boolean): Cause {
  const stopped = scene.record.notices(scene.world, name, powerSince).findLast((n) => n.unit === unit && n.what === "stopped");
  const act = scene.record.last(ends(daemonOf(scene, name, unit)), stopped?.at ?? scene.now);
  const cause = stopped === undefined ? undefined : act;
  const status = statusRef(name, `units.${unit}`, stopped?.at ?? powerSince);
  return {
    code: "unit-stopped",
    severity: "warning",
    rank: 40,
    nodes: [name],
    since: cause?.at ?? stopped?.at ?? powerSince,
    text: stopped === undefined ? `${unit} does not run on ${name}` : `${unit} was stopped on ${name}`,
    refs: [...(cause === undefined ? [] : [actRef(cause)]), status],
    ...(main ? { out: name } : {}),
    stops: main ? keepsAway(name) : nothing,
    noticed:
      stopped === undefined
        ? []
        : [{ role: "noticed", text: `systemd on ${name} saw ${unit} end in order.`, refs: [noticeRef(name, stopped)] }],
    fixes: [startFix(`Start ${unit}`, `service start ${name} ${unit}`)],
  };
}

/** It is on its way up: the machine boots, or its daemon starts or stops just now. */
function risingCause(scene: Scene, { name, booting, powerSince, units }: MachineStatus, unit: string): Cause | undefined {
  const state = units[unit];
  const moving = state === "activating" || state === "deactivating";
  if (!booting && !moving) return undefined;
  const daemon = daemonOf(scene, name, unit);
  const [ended, started] = [ends(daemon), starts(daemon)];
  const rebooted = typed(name, /^(reboot|shutdown -r|systemctl reboot)\b/);
  const act = scene.record.last((one) => (booting ? did(name, "power-on", "reboot")(one) || rebooted(one) : ended(one) || started(one)));
  const since = act?.at ?? (booting ? powerSince : scene.now);
  const status = statusRef(name, booting ? "booting" : `units.${unit}`, since);
  return {
    code: "starting",
    severity: "note",
    rank: 120,
    nodes: [name],
    since,
    text: booting ? `${name} is booting` : state === "activating" ? `${unit} is starting on ${name}` : `${unit} is stopping on ${name}`,
    refs: [...(act === undefined ? [] : [actRef(act)]), status],
    out: name,
    stops: keepsAway(name),
    fixes: [],
  };
}

/** SIGSTOP of the daemon: its status goes on to tell what it believed last. */
function frozenCause(scene: Scene, machine: MachineStatus, unit: string): Cause | undefined {
  const { name } = machine;
  const last = stoppedBy(scene, machine, unit);
  if (last === undefined) return undefined;
  return {
    code: "service-stalled",
    severity: "error",
    rank: 22,
    nodes: [name],
    since: last.at,
    text: `${unit} on ${name} is stopped by SIGSTOP: it runs no further`,
    refs: [actRef(last)],
    out: name,
    stops: keepsAway(name),
    fixes: [startFix(`SIGCONT to ${unit}`, `service resume ${name} ${unit}`)],
  };
}

function diskCause(scene: Scene, { name, disk }: MachineStatus): Cause | undefined {
  if (disk.state === "ok") return undefined;
  const act = scene.record.last(did(name, "disk-device"));
  return {
    code: "disk",
    severity: disk.state === "slow" ? "warning" : "error",
    rank: 50,
    nodes: [name],
    since: act?.at ?? scene.now,
    text: diskText(name, disk.state, disk.commitUs),
    refs: [...(act === undefined ? [] : [actRef(act)]), statusRef(name, "disk", scene.now)],
    stops: nothing,
    means: [{ role: "means", text: diskMeans(name, disk.state), refs: [statusRef(name, "disk", scene.now)] }],
    fixes: [startFix("Mend the disk", `disk ${name} ok`)],
  };
}

/** A daemon that is there beside the main one and does not run although it should. */
function otherUnits(scene: Scene, machine: MachineStatus, main: string): Cause[] {
  return Object.entries(machine.units).flatMap(([unit, state]): Cause[] => {
    if (unit === main) return [];
    if (state === "failed") return [failedCause(scene, machine, unit, false)];
    const isDevice = unit === "corosync-qdevice" && machine.quorum !== null && machine.quorum.qdevice !== null;
    return isDevice && state === "inactive" ? [stoppedCause(scene, machine, unit, false)] : [];
  });
}

/** @param members whether the machine is of a cluster: it has a corosync.conf, or somebody lists it */
export function machineCauses(scene: Scene, members: ReadonlySet<string>): Cause[] {
  return scene.machines.flatMap((machine): Cause[] => {
    const power = powerCause(scene, machine);
    const disk = diskCause(scene, machine);
    const out: Cause[] = disk === undefined ? [] : [disk];
    if (power !== undefined) return [power, ...out];
    const unit = mainOf(machine);
    const rising = risingCause(scene, machine, unit);
    if (rising !== undefined) return [rising, ...out];
    const state = machine.units[unit];
    const of = machine.kind === "qnetd" || members.has(machine.name);
    if (state === "failed") out.push(failedCause(scene, machine, unit, true));
    else if (state === "inactive" && of) out.push(stoppedCause(scene, machine, unit, true));
    const bad = state === "failed" || machine.kind !== "node" ? undefined : badFileCause(scene, machine);
    if (bad !== undefined) out.push(bad);
    const frozen = state === "active" ? frozenCause(scene, machine, unit) : undefined;
    return [...out, ...(frozen === undefined ? [] : [frozen]), ...otherUnits(scene, machine, unit)];
  });
}
