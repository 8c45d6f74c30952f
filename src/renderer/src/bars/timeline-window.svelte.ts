/** What the lab has of the part of its timeline that is looked at: asked for when that part, or the timeline, has changed. */
import { untrack } from "svelte";
import type { TimelineWindow } from "../../../main/lab/api.ts";
import type { Lab } from "../lab.svelte.ts";

export interface Looked {
  readonly from: number;
  readonly to: number;
  /** px */
  readonly width: number;
  readonly now: number;
  readonly begins: number;
  /** Counts what is new on the timeline. */
  readonly changes: number;
}

interface Got extends TimelineWindow {
  readonly from: number;
  readonly to: number;
  /** Virtual µs a pixel. */
  readonly scale: number;
  readonly changes: number;
}

/** What is drawn may be this much coarser or finer than what was asked for. */
const scaleOff = 0.3;
const pixels = { least: 16, most: 16_384 };

/** To be called where a component begins. `looked`: what is looked at; undefined: nothing. */
export function askedWindow(lab: Lab, looked: () => Looked | undefined): { readonly got: Got | undefined } {
  let got = $state.raw<Got | undefined>();
  let asking = false;

  const wanted = $derived.by((): Pick<Got, "from" | "to" | "scale" | "changes"> | undefined => {
    const look = looked();
    if (look === undefined) return undefined;
    const { from, to, width, now, changes } = look;
    const scale = (to - from) / width;
    const fits =
      got !== undefined &&
      got.changes === changes &&
      got.from <= from &&
      got.to >= Math.min(to, now) &&
      Math.abs(got.scale / scale - 1) <= scaleOff;
    // A little on both sides, so that panning finds it there.
    const around = (to - from) / 2;
    return fits ? undefined : { from: Math.max(0, from - around), to: to + around, scale, changes };
  });
  $effect(() => {
    if (wanted !== undefined && lab.link.kind === "open") untrack(() => void ask());
  });

  async function ask(): Promise<void> {
    if (asking) return;
    asking = true;
    try {
      for (let next = wanted; next !== undefined; next = wanted) {
        const [from, to] = [Math.floor(next.from), Math.ceil(next.to) + 1];
        const px = Math.max(pixels.least, Math.min(pixels.most, Math.round((to - from) / next.scale)));
        const window = await lab.connection.call({ op: "timeline", from, to, px });
        got = { ...window, from, to, scale: next.scale, changes: next.changes };
      }
    } catch {
      // The connection broke, which the banner says; what changes next asks again.
      const next = wanted;
      const begins = looked()?.begins ?? 0;
      if (next !== undefined) got = { begins, bands: [], marks: [], marksFrom: null, merged: 0, ...got, ...next };
    } finally {
      asking = false;
    }
  }

  // Another run of the lab's supervisor counts its changes anew.
  const open = $derived(lab.link.kind === "open");
  $effect(() => {
    if (open) untrack(() => (got = got === undefined ? undefined : { ...got, changes: -1 }));
  });

  return {
    get got() {
      return got;
    },
  };
}
