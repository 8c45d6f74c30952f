/**
 * Copies of layer state for snapshots. State is plain data: numbers, strings, booleans, undefined, null, arrays, plain objects, Maps, Sets, byte
 * arrays. Byte arrays and frozen objects are immutable by agreement and therefore shared, which is what keeps a snapshot of sixteen
 * nodes within its budget; everything else is copied.
 */
export function cloneState<T>(value: T): T {
  return copy(value) as T;
}

function copy(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) {
    const n = value.length;
    const out: unknown[] = new Array(n);
    for (let i = 0; i < n; i++) out[i] = copy(value[i]);
    return out;
  }
  if (value instanceof Map) {
    const out = new Map<unknown, unknown>();
    for (const [k, v] of value) out.set(k, copy(v));
    return out;
  }
  if (value instanceof Set) return new Set(value);
  const proto: unknown = Object.getPrototypeOf(value);
  if (proto !== Object.prototype && proto !== null) throw new Error("cloneState: state holds an object with a class of its own");
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(value)) out[key] = copy((value as Record<string, unknown>)[key]);
  return out;
}
