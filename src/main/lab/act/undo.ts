/**
 * What can be taken back: the last faults and changes of this run, newest first. A network fault is undone by the faults as they were; a power act by its
 * opposite; a machine, network or card that came goes, and one that went comes back with its disk, its cables and its faults.
 */
import type { FaultState } from "../../../engine/fabric/index.ts";
import type { WorldDesign } from "../../../engine/world/design.ts";
import type { TopologyAct } from "../../../engine/world/topology.ts";
import type { WorldAct } from "../../../engine/world/types.ts";
import type { World } from "../../../engine/world/world.ts";
import { underAnotherName } from "./build.ts";
import type { PlannedAct } from "./kind.ts";
import { oppositeOf } from "./table.ts";
import { takenBack } from "./topology.ts";

const undoMax = 100;

interface Before {
  faults: FaultState;
  design: WorldDesign;
  /** Machines that were powered on. */
  running: readonly string[];
}

/** How a world stands before something is done to it. */
export function beforeActs(world: Pick<World, "fabric" | "design" | "statuses">): Before {
  const running = world.statuses().flatMap((m) => (m.power === "off" ? [] : [m.name]));
  return { faults: world.fabric.faults(), design: world.design, running };
}

interface Entry {
  said: string;
  acts: WorldAct[];
}

/** The changes backwards, each from how the lab was before it. */
function changesUndone(changes: readonly TopologyAct[], before: WorldDesign): TopologyAct[] {
  let design = before;
  const steps: TopologyAct[][] = [];
  for (const act of changes) {
    steps.unshift(takenBack(act, design));
    if (act.kind === "machine-remove") design = { ...design, machines: design.machines.filter(({ name }) => name !== act.machine) };
  }
  const gone = changes.flatMap((act) => (act.kind === "machine-remove" ? [act.machine] : []));
  return steps.flat().flatMap((act) => underAnotherName(act, gone));
}

export class Undo {
  private entries: Entry[] = [];

  /** Remembers how to take back the first `count` acts of what was planned, from how it was before them. */
  remember({ acts, afterUs, said }: PlannedAct, count: number, before: Before): void {
    // What is yet to happen cannot be undone by its opposite now.
    if (afterUs > 0) return;
    const done = acts.slice(0, count);
    const changes = done.flatMap((act): TopologyAct[] => (act.to === "lab" ? [act.act] : []));
    const gone = changes.flatMap((act) => (act.kind === "machine-remove" ? [act.machine] : []));
    const back: WorldAct[] = changesUndone(changes, before.design).map((act) => ({ to: "lab", act }));
    // What went took its faults along.
    if (done.some((act) => act.to === "fabric") || changes.some(({ kind }) => kind.endsWith("-remove")))
      back.push({ to: "fabric", act: { kind: "faults", state: before.faults } });
    for (const machine of gone) if (before.running.includes(machine)) back.push({ to: "machine", machine, act: { kind: "power-on" } });
    for (const act of done) {
      const opposite = oppositeOf(act);
      if (opposite !== undefined) back.push(opposite);
    }
    if (back.length === 0) return;
    this.entries.push({ said: count < acts.length ? `the part that was done of: ${said}` : said, acts: back });
    if (this.entries.length > undoMax) this.entries.shift();
  }

  /** What would be undone, as a sentence. */
  get next(): string | null {
    return this.entries.at(-1)?.said ?? null;
  }

  take(): Entry | undefined {
    return this.entries.pop();
  }
}
