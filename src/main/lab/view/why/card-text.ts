/** Titles of a Why, and what gathering nodes are said to do. */
import type { Component } from "../../api.ts";
import { listed, nodeName, statusOf, type Scene } from "./scene.ts";

/** @param elsewhere some other side is quorate; @param severe it does not come by itself */
export function quorumTitle(nodes: readonly string[], elsewhere: boolean, severe: boolean): string {
  if (!severe) return `${listed(nodes)} ${nodes.length === 1 ? "is" : "are"} not quorate yet`;
  if (!elsewhere) return "Why is nobody quorate?";
  return nodes.length === 1 ? `Why is ${nodes[0] ?? "it"} not quorate?` : `Why are ${listed(nodes)} not quorate?`;
}

export const nobody = (sides: number): string => `Not one of ${sides} sides is quorate.`;

export const forming = (nodes: readonly string[], ringless: boolean): string =>
  ringless ? "Gather: no ring now" : `${listed(nodes)} ${nodes.length === 1 ? "gathers" : "gather"}`;

/** "pve2 still believes in ring 1.6c; pve1 and pve3 have formed another." */
export const staleText = (nodes: readonly string[], ring: string, others: readonly string[]): string =>
  `${listed(nodes)} still ${nodes.length === 1 ? "believes" : "believe"} in ring ${ring}; ${listed(others)} ${others.length === 1 ? "has" : "have"} formed another.`;

/** @param whole the machine stood still, not its corosync alone */
export const resumedText = (node: string, whole: boolean): string =>
  whole ? `${node} was resumed after it had stood still.` : `corosync on ${node} got SIGCONT after it had been stopped.`;

/** What each would form, said once for all that agree. */
export function gatherTexts(scene: Scene, open: readonly Component[]): { text: string; of: string[] }[] {
  const beliefs = new Map<string, { of: string[]; members: readonly number[] }>();
  for (const { nodes, members } of open) {
    const key = members.join(" ");
    const known = beliefs.get(key) ?? { of: [], members };
    known.of.push(...nodes);
    beliefs.set(key, known);
  }
  return [...beliefs.values()].map(({ of, members }) => {
    const [first = ""] = of;
    const corosync = statusOf(scene, first)?.corosync;
    const names = members.map((id) => nodeName(scene, id, corosync));
    const alone = of.length === 1 && names.length === 1 && names[0] === first;
    if (alone) return { of, text: `${first} sees only itself.` };
    return { of, text: `${listed(of)} would form a ring of ${listed(names)}.` };
  });
}
