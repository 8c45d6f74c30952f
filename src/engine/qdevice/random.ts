/**
 * The sequence of random(3) of the GNU C library, never seeded: what corosync-qdevice draws its pauses from, so that every daemon makes the same ones (recorded:
 * 2386 ms, then 1992 ms). In the real stack: glibc's additive feedback generator of type 3. Left out: srandom.
 */
const DEGREE = 31;
const SEPARATION = 3;
/** Numbers thrown away when the generator is set up. */
const WARM_UP = 310;

/** Number `index` (from 0) of the sequence that starts with 1804289383. */
export function unseededRandom(index: number): number {
  const r: number[] = [1];
  for (let i = 1; i < DEGREE; i++) r.push((16_807 * (r[i - 1] ?? 0)) % 2_147_483_647);
  for (let i = DEGREE; i < DEGREE + SEPARATION; i++) r.push(r[i - DEGREE] ?? 0);
  const last = DEGREE + SEPARATION + WARM_UP + index;
  for (let i = DEGREE + SEPARATION; i <= last; i++) r.push(((r[i - DEGREE] ?? 0) + (r[i - SEPARATION] ?? 0)) >>> 0);
  return (r[last] ?? 0) >>> 1;
}
