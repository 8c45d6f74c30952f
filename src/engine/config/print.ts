/**
 * Writing a corosync.conf in the shape the cluster stack writes it: names sorted within each section, two blanks of indent, a blank line after
 * each top-level section. In the real stack: the writer of PVE::Corosync. What is printed parses back to the same map. Left out: comments.
 */
import type { Conf, ConfEntry } from "./ast.ts";
import { LINE_BYTES_MAX, readLines, utf8Length } from "./grammar.ts";
import { RELEASE_DEFAULT, profileOf } from "./release.ts";
import type { ConfValues } from "./values.ts";
import { storeValues } from "./values.ts";

/** `indented` if the daemon's line buffer holds it, else the shortest form. A carriage return at the end would be taken for a line end: it is doubled. */
function fitted(indented: string, shortest: string): string {
  const line = utf8Length(indented) <= LINE_BYTES_MAX ? indented : shortest;
  return line.endsWith("\r") ? `${line}\r` : line;
}

/** One key line. An empty key stands before a bare colon, a key `:` before a blank and a colon (see grammar.ts). */
function keyLine(indent: string, name: string, value: string): string {
  if (name === "" || name === ":") return fitted(`${indent}:${name === "" ? "" : " "}${value}`, `:${name === "" ? "" : " "}${value}`);
  return fitted(`${indent}${name}:${value === "" ? "" : " "}${value}`, `${name}:${value}`);
}

function printEntries(entries: readonly ConfEntry[], indent: string, sort: boolean, out: string[]): void {
  // a stable sort: entries of one name keep their order, and with it their meaning
  const list = sort ? [...entries].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)) : entries;
  for (const entry of list) {
    if (entry.kind === "key") out.push(keyLine(indent, entry.name, entry.value));
    else {
      out.push(fitted(`${indent}${entry.name} {`, `${entry.name}{`));
      printEntries(entry.entries, `${indent}  `, sort, out);
      out.push(`${indent}}`);
      if (indent === "") out.push("");
    }
  }
}

function print(conf: Conf, sort: boolean): string {
  const out: string[] = [];
  printEntries(conf.entries, "", sort, out);
  return out.length === 0 ? "" : `${out.join("\n")}\n`;
}

function sameValues(a: ConfValues, b: ConfValues): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) {
    const other = b.get(key);
    if (other === undefined || other.type !== value.type || other.text !== value.text) return false;
  }
  return true;
}

/**
 * The canonical text of a parsed file. Where sorting would change what the daemon reads (a dotted name and a section that set the same key) the
 * order of the file is kept. For a file without parse errors the result parses to the same map.
 */
export function printConf(conf: Conf): string {
  const profile = profileOf(RELEASE_DEFAULT);
  const sorted = print(conf, true);
  return sameValues(storeValues(conf, profile).values, storeValues(readLines(sorted, profile).conf, profile).values)
    ? sorted
    : print(conf, false);
}
