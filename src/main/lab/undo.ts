/** What can be taken back: the last faults of this run, newest first. A network fault is undone by the faults as they were; a power act by its opposite. */
import type { FaultState } from "../../engine/fabric/index.ts";
import type { MachineAct } from "../../engine/kernel/machine.ts";
import type { WorldAct } from "../../engine/world/types.ts";
import type { Deeds } from "./deeds.ts";

const undoMax = 100;

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
    default:
      return undefined;
  }
}

export class Undo {
  #entries: Entry[] = [];

  /** Remembers how to take `deeds` back. `before`: the faults that were in force. */
  remember(deeds: Deeds, before: FaultState): void {
    const acts: WorldAct[] = deeds.fabric.length > 0 ? [{ to: "fabric", act: { kind: "faults", state: before } }] : [];
    // What is yet to happen cannot be undone by its opposite now.
    if (deeds.afterUs > 0) return;
    for (const { node, act } of deeds.machines) {
      const back = opposite(act);
      if (back) acts.push({ to: "machine", machine: node, act: back });
    }
    if (acts.length === 0) return;
    this.#entries.push({ said: deeds.said, acts });
    if (this.#entries.length > undoMax) this.#entries.shift();
  }

  /** What would be undone, in words. */
  get next(): string | null {
    return this.#entries.at(-1)?.said ?? null;
  }

  take(): Entry | undefined {
    return this.#entries.pop();
  }
}
