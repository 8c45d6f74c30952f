/**
 * The units the manager has loaded, each with what is known of it while it runs. In the real stack: manager_load_unit and the hash of units of manager.c, serialization across
 * a daemon-reload. Plain state; what becomes of a unit is decided elsewhere.
 */
import type { LogLevel } from "../../kernel/index.ts";
import { PERPETUAL } from "./defaults.ts";
import type { UnitDefinition } from "./definition.ts";
import { UnitGraph } from "./graph.ts";
import type { ManagerHooks } from "./hooks.ts";
import { UnitLoader } from "./load.ts";
import { newRecord, type ActiveState, type UnitRecord } from "./record.ts";
import { UP_STATES } from "./run-job.ts";

export class UnitSet {
  readonly graph = new UnitGraph();
  records: { [unit: string]: UnitRecord } = {};

  constructor(
    private readonly hooks: ManagerHooks,
    private readonly say: (unit: string, level: LogLevel, text: string) => void,
  ) {}

  /** By any of its names. */
  record(unit: string): UnitRecord | undefined {
    return this.records[this.graph.canonical(unit)];
  }

  active(unit: string): ActiveState {
    return this.record(unit)?.active ?? "inactive";
  }

  /** From its files, with every unit it names, unless it is known. */
  load(name: string): UnitDefinition {
    const known = this.graph.get(name);
    if (known !== undefined) return known;
    const unit = this.graph.load(name, this.loader());
    for (const { name: each } of this.graph.all()) this.makeRecord(each);
    return unit;
  }

  /** Reads every unit anew that `keep` lets stay, and those that are always there; the others are forgotten. What runs goes on by what it was started with. */
  reload(keep: (unit: UnitDefinition) => boolean): void {
    const names = [
      ...this.graph
        .all()
        .filter(keep)
        .map((u) => u.name),
      "default.target",
      ...PERPETUAL,
    ];
    this.graph.clear();
    const loader = this.loader();
    for (const name of names) this.graph.load(name, loader);
    for (const name of Object.keys(this.records)) if (this.graph.get(name)?.name !== name) delete this.records[name];
    for (const { name } of this.graph.all()) this.makeRecord(name);
  }

  clear(): void {
    this.graph.clear();
    this.records = {};
  }

  private loader(): UnitLoader {
    return new UnitLoader(this.hooks.files, this.hooks.host, this.say);
  }

  private makeRecord(name: string): void {
    const unit = this.graph.get(name);
    if (unit === undefined || this.records[name] !== undefined) return;
    const r = newRecord(unit);
    this.records[name] = r;
    if (PERPETUAL.includes(name)) Object.assign(r, { active: "active", sub: UP_STATES[unit.type] ?? "active", since: this.hooks.now() });
  }
}
