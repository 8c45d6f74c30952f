/**
 * The configuration map (corosync's icmap): typed values under dotted names, listed in byte order. The daemon itself writes with `put`; clients write with `set`, which
 * refuses what corosync protects. Left out: reference counts and adjust-int operations.
 */
import { cloneState, Hasher } from "../kernel/index.ts";

export type CmapType = "i8" | "u8" | "i16" | "u16" | "i32" | "u32" | "i64" | "u64" | "flt" | "dbl" | "str" | "bin";
/** Integers beyond 2^53 are bigint. */
export type CmapValue = number | bigint | string | Uint8Array;

export interface CmapEntry {
  readonly key: string;
  readonly type: CmapType;
  readonly value: CmapValue;
}

export type CmapError = "CS_ERR_NOT_EXIST" | "CS_ERR_NAME_TOO_LONG" | "CS_ERR_ACCESS" | "CS_ERR_INVALID_PARAM" | "CS_ERR_TOO_BIG";

/** Shortest and longest key name (ICMAP_KEYNAME_MINLEN, ICMAP_KEYNAME_MAXLEN). */
export const KEY_MIN = 3;
export const KEY_MAX = 255;
/** Longest value, bytes (ICMAP_MAX_VALUE_LEN). */
export const VALUE_MAX = 16 * 1024;
/** Keys clients may add. Ours: corosync has no bound but memory. */
export const KEYS_MAX = 16_384;

const KEY_CHARS = /^[A-Za-z0-9._\-/:]+$/;

/** What clients may not change (recorded: CS_ERR_ACCESS). */
const PROTECTED_PREFIXES = [
  "internal_configuration.",
  "runtime.services.",
  "runtime.config.",
  "runtime.totem.",
  "uidgid.config.",
  "system.",
  "nodelist.",
];
const PROTECTED_KEYS = new Set([
  "totem.crypto_cipher",
  "totem.crypto_hash",
  "totem.crypto_model",
  "totem.secauth",
  "totem.ip_version",
  "totem.transport",
  "totem.cluster_name",
  "totem.netmtu",
  "totem.threads",
  "totem.version",
  "totem.nodeid",
  "quorum.wait_for_all",
  "quorum.last_man_standing",
  "quorum.last_man_standing_window",
  "quorum.auto_tie_breaker",
  "quorum.auto_tie_breaker_node",
  "quorum.allow_downscale",
  "quorum.expected_votes_tracking",
  "config.reload_in_progress",
  "config.totemconfig_reload_in_progress",
  // votequorum takes these at its start only
  "quorum.allow_downscale",
  "quorum.wait_for_all",
  "quorum.last_man_standing",
  "quorum.last_man_standing_window",
  "quorum.expected_votes_tracking",
  "quorum.auto_tie_breaker",
  "quorum.auto_tie_breaker_node",
]);

/** Byte order, as the trie of icmap lists its names. */
export function byKey(a: { key: string }, b: { key: string }): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

/** icmap_is_valid_name: one error for every kind of bad name (recorded). */
export function checkKey(key: string): CmapError | undefined {
  return key.length < KEY_MIN || key.length > KEY_MAX || !KEY_CHARS.test(key) ? "CS_ERR_NAME_TOO_LONG" : undefined;
}

interface Stored {
  readonly type: CmapType;
  readonly value: CmapValue;
}

export class CmapMap {
  /** Frozen entries, so that snapshots share them. */
  private entries = new Map<string, Stored>();
  /** Hash of all entries, until the next change: the map is large and changes rarely. */
  private hashed: readonly [number, number] | undefined;
  /** Told of every change: the entry as it is now and as it was, undefined where there is none. Who watches watches again after a restore. */
  watch: ((key: string, entry: CmapEntry | undefined, before: CmapEntry | undefined) => void) | undefined;

  /** Further keys that clients may not change: those a release protects beside the others'. */
  private more: readonly string[] = [];

  protect(keys: readonly string[]): void {
    this.more = keys;
  }

  /** The daemon's own write: no protection. */
  put(key: string, type: CmapType, value: CmapValue): void {
    const old = this.entries.get(key);
    if (old !== undefined && old.type === type && old.value === value) return;
    this.entries.set(key, Object.freeze({ type, value }));
    this.hashed = undefined;
    this.watch?.(key, { key, type, value }, old && { key, type: old.type, value: old.value });
  }

  putAll(entries: readonly CmapEntry[]): void {
    for (const e of entries) this.put(e.key, e.type, e.value);
  }

  get(key: string): CmapEntry | undefined {
    const found = this.entries.get(key);
    return found && { key, type: found.type, value: found.value };
  }

  /** The daemon's own delete: no protection. @returns whether there was such a key */
  remove(key: string): boolean {
    const old = this.entries.get(key);
    if (old === undefined) return false;
    this.entries.delete(key);
    this.hashed = undefined;
    this.watch?.(key, undefined, { key, type: old.type, value: old.value });
    return true;
  }

  /** A client's write. @returns undefined when done, else the error the client gets */
  set(key: string, type: CmapType, value: CmapValue): CmapError | undefined {
    const bad = checkKey(key);
    if (bad) return bad;
    if (isProtected(key) || this.more.includes(key)) return "CS_ERR_ACCESS";
    if ((typeof value === "string" || value instanceof Uint8Array) && value.length > VALUE_MAX) return "CS_ERR_TOO_BIG";
    if (!this.entries.has(key) && this.entries.size >= KEYS_MAX) return "CS_ERR_TOO_BIG";
    this.put(key, type, value);
    return undefined;
  }

  /** A client's delete. */
  delete(key: string): CmapError | undefined {
    const bad = checkKey(key);
    if (bad) return bad;
    if (isProtected(key) || this.more.includes(key)) return "CS_ERR_ACCESS";
    return this.remove(key) ? undefined : "CS_ERR_NOT_EXIST";
  }

  /** Entries whose key begins with `prefix`, in byte order. */
  list(prefix: string): CmapEntry[] {
    const out: CmapEntry[] = [];
    for (const [key, e] of this.entries) if (key.startsWith(prefix)) out.push({ key, type: e.type, value: e.value });
    return out.sort(byKey);
  }

  snapshot(): unknown {
    return cloneState(this.entries);
  }

  restore(state: unknown): void {
    this.entries = new Map([...(state as Map<string, Stored>)].map(([key, e]) => [key, Object.freeze({ type: e.type, value: e.value })]));
    this.hashed = undefined;
  }

  digest(h: Hasher): void {
    this.hashed ??= this.hash();
    h.int(this.hashed[0]).int(this.hashed[1]);
  }

  private hash(): [number, number] {
    const h = new Hasher().int(this.entries.size);
    for (const [key, e] of this.entries) {
      h.text(key).text(e.type);
      if (e.value instanceof Uint8Array) h.bytes(e.value);
      else h.text(String(e.value));
    }
    return h.snapshot();
  }
}

export function isProtected(key: string): boolean {
  return PROTECTED_KEYS.has(key) || PROTECTED_PREFIXES.some((p) => key.startsWith(p));
}
