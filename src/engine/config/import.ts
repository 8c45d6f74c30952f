/**
 * A real corosync.conf as the design of a lab: which machines, on which networks, with which addresses, ids, votes and link priorities. The file
 * itself stays what the nodes run with; this is what has to be built around it. Networks are /24, for IPv6 /64, wider where the nodes of one link
 * are further apart. Left out: what corosync.conf does not tell (management network, guests, storage).
 */
import { checkConf } from "./check.ts";
import type { Finding } from "./finding.ts";
import { formatIp, networkOf, parseIp } from "./ip.ts";
import type { Ip } from "./ip.ts";
import { nodePositions, ringKeys } from "./links.ts";
import { parseConf } from "./parse.ts";
import type { ConfValues } from "./values.ts";
import { numberOf, stringOf } from "./values.ts";

export interface ImportedNode {
  /** A host name: the entry's name up to its first dot; made unique, or made up, where need be. */
  readonly name: string;
  /** As the file has it; "" without one. */
  readonly listedAs: string;
  readonly nodeId: number;
  readonly votes: number;
  /** By network name, in link order. */
  readonly addresses: readonly { readonly net: string; readonly link: number; readonly address: string }[];
}

export interface ImportedNetwork {
  readonly name: string;
  readonly link: number;
  readonly cidr: string;
  readonly priority: number | undefined;
}

export interface ImportedCluster {
  readonly clusterName: string;
  readonly configVersion: number;
  readonly nodes: readonly ImportedNode[];
  readonly networks: readonly ImportedNetwork[];
  /** Host names the file uses as addresses, with the address the lab gives them. */
  readonly aliases: readonly { readonly name: string; readonly address: string }[];
  /** What the checker says about the file; no errors among it. */
  readonly findings: readonly Finding[];
}

export type ImportOutcome =
  { readonly ok: true; readonly cluster: ImportedCluster } | { readonly ok: false; readonly findings: readonly Finding[] };

const PREFIX = { 4: 24, 6: 64 } as const;
/** Addresses of one link that share not even this many bits still get one network. Ours. */
const PREFIX_MIN = 1;

/** The smallest network, from the usual prefix upwards, that holds all of `ips`. */
function networkAround(ips: readonly Ip[]): string {
  const first = ips[0] ?? { family: 4, bytes: [10, 0, 0, 0] };
  let prefix: number = PREFIX[first.family];
  while (prefix > PREFIX_MIN && ips.some((ip) => networkOf(ip, prefix) !== networkOf(first, prefix))) prefix--;
  return networkOf(first, prefix);
}

/** Names of machines: letters, digits and hyphens, each once. */
function hostNames(values: ConfValues, positions: readonly number[]): string[] {
  const used = new Set<string>();
  const next = new Map<string, number>();
  return positions.map((p) => {
    const listed = (stringOf(values, `nodelist.node.${p}.name`) ?? "").split(".")[0] ?? "";
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

/** An address for a host name: the first free one of the link's network. */
function freeAddress(around: Ip, taken: Set<string>): string {
  const bytes = [...around.bytes];
  const last = bytes.length - 1;
  for (let host = 1; host < 255; host++) {
    bytes[last] = host;
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
    addresses: [] as { net: string; link: number; address: string }[],
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
  return {
    ok: true,
    cluster: {
      clusterName: stringOf(values, "totem.cluster_name") ?? "",
      configVersion: numberOf(values, "totem.config_version", "u64") ?? 0,
      nodes,
      networks,
      aliases: [...aliases].map(([name, address]) => ({ name, address })),
      findings,
    },
  };
}
