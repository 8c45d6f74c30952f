/** The list of what is wrong: findings about each corosync.conf, failed units, inquorate nodes, links down, broken invariants. */
import { checkConf } from "../../../engine/config/index.ts";
import { fromUtf8 } from "../../../engine/kernel/bytes.ts";
import type { MachineStatus } from "../../../engine/kernel/status.ts";
import type { World } from "../../../engine/world/world.ts";
import { beforeLossOf, type Finding, type Problem } from "../api.ts";
import { ParsedConfs } from "./mismatches.ts";

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

function confText(world: World, node: string): string | undefined {
  const reply = world.query(node, { kind: "file-read", path: confPath });
  return reply.kind === "file" ? fromUtf8(reply.data) : undefined;
}

/** Findings of every node's file; one that is the same everywhere is listed once, without a node. */
function confProblems(world: World, machines: readonly MachineStatus[], findings: ConfFindings): Problem[] {
  const nodesOf = new Map<string, string[]>();
  for (const machine of machines) {
    const text = confText(world, machine.name);
    if (text !== undefined) nodesOf.set(text, [...(nodesOf.get(text) ?? []), machine.name]);
  }
  const out: Problem[] = [];
  for (const [text, nodes] of nodesOf) {
    for (const { severity, code, text: what, mend, line, column } of findings.of(text))
      out.push({
        severity,
        code,
        text: what,
        mend,
        line,
        column,
        ...(nodesOf.size > 1 && nodes[0] !== undefined ? { node: nodes[0] } : {}),
      });
  }
  if (nodesOf.size > 1)
    out.push({
      severity: "warning",
      code: "conf-differs",
      text: `corosync.conf differs between nodes: ${[...nodesOf.values()].map((nodes) => nodes.join(", ")).join(" | ")}`,
      mend: "every member must have the same file; compare them and copy the newer one",
    });
  return out;
}

function machineProblems(machine: MachineStatus): Problem[] {
  const out: Problem[] = [];
  const node = machine.name;
  if (machine.worker === "lost")
    out.push({
      severity: "error",
      code: "worker-lost",
      node,
      text: `the lab itself failed: the process of ${node} is lost`,
      mend: `quorate node start ${node} powers it on again; quorate rollback ${beforeLossOf(node)} goes back to before`,
    });
  if (machine.power !== "on" || machine.booting) return out;
  for (const [unit, state] of Object.entries(machine.units))
    if (state === "failed")
      out.push({
        severity: "error",
        code: "unit-failed",
        node,
        text: `${unit}.service failed on ${node}`,
        mend: `journalctl -u ${unit} says why; systemctl start ${unit} tries again`,
      });
  const q = machine.quorum;
  if (q && !q.quorate)
    out.push({
      severity: "error",
      code: "not-quorate",
      node,
      text: `${node} is not quorate: ${q.totalVotes} of ${q.expectedVotes} votes, ${q.quorum} needed`,
      mend: "bring back enough nodes, or mend the network between them",
    });
  const c = machine.corosync;
  const nameOf = (id: number): string => c?.nodelist.find((peer) => peer.nodeId === id)?.name ?? `node ${id}`;
  for (const link of c?.links ?? [])
    if (!link.connected && link.to !== c?.nodeId)
      out.push({
        severity: "warning",
        code: "link-down",
        node,
        text: `${node} does not reach ${nameOf(link.to)} on link ${link.link}`,
        mend: `corosync-cfgtool -n on ${node} shows its links`,
      });
  return out;
}

/** What the networks and packet filters of the lab are set to that a person may have forgotten. */
function networkProblems(world: World, machines: readonly MachineStatus[]): Problem[] {
  const out: Problem[] = [];
  for (const { name: node, power, nics } of machines)
    for (const nic of nics)
      if (!nic.up && power !== "off")
        out.push({
          severity: "warning",
          code: "interface-down",
          node,
          text: `interface ${nic.name} of ${node} on ${nic.net} is down`,
          mend: `nic up ${node} ${nic.net}`,
        });
  for (const { node, port, proto } of world.fabric.faults().blocks)
    out.push({
      severity: "warning",
      code: "port-blocked",
      node,
      text: `the packet filter of ${node} drops ${port}/${proto}${usedPorts[`${port}/${proto}`] ?? ""}`,
      mend: `unblock ${node} ${port}/${proto}`,
    });
  for (const { name: net } of world.design.networks) {
    const mtus = machines.flatMap((m) =>
      m.nics.some((nic) => nic.net === net) ? [{ node: m.name, mtu: world.fabric.cable(m.name, net).mtuBytes }] : [],
    );
    if (new Set(mtus.map(({ mtu }) => mtu)).size > 1)
      out.push({
        severity: "warning",
        code: "mtu-mismatch",
        text: `the MTU differs on ${net}: ${mtus.map(({ node, mtu }) => `${node} ${mtu}`).join(", ")}`,
        mend: `larger packets are lost without a word; give every cable the same: link set NODE:${net} --mtu BYTES`,
      });
  }
  return out;
}

/** Whose port it is. */
const usedPorts: Record<string, string> = {
  "5405/udp": " (corosync, link 0)",
  "5403/tcp": " (qdevice to qnetd)",
  "22/tcp": " (ssh)",
  "8006/tcp": " (the API)",
};

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

/** `broken`: troubles of the lab itself, which come first. `mismatches`: what does not fit between nodes. */
export function problemsOf(
  world: World,
  machines: readonly MachineStatus[],
  findings: ConfFindings,
  broken: readonly LabTrouble[],
  mismatches: readonly Problem[],
): Problem[] {
  const lab = broken.map(({ code, text }): Problem => ({ severity: "error", code, text, mend: troubleMend[code] }));
  const order = { error: 0, warning: 1, note: 2 };
  const rest = [
    ...mismatches,
    ...machines.flatMap(machineProblems),
    ...networkProblems(world, machines),
    ...confProblems(world, machines, findings),
  ].sort((a, b) => order[a.severity] - order[b.severity]);
  return [...lab, ...rest].slice(0, problemsMax);
}
