/** Brace expansion: `a{b,c}` and `{1..5..2}`, on the text of a word before anything else is expanded. */

/** Results that one brace expansion may give. */
export const BRACES_MAX = 65_536;

interface Braces {
  from: number;
  to: number;
  parts: string[];
}

/** Skips what braces do not reach into: quotes, escapes, `$…`. Returns the index after it, or `at` when nothing is to be skipped. */
function skip(text: string, at: number): number {
  const c = text[at];
  if (c === "\\") return at + 2;
  if (c === "'" || c === '"') {
    for (let i = at + 1; i < text.length; i++) {
      if (text[i] === "\\" && c === '"') i++;
      else if (text[i] === c) return i + 1;
    }
    return text.length;
  }
  if (c === "`") {
    const end = text.indexOf("`", at + 1);
    return end < 0 ? text.length : end + 1;
  }
  if (c === "$" && (text[at + 1] === "{" || text[at + 1] === "(")) {
    const open = text.charAt(at + 1);
    const close = open === "{" ? "}" : ")";
    let depth = 0;
    for (let i = at + 1; i < text.length; i++) {
      if (text[i] === open) depth++;
      else if (text[i] === close && --depth === 0) return i + 1;
    }
    return text.length;
  }
  return at;
}

function findBraces(text: string, from: number): Braces | undefined {
  for (let at = from; at < text.length; at++) {
    const past = skip(text, at);
    if (past > at) {
      at = past - 1;
      continue;
    }
    if (text[at] !== "{") continue;
    const found = readBraces(text, at);
    if (found) return found;
  }
  return undefined;
}

function readBraces(text: string, from: number): Braces | undefined {
  const parts: string[] = [];
  let depth = 0;
  let start = from + 1;
  for (let at = from; at < text.length; at++) {
    const past = skip(text, at);
    if (past > at) {
      at = past - 1;
      continue;
    }
    const c = text[at];
    if (c === "{") depth++;
    else if (c === "," && depth === 1) {
      parts.push(text.slice(start, at));
      start = at + 1;
    } else if (c === "}" && --depth === 0) {
      parts.push(text.slice(start, at));
      if (parts.length > 1) return { from, to: at + 1, parts };
      const sequence = readSequence(parts[0] ?? "");
      return sequence ? { from, to: at + 1, parts: sequence } : undefined;
    }
  }
  return undefined;
}

function readSequence(body: string): string[] | undefined {
  const m = /^(-?\d+|[a-zA-Z])\.\.(-?\d+|[a-zA-Z])(?:\.\.(-?\d+))?$/.exec(body);
  if (!m) return undefined;
  const [a, b] = [m[1] ?? "", m[2] ?? ""];
  const characters = /[a-zA-Z]/.test(a) && /[a-zA-Z]/.test(b);
  if (!characters && /[a-zA-Z]/.test(a + b)) return undefined;
  const first = characters ? a.charCodeAt(0) : Number(a);
  const last = characters ? b.charCodeAt(0) : Number(b);
  const step = Math.abs(Number(m[3] ?? "1")) || 1;
  const width = /^-?0\d/.test(a) || /^-?0\d/.test(b) ? Math.max(a.length, b.length) : 0;
  const show = (n: number): string => {
    if (characters) return String.fromCharCode(n);
    const digits = String(Math.abs(n)).padStart(n < 0 ? width - 1 : width, "0");
    return n < 0 ? `-${digits}` : digits;
  };
  const out: string[] = [];
  for (let n = first; first <= last ? n <= last : n >= last; n += first <= last ? step : -step) {
    out.push(show(n));
    if (out.length > BRACES_MAX) return undefined;
  }
  return out;
}

/** @returns what it expands to, or undefined when there would be more than BRACES_MAX */
export function expandBraces(text: string, from = 0): string[] | undefined {
  const found = findBraces(text, from);
  if (!found) return [text];
  const out: string[] = [];
  const before = text.slice(0, found.from);
  const tails = expandBraces(text.slice(found.to));
  if (!tails) return undefined;
  for (const part of found.parts) {
    const middles = expandBraces(part);
    if (!middles || out.length + middles.length * tails.length > BRACES_MAX) return undefined;
    for (const middle of middles) for (const tail of tails) out.push(before + middle + tail);
  }
  return out;
}
