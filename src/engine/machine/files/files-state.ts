/** What the files of a machine need of it, and what they are as plain data. In the real stack nothing stands here: it is the seam around the kernel's VFS. Left out: what is done with it. */
import type { Commit, FileReply, Instant, Served } from "../../kernel/index.ts";
import type { TreeLimits, TreeState } from "./inode-table.ts";
import type { Mount } from "./mounts.ts";
import type { PendingState } from "./pending.ts";
import type { ProcView } from "./proc-text.ts";
import type { SlowDiskState } from "./slow-disk.ts";
import type { ViewsState } from "./views.ts";

/** What the files need of their machine. */
export interface FilesHost {
  now(): Instant;
  /** A durable change of the root file system; in order, before the call that made it returns. */
  commit(commit: Commit): void;
  /** For the process that serves a mount; answered by `served`, or never. */
  request(server: number, served: Served): void;
  /** Told to the process that serves a mount: it is gone. */
  unmounted(server: number, mount: number): void;
  /** The pid of a process that is known here by `process`, which need not be its pid: a pid may change and be used again. */
  pidOf(process: number): number;
  /** The disk is done with something at `at`: `written` is to be called then. */
  wakeDisk(at: Instant): void;
  readonly proc: ProcView;
}

/** The reply to a call that was pending. */
export interface Resumed {
  readonly id: number;
  readonly pid: number;
  /** What the caller called it. */
  readonly tag: number;
  readonly reply: FileReply;
}

export type MountState = Omit<Mount, "fs"> & {
  readonly fs:
    | { readonly kind: "tree"; readonly limits: TreeLimits; readonly state: TreeState }
    | { readonly kind: "proc" }
    | { readonly kind: "served"; readonly server: number; readonly dead: boolean };
};

/** Plain data. What did not change since the last one is the same object. */
export interface FilesState {
  readonly mounts: readonly MountState[];
  readonly nextMount: number;
  readonly views: ViewsState;
  readonly pending: readonly PendingState[];
  readonly nextCall: number;
  readonly nextRequest: number;
  readonly slow: SlowDiskState;
}

export function mountState({ fs, ...mount }: Mount): MountState {
  if (fs.kind === "tree") return { ...mount, fs: { kind: "tree", limits: fs.limits, state: fs.snapshot() } };
  return { ...mount, fs: fs.kind === "proc" ? { kind: "proc" } : fs };
}
