/** Lines of a journal that tell what a daemon noticed, as facts. What no pattern knows is told only as far as it is a warning or worse. */
import type { Instant, JournalLine } from "../../../../engine/kernel/index.ts";

/** What a line says. `hosts`: node IDs; `number`: a link, or milliseconds. */
export interface Notice {
  readonly what: NoticeKind;
  readonly at: Instant;
  /** Place in the machine's journal. */
  readonly index: number;
  readonly unit: string;
  readonly text: string;
  readonly hosts: readonly number[];
  readonly number: number;
}

export type NoticeKind =
  | "unreachable"
  | "link-down"
  | "link-up"
  | "token-late"
  | "token-lost"
  | "members-left"
  | "membership"
  | "leave-missed"
  | "lost-quorum"
  | "got-quorum"
  | "waits-for-all"
  | "slept"
  | "rejected"
  | "started"
  | "stopped"
  | "failed"
  | "killed"
  | "refused"
  | "device"
  | "trouble";

type Pattern = readonly [what: NoticeKind, pattern: RegExp];

/** Of corosync itself. The groups: node IDs, then a number. */
const COROSYNC: readonly Pattern[] = [
  ["unreachable", /^host: host: (?<hosts>\d+) has no active links$/],
  ["link-down", /^link: host: (?<hosts>\d+) link: (?<number>\d+) is down$/],
  ["link-up", /^rx: host: (?<hosts>\d+) link: (?<number>\d+) is up$/],
  ["token-late", /^Token has not been received in (?<number>\d+) ms/],
  ["token-lost", /^A processor failed, forming new configuration: token timed out \((?<number>\d+)ms\)/],
  ["token-lost", /^A processor failed, forming new configuration/],
  ["members-left", /^A new membership \(\S+\) was formed\. Members(?: joined: [\d ]+)? left: (?<hosts>[\d ]+)$/],
  ["membership", /^A new membership \(\S+\) was formed\. Members(?: joined: (?<hosts>[\d ]+))?$/],
  ["leave-missed", /^Failed to receive the leave message\. failed: (?<hosts>[\d ]+)$/],
  ["lost-quorum", /^This node is within the non-primary component and will NOT provide any services\.$/],
  ["got-quorum", /^This node is within the primary component and will provide service\.$/],
  ["waits-for-all", /^Waiting for all cluster members\./],
  ["slept", /^Process pause detected for (?<number>\d+) ms/],
  ["slept", /^Corosync main process was not scheduled .*? for (?<number>\d+)(?:\.\d+)? ms/],
  ["rejected", /^rx: Packet rejected from /],
  ["rejected", /^(?:nsscrypto: Digest does not match|rx: Unable to decrypt packet from )/],
];

/** Of the service manager, on any unit. */
const SYSTEMD: readonly Pattern[] = [
  ["started", /^Started \S+\.service\b/],
  ["stopped", /^\S+\.service: Deactivated successfully\.$/],
  ["killed", /^\S+\.service: Main process exited, code=killed/],
  ["failed", /^\S+\.service: Failed with result '/],
  ["failed", /^Failed to start \S+\.service\b/],
];

const SERIOUS: ReadonlySet<string> = new Set(["emerg", "alert", "crit", "error"]);
/** Whether this unit is one of those whose lines are read. */
export const ofCluster = (unit: string): boolean => unit.startsWith("corosync");

function matched(patterns: readonly Pattern[], text: string): Pick<Notice, "what" | "hosts" | "number"> | undefined {
  for (const [what, pattern] of patterns) {
    const groups = pattern.exec(text);
    if (groups === null) continue;
    const { hosts = "", number = "0" } = groups.groups ?? {};
    return {
      what,
      hosts: hosts
        .split(" ")
        .filter((word) => word !== "")
        .map(Number),
      number: Number(number),
    };
  }
  return undefined;
}

function found(line: JournalLine): Pick<Notice, "what" | "hosts" | "number"> | undefined {
  if (line.level === "debug" || !ofCluster(line.unit)) return undefined;
  if (line.pid === 1) return matched(SYSTEMD, line.text);
  const known = line.unit === "corosync" ? matched(COROSYNC, line.text) : undefined;
  if (known !== undefined) return known;
  if (line.unit !== "corosync") return SERIOUS.has(line.level) ? { what: "device", hosts: [], number: 0 } : undefined;
  if (!SERIOUS.has(line.level)) return undefined;
  return { what: line.subsystem === "MAIN" || line.subsystem === "" ? "refused" : "trouble", hosts: [], number: 0 };
}

/** @param index the line's place in its machine's journal */
export function noticeOf(line: JournalLine, index: number): Notice | undefined {
  const known = found(line);
  return known === undefined ? undefined : { ...known, at: line.instant, index, unit: line.unit, text: line.text };
}
