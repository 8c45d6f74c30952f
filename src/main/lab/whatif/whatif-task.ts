/** The question a page asks: this design, and the same one varied; and the answers as they travel. */
import { whatIf, whatIfDesign, type Answer, type WhatIf } from "../../../engine/whatif/index.ts";
import type { WorldDesign } from "../../../engine/world/design.ts";
import type { WhatIfAnswer, WhatIfChange, WhatIfReply } from "../api.ts";

export interface WhatIfTask {
  readonly now: WorldDesign;
  readonly varied: WorldDesign | undefined;
}

/** `ok: false`: `varied` tells which of the two is no question. */
export type WhatIfOutcome =
  { readonly ok: true; readonly reply: WhatIfReply } | { readonly ok: false; readonly varied: boolean; readonly why: string };

/** Sets of one list that travel. */
const setsMax = 300;

function half({ killing, splitting, unsettled, ...rest }: Answer): WhatIfAnswer["atOnce"] {
  const some = (sets: Answer["killing"]): string[][] => sets.slice(0, setsMax).map((set) => [...set]);
  return {
    ...rest,
    survivesAny: { ...rest.survivesAny },
    atLeast: [...rest.atLeast],
    matrix: rest.matrix.map((row) => ({ ...row })),
    killing: some(killing),
    splitting: some(splitting),
    unsettled: some(unsettled),
    counts: { killing: killing.length, splitting: splitting.length, unsettled: unsettled.length },
  };
}

function travelling({ atOnce, oneAfterAnother, ...rest }: WhatIf): WhatIfAnswer {
  return { ...rest, atOnce: half(atOnce), oneAfterAnother: half(oneAfterAnother) };
}

const ways = ["atOnce", "oneAfterAnother"] as const;

/** What the variation makes better or worse, as far as numbers tell. */
function changesOf(now: WhatIf, varied: WhatIf): WhatIfChange[] {
  const out: WhatIfChange[] = [];
  for (const way of ways) {
    const [a, b] = [now[way], varied[way]];
    for (const kind of ["nodes", "networks", "qnetd", "links"] as const)
      if (a.survivesAny[kind] !== b.survivesAny[kind]) out.push({ way, what: kind, now: a.survivesAny[kind], varied: b.survivesAny[kind] });
    for (const what of ["killing", "splitting"] as const) {
      const text = (sets: readonly (readonly string[])[]): string => JSON.stringify(sets);
      if (text(a[what]) !== text(b[what])) out.push({ way, what, now: a[what].length, varied: b[what].length });
    }
  }
  return out;
}

export function answerTask(task: WhatIfTask): WhatIfOutcome {
  const now = whatIfDesign(task.now);
  if (!now.ok) return { ok: false, varied: false, why: now.why };
  const varied = task.varied === undefined ? undefined : whatIfDesign(task.varied);
  if (varied?.ok === false) return { ok: false, varied: true, why: varied.why };
  const first = whatIf(now.design);
  const second = varied === undefined ? undefined : whatIf(varied.design);
  return {
    ok: true,
    reply: {
      now: travelling(first),
      varied: second === undefined ? null : travelling(second),
      changes: second === undefined ? [] : changesOf(first, second),
    },
  };
}
