/**
 * The answer as sentences: what can be lost, what cannot, and where order matters, one kind of thing after the other. Left out: sets of more than one
 * kind, which the tables name.
 */
import type { Answer, WhatIf } from "./answer.ts";
import type { Element, Kind } from "./elements.ts";

const NOUNS: Record<Kind, readonly [string, string]> = {
  nodes: ["node", "nodes"],
  networks: ["network", "networks"],
  qnetd: ["the qnetd host", ""],
  links: ["cable", "cables"],
};
/** Names told one by one. More of them are counted. */
const NAMES_MAX = 4;

function counted(kind: Kind, n: number): string {
  const [one, many] = NOUNS[kind];
  return n === 1 ? `one ${one}` : `${n} ${many}`;
}

function spoken(name: string): string {
  const [kind, rest = ""] = name.split(":");
  if (kind === "qnetd") return NOUNS.qnetd[0];
  if (kind !== "link") return `${kind ?? ""} ${rest}`;
  const [node, net] = rest.split("/");
  return `the cable of ${node ?? ""} on ${net ?? ""}`;
}

function listed(names: readonly string[], word = "or"): string {
  return names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} ${word} ${names[names.length - 1] ?? ""}`;
}

/** Things of a kind that do harm when they alone go. */
function singles(sets: readonly (readonly string[])[], of: readonly Element[]): string[] {
  return sets.flatMap((set) => (set.length === 1 && of.some((e) => e.name === set[0]) ? set : []));
}

function cannot(verb: string, harmful: readonly string[], kind: Kind, of: readonly Element[]): string {
  if (harmful.length === of.length && of.length > 1) return `${verb} any ${NOUNS[kind][0]}`;
  if (harmful.length > NAMES_MAX) return `${verb} ${harmful.length} of the ${of.length} ${NOUNS[kind][1]}`;
  return `${verb} ${listed(harmful.map(spoken))}`;
}

/** One kind's sentences. */
function ofKind(kind: Kind, once: Answer, turns: Answer, elements: readonly Element[]): string[] {
  const of = elements.filter((e) => e.kind === kind);
  if (of.length === 0) return [];
  const [k, inTurn] = [once.survivesAny[kind], turns.survivesAny[kind]];
  if (k === 0 && inTurn === 0) {
    const killing = singles(once.killing, of);
    const splitting = singles(once.splitting, of);
    return [
      ...(killing.length > 0 ? [`You cannot lose ${cannot("", killing, kind, of).trim()}.`] : []),
      ...(splitting.length > 0 ? [`Losing ${cannot("", splitting, kind, of).trim()} leaves two components quorate.`] : []),
    ];
  }
  if (kind === "qnetd") return ["You can lose the qnetd host."];
  const can = (n: number, open: boolean): string =>
    n >= of.length && n > 1 && !open ? `all ${NOUNS[kind][1]}` : `any ${counted(kind, n)}${open ? " (more were not tried)" : ""}`;
  const first = `You can lose ${can(k, once.atLeast.includes(kind))}`;
  if (inTurn === k) return [`${first}.`];
  const later = inTurn > k ? `and any ${inTurn} one after another` : `but one after another only any ${inTurn === 1 ? "one" : inTurn}`;
  return [`${k > 1 ? `${first} at once` : first}, ${later}.`];
}

/** @param elements all that can be lost */
export function sentenceOf(answer: Omit<WhatIf, "sentence">, elements: readonly Element[]): string {
  const { atOnce, oneAfterAnother } = answer;
  const never = atOnce.unsettled[0];
  if (never?.length === 0) return "Even with everything running some nodes reach each other and some do not: the membership never settles.";
  if (!answer.quorate) return "Even with everything running no node is quorate.";
  if (atOnce.splitting[0]?.length === 0) return "Even with everything running two components are quorate.";
  const said = (["nodes", "networks", "qnetd", "links"] as const).flatMap((kind) => ofKind(kind, atOnce, oneAfterAnother, elements));
  if (never !== undefined)
    said.push(`Without ${listed(never.map(spoken), "and")} not everybody reaches everybody, and the membership never settles.`);
  return said.join(" ");
}
