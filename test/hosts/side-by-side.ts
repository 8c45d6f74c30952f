/**
 * Two engines side by side in this process, machine by machine: one runs in a world, the other meets the same events beside it. Says what the second one does otherwise first, as
 * the hub is to say it of a worker. It looks at each event as it happens, and halves nothing.
 */
import { Hasher, type Effect, type Instant, type Machine, type Out } from "../../src/engine/kernel/index.ts";
import { mixEffect, stateOf, World, type MachineFactory, type WorldDesign } from "../../src/engine/world/index.ts";

type Kind = "act" | "timer" | "datagram";

class Pair {
  difference: string | undefined;

  constructor(
    readonly first: Machine,
    readonly second: Machine,
    private readonly secondAt: () => Instant,
  ) {}

  private meet(kind: Kind, now: Instant, step: (machine: Machine, out: Out) => void, out: Out): void {
    const [one, other] = [new Hasher(), new Hasher()];
    const both =
      (h: Hasher, on: Out): Out =>
      (effect: Effect) => {
        mixEffect(h, effect);
        on(effect);
      };
    step(this.first, both(one, out));
    if (this.difference !== undefined) return;
    const where = `the ${kind} of ${now}`;
    step(
      this.second,
      both(other, () => undefined),
    );
    if (one.hex() !== other.hex()) this.difference = `does something else at ${where}`;
    else if (this.first.nextTimerAt() !== this.second.nextTimerAt())
      this.difference = `sets another timer at ${where}: ${shown(this.second.nextTimerAt())}, not ${shown(this.first.nextTimerAt())}`;
  }

  /** The first machine, with everything it meets shown to the second. */
  machine(): Machine {
    const { first } = this;
    const own: Partial<Machine> = {
      runTimer: (now, out) => this.meet("timer", now, (machine, to) => machine.runTimer(now, to), out),
      receive: (now, datagram, out) => this.meet("datagram", now, (machine, to) => machine.receive(now, datagram, to), out),
      act: (now, act, out) => this.meet("act", now, (machine, to) => machine.act(now, act, to), out),
      digested: () => {
        const [one, other] = [stateOf(first), stateOf(this.second)];
        if (one.join() !== other.join()) this.difference ??= `is in another state at the second of ${this.secondAt()}`;
        return one;
      },
    };
    return new Proxy(first, {
      get(target, key) {
        if (Object.hasOwn(own, key)) return own[key as keyof Machine];
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  }
}

const shown = (at: Instant): string => (Number.isFinite(at) ? `${at}` : "none");

/** What each machine of the second engine does otherwise first; those that do nothing otherwise are not there. */
export function firstDifferences(
  design: WorldDesign,
  first: MachineFactory,
  second: MachineFactory,
  run: (world: World) => void,
): ReadonlyMap<string, string> {
  const pairs: Pair[] = [];
  const world: World = new World(design, (facts, machine) => {
    const pair = new Pair(first(facts, machine), second(facts, machine), () => world.statesAt);
    pairs.push(pair);
    return pair.machine();
  });
  run(world);
  return new Map(pairs.flatMap(({ first: { name }, difference }) => (difference === undefined ? [] : [[name, difference] as const])));
}
