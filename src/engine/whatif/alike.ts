/**
 * Which sets of losses come to the same: members with the same votes and the same cables may stand for each other where no id breaks ties, so one verdict serves
 * for all sets that lose as much of as many of them. Left out: likeness of networks.
 */
import type { Member, WhatIfDesign } from "./design.ts";
import type { Element } from "./elements.ts";
import { LOST_CABLES, LOST_NODES } from "./topology.ts";

/** Ids beyond a fixed tie breaker's have a say: who is lowest changes with every loss. */
function idsMatter({ members }: WhatIfDesign): boolean {
  return members.some(({ settings }) => {
    const value = (key: string): string => String(settings.keys.find((entry) => entry.key === key)?.value ?? "");
    const algorithm = value("quorum.device.net.algorithm");
    return settings.config.quorum.autoTieBreaker || (algorithm !== "" && algorithm !== "ffsplit" && algorithm !== "test");
  });
}

/** What a member's own file says of votes, and whether a fixed tie breaker means it. */
function ownOf({ settings, nodeId }: Member): string {
  const { quorum, nodes, localPosition } = settings.config;
  const tie = settings.keys.find((entry) => entry.key === "quorum.device.net.tie_breaker")?.value ?? "lowest";
  const ids = nodes.map((n) => n.nodeId);
  const breaker = tie === "lowest" ? Math.min(...ids) : tie === "highest" ? Math.max(...ids) : Number(tie);
  const asked = quorum.device !== undefined && breaker === nodeId;
  return `${JSON.stringify(quorum)} ${nodes.map((n) => n.votes).join(",")} ${nodes[localPosition]?.votes ?? 0} ${asked} ${JSON.stringify(settings.config.totem)}`;
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
  const apart = idsMatter(design);
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

  constructor(
    private readonly classes: readonly number[],
    elements: readonly Element[],
  ) {
    this.parts = elements.map(partOf);
    this.lost = classes.map(() => 0);
  }

  /** Some sets have the same one. */
  get useful(): boolean {
    return this.classes.some((c, i) => c !== i);
  }

  of(set: readonly number[]): string {
    let general = "";
    const touched: number[] = [];
    for (const i of set) {
      const part = this.parts[i];
      if (part === undefined || part.member < 0) general += `${i},`;
      else {
        if (this.lost[part.member] === 0) touched.push(part.member);
        this.lost[part.member] = (this.lost[part.member] ?? 0) | part.bit;
      }
    }
    const codes = touched.map((member) => ((this.classes[member] ?? 0) << 10) | (this.lost[member] ?? 0));
    for (const member of touched) this.lost[member] = 0;
    codes.sort((a, b) => a - b);
    return `${general};${codes.join(",")}`;
  }
}
