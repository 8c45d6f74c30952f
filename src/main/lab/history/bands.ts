/**
 * What each machine of a lab believed, for as long as the lab has run, in a bounded room. A machine that has more bands than are kept loses none of its time: of its older bands the
 * two neighbours that took the least time together become one, which says how many changes it stands for.
 */
import type { Instant } from "../../../engine/kernel/time.ts";
import type { Band } from "../api.ts";

/** Bands kept of a machine. */
export const MACHINE_BANDS_MAX = 600;
/** Of them the latest are left as they are. */
const LATEST_BANDS_MIN = 150;
/** What is narrower cannot be told from its neighbours. */
const BAND_PIXELS_MIN = 3;

function same(a: Band, b: Band): boolean {
  return (
    a.ringId === b.ringId &&
    a.state === b.state &&
    a.quorate === b.quorate &&
    a.letter === b.letter &&
    a.members.length === b.members.length &&
    a.members.every((id, i) => id === b.members[i])
  );
}

/** One stretch in which a machine's belief changed so often. */
function mergedOf(first: Band, last: Band, count: number): Band {
  const { node, from } = first;
  return { node, from, to: last.to, ringId: "", members: [], state: "changing", quorate: false, letter: "", count };
}

const endOf = (band: Band, now: Instant): Instant => band.to ?? now;

export class Bands {
  private readonly of = new Map<string, Band[]>();

  /** @param max bands kept of a machine */
  constructor(private readonly max = MACHINE_BANDS_MAX) {}

  /** From `band.from` on the machine believes this. @returns whether that is something new */
  put(band: Band): boolean {
    const bands = this.of.get(band.node) ?? [];
    this.of.set(band.node, bands);
    const last = bands.at(-1);
    if (last?.to === null && same(last, band)) return false;
    if (last?.to === null) last.to = band.from;
    // What lasted no time was a step on the way, not a belief.
    if (last?.from === band.from) bands.pop();
    const before = bands.at(-1);
    if (before?.to === band.from && band.to === null && same(before, band)) before.to = null;
    else bands.push({ ...band });
    while (bands.length > this.max) this.mergeLeast(bands);
    return true;
  }

  private mergeLeast(bands: Band[]): void {
    const older = Math.max(2, bands.length - Math.min(LATEST_BANDS_MIN, this.max >> 1));
    let least = 0;
    let shortest = Number.POSITIVE_INFINITY;
    for (let i = 0; i + 1 < older; i++) {
      const [first, second] = [bands[i], bands[i + 1]];
      if (first === undefined || second === undefined) break;
      const took = endOf(second, Number.POSITIVE_INFINITY) - first.from;
      if (took < shortest) [least, shortest] = [i, took];
    }
    const [first, second] = [bands[least], bands[least + 1]];
    if (first !== undefined && second !== undefined) bands.splice(least, 2, mergedOf(first, second, first.count + second.count));
  }

  /** The machine is there no longer under this name. What was drawn of it stays in the past. */
  end(machine: string, at: Instant): void {
    const last = this.of.get(machine)?.at(-1);
    if (last?.to === null) last.to = at;
  }

  /** Copies, as are those of the other questions: what they are answered with leaves the lab later. */
  all(): Band[] {
    return [...this.of.values()].flat().map((band) => ({ ...band }));
  }

  /** The latest of each machine, at most so many. */
  latest(count: number): Band[] {
    return [...this.of.values()].flatMap((bands) => bands.slice(-count).map((band) => ({ ...band })));
  }

  /** As they stood at an instant: without what came later, the last ones open. */
  upTo(at: Instant): Band[] {
    return this.all()
      .filter((band) => band.from <= at)
      .map((band) => (band.to !== null && band.to > at ? { ...band, to: null } : band));
  }

  /** What came after `at` is forgotten. */
  rewind(at: Instant): void {
    const left = this.upTo(at);
    this.of.clear();
    for (const band of left) this.of.set(band.node, [...(this.of.get(band.node) ?? []), band]);
  }

  /** Changes that stand merged with others. */
  get merged(): number {
    let count = 0;
    for (const bands of this.of.values()) for (const band of bands) if (band.count > 1) count += band.count;
    return count;
  }

  /**
   * What is to be drawn of [from, to) on so many pixels: neighbours too narrow to be told apart are one.
   * @param now where bands end that have no end yet
   */
  window(from: Instant, to: Instant, pixels: number, now: Instant): Band[] {
    const narrow = ((to - from) / pixels) * BAND_PIXELS_MIN;
    const seen: Band[] = [];
    for (const bands of this.of.values()) {
      let run: Band[] = [];
      const flush = (): void => {
        const [first, last] = [run[0], run.at(-1)];
        if (first !== undefined && last !== undefined)
          seen.push(
            run.length === 1
              ? { ...first }
              : mergedOf(
                  first,
                  last,
                  run.reduce((sum, { count }) => sum + count, 0),
                ),
          );
        run = [];
      };
      for (const band of bands) {
        if (band.from >= to || endOf(band, now) < from) continue;
        // The one that goes on is told for itself: it is what the machine believes.
        const wide = band.to === null || band.to - band.from >= narrow;
        // A run that has become wide enough to be seen is drawn, and another begins.
        if (wide || (run[0] !== undefined && band.from - run[0].from >= 2 * narrow)) flush();
        if (wide) seen.push({ ...band });
        else run.push(band);
      }
      flush();
    }
    return seen;
  }
}
