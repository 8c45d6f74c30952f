/**
 * What can be taken back: the last faults and changes of this run, newest first. A network fault is undone by the faults as they were; a power act by its
 * opposite; a machine, network or card that came goes, and one that went comes back with its disk, its cables and its faults.
 */
import type { FaultState } from "../../../engine/fabric/index.ts";
import type { MachineAct } from "../../../engine/kernel/machine.ts";
import type { WorldDesign } from "../../../engine/world/design.ts";
import type { TopologyAct } from "../../../engine/world/topology.ts";
import type { WorldAct } from "../../../engine/world/types.ts";
import type { World } from "../../../engine/world/world.ts";
import { underAnotherName } from "./build.ts";
import type { ActPlan } from "./act-plan.ts";
import { labUndone } from "./lab-act-plan.ts";

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

function opposite(act: MachineAct): MachineAct | undefined {
  switch (act.kind) {
    case "shutdown":
    case "power-cut":
      return { kind: "power-on" };
    case "power-on":
      return { kind: "shutdown" };
    case "stall":
      return { kind: "resume" };
    case "service":
      if (act.op === "restart") return undefined;
      return { kind: "service", op: act.op === "start" ? "stop" : "start", unit: act.unit };
    case "service-stall":
      return { kind: "service-resume", unit: act.unit };
    case "nic-up":
      return { kind: "nic-up", net: act.net, up: !act.up };
    default:
      return undefined;
  }
}

/** The changes backwards, each from how the lab was before it. */
function changesUndone(changes: readonly TopologyAct[], before: WorldDesign): TopologyAct[] {
  let design = before;
  const steps: TopologyAct[][] = [];
  for (const act of changes) {
    steps.unshift(labUndone(act, design));
    if (act.kind === "machine-remove") design = { ...design, machines: design.machines.filter(({ name }) => name !== act.machine) };
  }
  const gone = changes.flatMap((act) => (act.kind === "machine-remove" ? [act.machine] : []));
  return steps.flat().flatMap((act) => underAnotherName(act, gone));
}

export class Undo {
  #entries: Entry[] = [];

  /** Remembers how to take `plan` back, from how it was before them. */
  remember(plan: ActPlan, before: Before): void {
    const acts: WorldAct[] = changesUndone(plan.lab, before.design).map((act) => ({ to: "lab", act }));
    // What went took its faults along.
    if (plan.fabric.length > 0 || plan.lab.some(({ kind }) => kind.endsWith("-remove")))
      acts.push({ to: "fabric", act: { kind: "faults", state: before.faults } });
    for (const act of plan.lab)
      if (act.kind === "machine-remove" && before.running.includes(act.machine))
        acts.push({ to: "machine", machine: act.machine, act: { kind: "power-on" } });
    // What is yet to happen cannot be undone by its opposite now.
    if (plan.afterUs > 0) return;
    for (const { node, act } of plan.machines) {
      const back = opposite(act);
      if (back) acts.push({ to: "machine", machine: node, act: back });
    }
    if (acts.length === 0) return;
    this.#entries.push({ said: plan.said, acts });
    if (this.#entries.length > undoMax) this.#entries.shift();
  }

  /** What would be undone, as a sentence. */
  get next(): string | null {
    return this.#entries.at(-1)?.said ?? null;
  }

  take(): Entry | undefined {
    return this.#entries.pop();
  }
}
