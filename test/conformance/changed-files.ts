/** The files of the recording bad-configs-2: the recorder noted for each what differs from its good file with two nodes. */
import { two } from "../conf/mistakes.ts";
import type { RecordedStep } from "./recording.ts";

/** As the recorder wrote lines down: `\xa0` stands for that byte, and a character of Latin-1 for its byte. */
function bytesOf(noted: string): number[] {
  const text = noted.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))).replaceAll("\\t", "\t");
  return [...text].map((c) => c.charCodeAt(0));
}

/** Where a line goes that takes no other's place: sections at the top level at the end, a logger first, keys of totem in their order, what is deeper into the section of its depth. */
function placeOf(lines: readonly string[], added: string): number {
  const totem = lines.indexOf("totem {");
  if (!added.startsWith(" ")) return lines.length;
  if (added.startsWith("  logger_subsys")) return lines.indexOf("logging {") + 1;
  if (added.startsWith("    foo {") || added.startsWith("      ")) return lines.indexOf("    quorum_votes: 1") + 1;
  if (added.startsWith("    ")) return lines.indexOf("  interface {") + 1;
  for (let i = totem + 1; i < lines.length; i++) if (/^ {2}\w+(?:: | \{)|^\}/.test(lines[i] ?? "") && (lines[i] ?? "") > added) return i;
  return totem + 1;
}

/** The bytes of the file of a step. */
export function changedFile(step: RecordedStep & { readonly notes?: readonly string[] }): Uint8Array {
  const note = /^difference to the good file: (.*)$/.exec(step.notes?.[0] ?? "")?.[1] ?? "";
  const parts = [...note.matchAll(/'([-+])(.*?)'(?: \/ |$)/g)].map(([, sign, line]) => ({ sign, line: line ?? "" }));
  const lines = two.trimEnd().split("\n");
  const removed = parts.filter((p) => p.sign === "-").map((p) => p.line);
  let at = -1;
  if (removed.length > 0) {
    at = lines.findIndex((_, i) => removed.every((line, k) => lines[i + k] === line));
    if (at < 0) throw new Error(`${step.title}: the good file has no ${removed.join(" / ")}`);
    lines.splice(at, removed.length);
  }
  const added = parts.filter((p) => p.sign === "+").map((p) => p.line);
  const inInterface = /^    (?:knet|mcast|member)/.test(added[0] ?? "") || step.title === "section in totem.interface";
  if (at < 0) {
    if (inInterface) at = lines.indexOf("  interface {") + ((added[0] ?? "") > "    linknumber" ? 2 : 1);
    else if (/^  \w/.test(added[0] ?? "") && added.length > 1 && !added[0]?.endsWith("{")) {
      for (const line of added) lines.splice(placeOf(lines, line), 0, line);
      return file(lines);
    } else at = placeOf(lines, added[0] ?? "");
    // A section at the top level comes after a blank line.
    if (added[0]?.endsWith("{") === true && !added[0].startsWith(" ")) added.unshift("");
  }
  lines.splice(at, 0, ...added);
  return file(lines);
}

const file = (lines: readonly string[]): Uint8Array => Uint8Array.from(lines.flatMap((line) => [...bytesOf(line), 10]));
