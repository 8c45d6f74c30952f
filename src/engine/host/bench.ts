/**
 * One machine at work in a worker process: takes what the hub asks and answers what the machine did, event by event. No socket and no process is known here.
 * In the real stack this is the computer the node runs on. Left out: order between machines, which the hub keeps.
 */
import { Hasher, type Effect, type Instant, type Machine, type Out } from "../kernel/index.ts";
import type { Load } from "../fuzz/index.ts";
import type { MachineFactory, WorldDesign } from "../world/index.ts";
import { GRANT_EVENTS_MAX, type Answer, type Ask, type Grant, type Ran, type StateWords } from "./wire.ts";

export class Bench {
  private machine: Machine | undefined;
  /** Instant of the machine's last event. */
  private last: Instant = 0;

  /** @param make what builds the machine, by the load it is to have */
  constructor(private readonly make: (load: Load | undefined) => MachineFactory) {}

  /** Name of the machine; undefined before it has begun. */
  get name(): string | undefined {
    return this.machine?.name;
  }

  /** Throws what the machine throws: an assertion of the engine. */
  answer(ask: Exclude<Ask, { ask: "bye" }>): Answer {
    const { id } = ask;
    if (ask.ask === "begin") return { say: "begun", id, next: this.begin(ask) };
    const machine = this.machine;
    if (machine === undefined) throw new Error(`asked for ${ask.ask} before it has begun`);
    switch (ask.ask) {
      case "grant":
        return this.grant(machine, ask);
      case "act":
        this.last = Math.max(this.last, ask.at);
        return { say: "ran", id, events: [this.run(machine, "act", ask.at, (out) => machine.act(ask.at, ask.act, out))] };
      case "state":
        return { say: "state", id, state: stateWords(machine) };
      case "query":
        return { say: "reply", id, reply: machine.query(ask.at, ask.query) };
      case "status":
        return { say: "status", id, status: machine.status(ask.at) };
      case "snapshot":
        return { say: "snapshot", id, snapshot: machine.snapshot() };
    }
  }

  private begin(ask: Extract<Ask, { ask: "begin" }>): Instant {
    // A machine sees of its world the seed and the epoch alone.
    const world: WorldDesign = { ...ask.facts, name: "", networks: [], machines: [ask.design], faults: [] };
    const machine = this.make(ask.load)(world, ask.design);
    if (ask.snapshot !== undefined) machine.restore(ask.snapshot);
    this.machine = machine;
    this.last = 0;
    return machine.nextTimerAt();
  }

  /** As the world orders the events of one machine: by instant, timers before packets, packets as they are given. */
  private grant(machine: Machine, grant: Grant): Answer {
    const events: Ran[] = [];
    this.last = Math.max(this.last, grant.from);
    let taken = 0;
    for (;;) {
      const arrival = grant.arrivals[taken];
      const timerAt = Math.max(machine.nextTimerAt(), this.last);
      const first = grant.single && arrival !== undefined;
      if (!first && timerAt < grant.until && timerAt <= (arrival?.[0] ?? grant.until)) {
        this.last = timerAt;
        events.push(this.run(machine, "timer", timerAt, (out) => machine.runTimer(timerAt, out)));
      } else if (arrival !== undefined) {
        taken++;
        const [at, datagram] = arrival;
        this.last = at;
        events.push(this.run(machine, "datagram", at, (out) => machine.receive(at, datagram, out)));
      } else break;
      if (grant.single) break;
      if (events.length >= GRANT_EVENTS_MAX) throw new Error(`more than ${GRANT_EVENTS_MAX} events before instant ${grant.until}`);
    }
    return { say: "ran", id: grant.id, events, ...(grant.state ? { state: stateWords(machine) } : {}) };
  }

  private run(machine: Machine, kind: Ran["kind"], at: Instant, step: (out: Out) => void): Ran {
    const effects: Effect[] = [];
    step((effect) => effects.push(effect));
    return { kind, at, next: machine.nextTimerAt(), effects };
  }
}

function stateWords(machine: Machine): StateWords {
  const h = new Hasher();
  machine.digest(h);
  return h.snapshot();
}
