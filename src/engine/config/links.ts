/**
 * Nodes and links out of the map: which node is this one, which address each node has on which link, and which links exist. In the real stack:
 * the interface and nodelist halves of totem_config_read. A link exists
 * when an interface section says anything known about it, or a node has an address on it.
 */
import { LINKS_MAX } from "../kernel/limits.ts";
import type { DaemonNode, HostFacts } from "./daemon.ts";
import { formatIp, parseIp, parseScopedIp } from "./ip.ts";
import type { Reason } from "./refuse.ts";
import type { ConfValues } from "./values.ts";
import { numberOf, stringOf } from "./values.ts";

/** Node ids of knet: below this. */
const KNET_NODE_IDS = 65_536;

export interface LinkTable {
  /** Configured links, ascending. */
  readonly links: readonly number[];
  /** Links whose local side is known: by an interface section or the local node's address. The others have no port. */
  readonly withPort: ReadonlySet<number>;
  /** Position of this node; undefined if none is it. */
  readonly local: number | undefined;
  /** Position of the entry whose addresses the daemon takes for its own: this node's, else the last. Undefined where it takes none. */
  readonly assumed: number | undefined;
  readonly nodes: readonly DaemonNode[];
}

/** Positions of the nodelist, in the order of the map (sorted as text, as the daemon iterates). */
export function nodePositions(values: ConfValues): number[] {
  const found = new Set<string>();
  for (const key of values.keys()) {
    const m = /^nodelist\.node\.([0-9]+)\./.exec(key);
    if (m?.[1] !== undefined) found.add(m[1]);
  }
  return [...found].sort().map(Number);
}

function nodeString(values: ConfValues, position: number, key: string): string | undefined {
  return stringOf(values, `nodelist.node.${position}.${key}`);
}

/**
 * Which entry of the nodelist is this machine: by host name, then the host name with trailing domain parts taken off, then listed names cut at
 * their first dot, each against `name` and `ring0_addr`; then by the machine's own addresses. Source: observed.
 */
export function findLocal(
  values: ConfValues,
  positions: readonly number[],
  host: Pick<HostFacts, "hostname" | "addresses">,
): number | undefined {
  const matches = (test: (text: string) => boolean): number | undefined =>
    positions.find((p) => ["name", "ring0_addr"].some((key) => test(nodeString(values, p, key) ?? "\0")));
  let found = matches((text) => text === host.hostname);
  for (let short = host.hostname; found === undefined && short.includes(".");) {
    short = short.slice(0, short.lastIndexOf("."));
    const name = short;
    found = matches((text) => text === name);
  }
  found ??= matches((text) => parseIp(text) === undefined && text.split(".")[0] === host.hostname);
  return found ?? matches((text) => host.addresses.includes(text));
}

/** Address of `text` by the resolver strategy of totem.ip_version. */
function resolve(text: string, ipVersion: string, host: HostFacts): string | undefined {
  const literal = parseScopedIp(text);
  const all = literal === undefined ? (text === "" ? [] : host.resolve(text).map(parseScopedIp)) : [literal];
  const v4: string[] = [];
  const v6: string[] = [];
  for (const ip of all) if (ip !== undefined) (ip.family === 4 ? v4 : v6).push(formatIp(ip));
  if (ipVersion === "ipv4") return v4[0];
  if (ipVersion === "ipv6") return v6[0];
  return ipVersion === "ipv6-4" ? (v6[0] ?? v4[0]) : (v4[0] ?? v6[0]);
}

/** C's strtoul and atoi as the daemon reads link numbers with: what does not fit in 32 bits wraps. */
function linkNumber(text: string): number {
  const digits = /^-?[0-9]{1,20}/.exec(text)?.[0];
  return digits === undefined ? 0 : Number(BigInt.asUintN(32, BigInt(digits)));
}

function tooLarge(link: number, key: string): Reason {
  return { text: `parse error in config: interface ring number ${link} is bigger than allowed maximum ${LINKS_MAX - 1}`, key };
}

/**
 * Links that the map's interface keys are about, those of the local node's addresses among them, which replace bindnetaddr. Each is looked at when its first key comes, in the
 * order of the map; the number is what atoi makes of the word in its place.
 */
function interfaceLinks(values: ConfValues, own: readonly RingKey[], ipVersion: string, host: HostFacts): { links: Set<number> } | Reason {
  const places = new Map<string, string>();
  for (const key of values.keys()) if (key.startsWith("totem.interface.")) places.set(key, key);
  for (const { link, key } of own) places.set(`totem.interface.${link}.bindnetaddr`, key);
  const links = new Set<number>();
  for (const name of [...places.keys()].sort()) {
    const word = /^totem\.interface\.([^.]+)\../.exec(name)?.[1];
    if (word === undefined) continue;
    const link = linkNumber(word);
    if (links.has(link)) continue;
    if (link >= LINKS_MAX) return tooLarge(link, places.get(name) ?? name);
    const refusal = interfaceRefusal(values, link, places, ipVersion, host);
    if (refusal !== undefined) return refusal;
    links.add(link);
  }
  return { links };
}

function interfaceRefusal(
  values: ConfValues,
  link: number,
  places: ReadonlyMap<string, string>,
  ipVersion: string,
  host: HostFacts,
): Reason | undefined {
  const at = (name: string): string | undefined => places.get(`totem.interface.${link}.${name}`);
  for (const kind of ["bindnet", "mcast"]) {
    const key = at(`${kind}addr`);
    const text = key === undefined ? undefined : stringOf(values, key);
    if (text !== undefined && resolve(text, ipVersion, host) === undefined)
      return { text: `failed to parse ${kind} address '${text}'`, key };
  }
  const transport = at("knet_transport");
  if (transport !== undefined && !["udp", "sctp"].includes(stringOf(values, transport) ?? ""))
    return { text: "Unrecognised knet_transport. expected 'udp' or 'sctp'", key: transport };
  return undefined;
}

export interface RingKey {
  readonly link: number;
  readonly key: string;
  readonly text: string;
}

/** ringN_addr keys per position, each list in the order of the map. One pass, so that a huge nodelist stays cheap. */
export function ringKeys(values: ConfValues): ReadonlyMap<number, readonly RingKey[]> {
  const out = new Map<number, RingKey[]>();
  for (const [key, value] of values) {
    const m = /^nodelist\.node\.([0-9]+)\.ring(-?[0-9]+)_addr$/.exec(key);
    if (m === null) continue;
    const position = Number(m[1]);
    const list = out.get(position) ?? [];
    list.push({ link: linkNumber(m[2] ?? ""), key, text: value.text });
    out.set(position, list);
  }
  for (const list of out.values()) list.sort((x, y) => (x.key < y.key ? -1 : 1));
  return out;
}

/** One entry as a member, or what the daemon says about it. */
function readNode(
  values: ConfValues,
  position: number,
  rings: readonly RingKey[],
  ipVersion: string,
  host: HostFacts,
  knet: boolean,
): DaemonNode | Reason {
  const nodeId = numberOf(values, `nodelist.node.${position}.nodeid`, "u32") ?? 0;
  const addresses: string[] = [];
  const written: string[] = [];
  for (const { link, key, text } of rings) {
    const about = values.has(`nodelist.node.${position}.nodeid`) ? `nodelist.node.${position}.nodeid` : key;
    if (knet && nodeId === 0) return { text: `Knet requires an explicit nodeid to be specified for address '${text}'.`, key: about };
    if (knet && nodeId >= KNET_NODE_IDS)
      return { text: `Knet requires nodeid to be less than ${KNET_NODE_IDS} for address '${text}'.`, key: about };
    if (link >= LINKS_MAX) return tooLarge(link, key);
    const address = resolve(text, ipVersion, host);
    if (address === undefined) return { text: `failed to parse node address '${text}'`, key };
    addresses[link] = address;
    written[link] = text;
  }
  const dense = (list: string[]): string[] => Array.from(list, (x: string | undefined) => x ?? "");
  const votes = numberOf(values, `nodelist.node.${position}.quorum_votes`, "u32") ?? 1;
  return {
    position,
    name: nodeString(values, position, "name") ?? "",
    nodeId,
    votes,
    addresses: dense(addresses),
    written: dense(written),
  };
}

/**
 * Reads interface sections, the local node and all members, in the daemon's order. Where no entry is this machine the daemon goes on with the
 * last one until validation refuses, so its complaints about that entry come first; where the first entry has neither name nor ring0_addr it takes
 * no members at all, and finds itself nowhere if an interface section has a bindnetaddr (both observed).
 */
export function readLinks(values: ConfValues, host: HostFacts, ipVersion: string, knet: boolean): LinkTable | Reason {
  const positions = nodePositions(values);
  const rings = ringKeys(values);
  const found = findLocal(values, positions, host);
  const counts = nodeString(values, 0, "ring0_addr") !== undefined || nodeString(values, 0, "name") !== undefined;
  const assumed = found ?? positions[positions.length - 1];
  const sections = interfaceLinks(values, assumed === undefined ? [] : (rings.get(assumed) ?? []), ipVersion, host);
  if ("text" in sections) return sections;
  const links = sections.links;
  if (assumed !== undefined && knet && counts && !numberOf(values, `nodelist.node.${assumed}.nodeid`, "u32"))
    return { text: "Knet requires an explicit nodeid for the local node", key: `nodelist.node.${assumed}.nodeid` };
  const withPort = new Set(links);
  const nodes: DaemonNode[] = [];
  for (const position of positions) {
    const node = readNode(values, position, counts ? (rings.get(position) ?? []) : [], ipVersion, host, knet);
    if ("text" in node) return node;
    nodes.push(node);
    node.addresses.forEach((address, link) => {
      if (address !== "") links.add(link);
    });
  }
  const bound = [...links].some((link) => values.has(`totem.interface.${link}.bindnetaddr`));
  return {
    links: [...links].sort((a, b) => a - b),
    withPort,
    local: counts || !bound ? found : undefined,
    assumed: counts ? assumed : undefined,
    nodes: nodes.sort((a, b) => a.position - b.position),
  };
}
