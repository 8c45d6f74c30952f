/** The cards of the first minute: which one fits the snapshot, and what it says. Only what the lab itself reports is said. */
import type { Component, LabSnapshot } from "../../../main/lab/api.ts";
import { cablesOf, isCut } from "../acting.ts";
import { listed } from "../format.ts";

export type Story =
  | { kind: "pull"; node: string }
  | { kind: "gather"; text: string }
  | { kind: "why"; title: string; lines: string[]; alone: string }
  | { kind: "healed" }
  | null;

const formedOf = (snapshot: LabSnapshot): Component[] => snapshot.components.filter(({ formed }) => formed);

/** The node the first cut is offered for: the last one, when it stands in one quorate ring with the others. */
function pullable(snapshot: LabSnapshot): string | undefined {
  const formed = formedOf(snapshot);
  const only = formed[0];
  const last = snapshot.nodes.findLast(({ kind }) => kind === "node");
  if (formed.length !== 1 || snapshot.components.length !== 1 || only === undefined || last === undefined) return undefined;
  return only.quorate && only.nodes.length >= 3 && only.nodes.includes(last.name) && snapshot.faults.length === 0 ? last.name : undefined;
}

/** The ring without quorum, beside one with it. */
function minority(snapshot: LabSnapshot): { away: Component; rest: Component } | undefined {
  const formed = formedOf(snapshot);
  const rest = formed.find(({ quorate }) => quorate);
  const away = formed.find(({ quorate }) => !quorate);
  return rest === undefined || away === undefined ? undefined : { away, rest };
}

/** "The cables of pve3 are cut: net0 both ways, net1 inwards.": what keeps the rings apart. */
function describeCut(snapshot: LabSnapshot, away: Component): string {
  const parts = away.nodes.flatMap((node) => {
    const cut = cablesOf(snapshot, node).filter(isCut);
    if (cut.length === 0) return [];
    const each = cut.map((cable) => `${cable.net} ${cable.cutIn && cable.cutOut ? "both ways" : cable.cutIn ? "inwards" : "outwards"}`);
    return [`${cut.length === 1 ? "a cable" : "the cables"} of ${node} ${cut.length === 1 ? "is" : "are"} cut (${each.join(", ")})`];
  });
  const off = snapshot.networks.filter(({ on }) => !on).map(({ name }) => `switch ${name} is off`);
  const pairs =
    snapshot.pairCuts.length > 0
      ? [`${listed([...new Set(snapshot.pairCuts.flatMap(({ from, to }) => [from, to]))])} cannot all reach each other`]
      : [];
  const all = [...parts, ...off, ...pairs];
  return all.length === 0 ? `Nothing of ${listed(away.nodes)} reaches the others.` : `${capital(listed(all))}.`;
}

function whyLines(snapshot: LabSnapshot, away: Component, rest: Component): string[] {
  const token = snapshot.nodes.find(({ name }) => name === away.nodes[0])?.corosync?.token;
  const timers =
    token === undefined
      ? "Each side formed its own ring."
      : `No token for ${token.tokenTimeoutMs} ms, no consensus for ${token.consensusMs} ms: each side formed its own ring.`;
  return [
    describeCut(snapshot, away),
    timers,
    `${listed(away.nodes)} ${away.nodes.length === 1 ? "holds" : "hold"} ${away.votes} of ${away.expectedVotes} votes, ${away.quorum} are needed: not quorate. ${listed(rest.nodes)} hold ${rest.votes} and ${rest.nodes.length === 1 ? "goes" : "go"} on.`,
  ];
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function gatherText(snapshot: LabSnapshot): string {
  const beliefs = snapshot.components
    .filter(({ formed }) => !formed)
    .map(({ nodes, members }) => `${listed(nodes)} would form with ${listed(members.map(String))}`);
  return beliefs.length === 0 ? "" : `Each region is one node’s own belief. ${capital(beliefs.join("; "))}.`;
}

/** Which card fits now. `split` tells that a split was seen since the page opened. */
export function storyOf(snapshot: LabSnapshot, split: boolean): Story {
  const parted = minority(snapshot);
  if (parted !== undefined)
    return {
      kind: "why",
      title:
        parted.away.nodes.length === 1 ? `Why is ${parted.away.nodes[0] ?? "it"} alone?` : `Why are ${listed(parted.away.nodes)} apart?`,
      lines: whyLines(snapshot, parted.away, parted.rest),
      alone: listed(parted.away.nodes),
    };
  const slow = snapshot.time.paused || (typeof snapshot.time.speed === "number" && snapshot.time.speed <= 0.2);
  if (slow && snapshot.components.some(({ formed }) => !formed)) return { kind: "gather", text: gatherText(snapshot) };
  const node = pullable(snapshot);
  if (split && node !== undefined) return { kind: "healed" };
  return node === undefined ? null : { kind: "pull", node };
}
