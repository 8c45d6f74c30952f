/**
 * A real corosync.conf as a lab file: the machines around it are made, the host of the quorum device's server among them; the file itself stays
 * verbatim and every node has it.
 */
import { importConf, isAboutLab, type Finding } from "../../../engine/config/index.ts";
import { parseLabFile, printLabFile } from "./labfile.ts";
import type { LabFile, LabNode } from "./labfile-schema.ts";
import { usage } from "../trouble.ts";

const hostsPath = "/etc/hosts";

/** /etc/hosts where the file names its nodes by host names: the addresses the lab gives those. */
function hostsFile(aliases: readonly { name: string; address: string }[], machines: Record<string, LabNode>): string | undefined {
  if (aliases.length === 0) return undefined;
  const own = Object.entries(machines).flatMap(([name, node]) => {
    const address = Object.values(node.nets)[0];
    return address === undefined ? [] : [`${address} ${name}.lab.local ${name}`];
  });
  const named = aliases.filter(({ name }) => machines[name] === undefined).map(({ name, address }) => `${address} ${name}`);
  return ["127.0.0.1 localhost.localdomain localhost", ...own, ...named, ""].join("\n");
}

/**
 * Throws Trouble (usage) with the place of the first error, when real corosync would refuse the file.
 * @param tell hears beforehand what of the file a lab cannot run, or runs otherwise
 */
export function importedLab(text: string, path: string, tell: (finding: Finding) => void = () => undefined): LabFile {
  const outcome = importConf(text);
  if (!outcome.ok) {
    const errors = outcome.findings.filter((f) => f.severity === "error");
    const first = errors[0];
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more: quorate conf check ${path})` : "";
    throw usage(first ? `${path}:${first.line}:${first.column}: ${first.text}${more}` : `${path}: not a corosync.conf`);
  }
  const { cluster } = outcome;
  cluster.findings.filter(isAboutLab).forEach(tell);
  if (cluster.nodes.length === 0) throw usage(`${path}: the nodelist names no nodes, so there is nothing to make machines of`);
  const nodes: Record<string, LabNode> = {};
  for (const node of cluster.nodes)
    nodes[node.name] = { nets: Object.fromEntries(node.addresses.map(({ net, address }) => [net, address])) };
  const { device } = cluster;
  if (device?.onMember !== undefined) {
    const { node, line, column } = device.onMember;
    throw usage(
      `${path}:${line}:${column}: the quorum device's server is ${node} itself: corosync-qnetd on a node is not part of this version`,
    );
  }
  if (device !== undefined) for (const node of Object.values(nodes)) node.packages = ["corosync-qdevice"];
  const server = device?.server;
  const qnetd: Record<string, LabNode> = server === undefined ? {} : { [server.name]: { nets: { [server.net]: server.address } } };
  const hosts = hostsFile(cluster.aliases, { ...nodes, ...qnetd });
  if (hosts !== undefined) for (const node of Object.values(nodes)) node.files = { [hostsPath]: hosts };
  const lab: LabFile = {
    quorate: 1,
    name: cluster.clusterName || "lab",
    networks: Object.fromEntries(cluster.networks.map(({ name, cidr }) => [name, cidr])),
    nodes,
    ...(server === undefined ? {} : { qnetd }),
    cluster: {
      name: "lab",
      ...(server === undefined ? {} : { qdevice: server.name }),
      // A text of one line would be taken for a path.
      conf: text.includes("\n") ? text : `${text}\n`,
    },
    faults: [],
    steps: [],
  };
  // What is made here must be readable again: names and addresses come from a stranger's file.
  return parseLabFile(printLabFile(lab), path);
}
