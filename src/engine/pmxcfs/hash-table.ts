/**
 * The order in which a GHashTable yields its keys, which is the order of `.vmlist`, `.members` and every directory of /etc/pve. In the real stack: GLib's open-addressed
 * table, as of 2.60 and later: the hash times 11 modulo a prime, quadratic probing, tombstones, growing at 15/16 full and shrinking below a quarter, entries moved in
 * place. Left out: everything that does not show in the order.
 */
import { utf8 } from "../kernel/index.ts";

/** Largest prime below each power of two from 2^3 on: what GLib takes the hash modulo. */
const PRIME_OF_SHIFT: readonly number[] = [
  7, 13, 31, 61, 127, 251, 509, 1021, 2039, 4093, 8191, 16_381, 32_749, 65_521, 131_071, 262_139, 524_287, 1_048_573,
];
const SHIFT_MIN = 3;
/** A slot's hash below this one means "empty" or "was removed". */
const HASH_MIN = 2;
/** Room after a resize for each entry. */
const ROOM = 1.333;

interface Used<K, V> {
  readonly hash: number;
  readonly key: K;
  value: V;
}

type Slot<K, V> = Used<K, V> | "empty" | "removed";

/** A key's hash: 32 bits. */
export type HashOf<K> = (key: K) => number;

/** g_str_hash: bytes are signed, as char is on x86. */
export function stringHash(key: string): number {
  let h = 5381;
  for (const byte of utf8(key)) h = (Math.imul(h, 33) + (byte < 128 ? byte : byte - 256)) | 0;
  return h >>> 0;
}

/** g_int_hash and, for numbers above 32 bits, g_int64_hash: the low half. */
export function intHash(key: number): number {
  return (key % 0x1_0000_0000) >>> 0;
}

/** What is kept of a table in a snapshot: null for an empty slot, undefined-like 0 for a tombstone, else key and value. */
export type SavedTable<K, V> = readonly (null | 0 | readonly [K, V])[];

export class HashTable<K, V> {
  private slots: Slot<K, V>[];
  private shift = SHIFT_MIN;
  private used = 0;
  /** Used slots and tombstones. */
  private occupied = 0;

  constructor(private readonly hashOf: HashOf<K>) {
    this.slots = emptySlots(1 << SHIFT_MIN);
  }

  get size(): number {
    return this.used;
  }

  get(key: K): V | undefined {
    const slot = this.slots[this.find(key, this.hash(key)).at];
    return typeof slot === "object" ? slot.value : undefined;
  }

  /** A key that is there keeps its place. */
  set(key: K, value: V): void {
    const hash = this.hash(key);
    const { at, free } = this.find(key, hash);
    const slot = this.slots[at];
    if (typeof slot === "object") {
      slot.value = value;
      return;
    }
    const into = free ?? at;
    if (this.slots[into] === "empty") this.occupied++;
    this.slots[into] = { hash, key, value };
    this.used++;
    this.resizeIfDue();
  }

  delete(key: K): boolean {
    const { at } = this.find(key, this.hash(key));
    if (typeof this.slots[at] !== "object") return false;
    this.slots[at] = "removed";
    this.used--;
    this.resizeIfDue();
    return true;
  }

  *entries(): Generator<[K, V]> {
    for (const slot of this.slots) if (typeof slot === "object") yield [slot.key, slot.value];
  }

  *values(): Generator<V> {
    for (const slot of this.slots) if (typeof slot === "object") yield slot.value;
  }

  private hash(key: K): number {
    return Math.max(HASH_MIN, this.hashOf(key));
  }

  private home(hash: number): number {
    return (Math.imul(hash, 11) >>> 0) % (PRIME_OF_SHIFT[this.shift - SHIFT_MIN] ?? 1);
  }

  /** Where the key is, or an empty slot; `free`: the first tombstone on the way. */
  private find(key: K, hash: number): { at: number; free: number | undefined } {
    const mask = this.slots.length - 1;
    let at = this.home(hash);
    let free: number | undefined;
    for (let step = 1; ; step++) {
      const slot = this.slots[at];
      if (slot === "empty" || slot === undefined) return { at, free };
      if (slot === "removed") free ??= at;
      else if (slot.hash === hash && slot.key === key) return { at, free };
      at = (at + step) & mask;
    }
  }

  private resizeIfDue(): void {
    const size = this.slots.length;
    const sparse = size > this.used * 4 && size > 1 << SHIFT_MIN;
    if (sparse || size <= this.occupied + Math.floor(this.occupied / 16)) this.resize();
  }

  /** Entries move in the order of their old slots; whoever sits where one has to go moves next. */
  private resize(): void {
    const before = this.slots.length;
    this.shift = Math.max(SHIFT_MIN, 32 - Math.clz32(Math.trunc(this.used * ROOM)));
    const size = 1 << this.shift;
    const slots = [...this.slots, ...emptySlots(Math.max(0, size - before))];
    const placed = new Set<number>();
    for (let from = 0; from < before; from++) {
      if (placed.has(from)) continue;
      let moving = slots[from];
      slots[from] = "empty";
      while (typeof moving === "object") {
        let to = this.home(moving.hash);
        for (let step = 1; placed.has(to); step++) to = (to + step) & (size - 1);
        placed.add(to);
        const there: Slot<K, V> | undefined = slots[to];
        slots[to] = moving;
        moving = there;
      }
    }
    slots.length = size;
    this.slots = slots;
    this.occupied = this.used;
  }

  snapshot(): SavedTable<K, V> {
    return this.slots.map((slot) => (slot === "empty" ? null : slot === "removed" ? 0 : ([slot.key, slot.value] as const)));
  }

  static restore<K, V>(hashOf: HashOf<K>, saved: SavedTable<K, V>): HashTable<K, V> {
    const table = new HashTable<K, V>(hashOf);
    table.slots = saved.map((slot) =>
      slot === null ? "empty" : slot === 0 ? "removed" : { hash: table.hash(slot[0]), key: slot[0], value: slot[1] },
    );
    table.shift = 31 - Math.clz32(saved.length);
    table.used = saved.filter((slot) => slot !== null && slot !== 0).length;
    table.occupied = saved.filter((slot) => slot !== null).length;
    return table;
  }
}

function emptySlots(count: number): "empty"[] {
  return Array.from({ length: count }, () => "empty" as const);
}
