/**
 * How often a live host grants time, how much at once, and how far the world may be ahead of what is confirmed. In the real stack nothing stands here: time passes by itself.
 * Left out: what a grant does (live.ts).
 */
import { SEC, type Duration } from "../kernel/index.ts";

/** Wall time after which the event loop gets its turn. */
export const SLICE_MS = 12;
/** Events between two looks at the wall clock. */
export const CHUNK = 256;
/** How far the lab may fall behind the wall clock and still catch up: processes that share a busy computer wait for it now and then. */
export const LAG_MAX_MS = 2_000;
/** The same where nobody looks on: more than the time between two grants. */
export const UNSEEN_LAG_MAX_MS = 6_000;
/** The same in slow motion, where what is caught up is over before it is drawn: two beats, so that a late one loses nothing. */
export const SLOW_LAG_MAX_MS = 100;
/**
 * Wall time between two grants of a lab that is abreast: one event wakes nobody by itself, and those that follow from it come along. What is asked or done meanwhile is
 * granted what is due first, so nobody but an onlooker can tell.
 */
export const BEAT_MS = 50;
/** The same where somebody waits for a moment of virtual time, or looks on in slow motion. */
export const SHORT_BEAT_MS = 10;
/** The same where nobody looks on: every process that wakes costs, and whoever asks something is granted what is due first. */
export const UNSEEN_BEAT_MS = 2_000;
/** How far the world may be ahead of the slowest confirmation, in wall time at the lab's speed: where somebody looks on or waits, and where nobody does. */
export const LEAD_MS = 50;
export const UNSEEN_LEAD_MS = 2_500;
/** Virtual time between two moments at which whoever looks on is told during a run ahead. */
export const TELL_EVERY: Duration = SEC / 2;
/** Virtual time of one grant at full speed. */
export const GRANT_MAX: Duration = 60 * SEC;
