/** SHA-256 (FIPS 180-4) in plain integer arithmetic: for checksums that the real programs compute and send. The lab's own digests are of hash.ts, which is faster. */

/** The constants of the standard: the first 32 bits behind the point of the `root`th root of a prime. */
function rootBits(prime: number, root: 2 | 3): number {
  const scaled = BigInt(prime) << BigInt(32 * root);
  let [low, high] = [0n, 1n << 40n];
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle * middle * (root === 3 ? middle : 1n) <= scaled) low = middle;
    else high = middle;
  }
  return Number(BigInt.asIntN(32, low));
}

const PRIMES: readonly number[] = firstPrimes(64);

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) if (primes.every((p) => n % p !== 0)) primes.push(n);
  return primes;
}

const INITIAL = PRIMES.slice(0, 8).map((p) => rootBits(p, 2));
const ROUND = Int32Array.from(PRIMES, (p) => rootBits(p, 3));

const rotate = (w: number, by: number): number => (w >>> by) | (w << (32 - by));

const schedule = new Int32Array(64);

function compress(h: Int32Array, block: DataView, at: number): void {
  const w = schedule;
  for (let i = 0; i < 16; i++) w[i] = block.getInt32(at + i * 4);
  for (let i = 16; i < 64; i++) {
    const [x, y] = [w[i - 15] as number, w[i - 2] as number];
    const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
    const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
    w[i] = ((w[i - 16] as number) + s0 + (w[i - 7] as number) + s1) | 0;
  }
  let [a, b, c, d, e, f, g, k] = h as unknown as [number, number, number, number, number, number, number, number];
  for (let i = 0; i < 64; i++) {
    const sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (k + sum1 + ((e & f) ^ (~e & g)) + (ROUND[i] as number) + (w[i] as number)) | 0;
    const sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (sum0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    k = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  for (const [i, v] of [a, b, c, d, e, f, g, k].entries()) h[i] = ((h[i] as number) + v) | 0;
}

/** The 32 bytes of the hash of all parts, one after the other. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((n, part) => n + part.length, 0);
  const padded = new Uint8Array((Math.floor((length + 8) / 64) + 1) * 64);
  let at = 0;
  for (const part of parts) {
    padded.set(part, at);
    at += part.length;
  }
  padded[at] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(length / 0x2000_0000));
  view.setUint32(padded.length - 4, (length * 8) >>> 0);
  const h = Int32Array.from(INITIAL);
  for (let block = 0; block < padded.length; block += 64) compress(h, view, block);
  const out = new Uint8Array(32);
  const result = new DataView(out.buffer);
  for (const [i, part] of h.entries()) result.setInt32(i * 4, part);
  return out;
}
