/**
 * A finding about a corosync.conf: what is wrong or worth knowing, where, and how to mend it. `error`: the daemon refuses the file. `warning`: the
 * daemon takes it in silence, and somebody will be sorry. `note`: good to know.
 */
import type { Conf, ConfEntry, ConfSection } from "./ast.ts";
import type { ConfValues } from "./values.ts";

export interface Finding {
  readonly severity: "error" | "warning" | "note";
  readonly code: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
  readonly mend: string;
}

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Where `key` was set; else where the first of `sections` opens; else the top of the file. */
export function placeOf(conf: Conf, values: ConfValues, key: string, ...sections: readonly string[]): Place {
  const value = values.get(key);
  if (value !== undefined) return { line: value.line, column: value.column };
  for (const name of sections) {
    const section = findSection(conf.entries, name);
    if (section !== undefined) return { line: section.line, column: section.column };
  }
  return { line: 1, column: 1 };
}

/** The first section at `path` ("totem", "totem.interface"). */
function findSection(entries: readonly ConfEntry[], path: string): ConfSection | undefined {
  for (const entry of entries) {
    if (entry.kind !== "section") continue;
    if (entry.name === path) return entry;
    const below = path.startsWith(`${entry.name}.`) ? findSection(entry.entries, path.slice(entry.name.length + 1)) : undefined;
    if (below !== undefined) return below;
  }
  return undefined;
}

/** By line, then column; at one place errors first. Doubles are dropped. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  const rank = { error: 0, warning: 1, note: 2 };
  const seen = new Set<string>();
  return [...findings]
    .sort((a, b) => a.line - b.line || a.column - b.column || rank[a.severity] - rank[b.severity])
    .filter((f) => {
      const id = `${f.line}:${f.column}:${f.code}:${f.text}`;
      return !seen.has(id) && seen.add(id) !== undefined;
    });
}
