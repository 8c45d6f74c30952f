/**
 * Whether two machines did the same: effects compared field by field, byte by byte. In the real stack nothing compares two runs; the lab can, since a run is
 * determined by its inputs. Left out: saying where the difference is.
 */
import type { Datagram, Effect } from "../kernel/index.ts";

export function sameEffects(a: readonly Effect[], b: readonly Effect[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((effect, i) => {
    const other = b[i];
    if (effect.kind === "send" && other?.kind === "send") return sameDatagram(effect.datagram, other.datagram);
    return samePlain(effect, other);
  });
}

function sameDatagram(a: Datagram, b: Datagram): boolean {
  return (
    a.proto === b.proto &&
    a.net === b.net &&
    a.src === b.src &&
    a.dst === b.dst &&
    a.srcPort === b.srcPort &&
    a.dstPort === b.dstPort &&
    sameBytes(a.bytes, b.bytes)
  );
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Plain data; an absent key and an undefined value are the same. */
function samePlain(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Uint8Array || b instanceof Uint8Array) return a instanceof Uint8Array && b instanceof Uint8Array && sameBytes(a, b);
  if (Array.isArray(a) || Array.isArray(b))
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => samePlain(item, b[i]));
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  for (const key of Object.keys(left)) if (!samePlain(left[key], right[key])) return false;
  for (const key of Object.keys(right)) if (right[key] !== undefined && left[key] === undefined) return false;
  return true;
}
