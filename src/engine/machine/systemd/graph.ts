/**
 * The units that are loaded and how they depend on each other, in both directions. A unit is loaded when it is first named; the units it names are loaded with it. In the
 * real stack: manager_load_unit and the dependency hash maps of struct Unit. Left out: unloading of what nobody needs any more.
 */
import type { Hasher } from "../../kernel/index.ts";
import { DEPENDENCIES, type Dependency, type UnitDefinition } from "./definition.ts";
import type { UnitLoader } from "./load.ts";

/** A dependency seen from the other end. */
export type Edge = Dependency | `${Dependency}<`;

/** Which way a dependency goes when it is turned round: After and Before are each other. */
const INVERSE: Readonly<Partial<Record<Dependency, Dependency>>> = { After: "Before", Before: "After" };

export interface GraphState {
  readonly definitions: readonly UnitDefinition[];
  readonly aliases: readonly (readonly [alias: string, name: string])[];
}

const NONE: readonly string[] = [];

export class UnitGraph {
  private readonly definitions = new Map<string, UnitDefinition>();
  private readonly aliases = new Map<string, string>();
  private edges: Map<string, Map<Edge, string[]>> | undefined;

  /** The name itself, or what it is another name of; as far as it is loaded. */
  canonical(name: string): string {
    return this.aliases.get(name) ?? name;
  }

  get(name: string): UnitDefinition | undefined {
    return this.definitions.get(this.canonical(name));
  }

  /** In the order they were loaded. */
  all(): UnitDefinition[] {
    return [...this.definitions.values()];
  }

  /** Other names of a unit that are loaded. */
  namesOf(name: string): string[] {
    return [...this.aliases].filter(([, of]) => of === name).map(([alias]) => alias);
  }

  /** Loads a unit and all that it names. */
  load(name: string, loader: UnitLoader): UnitDefinition {
    const known = this.get(name);
    if (known !== undefined) return known;
    const queue = [name];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if (this.definitions.has(this.canonical(next))) continue;
      const real = loader.find(next).name;
      if (real !== next) this.aliases.set(next, real);
      if (this.definitions.has(real)) continue;
      const unit = loader.load(next);
      this.definitions.set(unit.name, unit);
      for (const kind of DEPENDENCIES) queue.push(...unit.dependencies[kind]);
    }
    this.edges = undefined;
    const unit = this.get(name);
    if (unit === undefined) throw new Error(`${name}: loaded, and not there`);
    return unit;
  }

  clear(): void {
    this.definitions.clear();
    this.aliases.clear();
    this.edges = undefined;
  }

  /** Units that stand in this relation to the unit: `edge("a", "Requires<")` are those that require a. */
  edge(name: string, edge: Edge): readonly string[] {
    this.edges ??= this.index();
    return this.edges.get(name)?.get(edge) ?? NONE;
  }

  private index(): Map<string, Map<Edge, string[]>> {
    const out = new Map<string, Map<Edge, string[]>>();
    const add = (from: string, edge: Edge, to: string): void => {
      let of = out.get(from);
      if (of === undefined) out.set(from, (of = new Map<Edge, string[]>()));
      const list = of.get(edge);
      if (list === undefined) of.set(edge, [to]);
      else if (!list.includes(to)) list.push(to);
    };
    const relate = (from: string, kind: Dependency, to: string): void => {
      if (from === to) return;
      add(from, kind, to);
      add(to, INVERSE[kind] ?? `${kind}<`, from);
    };
    for (const unit of this.definitions.values())
      for (const kind of DEPENDENCIES) for (const other of unit.dependencies[kind]) relate(unit.name, kind, this.canonical(other));
    for (const unit of this.definitions.values()) if (unit.type === "target") this.targetOrder(unit, out, relate);
    return out;
  }

  /** A target comes after what it pulls in, unless either says otherwise. */
  private targetOrder(
    target: UnitDefinition,
    edges: ReadonlyMap<string, ReadonlyMap<Edge, readonly string[]>>,
    relate: (from: string, kind: Dependency, to: string) => void,
  ): void {
    if (!target.defaultDependencies) return;
    const of = edges.get(target.name);
    for (const kind of ["Requires", "Requisite", "Wants", "BindsTo"] as const)
      for (const other of of?.get(kind) ?? []) {
        const unit = this.definitions.get(other);
        if (unit?.loadState !== "loaded" || !unit.defaultDependencies || of?.get("Before")?.includes(other) === true) continue;
        relate(target.name, "After", other);
      }
  }

  snapshot(): GraphState {
    return { definitions: Object.freeze(this.all()), aliases: Object.freeze([...this.aliases]) };
  }

  restore(state: GraphState): void {
    this.clear();
    for (const unit of state.definitions) this.definitions.set(unit.name, unit);
    for (const [alias, name] of state.aliases) this.aliases.set(alias, name);
  }

  digest(h: Hasher): void {
    for (const unit of this.definitions.values()) h.text(unit.hash);
    for (const [alias, name] of this.aliases) h.text(alias).text(name);
  }
}
