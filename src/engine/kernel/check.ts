/**
 * Checks of what comes from outside, over a wire, from a file or from a client: small functions that say whether a value is what it should be, others that put them together, and
 * `troubleWith`, which says what is wrong. Exact: a key that is not named is as wrong as one that is missing. The same checks stand at every rim, so that none of them takes what
 * another refuses. Stands where the real stack checks the lengths and types of its packets. Left out: what only the owner of a value can tell.
 */

/** Characters of one text. Ours: what a request of the API may carry. */
export const TEXT_CHARS_MAX = 1 << 20;
/** Bytes of one byte string, as the root file system of a machine holds at most. */
export const BYTES_MAX = 64 * 1024 * 1024;
/** Items of a list that says no other number. */
const LIST_MAX = 1_000_000;

/** What a check looks at, for whoever says what is wrong or makes values that pass. */
export type Form =
  /** `allowed` as a person is told it. */
  | { readonly is: "value"; readonly kind: ValueKind; readonly allowed: string; readonly min?: number; readonly max?: number }
  | { readonly is: "one"; readonly of: readonly string[] }
  | { readonly is: "either"; readonly of: readonly Check[] }
  | { readonly is: "list"; readonly item: Check; readonly most: number }
  | { readonly is: "tuple"; readonly items: readonly Check[] }
  | { readonly is: "map"; readonly value: Check }
  | { readonly is: "shape"; readonly must: Readonly<Record<string, Check>>; readonly maybe: Readonly<Record<string, Check>> }
  | { readonly is: "variants"; readonly key: string; readonly shapes: Readonly<Record<string, Check>> };

export type ValueKind = "text" | "flag" | "number" | "integer" | "bytes" | "base64" | "nothing" | "null" | "opaque";

/** One without a form can say only that it does not like a value. */
export type Check = ((value: unknown) => boolean) & { readonly form?: Form };

function checkOf(form: Form, passes: (value: unknown) => boolean): Check {
  return Object.assign(passes, { form });
}

function valueOf(kind: ValueKind, allowed: string, passes: (value: unknown) => boolean): Check {
  return checkOf({ is: "value", kind, allowed }, passes);
}

/** No half of a surrogate pair stands alone in it: every encoding of the text gives the same text back. */
export function isWellFormed(text: string): boolean {
  return text.isWellFormed();
}

/** Well-formed text of a bounded length. */
export const isText: Check = valueOf(
  "text",
  `well-formed text of at most ${TEXT_CHARS_MAX} characters`,
  (v) => typeof v === "string" && v.length <= TEXT_CHARS_MAX && isWellFormed(v),
);
export const isFlag: Check = valueOf("flag", "true or false", (v) => typeof v === "boolean");
/** Not minus zero, which some encodings keep and others do not. */
export const isNumber: Check = valueOf("number", "a number", (v) => typeof v === "number" && Number.isFinite(v) && !Object.is(v, -0));

function isWhole(v: unknown): v is number {
  return Number.isSafeInteger(v) && !Object.is(v, -0);
}

/** A whole number from `min` to `max`. */
export function isWithin(min: number, max: number): Check {
  const allowed = `a whole number from ${min} to ${max}`;
  return checkOf({ is: "value", kind: "integer", allowed, min, max }, (v) => isWhole(v) && v >= min && v <= max);
}

export const isInteger: Check = isWithin(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
/** Not negative: an instant, a count, a number of something. */
export const isCount: Check = isWithin(0, Number.MAX_SAFE_INTEGER);
/** Bits of st_mode: of 16 bits a call looks at those it knows. */
export const isMode: Check = isWithin(0, 0o177777);
export const isBytes: Check = valueOf("bytes", `bytes, at most ${BYTES_MAX}`, (v) => v instanceof Uint8Array && v.length <= BYTES_MAX);
/** Bytes where a message is JSON. */
export const isBase64: Check = valueOf(
  "base64",
  `base64 of at most ${BYTES_MAX} bytes`,
  (v) => typeof v === "string" && v.length <= (BYTES_MAX / 3) * 4 + 4 && v.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(v),
);
export const isNothing: Check = valueOf("nothing", "nothing", (v) => v === undefined);
export const isNull: Check = valueOf("null", "null", (v) => v === null);

export function isRecord(v: unknown): v is Record<string, unknown> {
  return typeof v === "object" && v !== null && !Array.isArray(v);
}

/** Plain data of any shape below: what only its owner understands. */
export const isOpaque: Check = valueOf("opaque", "an object", (v) => isRecord(v));

export const oneOf = (...texts: readonly string[]): Check => {
  const known: ReadonlySet<unknown> = new Set(texts);
  return checkOf({ is: "one", of: texts }, (v) => known.has(v));
};

export const either = (...checks: readonly Check[]): Check =>
  checkOf({ is: "either", of: checks }, (v) => checks.some((check) => check(v)));

/** An instant, or NEVER. */
export const isWhen: Check = either(
  isCount,
  valueOf("number", "never", (v) => v === Number.POSITIVE_INFINITY),
);

export const listOf = (item: Check, most = LIST_MAX): Check =>
  checkOf({ is: "list", item, most }, (v) => Array.isArray(v) && v.length <= most && v.every(item));

/** A list of exactly these items. */
export const tuple = (...items: readonly Check[]): Check =>
  checkOf({ is: "tuple", items }, (v) => Array.isArray(v) && v.length === items.length && items.every((check, i) => check(v[i])));

/** A name of a map's entry: the one name that objects of JavaScript keep for themselves is none, since not every decoder gives it back. */
const isKey = (key: string): boolean => key !== "__proto__" && isText(key);

export const mapOf = (value: Check): Check =>
  checkOf(
    { is: "map", value },
    (v) => isRecord(v) && Object.keys(v).length <= LIST_MAX && Object.keys(v).every((k) => isKey(k) && value(v[k])),
  );

type Needed<T> = { readonly [K in keyof T as T extends Record<K, T[K]> ? K : never]: Check };
type Spare<T> = { readonly [K in keyof T as T extends Record<K, T[K]> ? never : K]-?: Check };

/** As `shape`, for a type whose keys it has to name all: one that is added to the type and not here does not compile. */
export function shapeOf<T extends object>(must: Needed<T>, ...maybe: keyof Spare<T> extends never ? [] : [Spare<T>]): Check {
  return shape(must as Record<string, Check>, maybe[0] as Record<string, Check> | undefined);
}

/** An object with these keys and no others; those of `maybe` may be absent or undefined. */
export function shape(must: Readonly<Record<string, Check>>, maybe: Readonly<Record<string, Check>> = {}): Check {
  const needed = Object.keys(must).length;
  return checkOf({ is: "shape", must, maybe }, (v) => {
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
  });
}

/** One of several shapes, told apart by the word under `key`. */
export function variants(key: string, shapes: Readonly<Record<string, Check>>): Check {
  return checkOf({ is: "variants", key, shapes }, (v) => {
    if (!isRecord(v)) return false;
    const word = v[key];
    return typeof word === "string" && Object.hasOwn(shapes, word) && (shapes[word]?.(v) ?? false);
  });
}

// ── what is wrong ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Names that are listed in full. */
const NAMED_MAX = 40;

const inside = (place: string, key: string | number): string => (place === "" ? String(key) : `${place}.${key}`);
const listed = (names: readonly string[]): string =>
  names.length > NAMED_MAX ? `${names.slice(0, NAMED_MAX).join(", ")} …` : names.join(", ");

/** What `check` does not like about a value, in one line: where, and what is allowed. Undefined: it passes. */
export function troubleWith(value: unknown, check: Check, place = ""): string | undefined {
  if (check(value)) return undefined;
  const at = place === "" ? "" : `${place}: `;
  const { form } = check;
  if (form === undefined) return `${at}this is not allowed`;
  switch (form.is) {
    case "value":
      return `${at}${form.allowed} is allowed`;
    case "one":
      return `${at}one of ${listed(form.of)} is allowed`;
    case "either":
      return `${at}${form.of.map((one) => troubleWith(value, one) ?? "").join(", or ")}`;
    case "list":
      return troubleInList(value, form, place);
    case "tuple":
      if (!Array.isArray(value) || value.length !== form.items.length) return `${at}a list of ${form.items.length} is allowed`;
      return firstOf(form.items, (item, i) => troubleWith(value[i], item, inside(place, i)));
    case "map":
      return troubleInMap(value, form.value, place);
    case "shape":
      return troubleInShape(value, form, place);
    case "variants": {
      const word = isRecord(value) ? value[form.key] : undefined;
      const own = typeof word === "string" && Object.hasOwn(form.shapes, word) ? form.shapes[word] : undefined;
      if (own !== undefined) return troubleWith(value, own, place);
      const said = typeof word === "string" ? `${JSON.stringify(word.slice(0, 80))} is none; ` : "";
      return `${inside(place, form.key)}: ${said}there are: ${listed(Object.keys(form.shapes))}`;
    }
  }
}

function firstOf<T>(list: readonly T[], trouble: (item: T, i: number) => string | undefined): string | undefined {
  for (const [i, item] of list.entries()) {
    const found = trouble(item, i);
    if (found !== undefined) return found;
  }
  return undefined;
}

function troubleInList(value: unknown, { item, most }: Extract<Form, { is: "list" }>, place: string): string | undefined {
  const at = place === "" ? "" : `${place}: `;
  if (!Array.isArray(value) || value.length > most) return `${at}a list of at most ${most} is allowed`;
  return firstOf(value as readonly unknown[], (one, i) => troubleWith(one, item, inside(place, i)));
}

function troubleInMap(value: unknown, check: Check, place: string): string | undefined {
  const at = place === "" ? "" : `${place}: `;
  if (!isRecord(value)) return `${at}an object is allowed`;
  return (
    firstOf(Object.entries(value), ([key, one]) =>
      isKey(key) ? troubleWith(one, check, inside(place, key)) : `${at}a name that is well-formed text, other than __proto__, is allowed`,
    ) ?? `${at}at most ${LIST_MAX} entries are allowed`
  );
}

function troubleInShape(value: unknown, { must, maybe }: Extract<Form, { is: "shape" }>, place: string): string | undefined {
  const at = place === "" ? "" : `${place}: `;
  const keys = [...Object.keys(must), ...Object.keys(maybe)];
  if (!isRecord(value)) return `${at}an object is allowed`;
  const strange = Object.keys(value).find((key) => !keys.includes(key));
  if (strange !== undefined) return `${at}unknown key ${JSON.stringify(strange.slice(0, 80))}; there are: ${listed(keys)}`;
  return firstOf(keys, (key) => {
    const check = must[key] ?? maybe[key];
    if (!Object.hasOwn(value, key)) return Object.hasOwn(must, key) ? `${inside(place, key)}: is missing` : undefined;
    if (check === undefined || (value[key] === undefined && !Object.hasOwn(must, key))) return undefined;
    return troubleWith(value[key], check, inside(place, key));
  });
}
