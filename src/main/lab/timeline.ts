/** The timeline of a lab, as it goes: for each node the bands of what it believed, and marks for acts and events. Bounded; the oldest go. */
import type { Instant } from "../../engine/kernel/time.ts";
import type { MachineStatus } from "../../engine/kernel/status.ts";
import type { Band, LabSnapshot } from "./api.ts";
import { lastLetter, leaveRing, letterOf, noLetters } from "./letters.ts";

type Mark = LabSnapshot["marks"][number];

const bandsPerNodeMax = 48;
const marksMax = 200;

type Belief = Omit<Band, "from" | "to" | "node">;

function same(a: Belief, b: Belief): boolean {
  return (
    a.ringId === b.ringId &&
    a.state === b.state &&
    a.quorate === b.quorate &&
    a.letter === b.letter &&
    a.members.length === b.members.length &&
    a.members.every((id, i) => id === b.members[i])
  );
}

export class Timeline {
  #letters = noLetters();
  #bands = new Map<string, Band[]>();
  #marks: Mark[] = [];

  /** Looks at a machine after something about it changed. */
  look(at: Instant, status: MachineStatus): void {
    const belief = this.#belief(status);
    const bands = this.#bands.get(status.name) ?? [];
    this.#bands.set(status.name, bands);
    const last = bands.at(-1);
    if (last && same(last, belief)) return;
    if (last) last.to = at;
    // What lasted no time was a step on the way, not a belief.
    if (last && last.from === at) bands.pop();
    const before = bands.at(-1);
    if (before && before.to === at && same(before, belief)) before.to = null;
    else bands.push({ node: status.name, from: at, to: null, ...belief });
    if (bands.length > bandsPerNodeMax) bands.shift();
  }

  mark(at: Instant, kind: Mark["kind"], text: string): void {
    this.#marks.push({ instant: at, kind, text });
    if (this.#marks.length > marksMax) this.#marks.shift();
  }

  bands(): Band[] {
    return [...this.#bands.values()].flat();
  }

  marks(): Mark[] {
    return [...this.#marks];
  }

  /** The letter of the ring this machine is in, or was last in; a new ring gets its letter here. */
  letter(status: MachineStatus): string {
    const c = status.corosync;
    if (!c) return "";
    return c.state === "operational" ? letterOf(this.#letters, c.nodeId, c.ringId, c.members) : lastLetter(this.#letters, c.nodeId);
  }

  #nodeIds = new Map<string, number>();

  #belief(status: MachineStatus): Belief {
    const c = status.corosync;
    if (c) this.#nodeIds.set(status.name, c.nodeId);
    if (!c || status.power !== "on") {
      if (status.power !== "stalled") leaveRing(this.#letters, this.#nodeIds.get(status.name) ?? 0);
      const state = status.power === "stalled" ? "stalled" : status.power === "off" ? "off" : "stopped";
      return { ringId: c?.ringId ?? "", members: c ? [...c.members] : [], state, quorate: false, letter: c ? this.letter(status) : "" };
    }
    return {
      ringId: c.ringId,
      members: [...c.members],
      state: c.state,
      quorate: status.quorum?.quorate ?? false,
      letter: this.letter(status),
    };
  }
}
