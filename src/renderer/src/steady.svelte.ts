/** A derived value that stays the same object while it says the same: whoever draws from it has nothing to do then. */

/** Compares a value as plain data; maps count with their entries. */
function plain(_key: string, value: unknown): unknown {
  return value instanceof Map ? [...value] : value;
}

/** @param make what is derived; plain data, maps and arrays */
export function steady<T>(make: () => T): { readonly now: T } {
  let kept: { value: T; text: string | undefined } | undefined;
  const now = $derived.by(() => {
    const value = make();
    const text = JSON.stringify(value, plain);
    if (kept === undefined || kept.text !== text) kept = { value, text };
    return kept.value;
  });
  return {
    get now() {
      return now;
    },
  };
}
