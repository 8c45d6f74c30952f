/**
 * The journal of one machine: an append-only list of lines, what journald keeps on the real machine. It is stored in frozen chunks, so a
 * snapshot shares everything but the last few lines; the oldest chunks are dropped past the limit, as journald vacuums. It survives a reboot: every
 * line has the number of its boot. Left out: fields other than unit, identifier, pid, boot, level, subsystem and text.
 */
import type { Instant } from "./time.ts";
import { JOURNAL_LINES_MAX } from "./limits.ts";

export type LogLevel = "emerg" | "alert" | "crit" | "error" | "warning" | "notice" | "info" | "debug";

export interface JournalLine {
  readonly instant: Instant;
  /** systemd unit without suffix, e.g. `corosync`; `systemd` and `kernel` for the machine's own lines. */
  readonly unit: string;
  /** Who wrote it, as syslog calls it (`pmxcfs` under the unit pve-cluster). */
  readonly identifier: string;
  readonly pid: number;
  /** Which boot of the machine it is from; the first is 0. */
  readonly boot: number;
  readonly level: LogLevel;
  /** corosync's subsystem (`TOTEM`, `QUORUM`, …); empty for programs that have none. */
  readonly subsystem: string;
  readonly text: string;
}

/** Who writes where a program does not say: PID 1 is systemd, and what is typed in a terminal, in a session's scope, is the daemon of this lab that logs there. */
export function defaultIdentifier(unit: string, pid: number): string {
  if (unit === "kernel") return "kernel";
  if (unit.endsWith(".scope")) return "corosync";
  return pid === 1 ? "systemd" : unit;
}

const CHUNK = 256;

export interface JournalState {
  chunks: readonly (readonly JournalLine[])[];
  tail: readonly JournalLine[];
  dropped: number;
  boot: number;
}

export class Journal {
  private chunks: (readonly JournalLine[])[] = [];
  private tail: JournalLine[] = [];
  private dropped = 0;
  private currentBoot = -1;

  /** The machine is switched on: lines belong to another boot from now on. */
  beginBoot(): void {
    this.currentBoot++;
  }

  /** The number of the boot that lines are written in; of a machine that was never on it is that of its first. */
  get boot(): number {
    return Math.max(0, this.currentBoot);
  }

  /** Number of lines ever written; the index of the next line. */
  get length(): number {
    return this.dropped + this.chunks.length * CHUNK + this.tail.length;
  }

  append(line: JournalLine): void {
    this.tail.push(Object.freeze(line));
    if (this.tail.length < CHUNK) return;
    this.chunks.push(Object.freeze(this.tail));
    this.tail = [];
    if (this.chunks.length * CHUNK > JOURNAL_LINES_MAX) {
      this.chunks.shift();
      this.dropped += CHUNK;
    }
  }

  /** Lines with index ≥ `from`, oldest first. Lines already dropped are simply absent. */
  since(from: number): JournalLine[] {
    const out: JournalLine[] = [];
    const start = Math.max(0, from - this.dropped);
    for (let c = Math.floor(start / CHUNK); c < this.chunks.length; c++) {
      const chunk = this.chunks[c] ?? [];
      for (let i = Math.max(0, start - c * CHUNK); i < chunk.length; i++) {
        const line = chunk[i];
        if (line) out.push(line);
      }
    }
    for (let i = Math.max(0, start - this.chunks.length * CHUNK); i < this.tail.length; i++) {
      const line = this.tail[i];
      if (line) out.push(line);
    }
    return out;
  }

  snapshot(): JournalState {
    return { chunks: Object.freeze([...this.chunks]), tail: Object.freeze([...this.tail]), dropped: this.dropped, boot: this.currentBoot };
  }

  restore(state: JournalState): void {
    // Chunks from a snapshot of this process are shared; those that were written to disk and read again are made like them.
    this.chunks = state.chunks.map((c) => (Object.isFrozen(c) ? c : Object.freeze([...c].map((l) => Object.freeze(l)))));
    this.tail = [...state.tail];
    this.dropped = state.dropped;
    this.currentBoot = state.boot;
  }
}
