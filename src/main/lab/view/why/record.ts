/** The record of a run as far as reasons are read off it: acts that change how a cluster stands, and the lines of its journals that tell what was noticed. */
import type { WorldAct } from "../../../../engine/world/index.ts";
import type { FaultView } from "../../../../engine/fabric/index.ts";
import { listFaults } from "../../../../engine/fabric/index.ts";
import { JOURNAL_LINES_MAX, type Instant, type JournalLine, type MachineAct } from "../../../../engine/kernel/index.ts";
import type { World } from "../../../../engine/world/world.ts";
import { lineOf } from "../../act/table.ts";
import { noticeOf, ofCluster, type Notice } from "./notices.ts";

/** Acts remembered; what came of older ones is told without them. */
const ACTS_MAX = 2_000;
/** Lines remembered of each machine. */
const NOTICES_MAX = 400;
/** Process IDs of one daemon that are remembered. */
const PIDS_MAX = 32;
/** What is typed is shown as far as this. */
const LINE_CHARS_MAX = 120;

export interface RecordedAct {
  readonly at: Instant;
  readonly act: WorldAct;
  /** As a person writes it, or wrote it in a terminal. */
  readonly line: string;
  /** The machine it was done to, or on. */
  readonly machine: string | undefined;
}

/** Programs with which somebody at a prompt changes how the cluster stands. */
const CHANGING_PROGRAMS: ReadonlySet<string> = new Set(
  "systemctl service corosync poweroff halt reboot shutdown init kill killall pkill pvecm corosync-cfgtool corosync-quorumtool corosync-keygen ip ifup ifdown".split(
    " ",
  ),
);
/** Of these only to look at something. */
const LOOKING =
  /^(systemctl (status|is-|show|cat|list-)|service \S+ status|pvecm (status|nodes|expected$)|corosync-cfgtool (-[sn]|-)|corosync-quorumtool( -[slim]|$)|ip (a|addr|r|route|n|neigh|-))/;
/** Absolute, or as somebody names it who stands in the directory. */
const CONFIGURATION = /^\/etc\/corosync\/|^(\.\/)?(corosync\.conf|authkey)/;

function typedLine(argv: readonly string[]): string | undefined {
  const [path = "", ...rest] = argv;
  const name = path.slice(path.lastIndexOf("/") + 1);
  const line = [name, ...rest].join(" ");
  if (!CHANGING_PROGRAMS.has(name)) return undefined;
  if (line.startsWith("corosync-cfgtool -R") || line.startsWith("corosync-cfgtool -k") || line.startsWith("corosync-cfgtool -H"))
    return line;
  return LOOKING.test(line) ? undefined : line;
}

/** What is done to a file of corosync's configuration. */
function fileLine(act: MachineAct): string | undefined {
  const told = (verb: string, path: string): string | undefined => (CONFIGURATION.test(path) ? `${verb} ${path}` : undefined);
  if (act.kind === "file-write" || act.kind === "file-touch") return told("write", act.path);
  if (act.kind === "file-remove") return told("remove", act.path);
  if (act.kind === "file-rename") return told("write", act.to);
  if (act.kind !== "file") return undefined;
  const { call } = act;
  if (call.call === "open") return call.flags.access === "r" ? undefined : told("write", call.path);
  if (call.call === "truncate") return told("write", call.path);
  if (call.call === "unlink") return told("remove", call.path);
  return call.call === "rename" || call.call === "link" ? told("write", call.to) : undefined;
}

function machineLine(act: WorldAct & { to: "machine" }): string | undefined {
  const { act: own, machine } = act;
  switch (own.kind) {
    case "power-on":
    case "shutdown":
    case "reboot":
    case "power-cut":
    case "stall":
    case "resume":
    case "service":
    case "service-stall":
    case "service-resume":
    case "disk-device":
    case "nic-up":
      return lineOf(act);
    case "worker-lost":
      return `the process of ${machine} was lost`;
    case "session-run":
    case "command":
      return typedLine(own.argv);
    case "session-kill":
      // The shell's own kill, as it was carried out.
      return `kill -${own.signal.slice(3)} ${own.pid}`;
    default:
      return fileLine(own);
  }
}

/** How an act is told; undefined: it is not one of those that reasons are read off. */
export function actLine(act: WorldAct): string | undefined {
  const line = act.to === "machine" ? machineLine(act) : act.to === "fabric" && act.act.kind === "faults" ? "undo" : safeLine(act);
  return line === undefined || line.length <= LINE_CHARS_MAX ? line : `${line.slice(0, LINE_CHARS_MAX - 1)}…`;
}

/** A change of the lab's machines and networks may have no line of its own. */
function safeLine(act: WorldAct): string {
  try {
    return lineOf(act);
  } catch {
    return act.act.kind;
  }
}

/** What one machine's journal told, oldest first. */
class Told {
  readonly notices: Notice[] = [];
  /** Process IDs under which each unit wrote. */
  readonly pids = new Map<string, Set<number>>();
  private read = 0;

  /** Reads on from where it was. */
  follow(machine: ReturnType<World["named"]>): void {
    const length = machine.journalLength();
    if (length < this.read) {
      this.read = 0;
      this.notices.length = 0;
      this.pids.clear();
    }
    if (length > this.read) {
      let index = Math.max(this.read, length - JOURNAL_LINES_MAX);
      for (const line of machine.journalSince(index)) {
        this.seen(line);
        const notice = noticeOf(line, index++);
        if (notice !== undefined) this.notices.push(notice);
      }
      this.read = length;
    }
    // What the journal itself has dropped is no longer there to point at.
    const kept = this.notices.findIndex(({ index }) => index >= length - JOURNAL_LINES_MAX);
    const surplus = Math.max(this.notices.length - NOTICES_MAX, kept < 0 ? this.notices.length : kept);
    if (surplus > 0) this.notices.splice(0, surplus);
  }

  private seen({ unit, pid }: JournalLine): void {
    if (!ofCluster(unit) || pid <= 1) return;
    const known = this.pids.get(unit) ?? new Set();
    if (known.has(pid)) return;
    const [oldest] = known;
    if (known.size >= PIDS_MAX && oldest !== undefined) known.delete(oldest);
    this.pids.set(unit, known.add(pid));
  }
}

const NO_PIDS: ReadonlySet<number> = new Set();

export class RunRecord {
  private acts: RecordedAct[] = [];
  private read = 0;
  private readonly told = new WeakMap<object, Told>();

  /** Takes in what has happened since it was asked last. */
  follow(world: World): this {
    const inputs = world.inputs();
    for (; this.read < inputs.length; this.read++) {
      const input = inputs[this.read];
      const line = input === undefined ? undefined : actLine(input.act);
      if (input === undefined || line === undefined) continue;
      if (input.act.to === "lab" && input.act.act.kind === "machine-rename") this.renamed(input.act.act.machine, input.act.act.to);
      this.acts.push({ at: input.at, act: input.act, line, machine: input.act.to === "machine" ? input.act.machine : undefined });
    }
    if (this.acts.length > ACTS_MAX) this.acts.splice(0, this.acts.length - ACTS_MAX);
    return this;
  }

  private renamed(from: string, to: string): void {
    this.acts = this.acts.map((one) => (one.machine === from ? { ...one, machine: to } : one));
  }

  /** The last act that `fits`, not after `until`. */
  last(fits: (act: RecordedAct) => boolean, until: Instant = Number.POSITIVE_INFINITY): RecordedAct | undefined {
    return this.acts.findLast((act) => act.at <= until && fits(act));
  }

  /** What the machine's journal told from `since` on, oldest first. */
  notices(world: World, machine: string, since: Instant): Notice[] {
    return this.followed(world, machine).notices.filter(({ at }) => at >= since);
  }

  /** Process IDs that this unit of the machine has had, as its journal knows. */
  pids(world: World, machine: string, unit: string): ReadonlySet<number> {
    return this.followed(world, machine).pids.get(unit) ?? NO_PIDS;
  }

  private followed(world: World, machine: string): Told {
    const named = world.named(machine);
    const told = this.told.get(named) ?? new Told();
    this.told.set(named, told);
    told.follow(named);
    return told;
  }
}

/** A list of inputs is a run: a rollback begins another. */
const records = new WeakMap<object, RunRecord>();

/** What is known of the run of this world, up to now. */
export function recordOf(world: World): RunRecord {
  const key = world.inputs();
  const record = records.get(key) ?? new RunRecord();
  records.set(key, record);
  return record.follow(world);
}

// ── which act made a fault ─────────────────────────────────────────────────────────────────────────────────────────────

const meets = (a: string | undefined, b: string | undefined): boolean =>
  a === undefined || b === undefined || a === b || a === "both" || b === "both";

function sameFault(a: FaultView, b: FaultView): boolean {
  if (a.kind !== b.kind || !meets(a.net, b.net)) return false;
  if (a.kind === "partition") return JSON.stringify(a.groups) === JSON.stringify(b.groups);
  if (a.kind === "block") return a.node === b.node && a.port === b.port && a.proto === b.proto;
  if ((a.to === undefined) !== (b.to === undefined)) return false;
  if (a.to !== undefined && a.node === b.to && a.to === b.node) return true;
  return a.node === b.node && a.to === b.to && meets(a.direction, b.direction);
}

/** Whether this act brought the fault about. */
export function madeBy(fault: FaultView, { act }: RecordedAct): boolean {
  if (act.to !== "fabric") return false;
  const own = act.act;
  switch (own.kind) {
    case "link-cut":
      return sameFault(fault, { kind: "cut", ...own.link });
    case "link-set":
      return sameFault(fault, { kind: "link-setting", ...own.link });
    case "switch":
      return fault.kind === "switch" && fault.net === own.net && !own.on;
    case "partition":
      return fault.kind === "partition" && JSON.stringify(fault.groups) === JSON.stringify(own.groups);
    case "block":
      return own.on && sameFault(fault, { kind: "block", ...own.block });
    case "faults":
      return listFaults(own.state).some((one) => sameFault(fault, one));
    default:
      return false;
  }
}
