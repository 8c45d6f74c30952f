/**
 * Checks of what comes over a wire: small functions that say whether a value is what it should be, and others that put them together. Exact: a key that
 * is not named is as wrong as one that is missing. Stands where the real stack checks the lengths and types of its packets. Left out: saying what is wrong.
 */

export type Check = (value: unknown) => boolean;

export const isText: Check = (v) => typeof v === "string";
export const isFlag: Check = (v) => typeof v === "boolean";
export const isNumber: Check = (v) => typeof v === "number" && !Number.isNaN(v);
export const isInteger: Check = (v) => Number.isSafeInteger(v);
/** Not negative: an instant, a count, a number of something. */
export const isCount: Check = (v) => typeof v === "number" && Number.isSafeInteger(v) && v >= 0;
/** An instant, or NEVER. */
export const isWhen: Check = (v) => v === Number.POSITIVE_INFINITY || isCount(v);
export const isBytes: Check = (v) => v instanceof Uint8Array;
export const isNothing: Check = (v) => v === undefined;
export const isNull: Check = (v) => v === null;

export function isRecord(v: unknown): v is Record<string, unknown> {
  return typeof v === "object" && v !== null && !Array.isArray(v);
}

/** Plain data of any shape below: what only its owner understands. */
export const isOpaque: Check = (v) => isRecord(v);

export const oneOf = (...texts: readonly string[]): Check => {
  const known: ReadonlySet<unknown> = new Set(texts);
  return (v) => known.has(v);
};

export const either =
  (...checks: readonly Check[]): Check =>
  (v) =>
    checks.some((check) => check(v));

export const listOf =
  (item: Check, most = 1_000_000): Check =>
  (v) =>
    Array.isArray(v) && v.length <= most && v.every(item);

/** A list of exactly these items. */
export const tuple =
  (...items: readonly Check[]): Check =>
  (v) =>
    Array.isArray(v) && v.length === items.length && items.every((check, i) => check(v[i]));

export const mapOf =
  (value: Check): Check =>
  (v) =>
    isRecord(v) && Object.values(v).every(value);

type Needed<T> = { readonly [K in keyof T as T extends Record<K, T[K]> ? K : never]: Check };
type Spare<T> = { readonly [K in keyof T as T extends Record<K, T[K]> ? never : K]-?: Check };

/** As `shape`, for a type whose keys it has to name all: one that is added to the type and not here does not compile. */
export function shapeOf<T extends object>(must: Needed<T>, ...maybe: keyof Spare<T> extends never ? [] : [Spare<T>]): Check {
  return shape(must as Record<string, Check>, maybe[0] as Record<string, Check> | undefined);
}

/** An object with these keys and no others; those of `maybe` may be absent or undefined. */
export function shape(must: Readonly<Record<string, Check>>, maybe: Readonly<Record<string, Check>> = {}): Check {
  const needed = Object.keys(must).length;
  return (v) => {
    if (!isRecord(v)) return false;
    let seen = 0;
    for (const key of Object.keys(v)) {
      const check = Object.hasOwn(must, key) ? must[key] : undefined;
      if (check !== undefined) {
        if (!check(v[key])) return false;
        seen++;
        continue;
      }
      const optional = Object.hasOwn(maybe, key) ? maybe[key] : undefined;
      if (optional === undefined || (v[key] !== undefined && !optional(v[key]))) return false;
    }
    return seen === needed;
  };
}

/** One of several shapes, told apart by the word under `key`. */
export function variants(key: string, shapes: Readonly<Record<string, Check>>): Check {
  return (v) => {
    if (!isRecord(v)) return false;
    const word = v[key];
    return typeof word === "string" && Object.hasOwn(shapes, word) && (shapes[word]?.(v) ?? false);
  };
}
