/**
 * The README of an export as blocks to draw. It knows the Markdown that the lab writes there (headings, tables, numbered and ticked lists, code), and shows anything else as a paragraph; a
 * library for all of Markdown would be larger than the rest of the view.
 */

/** A stretch of a line. */
export interface Inline {
  readonly kind: "text" | "code" | "strong";
  readonly text: string;
}

export type Block =
  | { readonly kind: "heading"; readonly level: number; readonly text: readonly Inline[] }
  | { readonly kind: "paragraph"; readonly text: readonly Inline[] }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "list"; readonly numbered: boolean; readonly items: readonly (readonly Inline[])[] }
  | { readonly kind: "table"; readonly head: readonly (readonly Inline[])[]; readonly rows: readonly (readonly (readonly Inline[])[])[] };

export function inlines(text: string): Inline[] {
  return text
    .split(/(`[^`]+`|\*\*[^*]+\*\*)/)
    .filter((part) => part !== "")
    .map((part): Inline => {
      if (part.startsWith("`") && part.endsWith("`") && part.length > 2) return { kind: "code", text: part.slice(1, -1) };
      if (part.startsWith("**") && part.endsWith("**") && part.length > 4) return { kind: "strong", text: part.slice(2, -2) };
      return { kind: "text", text: part };
    });
}

const ITEM = /^(?:\d+\.|-)\s+(?:\[ \]\s+)?/;
const cells = (line: string): Inline[][] =>
  line
    .replace(/^\||\|$/g, "")
    .split("|")
    .map((cell) => inlines(cell.trim()));

/** Lines that belong to one block. */
function stretch(lines: readonly string[], from: number, fits: (line: string) => boolean): string[] {
  const end = lines.findIndex((line, at) => at >= from && !fits(line));
  return lines.slice(from, end < 0 ? lines.length : end);
}

export function blocksOf(text: string): Block[] {
  const lines = text.split("\n");
  const out: Block[] = [];
  for (let at = 0; at < lines.length;) {
    const line = lines[at] ?? "";
    const heading = /^(#{1,6})\s+(.*)$/.exec(line);
    if (line.trim() === "") at++;
    else if (heading !== null) {
      out.push({ kind: "heading", level: heading[1]?.length ?? 1, text: inlines(heading[2] ?? "") });
      at++;
    } else if (line.startsWith("```")) {
      const code = stretch(lines, at + 1, (one) => !one.startsWith("```"));
      out.push({ kind: "code", text: code.join("\n") });
      at += code.length + 2;
    } else if (line.startsWith("|")) {
      const rows = stretch(lines, at, (one) => one.startsWith("|"));
      const [head = "", , ...body] = rows;
      out.push({ kind: "table", head: cells(head), rows: body.map(cells) });
      at += rows.length;
    } else if (ITEM.test(line)) {
      const items = stretch(lines, at, (one) => ITEM.test(one));
      out.push({ kind: "list", numbered: /^\d/.test(line), items: items.map((item) => inlines(item.replace(ITEM, ""))) });
      at += items.length;
    } else {
      const plain = stretch(lines, at, (one) => one.trim() !== "" && !/^(#{1,6}\s|```|\|)/.test(one) && !ITEM.test(one));
      out.push({ kind: "paragraph", text: inlines(plain.join(" ")) });
      at += Math.max(1, plain.length);
    }
  }
  return out;
}
