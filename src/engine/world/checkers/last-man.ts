/**
 * The last man standing: with last_man_standing a daemon comes to expect fewer votes only in a quorate membership, and not before its window is over; or it hears of
 * it from a member that does already. Told from what is looked at twice a second, so a look's time is granted. Left out: allow_downscale, with which
 * every orderly leave lowers what is expected; overrides and files read again, from which on nothing is said.
 */
import {
  MS,
  type CorosyncStatus,
  type Instant,
  type JournalLine,
  type MachineStatus,
  type QuorumStatus,
  type TraceEvent,
} from "../../kernel/index.ts";
import type { Input } from "../types.ts";
import { overridesVotes, type Checker, type Complain } from "./checker.ts";
import { Configurations } from "./configurations.ts";

interface Seen {
  readonly at: Instant;
  readonly ring: string;
  readonly expected: number;
  readonly quorate: boolean;
  /** When somebody first left after fewer were last expected, at the earliest. */
  readonly left: Instant | undefined;
}

function seenOf(at: Instant, { ringId }: CorosyncStatus, { expectedVotes, quorate }: QuorumStatus, left: Instant | undefined): Seen {
  return { at, ring: ringId, expected: expectedVotes, quorate, left };
}

export class LastMan implements Checker {
  readonly name = "last-man-standing";
  readonly sentence = "with last_man_standing fewer votes are expected only after the window, and only by those who are quorate";
  private seen = new Map<string, Seen>();
  /** By machine: members of its last membership. */
  private readonly members = new Map<string, readonly number[]>();
  /** Machines whose membership somebody left since the last look. */
  private readonly shrunk = new Set<string>();
  private readonly configurations = new Configurations();
  private overridden = false;

  /** A window may have been open for any time. */
  begin(statuses: readonly MachineStatus[]): void {
    for (const { name, corosync, quorum } of statuses) {
      if (corosync === null || quorum === null) continue;
      this.members.set(name, corosync.members);
      this.seen.set(name, seenOf(0, corosync, quorum, Number.NEGATIVE_INFINITY));
    }
  }

  journal(machine: string, line: JournalLine): void {
    this.configurations.journal(machine, line);
  }

  trace(machine: string, event: TraceEvent): void {
    if (event.what !== "membership" || event.transitional) return;
    if (this.members.get(machine)?.some((id) => !event.members.includes(id)) === true) this.shrunk.add(machine);
    this.members.set(machine, event.members);
  }

  gone(machine: string): void {
    this.seen.delete(machine);
    this.members.delete(machine);
    this.shrunk.delete(machine);
    this.configurations.gone(machine);
  }

  input(input: Input): void {
    this.overridden ||= overridesVotes(input);
  }

  look(statuses: readonly MachineStatus[], complain: Complain, at: Instant): void {
    this.configurations.look(statuses);
    const now = new Map<string, Seen>();
    for (const { name, corosync, quorum } of statuses) {
      if (corosync === null || quorum === null || !quorum.options.lastManStanding || quorum.options.allowDownscale) continue;
      const before = this.seen.get(name);
      const expected = quorum.expectedVotes;
      const moved = before === undefined || before.ring !== corosync.ringId;
      // It happened between this look and the one before.
      const leave = this.shrunk.has(name) ? (before?.at ?? at) : undefined;
      const left = before?.left ?? leave;
      const fewer = before !== undefined && expected < before.expected;
      if (fewer && !this.overridden && !this.configurations.ever && !this.heard(corosync.ringId, statuses, expected)) {
        const what = `${name} expects ${expected} votes after ${before.expected} on ${corosync.ringId}`;
        if (!moved && !before.quorate) complain(`${what} and was not quorate`);
        else if (left === undefined || at - left < quorum.options.windowMs * MS) complain(`${what} before the window is over`);
      }
      now.set(name, seenOf(at, corosync, quorum, fewer ? leave : left));
    }
    this.seen = now;
    this.shrunk.clear();
  }

  /** Some member expected as few already. */
  private heard(ring: string, statuses: readonly MachineStatus[], expected: number): boolean {
    return statuses.some(({ name, corosync }) => {
      const before = this.seen.get(name);
      return corosync?.ringId === ring && before !== undefined && before.expected <= expected;
    });
  }
}
