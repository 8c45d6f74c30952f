/**
 * The timeline of a lab, as it goes: for each node the bands of what it believed, marks for acts and events, and the task log. It keeps the whole of the run in a bounded room
 * (history/), tells whoever keeps it what is new, and begins again with what was kept.
 */
import type { TraceEvent } from "../../../engine/kernel/machine.ts";
import type { MachineStatus } from "../../../engine/kernel/status.ts";
import type { Instant } from "../../../engine/kernel/time.ts";
import type { TopologyAct } from "../../../engine/world/index.ts";
import { mainUnit, type Band, type LabSnapshot, type TimelineWindow } from "../api.ts";
import { Bands } from "../history/bands.ts";
import { instantOf, type HistoryEntry } from "../history/history-file.ts";
import { TaskLog } from "../history/tasks.ts";
import { lastLetter, leaveRing, letterOf, noRingLabels } from "./ring-labels.ts";

type Mark = LabSnapshot["marks"][number];
type State = Band["state"];

/** Bands of a machine, and marks, that every snapshot brings along. */
const LATEST_BANDS_MAX = 8;
const LATEST_MARKS_MAX = 60;
/** Marks kept, of acts and of events. */
const MARKS_MAX: Readonly<Record<Mark["kind"], number>> = { act: 2_000, event: 500 };
const RINGS_MARKED_MAX = 200;
const totemStates: readonly string[] = ["operational", "gather", "commit", "recovery"];

/** What a machine has told so far; what is drawn follows from it. */
interface Belief {
  power: "on" | "off" | "stalled";
  /** It has power, and its units are still being started. */
  booting: boolean;
  /** Of Totem; undefined while corosync does not run. */
  totem: State | undefined;
  nodeId: number;
  ringId: string;
  members: readonly number[];
  quorate: boolean;
  /** The unit whose end is marked. */
  unit: string | undefined;
}

/** What the page draws of it. */
export interface Drawn {
  bands(): Band[];
  marks(): Mark[];
  letter(status: MachineStatus): string;
  history(): LabSnapshot["history"];
}

export class Timeline implements Drawn {
  readonly tasks: TaskLog;
  private labels = noRingLabels();
  private beliefs = new Map<string, Belief>();
  private readonly kept = new Bands();
  private allMarks: Mark[] = [];
  /** Instant of the last act that was let go. */
  private lastDropped: Instant | undefined;
  private ringsMarked: string[] = [];
  private changes = 0;
  private begins: Instant | undefined;
  private listener: ((entry: HistoryEntry) => void) | undefined;

  constructor() {
    this.tasks = new TaskLog((task) => this.tell({ task }));
  }

  /** `listener` is told everything that is new, in the order in which `restore` takes it. */
  keep(listener: (entry: HistoryEntry) => void): void {
    this.listener = listener;
  }

  private tell(entry: HistoryEntry): void {
    this.changes++;
    this.listener?.(entry);
  }

  /** Takes what was kept up to `at`; `begin` follows for every machine. */
  restore(entries: readonly HistoryEntry[], at: Instant): void {
    const listener = this.listener;
    this.listener = undefined;
    for (const entry of entries) {
      if (instantOf(entry) > at) continue;
      if ("begins" in entry) this.begins = entry.begins;
      else if ("band" in entry) this.kept.put(entry.band);
      else if ("end" in entry) this.kept.end(entry.end.node, entry.end.at);
      else if ("mark" in entry) this.mark(entry.mark.instant, entry.mark.kind, entry.mark.text);
      else this.tasks.put(entry.task);
    }
    // Whoever typed them is gone.
    this.tasks.lose();
    this.kept.rewind(at);
    for (const { ringId } of this.kept.all()) if (ringId !== "" && !this.ringsMarked.includes(ringId)) this.markRing(ringId);
    this.labelAsDrawn();
    this.listener = listener;
  }

  /** All that is kept, as `restore` takes it. */
  entries(): HistoryEntry[] {
    return [
      { begins: this.begins ?? 0, format: 1 },
      ...this.kept.all().map((band) => ({ band })),
      ...this.allMarks.map((mark) => ({ mark })),
      ...this.tasks.all().map((task) => ({ task })),
    ];
  }

  /** Begins, or goes on, with what a machine believes now. */
  begin(at: Instant, status: MachineStatus): void {
    this.begins ??= at;
    const c = status.corosync;
    this.beliefs.set(status.name, {
      power: status.power,
      booting: status.booting,
      totem: c?.state,
      nodeId: c?.nodeId ?? 0,
      ringId: c?.ringId ?? "",
      members: c?.members ?? [],
      quorate: status.quorum?.quorate ?? false,
      unit: status.kind === "node" ? mainUnit(status.units)?.name : undefined,
    });
    if (c?.state === "operational") {
      letterOf(this.labels, c.nodeId, c.ringId, c.members);
      if (!this.ringsMarked.includes(c.ringId)) this.markRing(c.ringId);
    }
    this.draw(at, status.name);
  }

  /** Rings keep the labels they have been drawn with: all of them, before any machine is asked for one. */
  private labelAsDrawn(): void {
    for (const { ringId, letter, members } of this.kept.latest(1))
      if (letter !== "" && !this.labels.rings.has(ringId)) this.labels.rings.set(ringId, { letter, members });
  }

  /** Rows follow the machines. */
  changed(at: Instant, act: TopologyAct, status: (name: string) => MachineStatus): void {
    if (act.kind === "machine-remove" || act.kind === "machine-rename") this.end(at, act.machine);
    if (act.kind === "machine-rename") this.begin(at, status(act.to));
    else if (act.kind === "machine-add") this.begin(at, status(act.machine.name));
    else if (act.kind === "machine-restore") this.begin(at, status(act.machine));
  }

  private end(at: Instant, machine: string): void {
    this.beliefs.delete(machine);
    this.kept.end(machine, at);
    this.tell({ end: { node: machine, at } });
  }

  /** No event tells that a boot is over: to be asked whenever time has gone on, and before anything is drawn. `booting`: of the machine as it stands. */
  look(at: Instant, booting: (machine: string) => boolean): void {
    for (const [machine, belief] of this.beliefs) {
      if (!belief.booting || booting(machine)) continue;
      belief.booting = false;
      this.draw(at, machine);
    }
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

  /** `at` may be to come: an act that waits for its time. */
  mark(at: Instant, kind: Mark["kind"], text: string): void {
    const mark = { instant: at, kind, text };
    const after = this.allMarks.findLastIndex(({ instant }) => instant <= at);
    this.allMarks.splice(after + 1, 0, mark);
    this.tell({ mark });
    const oldest = this.allMarks.findIndex((one) => one.kind === kind);
    if (this.allMarks.filter((one) => one.kind === kind).length <= MARKS_MAX[kind]) return;
    const [dropped] = this.allMarks.splice(oldest, 1);
    if (kind === "act") this.lastDropped = dropped?.instant;
  }

  bands(): Band[] {
    return this.kept.latest(LATEST_BANDS_MAX);
  }

  marks(): Mark[] {
    return this.allMarks.slice(-LATEST_MARKS_MAX);
  }

  history(): LabSnapshot["history"] {
    return { changes: this.changes, tasks: this.tasks.revision, begins: this.begins ?? 0 };
  }

  /** What is to be drawn of [from, to) on so many pixels, as of `now`. */
  window(from: Instant, to: Instant, pixels: number, now: Instant): TimelineWindow {
    return {
      begins: this.begins ?? 0,
      bands: this.kept.window(from, to, pixels, now),
      marks: this.allMarks.filter(({ kind, instant }) => kind === "act" && instant >= from && instant < to && instant <= now),
      marksFrom: this.lastDropped ?? null,
      merged: this.kept.merged,
    };
  }

  /** The letter of the ring this machine is in, or was last in. */
  letter(status: MachineStatus): string {
    const c = status.corosync;
    if (!c) return "";
    return c.state === "operational" ? letterOf(this.labels, c.nodeId, c.ringId, c.members) : lastLetter(this.labels, c.nodeId);
  }

  /** As it was drawn at an earlier instant: without what came later, the last bands open. */
  until(at: Instant): Drawn {
    const kept = this.kept.upTo(at);
    const bands = new Bands();
    for (const band of kept) bands.put(band);
    const labels = noRingLabels();
    return {
      bands: () => bands.latest(LATEST_BANDS_MAX),
      marks: () => this.allMarks.filter((mark) => mark.instant <= at).slice(-LATEST_MARKS_MAX),
      letter: (status) => {
        const band = kept.findLast((b) => b.node === status.name);
        if (band && band.letter !== "") return band.letter;
        // Merged with others.
        const c = status.corosync;
        return c?.state === "operational" ? letterOf(labels, c.nodeId, c.ringId, c.members) : "";
      },
      history: () => this.history(),
    };
  }

  /** Goes back to `at`, where the machines are as `statuses` say. Whoever keeps it writes it anew. */
  rewind(at: Instant, statuses: readonly MachineStatus[]): void {
    this.labels = noRingLabels();
    this.ringsMarked = [];
    this.beliefs.clear();
    this.allMarks = this.allMarks.filter((mark) => mark.instant <= at);
    this.tasks.rewind(at);
    this.kept.rewind(at);
    this.changes++;
    this.labelAsDrawn();
    for (const status of statuses) this.begin(at, status);
  }

  private membership(at: Instant, belief: Belief, node: number, ring: string, members: readonly number[]): void {
    belief.nodeId = node;
    belief.ringId = ring;
    belief.members = [...members];
    const letter = letterOf(this.labels, node, ring, members);
    if (this.ringsMarked.includes(ring)) return;
    this.markRing(ring);
    this.mark(at, "event", `ring ${letter} ${ring} formed: ${members.length === 1 ? "node" : "nodes"} ${members.join(" ")}`);
  }

  private markRing(ring: string): void {
    this.ringsMarked.push(ring);
    if (this.ringsMarked.length > RINGS_MARKED_MAX) this.ringsMarked.shift();
  }

  private power(at: Instant, machine: string, belief: Belief, state: Belief["power"]): void {
    if (state === "off") this.stopped(belief);
    if (belief.power !== state)
      this.mark(
        at,
        "event",
        `${machine} is ${state === "stalled" ? "stalled" : state === "off" ? "off" : belief.power === "off" ? "powered on" : "running again"}`,
      );
    if (state === "off") belief.booting = false;
    else if (belief.power === "off") belief.booting = true;
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
    const running: State = belief.totem ?? (belief.booting ? "booting" : "stopped");
    const letter = belief.totem === undefined ? "" : lastLetter(this.labels, belief.nodeId);
    const band: Band = {
      node: machine,
      from: at,
      to: null,
      ringId: belief.ringId,
      members: [...belief.members],
      state: belief.power === "on" ? running : belief.power,
      quorate: belief.quorate,
      letter,
      count: 1,
    };
    if (this.kept.put(band)) this.tell({ band });
  }
}
