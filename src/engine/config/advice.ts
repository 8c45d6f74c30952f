/**
 * What corosync accepts without a word although people must know: the second half of the checker. One small rule each, in the order of the file's
 * sections. Sources: recorded verdicts of the real daemon, corosync.conf(5), votequorum(5), and what cluster operators are told over and over.
 */
import type { ConfEntry, ConfSection } from "./ast.ts";
import { labAdvice } from "./advice-lab.ts";
import { quorumAdvice } from "./advice-quorum.ts";
import { upstreamAdvice } from "./advice-upstream.ts";
import { totemAdvice } from "./advice-totem.ts";
import type { Finding } from "./finding.ts";
import { placeOf } from "./finding.ts";
import { networkOf, parseIp } from "./ip.ts";
import { nodePositions, ringKeys } from "./links.ts";
import type { ParseOutcome } from "./parse.ts";
import { readQuorum } from "./quorum.ts";
import { parseTieBreaker } from "./tie-breaker.ts";
import { numberOf, stringOf } from "./values.ts";

/** Findings of one rule at most. Ours. */
const PER_RULE_MAX = 50;

interface Node {
  readonly position: number;
  readonly name: string;
  readonly votes: number;
  /** By link number, as written. */
  readonly addresses: ReadonlyMap<number, string>;
}

function nodesOf({ values }: ParseOutcome): Node[] {
  const rings = ringKeys(values);
  return nodePositions(values)
    .sort((a, b) => a - b)
    .map((position) => ({
      position,
      name: stringOf(values, `nodelist.node.${position}.name`) ?? "",
      votes: numberOf(values, `nodelist.node.${position}.quorum_votes`, "u32") ?? 1,
      addresses: new Map((rings.get(position) ?? []).filter((r) => r.text !== "").map((r) => [r.link, r.text])),
    }));
}

type Add = (severity: Finding["severity"], code: string, key: string, text: string, mend: string, ...sections: string[]) => void;

function nodeNames(nodes: readonly Node[], add: Add): void {
  const seen = new Map<string, number>();
  for (const node of nodes) {
    const key = `nodelist.node.${node.position}.name`;
    if (node.name === "") {
      const any = [...node.addresses.keys()][0];
      add(
        "warning",
        "missing-node-name",
        any === undefined ? `nodelist.node.${node.position}.nodeid` : `nodelist.node.${node.position}.ring${any}_addr`,
        `entry ${node.position + 1} of the nodelist has no name`,
        "write the host's name; the cluster stack and several links need it",
        "nodelist",
      );
    } else if (seen.has(node.name))
      add(
        "warning",
        "duplicate-name",
        key,
        `the name '${node.name}' is given to two nodes; corosync takes the first entry as its own on both`,
        "give every node its own name",
      );
    seen.set(node.name, node.position);
  }
}

function addresses(nodes: readonly Node[], add: Add): void {
  const owner = new Map<string, string>();
  for (const node of nodes) {
    const who = node.name === "" ? `entry ${node.position + 1}` : node.name;
    if (node.addresses.size === 0) {
      add(
        "warning",
        "node-without-address",
        `nodelist.node.${node.position}.nodeid`,
        `${who} has no address: it counts in the votes and can never be reached`,
        "give it a ring0_addr, or remove the entry",
        "nodelist",
      );
    }
    const nets = new Map<string, number>();
    for (const [link, text] of node.addresses) {
      const key = `nodelist.node.${node.position}.ring${link}_addr`;
      const ip = parseIp(text);
      if (ip === undefined)
        add(
          "warning",
          "host-name-address",
          key,
          `'${text}' is a host name: the cluster then depends on name resolution at every start`,
          "write the IP address",
        );
      const taken = owner.get(text);
      if (taken !== undefined)
        add(
          "warning",
          "duplicate-address",
          key,
          `the address ${text} is already used by ${taken}`,
          "give every node its own address on every link",
        );
      owner.set(text, `${who} on link ${link}`);
      if (ip === undefined) continue;
      if ((ip.family === 4 && ip.bytes[0] === 127) || networkOf(ip, 128) === "::1/128")
        add(
          "warning",
          "loopback-address",
          key,
          `${text} is a loopback address: no other node ever reaches ${who} there`,
          "write the address of the cluster network",
        );
      const net = networkOf(ip, ip.family === 4 ? 24 : 64);
      const other = nets.get(net);
      if (other !== undefined)
        add(
          "warning",
          "links-in-one-subnet",
          key,
          `links ${other} and ${link} of ${who} are both in ${net}: one network fault takes both`,
          "put each link on a network of its own",
        );
      nets.set(net, link);
    }
  }
}

/** What an address is usually one of: /24, for IPv6 /64. The file does not tell the real prefix. */
function usualNetwork(text: string): string | undefined {
  const ip = parseIp(text);
  return ip === undefined ? undefined : networkOf(ip, ip.family === 4 ? 24 : 64);
}

/** The addresses of one link, where not all are in the network that most of them are in. */
function subnets(nodes: readonly Node[], add: Add): void {
  for (const link of new Set(nodes.flatMap((n) => [...n.addresses.keys()]))) {
    const all = nodes.flatMap((node) => {
      const address = node.addresses.get(link);
      const net = address === undefined ? undefined : usualNetwork(address);
      return address === undefined || net === undefined ? [] : [{ node, address, net }];
    });
    const count = new Map<string, number>();
    for (const { net } of all) count.set(net, (count.get(net) ?? 0) + 1);
    const [most] = [...count].reduce<readonly [string, number]>((best, one) => (one[1] > best[1] ? one : best), ["", 0]);
    const reference = all.find(({ net }) => net === most);
    if (reference === undefined) continue;
    for (const { node, address, net } of all)
      if (net !== most)
        add(
          "warning",
          "link-in-two-subnets",
          `nodelist.node.${node.position}.ring${link}_addr`,
          `link ${link}: ${address} is not in ${most} like ${reference.address}: unless the network is wider, the two meet through a router or not at all`,
          "check the address and the host's prefix; one link is best one network without a router",
        );
  }
}

function links(parsed: ParseOutcome, nodes: readonly Node[], add: Add): void {
  const used = new Set(nodes.flatMap((n) => [...n.addresses.keys()]));
  if (nodes.length > 1 && used.size === 1) {
    const first = nodes[0];
    const link = [...used][0] ?? 0;
    add(
      "note",
      "single-link",
      `nodelist.node.${first?.position ?? 0}.ring${link}_addr`,
      "one link only: a single switch or cable fault splits the cluster",
      "add a second network as ring1_addr",
    );
  }
  if (used.size > 0 && !used.has(0)) {
    add(
      "warning",
      "no-link-0",
      "",
      "no node has a ring0_addr: corosync then ignores token_coefficient, and some tools show no addresses",
      "start the links at ring0_addr",
      "nodelist",
    );
  }
  walk(parsed.conf.entries, "", (section, path) => {
    if (path !== "totem.interface") return;
    const own = [...section.entries].reverse().find((e) => e.kind === "key" && e.name === "linknumber");
    const number = own?.kind === "key" ? Number(own.value) : 0;
    if (!Number.isInteger(number) || used.has(number) || nodes.length === 0) return;
    add(
      "warning",
      "interface-without-addresses",
      `@${section.line}:${section.column}`,
      `an interface section for link ${number}, but no node has a ring${number}_addr`,
      "remove the section, or give every node an address on that link",
    );
  });
  const first = nodes[0];
  if (first !== undefined && first.name === "" && !first.addresses.has(0)) {
    add(
      "warning",
      "first-node-empty",
      `nodelist.node.${first.position}.nodeid`,
      "the first entry has neither name nor ring0_addr: corosync then reads no members at all",
      "complete or remove the first entry",
      "nodelist",
    );
  }
}

function votes(parsed: ParseOutcome, nodes: readonly Node[], add: Add): void {
  const quorum = readQuorum(parsed.values);
  const count = nodes.length;
  if (quorum.provider === undefined) {
    return add(
      "warning",
      "no-quorum-provider",
      "",
      "no quorum provider: every part of a split cluster goes on working",
      "write `provider: corosync_votequorum` in the quorum section",
      "quorum",
    );
  }
  if (quorum.twoNode && count !== 2)
    add(
      "warning",
      "two-node-count",
      "quorum.two_node",
      `two_node is set with ${count} ${count === 1 ? "node" : "nodes"}: it is meant for exactly two`,
      "remove two_node",
    );
  else if (quorum.twoNode)
    add(
      "warning",
      "two-node",
      "quorum.two_node",
      "two_node: both halves of a split stay quorate",
      "use a QDevice instead, or fencing that is sure to work",
    );
  if (quorum.twoNode && quorum.autoTieBreaker)
    add(
      "warning",
      "two-node-tie-breaker",
      "quorum.two_node",
      "two_node and auto_tie_breaker do not go together: corosync switches two_node off",
      "remove one of them",
    );
  const total = quorum.nodelistVotes;
  if (quorum.expectedVotes !== undefined && count > 0 && quorum.device === undefined && quorum.expectedVotes !== total) {
    add(
      "warning",
      "expected-votes",
      "quorum.expected_votes",
      `expected_votes is ${quorum.expectedVotes}, the nodelist sums up to ${total}`,
      "remove expected_votes; the nodelist counts",
    );
  }
  if (count > 1 && total % 2 === 0 && quorum.device === undefined && !quorum.twoNode && !quorum.autoTieBreaker) {
    add(
      "note",
      "even-votes",
      "",
      `${total} votes without a QDevice: a split into equal halves stops both`,
      "add a QDevice, or an odd number of votes",
      "nodelist",
    );
  }
  for (const node of nodes) {
    const key = `nodelist.node.${node.position}.quorum_votes`;
    if (node.votes === 0)
      add("warning", "zero-votes", key, "0 votes: this node never counts for quorum", "give it 1 vote unless that is meant");
    else if (total > 0 && count > 2 && node.votes * 2 > total)
      add("warning", "one-node-majority", key, `${node.votes} of ${total} votes: no quorum without this node`, "spread the votes evenly");
  }
  if (quorum.lastManStanding && !quorum.waitForAll)
    add(
      "warning",
      "last-man-standing",
      "quorum.last_man_standing",
      "last_man_standing without wait_for_all: separated survivors may each count themselves down",
      "set wait_for_all: 1 too",
    );
  tieBreaker(parsed, total, add);
}

function tieBreaker(parsed: ParseOutcome, total: number, add: Add): void {
  const quorum = readQuorum(parsed.values);
  const node = quorum.autoTieBreakerNode;
  if (!quorum.autoTieBreaker) {
    if (node !== undefined)
      add(
        "note",
        "tie-breaker-node",
        "quorum.auto_tie_breaker_node",
        "auto_tie_breaker_node has no meaning without auto_tie_breaker",
        "remove it, or set auto_tie_breaker: 1",
      );
    return;
  }
  const breaker = node === undefined ? undefined : parseTieBreaker(node);
  if (breaker?.type === "list" && !/^[0-9]+( +[0-9]+)*$/.test(node ?? ""))
    add(
      "warning",
      "tie-breaker-list",
      "quorum.auto_tie_breaker_node",
      `of '${node ?? ""}' corosync takes the node ids ${breaker.nodes.join(", ")}: only blanks part them, and of each piece only the number it begins with counts`,
      "write node ids with blanks between them",
    );
  if (node !== undefined && breaker === undefined) {
    add(
      "warning",
      "tie-breaker-node",
      "quorum.auto_tie_breaker_node",
      `'${node}' is no tie breaker node: corosync switches auto_tie_breaker off`,
      "write lowest, highest or a list of node ids",
    );
  } else if (total % 2 === 1 && !quorum.waitForAll) {
    add(
      "warning",
      "tie-breaker-odd",
      "quorum.auto_tie_breaker",
      "auto_tie_breaker with an odd number of votes and without wait_for_all: corosync switches it off",
      "remove it, or set wait_for_all: 1",
    );
  }
}

/** Top-level sections that may stand there once only without surprise, and comments that are none. */
function writing(parsed: ParseOutcome, add: Add): void {
  const seen = new Map<string, number>();
  for (const entry of parsed.conf.entries) {
    const at = `@${entry.line}:${entry.column}`;
    if (entry.kind === "key") {
      add(
        "warning",
        "stray-key",
        at,
        `'${entry.name}' stands outside every section and is ignored`,
        "move it into the section it belongs to",
      );
      continue;
    }
    const before = seen.get(entry.name);
    if (before !== undefined && entry.name === "nodelist")
      add(
        "warning",
        "second-nodelist",
        at,
        `a second nodelist (the first is in line ${before}): its nodes replace the first ones, counted from 0`,
        "put all nodes into one nodelist",
      );
    else if (before !== undefined)
      add(
        "warning",
        "repeated-section",
        at,
        `a second ${entry.name} section (the first is in line ${before}): they are merged, later keys win`,
        "merge them by hand",
      );
    seen.set(entry.name, entry.line);
  }
  const doubles = (entries: readonly ConfEntry[]): void => {
    const keys = new Map<string, number>();
    for (const entry of entries) {
      if (entry.kind !== "key") continue;
      const at = `@${entry.line}:${entry.column}`;
      const before = keys.get(entry.name);
      if (before !== undefined)
        add("warning", "repeated-key", at, `'${entry.name}' was already set in line ${before}; this one wins`, "remove one of them");
      keys.set(entry.name, entry.line);
      const hash = /[ \t]#/.exec(entry.value);
      if (hash !== null)
        add(
          "warning",
          "comment-after-value",
          `@${entry.line}:${entry.valueColumn + hash.index + 1}`,
          `the value is '${entry.value}': corosync knows no comments after a value`,
          "put the comment on a line of its own",
        );
    }
  };
  doubles(parsed.conf.entries);
  walk(parsed.conf.entries, "", (section) => doubles(section.entries));
}

function walk(entries: readonly ConfEntry[], path: string, visit: (section: ConfSection, path: string) => void): void {
  for (const entry of entries) {
    if (entry.kind !== "section") continue;
    const below = path === "" ? entry.name : `${path}.${entry.name}`;
    visit(entry, below);
    walk(entry.entries, below, visit);
  }
}

/** Everything accepted in silence that is worth a word. */
export function advise(parsed: ParseOutcome): Finding[] {
  const out: Finding[] = [];
  const counts = new Map<string, number>();
  const add: Add = (severity, code, key, text, mend, ...sections) => {
    const n = counts.get(code) ?? 0;
    counts.set(code, n + 1);
    if (n >= PER_RULE_MAX) return;
    const at = /^@([0-9]+):([0-9]+)$/.exec(key);
    const place = at === null ? placeOf(parsed.conf, parsed.values, key, ...sections) : { line: Number(at[1]), column: Number(at[2]) };
    out.push({ severity, code, ...place, text, mend });
  };
  const nodes = nodesOf(parsed);
  nodeNames(nodes, add);
  addresses(nodes, add);
  subnets(nodes, add);
  links(parsed, nodes, add);
  votes(parsed, nodes, add);
  quorumAdvice(parsed, add);
  totemAdvice(parsed, add);
  labAdvice(parsed, add);
  upstreamAdvice(parsed, add);
  writing(parsed, add);
  return out;
}
