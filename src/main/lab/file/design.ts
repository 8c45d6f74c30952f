/** A lab file as the design of a world: machines with cards, hosts, disks; corosync.conf and the common key on the members' disks. */
import { KEYFILE_DEFAULT, formatIp, parseConf, parseIp, stringOf, writePveConf } from "../../../engine/config/index.ts";
import { Rng } from "../../../engine/kernel/rng.ts";
import { utf8 } from "../../../engine/kernel/bytes.ts";
import { unixFromIso } from "../../../engine/kernel/time.ts";
import { BOOT_DEFAULT, type NicDesign } from "../../../engine/machine/index.ts";
import type { MachineDesign, WorldDesign } from "../../../engine/world/design.ts";
import type { LabCluster, LabFile, LabNode } from "./labfile-schema.ts";

export const domain = "lab.local";
/** What `pvecm create` of the recorded release writes explicitly; corosync itself takes 650 where a file names none. */
const pvecmTokenCoefficient = 125;
const confPath = "/etc/corosync/corosync.conf";
/** What corosync-keygen writes. */
const keyBytes = 256;
/** Scenarios without an epoch begin here, so that they print the same dates on every day. */
const scenarioEpoch = "2026-01-01T00:00:00Z";

type DesignFile = MachineDesign["files"][number];

/** The key all members share. It opens nothing outside the lab, so a seeded generator may make it. */
function authKey(seed: string): Uint8Array {
  const rng = Rng.from(seed, "authkey");
  return Uint8Array.from({ length: keyBytes }, () => rng.below(256));
}

export function membersOf(lab: LabFile): string[] {
  return lab.cluster ? (lab.cluster.members ?? Object.keys(lab.nodes)) : [];
}

/** Networks that carry links, in link order: those named, else every network of the lab. */
function linksOf(lab: LabFile, cluster: LabCluster): string[] {
  return cluster.links ?? Object.keys(lab.networks);
}

/** Node ids: those given, the others the lowest free ones in the order of joining. */
function nodeIds(lab: LabFile, cluster: LabCluster): Map<string, number> {
  const members = membersOf(lab);
  const given = new Map(members.map((name) => [name, cluster.ids?.[name] ?? lab.nodes[name]?.id]));
  const used = new Set([...given.values()].filter((id): id is number => id !== undefined));
  const ids = new Map<string, number>();
  let next = 1;
  for (const name of members) {
    let id = given.get(name);
    if (id === undefined) {
      while (used.has(next)) next++;
      id = next;
      used.add(id);
    }
    ids.set(name, id);
  }
  return ids;
}

/** Address of the machine that arbitrates, on its first network. */
function deviceHost(lab: LabFile, cluster: LabCluster): string | undefined {
  const machine = cluster.qdevice === undefined ? undefined : lab.qnetd?.[cluster.qdevice];
  return machine && nicsOf(lab, machine)[0]?.address;
}

/** What `corosync-qdevice-net-certutil` and its sister on the server leave on a disk, as far as anybody looks. */
function database(directory: string): DesignFile[] {
  return ["cert9.db", "key4.db", "pkcs11.txt"].map((file) => ({ path: `${directory}/${file}`, data: utf8(file), mode: 0o600 }));
}

/** corosync.conf of the lab's cluster as its first start has it. */
export function confOf(lab: LabFile): string | undefined {
  const cluster = lab.cluster;
  if (!cluster) return undefined;
  if (cluster.conf !== undefined) return cluster.conf;
  const links = linksOf(lab, cluster);
  const ids = nodeIds(lab, cluster);
  const members = membersOf(lab);
  const host = deviceHost(lab, cluster);
  return writePveConf({
    clusterName: cluster.name,
    // Created with version 1; every node that joins adds one, and the quorum device another.
    configVersion: members.length + (host === undefined ? 0 : 1),
    ...(host === undefined ? {} : { device: { algorithm: members.length % 2 === 0 ? "ffsplit" : "lms", host } }),
    nodes: members.map((name) => ({
      name,
      nodeId: ids.get(name) ?? 0,
      votes: cluster.votes?.[name] ?? 1,
      addresses: links.map((net) => lab.nodes[name]?.nets[net] ?? ""),
    })),
    links: links.map((net, link) => ({ link, ...(cluster.priorities?.[net] === undefined ? {} : { priority: cluster.priorities[net] }) })),
    totem: { token_coefficient: pvecmTokenCoefficient, ...cluster.totem },
    ...(cluster.quorum ? { quorum: cluster.quorum } : {}),
  });
}

/** As the kernel prints an address, however the file writes it. */
function canonical(address: string): string {
  const ip = parseIp(address);
  return ip === undefined ? address : formatIp(ip);
}

function nicsOf(lab: LabFile, node: LabNode): NicDesign[] {
  return Object.keys(lab.networks)
    .filter((net) => node.nets[net] !== undefined)
    .map((net, i) => ({
      name: `eno${i + 1}`,
      net,
      address: canonical(node.nets[net] ?? ""),
      prefix: Number(lab.networks[net]?.split("/")[1] ?? 24),
    }));
}

/** Names resolve to the first network a machine is on: the management network. */
function hostEntries(lab: LabFile): MachineDesign["hosts"] {
  return Object.entries({ ...lab.nodes, ...lab.qnetd }).flatMap(([name, node]) => {
    const address = nicsOf(lab, node)[0]?.address;
    return address === undefined ? [] : [{ address, names: [`${name}.${domain}`, name] }];
  });
}

/** Where the daemon looks for its key: systemd starts it at the root. */
function keyPath(conf: string): string {
  const path = stringOf(parseConf(conf).values, "totem.keyfile") ?? KEYFILE_DEFAULT;
  return path.startsWith("/") ? path : `/${path}`;
}

function filesOf(lab: LabFile, name: string, node: LabNode, conf: string | undefined, key: Uint8Array): DesignFile[] {
  const own = Object.entries(node.files ?? {}).map(([path, text]) => ({ path, data: utf8(text) }));
  if (conf === undefined || !membersOf(lab).includes(name)) return own;
  const cluster = [
    { path: confPath, data: utf8(conf) },
    { path: keyPath(conf), data: key, mode: 0o400 },
    ...(lab.cluster?.qdevice === undefined ? [] : database("/etc/corosync/qdevice/net/nssdb")),
  ];
  return [...cluster.filter((file) => !own.some((mine) => mine.path === file.path)), ...own];
}

/** What is installed beyond what every node has, in one order: what is asked for, and on the members of a cluster with a quorum device that, too. */
function packagesOf(lab: LabFile, name: string, node: LabNode): { packages?: string[] } {
  const packages = new Set<string>(node.packages);
  if (lab.cluster?.qdevice !== undefined && membersOf(lab).includes(name)) packages.add("corosync-qdevice");
  return packages.size === 0 ? {} : { packages: [...packages].sort() };
}

/** As long as nobody has said which, it is the default one. */
function releaseOf(lab: LabFile, node: LabNode): { release?: string } {
  const release = node.release ?? lab.release;
  return release === undefined ? {} : { release };
}

/** What the package's installation makes on the server: its own certificate authority. */
export function qnetdFiles(): DesignFile[] {
  return database("/etc/corosync/qnetd/nssdb");
}

/**
 * The world of a lab file. Members that the file says are off start on all the same: they have joined once, and are shut down after the cluster
 * has formed (formation.ts). Faults and steps are not part of it: they happen later.
 */
export function worldDesign(lab: LabFile): WorldDesign {
  const conf = confOf(lab);
  const seed = lab.seed ?? "1";
  const key = authKey(seed);
  const members = membersOf(lab);
  const hosts = hostEntries(lab);
  const machines = Object.entries(lab.nodes).map(([name, node]): MachineDesign => ({
    kind: "node",
    name,
    hostname: name,
    domain,
    nics: nicsOf(lab, node),
    hosts,
    files: filesOf(lab, name, node, conf, key),
    boot: node.boot ?? BOOT_DEFAULT,
    disabledUnits: node.disable ?? [],
    ...packagesOf(lab, name, node),
    power: node.power === "off" && !members.includes(name) ? "off" : "on",
    ...releaseOf(lab, node),
  }));
  const arbiters = Object.entries(lab.qnetd ?? {}).map(([name, own]): MachineDesign => ({
    kind: "qnetd",
    name,
    hostname: name,
    domain,
    nics: nicsOf(lab, own),
    hosts,
    files: [...qnetdFiles(), ...Object.entries(own.files ?? {}).map(([path, text]) => ({ path, data: utf8(text) }))],
    boot: own.boot ?? BOOT_DEFAULT,
    disabledUnits: [],
    power: own.power ?? "on",
  }));
  return {
    name: lab.name,
    seed,
    epochUnixMicros: unixFromIso(lab.epoch ?? scenarioEpoch) ?? 0,
    networks: Object.entries(lab.networks).map(([name, cidr]) => ({ name, cidr })),
    machines: [...machines, ...arbiters],
    faults: [],
  };
}
