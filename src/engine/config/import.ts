/**
 * A real corosync.conf as the design of a lab: which machines, on which networks, with which addresses, ids, votes and link priorities. The file
 * itself stays what the nodes run with; this is what has to be built around it. Networks are /24, for IPv6 /64, wider where the nodes of one link
 * are further apart. The server of a quorum device gets a machine of its own where the file says it is, and where no link leads there a network that every
 * node has a card on. Left out: what corosync.conf does not tell (other networks, guests, storage).
 */
import { checkConf } from "./check.ts";
import type { Finding } from "./finding.ts";
import { formatIp, isHostName, networkOf, parseIp } from "./ip.ts";
import type { Ip } from "./ip.ts";
import type { RingKey } from "./links.ts";
import { nodePositions, ringKeys } from "./links.ts";
import { parseConf } from "./parse.ts";
import type { ConfValues } from "./values.ts";
import { numberOf, stringOf } from "./values.ts";

export interface ImportedNode {
  /** A host name: the entry's name, or the host name it has for an address, up to its first dot; made unique, or made up, where need be. */
  readonly name: string;
  /** As the file has it; "" without one. */
  readonly listedAs: string;
  readonly nodeId: number;
  readonly votes: number;
  /** By network name, in the order of the networks. A card that carries no link has none. */
  readonly addresses: readonly ImportedCard[];
}

interface ImportedCard {
  readonly net: string;
  readonly link: number | undefined;
  readonly address: string;
}

export interface ImportedNetwork {
  readonly name: string;
  /** Undefined: the way to the quorum device's server, nothing else. */
  readonly link: number | undefined;
  readonly cidr: string;
  readonly priority: number | undefined;
}

/** A quorum device of model net: the nodes run corosync-qdevice. */
export interface ImportedDevice {
  /** The machine that runs corosync-qnetd; undefined: the file names no host. */
  readonly server: { readonly name: string; readonly net: string; readonly address: string } | undefined;
  /** The host the file names is no machine of its own but a node of the cluster: which, and where the file says so. */
  readonly onMember: { readonly node: string; readonly line: number; readonly column: number } | undefined;
}

export interface ImportedCluster {
  readonly clusterName: string;
  readonly configVersion: number;
  readonly nodes: readonly ImportedNode[];
  readonly networks: readonly ImportedNetwork[];
  /** Host names the file uses as addresses, with the address the lab gives them. */
  readonly aliases: readonly { readonly name: string; readonly address: string }[];
  /** Undefined: there is none, or of no model that corosync-qdevice knows. */
  readonly device: ImportedDevice | undefined;
  /** What the checker says about the file; no errors among it. */
  readonly findings: readonly Finding[];
}

export type ImportOutcome =
  { readonly ok: true; readonly cluster: ImportedCluster } | { readonly ok: false; readonly findings: readonly Finding[] };

const PREFIX = { 4: 24, 6: 64 } as const;
/** Addresses of one link that share not even this many bits still get one network. Ours. */
const PREFIX_MIN = 1;
/** Where the server of a quorum device is called by a name: the host number it gets. Ours. */
const SERVER_HOST = 100;
/** Where it is on a network of its own: the host number of the first node there. Ours. */
const NODES_FROM = 11;
const SERVER_NAME = "qnetd";
const LOCAL_NAMES: ReadonlySet<string> = new Set(["localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"]);

/** The smallest network, from the usual prefix upwards, that holds all of `ips`. */
function networkAround(ips: readonly Ip[]): string {
  const first = ips[0] ?? { family: 4, bytes: [10, 0, 0, 0] };
  let prefix: number = PREFIX[first.family];
  while (prefix > PREFIX_MIN && ips.some((ip) => networkOf(ip, prefix) !== networkOf(first, prefix))) prefix--;
  return networkOf(first, prefix);
}

/** The name a node is known by: that of its entry, or the host name that stands for one of its addresses, where the daemon looks for its own as well. */
function calledName(values: ConfValues, position: number, rings: readonly RingKey[]): string {
  const name = stringOf(values, `nodelist.node.${position}.name`) ?? "";
  return name !== "" ? name : (rings.find(({ text }) => isHostName(text))?.text ?? "");
}

/** Names of machines: a-z, digits and hyphens, each once. */
function hostNames(values: ConfValues, positions: readonly number[]): string[] {
  const used = new Set<string>();
  const next = new Map<string, number>();
  const rings = ringKeys(values);
  return positions.map((p) => {
    const listed = calledName(values, p, rings.get(p) ?? []).split(".")[0] ?? "";
    const id = numberOf(values, `nodelist.node.${p}.nodeid`, "u32") || p + 1;
    const clean = listed
      .replace(/[^A-Za-z0-9-]/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 50);
    const base = clean === "" ? "node" : clean;
    let name = clean === "" ? `node${id}` : clean;
    while (used.has(name)) {
      const n = (next.get(base) ?? 1) + 1;
      next.set(base, n);
      name = `${base}-${n}`;
    }
    used.add(name);
    return name;
  });
}

/** The first free address of the network around, from host number `from` on. */
function freeAddress(around: Ip, taken: Set<string>, from = 1): string {
  const bytes = [...around.bytes];
  const last = bytes.length - 1;
  for (let i = 0; i < 254; i++) {
    bytes[last] = ((from - 1 + i) % 254) + 1;
    const text = formatIp({ family: around.family, bytes });
    if (!taken.has(text)) {
      taken.add(text);
      return text;
    }
  }
  return formatIp(around);
}

interface LinkAddresses {
  readonly link: number;
  /** By position. */
  readonly byNode: Map<number, string>;
}

function linkAddresses(values: ConfValues): LinkAddresses[] {
  const links = new Map<number, LinkAddresses>();
  for (const [position, rings] of ringKeys(values)) {
    for (const { link, text } of rings) {
      const one = links.get(link) ?? { link, byNode: new Map<number, string>() };
      one.byNode.set(position, text);
      links.set(link, one);
    }
  }
  return [...links.values()].sort((a, b) => a.link - b.link);
}

/** What grows while a file is read. */
interface Growing {
  readonly nodes: (ImportedNode & { addresses: ImportedCard[] })[];
  readonly networks: ImportedNetwork[];
  readonly aliases: Map<string, string>;
}

function inNetwork(ip: Ip, cidr: string): boolean {
  return networkOf(ip, Number(cidr.split("/")[1])) === cidr;
}

/** The node that a host, by address or by name, is; on a node itself "localhost" is it. */
function memberAt(host: string, { nodes, aliases }: Growing): string | undefined {
  const ip = parseIp(host);
  const local = ip === undefined ? LOCAL_NAMES.has(host) : /^(127\..*|0\.0\.0\.0|::1?)$/.test(formatIp(ip));
  const address = ip === undefined ? aliases.get(host) : formatIp(ip);
  return nodes.find((n) => local || n.name === host || n.listedAs === host || n.addresses.some((a) => a.address === address))?.name;
}

/** Where the server of the quorum device stands: on a network that there is, with a name on the first, or on one of its own. */
function deviceOf(values: ConfValues, growing: Growing): ImportedDevice | undefined {
  if (stringOf(values, "quorum.device.model") !== "net") return undefined;
  const written = values.get("quorum.device.net.host");
  const host = written?.text ?? "";
  if (written === undefined || host === "") return { server: undefined, onMember: undefined };
  const node = memberAt(host, growing);
  if (node !== undefined) return { server: undefined, onMember: { node, line: written.line, column: written.column } };
  const { nodes, networks, aliases } = growing;
  const taken = new Set(nodes.flatMap((n) => n.addresses.map((a) => a.address)));
  const literal = parseIp(host);
  let net = literal === undefined ? networks[0] : networks.find(({ cidr }) => inNetwork(literal, cidr));
  // Every node is on every link, since the daemon takes no other file.
  const around: Ip = literal ?? parseIp(nodes[0]?.addresses[0]?.address ?? "") ?? { family: 4, bytes: [10, 0, 0, 0] };
  const address = literal === undefined ? freeAddress(around, taken, SERVER_HOST) : formatIp(literal);
  taken.add(address);
  if (literal === undefined) aliases.set(host, address);
  if (net === undefined) {
    net = { name: "mgmt", link: undefined, cidr: networkAround([around]), priority: undefined };
    networks.push(net);
    for (const node of nodes) node.addresses.push({ net: net.name, link: undefined, address: freeAddress(around, taken, NODES_FROM) });
  }
  let name = SERVER_NAME;
  for (let n = 2; nodes.some((one) => one.name === name); n++) name = `${SERVER_NAME}-${n}`;
  return { server: { name, net: net.name, address }, onMember: undefined };
}

/** Reads `text`. Not ok: real corosync would refuse the file; all the reasons with their lines. */
export function importConf(text: string): ImportOutcome {
  const findings = checkConf(text);
  if (findings.some((f) => f.severity === "error")) return { ok: false, findings };
  const { values } = parseConf(text);
  const positions = nodePositions(values).sort((a, b) => a - b);
  const names = hostNames(values, positions);
  const aliases = new Map<string, string>();
  const networks: ImportedNetwork[] = [];
  const nodes = positions.map((p, i) => ({
    name: names[i] ?? `node${p + 1}`,
    listedAs: stringOf(values, `nodelist.node.${p}.name`) ?? "",
    nodeId: numberOf(values, `nodelist.node.${p}.nodeid`, "u32") ?? 0,
    votes: numberOf(values, `nodelist.node.${p}.quorum_votes`, "u32") ?? 1,
    addresses: [] as ImportedCard[],
  }));
  for (const { link, byNode } of linkAddresses(values)) {
    const net = `net${link}`;
    const literals = [...byNode.values()].map(parseIp).filter((ip) => ip !== undefined);
    const around: Ip = literals[0] ?? { family: 4, bytes: link === 0 ? [10, 0, 0, 0] : [10, 10, link, 0] };
    const taken = new Set(literals.map(formatIp));
    for (const [i, p] of positions.entries()) {
      const written = byNode.get(p);
      if (written === undefined) continue;
      const literal = parseIp(written);
      const address = literal === undefined ? (aliases.get(written) ?? freeAddress(around, taken)) : formatIp(literal);
      if (literal === undefined) aliases.set(written, address);
      nodes[i]?.addresses.push({ net, link, address });
    }
    const priority = numberOf(values, `totem.interface.${link}.knet_link_priority`, "u8");
    networks.push({ name: net, link, cidr: networkAround(literals.length > 0 ? literals : [around]), priority });
  }
  const device = deviceOf(values, { nodes, networks, aliases });
  return {
    ok: true,
    cluster: {
      clusterName: stringOf(values, "totem.cluster_name") ?? "",
      configVersion: numberOf(values, "totem.config_version", "u64") ?? 0,
      nodes,
      networks,
      aliases: [...aliases].map(([name, address]) => ({ name, address })),
      device,
      findings,
    },
  };
}
