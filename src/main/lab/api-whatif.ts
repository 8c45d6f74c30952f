/** The part of the lab's API about what-if: what may be asked as if it were otherwise, and the answers. Pure (zod only), like api.ts. */
import { z } from "zod";
import { isWellFormed } from "../../engine/kernel/check.ts";

/** Keys of corosync.conf to ask about as if they were otherwise; what is absent stays as it is. */
export const variation = z.strictObject({
  votes: z.record(z.string().min(1).max(64).refine(isWellFormed, "well-formed text is allowed"), z.int().min(0).max(1000)).optional(),
  twoNode: z.boolean().optional(),
  waitForAll: z.boolean().optional(),
  lastManStanding: z.boolean().optional(),
  autoTieBreaker: z.boolean().optional(),
  qdevice: z.enum(["none", "ffsplit", "lms"]).optional(),
});

export type Variation = z.infer<typeof variation>;

interface WhatIfHalf {
  survivesAny: { nodes: number; networks: number; qnetd: number; links: number };
  /** Of these kinds more may go still: more were not tried. */
  atLeast: string[];
  /** The first of the smallest sets; `counts` has how many there are. */
  killing: string[][];
  splitting: string[][];
  unsettled: string[][];
  counts: { killing: number; splitting: number; unsettled: number };
  /** By number of lost nodes: how many sets of them leave what. */
  matrix: { lost: number; sets: number; holds: number; kills: number; splits: number; unsettled: number }[];
}

/** `quorate whatif --json` (CLI.md), with long lists cut. */
export interface WhatIfAnswer {
  sentence: string;
  upTo: number;
  nodes: number;
  quorate: boolean;
  atOnce: WhatIfHalf;
  oneAfterAnother: WhatIfHalf;
}

/** How much of one kind may go, or how many smallest sets there are, now and as varied. */
export interface WhatIfChange {
  way: "atOnce" | "oneAfterAnother";
  what: "nodes" | "networks" | "qnetd" | "links" | "killing" | "splitting";
  now: number;
  varied: number;
}

export interface WhatIfReply {
  now: WhatIfAnswer;
  varied: WhatIfAnswer | null;
  changes: WhatIfChange[];
}
