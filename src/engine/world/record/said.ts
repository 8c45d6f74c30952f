/**
 * Which byte strings a record has said so far, so that the same bytes (a file written again and again, or to many machines) stand in it once and are referred to by their hash
 * after that. Whoever writes a record and whoever reads it forget the same ones at the same places, so that neither keeps more than SAID_BYTES_MAX; what has been forgotten is
 * said again. A writer that begins in the middle of a record knows less than its reader, never more. In the real stack nothing stands here.
 */
import { contentHash } from "../../machine/files/index.ts";

/** Of the byte strings that a record may still refer to, together. */
export const SAID_BYTES_MAX = 64 * 1024 * 1024;
/** Shorter ones are said each time. */
export const SAID_MIN = 1024;

/** Byte strings by their hash, in the order in which they were said last. */
export class Said<T> {
  private readonly known = new Map<string, { readonly bytes: number; readonly value: T }>();
  private total = 0;

  /** @param limit bytes that are remembered; what alone has more makes everything forgotten */
  constructor(private readonly limit = SAID_BYTES_MAX) {}

  /** Undefined where it was not said, or is forgotten. */
  get(hash: string): T | undefined {
    return this.known.get(hash)?.value;
  }

  /** @param bytes how many they are */
  say(hash: string, bytes: number, value: T): void {
    this.forget(hash);
    this.known.set(hash, { bytes, value });
    this.total += bytes;
    for (const oldest of this.known.keys()) {
      if (this.total <= this.limit) return;
      this.forget(oldest);
    }
  }

  /** What was said, without it: for whoever goes on writing. */
  hashes(): SaidHashes {
    const hashes: SaidHashes = new Said(this.limit);
    for (const [hash, { bytes }] of this.known) hashes.say(hash, bytes, true);
    return hashes;
  }

  private forget(hash: string): void {
    this.total -= this.known.get(hash)?.bytes ?? 0;
    this.known.delete(hash);
  }
}

/** What a writer needs to know: nothing but that they were said. */
export type SaidHashes = Said<true>;

/** Hashes of byte strings that are here; they never change. */
const hashes = new WeakMap<Uint8Array, string>();

/** The hash under which bytes are said; undefined: each time anew. */
export function saidAs(data: Uint8Array): string | undefined {
  if (data.length < SAID_MIN) return undefined;
  let hash = hashes.get(data);
  if (hash === undefined) hashes.set(data, (hash = contentHash(data)));
  return hash;
}

/** One copy in memory of each of the byte strings that acts carried last: a file that is written again and again is kept once. */
export class SharedBytes {
  private readonly known = new Said<Uint8Array>();

  /** The same value, with byte strings that were there before in the place of their equals. */
  of<T>(value: T): T {
    // What comes out has the shape of what went in.
    return this.shared(value) as T;
  }

  private shared(value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    if (value instanceof Uint8Array) return this.bytes(value);
    let copy: Record<string, unknown> | undefined;
    for (const [key, before] of Object.entries(value)) {
      const after = this.shared(before);
      if (after === before) continue;
      copy ??= (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Record<string, unknown>;
      copy[key] = after;
    }
    return copy ?? value;
  }

  private bytes(data: Uint8Array): Uint8Array {
    const hash = saidAs(data);
    if (hash === undefined) return data;
    const known = this.known.get(hash) ?? data;
    this.known.say(hash, data.length, known);
    return known;
  }
}
