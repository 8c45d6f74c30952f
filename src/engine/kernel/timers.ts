/**
 * The timers of one machine: named, at most one pending per name. Setting a name again replaces it. At equal instants the one
 * set first runs first. The real stack's counterpart is libqb's timer list. A machine has a few dozen timers at most, so a scan beats a heap.
 */
import { NEVER, type Instant } from "./time.ts";

export interface PendingTimer {
  name: string;
  at: Instant;
  order: number;
}

export interface TimersState {
  pending: PendingTimer[];
  order: number;
}

export class Timers {
  private readonly pending = new Map<string, PendingTimer>();
  private order = 0;
  private earliest: PendingTimer | undefined;
  private stale = false;

  /** (Re)arms `name` for instant `at`. An instant that has passed runs as soon as the machine runs timers again. */
  set(name: string, at: Instant): void {
    let entry = this.pending.get(name);
    const first = entry !== undefined && entry === this.earliest;
    if (entry === undefined) {
      entry = { name, at, order: ++this.order };
      this.pending.set(name, entry);
    } else {
      entry.at = at;
      entry.order = ++this.order;
    }
    if (this.stale) return;
    if (first) this.stale = true;
    else if (this.earliest === undefined || at < this.earliest.at) this.earliest = entry;
  }

  clear(name: string): void {
    const old = this.pending.get(name);
    if (old === undefined) return;
    this.pending.delete(name);
    if (old === this.earliest) this.stale = true;
  }

  /** Clears every timer whose name starts with `prefix` (a process died). */
  clearPrefix(prefix: string): void {
    for (const name of [...this.pending.keys()]) if (name.startsWith(prefix)) this.clear(name);
  }

  isSet(name: string): boolean {
    return this.pending.has(name);
  }

  at(name: string): Instant {
    return this.pending.get(name)?.at ?? NEVER;
  }

  /** All that are armed, the earliest first; `program`: whose they are. */
  armed(program: string): { readonly program: string; readonly name: string; readonly at: Instant }[] {
    return [...this.pending.values()].sort((a, b) => a.at - b.at || a.order - b.order).map(({ name, at }) => ({ program, name, at }));
  }

  private min(): PendingTimer | undefined {
    if (this.stale) {
      let best: PendingTimer | undefined;
      for (const t of this.pending.values()) {
        if (best === undefined || t.at < best.at || (t.at === best.at && t.order < best.order)) best = t;
      }
      this.earliest = best;
      this.stale = false;
    }
    return this.earliest;
  }

  nextAt(): Instant {
    return this.min()?.at ?? NEVER;
  }

  /** Takes out and names the earliest timer due at `now`; undefined if none is due. */
  pop(now: Instant): string | undefined {
    const t = this.min();
    if (t === undefined || t.at > now) return undefined;
    this.pending.delete(t.name);
    this.stale = true;
    return t.name;
  }

  snapshot(): TimersState {
    return { pending: [...this.pending.values()].map((t) => ({ ...t })), order: this.order };
  }

  restore(state: TimersState): void {
    this.pending.clear();
    for (const t of state.pending) this.pending.set(t.name, { ...t });
    this.order = state.order;
    this.stale = true;
  }
}
