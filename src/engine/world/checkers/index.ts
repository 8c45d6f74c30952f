/** The invariants of a cluster, and the watch that keeps them: attach it to a world, read its violations. */
import type { Effect, Instant, MachineStatus } from "../../kernel/index.ts";
import type { Input, Watcher } from "../types.ts";
import type { Checker, Violation } from "./checker.ts";
import { OneQuorateComponent } from "./one-quorate-component.ts";
import { OneRing } from "./one-ring.ts";
import { SelfDelivery } from "./self-delivery.ts";
import { TotalOrder } from "./total-order.ts";
import { VirtualSynchrony } from "./virtual-synchrony.ts";

export type { Checker, Violation } from "./checker.ts";
export { notOneRing } from "./one-ring.ts";

/** Violations kept: the first tell the story. */
const VIOLATIONS_MAX = 100;

export function allCheckers(): Checker[] {
  return [new TotalOrder(), new SelfDelivery(), new VirtualSynchrony(), new OneQuorateComponent(), new OneRing()];
}

/** Passes what happens in a world to the checkers and keeps what they complain of. Give it to `World.watch`. */
export class InvariantWatch implements Watcher {
  readonly violations: Violation[] = [];

  /** @param names machine names by number, as `World.names` */
  constructor(
    private readonly names: readonly string[],
    private readonly checkers: readonly Checker[] = allCheckers(),
  ) {}

  effect(at: Instant, machine: number, effect: Effect): void {
    if (effect.kind !== "trace") return;
    const { event } = effect;
    const name = this.names[machine] ?? "";
    const ended =
      (event.what === "power" && event.state === "off") || (event.what === "unit" && event.unit === "corosync" && event.state !== "active");
    for (const checker of this.checkers) {
      if (ended) checker.gone?.(name);
      else checker.trace?.(name, event, (text) => this.note(at, checker, text));
    }
  }

  input(input: Input): void {
    for (const checker of this.checkers) checker.input?.(input);
  }

  /** The cluster ought to be at rest: see Checker.atRest. */
  atRest(at: Instant, statuses: readonly MachineStatus[]): void {
    for (const checker of this.checkers) checker.atRest?.(statuses, (text) => this.note(at, checker, text));
  }

  private note(at: Instant, checker: Checker, text: string): void {
    if (this.violations.length < VIOLATIONS_MAX) this.violations.push({ at, invariant: checker.name, text });
  }
}
