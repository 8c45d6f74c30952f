/**
 * What the service manager and the journal answer over local sockets to systemctl and journalctl in their old form (spec.ts). It goes when they do. In the real stack: the D-Bus interface
 * org.freedesktop.systemd1 and libsystemd's journal files. Left out: nearly all of both.
 */
import type { JournalLine } from "../kernel/index.ts";
import type { UnitView } from "./host.ts";
import type { UnitOp } from "./spec.ts";

export const MANAGER = "org.freedesktop.systemd1";
export const JOURNAL = "/run/systemd/journal";

/** `error` of a reply: `not-found`. */
type Verb = { readonly request: { readonly unit: string }; readonly reply: object };

export type ManagerCalls = { readonly [op in UnitOp]: Verb } & {
  readonly units: { readonly request: object; readonly reply: { readonly units: readonly UnitView[] } };
  /** Answered when no job runs on the unit: how the last start job ended, and the unit's result. */
  readonly job: {
    readonly request: { readonly unit: string };
    readonly reply: { readonly lastJob: UnitView["lastJob"]; readonly result: string };
  };
};

export type JournalCalls = {
  /** Lines from that number on, and the number of the first. */
  readonly since: {
    readonly request: { readonly from: number };
    readonly reply: { readonly from: number; readonly lines: readonly JournalLine[] };
  };
  /** From now on a notice comes whenever the journal has grown. */
  readonly follow: { readonly request: object; readonly reply: object };
};
