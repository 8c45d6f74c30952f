/** Flags of acts on the timeline: those that stand too close become one with a count, and a label is drawn only where it fits. */
import type { LabSnapshot } from "../../../main/lab/api.ts";
import { flagCount } from "../words/timeline.ts";

type Mark = LabSnapshot["marks"][number];

export interface Flag {
  /** Of the first act. */
  readonly at: number;
  /** px from the left. */
  readonly x: number;
  readonly marks: readonly Mark[];
  /** What stands on it; "": the flag alone. */
  readonly label: string;
  /** Its label hangs to the left of the pole. */
  readonly flip: boolean;
}

/** px between two poles that can be told apart and pointed at. */
const polesMin = 24;
/** Of a label's box beside its text, and between two. */
const padding = 12;
const gap = 4;

/**
 * @param x px of an instant
 * @param width px there are
 * @param measure px of a text
 */
export function flagsOf(marks: readonly Mark[], x: (instant: number) => number, width: number, measure: (text: string) => number): Flag[] {
  const groups: { at: number; x: number; marks: Mark[] }[] = [];
  for (const mark of marks) {
    const left = x(mark.instant);
    const last = groups.at(-1);
    if (last !== undefined && left - last.x < polesMin) last.marks.push(mark);
    else groups.push({ at: mark.instant, x: left, marks: [mark] });
  }
  /** Where the last label ends. */
  let taken = 0;
  return groups.map((group, index): Flag => {
    const next = groups[index + 1]?.x ?? Number.POSITIVE_INFINITY;
    const [only] = group.marks;
    const texts = group.marks.length === 1 && only !== undefined ? [only.text] : [flagCount(group.marks.length), `${group.marks.length}`];
    const right = Math.min(width, next - gap) - group.x;
    const toRight = texts.find((text) => measure(text) + padding <= right);
    if (toRight !== undefined) {
      taken = group.x + measure(toRight) + padding;
      return { ...group, label: toRight, flip: false };
    }
    const left = group.x - taken - gap;
    const toLeft = texts.find((text) => measure(text) + padding <= left);
    taken = group.x + (toLeft === undefined ? padding : 0);
    return { ...group, label: toLeft ?? "", flip: toLeft !== undefined || group.x + padding > width };
  });
}
