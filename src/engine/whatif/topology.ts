/**
 * Who reaches whom when something is gone: the groups of members that can form one ring, those in which reaching is not transitive, and who reaches
 * the qnetd host. Two members reach each other if any link between them works, and nobody passes on for others; a group in which A and C reach B but not
 * each other never settles (FACTS 4), and no ring is promised for it here. Left out: cuts of single pairs and of one direction.
 */
import type { WhatIfDesign } from "./design.ts";

/** What is gone, as bit sets: members, networks, the qnetd host, then per network the members whose cable is gone. */
export type Loss = number[];
export const LOST_NODES = 0;
export const LOST_NETWORKS = 1;
export const LOST_QNETD = 2;
export const LOST_CABLES = 3;

export interface Topology {
  /** Sets of members that all reach each other and nobody else, by their lowest member. */
  readonly groups: readonly number[];
  /** Sets of members that hang together, but not everybody with everybody. */
  readonly loose: readonly number[];
  /** Members that reach the qnetd host. */
  readonly qnetd: number;
}

/** Bits of a whole number that is exact. */
const EXACT_BITS = 53;

export class Topologies {
  private readonly byLoss = new Map<number | string, Topology>();
  private readonly byShape = new Map<string, Topology>();
  private readonly all: number;
  /** Cards in use by network. */
  private readonly plugged: number[];
  private readonly short: boolean;

  constructor(private readonly design: WhatIfDesign) {
    this.all = (1 << design.members.length) - 1;
    this.plugged = design.wires.map(() => 0);
    this.short = design.members.length * (design.wires.length + 1) < EXACT_BITS;
  }

  nothingLost(): Loss {
    return new Array<number>(LOST_CABLES + this.design.wires.length).fill(0);
  }

  /** Equal topologies are one object. */
  at(loss: Readonly<Loss>): Topology {
    const { members, wires } = this.design;
    const live = this.all & ~(loss[LOST_NODES] ?? 0);
    const off = loss[LOST_NETWORKS] ?? 0;
    const witness = loss[LOST_QNETD] === 0 ? 1 : 0;
    let key: number | string = live;
    for (let w = 0; w < wires.length; w++) {
      const mask = ((off >> w) & 1) !== 0 ? 0 : (wires[w]?.cards ?? 0) & live & ~(loss[LOST_CABLES + w] ?? 0);
      this.plugged[w] = mask;
      key = this.short ? Number(key) * (1 << members.length) + mask : `${key} ${mask}`;
    }
    key = this.short ? Number(key) * 2 + witness : `${key} ${witness}`;
    const known = this.byLoss.get(key);
    if (known !== undefined) return known;
    const made = this.shaped(live, witness === 1);
    this.byLoss.set(key, made);
    return made;
  }

  private shaped(live: number, witness: boolean): Topology {
    const { members, wires, qnetd } = this.design;
    const { plugged } = this;
    const reach = members.map((_, i) =>
      plugged.reduce((bits, mask, w) => (((mask >> i) & 1) !== 0 ? bits | (mask & (wires[w]?.reach[i] ?? 0)) : bits), 0),
    );
    const away = qnetd !== undefined && qnetd.net === undefined ? live : 0;
    const witnessed =
      qnetd !== undefined && witness ? plugged.reduce((bits, mask, w) => (wires[w]?.qnetd === true ? bits | mask : bits), away) : 0;
    const groups: number[] = [];
    const loose: number[] = [];
    for (let left = live; left !== 0;) {
      const hanging = hangTogether(left & -left, reach);
      (isClique(hanging, reach) ? groups : loose).push(hanging);
      left &= ~hanging;
    }
    const shape = `${groups.join(" ")}/${loose.join(" ")}/${witnessed}`;
    const known = this.byShape.get(shape);
    if (known !== undefined) return known;
    const made: Topology = { groups, loose, qnetd: witnessed };
    this.byShape.set(shape, made);
    return made;
  }
}

/** The lowest member of a set that is not empty. */
function lowest(mask: number): number {
  return 31 - Math.clz32(mask & -mask);
}

/** Members of a set, ascending. */
export function indices(mask: number): number[] {
  const out: number[] = [];
  for (let left = mask; left !== 0; left &= left - 1) out.push(lowest(left));
  return out;
}

function hangTogether(seed: number, reach: readonly number[]): number {
  let hanging = seed;
  for (let frontier = seed; frontier !== 0;) {
    let next = 0;
    for (let left = frontier; left !== 0; left &= left - 1) next |= reach[lowest(left)] ?? 0;
    frontier = next & ~hanging;
    hanging |= next;
  }
  return hanging;
}

function isClique(mask: number, reach: readonly number[]): boolean {
  for (let left = mask; left !== 0; left &= left - 1) if (((reach[lowest(left)] ?? 0) | (left & -left)) !== mask) return false;
  return true;
}
