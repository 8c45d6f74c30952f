/** The invariants of a cluster, and the watch that keeps them: attach it to a world, read its violations. */
import type { Effect, Instant, MachineStatus, TraceEvent } from "../../kernel/index.ts";
import type { Input, Watcher } from "../types.ts";
import type { Checker, Complain, Violation } from "./checker.ts";
import { GroupMembers } from "./group-members.ts";
import { JournalTells } from "./journal-tells.ts";
import { LastMan } from "./last-man.ts";
import { OneConfiguration } from "./one-configuration.ts";
import { OneDeviceVote } from "./one-device-vote.ts";
import { OneQuorateComponent } from "./one-quorate-component.ts";
import { OneRing } from "./one-ring.ts";
import { QuorumArithmetic } from "./quorum-arithmetic.ts";
import { RingIds } from "./ring-ids.ts";
import { SelfDelivery } from "./self-delivery.ts";
import { TotalOrder } from "./total-order.ts";
import { VirtualSynchrony } from "./virtual-synchrony.ts";
import { WaitForAll } from "./wait-for-all.ts";

export type { Checker, Violation } from "./checker.ts";
export { notOneRing, ONE_RING } from "./one-ring.ts";

/** Traces that are there to be drawn and that no invariant speaks of: most of them. */
const DRAWN: ReadonlySet<TraceEvent["what"]> = new Set([
  "token",
  "join",
  "commit-token",
  "commit-token-lost",
  "retransmit",
  "state",
  "pong",
]);

const ignore: Complain = () => undefined;

/** Violations kept: the first tell the story. */
const VIOLATIONS_MAX = 100;

export function allCheckers(): Checker[] {
  return [
    new TotalOrder(),
    new SelfDelivery(),
    new VirtualSynchrony(),
    new GroupMembers(),
    new OneConfiguration(),
    new RingIds(),
    new OneQuorateComponent(),
    new WaitForAll(),
    new LastMan(),
    new OneDeviceVote(),
    // Before those that compare nodes at rest: nodes that are apart count apart.
    new OneRing(),
    new QuorumArithmetic(),
    new JournalTells(),
  ];
}

/** Passes what happens in a world to the checkers and keeps what they complain of. Give it to `World.watch`. */
export class InvariantWatch implements Watcher {
  readonly violations: Violation[] = [];
  /** Each checker's way to complain of what is just happening, at `at`. */
  private readonly complains: readonly Complain[];
  private at: Instant = 0;
  /** By node id: the machine that has it. */
  private readonly holders = new Map<number, string>();
  /** Two machines have had one node id: what one says can no longer be told from what the other says, and nothing is held against them. */
  private mistaken = false;

  /** Names by number as checkers know them: a machine that is renamed stays who it was. */
  private readonly known = new Map<number, string>();

  constructor(
    private readonly world: { nameOf(number: number): string; numberOf(name: string): number },
    private readonly checkers: readonly Checker[] = allCheckers(),
  ) {
    this.complains = checkers.map((checker) => (text) => this.note(this.at, checker, text));
  }

  /** Looks on from the middle of a run: what machines believe now, and what has been done to them so far. */
  begin(statuses: readonly MachineStatus[], inputs: readonly Input[]): void {
    const known = this.asKnown(statuses);
    for (const { name, corosync } of known) if (corosync !== null && this.isMistaken(corosync.nodeId, name)) break;
    for (const checker of this.checkers) checker.begin?.(known);
    for (const input of inputs) this.input(input);
  }

  effect(at: Instant, machine: number, effect: Effect): void {
    // A name is learnt with the machine's first effect, whatever it is.
    const name = this.knownAs(machine);
    if (this.mistaken) return;
    this.at = at;
    if (effect.kind === "journal") {
      this.checkers.forEach((checker, i) => checker.journal?.(name, effect.line, this.complains[i] ?? ignore));
      return;
    }
    if (effect.kind !== "trace" || DRAWN.has(effect.event.what)) return;
    const { event } = effect;
    const ended =
      (event.what === "power" && event.state === "off") || (event.what === "unit" && event.unit === "corosync" && event.state !== "active");
    if (ended) for (const [id, holder] of this.holders) if (holder === name) this.holders.delete(id);
    if (event.what === "membership" && this.isMistaken(event.node, name)) return;
    this.checkers.forEach((checker, i) => {
      if (ended) checker.gone?.(name);
      else checker.trace?.(name, event, this.complains[i] ?? ignore);
    });
  }

  private isMistaken(id: number, name: string): boolean {
    const holder = this.holders.get(id) ?? name;
    this.holders.set(id, name);
    this.mistaken = holder !== name;
    return this.mistaken;
  }

  private knownAs(number: number): string {
    const known = this.known.get(number);
    if (known !== undefined) return known;
    const name = this.world.nameOf(number);
    // A new machine may have the name that a renamed one began with.
    const own = [...this.known.values()].includes(name) ? `${name} (${number})` : name;
    this.known.set(number, own);
    return own;
  }

  private asKnown(statuses: readonly MachineStatus[]): readonly MachineStatus[] {
    return statuses.map((s) => {
      const name = this.knownAs(this.world.numberOf(s.name));
      return name === s.name ? s : { ...s, name };
    });
  }

  input(input: Input): void {
    const { act } = input;
    const removes = act.to === "lab" && act.act.kind === "machine-remove";
    for (const checker of this.checkers) {
      checker.input?.(input);
      if (removes) checker.removed?.();
    }
  }

  /** What all machines believe at this moment; call it as often as you like. */
  look(at: Instant, statuses: readonly MachineStatus[]): void {
    if (this.mistaken) return;
    const known = this.asKnown(statuses);
    for (const checker of this.checkers) checker.look?.(known, (text) => this.note(at, checker, text), at);
  }

  /** What an invariant says; undefined for a name that is none of the checkers'. */
  sentenceOf(invariant: string): string | undefined {
    return this.checkers.find(({ name }) => name === invariant)?.sentence;
  }

  /** Something that no checker looks for was broken, say an assertion of the engine. */
  broke(at: Instant, invariant: string, text: string): void {
    this.violations.push({ at, invariant, text });
  }

  /** The cluster ought to be at rest: see Checker.atRest. */
  atRest(at: Instant, statuses: readonly MachineStatus[]): void {
    const known = this.asKnown(statuses);
    for (const checker of this.checkers) checker.atRest?.(known, (text) => this.note(at, checker, text));
  }

  private note(at: Instant, checker: Checker, text: string): void {
    if (this.violations.length < VIOLATIONS_MAX) this.violations.push({ at, invariant: checker.name, text });
  }
}
