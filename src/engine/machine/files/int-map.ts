/**
 * A map from small integers that never changes: a tree of arrays of 32, of which a change copies the few on its way. File systems keep their inodes in one and files their
 * pieces, so that a snapshot is a reference. In the real stack: the kernel's radix tree of pages. Left out: keys beyond 2^30. Plain data, shared by whoever has it.
 */
const BITS = 5;
const MASK = 31;

/** Keys are below this. */
export const INT_MAP_KEYS_MAX = 2 ** 30;

type Branch = readonly unknown[];

export interface IntMap<T> {
  readonly height: number;
  readonly root: readonly (readonly unknown[] | T | null)[];
}

const EMPTY: IntMap<never> = { height: 0, root: [] };

export function emptyMap<T>(): IntMap<T> {
  return EMPTY;
}

const covers = (height: number, key: number): boolean => height >= 5 || key >>> ((height + 1) * BITS) === 0;

export function getAt<T>(map: IntMap<T>, key: number): T | undefined {
  if (!covers(map.height, key)) return undefined;
  let node: Branch = map.root;
  for (let shift = map.height * BITS; shift > 0; shift -= BITS) {
    const next = node[(key >>> shift) & MASK];
    if (next === undefined || next === null) return undefined;
    node = next as Branch;
  }
  return (node[key & MASK] as T | null | undefined) ?? undefined;
}

/** Without the empty places at its end; null where nothing is left. */
function trimmed(node: unknown[]): Branch | null {
  let n = node.length;
  while (n > 0 && (node[n - 1] ?? null) === null) n--;
  node.length = n;
  return n === 0 ? null : node;
}

function put(node: Branch, shift: number, key: number, value: unknown): Branch | null {
  const at = (key >>> shift) & MASK;
  const copy = node.slice();
  while (copy.length < at) copy.push(null);
  copy[at] = shift === 0 ? value : put((node[at] ?? []) as Branch, shift - BITS, key, value);
  return copy[at] === null ? trimmed(copy) : copy;
}

/** With `value` at `key`; undefined takes it away. */
export function setAt<T extends object>(map: IntMap<T>, key: number, value: T | undefined): IntMap<T> {
  if (value === undefined && getAt(map, key) === undefined) return map;
  if (!Number.isInteger(key) || key < 0 || key >= INT_MAP_KEYS_MAX) throw new Error(`int map: key ${key}`);
  let { height } = map;
  let root: Branch = map.root;
  while (!covers(height, key)) {
    root = root.length === 0 ? root : [root];
    height++;
  }
  const next = put(root, height * BITS, key, value ?? null);
  return next === null ? EMPTY : { height, root: next as IntMap<T>["root"] };
}

function cutNode(node: Branch, shift: number, from: number): Branch | null {
  const at = (from >>> shift) & MASK;
  const copy = node.slice(0, shift === 0 ? at : at + 1);
  if (shift > 0 && at < copy.length) {
    const edge = copy[at] ?? null;
    copy[at] = edge === null ? null : cutNode(edge as Branch, shift - BITS, from);
  }
  return trimmed(copy);
}

/** Without the keys from `from` on. */
export function cutFrom<T>(map: IntMap<T>, from: number): IntMap<T> {
  if (!covers(map.height, from)) return map;
  const root = cutNode(map.root, map.height * BITS, from);
  return root === null ? EMPTY : { height: map.height, root: root as IntMap<T>["root"] };
}

function visit(node: Branch, shift: number, base: number, from: number, each: (value: unknown, key: number) => void): void {
  for (let i = 0; i < node.length; i++) {
    const next = node[i] ?? null;
    if (next === null) continue;
    const key = base + i * (1 << shift);
    if (shift === 0) {
      if (key >= from) each(next, key);
    } else if (key + (1 << shift) > from) visit(next as Branch, shift - BITS, key, from, each);
  }
}

/** Every value from `from` on, by ascending key. */
export function eachFrom<T>(map: IntMap<T>, from: number, each: (value: T, key: number) => void): void {
  visit(map.root, map.height * BITS, 0, from, (value, key) => each(value as T, key));
}

/** Lowest key from `from` on that is not in the map. */
export function firstGap<T>(map: IntMap<T>, from: number): number {
  let key = from;
  while (getAt(map, key) !== undefined) key++;
  return key;
}
