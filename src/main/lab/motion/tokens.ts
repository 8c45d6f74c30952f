/** Where the token of each ring is: rests at a node, is in a cable, or is lost. Read off the packets under way and off what the nodes say. */
import type { MachineStatus } from "../../../engine/kernel/status.ts";
import { tokenRing } from "../../../engine/world/dissect.ts";
import type { World } from "../../../engine/world/index.ts";
import type { LabSnapshot } from "../api.ts";

type Token = LabSnapshot["tokens"][number];

/** Rotations a second as the representative counted them; null: not known yet, or the token turns no more. */
function rateOf(representative: MachineStatus | undefined): number | null {
  const mean = representative?.corosync?.token.meanRotationUs ?? 0;
  return mean > 0 ? 1e6 / mean : null;
}

/** One for each ring that is formed. */
export function tokensOf(world: World, machines: readonly MachineStatus[]): Token[] {
  const rings = new Map<string, MachineStatus[]>();
  for (const machine of machines) {
    const { power, corosync } = machine;
    if (power === "off" || corosync?.state !== "operational") continue;
    rings.set(corosync.ringId, [...(rings.get(corosync.ringId) ?? []), machine]);
  }
  if (rings.size === 0) return [];
  const flights = new Map<string, { from: string; to: string; due: number }>();
  for (const flight of world.flying()) {
    const ring = tokenRing(flight.datagram);
    const to = world.nameOf(flight.target);
    const alive = machines.some(({ name, power }) => name === to && power === "on");
    if (ring === undefined || !alive || !world.arrives(flight)) continue;
    flights.set(ring, { from: world.nameOf(flight.source), to, due: flight.at });
  }
  return [...rings].map(([ringId, members]) => {
    const representative = members.find(({ corosync }) => corosync?.nodeId === corosync?.representative);
    const flight = flights.get(ringId);
    if (flight !== undefined)
      return { ringId, state: "travels", node: flight.from, to: flight.to, due: flight.due, heldUntil: null, rate: rateOf(representative) };
    const held = members.find(({ power, corosync }) => power === "on" && corosync?.token.here === true);
    const heldUntil = held?.corosync?.token.heldUntil;
    if (held !== undefined && heldUntil !== undefined && heldUntil >= world.now)
      return { ringId, state: "rests", node: held.name, to: null, due: null, heldUntil, rate: rateOf(representative) };
    return { ringId, state: "lost", node: null, to: null, due: null, heldUntil: null, rate: null };
  });
}
