/** A lab's cluster as files for real hosts: its corosync.conf, and a README of what to put where. The key is not among them: real hosts make their own. */
import {
  KEYFILE_DEFAULT,
  checkConf,
  isAboutLab,
  networkOf,
  parseConf,
  parseIp,
  readFromAfar,
  type DaemonConfig,
  type Finding,
} from "../../../engine/config/index.ts";
import { fromUtf8 } from "../../../engine/kernel/bytes.ts";
import type { World } from "../../../engine/world/world.ts";
import type { ExportFile, ExportWarning } from "../api.ts";
import { defaultLabFile, linksMax, nodesMax } from "./default-lab.ts";
import type { LabFile } from "./labfile-schema.ts";
import { Trouble } from "../trouble.ts";

const CONF_PATH = "/etc/corosync/corosync.conf";

/** Networks that stand for others in documentation and benchmarks (RFC 5737, RFC 3849, RFC 2544). */
const PLACEHOLDER_NETWORKS: readonly (readonly [cidr: string, prefix: number])[] = [
  ["192.0.2.0/24", 24],
  ["198.51.100.0/24", 24],
  ["203.0.113.0/24", 24],
  ["198.18.0.0/15", 15],
  ["2001:db8::/32", 32],
];

interface NodeConf {
  readonly node: string;
  readonly text: string;
  readonly version: number;
}

const versionOf = (text: string): number => Number(parseConf(text).values.get("totem.config_version")?.text ?? 0);

/** The file of every node that has one. */
function confs(world: Pick<World, "names" | "query">): NodeConf[] {
  const out: NodeConf[] = [];
  for (const node of world.names) {
    const reply = world.query(node, { kind: "file-read", path: CONF_PATH });
    if (reply.kind !== "file") continue;
    const text = fromUtf8(reply.data);
    out.push({ node, text, version: versionOf(text) });
  }
  return out;
}

let defaultAddresses: ReadonlySet<string> | undefined;

/** The addresses a new lab gives its nodes: nobody's own choice. */
function isDefaultAddress(address: string): boolean {
  defaultAddresses ??= new Set(
    Object.values(defaultLabFile({ nodes: nodesMax, links: linksMax, clustered: false, name: "", seed: "", epoch: "" }).nodes).flatMap(
      (n) => Object.values(n.nets),
    ),
  );
  return defaultAddresses.has(address);
}

/** Why an address is hardly the one of a real host; undefined if nothing speaks against it. */
function placeholder(address: string): string | undefined {
  const ip = parseIp(address);
  if (ip === undefined) return "a host name: it must resolve to the same address on every host, also without DNS";
  if (isDefaultAddress(address)) return "the lab's own default, not an address anybody chose";
  const found = PLACEHOLDER_NETWORKS.find(([cidr, prefix]) => networkOf(ip, prefix) === cidr);
  return found === undefined ? undefined : `from ${found[0]}, a network for examples`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}

/** The addresses that hardly are those of real hosts. */
function placeholders(config: DaemonConfig): { node: string; link: number; address: string; why: string }[] {
  return config.nodes.flatMap((n) =>
    n.written.flatMap((address, link) => {
      const why = address === "" ? undefined : placeholder(address);
      return why === undefined ? [] : [{ node: n.name, link, address, why }];
    }),
  );
}

function addressesPart(config: DaemonConfig): string[] {
  const rows = config.nodes.map((n) => [n.name, String(n.nodeId), String(n.votes), ...config.links.map((l) => n.written[l.link] ?? "")]);
  const odd = placeholders(config).map(({ node, link, address, why }) => `- [ ] ${node}, link ${link}: \`${address}\` is ${why}`);
  const flagged =
    odd.length === 0
      ? ["No placeholder among the addresses."]
      : [
          "**Placeholders: replace these before use.** In `corosync.conf` put the real host's address in their place, then check the file again",
          "with `quorate conf check corosync.conf`.",
          "",
          ...odd,
        ];
  return [
    "## Hosts and addresses",
    "",
    ...table(["host", "node id", "votes", ...config.links.map((l) => `link ${l.link}`)], rows),
    "",
    ...flagged,
    "",
  ];
}

/** The command that makes the key where the file says it is. */
function keygen(keyfile: string): string {
  return keyfile === KEYFILE_DEFAULT ? "corosync-keygen" : `corosync-keygen -k ${keyfile}`;
}

function plainSteps(config: DaemonConfig): string[] {
  const first = config.nodes[0]?.name ?? "the first host";
  const encrypted = config.crypto.cipher !== "none" || config.crypto.hash !== "none";
  const steps = [
    `Every host's name (\`hostname\`) is its name in the table, and every address in the table is on a card of that host.`,
    `\`corosync.conf\` goes to \`${CONF_PATH}\` on every host, the same file everywhere (owner root, mode 0644).`,
    ...(encrypted
      ? [
          `The key is not part of this export: a key that has lain in a lab is no secret. On ${first} run \`${keygen(config.keyfile)}\`; it writes \`${config.keyfile}\` (mode 0400). Copy that file to the same place on every other host.`,
        ]
      : ["The file switches encryption off, so no key is needed. Anybody on the network can then take part."]),
    `\`systemctl enable --now corosync\` on every host.`,
    `\`corosync-quorumtool -s\` on any host shows ${config.nodes.length} nodes and \`Quorate: Yes\`; \`corosync-cfgtool -n\` shows every link connected.`,
  ];
  return ["## With plain corosync", "", ...steps.map((s, i) => `${i + 1}. ${s}`), ""];
}

function linkOptions(config: DaemonConfig, written: readonly string[]): string {
  return config.links.map((l) => `--link${l.link} ${written[l.link] ?? ""}${l.priority === 1 ? "" : `,priority=${l.priority}`}`).join(" ");
}

function pveSteps(config: DaemonConfig): string[] {
  const [first, ...others] = config.nodes;
  if (first === undefined) return [];
  const extra = (n: DaemonConfig["nodes"][number]): string => `--nodeid ${n.nodeId}${n.votes === 1 ? "" : ` --votes ${n.votes}`}`;
  return [
    "## On Proxmox VE hosts",
    "",
    "There `pvecm` writes the file and makes the key; do not copy `corosync.conf` onto hosts that have no cluster yet. The same cluster is made by:",
    "",
    "```",
    `${first.name}# pvecm create ${config.clusterName} ${extra(first)} ${linkOptions(config, first.written)}`,
    ...others.map(
      (n) =>
        `${n.name}# pvecm add ${first.written[config.links[0]?.link ?? 0] ?? first.name} ${extra(n)} ${linkOptions(config, n.written)}`,
    ),
    "```",
    "",
    "Then compare `/etc/pve/corosync.conf` with this `corosync.conf`. To carry over a difference edit a copy, raise `config_version` by one, and move",
    "the copy over `/etc/pve/corosync.conf` while the cluster is quorate.",
    "",
  ];
}

function findingsPart(findings: readonly Finding[]): string[] {
  if (findings.length === 0) return ["## What the checker says", "", "Nothing.", ""];
  return ["## What the checker says", "", ...findings.map((f) => `- ${f.severity}, line ${f.line}: ${f.text} — ${f.mend}`), ""];
}

/** Whether pvecm wrote the file: corosync's own default is ipv6-4, and nobody else writes secauth any more. */
function isPve(text: string): boolean {
  const { values } = parseConf(text);
  return values.get("totem.ip_version")?.text === "ipv4-6" && values.get("totem.secauth")?.text === "on";
}

function readme(lab: LabFile, config: DaemonConfig, findings: readonly Finding[], behind: readonly string[], pve: boolean): string {
  const ports = config.links.map((l) => `${l.mcastport}/udp (link ${l.link})`).join(", ");
  return [
    `# Cluster ${config.clusterName}`,
    "",
    `Exported from the lab "${lab.name.replace(/[\r\n]+/g, " ")}": ${config.nodes.length} ${config.nodes.length === 1 ? "node" : "nodes"}, ${config.links.length} ${config.links.length === 1 ? "link" : "links"}, config_version ${config.configVersion}.`,
    "",
    ...(behind.length === 0
      ? []
      : [`In the lab ${behind.join(", ")} had another \`corosync.conf\` than this one, which has the highest config_version.`, ""]),
    ...addressesPart(config),
    "## Network",
    "",
    `Between all hosts, in both directions, the firewall lets through: ${ports}.`,
    `Effective token timeout ${config.totem.tokenMs} ms, consensus ${config.totem.consensusMs} ms: the round trip between any two hosts should stay below 5 ms.`,
    "",
    ...(pve ? [...pveSteps(config), ...plainSteps(config)] : [...plainSteps(config), ...pveSteps(config)]),
    ...findingsPart(findings),
  ].join("\n");
}

const newestOf = (all: readonly NodeConf[]): NodeConf | undefined =>
  all.reduce<NodeConf | undefined>((best, c) => (best === undefined || c.version > best.version ? c : best), undefined);

/** Addresses named in one warning. */
const NAMED_MAX = 4;

/** What a person must have seen before an export is taken onto real hosts. Nothing where there is nothing to export. */
export function exportWarnings(world: Pick<World, "names" | "query" | "design">): ExportWarning[] {
  const newest = newestOf(confs(world));
  const config = newest === undefined ? undefined : readFromAfar(newest.text);
  if (newest === undefined || config === undefined) return [];
  const out: ExportWarning[] = [];
  const odd = placeholders(config);
  if (odd.length > 0) {
    const named = odd.slice(0, NAMED_MAX).map(({ node, address }) => `${address} (${node})`);
    const more = odd.length > named.length ? ` and ${odd.length - named.length} more` : "";
    out.push({
      code: "placeholder",
      text: `placeholder addresses: ${named.join(", ")}${more} are not those of real hosts; replace them first`,
    });
  }
  const began = Math.max(
    0,
    ...world.design.machines.flatMap((m) => m.files.filter((f) => f.path === CONF_PATH)).map((f) => versionOf(fromUtf8(f.data))),
  );
  if (newest.version < began)
    out.push({
      code: "version",
      text: `config_version is ${newest.version}, lower than the ${began} of the file this lab was made from: real nodes that have that one take this for the older file`,
    });
  return out;
}

/**
 * The files of an export, paths relative to its directory. The newest corosync.conf of the lab is the one exported, byte for byte. Throws Trouble
 * (failed) when there is none, or when real corosync would refuse it.
 */
export function exportLab(lab: LabFile, world: Pick<World, "names" | "query">): ExportFile[] {
  const all = confs(world);
  const newest = newestOf(all);
  if (newest === undefined) throw new Trouble("failed", `no node of this lab has ${CONF_PATH}; form a cluster first`);
  const findings = checkConf(newest.text).filter((f) => !isAboutLab(f));
  const error = findings.find((f) => f.severity === "error");
  const config = error === undefined ? readFromAfar(newest.text) : undefined;
  if (config === undefined) {
    const where = error === undefined ? "" : `:${error.line}:${error.column}: ${error.text}`;
    throw new Trouble("failed", `real corosync refuses the file of ${newest.node}: ${CONF_PATH}${where}`);
  }
  const behind = all.filter((c) => c.text !== newest.text).map((c) => c.node);
  return [
    { path: "corosync.conf", text: newest.text, mode: 0o644 },
    { path: "README.md", text: readme(lab, config, findings, behind, isPve(newest.text)), mode: 0o644 },
  ];
}
