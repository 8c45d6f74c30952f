/** What can happen next in a lab, in the world's order: acts that wait, timers that are armed, packets under way. Each is as it stands now; what happens before it may stop it. */
import { dissect } from "../../../engine/world/dissect.ts";
import { flightBefore, type Flight, type World } from "../../../engine/world/index.ts";
import type { Upcoming } from "../api.ts";
import { lineOf } from "../act/table.ts";
import { timerName } from "./timer-names.ts";

/** Entries of the list: what is further off is not told. */
const UPCOMING_MAX = 40;
const ORDER = { act: 0, timer: 1, packet: 2 } as const;

interface Placed {
  readonly entry: Upcoming;
  readonly machine: number;
}

function packetOf(world: World, flight: Flight): Placed {
  const [from, node] = [world.nameOf(flight.source), world.nameOf(flight.target)];
  const { kind, seq, totem, fields } = dissect(flight.datagram);
  const arrives = world.arrives(flight) && world.has(node);
  const text = `${kind}${seq === undefined ? "" : ` seq ${seq}`}`;
  const { net, bytes, wire } = flight.datagram;
  const packet = { number: flight.sequence, totem, arrives, bytes: wire ?? bytes.length, fields: fields.map((one) => ({ ...one })) };
  return { machine: flight.target, entry: { at: flight.at, what: "packet", text, node, from, net, packet } };
}

/** At most `most` entries, the next first. */
export function upcomingOf(world: World, most = UPCOMING_MAX): Upcoming[] {
  const now = world.now;
  const acts: Placed[] = world
    .waiting()
    .map(({ at, act }) => ({ machine: -1, entry: { at, what: "act", text: lineSaid(act), node: null } }));
  const timers: Placed[] = world.armed().map(({ machine, program, name, at }) => ({
    machine,
    entry: { at: Math.max(at, now), what: "timer", text: timerName(program, name), node: world.nameOf(machine) },
  }));
  const packets = [...world.flying()].sort((a, b) => (flightBefore(a, b) ? -1 : 1)).slice(0, most);
  const all = [...acts, ...timers, ...packets.map((flight) => packetOf(world, flight))];
  // Stable: packets stay in their own order, timers of one machine as they were armed.
  const order = (a: Placed, b: Placed): number =>
    a.entry.at - b.entry.at || ORDER[a.entry.what] - ORDER[b.entry.what] || (a.entry.what === "timer" ? a.machine - b.machine : 0);
  return all
    .sort(order)
    .slice(0, most)
    .map(({ entry }) => entry);
}

function lineSaid(act: Parameters<typeof lineOf>[0]): string {
  try {
    return lineOf(act);
  } catch {
    // What sessions do has no acting line.
    return act.to === "machine" ? `${act.act.kind} on ${act.machine}` : act.act.kind;
  }
}

/** When the next of them is due; of a list that is empty never. */
export function firstOf(world: World): Upcoming | undefined {
  return upcomingOf(world, 1)[0];
}
