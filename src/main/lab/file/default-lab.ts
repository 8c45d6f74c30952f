/** The lab file of a new lab: N nodes, L links, the addresses that `up` gives by itself. */
import type { LabFile, LabNode } from "./labfile-schema.ts";
import { usage } from "../trouble.ts";

export interface DefaultLabOptions {
  nodes: number;
  links: number;
  clustered: boolean;
  /** With a host for the quorum device's server, and the device on every node. */
  qdevice?: boolean;
  name: string;
  seed: string;
  epoch: string;
}

export const nodesMax = 32;
export const linksMax = 8;

/** Throws Trouble (usage) for counts out of range. */
export function defaultLabFile(options: DefaultLabOptions): LabFile {
  const { nodes: count, links } = options;
  if (!Number.isInteger(count) || count < 1 || count > nodesMax) throw usage(`--nodes ${count}: 1 to ${nodesMax} nodes are allowed`);
  if (!Number.isInteger(links) || links < 1 || links > linksMax) throw usage(`--links ${links}: 1 to ${linksMax} links are allowed`);
  const netNames = Array.from({ length: links }, (_, k) => `net${k}`);
  const subnet = (k: number): string => (k === 0 ? "10.0.0" : `10.10.${k}`);
  const nodes: Record<string, LabNode> = {};
  for (let i = 1; i <= count; i++)
    nodes[`pve${i}`] = {
      nets: Object.fromEntries(netNames.map((net, k) => [net, `${subnet(k)}.${10 + i}`])),
      ...(options.qdevice === true ? { packages: ["corosync-qdevice"] } : {}),
    };
  return {
    quorate: 1,
    name: options.name,
    seed: options.seed,
    epoch: options.epoch,
    networks: Object.fromEntries(netNames.map((net, k) => [net, `${subnet(k)}.0/24`])),
    nodes,
    ...(options.qdevice === true ? { qnetd: { qnetd: { nets: { net0: "10.0.0.100" } } } } : {}),
    ...(options.clustered ? { cluster: { name: "lab", links: netNames, ...(options.qdevice === true ? { qdevice: "qnetd" } : {}) } } : {}),
    faults: [],
    steps: [],
  };
}
