/** The part of the lab's API about a corosync.conf that is to go onto every node: who has which, what a reload takes, what to type. Types only. */

/** A key that differs, and what `corosync-cfgtool -R` does with it (`quorate conf diff`). */
export interface ConfChange {
  key: string;
  old: string | null;
  new: string | null;
  effect: "live" | "restart" | "none";
  reason: string;
}

/** One of the files on the nodes' disks, with all who have it. */
export interface ConfFile {
  nodes: string[];
  /** null: it has no config_version. */
  version: number | null;
  /** It is the text asked about. */
  same: boolean;
  /** From it to the text asked about. */
  changes: ConfChange[];
}

/** Something to do, in order. */
export interface ConfStep {
  /** `write`: the page's own buttons do it. */
  what: "write" | "reload" | "restart" | "wait";
  text: string;
  /** To be typed on `node`; never run by itself. */
  node?: string;
  command?: string;
}

export interface ConfPlan {
  files: ConfFile[];
  /** Nodes without a file. */
  without: string[];
  /** From what the node asked about has on its disk. */
  changes: ConfChange[];
  /** Keys in the node's file that its running corosync does not have yet. */
  pending: ConfChange[];
  /** Highest config_version on any disk, and that of the text. */
  version: { now: number; next: number };
  warnings: string[];
  steps: ConfStep[];
}
