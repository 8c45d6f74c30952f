/**
 * Who runs which machine: the processes that are hired for the machines of a world, begin as they stand, and go again. Stands where the rack's power and
 * patch plan stand. Left out: what they are asked once they run (hub.ts), and their life as processes (crew.ts).
 */
import type { MachineSnapshot } from "../kernel/index.ts";
import type { Load } from "../fuzz/index.ts";
import type { MachineDesign, Topology, World, WorldDesign } from "../world/index.ts";
import type { Crew, Question, Worker } from "./crew.ts";
import { RemoteMachine } from "./remote.ts";

/** Processes that are tried for a machine. */
const TRIES = 2;

export interface StaffOptions {
  readonly crew: Crew;
  readonly load?: Load;
  /** A process has died or was given up. */
  readonly onGone: (worker: Worker) => void;
}

export class Staff {
  private counted: Topology["machines"] | undefined;
  private numbered: readonly number[] = [];
  private everyone: readonly RemoteMachine[] = [];

  constructor(
    private readonly world: World,
    private readonly design: WorldDesign,
    private readonly options: StaffOptions,
  ) {}

  /** The machine of this number; undefined where it was taken away. */
  at(number: number): RemoteMachine | undefined {
    const machine = this.world.machineAt(number);
    return machine instanceof RemoteMachine ? machine : undefined;
  }

  of(name: string): RemoteMachine | undefined {
    return this.at(this.world.numberOf(name));
  }

  /** Numbers of the machines there are. */
  get numbers(): readonly number[] {
    this.count();
    return this.numbered;
  }

  get all(): readonly RemoteMachine[] {
    this.count();
    return this.everyone;
  }

  /** They are asked for at every grant, and change with the topology alone. */
  private count(): void {
    const { machines } = this.world.topology;
    if (machines === this.counted) return;
    this.counted = machines;
    this.numbered = machines.flatMap((m, number) => (m === undefined ? [] : [number]));
    this.everyone = this.numbered.flatMap((number) => this.at(number) ?? []);
  }

  /** A process for every machine. Throws where one does not come up; then none is left. */
  async employAll(fromSnapshot: boolean): Promise<void> {
    const all = await Promise.allSettled(this.numbers.map((i) => this.employ(i, fromSnapshot)));
    const failed = all.find((one) => one.status === "rejected");
    if (failed === undefined) return;
    this.releaseAll();
    throw failed.reason;
  }

  /** Their processes can begin as another machine. */
  releaseAll(): void {
    for (const remote of this.all) {
      const worker = remote.run;
      remote.leave();
      if (worker !== undefined) this.options.crew.release(worker);
    }
  }

  /** A process for a machine; it begins as the design says, or stands where the twin stands. */
  async employ(number: number, fromSnapshot: boolean): Promise<void> {
    const remote = this.at(number);
    const design = this.world.topology.machines[number];
    if (remote === undefined || design === undefined) throw new Error(`hub: no machine number ${number}`);
    // One that ran another machine before may have died or fallen silent meanwhile, with nobody to notice: then a second one is tried.
    for (let tried = 1; ; tried++) {
      const worker = await this.options.crew.hire();
      const begun = await worker.ask(this.beginning(design, fromSnapshot ? remote.twin.snapshot() : undefined));
      if (begun?.say === "begun") {
        remote.employ(worker, begun.next);
        worker.onGone(() => this.options.onGone(worker));
        return;
      }
      worker.kill();
      if (tried >= TRIES) throw new Error(`the process of ${remote.name} did not begin: it ${worker.gone ?? "answered something else"}`);
    }
  }

  /** The process of a machine goes on from where the twin stands. One that is gone stays the machine's, so that it is missed. */
  async resume(remote: RemoteMachine, worker: Worker): Promise<void> {
    const design = this.world.topology.machines[this.world.numberOf(remote.name)];
    if (design === undefined) throw new Error(`hub: no machine ${remote.name}`);
    const begun = await worker.ask(this.beginning(design, remote.twin.snapshot()));
    if (begun !== undefined && begun.say !== "begun") worker.kill();
    remote.employ(worker, begun?.say === "begun" ? begun.next : remote.twin.nextTimerAt());
  }

  /** Ends a machine's process: what is meant to end is not lost. */
  dismiss(remote: RemoteMachine): void {
    const worker = remote.run;
    remote.leave();
    worker?.kill();
  }

  private beginning(design: MachineDesign, snapshot: MachineSnapshot | undefined): Question {
    const { seed, epochUnixMicros } = this.design;
    const { load } = this.options;
    const maybe = { ...(load === undefined ? {} : { load }), ...(snapshot === undefined ? {} : { snapshot }) };
    return { ask: "begin", facts: { seed, epochUnixMicros }, design, ...maybe };
  }
}
