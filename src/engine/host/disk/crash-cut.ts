/**
 * The cut that a crash leaves of all disks together: what had been told, and what some disk has in its rows already. Each process of the lab had confirmed either, so that
 * all of it is on every disk; what is later may be on one and not on another, and is cut from those that have it. The real stack has no counterpart: there each disk is cut
 * where its own power went.
 */
import type { Instant } from "../../kernel/index.ts";
import type { Contents } from "./contents.ts";

/** How far each disk is kept: commits up to an instant, and up to a number. */
export interface DiskCut {
  until(number: number): Instant;
  seq(number: number): number;
}

/** @param applied instant of the last commit in the rows of each disk */
export function crashCut(contents: Pick<Contents, "released" | "releasedSeq">, applied: readonly Instant[]): DiskCut {
  const told = contents.released ?? 0;
  const latest = Math.max(0, ...applied);
  return {
    until: (number) => (contents.releasedSeq(number) === undefined ? Math.max(told, latest) : latest),
    seq: (number) => contents.releasedSeq(number) ?? 0,
  };
}
