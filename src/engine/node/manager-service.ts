/**
 * What the service manager and the journal answer over their local sockets (command/manager-calls.ts). Requests are carried out when the processes have had their turns, as a unit's stop or kill has
 * to be able to wait for its process. In the real stack: PID 1's D-Bus interface. Left out: what nobody here asks for.
 */
import {
  JOURNAL,
  MANAGER,
  jobAnswer,
  journalText,
  systemctlQuery,
  type JournalCalls,
  type ManagerCall,
  type ManagerCalls,
  type SystemctlHost,
} from "../command/index.ts";
import { cloneState, type Hasher, type IpcEvent, type IpcPort, type IpcReply, type IpcRequest, type Peeked } from "../kernel/index.ts";
import type { Computer, KernelParty } from "../machine/index.ts";
import { systemdView } from "../machine/systemd/index.ts";
import type { UnitActs } from "./unit-acts.ts";

interface Waiting {
  readonly id: number;
  readonly seq: number;
}

interface ManagerState {
  acts: (Waiting & { readonly act: ManagerCall })[];
  /** Calls of `job`. */
  jobs: (Waiting & { readonly job: number; readonly unit: string })[];
  /** Connections that follow the journal, and its length when they were told last. */
  followers: number[];
  told: number;
}

const idle = (): ManagerState => ({ acts: [], jobs: [], followers: [], told: 0 });

export class ManagerService {
  private state = idle();

  constructor(
    private readonly computer: Computer,
    private readonly services: () => readonly string[],
    private readonly acts: UnitActs,
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
    const { state } = this;
    // Who speaks here is a tool of this machine: its requests have the shapes of ManagerCalls.
    if (request.call === "act") state.acts.push({ id, seq, act: (request as unknown as ManagerCalls["act"]["request"]).act });
    else if (request.call === "job") state.jobs.push({ id, seq, ...(request as unknown as ManagerCalls["job"]["request"]) });
    else if (request.call === "follow") {
      if (state.followers.length === 0) state.told = this.computer.journal.length;
      state.followers.push(id);
      this.port(party).reply(id, seq, {});
    } else this.port(party).reply(id, seq, this.answer(request) ?? { error: "unknown" });
  }

  private peek(request: IpcRequest): Peeked {
    const reply = this.answer(request);
    return reply === undefined ? { peek: "would-wait" } : { peek: "reply", reply };
  }

  /** What only asks. Journal lines do not change, so that they need no copy. */
  private answer(request: IpcRequest): IpcReply | undefined {
    const { journal } = this.computer;
    switch (request.call) {
      case "query":
        return { ...systemctlQuery(this.host(), (request as unknown as ManagerCalls["query"]["request"]).argv) };
      case "services":
        return { names: this.services() };
      case "since": {
        const { from } = request as unknown as JournalCalls["since"]["request"];
        const lines: JournalCalls["since"]["reply"] = { from, lines: journal.since(from) };
        return lines as unknown as IpcReply;
      }
      default:
        return undefined;
    }
  }

  /** What a question of systemctl looks at. */
  private host(): SystemctlHost {
    const { computer } = this;
    const { hostname, now, journal } = computer;
    const clock = { hostname, now, epochUnixMicros: computer.unixMicros() - now };
    return {
      ...clock,
      systemd: systemdView(computer.manager),
      journalSince: (from) => journal.since(from),
      journalText: (line) => journalText(clock, line, "short", true),
    };
  }

  // ── after every event of the machine ─────────────────────────────────────────────────────────────────────────────────

  /** Carries out what was asked for, and answers who has waited for what has happened. False where there was nothing to do. */
  wake(): boolean {
    const { state } = this;
    const { acts } = state;
    state.acts = [];
    for (const { id, seq, act } of acts) this.port(MANAGER).reply(id, seq, { answer: this.acts.call(act) as unknown as IpcReply });
    const done = this.endedJobs();
    const grown = state.followers.length > 0 && this.computer.journal.length > state.told;
    state.told = state.followers.length > 0 ? this.computer.journal.length : 0;
    if (grown) for (const id of state.followers) this.port(JOURNAL).notify(id, { event: "grown" });
    return acts.length > 0 || done || grown;
  }

  /** Answers those who wait for a job that is over. */
  private endedJobs(): boolean {
    const { state } = this;
    const waiting = state.jobs;
    state.jobs = [];
    for (const each of waiting) {
      const answer = jobAnswer(this.computer.manager, each.job, each.unit);
      if (answer === undefined) state.jobs.push(each);
      else this.port(MANAGER).reply(each.id, each.seq, { answer: answer as unknown as IpcReply });
    }
    return state.jobs.length < waiting.length;
  }

  powerLost(): void {
    this.state = idle();
  }

  snapshot(): unknown {
    return cloneState(this.state);
  }

  restore(state: unknown): void {
    this.state = cloneState(state as ManagerState);
  }

  digest(h: Hasher): void {
    const { acts, jobs, followers, told } = this.state;
    h.int(acts.length).int(jobs.length).int(followers.length).int(told);
    for (const { id, seq, unit, job } of jobs) h.int(id).int(seq).int(job).text(unit);
    for (const id of followers) h.int(id);
  }
}
