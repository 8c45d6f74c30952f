/** Acts in a lab that runs: one after the other, each with all it does, marked on the timeline and remembered so that it can be taken back. */
import type { LiveHost } from "../../../engine/host/index.ts";
import type { ActResult, WorldAct } from "../../../engine/world/index.ts";
import type { Task } from "../api-history.ts";
import { LAB, type Asker } from "../history/tasks.ts";
import { Trouble } from "../trouble.ts";
import type { Timeline } from "../view/timeline.ts";
import { planBuild, planImport } from "./build.ts";
import { sceneOf, type PlannedAct } from "./kind.ts";
import { impossible, readAct } from "./table.ts";
import { beforeActs, Undo } from "./undo.ts";

export interface ActsAround {
  readonly host: LiveHost;
  readonly timeline: Timeline;
  /** Resolves when everything so far may leave the lab. */
  settled(): Promise<void>;
  /** What a snapshot of the lab shows has changed. */
  changed(): void;
  /** Why nothing more may be done to the lab; undefined: it may. */
  full(): string | undefined;
}

/** What ends something, so that a lab to which nothing more may be done can be taken down. */
const endings = new Set(["session-close", "session-kill", "session-exit", "file-interrupt"]);

/** What whoever still asks for something is told once a lab has begun to end. */
export const GOING_DOWN = "the lab is going down";

export class LabActs {
  private undos = new Undo();
  /** The last that had its turn, or waits for it. */
  private last: Promise<unknown> = Promise.resolve();
  private over = false;

  constructor(private readonly around: ActsAround) {}

  /** Has `work` its turn among everything that acts: two clients' acts do not mix. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.over) return Promise.reject(new Trouble("lab", GOING_DOWN));
    const turn = this.last.then(work);
    this.last = turn.catch(() => undefined);
    return turn;
  }

  /** Resolves when everything that has been asked for so far has had its turn. */
  async idle(): Promise<void> {
    await this.last;
  }

  /** Whether anything is still done. */
  open(on: boolean): void {
    this.over = !on;
  }

  /** Does one act now, inside a turn; it may be told of when the output is settled. */
  async one(act: WorldAct, afterUs = 0): Promise<ActResult & { ok: true }> {
    const { host, full } = this.around;
    const why = act.to === "machine" && endings.has(act.act.kind) ? undefined : full();
    if (why !== undefined) throw new Trouble("failed", why);
    const result = await (afterUs > 0 ? host.actAfter(afterUs, act) : host.act(act));
    if (!result.ok) throw new Trouble("usage", result.message);
    return result;
  }

  /** Does an acting line. Returns what was done, as a sentence. */
  act(line: string, asker: Asker = LAB): Promise<string> {
    return this.answered(asker, "act", line, async () => {
      const { world } = this.around.host;
      const act = readAct(line, sceneOf(world));
      const why = impossible(act, world);
      if (why !== undefined) throw new Trouble("failed", why);
      return this.undoable(act);
    });
  }

  /** Does several acting lines as one: nothing is done where one of them cannot be, and one undo takes all back. Returns what was done, as a sentence. */
  together(lines: readonly string[], asker: Asker = LAB): Promise<string> {
    return this.answered(asker, "act", lines.join("; "), async () => {
      const { world } = this.around.host;
      const plans = lines.map((line) => readAct(line, sceneOf(world)));
      for (const plan of plans) {
        const why = impossible(plan, world);
        if (why !== undefined) throw new Trouble("failed", why);
        if (plan.afterUs > 0) throw new Trouble("usage", `${plan.said}: --after is for a line by itself, not for several at once`);
      }
      return this.undoable({
        acts: plans.flatMap(({ acts }) => acts),
        afterUs: 0,
        said: plans.map(({ said }) => said).join("; "),
        needsPower: plans.flatMap(({ needsPower }) => needsPower),
        boots: plans.flatMap(({ boots }) => boots),
      });
    });
  }

  /** Puts another cluster in the place of what is there. Returns what was done, as a sentence. */
  build(spec: Parameters<typeof planBuild>[0], asker: Asker = LAB): Promise<string> {
    const { nodes, networks } = spec;
    return this.answered(asker, "lab", `build: ${nodes} nodes, ${networks} networks`, async () =>
      this.undoable(planBuild(spec, this.around.host.world.design)),
    );
  }

  /** Puts the lab of a corosync.conf in the place of what is there. Returns what was done, as a sentence. */
  import(file: Parameters<typeof planImport>[0], asker: Asker = LAB): Promise<string> {
    return this.answered(asker, "lab", `import ${file.name}`, async () => this.undoable(planImport(file, this.around.host.world.design)));
  }

  /** Takes the last act back. Returns what was taken back, as a sentence. */
  undo(asker: Asker = LAB): Promise<string> {
    return this.answered(asker, "lab", "undo", async () => {
      const { host, timeline, changed } = this.around;
      const entry = this.undos.take();
      if (!entry) throw new Trouble("failed", "nothing to undo");
      for (const act of entry.acts) await this.one(act);
      const said = `undone: ${entry.said}`;
      timeline.mark(host.world.now, "act", said);
      changed();
      return said;
    });
  }

  /** What `undo` would take back, as a sentence. */
  get undoes(): string | null {
    return this.undos.next;
  }

  /** Nothing that was done can be taken back any more. */
  forget(): void {
    this.undos = new Undo();
  }

  /** An act whose answer leaves the lab. */
  private async answered<T>(asker: Asker, kind: Task["kind"], line: string, work: () => Promise<T>): Promise<T> {
    const result = await this.inTurn(() => this.logged(asker, kind, line, work));
    await this.around.settled();
    return result;
  }

  /** Does `work`, and has an entry of the task log say what came of it. */
  async logged<T>(asker: Asker, kind: Task["kind"], line: string, work: () => Promise<T>): Promise<T> {
    const { host, timeline, changed } = this.around;
    const before = host.world.names;
    const entry = (result: "done" | "refused", said: string): void => {
      const parts = new Set(`${line} ${said}`.split(/[\s,:;()]+/));
      const nodes = [...new Set([...before, ...host.world.names])].filter((name) => parts.has(name));
      timeline.tasks.begin(host.world.now, asker, kind, line, nodes, { result, said, status: null });
      changed();
    };
    try {
      const result = await work();
      entry("done", typeof result === "string" ? result : "");
      return result;
    } catch (error) {
      entry("refused", error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  private async undoable(plan: PlannedAct): Promise<string> {
    const before = beforeActs(this.around.host.world);
    let done = 0;
    try {
      await this.perform(plan, () => done++);
    } finally {
      // What fails half way can be taken back as far as it came.
      if (done > 0) this.undos.remember(plan, done, before);
    }
    return plan.said;
  }

  private async perform(plan: PlannedAct, did: () => void): Promise<void> {
    const { host, timeline, changed } = this.around;
    for (const act of plan.acts) {
      await this.one(act, plan.afterUs);
      did();
      changed();
    }
    timeline.mark(host.world.now + plan.afterUs, "act", plan.said);
  }
}
