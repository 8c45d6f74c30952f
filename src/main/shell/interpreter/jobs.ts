/** Background jobs of one shell. */
import type { Interrupt } from "../interrupt.ts";

/** Jobs of one shell that run at a time. */
export const JOBS_MAX = 128;

export interface Job {
  readonly id: number;
  readonly pid: number;
  /** It leads a process group. */
  readonly group: boolean;
  readonly text: string;
  readonly interrupt: Interrupt;
  readonly done: Promise<number>;
  /** undefined while running */
  status: number | undefined;
  /** A signal stopped it. */
  stopped: boolean;
  /** The person was told of its end. */
  told: boolean;
}

export class Jobs {
  private readonly list: Job[];
  /** Of the shell this one was copied from: shown and signalled, not waited for. */
  private readonly foreign: ReadonlySet<Job>;

  constructor(inherited: readonly Job[] = []) {
    this.list = [...inherited];
    this.foreign = new Set(inherited);
  }

  add(pid: number, group: boolean, text: string, interrupt: Interrupt, done: Promise<number>): Job {
    const id = this.list.reduce((max, job) => Math.max(max, job.id), 0) + 1;
    const job: Job = { id, pid, group, text, interrupt, status: undefined, stopped: false, told: false, done };
    this.list.push(job);
    done.then(
      (status) => (job.status = status),
      () => (job.status = 1),
    );
    return job;
  }

  all(): readonly Job[] {
    return this.list;
  }

  /** Those this shell started itself. */
  own(): Job[] {
    return this.list.filter((job) => !this.foreign.has(job));
  }

  running(): Job[] {
    return this.list.filter((job) => job.status === undefined);
  }

  /** `%1`, `%%`, `%+`, `%-`, `%name`, or a process id. */
  find(spec: string): Job | undefined {
    if (!spec.startsWith("%")) return this.list.find((job) => String(job.pid) === spec);
    const rest = spec.slice(1);
    if (rest === "" || rest === "%" || rest === "+") return this.list.at(-1);
    if (rest === "-") return this.list.at(-2) ?? this.list.at(-1);
    if (/^\d+$/.test(rest)) return this.list.find((job) => job.id === Number(rest));
    return this.list.find((job) => job.text.startsWith(rest));
  }

  remove(job: Job): void {
    const at = this.list.indexOf(job);
    if (at >= 0) this.list.splice(at, 1);
  }

  /** `+` for the last job, `-` for the one before. */
  mark(job: Job): string {
    if (this.list.at(-1) === job) return "+";
    return this.list.at(-2) === job ? "-" : " ";
  }

  /** For a subshell: it sees its parent's jobs (`kill $(jobs -p)`) and has none of its own yet. */
  inherit(): Jobs {
    return new Jobs(this.list);
  }
}

function jobState({ status, stopped }: Job): string {
  if (status === undefined) return stopped ? "Stopped" : "Running";
  if (status === 0) return "Done";
  if (status === 130) return "Interrupt";
  if (status === 143) return "Terminated";
  if (status === 137) return "Killed";
  if (status === 129) return "Hangup";
  if (status === 131) return "Quit";
  return `Exit ${status}`;
}

/** `[1]+  Running                 sleep 100 &` */
export function jobLine(jobs: Jobs, job: Job): string {
  return `[${job.id}]${jobs.mark(job)}  ${jobState(job).padEnd(24)}${job.text}${job.status === undefined && !job.stopped ? " &" : ""}\n`;
}
