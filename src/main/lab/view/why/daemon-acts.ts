/** Which acts stopped, ended or started a daemon: acts of the lab, what was typed at a prompt of its machine, and what was typed at another for the whole cluster. */
import type { MachineStatus } from "../../../../engine/kernel/status.ts";
import type { MachineAct } from "../../../../engine/kernel/index.ts";
import type { World } from "../../../../engine/world/world.ts";
import type { RecordedAct, RunRecord } from "./record.ts";
import { namesUnit, programOf, signalSent } from "./signals.ts";

type Asked = (act: RecordedAct) => boolean;

/** One daemon, as acts are looked for. */
export interface Daemon {
  readonly machine: string;
  readonly unit: string;
  /** Process IDs that it has had. */
  readonly pids: ReadonlySet<number>;
  /** Of its node; undefined: it is none, or nobody knows. */
  readonly nodeId: number | undefined;
}

interface Around {
  readonly world: World;
  readonly record: RunRecord;
  readonly idOf: ReadonlyMap<string, number>;
}

export const daemonOf = ({ world, record, idOf }: Around, machine: string, unit: string): Daemon => ({
  machine,
  unit,
  pids: record.pids(world, machine, unit),
  nodeId: idOf.get(machine),
});

const STOPPING: ReadonlySet<string> = new Set(["SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU"]);
const HARMLESS: ReadonlySet<string> = new Set([...STOPPING, "SIGCONT", "SIGCHLD", "SIGWINCH", "SIGURG"]);
const ENDING_VERBS: ReadonlySet<string> = new Set(["stop", "restart", "try-restart", "condrestart", "reload-or-restart", "force-reload"]);
const STARTING_VERBS: ReadonlySet<string> = new Set(["start", "restart", "reload-or-restart", "force-reload"]);
const NOW_ENDS: ReadonlySet<string> = new Set(["disable", "mask"]);
const NOW_STARTS: ReadonlySet<string> = new Set(["enable", "reenable"]);

const actOn = ({ act }: RecordedAct, machine: string): MachineAct | undefined =>
  act.to === "machine" && act.machine === machine ? act.act : undefined;

const sends =
  (daemon: Daemon, wanted: (signal: string) => boolean): Asked =>
  (one) => {
    const own = actOn(one, daemon.machine);
    const sent = own === undefined ? undefined : signalSent(own);
    return sent !== undefined && wanted(sent.signal) && sent.hits(daemon.unit, daemon.pids);
  };

/** `systemctl VERB UNIT`, `service UNIT VERB`, and with --now what else starts or stops it. */
function manages(own: MachineAct, unit: string, verbs: ReadonlySet<string>, now: ReadonlySet<string>): boolean {
  const program = programOf(own);
  if (program === undefined) return false;
  const args = program.rest.filter((word) => !word.startsWith("-"));
  if (program.name === "service") return namesUnit(args[0] ?? "", unit) && verbs.has(args[1] ?? "");
  if (program.name !== "systemctl") return false;
  const [verb = "", ...units] = args;
  return units.some((word) => namesUnit(word, unit)) && (verbs.has(verb) || (now.has(verb) && program.rest.includes("--now")));
}

/** It was stopped by a signal, and did not end. */
export const stops = (daemon: Daemon): Asked => {
  const sent = sends(daemon, (signal) => STOPPING.has(signal));
  return (one) => {
    const own = actOn(one, daemon.machine);
    return (own?.kind === "service-stall" && own.unit === daemon.unit) || sent(one);
  };
};

/** It was let run on. */
export const resumes = (daemon: Daemon): Asked => {
  const sent = sends(daemon, (signal) => signal === "SIGCONT");
  return (one) => {
    const own = actOn(one, daemon.machine);
    return (own?.kind === "service-resume" && own.unit === daemon.unit) || sent(one);
  };
};

/** It was told to end, or its process was. */
export const ends = (daemon: Daemon): Asked => {
  const { machine, unit, nodeId } = daemon;
  const sent = sends(daemon, (signal) => !HARMLESS.has(signal));
  return (one) => {
    if (unit === "corosync" && one.act.to === "machine") {
      const program = programOf(one.act.act);
      // -k is for a node of the cluster, wherever it is typed.
      if (program?.name === "corosync-cfgtool") {
        const [option = "", id = ""] = program.rest;
        if (option.startsWith("-k")) return nodeId !== undefined && Number(option === "-k" ? id : option.slice(2)) === nodeId;
        if (option.startsWith("-H")) return one.act.machine === machine;
      }
      if (program?.name === "pvecm") return program.rest[0] === "delnode" && program.rest[1] === machine;
    }
    const own = actOn(one, machine);
    if (own === undefined) return false;
    if (own.kind === "service") return own.unit === unit && own.op !== "start";
    return manages(own, unit, ENDING_VERBS, NOW_ENDS) || sent(one);
  };
};

/** It was told to start: by itself, or with its machine. */
export const starts =
  ({ machine, unit }: Daemon): Asked =>
  (one) => {
    const own = actOn(one, machine);
    if (own === undefined) return false;
    if (own.kind === "power-on" || own.kind === "reboot") return true;
    if (own.kind === "service") return own.unit === unit && (own.op === "start" || own.op === "restart");
    return manages(own, unit, STARTING_VERBS, NOW_STARTS) || /^(reboot|shutdown -r|systemctl reboot)\b/.test(one.line);
  };

/** corosync.conf was read anew on every node, wherever that was typed. */
export const reloads: Asked = ({ act, line }) => act.to === "machine" && line.startsWith("corosync-cfgtool -R");

/** Process names are kept as far as this. */
const COMM_CHARS_MAX = 15;

/** What the process list of the machine says: the process of this unit that is stopped, by its process ID. */
function stoppedPid(world: World, machine: string, unit: string): number | undefined {
  const argv = ["ps", "-C", unit.slice(0, COMM_CHARS_MAX), "-o", "pid=,stat="];
  const reply = world.query(machine, { kind: "command", argv, cwd: "/", stdin: "" });
  if (reply.kind !== "result") return undefined;
  const row = reply.stdout.split("\n").find((line) => /^\s*\d+ +T/.test(line));
  return row === undefined ? undefined : Number.parseInt(row, 10);
}

/** The SIGSTOP that the daemon of this machine stands under, if its process is stopped. */
export function stoppedBy(around: Around, { name, power, powerSince }: MachineStatus, unit: string): RecordedAct | undefined {
  if (power === "off") return undefined;
  const daemon = daemonOf(around, name, unit);
  const since = (fits: Asked): RecordedAct | undefined => around.record.last((one) => one.at >= powerSince && fits(one));
  // The process list is looked at only where somebody has sent such a signal at all.
  const any = (one: RecordedAct): boolean => {
    const own = actOn(one, name);
    return own?.kind === "service-stall" || (own !== undefined && STOPPING.has(signalSent(own)?.signal ?? ""));
  };
  if (since(any) === undefined) return undefined;
  const pid = stoppedPid(around.world, name, unit);
  if (pid === undefined) return undefined;
  return since(stops({ ...daemon, pids: new Set([...daemon.pids, pid]) })) ?? since(any);
}
