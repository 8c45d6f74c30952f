/** `quorate whatif CONF|LAB.yaml`: the answer as a sentence, the smallest sets that do harm, and how many nodes may go; progress on stderr. */
import { whatIf, type Answer, type WhatIf } from "../../engine/whatif/index.ts";
import { labFor, questionFor } from "../lab/whatif/whatif.ts";
import { print, printJson, say } from "./outcome.ts";
import type { Values } from "./values.ts";

const progressAfterMs = 1000;
const progressEveryMs = 2000;
/** Sets of one table. */
const linesMax = 60;

/** What of the file plays no part, said once. */
function leftOut(path: string, lab: ReturnType<typeof labFor>): void {
  const off = Object.entries(lab.nodes).filter(([, node]) => node.power === "off");
  const parts = [
    ...(lab.faults.length > 0 ? ["its faults"] : []),
    ...(lab.steps.length > 0 ? ["its steps"] : []),
    ...(off.length > 0 ? [`"power: off" of ${off.map(([name]) => name).join(", ")}`] : []),
  ];
  if (parts.length > 0) say(`quorate: ${path}: what-if begins with every node on and nothing at fault, without ${parts.join(" and ")}`);
}

type Sets = "killing" | "splitting" | "unsettled";

function setsTable(title: string, which: Sets, { atOnce, oneAfterAnother }: WhatIf): string[] {
  const text = (set: readonly string[]): string => (set.length === 0 ? "nothing" : set.join(" "));
  const once = new Set(atOnce[which].map(text));
  const turns = new Set(oneAfterAnother[which].map(text));
  const bySize = [...atOnce[which], ...oneAfterAnother[which]].sort((a, b) => a.length - b.length).map(text);
  const all = [...new Set(bySize)];
  const shown = all.slice(0, linesMax);
  const width = Math.max(title.length, ...shown.map((line) => line.length)) + 2;
  const mark = (in_: boolean): string => (in_ ? "yes" : "-");
  return [
    `${title.padEnd(width)}at once  one after another`,
    ...shown.map((line) => `${line.padEnd(width)}${mark(once.has(line)).padEnd(9)}${mark(turns.has(line))}`),
    ...(all.length > shown.length ? [`… and ${all.length - shown.length} more (--json has all)`] : []),
    ...(all.length === 0 ? ["none"] : []),
    "",
  ];
}

function matrixTable(title: string, { matrix }: Answer): string[] {
  const columns = ["nodes lost", "sets", "quorate", "none quorate", "two quorate", "never settles"];
  const rows = matrix.map((r) => [r.lost, r.sets, r.holds, r.kills, r.splits, r.unsettled].map(String));
  return [title, columns.join("  "), ...rows.map((row) => row.map((cell, i) => cell.padStart((columns[i] ?? "").length)).join("  ")), ""];
}

function printAnswer(answer: WhatIf): void {
  const { upTo } = answer;
  const lines = [
    answer.sentence,
    "",
    ...setsTable(`smallest sets (up to ${upTo}) after which no node is quorate`, "killing", answer),
    ...setsTable(`smallest sets (up to ${upTo}) after which two components are quorate`, "splitting", answer),
    ...setsTable(`smallest sets (up to ${upTo}) after which the membership never settles`, "unsettled", answer),
    ...matrixTable("how many sets of nodes, lost at once, leave what", answer.atOnce),
    ...matrixTable("how many sets of nodes, lost one after another in some order, leave what", answer.oneAfterAnother),
  ];
  print(lines.slice(0, -1).join("\n"));
}

export function whatif(path: string, v: Values): Promise<number> {
  const lab = labFor(path);
  const design = questionFor(lab, path);
  leftOut(path, lab);
  const began = Date.now();
  let shown = began + progressAfterMs - progressEveryMs;
  const answer = whatIf(design, (done, total) => {
    if (Date.now() - shown < progressEveryMs) return;
    shown = Date.now();
    say(`quorate: ${done} of about ${total} sets`);
  });
  if (v["json"] === true) printJson(answer);
  else printAnswer(answer);
  return Promise.resolve(0);
}
