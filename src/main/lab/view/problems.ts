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
  const texts = confTexts(world, machines);
  const nodesOf = new Map<string, string[]>();
  for (const [node, text] of texts) nodesOf.set(text, [...(nodesOf.get(text) ?? []), node]);
  const out = new Map<string, Problem & { nodes: string[] }>();
  const told = (nodes: readonly string[], { severity, line }: Finding): boolean =>
    causes.some((cause) => cause.code === "bad-file" && nodes.includes(cause.node ?? "") && (severity === "error" || cause.line === line));
  for (const [text, nodes] of nodesOf)
    for (const finding of findings.of(text)) {
      if (told(nodes, finding)) continue;
      const { severity, code, text: what, mend, line, column } = finding;
      const key = `${code} ${line} ${what}`;
      const known = out.get(key);
      if (known === undefined) out.set(key, { severity, code, text: what, mend, line, column, nodes: [...nodes] });
      else known.nodes.push(...nodes);
    }
  const found = [...out.values()].map((problem): Problem => {
    const [node] = problem.nodes;
    return problem.nodes.length === texts.size || node === undefined ? problem : { ...problem, node };
  });
  const broken = causes.some(({ code }) => code === "bad-file");
  // A broken file is another one, too: that is said of it.
  if (nodesOf.size > 1 && !broken)
    found.push({
      severity: "warning",
      code: "conf-differs",
      text: `corosync.conf differs between nodes: ${[...nodesOf.values()].map((nodes) => listed(nodes)).join(" | ")}`,
      mend: "every member must have the same file; compare them and copy the newer one",
      nodes: [...nodesOf.values()].flat(),
    });
  return found;
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
