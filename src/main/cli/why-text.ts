/** A Why as text for a terminal: the question, then a line for each clause with the instant and the entry of the record it rests on, then what can be typed. */
import type { Why, WhyClause } from "../lab/api.ts";

/** 161318000 → "161.318 s" */
const seconds = (instant: number): string => `${(instant / 1e6).toFixed(3)} s`;

function entryText({ refs }: WhyClause): string {
  const ref = refs.find(({ kind }) => kind === "act" || kind === "journal");
  if (ref === undefined) return "";
  return `  [${seconds(ref.instant)}${ref.kind === "journal" && ref.node !== undefined ? ` ${ref.node}` : ""}: ${ref.what}]`;
}

function clauseText(clause: WhyClause): string {
  const { fix, text } = clause;
  if (fix === undefined) return `  ${text}${entryText(clause)}\n`;
  return "act" in fix ? `  > quorate ${fix.act}\n` : `  ${fix.node}$ ${fix.command}\n`;
}

export function cardText({ title, clauses }: Why): string {
  return `${title}\n${clauses.map(clauseText).join("")}`;
}
