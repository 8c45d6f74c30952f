/** The task log of a lab: who did what, when, and what came of it. Bounded; the oldest go, and how many went is known. */
import type { Instant } from "../../../engine/kernel/time.ts";
import type { Actor, Task, TaskList } from "../api-history.ts";

/** Entries kept. */
export const TASKS_MAX = 1_000;
/** Characters of a line, and of what was said about it. */
const LINE_CHARS_MAX = 2_000;

/** Who asks for something. */
export interface Asker {
  readonly by: Actor;
  /** The node at whose prompt. */
  readonly at: string | null;
}

/** The lab itself. */
export const LAB: Asker = { by: "lab", at: null };

export type Outcome = Pick<Task, "result" | "said" | "status">;

const cut = (text: string): string => (text.length > LINE_CHARS_MAX ? `${text.slice(0, LINE_CHARS_MAX)}…` : text);

export class TaskLog {
  private kept: Task[] = [];
  private nextId = 1;
  private revised = 0;
  private dropped = 0;

  /** @param changed is told each entry that is new or has another outcome */
  constructor(private readonly changed: (task: Task) => void = () => undefined) {}

  get revision(): number {
    return this.revised;
  }

  /** @returns the entry's number */
  begin(at: Instant, asker: Asker, kind: Task["kind"], line: string, nodes: readonly string[], outcome?: Outcome): number {
    const id = this.nextId++;
    const open: Outcome = { result: "running", said: "", status: null };
    this.put({ id, revision: 0, instant: at, ...asker, kind, line: cut(line), nodes: [...nodes], ...(outcome ?? open) });
    return id;
  }

  end(id: number, { result, said, status }: Outcome): void {
    const task = this.kept.find((one) => one.id === id);
    if (task?.result === "running") this.put({ ...task, result, said: cut(said), status });
  }

  /** An entry as it stands from now on: new, or in place of the one of its number. */
  put(task: Task): void {
    const revised = { ...task, revision: ++this.revised };
    this.nextId = Math.max(this.nextId, task.id + 1);
    const index = this.kept.findIndex((one) => one.id === task.id);
    if (index < 0) this.kept.push(revised);
    else this.kept[index] = revised;
    if (this.kept.length > TASKS_MAX) {
      this.kept.shift();
      this.dropped++;
    }
    this.changed(revised);
  }

  /** Nobody is left who could say how what still runs ends. */
  lose(): void {
    for (const { id, result } of [...this.kept]) if (result === "running") this.end(id, { result: "lost", said: "", status: null });
  }

  since(revision: number): TaskList {
    return { tasks: this.kept.filter((task) => task.revision > revision), revision: this.revised, dropped: this.dropped };
  }

  all(): readonly Task[] {
    return this.kept;
  }

  /** What began after `at` is forgotten. */
  rewind(at: Instant): void {
    this.kept = this.kept.filter(({ instant }) => instant <= at);
    this.revised++;
  }
}
