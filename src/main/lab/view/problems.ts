/** The list of what is wrong: broken invariants, what why/ has found of causes, and findings about each corosync.conf. */
import { checkConf } from "../../../engine/config/index.ts";
import { fromUtf8 } from "../../../engine/kernel/bytes.ts";
import type { MachineStatus } from "../../../engine/kernel/status.ts";
import type { World } from "../../../engine/world/world.ts";
import type { Finding, Problem } from "../api.ts";
import { ParsedConfs } from "./mismatches.ts";
import { listed } from "./why/scene.ts";

const confPath = "/etc/corosync/corosync.conf";
const problemsMax = 200;
const confsKept = 64;

/** Findings by text: the same file lies on every node and seldom changes. */
export class ConfFindings {
  readonly parsed = new ParsedConfs();
  private known = new Map<string, Finding[]>();

  of(text: string): Finding[] {
    let found = this.known.get(text);
    if (!found) {
      found = checkConf(text);
      this.known.set(text, found);
      if (this.known.size > confsKept) this.known.delete([...this.known.keys()][0] ?? "");
    }
    return found;
  }
}

/** The text of a file on each node that is on and has it. */
function confTexts(world: World, machines: readonly MachineStatus[]): Map<string, string> {
  const texts = new Map<string, string>();
  for (const { name } of machines) {
    const reply = world.query(name, { kind: "file-read", path: confPath });
    if (reply.kind === "file") texts.set(name, fromUtf8(reply.data));
  }
  return texts;
}

/** Findings about the file of each node that has one, by node. */
export function findingsOf(world: World, machines: readonly MachineStatus[], findings: ConfFindings): Map<string, readonly Finding[]> {
  return new Map([...confTexts(world, machines)].map(([node, text]) => [node, findings.of(text)]));
}

/** Findings of every node's file; one that is the same everywhere is listed once, without a node. What a cause tells of is not told again. */
function confProblems(world: World, machines: readonly MachineStatus[], findings: ConfFindings, causes: readonly Problem[]): Problem[] {
  const nodesOf = new Map<string, string[]>();
  for (const [node, text] of confTexts(world, machines)) nodesOf.set(text, [...(nodesOf.get(text) ?? []), node]);
  const out: Problem[] = [];
  const told = (nodes: readonly string[], line: number): boolean =>
    causes.some((cause) => cause.code === "bad-file" && cause.line === line && nodes.includes(cause.node ?? ""));
  for (const [text, nodes] of nodesOf)
    for (const { severity, code, text: what, mend, line, column } of findings.of(text)) {
      if (told(nodes, line)) continue;
      const [first] = nodes;
      const node = nodesOf.size > 1 && first !== undefined ? { node: first } : {};
      out.push({ severity, code, text: what, mend, line, column, ...node, nodes });
    }
  const broken = [...nodesOf.keys()].some((text) => findings.of(text).some(({ severity }) => severity === "error"));
  // A broken file is another one, too: that is said of it.
  if (nodesOf.size > 1 && !broken)
    out.push({
      severity: "warning",
      code: "conf-differs",
      text: `corosync.conf differs between nodes: ${[...nodesOf.values()].map((nodes) => listed(nodes)).join(" | ")}`,
      mend: "every member must have the same file; compare them and copy the newer one",
      nodes: [...nodesOf.values()].flat(),
    });
  return out;
}

/** What is wrong with the lab itself, rather than with a cluster in it. */
export interface LabTrouble {
  code: "invariant" | "lab-failed" | "record-full";
  text: string;
}

const troubleMend: Record<LabTrouble["code"], string> = {
  invariant: "save the record: it repeats this run exactly",
  "lab-failed": "mend the cause and resume, or save the record and start again",
  "record-full": "go back to a snapshot, or make another lab",
};

const ORDER = { error: 0, warning: 1, note: 2 };

/** `broken`: troubles of the lab itself, which come first. `causes`: one of each cause, in the order in which they are told. */
export function problemsOf(
  world: World,
  machines: readonly MachineStatus[],
  findings: ConfFindings,
  broken: readonly LabTrouble[],
  causes: readonly Problem[],
): Problem[] {
  const lab = broken.map(({ code, text }): Problem => ({ severity: "error", code, text, mend: troubleMend[code] }));
  const rest = [...causes, ...confProblems(world, machines, findings, causes)].sort((a, b) => ORDER[a.severity] - ORDER[b.severity]);
  return [...lab, ...rest].slice(0, problemsMax);
}
