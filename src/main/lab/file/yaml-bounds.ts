/**
 * Bounds of a YAML text, looked at before it is composed: how deep it nests, how many keys and values it has, how many aliases. Composing and checking take a stack of their own
 * and time that grows faster than the text, so what no lab needs is refused first, with its place.
 */
import { Lexer, Parser } from "yaml";
import { isWellFormed } from "../../../engine/kernel/check.ts";
import { LAB_FILE_BYTES_MAX } from "./read-input.ts";

/** Keys and values of a lab file. Ours: a lab of 64 machines on eight networks has a tenth of it. */
export const VALUES_MAX = 20_000;
/** Maps and lists in each other. */
export const NESTING_MAX = 64;
/** Places where an anchored value stands again. */
export const ALIASES_MAX = 100;

/** Something no lab file may have, and where. */
export interface Beyond {
  readonly offset: number;
  readonly what: string;
}

/** Of the lexer: what comes is a scalar that is not quoted. */
const SCALAR = "\u001f";
const isScalar = (source: string): boolean => source === SCALAR || source.startsWith('"') || source.startsWith("'");

/** What of the text is beyond a bound; undefined: nothing is. */
export function beyondBounds(text: string): Beyond | undefined {
  if (text.length > LAB_FILE_BYTES_MAX) return { offset: 0, what: `a lab file has at most ${LAB_FILE_BYTES_MAX >> 20} MiB` };
  const parser = new Parser();
  let [values, aliases] = [0, 0];
  for (const source of new Lexer().lex(text)) {
    const { offset } = parser;
    if (isScalar(source) && ++values > VALUES_MAX) return { offset, what: `a lab file has at most ${VALUES_MAX} keys and values` };
    if (source.startsWith("*") && ++aliases > ALIASES_MAX) return { offset, what: `a lab file has at most ${ALIASES_MAX} aliases` };
    // Its tokens are its own affair; how many are open is how deep it nests.
    for (const _ of parser.next(source)) continue;
    if (parser.stack.length > NESTING_MAX + 2) return { offset, what: `maps and lists nest at most ${NESTING_MAX} deep` };
  }
  return undefined;
}

/** What is wrong with the values themselves, wherever they come from: aliases make more of them than the text has. Undefined: nothing. */
export function beyondValues(root: unknown): { readonly path: readonly PropertyKey[]; readonly what: string } | undefined {
  const open: { readonly value: unknown; readonly path: readonly PropertyKey[] }[] = [{ value: root, path: [] }];
  let values = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, path } = next;
    if (++values > VALUES_MAX * 2) return { path: [], what: `a lab file has at most ${VALUES_MAX * 2} values, aliases counted each time` };
    if (typeof value === "string" && !isWellFormed(value))
      return { path, what: "text with half of a surrogate pair; well-formed text is allowed" };
    if (typeof value !== "object" || value === null) continue;
    // An alias inside of what it stands for has no end.
    if (path.length > NESTING_MAX) return { path: [], what: `maps and lists nest at most ${NESTING_MAX} deep` };
    for (const [key, inner] of Object.entries(value)) {
      if (!isWellFormed(key)) return { path, what: "a key with half of a surrogate pair; well-formed text is allowed" };
      open.push({ value: inner, path: [...path, Array.isArray(value) ? Number(key) : key] });
    }
  }
  return undefined;
}
