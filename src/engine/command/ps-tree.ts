/**
 * Processes as a tree: in which order they stand, and what stands before the command of each. In the real stack: the forest of procps' display.c. A process whose parent is not among those that are
 * shown is a root; where branches are drawn, so is every child of pid 1.
 */
import type { ProcessRow } from "./processes.ts";

export interface Forest {
  readonly rows: readonly ProcessRow[];
  /** By process id. */
  readonly branches: ReadonlyMap<number, string>;
}

/** `drawn`: ` \\_ ` before a child, with lines for siblings that follow; else two blanks a level. Children stand in the order of `rows`. */
export function forest(rows: readonly ProcessRow[], drawn: boolean): Forest {
  const pids = new Set(rows.map((row) => row.pid));
  const ordered: ProcessRow[] = [];
  const branches = new Map<number, string>();
  /** `trunk`: what the line of a child begins with. */
  const place = (row: ProcessRow, branch: string, trunk: string): void => {
    ordered.push(row);
    branches.set(row.pid, branch);
    const children = rows.filter((r) => r.ppid === row.pid && r.pid !== row.pid);
    children.forEach((child, i) => {
      if (drawn && row.pid === 1) place(child, "", "");
      else if (drawn) place(child, `${trunk} \\_ `, `${trunk}${i + 1 < children.length ? " |  " : "    "}`);
      else place(child, `${trunk}  `, `${trunk}  `);
    });
  };
  for (const row of rows) if (row.ppid === row.pid || !pids.has(row.ppid)) place(row, "", "");
  return { rows: ordered, branches };
}
