/**
 * Which sets of losses come to the same: members with the same votes and the same cables may stand for each other, so one verdict serves for all sets that lose
 * as much of as many of them. Where the lowest (or highest) id breaks ties, those below the lowest that loses nothing are told apart: as long as it is
 * there, nobody above it is ever asked. Left out: likeness of networks.
 */
import { parseTieBreaker } from "../config/index.ts";
import type { Member, WhatIfDesign } from "./design.ts";
import type { Element } from "./elements.ts";
import { LOST_CABLES, LOST_NODES } from "./topology.ts";

/** Which ids are asked for in a tie, as members come and go: none or a fixed one, the lowest, the highest, or no telling. */
type Order = "fixed" | "lowest" | "highest" | "any";

function valueOf({ settings }: Member, key: string): string {
  return String(settings.keys.find((entry) => entry.key === key)?.value ?? "");
}

function orderOf(member: Member): Order {
  const { quorum } = member.settings.config;
  const word = (text: string): Order => (text.startsWith("lowest") ? "lowest" : text.startsWith("highest") ? "highest" : "fixed");
  if (quorum.autoTieBreaker) return word(parseTieBreaker(quorum.autoTieBreakerNode ?? "lowest")?.type ?? "none");
  if (quorum.device === undefined) return "fixed";
  const algorithm = valueOf(member, "quorum.device.net.algorithm");
  // ffsplit asks for the lowest of those configured, who comes or goes.
  if (algorithm === "" || algorithm === "ffsplit" || algorithm === "test") return "fixed";
  return algorithm === "lms" ? word(valueOf(member, "quorum.device.net.tie_breaker") || "lowest") : "any";
}

/** Everybody is on every network, and reaches everybody or, where it is the arbiter's alone, nobody: whoever loses nothing is with all who are not alone. */
function uniform({ members, wires }: WhatIfDesign): boolean {
  const all = (1 << members.length) - 1;
  const same = (reach: readonly number[]): boolean =>
    reach.every((mask) => mask === 0) || reach.every((mask, i) => (mask | (1 << i)) === all);
  return wires.every((wire) => wire.cards === all && same(wire.reach));
}

/** How the members' ids count, all in all. */
export function tieOrderOf(design: WhatIfDesign): Order {
  const orders = new Set(design.members.map(orderOf));
  const [order] = orders;
  if (orders.size !== 1 || order === undefined) return "any";
  return order === "fixed" || uniform(design) ? order : "any";
}

/** What a member's own file says of votes, and whether a fixed tie breaker means it. */
function ownOf(member: Member): string {
  const { quorum, nodes, localPosition, totem } = member.settings.config;
  const tie = valueOf(member, "quorum.device.net.tie_breaker") || "lowest";
  const ids = nodes.map((n) => n.nodeId);
  const breaker = tie === "lowest" ? Math.min(...ids) : tie === "highest" ? Math.max(...ids) : Number(tie);
  const asked = quorum.device !== undefined && orderOf(member) === "fixed" && breaker === member.nodeId;
  const ordered = parseTieBreaker(quorum.autoTieBreakerNode ?? "");
  const listed = ordered?.type === "list" ? ordered.nodes.indexOf(member.nodeId) : -1;
  const votes = nodes.map((n) => n.votes).join(",");
  return [JSON.stringify(quorum), votes, nodes[localPosition]?.votes ?? 0, asked, listed, JSON.stringify(totem)].join(" ");
}

/** Members a and b could change places without anybody noticing. */
function exchangeable({ wires }: WhatIfDesign, a: number, b: number): boolean {
  const pair = (1 << a) | (1 << b);
  return wires.every((wire) => {
    if (((wire.cards >> a) & 1) !== ((wire.cards >> b) & 1)) return false;
    if (((wire.reach[a] ?? 0) & ~pair) !== ((wire.reach[b] ?? 0) & ~pair)) return false;
    return wire.reach.every((mask, i) => i === a || i === b || ((mask >> a) & 1) === ((mask >> b) & 1));
  });
}

/** A number for each member: equal ones may stand for each other. */
export function classesOf(design: WhatIfDesign): number[] {
  const apart = tieOrderOf(design) === "any";
  const own = design.members.map(ownOf);
  const classes: number[] = [];
  for (const i of design.members.keys()) {
    const like = apart ? -1 : own.findIndex((text, j) => j < i && text === own[i] && exchangeable(design, j, i));
    classes.push(like < 0 ? i : (classes[like] ?? i));
  }
  return classes;
}

/** What a thing is part of: a member, and which part of it; -1: of no member. */
function partOf(element: Element): { member: number; bit: number } {
  if (element.word === LOST_NODES) return { member: 31 - Math.clz32(element.bit), bit: 1 };
  if (element.word >= LOST_CABLES) return { member: 31 - Math.clz32(element.bit), bit: 1 << (1 + element.word - LOST_CABLES) };
  return { member: -1, bit: 0 };
}

/** Sets with equal signatures come to the same. */
export class Signatures {
  private readonly parts: readonly { member: number; bit: number }[];
  private readonly lost: number[];
  /** No member has more than one thing to lose. */
  readonly single: boolean;

  constructor(
    private readonly classes: readonly number[],
    private readonly order: Order,
    elements: readonly Element[],
  ) {
    this.parts = elements.map(partOf);
    this.lost = classes.map(() => 0);
    const owners = this.parts.flatMap(({ member }) => (member < 0 ? [] : [member]));
    this.single = new Set(owners).size === owners.length;
  }

  /** Some sets have the same one. */
  get useful(): boolean {
    return this.classes.some((c, i) => c !== i);
  }

  /** For each thing of a set, who loses it as far as that counts: itself where its place in the order does, else its class. */
  roles(set: readonly number[]): string[] {
    this.note(set);
    const told = new Set(this.first());
    const out = set.map((i) => {
      const { member, bit } = this.parts[i] ?? { member: -1, bit: 0 };
      if (member < 0) return `${i}`;
      return told.has(member) ? `!${member}.${bit}` : `${this.classes[member] ?? -1}.${this.lost[member] ?? 0}.${bit}`;
    });
    this.forget(set);
    return out;
  }

  of(set: readonly number[]): string {
    const touched = this.note(set);
    const first = this.first();
    const code = (member: number): number => ((this.classes[member] ?? 0) << 10) | (this.lost[member] ?? 0);
    const others = touched.filter((member) => !first.includes(member)).map(code);
    others.sort((a, b) => a - b);
    const general = set.filter((i) => (this.parts[i]?.member ?? -1) < 0);
    const text = `${general.join()};${first.map(code).join()};${others.join()}`;
    this.forget(set);
    return text;
  }

  private note(set: readonly number[]): number[] {
    const touched: number[] = [];
    for (const i of set) {
      const part = this.parts[i];
      if (part === undefined || part.member < 0) continue;
      if (this.lost[part.member] === 0) touched.push(part.member);
      this.lost[part.member] = (this.lost[part.member] ?? 0) | part.bit;
    }
    return touched;
  }

  private forget(set: readonly number[]): void {
    for (const i of set) {
      const member = this.parts[i]?.member ?? -1;
      if (member >= 0) this.lost[member] = 0;
    }
  }

  /** Members that lose something, from the end of the order that is asked for up to the first that does not. */
  private first(): number[] {
    const out: number[] = [];
    if (this.order !== "lowest" && this.order !== "highest") return out;
    const n = this.lost.length;
    for (let i = 0; i < n; i++) {
      const member = this.order === "lowest" ? i : n - 1 - i;
      if (this.lost[member] === 0) break;
      out.push(member);
    }
    return out;
  }
}
