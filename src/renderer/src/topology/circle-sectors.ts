/** The parts of the ring-shaped band round the machines of the circle: those that each ring's members take, and each belief's while a ring forms. */
import type { LabSnapshot } from "../../../main/lab/api.ts";
import { clipped, textWidth, type Font } from "../names.ts";
import { toneOf } from "../tone.ts";
import { beliefsOf } from "./beliefs.ts";
import { polar, type Measures, type Sector, type Slot } from "./circle-shapes.ts";

/** More beliefs than this at once are told by the machines alone. */
const beliefsMax = 6;
const gapAngle = 0.05;
const tabFont: Font = { size: 11, strong: true };

interface Run {
  first: number;
  length: number;
}

export function sectorsOf(snapshot: LabSnapshot, slots: readonly Slot[], measures: Measures): Sector[] {
  const formed = snapshot.components.filter((component) => component.formed);
  const owner = slots.map(({ name }) => formed.findIndex(({ nodes }) => nodes.includes(name)));
  const rings = formed.flatMap((component, ring) => {
    const runs = runsOf(owner.map((own, index) => own === ring || (own < 0 && isPassed(slots[index]) && between(owner, index, ring))));
    const what = { tone: toneOf(component.letter), letter: component.letter, formed: true, description: `ring ${component.ringId}` };
    // One ring round the whole circle has room for its id; of several the letter tells them apart.
    const text = formed.length === 1 && runs[0]?.length === slots.length ? `ring ${component.ringId}` : "";
    return runs.map((run, index) =>
      sector(slots, run, measures, 0, { ...what, key: `region:${component.key}.${index}`, text, at: run.first }),
    );
  });
  const beliefs = beliefsOf(snapshot).slice(0, beliefsMax);
  const speakers: number[] = [];
  const waiting = beliefs.flatMap(({ nodes, members, tone, texts: [description = ""] }, level) => {
    const inside = slots.map(({ name, look }) => nodes.includes(name) || members.includes(look.id ?? -1));
    const inset = (level / Math.max(1, beliefs.length)) * (measures.band / 2 - 8);
    const own = slots.flatMap(({ name }, index) => (nodes.includes(name) ? [index] : []));
    const speaker = farthest(own, speakers, slots.length);
    speakers.push(speaker);
    const label = clipped(nodes.length === 1 ? (slots[speaker]?.label ?? "") : `${nodes.length} nodes`, 70, tabFont);
    return runsOf(inside).map((run, index) => {
      const speaks = speaker >= 0 && (speaker - run.first + slots.length) % slots.length < run.length;
      const what = { key: `belief:${nodes.join()}.${index}`, tone, letter: "", formed: false, description };
      return sector(slots, run, measures, inset, { ...what, text: speaks ? label : "", at: speaks ? speaker : run.first });
    });
  });
  return [...rings, ...waiting];
}

/** The one of `places` on a circle of `n` that is farthest from those taken, where its tab has room; the first while none is; -1 of none. */
function farthest(places: readonly number[], taken: readonly number[], n: number): number {
  const room = (place: number): number =>
    Math.min(n, ...taken.filter((one) => one >= 0).map((one) => Math.min((place - one + n) % n, (one - place + n) % n)));
  return places.reduce((best, place) => (best < 0 || room(place) > room(best) ? place : best), -1);
}

/** Its corosync does not run, or stands still: it believes in nothing of its own. */
const isPassed = (slot: Slot | undefined): boolean => slot?.look.id === undefined || slot.look.power !== "on";

/** A machine in no ring between two members of this one: the ring passes round it. */
function between(owner: readonly number[], index: number, ring: number): boolean {
  const n = owner.length;
  const next = (step: 1 | -1): number => {
    for (let by = 1; by < n; by++) {
      const at = (index + step * by + n * n) % n;
      if ((owner[at] ?? -1) >= 0) return at;
    }
    return -1;
  };
  const [after, before] = [next(1), next(-1)];
  return after !== before && owner[after] === ring && owner[before] === ring;
}

/** Stretches of the circle that are inside; one that goes over its beginning is one. */
function runsOf(inside: readonly boolean[]): Run[] {
  const n = inside.length;
  if (inside.every(Boolean)) return n === 0 ? [] : [{ first: 0, length: n }];
  const runs: Run[] = [];
  inside.forEach((is, index) => {
    if (!is || inside[(index + n - 1) % n] === true) return;
    let length = 1;
    while (inside[(index + length) % n] === true) length++;
    runs.push({ first: index, length });
  });
  return runs;
}

function sector(
  slots: readonly Slot[],
  run: Run,
  { r, band }: Measures,
  inset: number,
  what: Omit<Sector, "path" | "tab"> & { text: string; at: number },
): Sector {
  const step = (2 * Math.PI) / slots.length;
  const a = (run.first - 0.5) * step + gapAngle;
  const b = (run.first + run.length - 0.5) * step - gapAngle;
  const whole = run.length === slots.length;
  const inner = r - band / 2 + inset;
  const outer = r + band / 2 - inset;
  const { text, at, ...rest } = what;
  const angle = (at - 0.5) * step + (whole ? step : what.formed ? 0.09 : step / 2);
  const w = what.formed ? (text === "" ? 20 : 34 + textWidth(text, tabFont)) : 18 + textWidth(text, tabFont);
  // A belief's tab stands on the inner edge, a ring's on the outer one: they never lie on each other.
  const tab = what.formed || text !== "" ? { ...polar(what.formed ? outer : inner, angle), w, text } : undefined;
  return { ...rest, path: whole ? annulus(inner, outer) : sectorPath(inner, outer, a, b), tab };
}

function annulus(inner: number, outer: number): string {
  const circle = (r: number): string => `M${-r} 0A${r} ${r} 0 1 1 ${r} 0A${r} ${r} 0 1 1 ${-r} 0Z`;
  return circle(outer) + circle(inner);
}

function sectorPath(inner: number, outer: number, a: number, b: number): string {
  const large = b - a > Math.PI ? 1 : 0;
  const [p, q, s, t] = [polar(outer, a), polar(outer, b), polar(inner, b), polar(inner, a)];
  return `M${p.x} ${p.y}A${outer} ${outer} 0 ${large} 1 ${q.x} ${q.y}L${s.x} ${s.y}A${inner} ${inner} 0 ${large} 0 ${t.x} ${t.y}Z`;
}
