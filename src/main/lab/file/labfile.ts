/** The lab file and the scenario: one YAML schema (docs/lab-file.md). A lab file is a scenario without steps. Every error has a line and a column. */
import { realpathSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { isNode, isScalar, LineCounter, parseDocument, stringify, visit, type Document } from "yaml";
import type { z } from "zod";
import { MACHINES_MAX } from "../../../engine/kernel/index.ts";
import { unitNames } from "../../../engine/node/index.ts";
import { NETWORKS_MAX } from "../../../engine/world/index.ts";
import { machineNames, sceneAfter, type Scene } from "../act/kind.ts";
import { readAct } from "../act/table.ts";
import { addressIssue } from "./address-check.ts";
import { worldDesign } from "./design.ts";
import { labFile, laterKeys, stepKinds, steps, type LabFile, type LabNode, type Step } from "./labfile-schema.ts";
import { CONF_BYTES_MAX, LAB_FILE_BYTES_MAX, readInput } from "./read-input.ts";
import { ALIASES_MAX, beyondBounds, beyondValues } from "./yaml-bounds.ts";
import { systemTrouble, Trouble } from "../trouble.ts";

/** A lab file that cannot be read, with the place of the first thing wrong. */
class LabFileTrouble extends Trouble {
  constructor(
    file: string,
    readonly line: number,
    readonly column: number,
    what: string,
  ) {
    super("usage", `${file}:${line}:${column}: ${what}`);
  }
}

type Path = readonly PropertyKey[];

/** Where the value at `path` (or the nearest thing around it) begins. `ofKey`: the key itself, for a key that should not be there. */
function place(doc: Document, lines: LineCounter, path: Path, ofKey = false): { line: number; col: number } {
  for (let n = path.length; n > 0; n--) {
    const parent: unknown = n === 1 ? doc.contents : doc.getIn(path.slice(0, n - 1) as string[], true);
    if (typeof parent === "object" && parent !== null && "items" in parent && Array.isArray(parent.items)) {
      const key = path[n - 1];
      for (const [index, item] of (parent.items as unknown[]).entries()) {
        if (typeof item !== "object" || item === null) continue;
        if ("key" in item && isNode(item.key) && "value" in item.key && String(item.key.value) === String(key)) {
          const target = !ofKey && n === path.length && "value" in item && isNode(item.value) ? item.value : item.key;
          return lines.linePos(target.range?.[0] ?? 0);
        }
        if (!("key" in item) && index === key && isNode(item)) return lines.linePos(item.range?.[0] ?? 0);
      }
    }
  }
  return lines.linePos(isNode(doc.contents) ? (doc.contents.range?.[0] ?? 0) : 0);
}

interface Issue {
  path: Path;
  message: string;
  ofKey: boolean;
}

/** Characters of a key that a message shows. */
const KEY_SHOWN_MAX = 80;

/** A key as a message shows it. */
function short(key: PropertyKey): string {
  const text = String(key);
  return text.length > KEY_SHOWN_MAX ? `${text.slice(0, KEY_SHOWN_MAX)}…` : text;
}

function firstIssue(error: z.ZodError, base: Path = []): Issue {
  const issue = error.issues[0];
  if (!issue) return { path: base, message: "not a lab file", ofKey: false };
  const path = [...base, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0] ?? "";
    const later = Object.hasOwn(laterKeys, key) ? `${key}: not part of this version` : `unknown key ${JSON.stringify(key)}`;
    return { path: [...path, key], message: later, ofKey: true };
  }
  if (issue.code === "invalid_key")
    return { path, message: `${JSON.stringify(short(path.at(-1) ?? ""))}: ${issue.issues[0]?.message ?? "not allowed"}`, ofKey: true };
  const name = path.length > 0 ? `${path.map(short).join(".")}: ` : "";
  const missing = issue.code === "invalid_type" && issue.message.endsWith("received undefined");
  return {
    path,
    message: missing ? `${name}is missing` : `${name}${issue.message.replace(/^Invalid input: /, "")}`,
    ofKey: issue.code === "custom" && issue.params?.["ofKey"] === true,
  };
}

function stepIssue(raw: unknown, index: number): Issue {
  const base: Path = ["steps", index];
  const keys = typeof raw === "object" && raw !== null ? Object.keys(raw) : [];
  const kinds = stepKinds.filter((kind) => keys.includes(kind));
  const kind = kinds[0];
  if (kinds.length !== 1 || kind === undefined)
    return { path: base, message: `a step has exactly one of ${stepKinds.join(", ")}`, ofKey: false };
  const shape = steps.options[stepKinds.indexOf(kind)];
  const parsed = shape?.safeParse(raw);
  return parsed?.error ? firstIssue(parsed.error, base) : { path: base, message: "not a step", ofKey: false };
}

/** What names cannot tell: that networks, members and nodes exist. */
function crossCheck(lab: LabFile): Issue | undefined {
  const nodes = Object.keys(lab.nodes);
  const nets = Object.keys(lab.networks);
  if (nodes.length === 0) return { path: ["nodes"], message: "a lab has at least one node", ofKey: true };
  const machines = nodes.length + Object.keys(lab.qnetd ?? {}).length;
  if (machines > MACHINES_MAX)
    return { path: ["nodes"], message: `a lab has at most ${MACHINES_MAX} machines, not ${machines}`, ofKey: true };
  if (nets.length > NETWORKS_MAX)
    return { path: ["networks"], message: `a lab has at most ${NETWORKS_MAX} networks, not ${nets.length}`, ofKey: true };
  for (const key of ["nodes", "qnetd"] as const)
    for (const [name, own] of Object.entries(lab[key] ?? {}))
      for (const net of Object.keys(own.nets))
        if (!nets.includes(net))
          return { path: [key, name, net], message: `no network ${net}; there are: ${nets.join(", ")}`, ofKey: true };
  return qnetdIssue(lab, nodes) ?? addressIssue(lab) ?? clusterIssue(lab, nodes, nets) ?? actIssue(lab);
}

function qnetdIssue(lab: LabFile, nodes: readonly string[]): Issue | undefined {
  const hosts = Object.entries(lab.qnetd ?? {});
  for (const [name, own] of hosts) {
    if (nodes.includes(name)) return { path: ["qnetd", name], message: `${name} is a node already`, ofKey: true };
    if (Object.keys(own.nets).length === 0) return { path: ["qnetd", name], message: `${name} is on no network`, ofKey: true };
    for (const key of ["id", "disable", "packages", "release"] as const)
      if (own[key] !== undefined) return { path: ["qnetd", name, key], message: `${key} is a key of nodes`, ofKey: true };
  }
  const device = lab.cluster?.qdevice;
  if (device === undefined || lab.qnetd?.[device] !== undefined) return undefined;
  const there = hosts.length === 0 ? "there is none" : `there are: ${hosts.map(([name]) => name).join(", ")}`;
  return { path: ["cluster", "qdevice"], message: `no machine ${device} below qnetd; ${there}`, ofKey: false };
}

/** Acting lines are read when the file is, so that a slip of the pen is found before an hour of steps has run. */
function actIssue(lab: LabFile): Issue | undefined {
  const design = worldDesign(lab);
  const units = (name: string, { machines }: Scene["design"]): string[] => machines.filter((m) => m.name === name).flatMap(unitNames);
  let scene: Scene = { design, units: (name) => units(name, scene.design) };
  const read = (path: Path, line: string): Issue | undefined => {
    try {
      scene = sceneAfter(scene, readAct(line, scene));
      return undefined;
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      return { path, message: error.message, ofKey: false };
    }
  };
  for (const [i, line] of lab.faults.entries()) {
    const issue = read(["faults", i], line);
    if (issue !== undefined) return issue;
  }
  for (const [i, step] of lab.steps.entries()) {
    const issue = "do" in step ? read(["steps", i, "do"], step.do) : stepNodeIssue(step, i, machineNames(scene));
    if (issue !== undefined) return issue;
  }
  return undefined;
}

function stepNodeIssue(step: Step, i: number, nodes: readonly string[]): Issue | undefined {
  const kind = stepKinds.find((k) => k in step) ?? "do";
  const named =
    "wait" in step
      ? step.wait.node
      : "exec" in step
        ? step.exec.node
        : "expect" in step
          ? step.expect.node
          : "input" in step
            ? step.input.node
            : undefined;
  for (const name of named === undefined ? [] : [named].flat())
    if (!nodes.includes(name))
      return { path: ["steps", i, kind, "node"], message: `no node ${name}; there are: ${nodes.join(", ")}`, ofKey: false };
  return undefined;
}

function clusterIssue(lab: LabFile, nodes: readonly string[], nets: readonly string[]): Issue | undefined {
  const c = lab.cluster;
  if (!c) return undefined;
  for (const [i, net] of (c.links ?? []).entries())
    if (!nets.includes(net))
      return { path: ["cluster", "links", i], message: `no network ${net}; there are: ${nets.join(", ")}`, ofKey: false };
  for (const [i, name] of (c.members ?? []).entries())
    if (!nodes.includes(name))
      return { path: ["cluster", "members", i], message: `no node ${name}; there are: ${nodes.join(", ")}`, ofKey: false };
  for (const key of ["votes", "ids"] as const)
    for (const name of Object.keys(c[key] ?? {}))
      if (!nodes.includes(name))
        return { path: ["cluster", key, name], message: `no node ${name}; there are: ${nodes.join(", ")}`, ofKey: true };
  for (const name of Object.keys(c.priorities ?? {}))
    if (!nets.includes(name))
      return { path: ["cluster", "priorities", name], message: `no network ${name}; there are: ${nets.join(", ")}`, ofKey: true };
  return undefined;
}

/** A key that stands twice in one map: where. As the library would look, one would be compared with all others. */
function repeatedKey(doc: Document): number | undefined {
  let found: number | undefined;
  visit(doc, {
    Map: (_, { items }) => {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) {
          found = key.range?.[0] ?? 0;
          return visit.BREAK;
        }
        seen.add(key.value);
      }
      return undefined;
    },
  });
  return found;
}

/** The document as plain values. Throws LabFileTrouble where its aliases are too many, or stand for nothing. */
function valuesOf(doc: Document, at: (offset: number, what: string) => LabFileTrouble): unknown {
  try {
    return doc.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    let offset = 0;
    visit(doc, {
      Alias: (_, alias) => {
        offset = alias.range?.[0] ?? 0;
        return visit.BREAK;
      },
    });
    const [line = ""] = error.message.split("\n");
    throw at(
      offset,
      line.startsWith("Excessive") ? `aliases that stand for more than ${ALIASES_MAX} others; at most so many are allowed` : line,
    );
  }
}

/**
 * Reads a lab file or scenario. `file` names it in errors.
 * @param beside the path of the file the person named, where it may name corosync.conf beside itself; absent: what a lab or a record keeps has everything in it, and reads nothing
 * @throws Trouble with line and column
 */
export function parseLabFile(text: string, file: string, beside?: string): LabFile {
  const lines = new LineCounter();
  const beyond = beyondBounds(text);
  if (beyond !== undefined) {
    const before = text.slice(0, beyond.offset).split("\n");
    throw new LabFileTrouble(file, before.length, (before.at(-1)?.length ?? 0) + 1, beyond.what);
  }
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const troubleAt = (offset: number, what: string): LabFileTrouble => {
    const at = lines.linePos(offset);
    return new LabFileTrouble(file, Math.max(1, at.line), Math.max(1, at.col), what);
  };
  const broken = doc.errors[0];
  if (broken) throw troubleAt(broken.pos[0], broken.message.split("\n")[0] ?? "not YAML");
  const repeated = repeatedKey(doc);
  if (repeated !== undefined) throw troubleAt(repeated, "Map keys must be unique");
  const fail = (issue: Issue): never => {
    const at = place(doc, lines, issue.path, issue.ofKey);
    throw new LabFileTrouble(file, Math.max(1, at.line), Math.max(1, at.col), issue.message);
  };
  const raw = valuesOf(doc, troubleAt);
  const strange = beyondValues(raw);
  if (strange !== undefined) return fail({ path: strange.path, message: strange.what, ofKey: false });
  if (typeof raw !== "object" || raw === null || Array.isArray(raw))
    throw new LabFileTrouble(file, 1, 1, "a lab file is a mapping that begins with `quorate: 1`");
  const parsed = labFile.safeParse(raw);
  if (!parsed.success) return fail(firstIssue(parsed.error));
  const read = parsed.data.steps.map((step, index) => {
    const result = steps.safeParse(step);
    return result.success ? result.data : fail(stepIssue(step, index));
  });
  const lab: LabFile = { ...parsed.data, steps: read };
  const wrong = crossCheck(lab);
  if (wrong) fail(wrong);
  const conf = lab.cluster?.conf;
  if (lab.cluster && conf !== undefined && !conf.includes("\n"))
    lab.cluster.conf = readBeside(beside, conf, (message) => fail({ path: ["cluster", "conf"], message, ofKey: false }));
  return lab;
}

/** The corosync.conf that a lab file names: beside the file or in a folder below, wherever links lead. A lab file is made to be passed on, and must not ask for files of whoever reads it. */
function readBeside(beside: string | undefined, conf: string, fail: (message: string) => never): string {
  const named = `cluster.conf ${JSON.stringify(conf)}`;
  if (beside === undefined)
    return fail(`${named}: the text of corosync.conf is allowed here; a file is named only in a lab file of its own`);
  if (conf.includes("\0")) return fail(`${named}: a path without the character NUL is allowed`);
  try {
    const folder = realpathSync(dirname(beside));
    const path = realpathSync(resolve(folder, conf));
    const from = relative(folder, path);
    if (from === ".." || from.startsWith(`..${sep}`) || isAbsolute(from))
      return fail(`${named}: a file beside the lab file or in a folder below it is allowed`);
    const text = readInput(path, CONF_BYTES_MAX, "a corosync.conf");
    // A text without a line's end would be taken for a path when the lab file is read again.
    return text.includes("\n") ? text : `${text}\n`;
  } catch (error) {
    if (error instanceof LabFileTrouble) throw error;
    return fail(systemTrouble(error, named).message);
  }
}

/** Reads the file at `path`. Throws Trouble (usage), one line. */
export function readLabFile(path: string): LabFile {
  return parseLabFile(readInput(path, LAB_FILE_BYTES_MAX, "a lab file"), path, path);
}

/** The canonical text of a lab file: what is kept in a lab's directory and at the top of a record. */
export function printLabFile(lab: LabFile): string {
  const flat = (machines: Record<string, LabNode>): Record<string, unknown> =>
    Object.fromEntries(Object.entries(machines).map(([name, { nets, ...rest }]) => [name, { ...nets, ...rest }]));
  const { steps: list, faults, qnetd, ...rest } = lab;
  return stringify(
    {
      ...rest,
      nodes: flat(lab.nodes),
      ...(qnetd === undefined ? {} : { qnetd: flat(qnetd) }),
      ...(faults.length > 0 ? { faults } : {}),
      ...(list.length > 0 ? { steps: list } : {}),
    },
    { lineWidth: 0 },
  );
}
