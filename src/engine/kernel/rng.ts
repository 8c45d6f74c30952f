/**
 * Seeded random generators. Every layer of every node, and every directed pair and link of the fabric, owns one, so that a draw in one
 * place never shifts the draws of another. The algorithm is sfc32 (four 32-bit numbers), chosen because it is exact in 32-bit integer
 * arithmetic on every platform. It stands where the real stack uses random(3). Not for secrets.
 */

/** The whole state of a generator: four unsigned 32-bit numbers. Plain data, so that a snapshot is a copy. */
export type RngState = [number, number, number, number];

/** A 32-bit hash of a text, used only to spread seeds (FNV-1a with a final avalanche). */
function seedWord(text: string, salt: number): number {
  let h = (0x811c9dc5 ^ salt) >>> 0;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) >>> 0;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0;
  return (h ^ (h >>> 16)) >>> 0;
}

export class Rng {
  private s: RngState;

  private constructor(state: RngState) {
    this.s = state;
  }

  /** A generator for `seed` and a path of labels, e.g. `Rng.from("7f3a", "node", "pve1", "totem")`. Equal arguments, equal draws. */
  static from(seed: string, ...path: string[]): Rng {
    const text = [seed, ...path].join("\u0000");
    const rng = new Rng([seedWord(text, 1), seedWord(text, 2), seedWord(text, 3), 1]);
    for (let i = 0; i < 12; i++) rng.u32();
    return rng;
  }

  static restore(state: RngState): Rng {
    return new Rng([...state]);
  }

  snapshot(): RngState {
    return [...this.s];
  }

  /** The next unsigned 32-bit integer. */
  u32(): number {
    const s = this.s;
    const t = (s[0] + s[1] + s[3]) | 0;
    s[3] = (s[3] + 1) | 0;
    s[0] = s[1] ^ (s[1] >>> 9);
    s[1] = (s[2] + (s[2] << 3)) | 0;
    s[2] = (s[2] << 21) | (s[2] >>> 11);
    s[2] = (s[2] + t) | 0;
    return t >>> 0;
  }

  /** An integer in 0 … n-1 (n ≥ 1, n ≤ 2^32). The bias of the multiplication method is below 2^-20 for the n used here. */
  below(n: number): number {
    return Math.floor((this.u32() / 4_294_967_296) * n);
  }

  /** An integer in lo … hi, both ends included. */
  between(lo: number, hi: number): number {
    return lo + this.below(hi - lo + 1);
  }

  /** True with probability `percent` / 100. Draws nothing for 0 or less. */
  percent(percent: number): boolean {
    return percent > 0 && this.u32() < percent * 42_949_672.96;
  }

  /** One element of a non-empty list. */
  pick<T>(list: readonly T[]): T {
    const value = list[this.below(list.length)];
    if (value === undefined) throw new Error("Rng.pick: empty list");
    return value;
  }
}
