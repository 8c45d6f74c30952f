/**
 * The snapshots a history goes back to: sorted by instant, bounded in number and in bytes, thinned by age. What goes first is the snapshot whose
 * absence widens a gap least in proportion to how long ago it is, so the last minute stays dense and the distant past sparse. The real stack has
 * no counterpart. Left out: named snapshots, which are files of the lab.
 */
import { HISTORY_BYTES_MAX, HISTORY_RECENT_US, HISTORY_SNAPSHOTS_MAX, type Instant } from "../kernel/index.ts";
import type { WorldSnapshot } from "./types.ts";

export interface Kept {
  /** Without inputs and without acts that wait: those are the record's. */
  readonly state: WorldSnapshot;
  /** How many inputs had been done. */
  readonly inputs: number;
  readonly bytes: number;
}

export class Snapshots {
  private kept: Kept[] = [];
  private held = 0;
  /** Byte strings of the last one measured: most of them are in the next one too, and cost nothing there. */
  private shared: ReadonlySet<Uint8Array> = new Set();

  constructor(
    private readonly countMax = HISTORY_SNAPSHOTS_MAX,
    private readonly bytesMax = HISTORY_BYTES_MAX,
  ) {}

  /** Instants of those kept, in order. */
  instants(): Instant[] {
    return this.kept.map((k) => k.state.now);
  }

  /** Estimated bytes of those kept. */
  get bytes(): number {
    return this.held;
  }

  /** Adds one, and drops others past the bounds. One of the same instant is replaced. */
  add(state: WorldSnapshot): void {
    const seen = new Set<Uint8Array>();
    const bytes = bytesOf(state.machines, seen, this.shared) + bytesOf(state.flights, seen, this.shared);
    this.shared = seen;
    let i = this.kept.length;
    while (i > 0 && (this.kept[i - 1]?.state.now ?? 0) >= state.now) i--;
    const replaced = this.kept[i]?.state.now === state.now ? 1 : 0;
    this.held += bytes - (replaced > 0 ? (this.kept[i]?.bytes ?? 0) : 0);
    this.kept.splice(i, replaced, { state: { ...state, inputs: [], scheduled: [] }, inputs: state.inputs.length, bytes });
    while (this.kept.length > 1 && (this.kept.length > this.countMax || this.held > this.bytesMax)) this.drop(this.leastMissed());
  }

  private drop(i: number): void {
    const [gone] = this.kept.splice(i, 1);
    this.held -= gone?.bytes ?? 0;
  }

  /** The newest is never the one. */
  private leastMissed(): number {
    const newest = this.kept[this.kept.length - 1]?.state.now ?? 0;
    let [best, of] = [Number.POSITIVE_INFINITY, 0];
    for (let i = 0; i + 1 < this.kept.length; i++) {
      const at = this.kept[i]?.state.now ?? 0;
      const gap = (this.kept[i + 1]?.state.now ?? 0) - (this.kept[i - 1]?.state.now ?? 0);
      const missed = gap / (newest - at + HISTORY_RECENT_US);
      if (missed < best) [best, of] = [missed, i];
    }
    return of;
  }

  /** The latest one that `fits`. */
  latest(fits: (kept: Kept) => boolean): Kept | undefined {
    for (let i = this.kept.length - 1; i >= 0; i--) {
      const kept = this.kept[i];
      if (kept !== undefined && fits(kept)) return kept;
    }
    return undefined;
  }

  /** Keeps only those that `stay`. */
  keepOnly(stay: (kept: Kept) => boolean): void {
    this.kept = this.kept.filter(stay);
    this.held = this.kept.reduce((sum, k) => sum + k.bytes, 0);
  }
}

/** Bytes a value holds by itself: frozen objects are shared with the running world; byte strings count where they are not in `shared`. */
function bytesOf(value: unknown, seen: Set<Uint8Array>, shared: ReadonlySet<Uint8Array>): number {
  if (typeof value !== "object" || value === null) return 8;
  if (value instanceof Uint8Array) {
    if (seen.has(value)) return 8;
    seen.add(value);
    return 8 + (shared.has(value) ? 0 : value.byteLength + 64);
  }
  if (Object.isFrozen(value)) return 8 + (Array.isArray(value) ? value.length * 8 : 0);
  let bytes = 24;
  if (value instanceof Map) for (const [k, v] of value) bytes += 16 + bytesOf(k, seen, shared) + bytesOf(v, seen, shared);
  else if (value instanceof Set) for (const v of value) bytes += 16 + bytesOf(v, seen, shared);
  else if (Array.isArray(value)) for (const v of value) bytes += bytesOf(v, seen, shared);
  else for (const key in value) bytes += 8 + bytesOf((value as Record<string, unknown>)[key], seen, shared);
  return bytes;
}
