/**
 * A unit from its files: the fragment, the drop-ins and the links in its .wants and .requires directories, read with the precedence of /etc over /run over /usr/lib, aliases
 * followed and masks seen. In the real stack: unit-file.c, load-dropin.c, load-fragment.c and the verify functions of each type; systemd.unit(5). Left out: generators,
 * transient units.
 */
import { fromUtf8, Hasher, type LogLevel } from "../../kernel/index.ts";
import { withDefaults } from "./defaults.ts";
import type { UnitDefinition } from "./definition.ts";
import { baseName, linkTarget, UNIT_DIRECTORIES, type FileView } from "./files.ts";
import { expandSpecifiers, instanceOf, isTemplate, nameParts, templateOf, unitType, type HostFacts } from "./names.ts";
import { assign, emptyDraft, type Draft } from "./settings.ts";
import { parseUnitText, type UnitText } from "./syntax.ts";

/** Links of aliases that are followed before it counts as a loop. */
const ALIASES_MAX = 8;

/** Nodes have the same unit files and read them at every boot: parsed texts are remembered, and what became of them where nothing else had a part in it. Ours. */
const MEMO_MAX = 1024;
const parsedTexts = new Map<string, UnitText>();
const plainUnits = new Map<string, UnitDefinition>();

function remember<T>(memo: Map<string, T>, key: string, value: T): T {
  if (memo.size >= MEMO_MAX) memo.clear();
  memo.set(key, value);
  return value;
}

const SECTIONS = ["Unit", "Install", "Service", "Timer", "Socket", "Mount", "Automount", "Path", "Slice", "Scope", "Swap"];

function parsedText(text: string): UnitText {
  return parsedTexts.get(text) ?? remember(parsedTexts, text, parseUnitText(text, SECTIONS));
}

interface Complaint {
  readonly level: LogLevel;
  readonly text: string;
}

/** Where a name leads: the unit's own name, its fragment, and whether it is masked. */
interface Found {
  readonly name: string;
  readonly fragment: string | undefined;
  readonly masked: boolean;
}

export class UnitLoader {
  private readonly names = new Map<string, ReadonlySet<string>>();

  constructor(
    private readonly files: FileView,
    private readonly host: HostFacts,
    private readonly log: (unit: string, level: LogLevel, text: string) => void,
  ) {
    for (const dir of UNIT_DIRECTORIES) this.names.set(dir, new Set(files.list(dir) ?? []));
  }

  private places(name: string): string[] {
    return UNIT_DIRECTORIES.filter((dir) => this.names.get(dir)?.has(name) === true).map((dir) => `${dir}/${name}`);
  }

  /** Follows aliases; an instance without a file of its own is its template's. */
  find(name: string): Found {
    let unit = name;
    for (let i = 0; i < ALIASES_MAX; i++) {
      const template = templateOf(unit);
      const path = this.places(unit)[0] ?? (template === undefined ? undefined : this.places(template)[0]);
      if (path === undefined) return { name: unit, fragment: undefined, masked: false };
      const target = this.files.readlink(path);
      if (target === undefined) return { name: unit, fragment: path, masked: this.files.stat(path)?.size === 0 };
      const real = linkTarget(path, target);
      if (real === "/dev/null") return { name: unit, fragment: path, masked: true };
      const other = baseName(real);
      if (other === unit || other === template) return { name: unit, fragment: real, masked: false };
      const { instance } = nameParts(unit);
      unit = isTemplate(other) && instance !== undefined ? instanceOf(other, instance) : other;
    }
    return { name, fragment: undefined, masked: false };
  }

  /** Reads the unit that `name` leads to. What is wrong with its files goes to the log. */
  load(name: string): UnitDefinition {
    const found = this.find(name);
    const dropIns = found.masked ? [] : this.dropIns(found.name);
    const key = dropIns.length === 0 ? this.memoKey(found) : undefined;
    const known = key === undefined ? undefined : plainUnits.get(key);
    if (known !== undefined) return known;
    const { unit, complaints } = this.read(found, dropIns);
    for (const { level, text } of complaints) this.log(unit.name, level, text);
    return key === undefined || complaints.length > 0 ? unit : remember(plainUnits, key, unit);
  }

  /** All that a unit without drop-ins comes from; undefined where the machine has a part in it. */
  private memoKey(found: Found): string | undefined {
    const data = found.fragment === undefined || found.masked ? undefined : this.files.read(found.fragment);
    const text = data === undefined ? "" : fromUtf8(data);
    if (text.includes("%")) return undefined;
    const links = [`${found.name}.wants`, `${found.name}.requires`].map((name) =>
      this.places(name)
        .flatMap((place) => this.files.list(place) ?? [])
        .join(" "),
    );
    return [found.name, found.fragment ?? "", String(found.masked), ...links, text].join("\n");
  }

  private read(found: Found, dropIns: readonly string[]): { readonly unit: UnitDefinition; readonly complaints: readonly Complaint[] } {
    const complaints: Complaint[] = [];
    const draft = emptyDraft(found.name);
    const hash = new Hasher().text(found.name);
    if (found.masked) {
      const about = { loadState: "masked" as const, fragment: found.fragment, dropIns: [], hash: hash.text("masked").hex() };
      return { unit: withDefaults(draft, about), complaints };
    }
    let broken = false;
    const read = (path: string): void => {
      const data = this.files.read(path);
      if (data === undefined) return;
      hash.text(path).bytes(data);
      if (!this.apply(draft, path, parsedText(fromUtf8(data)), complaints)) broken = true;
    };
    if (found.fragment !== undefined) read(found.fragment);
    for (const path of dropIns) read(path);
    this.links(draft, found.name, hash);
    const loadState = broken ? "error" : "loaded";
    const unit = withDefaults(draft, { loadState, fragment: found.fragment, dropIns, hash: hash.hex() });
    if (unit.loadState === "loaded") return { unit: verified(unit, draft.fatal, complaints), complaints };
    if (broken)
      complaints.push({
        level: "warning",
        text: `Unit ${unit.name} failed to load properly, please adjust/correct and reload service manager: Bad message`,
      });
    return { unit, complaints };
  }

  /** @returns false where the file is refused as a whole */
  private apply(draft: Draft, path: string, text: UnitText, complaints: Complaint[]): boolean {
    const problems = [...text.problems];
    const expand = (value: string): string | undefined => {
      const { text: expanded, bad } = expandSpecifiers(value, draft.name, this.host);
      return bad === undefined ? expanded : undefined;
    };
    for (const { section, key, value, line } of text.assignments) {
      const problem = assign(draft, section, key, value, expand);
      if (problem !== undefined) problems.push({ line, text: problem });
    }
    problems.sort((a, b) => a.line - b.line);
    for (const problem of problems) complaints.push({ level: "warning", text: `${path}:${problem.line}: ${problem.text}` });
    return !text.broken;
  }

  /** NAME.d of the unit, of its template, of its prefixes cut at dashes, and of its type: the more particular ones win. */
  private dropInDirectories(name: string): string[] {
    const type = unitType(name) ?? "";
    const template = templateOf(name);
    const out = [name, ...(template === undefined ? [] : [template])];
    const { prefix } = nameParts(name);
    for (let dash = prefix.lastIndexOf("-"); dash > 0; dash = prefix.lastIndexOf("-", dash - 1))
      out.push(`${prefix.slice(0, dash)}-.${type}`);
    return [...out, type].map((n) => `${n}.d`);
  }

  private dropIns(name: string): string[] {
    const chosen = new Map<string, string>();
    for (const directory of this.dropInDirectories(name))
      for (const place of this.places(directory))
        for (const file of this.files.list(place) ?? [])
          if (file.endsWith(".conf") && !chosen.has(file)) chosen.set(file, `${place}/${file}`);
    return [...chosen.entries()]
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([, path]) => path)
      .filter((path) => {
        const target = this.files.readlink(path);
        return target === undefined || linkTarget(path, target) !== "/dev/null";
      });
  }

  /** The links in NAME.wants and NAME.requires. */
  private links(draft: Draft, name: string, hash: Hasher): void {
    for (const [suffix, kind] of [
      ["wants", "Wants"],
      ["requires", "Requires"],
    ] as const) {
      for (const place of this.places(`${name}.${suffix}`))
        for (const link of [...(this.files.list(place) ?? [])].sort()) {
          if (unitType(link) === undefined || draft.dependencies[kind].includes(link)) continue;
          hash.text(place).text(link);
          draft.dependencies[kind].push(link);
        }
    }
  }
}

/** What a unit of its type must have; a unit that has it not is not started. */
function verified(unit: UnitDefinition, fatal: boolean, complaints: Complaint[]): UnitDefinition {
  const problem = fatal ? "Unit configuration has fatal error, unit will not be started." : missing(unit);
  if (problem === undefined) return unit;
  complaints.push({ level: "error", text: `${unit.name}: ${problem}` });
  return Object.freeze({ ...unit, loadState: "bad-setting" as const });
}

function missing(unit: UnitDefinition): string | undefined {
  const { service, timer } = unit;
  if (timer !== undefined && timer.monotonic.length === 0 && timer.calendar.length === 0)
    return "Timer unit lacks value setting. Refusing.";
  if (service === undefined) return undefined;
  const { ExecStart: start, ExecStop: stop } = service.exec;
  if (start.length === 0 && stop.length === 0 && unit.successAction === "none")
    return "Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.";
  if (start.length === 0 && !service.remainAfterExit && unit.successAction === "none")
    return "Service has no ExecStart= and no SuccessAction= settings and does not have RemainAfterExit=yes set. Refusing.";
  if (service.type !== "oneshot" && start.length === 0 && unit.successAction === "none")
    return "Service has no ExecStart= setting, which is only allowed for Type=oneshot services. Refusing.";
  if (service.type !== "oneshot" && start.length > 1)
    return "Service has more than one ExecStart= setting, which is only allowed for Type=oneshot services. Refusing.";
  if (service.type === "oneshot" && (service.restart === "always" || service.restart === "on-success"))
    return "Service has Restart= set to either always or on-success, which isn't allowed for Type=oneshot services. Refusing.";
  return undefined;
}
