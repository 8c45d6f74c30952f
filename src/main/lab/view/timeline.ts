/** The timeline of a lab, as it goes: for each node the bands of what it believed, and marks for acts and events. Bounded; the oldest go. */
import type { TraceEvent } from "../../../engine/kernel/machine.ts";
import type { MachineStatus } from "../../../engine/kernel/status.ts";
import type { Instant } from "../../../engine/kernel/time.ts";
import type { TopologyAct } from "../../../engine/world/index.ts";
import type { Band, LabSnapshot } from "../api.ts";
import { mainUnit } from "../api.ts";
import { lastLetter, leaveRing, letterOf, noRingLabels } from "./ring-labels.ts";

type Mark = LabSnapshot["marks"][number];
type State = Band["state"];

const bandsPerNodeMax = 48;
const marksMax = 200;
const totemStates: readonly string[] = ["operational", "gather", "commit", "recovery"];

/** What a machine has told so far; what is drawn follows from it. */
interface Belief {
  power: "on" | "off" | "stalled";
  /** Of Totem; undefined while corosync does not run. */
  totem: State | undefined;
  nodeId: number;
  ringId: string;
  members: readonly number[];
  quorate: boolean;
  /** The unit whose end is marked. */
  unit: string | undefined;
}

function same(a: Band, b: Band): boolean {
  return (
    a.ringId === b.ringId &&
    a.state === b.state &&
    a.quorate === b.quorate &&
    a.letter === b.letter &&
    a.members.length === b.members.length &&
    a.members.every((id, i) => id === b.members[i])
  );
}

/** What the page draws of it. */
export type Drawn = Pick<Timeline, "bands" | "marks" | "letter">;

function upTo(bands: readonly Band[], at: Instant): Band[] {
  return bands.filter((band) => band.from <= at).map((band) => (band.to !== null && band.to > at ? { ...band, to: null } : band));
}

export class Timeline {
  private labels = noRingLabels();
  private beliefs = new Map<string, Belief>();
  private bandsOf = new Map<string, Band[]>();
  private allMarks: Mark[] = [];
  private ringsMarked: string[] = [];

  /** Begins with what a machine believes now. */
  begin(at: Instant, status: MachineStatus): void {
    const c = status.corosync;
    this.beliefs.set(status.name, {
      power: status.power,
      totem: c?.state,
      nodeId: c?.nodeId ?? 0,
      ringId: c?.ringId ?? "",
      members: c?.members ?? [],
      quorate: status.quorum?.quorate ?? false,
      unit: status.kind === "node" ? mainUnit(status.units)?.name : undefined,
    });
    if (c?.state === "operational") {
      letterOf(this.labels, c.nodeId, c.ringId, c.members);
      this.ringsMarked.push(c.ringId);
    }
    this.draw(at, status.name);
  }

  /** Rows follow the machines. */
  changed(at: Instant, act: TopologyAct, status: (name: string) => MachineStatus): void {
    if (act.kind === "machine-remove" || act.kind === "machine-rename") this.end(at, act.machine);
    if (act.kind === "machine-rename") this.begin(at, status(act.to));
    else if (act.kind === "machine-add") this.begin(at, status(act.machine.name));
    else if (act.kind === "machine-restore") this.begin(at, status(act.machine));
  }

  /** The machine is there no longer under this name. What was drawn of it stays in the past. */
  private end(at: Instant, machine: string): void {
    this.beliefs.delete(machine);
    const last = this.bandsOf.get(machine)?.at(-1);
    if (last?.to === null) last.to = at;
  }

  /** Takes in one thing a machine did. */
  take(at: Instant, machine: string, event: TraceEvent): void {
    const belief = this.beliefs.get(machine);
    if (!belief) return;
    switch (event.what) {
      case "state":
        belief.nodeId = event.node;
        if (totemStates.includes(event.state)) belief.totem = event.state as State;
        break;
      case "membership":
        if (event.transitional) return;
        this.membership(at, belief, event.node, event.ring, event.members);
        break;
      case "quorum":
        if (belief.quorate !== event.quorate) this.mark(at, "event", `${machine} is ${event.quorate ? "quorate" : "not quorate"}`);
        belief.quorate = event.quorate;
        break;
      case "power":
        this.power(at, machine, belief, event.state);
        break;
      case "unit":
        if (event.unit !== belief.unit || event.state === "active") return;
        this.stopped(belief);
        this.mark(at, "event", `${machine}: ${event.unit} ${event.state === "failed" ? "failed" : "stopped"}`);
        break;
      default:
        return;
    }
    this.draw(at, machine);
  }

  mark(at: Instant, kind: Mark["kind"], text: string): void {
    this.allMarks.push({ instant: at, kind, text });
    if (this.allMarks.length > marksMax) this.allMarks.shift();
  }

  bands(): Band[] {
    return [...this.bandsOf.values()].flat();
  }

  marks(): Mark[] {
    return [...this.allMarks];
  }

  /** The letter of the ring this machine is in, or was last in. */
  letter(status: MachineStatus): string {
    const c = status.corosync;
    if (!c) return "";
    return c.state === "operational" ? letterOf(this.labels, c.nodeId, c.ringId, c.members) : lastLetter(this.labels, c.nodeId);
  }

  /** As it was drawn at an earlier instant: without what came later, the last bands open. */
  until(at: Instant): Drawn {
    const bands = upTo([...this.bandsOf.values()].flat(), at);
    const labels = noRingLabels();
    return {
      bands: () => bands,
      marks: () => this.allMarks.filter((mark) => mark.instant <= at),
      letter: (status) => {
        const band = bands.findLast((b) => b.node === status.name);
        if (band && band.letter !== "") return band.letter;
        // Longer ago than bands are kept.
        const c = status.corosync;
        return c?.state === "operational" ? letterOf(labels, c.nodeId, c.ringId, c.members) : "";
      },
    };
  }

  /** Goes back to `at`, where the machines are as `statuses` say. */
  rewind(at: Instant, statuses: readonly MachineStatus[]): void {
    this.labels = noRingLabels();
    this.ringsMarked = [];
    this.allMarks = this.allMarks.filter((mark) => mark.instant <= at);
    for (const status of statuses) {
      const bands = upTo(this.bandsOf.get(status.name) ?? [], at);
      this.bandsOf.set(status.name, bands);
      const last = bands.at(-1);
      // Rings keep the labels they have been drawn with.
      if (last && last.letter !== "" && !this.labels.rings.has(last.ringId))
        this.labels.rings.set(last.ringId, { letter: last.letter, members: last.members });
    }
    for (const status of statuses) this.begin(at, status);
  }

  private membership(at: Instant, belief: Belief, node: number, ring: string, members: readonly number[]): void {
    belief.nodeId = node;
    belief.ringId = ring;
    belief.members = [...members];
    const letter = letterOf(this.labels, node, ring, members);
    if (this.ringsMarked.includes(ring)) return;
    this.ringsMarked.push(ring);
    if (this.ringsMarked.length > marksMax) this.ringsMarked.shift();
    this.mark(at, "event", `ring ${letter} ${ring} formed: ${members.length === 1 ? "node" : "nodes"} ${members.join(" ")}`);
  }

  private power(at: Instant, machine: string, belief: Belief, state: Belief["power"]): void {
    if (state === "off") this.stopped(belief);
    if (belief.power !== state)
      this.mark(
        at,
        "event",
        `${machine} is ${state === "stalled" ? "stalled" : state === "off" ? "off" : belief.power === "off" ? "powered on" : "running again"}`,
      );
    belief.power = state;
  }

  private stopped(belief: Belief): void {
    leaveRing(this.labels, belief.nodeId);
    belief.totem = undefined;
    belief.ringId = "";
    belief.members = [];
    belief.quorate = false;
  }

  private draw(at: Instant, machine: string): void {
    const belief = this.beliefs.get(machine);
    if (!belief) return;
    const state: State = belief.power === "on" ? (belief.totem ?? "stopped") : belief.power;
    const letter = belief.totem === undefined ? "" : lastLetter(this.labels, belief.nodeId);
    const band: Band = {
      node: machine,
      from: at,
      to: null,
      ringId: belief.ringId,
      members: [...belief.members],
      state,
      quorate: belief.quorate,
      letter,
    };
    const bands = this.bandsOf.get(machine) ?? [];
    this.bandsOf.set(machine, bands);
    const last = bands.at(-1);
    if (last && same(last, band)) return;
    if (last) last.to = at;
    // What lasted no time was a step on the way, not a belief.
    if (last?.from === at) bands.pop();
    const before = bands.at(-1);
    if (before && before.to === at && same(before, band)) before.to = null;
    else bands.push(band);
    if (bands.length > bandsPerNodeMax) bands.shift();
  }
}
