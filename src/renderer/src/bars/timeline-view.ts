/** Which part of the run the timeline shows: a span, and where it ends. Plain arithmetic; instants and spans are microseconds. */

export interface TimelineView {
  /** µs; "all": from the beginning to now. */
  span: number | "all";
  /** The right edge follows now; otherwise it stands at `end`. */
  follow: boolean;
  end: number;
}

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** From milliseconds to days; after the longest comes the whole run. */
export const spans: readonly number[] = [0.1, 0.5, 2, 10, 40, 120, 600, 3_600, 14_400, 86_400].map((seconds) => seconds * 1e6);
const firstSpan = 40e6;
/** Share of the span that stays free beyond now. */
const ahead = 0.07;
/** Share of the span by which a key pans. */
const panStep = 0.2;

export const startView = (): TimelineView => ({ span: firstSpan, follow: true, end: 0 });

const liveEnd = (span: number, now: number): number => now + span * ahead;

/** @param begins where the timeline begins */
export function rangeOf(view: TimelineView, now: number, begins: number): Range {
  if (view.span === "all") {
    const span = Math.max(spans[0] ?? 1, (now - begins) / (1 - ahead));
    return { from: begins, to: begins + span };
  }
  const { span } = view;
  const end = view.follow ? liveEnd(span, now) : Math.min(view.end, liveEnd(span, now));
  // A run that is shorter than the span starts at the left.
  const from = Math.max(Math.min(begins, now), end - span);
  return { from, to: from + span };
}

/** Moves by so many µs; at the live edge it follows now again. */
export function panned(view: TimelineView, by: number, now: number, begins: number): TimelineView {
  if (view.span === "all") return view;
  const { span } = view;
  const end = rangeOf(view, now, begins).to + by;
  const follow = end >= liveEnd(span, now);
  return { span, follow, end: Math.max(begins + span, end) };
}

export function pannedByKey(view: TimelineView, direction: 1 | -1, now: number, begins: number): TimelineView {
  return view.span === "all" ? view : panned(view, direction * view.span * panStep, now, begins);
}

/** @param at where it stays, as a share of the width; undefined: at now where that is shown, else in the middle */
export function zoomed(view: TimelineView, direction: 1 | -1, now: number, begins: number, at?: number): TimelineView {
  if (direction > 0 && view.span === "all") return view;
  const before = rangeOf(view, now, begins);
  const width = before.to - before.from;
  const next = direction < 0 ? spans.findLast((span) => span < width * 0.99) : spans.find((span) => span > width * 1.01);
  if (next === undefined && direction < 0) return view;
  if (next === undefined || (direction > 0 && width * (1 - ahead) >= now - begins)) return { ...view, span: "all", follow: true };
  if (at === undefined && (view.follow || view.span === "all")) return { span: next, follow: true, end: 0 };
  const share = at ?? 0.5;
  const fixed = before.from + share * width;
  return panned({ span: next, follow: false, end: fixed + (1 - share) * next }, 0, now, begins);
}

export const canZoomIn = (range: Range): boolean => range.to - range.from > (spans[0] ?? 0) * 1.01;

export const atNow = (view: TimelineView): TimelineView => ({ ...view, follow: true });

export const atBeginning = (view: TimelineView, begins: number): TimelineView =>
  view.span === "all" ? view : { span: view.span, follow: false, end: begins + view.span };

/** With this instant in the middle. */
export function around(view: TimelineView, at: number, now: number, begins: number): TimelineView {
  const span = view.span === "all" ? firstSpan : view.span;
  return panned({ span, follow: false, end: at + span / 2 }, 0, now, begins);
}
