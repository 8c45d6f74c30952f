/**
 * What can be lost, by the names the answers use: `node:pve1`, `link:pve2/net1` (one machine's cable on one network), `network:net0`, `qnetd`. Left out:
 * losses in one direction only, delay, and what is slow instead of gone.
 */
import type { WhatIfDesign } from "./design.ts";
import { LOST_CABLES, LOST_NETWORKS, LOST_NODES, LOST_QNETD, indices } from "./topology.ts";

export type Kind = "nodes" | "networks" | "qnetd" | "links";
export const KINDS: readonly Kind[] = ["nodes", "networks", "qnetd", "links"];

export interface Element {
  readonly name: string;
  readonly kind: Kind;
  /** The word of a loss, and the bit in it. */
  readonly word: number;
  readonly bit: number;
}

/** Of a design, nodes first; those that carry nothing are left out, as losing them changes nothing. */
export function elementsOf(design: WhatIfDesign): Element[] {
  const { members, wires, qnetd } = design;
  const nodes = members.map((m, i): Element => ({ name: `node:${m.name}`, kind: "nodes", word: LOST_NODES, bit: 1 << i }));
  const networks = wires.map((w, i): Element => ({ name: `network:${w.name}`, kind: "networks", word: LOST_NETWORKS, bit: 1 << i }));
  const host: Element[] = qnetd === undefined ? [] : [{ name: "qnetd", kind: "qnetd", word: LOST_QNETD, bit: 1 }];
  const links = wires.flatMap((wire, w) =>
    indices(wire.cards)
      .filter((i) => wire.qnetd || (wire.reach[i] ?? 0) !== 0)
      .map((i): Element => ({ name: `link:${members[i]?.name ?? ""}/${wire.name}`, kind: "links", word: LOST_CABLES + w, bit: 1 << i })),
  );
  return [...nodes, ...networks, ...host, ...links];
}
