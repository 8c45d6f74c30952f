/**
 * Enabling and masking: the links below /etc/systemd/system that [Install] sections ask for, and what they make of a unit file. In the real stack: install.c; systemctl(1)
 * "Unit File Commands". Presets: everything is to be enabled, as on Debian. Left out: linking of files from elsewhere, preset files, editing.
 */
import { LIB_UNITS, baseName, ETC_UNITS, linkTarget, RUN_UNITS, UNIT_DIRECTORIES, type FileEdits, type FileView } from "./files.ts";
import type { UnitDefinition } from "./definition.ts";
import { UnitLoader } from "./load.ts";
import { instanceOf, isTemplate, templateOf, unitType, type HostFacts } from "./names.ts";

export type FileState = "enabled" | "enabled-runtime" | "alias" | "masked" | "masked-runtime" | "static" | "disabled" | "indirect" | "bad";

export interface Installed {
  /** What systemctl prints of it: `Created symlink … → ….` */
  readonly lines: readonly string[];
  /** After `Failed to enable unit: `. */
  readonly error: string | undefined;
  /** None of the units has an [Install] section. */
  readonly nothingToDo: boolean;
}

const has = (unit: UnitDefinition): boolean => {
  const { wantedBy, requiredBy, alias, also } = unit.install;
  return wantedBy.length + requiredBy.length + alias.length + also.length > 0;
};

export class UnitFiles {
  constructor(
    private readonly files: FileView,
    private readonly edits: FileEdits,
    private readonly host: HostFacts,
  ) {}

  private definition(name: string): UnitDefinition {
    return new UnitLoader(this.files, this.host, () => undefined).load(name);
  }

  /** Where a unit's file is, its template's for an instance. */
  private path(name: string): string | undefined {
    const names = [name, templateOf(name) ?? name];
    return names
      .flatMap((n) => UNIT_DIRECTORIES.map((dir) => `${dir}/${n}`))
      .find((p) => this.files.readlink(p) !== undefined || this.files.stat(p)?.type === "file");
  }

  private isMask(path: string): boolean {
    const target = this.files.readlink(path);
    return target === undefined
      ? this.files.stat(path)?.type === "file" && this.files.stat(path)?.size === 0
      : linkTarget(path, target) === "/dev/null";
  }

  /** The links that enable the unit in `dir`: those in .wants and .requires, and its aliases. */
  private linksIn(dir: string, name: string): string[] {
    const out: string[] = [];
    const matches = (link: string): boolean => link === name || (isTemplate(name) && templateOf(link) === name);
    for (const entry of [...(this.files.list(dir) ?? [])].sort()) {
      const path = `${dir}/${entry}`;
      if (entry.endsWith(".wants") || entry.endsWith(".requires")) {
        for (const link of this.files.list(path) ?? []) if (matches(link)) out.push(`${path}/${link}`);
        continue;
      }
      const target = this.files.readlink(path);
      if (target !== undefined && entry !== name && matches(baseName(target))) out.push(path);
    }
    return out;
  }

  /** `systemctl is-enabled`; undefined where there is no such file. */
  state(name: string): FileState | undefined {
    const path = this.path(name);
    if (path === undefined) return undefined;
    if (this.isMask(path)) return path.startsWith(RUN_UNITS) ? "masked-runtime" : "masked";
    const target = this.files.readlink(path);
    if (target !== undefined && baseName(target) !== name && baseName(target) !== templateOf(name)) return "alias";
    if (this.linksIn(ETC_UNITS, name).length > 0) return "enabled";
    if (this.linksIn(RUN_UNITS, name).length > 0) return "enabled-runtime";
    const unit = this.definition(name);
    if (unit.loadState === "error") return "bad";
    if (!has(unit)) return "static";
    return unit.install.wantedBy.length + unit.install.requiredBy.length + unit.install.alias.length === 0 ? "indirect" : "disabled";
  }

  /** `enabled` or, for what cannot be, `-`. */
  preset(state: FileState): string {
    return state === "static" || state === "alias" || state === "indirect" || state === "bad" ? "-" : "enabled";
  }

  /** Every unit file, by type and name. */
  list(): { readonly name: string; readonly state: FileState }[] {
    const names = new Set(UNIT_DIRECTORIES.flatMap((dir) => this.files.list(dir) ?? []).filter((n) => unitType(n) !== undefined));
    const key = (name: string): string => `${name.slice(name.lastIndexOf("."))} ${name}`;
    return [...names]
      .sort((a, b) => (key(a) < key(b) ? -1 : 1))
      .flatMap((name) => {
        const state = this.state(name);
        return state === undefined ? [] : [{ name, state }];
      });
  }

  private link(path: string, target: string, lines: string[]): void {
    if (this.files.readlink(path) === target) return;
    if (this.edits.symlink(target, path) === undefined) lines.push(`Created symlink ${path} → ${target}.`);
  }

  enable(names: readonly string[], runtime = false): Installed {
    const lines: string[] = [];
    const warnings: string[] = [];
    const dir = runtime ? RUN_UNITS : ETC_UNITS;
    const queue = [...names];
    let any = false;
    for (const name of queue) {
      const path = this.path(name);
      if (path === undefined) return { lines, error: `Unit file ${name} does not exist.`, nothingToDo: false };
      if (this.isMask(path)) return { lines, error: `Unit file ${path} is masked.`, nothingToDo: false };
      const unit = this.definition(name);
      any ||= has(unit);
      const { install } = unit;
      const own = isTemplate(name) && install.defaultInstance !== undefined ? instanceOf(name, install.defaultInstance) : name;
      const target = unit.fragment ?? path;
      for (const alias of install.alias) this.link(`${dir}/${alias}`, target, lines);
      for (const [list, suffix] of [
        [install.wantedBy, "wants"],
        [install.requiredBy, "requires"],
      ] as const)
        for (const other of list) {
          this.link(`${dir}/${other}.${suffix}/${own}`, target, lines);
          if (this.path(other) === undefined) warnings.push(`Unit ${path} is added as a dependency to a non-existent unit ${other}.`);
        }
      for (const other of install.also) if (!queue.includes(other)) queue.push(other);
    }
    return { lines: [...lines, ...warnings], error: undefined, nothingToDo: !any };
  }

  disable(names: readonly string[], runtime = false): Installed {
    const lines: string[] = [];
    const queue = [...names];
    for (const name of queue) {
      const path = this.path(name);
      if (path === undefined) return { lines, error: `Unit file ${name} does not exist.`, nothingToDo: false };
      for (const link of this.linksIn(runtime ? RUN_UNITS : ETC_UNITS, name)) this.remove(link, lines);
      if (!this.isMask(path)) for (const other of this.definition(name).install.also) if (!queue.includes(other)) queue.push(other);
    }
    return { lines, error: undefined, nothingToDo: names.every((name) => this.state(name) === "static") && lines.length === 0 };
  }

  private remove(path: string, lines: string[]): void {
    if (this.edits.unlink(path) === undefined) lines.push(`Removed "${path}".`);
    const dir = path.slice(0, path.lastIndexOf("/"));
    if (/\.(wants|requires)$/.test(dir)) this.edits.rmdir(dir);
  }

  mask(names: readonly string[], runtime = false): Installed {
    const lines: string[] = [];
    for (const name of names) {
      const path = `${runtime ? RUN_UNITS : ETC_UNITS}/${name}`;
      if (this.path(name) === undefined) lines.push(`Unit ${name} does not exist, proceeding anyway.`);
      if (this.files.readlink(path) === undefined && this.files.stat(path) !== undefined)
        return { lines, error: `File ${path} already exists.`, nothingToDo: false };
      this.link(path, "/dev/null", lines);
    }
    return { lines, error: undefined, nothingToDo: false };
  }

  unmask(names: readonly string[], runtime = false): Installed {
    const lines: string[] = [];
    for (const name of names) {
      if (this.path(name) === undefined) lines.push(`Unit ${name} does not exist, proceeding anyway.`);
      for (const dir of runtime ? [RUN_UNITS] : [ETC_UNITS, RUN_UNITS]) {
        const path = `${dir}/${name}`;
        if (this.files.readlink(path) !== undefined && this.isMask(path)) this.remove(path, lines);
      }
    }
    return { lines, error: undefined, nothingToDo: false };
  }

  /** `systemctl set-default`. */
  setDefault(target: string): Installed {
    if (this.path(target) === undefined) return { lines: [], error: `Unit file ${target} does not exist.`, nothingToDo: false };
    const path = `${ETC_UNITS}/default.target`;
    const lines: string[] = [];
    if (this.files.readlink(path) !== undefined) this.remove(path, lines);
    this.link(path, `${LIB_UNITS}/${target}`, lines);
    return { lines, error: undefined, nothingToDo: false };
  }
}
