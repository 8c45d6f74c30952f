/**
 * Character classes by the names they have in brackets, in the C locale. In the real stack: ctype(3), by which fnmatch(3), regcomp(3), PCRE and tr tell them. Left out: other
 * locales.
 */

/** Each as the inside of a bracket expression, in the syntax that JavaScript and RE2 share. */
export const POSIX_CLASSES: ReadonlyMap<string, string> = new Map([
  ["alpha", "a-zA-Z"],
  ["digit", "0-9"],
  ["alnum", "a-zA-Z0-9"],
  ["upper", "A-Z"],
  ["lower", "a-z"],
  ["space", " \\t\\n\\v\\f\\r"],
  ["blank", " \\t"],
  ["punct", "!-\\/:-@\\[-`{-~"],
  ["xdigit", "0-9a-fA-F"],
  ["cntrl", "\\x00-\\x1f\\x7f"],
  ["print", "\\x20-\\x7e"],
  ["graph", "\\x21-\\x7e"],
]);

const TESTS: ReadonlyMap<string, RegExp> = new Map([...POSIX_CLASSES].map(([name, inside]) => [name, new RegExp(`[${inside}]`)]));

/** Whether one character is in the class; undefined where there is no class of that name. */
export function posixClass(name: string): RegExp | undefined {
  return TESTS.get(name);
}
