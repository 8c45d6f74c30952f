/**
 * The machines of a world by number: which there are, which timer is next, and those that were taken away and may come back. A number keeps its machine's
 * place for ever. In the real world: the machines of a server room, with those taken out and kept. Left out: what machines do to each other (world.ts).
 */
import { NEVER, type Instant, type Machine, type MachineSnapshot } from "../kernel/index.ts";
import type { MachineDesign, MachineFactory, WorldDesign } from "./design.ts";
import { applyTopology, type Topology, type TopologyAct } from "./topology.ts";

/** Machines kept after they were taken away; the one kept longest goes first. Ours. */
const REMOVED_MAX = 64;

/** A machine that was taken away. Never written to, so snapshots share it. */
export interface RemovedMachine {
  readonly number: number;
  readonly design: MachineDesign;
  readonly state: MachineSnapshot;
  readonly sequence: number;
}

export interface MachineRegistryState {
  readonly topology: Topology;
  /** By number; undefined: taken away. */
  readonly machines: readonly (MachineSnapshot | undefined)[];
  readonly sequences: readonly number[];
  readonly removed: readonly RemovedMachine[];
}

export class MachineRegistry {
  topology: Topology;
  private machines: (Machine | undefined)[];
  private numbers = new Map<string, number>();
  private timers: Float64Array;
  private sequences: number[];
  private removed: readonly RemovedMachine[] = [];
  /** Names of machines that are there no longer, by number. */
  private lastNames: string[] = [];
  timerAt: Instant = NEVER;
  timerOf = -1;

  constructor(
    private readonly design: WorldDesign,
    private readonly make: MachineFactory,
  ) {
    this.topology = { networks: design.networks, machines: design.machines };
    this.machines = design.machines.map((m) => make(design, m));
    this.sequences = this.machines.map(() => 0);
    this.timers = new Float64Array(this.machines.length);
    this.recount();
  }

  private recount(): void {
    const n = this.machines.length;
    this.numbers = new Map();
    this.topology.machines.forEach((m, i) => {
      if (m === undefined) return;
      this.numbers.set(m.name, i);
      this.lastNames[i] = m.name;
    });
    if (this.timers.length < n) this.timers = new Float64Array(2 * n);
    this.timers.fill(NEVER);
    for (let i = 0; i < n; i++) this.timers[i] = this.machines[i]?.nextTimerAt() ?? NEVER;
    this.scan();
  }

  // ── who is there ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** How many numbers have been given. */
  get size(): number {
    return this.machines.length;
  }

  names(): string[] {
    return [...this.numbers.keys()];
  }

  /** -1: there is no such machine. */
  numberOf(name: string): number {
    return this.numbers.get(name) ?? -1;
  }

  /** Also of one that is there no longer. */
  nameOf(number: number): string {
    return this.lastNames[number] ?? "";
  }

  at(number: number): Machine | undefined {
    return this.machines[number];
  }

  machine(number: number): Machine {
    const machine = this.machines[number];
    if (machine === undefined) throw new Error(`world: no machine number ${number}`);
    return machine;
  }

  /** By number. */
  all(): readonly (Machine | undefined)[] {
    return this.machines;
  }

  removedDesign(name: string): MachineDesign | undefined {
    return this.removed.findLast((s) => s.design.name === name)?.design;
  }

  /** Counts the packets of a machine. */
  nextSequence(number: number): number {
    const sequence = (this.sequences[number] ?? 0) + 1;
    this.sequences[number] = sequence;
    return sequence;
  }

  // ── timers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  refresh(number: number): void {
    const at = this.machine(number).nextTimerAt();
    this.timers[number] = at;
    if (at < this.timerAt || (at === this.timerAt && number < this.timerOf)) {
      this.timerAt = at;
      this.timerOf = number;
    } else if (number === this.timerOf && at !== this.timerAt) this.scan();
  }

  private scan(): void {
    const timers = this.timers;
    let [best, of] = [NEVER, -1];
    for (let i = 0; i < timers.length; i++) {
      const at = timers[i] ?? NEVER;
      if (at < best) [best, of] = [at, i];
    }
    this.timerAt = best;
    this.timerOf = of;
  }

  // ── changes ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Does an act that was checked, after its machines have noticed it.
   * @returns the number of a machine that is to be switched on; -1: none
   */
  change(act: TopologyAct): number {
    const number = "machine" in act && typeof act.machine === "string" ? this.numberOf(act.machine) : -1;
    if (act.kind === "machine-remove") this.takeAway(number);
    this.topology = applyTopology(this.topology, act);
    let on = -1;
    if (act.kind === "machine-add") {
      // Switched off at first: its own past does not begin at instant 0.
      this.machines.push(this.make(this.design, { ...act.machine, power: "off" }));
      this.sequences.push(0);
      if (act.machine.power === "on") on = this.machines.length - 1;
    } else if (act.kind === "machine-restore") this.bringBack(act.machine);
    this.recount();
    return on;
  }

  private takeAway(number: number): void {
    const design = this.topology.machines[number];
    if (design === undefined) throw new Error(`world: no machine number ${number} to take away`);
    const stored: RemovedMachine = { number, design, state: this.machine(number).snapshot(), sequence: this.sequences[number] ?? 0 };
    this.removed = [...this.removed, stored].slice(-REMOVED_MAX);
    this.machines[number] = undefined;
  }

  private bringBack(name: string): void {
    const stored = this.removed.findLast((s) => s.design.name === name);
    if (stored === undefined) throw new Error(`world: no machine ${name} among those taken away`);
    this.removed = this.removed.filter((s) => s !== stored);
    const machine = this.make(this.design, { ...stored.design, power: "off" });
    machine.restore(stored.state);
    this.machines[stored.number] = machine;
    this.sequences[stored.number] = stored.sequence;
    this.topology = { ...this.topology, machines: this.topology.machines.with(stored.number, stored.design) };
  }

  // ── snapshots ──────────────────────────────────────────────────────────────────────────────────────────────────────

  snapshot(): MachineRegistryState {
    return {
      topology: this.topology,
      machines: this.machines.map((m) => m?.snapshot()),
      sequences: [...this.sequences],
      removed: this.removed,
    };
  }

  restore(state: MachineRegistryState): void {
    const before = this.topology.machines;
    this.machines = state.topology.machines.map((design, i) => {
      if (design === undefined) return undefined;
      const same = this.machines[i] !== undefined && sameMachine(before[i], design);
      const machine = same ? this.machine(i) : this.make(this.design, { ...design, power: "off" });
      machine.restore(state.machines[i] ?? {});
      return machine;
    });
    this.topology = state.topology;
    this.sequences = [...state.sequences];
    this.removed = state.removed;
    this.lastNames = [];
    for (const { number, design } of state.removed) this.lastNames[number] = design.name;
    this.recount();
  }
}

/** Whether a machine of design `a` can be put into a state of one of design `b`: what no snapshot of it holds is the same. */
function sameMachine(a: MachineDesign | undefined, b: MachineDesign): boolean {
  const same = a?.kind === b.kind && a.name === b.name && a.hostname === b.hostname && a.release === b.release;
  return a === b || (same && JSON.stringify(a.nics) === JSON.stringify(b.nics));
}
