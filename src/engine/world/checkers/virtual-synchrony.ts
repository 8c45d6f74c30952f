/**
 * Virtual synchrony: members that go from one ring to the next together have delivered the same messages of the old one. Extended virtual synchrony's
 * promise, and what recovery is for. Left out: members that part.
 */
import { Hasher, type MachineStatus, type TraceEvent } from "../../kernel/index.ts";
import type { Checker, Complain } from "./checker.ts";

/** Changes of ring remembered. */
const CHANGES_MAX = 256;

interface Told {
  ring: string;
  count: number;
  last: number;
  readonly hash: Hasher;
}

export class VirtualSynchrony implements Checker {
  readonly name = "virtual-synchrony";
  readonly sentence = "members that go from one ring to the next together have delivered the same messages";
  /** By machine: what it delivered on the ring it is on. */
  private readonly told = new Map<string, Told>();
  /** By "old ring > new ring, members that came along": what the first of them delivered. */
  private readonly changes = new Map<string, { machine: string; digest: string; count: number; last: number }>();
  private readonly together = new Map<string, readonly number[]>();

  /** Machines that were on a ring before this checker looked on: what they delivered there is not known. */
  private readonly partial = new Set<string>();

  begin(statuses: readonly MachineStatus[]): void {
    for (const { name, corosync } of statuses) if (corosync !== null) this.partial.add(name);
  }

  trace(machine: string, event: TraceEvent, complain: Complain): void {
    if (event.what === "deliver") {
      const told = this.of(machine, event.ring);
      told.count++;
      told.last = event.seq;
      told.hash.int(event.seq).int(event.from).text(event.digest);
    } else if (event.what === "membership" && event.transitional) this.together.set(machine, event.members);
    else if (event.what === "membership") this.change(machine, event.ring, complain);
  }

  private change(machine: string, ring: string, complain: Complain): void {
    const old = this.told.get(machine);
    this.told.set(machine, nothingTold(ring));
    if (this.partial.delete(machine) || old === undefined) return;
    const key = `${old.ring} > ${ring}, ${(this.together.get(machine) ?? []).join(" ")}`;
    const mine = { machine, digest: old.hash.hex(), count: old.count, last: old.last };
    const first = this.changes.get(key);
    if (first === undefined) {
      this.changes.set(key, mine);
      const oldest = this.changes.keys().next();
      if (this.changes.size > CHANGES_MAX && oldest.done !== true) this.changes.delete(oldest.value);
    } else if (first.digest !== mine.digest) {
      const say = (c: typeof mine): string => `${c.machine} delivered ${c.count} messages up to ${c.last}`;
      complain(`${key}: ${say(first)}, ${say(mine)}`);
    }
  }

  removed(): void {
    this.changes.clear();
  }

  gone(machine: string): void {
    this.told.delete(machine);
    this.partial.delete(machine);
    this.together.delete(machine);
  }

  private of(machine: string, ring: string): Told {
    const known = this.told.get(machine);
    if (known !== undefined && known.ring === ring) return known;
    const made = nothingTold(ring);
    this.told.set(machine, made);
    return made;
  }
}

function nothingTold(ring: string): Told {
  return { ring, count: 0, last: 0, hash: new Hasher() };
}
