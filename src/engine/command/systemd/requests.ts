/** What a systemctl that acts asks the manager for, and the answers: plain data. In the real stack: the messages of D-Bus between systemctl and PID 1. */
import type { Signal } from "../../kernel/index.ts";
import type { JobMode, JobResult, SystemAction, Verb as JobVerb } from "../../machine/systemd/index.ts";
import type { InstallVerb } from "./install-verbs.ts";

/** What systemctl asks of the manager. */
export type ManagerCall =
  | { readonly call: "job"; readonly unit: string; readonly verb: JobVerb; readonly mode: JobMode }
  | { readonly call: "kill"; readonly unit: string; readonly whom: "all" | "main" | "control"; readonly signal: Signal }
  | { readonly call: "reload" }
  /** Of every unit where none is named. */
  | { readonly call: "reset-failed"; readonly unit: string | undefined }
  | { readonly call: "install"; readonly verb: InstallVerb; readonly units: readonly string[]; readonly runtime: boolean }
  | { readonly call: "power"; readonly action: SystemAction };

/** Plain data, so that it can be kept and replayed. */
export interface SystemctlAnswer {
  /** Of a job that was queued; 0 where there was nothing to do. */
  readonly job?: number;
  /** How it ended, and the unit's own result word. */
  readonly result?: JobResult;
  readonly unitResult?: string;
  readonly error?: string;
  readonly code?: string;
  readonly lines?: readonly string[];
  readonly nothingToDo?: boolean;
  /** Units among those named that also have an init script. */
  readonly initScripts?: readonly string[];
}
