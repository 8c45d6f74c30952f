/**
 * What the service manager and the journal answer to systemctl and journalctl as they are now (command/manager-calls.ts). Verbs are carried out when the processes have had their turns, as a unit's
 * stop or kill has to be able to wait for its process. It goes with these two tools' old form. In the real stack: PID 1's D-Bus interface.
 */
import { JOURNAL, MANAGER, type JournalCalls, type ManagerCalls, type UnitOp, type UnitView } from "../command/index.ts";
import { cloneState, type Hasher, type IpcEvent, type IpcPort, type IpcReply, type IpcRequest, type Peeked } from "../kernel/index.ts";
import { exitText, type Computer, type KernelParty, type Units } from "../machine/index.ts";

interface Waiting {
  readonly id: number;
  readonly seq: number;
  readonly unit: string;
}

interface Verb extends Waiting {
  readonly op: UnitOp;
}

interface ManagerState {
  verbs: Verb[];
  /** Calls of `job`. */
  jobs: Waiting[];
  /** Connections that follow the journal, and its length when they were told last. */
  followers: number[];
  told: number;
}

const VERBS: Readonly<Record<UnitOp, (units: Units, unit: string) => void>> = {
  start: (units, unit) => units.start(unit),
  stop: (units, unit) => units.stop(unit, "exec-stop"),
  restart: (units, unit) => units.restart(unit, "exec-stop"),
  kill: (units, unit) => units.kill(unit),
  enable: (units, unit) => units.setEnabled(unit, true),
  disable: (units, unit) => units.setEnabled(unit, false),
  "reset-failed": (units, unit) => units.resetFailed(unit),
};

function isVerb(call: string): call is UnitOp {
  return Object.hasOwn(VERBS, call);
}

export class ManagerService {
  private state: ManagerState = { verbs: [], jobs: [], followers: [], told: 0 };

  constructor(
    private readonly computer: Computer,
    /** The local sockets as the part of the kernel of this name has them. */
    private readonly port: (party: string) => IpcPort,
  ) {}

  /** The part of the kernel of this name, where it is one of these two. */
  party(name: string): KernelParty | undefined {
    if (name !== MANAGER && name !== JOURNAL) return undefined;
    return { event: (event) => this.event(name, event), peek: (_service, request) => this.peek(request) };
  }

  /** The kernel has started. */
  listen(): void {
    for (const name of [MANAGER, JOURNAL]) this.port(name).listen(name);
  }

  // ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  private event(party: string, event: IpcEvent): void {
    if (event.what === "request") this.request(party, event.id, event.seq, event.request);
    else if (event.what === "closed") {
      const { state } = this;
      state.jobs = state.jobs.filter((j) => j.id !== event.id);
      state.followers = state.followers.filter((f) => f !== event.id);
    }
  }

  private request(party: string, id: number, seq: number, request: IpcRequest): void {
    const unit = typeof request["unit"] === "string" ? request["unit"] : "";
    if (isVerb(request.call)) this.state.verbs.push({ id, seq, unit, op: request.call });
    else if (request.call === "job") this.state.jobs.push({ id, seq, unit });
    else if (request.call === "follow") {
      if (this.state.followers.length === 0) this.state.told = this.computer.journal.length;
      this.state.followers.push(id);
      this.port(party).reply(id, seq, {});
    } else this.port(party).reply(id, seq, this.answer(request) ?? { error: "unknown" });
  }

  private peek(request: IpcRequest): Peeked {
    const reply = this.answer(request);
    return reply === undefined ? { peek: "would-wait" } : { peek: "reply", reply };
  }

  /** What only asks. Journal lines do not change, so that they need no copy. */
  private answer(request: IpcRequest): IpcReply | undefined {
    if (request.call === "units") {
      const units: ManagerCalls["units"]["reply"] = {
        units: this.computer.units.specs.flatMap((s) => unitView(this.computer, s.name) ?? []),
      };
      return units as unknown as IpcReply;
    }
    const from = request["from"];
    if (request.call !== "since" || typeof from !== "number") return undefined;
    const lines: JournalCalls["since"]["reply"] = { from, lines: this.computer.journal.since(from) };
    return lines as unknown as IpcReply;
  }

  // ── after every event of the machine ─────────────────────────────────────────────────────────────────────────────────

  /** Carries out what was asked for, and answers who has waited for what has happened. False where there was nothing to do. */
  wake(): boolean {
    const { state } = this;
    const verbs = state.verbs;
    state.verbs = [];
    for (const verb of verbs) this.carryOut(verb);
    const done = state.jobs.filter((j) => unitView(this.computer, j.unit)?.job === undefined);
    state.jobs = state.jobs.filter((j) => !done.includes(j));
    for (const { id, seq, unit } of done) {
      const view = unitView(this.computer, unit);
      this.port(MANAGER).reply(id, seq, { lastJob: view?.lastJob, result: view?.result ?? "success" });
    }
    const grown = state.followers.length > 0 && this.computer.journal.length > state.told;
    state.told = state.followers.length > 0 ? this.computer.journal.length : 0;
    if (grown) for (const id of state.followers) this.port(JOURNAL).notify(id, { event: "grown" });
    return verbs.length > 0 || done.length > 0 || grown;
  }

  private carryOut({ id, seq, unit, op }: Verb): void {
    const known = this.computer.units.get(unit) !== undefined;
    if (known) {
      VERBS[op](this.computer.units, unit);
      this.computer.afterUnitChange();
    }
    this.port(MANAGER).reply(id, seq, known ? {} : { error: "not-found" });
  }

  powerLost(): void {
    this.state = { verbs: [], jobs: [], followers: [], told: 0 };
  }

  snapshot(): unknown {
    return cloneState(this.state);
  }

  restore(state: unknown): void {
    this.state = cloneState(state as ManagerState);
  }

  digest(h: Hasher): void {
    const { verbs, jobs, followers, told } = this.state;
    h.int(verbs.length).int(jobs.length).int(followers.length).int(told);
    for (const { id, seq, unit } of jobs) h.int(id).int(seq).text(unit);
    for (const id of followers) h.int(id);
  }
}

function unitView(computer: Computer, name: string): UnitView | undefined {
  const spec = computer.units.spec(name);
  const r = computer.units.get(name);
  if (spec === undefined || r === undefined) return undefined;
  return {
    name,
    description: spec.description,
    execStart: spec.execStart,
    state: r.state,
    autoRestart: r.autoRestart,
    enabled: r.enabled,
    result: r.result,
    exitText: r.exit === undefined ? undefined : exitText(r.exit),
    conditionPath: spec.conditionPath,
    conditionFailedAt: r.conditionFailedAt,
    mainPid: r.mainPid,
    since: r.since,
    startedAt: r.startedAt,
    endedAt: r.endedAt,
    job: r.startQueued ? "start" : r.job,
    lastJob: r.lastJob,
  };
}
