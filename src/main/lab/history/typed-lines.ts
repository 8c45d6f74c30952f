/** Lines typed at the prompts of the nodes, in the task log with what came of them; those that acted on the node, or changed its corosync.conf, also leave a flag on the timeline. */
import { CONF_PATH } from "../../../engine/config/index.ts";
import { fromUtf8 } from "../../../engine/kernel/bytes.ts";
import type { Instant } from "../../../engine/kernel/time.ts";
import type { World } from "../../../engine/world/index.ts";
import { unreachable } from "../view/conditions.ts";
import type { Timeline } from "../view/timeline.ts";
import type { Asker } from "./tasks.ts";
import { actsOnNode } from "./typed-acts.ts";

/** Characters of a line on a flag. */
const FLAG_CHARS_MAX = 80;

interface Open {
  readonly at: Instant;
  readonly node: string;
  readonly line: string;
  /** corosync.conf as it stood before it; undefined where there was none. */
  readonly conf: string | undefined;
}

export class TypedLines {
  private readonly open = new Map<number, Open>();

  constructor(
    private readonly world: Pick<World, "now" | "has" | "query" | "status">,
    private readonly timeline: Timeline,
  ) {}

  /** @returns the number of its entry */
  begin(asker: Asker, node: string, line: string): number {
    const { world, timeline } = this;
    const at = world.now;
    const id = timeline.tasks.begin(at, asker, "command", line.trim(), [node]);
    this.open.set(id, { at, node, line: line.trim(), conf: this.confOf(node) });
    return id;
  }

  /** @param status with which it ended; undefined: its shell is gone, and nobody knows */
  end(id: number, status: number | undefined): void {
    const line = this.open.get(id);
    if (line === undefined) return;
    this.open.delete(id);
    const { tasks } = this.timeline;
    tasks.end(id, status === undefined ? { result: "lost", said: "", status: null } : { result: "done", said: "", status });
    const changed = this.changedConf(line);
    // A command that takes the machine down takes its shell along.
    if (!changed && (!actsOnNode(line.line) || (status !== undefined && status !== 0))) return;
    const [first = ""] = line.line.split("\n");
    this.timeline.mark(line.at, "act", `${line.node}# ${first.length > FLAG_CHARS_MAX ? `${first.slice(0, FLAG_CHARS_MAX)}…` : first}`);
  }

  private changedConf({ node, conf }: Open): boolean {
    return this.readable(node) && this.confOf(node) !== conf;
  }

  private readable(node: string): boolean {
    return this.world.has(node) && unreachable(this.world.status(node)) === undefined;
  }

  private confOf(node: string): string | undefined {
    if (!this.readable(node)) return undefined;
    const reply = this.world.query(node, { kind: "file-read", path: CONF_PATH });
    return reply.kind === "file" ? fromUtf8(reply.data) : undefined;
  }

  /** The run goes on from where none of them had begun. */
  lose(): void {
    this.open.clear();
  }
}
