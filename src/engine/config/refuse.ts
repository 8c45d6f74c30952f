/**
 * How the daemon says its refusals: the line with the reason, then the line with the exit status and the place in its source that gave up. Texts
 * and places are observed.
 */
import { EXIT_LOGGING, EXIT_MAIN_CONFIG, EXIT_SERVICES } from "./ast.ts";
import type { DaemonMessage, Refusal } from "./daemon.ts";
import type { ReleaseProfile } from "./release.ts";
import type { ConfValues } from "./values.ts";

/** A reason, and the key of the map it is about (for the place in the file). */
export interface Reason {
  readonly text: string;
  readonly key?: string | undefined;
  /** What the quorum provider says before it gives up. */
  readonly explained?: readonly string[];
}

function place(values: ConfValues, key: string | undefined): { line: number | undefined; column: number | undefined } {
  const value = key === undefined ? undefined : values.get(key);
  return { line: value?.line, column: value?.column };
}

function exiting(status: number, where: string): DaemonMessage {
  return { level: "error", subsystem: "MAIN", text: `Corosync Cluster Engine exiting with status ${status} at ${where}.` };
}

export function refuseLogging(values: ConfValues, reason: Reason): Refusal {
  const messages: DaemonMessage[] = [{ level: "error", subsystem: undefined, text: `parse error in config: ${reason.text}.` }];
  return { ok: false, stage: "logging", exitCode: EXIT_LOGGING, messages, ...place(values, reason.key) };
}

/** While the configuration is read; `reason.text` is the whole text. */
export function refuseRead(values: ConfValues, reason: Reason, { lines }: ReleaseProfile): Refusal {
  const last = exiting(EXIT_MAIN_CONFIG, `main.c:${lines.unread}`);
  const messages: DaemonMessage[] = [{ level: "error", subsystem: "MAIN", text: reason.text }, last];
  return { ok: false, stage: "totem", exitCode: EXIT_MAIN_CONFIG, messages, ...place(values, reason.key) };
}

/** While it is validated. */
export function refuseInvalid(values: ConfValues, reason: Reason & { readonly bare?: boolean }, { lines }: ReleaseProfile): Refusal {
  const text = reason.bare === true ? reason.text : `parse error in config: ${reason.text}`;
  const messages: DaemonMessage[] = [{ level: "error", subsystem: "MAIN", text }, exiting(EXIT_MAIN_CONFIG, `main.c:${lines.invalid}`)];
  return { ok: false, stage: "totem", exitCode: EXIT_MAIN_CONFIG, messages, ...place(values, reason.key) };
}

export function refuseService(values: ConfValues, provider: string, reason: Reason): Refusal {
  const messages: DaemonMessage[] = [
    { level: "notice", subsystem: "QUORUM", text: `Using quorum provider ${provider}` },
    ...(reason.explained ?? []).map((text) => ({ level: "crit" as const, subsystem: "VOTEQ" as const, text })),
    { level: "crit", subsystem: "QUORUM", text: `Quorum provider: ${provider} failed to initialize.` },
    { level: "error", subsystem: "SERV", text: `Service engine 'corosync_quorum' failed to load for reason '${reason.text}'` },
    exiting(EXIT_SERVICES, "service.c:356"),
  ];
  return { ok: false, stage: "services", exitCode: EXIT_SERVICES, messages, ...place(values, reason.key) };
}
