/**
 * What the service manager and the journal answer over local sockets to systemctl and journalctl. In the real stack: the D-Bus interface org.freedesktop.systemd1 and libsystemd's journal files.
 * Left out: most of both. What systemctl only asks is answered as it is printed: the manager's view is a large one, and nobody else reads it over the socket.
 */
import type { JournalLine } from "../kernel/index.ts";
import type { ManagerCall, SystemctlAnswer } from "./systemd/requests.ts";
import { callOnce } from "./library.ts";
import type { Result } from "./result.ts";
import type { ToolPart } from "./tool.ts";

export const MANAGER = "org.freedesktop.systemd1";
export const JOURNAL = "/run/systemd/journal";

export type ManagerCalls = {
  /** A command line of systemctl that only asks. */
  readonly query: { readonly request: { readonly argv: readonly string[] }; readonly reply: Result };
  /** Names of the services there are, without suffix. */
  readonly services: { readonly request: object; readonly reply: { readonly names: readonly string[] } };
  /** A request that changes something. */
  readonly act: { readonly request: { readonly act: ManagerCall }; readonly reply: { readonly answer: SystemctlAnswer } };
  /** Answered when the job is over. */
  readonly job: {
    readonly request: { readonly job: number; readonly unit: string };
    readonly reply: { readonly answer: SystemctlAnswer };
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

/** Names of the machine's services, for completion. */
export function* serviceNames(): ToolPart<readonly string[]> {
  return (yield* callOnce<ManagerCalls, "services">(MANAGER, "services", {}))?.names ?? [];
}
