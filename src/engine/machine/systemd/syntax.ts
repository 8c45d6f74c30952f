/**
 * The text of a unit file taken apart: sections, assignments in order, and what is wrong with it as systemd itself puts it. In the real stack: config_parse of conf-parser.c;
 * systemd.syntax(7). What a key means is another file's matter.
 */

export interface Assignment {
  readonly section: string;
  readonly key: string;
  /** Without the blanks around it; continued lines are joined by one blank. */
  readonly value: string;
  /** Where it begins, from 1. */
  readonly line: number;
}

export interface Problem {
  readonly line: number;
  readonly text: string;
}

export interface UnitText {
  readonly assignments: readonly Assignment[];
  readonly problems: readonly Problem[];
  /** The whole file is refused. */
  readonly broken: boolean;
}

/** Lines with continuations joined: a comment between two parts of a line is dropped. */
function joinedLines(text: string): { readonly text: string; readonly line: number }[] {
  const out: { text: string; line: number }[] = [];
  let open: { text: string; line: number } | undefined;
  text.split("\n").forEach((raw, i) => {
    if (/^\s*[#;]/.test(raw)) return;
    const continued = /(^|[^\\])(\\\\)*\\$/.test(raw);
    const part = continued ? `${raw.slice(0, -1)} ` : raw;
    if (open === undefined) open = { text: part, line: i + 1 };
    else open.text += part.trimStart();
    if (continued) return;
    out.push(open);
    open = undefined;
  });
  if (open !== undefined) out.push(open);
  return out;
}

/** @param sections those that a unit of this type may have; others are named, but for `X-…`, which is anybody's */
export function parseUnitText(text: string, sections: readonly string[]): UnitText {
  const assignments: Assignment[] = [];
  const problems: Problem[] = [];
  let section: string | undefined;
  let ignored = false;
  for (const { text: whole, line } of joinedLines(text)) {
    const body = whole.trim();
    if (body === "") continue;
    if (body.startsWith("[")) {
      if (!body.endsWith("]")) {
        problems.push({ line, text: `Invalid section header '${body}'` });
        return { assignments: [], problems, broken: true };
      }
      section = body.slice(1, -1);
      ignored = !sections.includes(section);
      if (ignored && !section.startsWith("X-")) problems.push({ line, text: `Unknown section '${section}'. Ignoring.` });
    } else if (section === undefined) problems.push({ line, text: "Assignment outside of section. Ignoring." });
    else if (!ignored) {
      const equals = body.indexOf("=");
      if (equals < 0) problems.push({ line, text: "Missing '=', ignoring line." });
      else if (equals === 0) problems.push({ line, text: "Missing key name before '=', ignoring line." });
      else assignments.push({ section, key: body.slice(0, equals).trimEnd(), value: body.slice(equals + 1).trimStart(), line });
    }
  }
  return { assignments, problems, broken: false };
}
