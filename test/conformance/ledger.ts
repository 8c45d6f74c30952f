/** Counts what a comparison leaves out: lines and values are taken away here and nowhere else, under the name of an exclusion. */
import type { Release } from "../../src/engine/config/index.ts";
import { EXCLUSIONS, namesOf, type Comparison, type Exclusion, type ExclusionName } from "./exclusions.ts";

export type Side = "recorded" | "lab";

export class Ledger {
  private readonly used = new Map<ExclusionName, Record<Side, number>>();
  /** Recorded lines and answers that were met, that were compared, and that were left out. */
  met = 0;
  compared = 0;
  private left = 0;

  /** @param release whose recordings are compared, where the suite has those of several */
  constructor(
    readonly comparison: Comparison,
    readonly release?: Release,
  ) {}

  /** What tables and files call it. */
  get title(): string {
    return this.release === undefined || this.release === "3.1.7" ? this.comparison : `${this.comparison} of ${this.release}`;
  }

  /** Something that is neither a line nor an answer was left out: a value, an order, a step. */
  use(name: ExclusionName, side: Side, times = 1): void {
    if (EXCLUSIONS[name].of !== this.comparison) throw new Error(`${name} is not an exclusion of ${this.comparison}`);
    if (times === 0) return;
    const counts = this.used.get(name) ?? { recorded: 0, lab: 0 };
    counts[side] += times;
    this.used.set(name, counts);
  }

  /** So many lines or answers are left out. */
  leave(name: ExclusionName, side: Side, items: number): void {
    this.use(name, side, items);
    if (side === "recorded") this.left += items;
  }

  /** The items but those that are left out. */
  without<T>(name: ExclusionName, side: Side, items: readonly T[], out: (item: T, index: number) => boolean): T[] {
    const kept = items.filter((item, i) => !out(item, i));
    this.leave(name, side, items.length - kept.length);
    return kept;
  }

  /** The text with every match of a global expression replaced by what `put` makes of its groups. A match that stays the same is not counted. */
  blank(name: ExclusionName, side: Side, text: string, find: RegExp, put: (...groups: string[]) => string): string {
    let times = 0;
    // After the groups come the place of the match and the whole text.
    const out = text.replace(find, (match: string, ...rest: unknown[]) => {
      const other = put(...(rest.slice(0, -2) as string[]));
      if (other !== match) times++;
      return other;
    });
    this.use(name, side, times);
    return out;
  }

  /** Takes over what another one counted. */
  add(other: Ledger): void {
    for (const [name, { recorded, lab }] of other.used) {
      this.use(name, "recorded", recorded);
      this.use(name, "lab", lab);
    }
    this.met += other.met;
    this.compared += other.compared;
    this.left += other.left;
  }

  /** Whatever was met must have been compared or left out under a name. */
  balance(): void {
    if (this.met !== this.compared + this.left)
      throw new Error(
        `of ${this.met} lines and answers ${this.compared} were compared and ${this.left} left out: some vanished without a name`,
      );
  }

  count(name: ExclusionName): number {
    const counts = this.used.get(name);
    return counts === undefined ? 0 : counts.recorded + counts.lab;
  }

  unused(): ExclusionName[] {
    return this.names().filter((name) => this.count(name) === 0);
  }

  /** Those that must be used: all of the recordings that everything else is measured by, and of others what they alone have. */
  private names(): ExclusionName[] {
    const { release } = this;
    return namesOf(this.comparison).filter((name) => {
      const only = EXCLUSIONS[name as keyof typeof EXCLUSIONS] as Exclusion;
      return release === undefined || release === "3.1.7" ? only.only === undefined : only.only?.includes(release) === true;
    });
  }

  /** A line for each exclusion: uses in the recording, uses in the lab, what, and why. */
  table(): string {
    const rows = namesOf(this.comparison).map((name) => {
      const { recorded, lab } = this.used.get(name) ?? { recorded: 0, lab: 0 };
      const { what, reason } = EXCLUSIONS[name];
      return `${String(recorded).padStart(8)} ${String(lab).padStart(8)}  ${name.padEnd(22)} ${what}: ${reason}`;
    });
    const compared = this.met === 0 ? "" : ` ${this.compared} recorded lines and answers compared, ${this.left} left out;`;
    return [`${this.title}:${compared} exclusions by their uses`, "recorded      lab", ...rows].join("\n");
  }
}
