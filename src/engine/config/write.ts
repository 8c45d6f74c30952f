/**
 * The corosync.conf that `pvecm create` and its kin write for a cluster. Source: files written by the real pvecm, and by `pvecm
 * qdevice setup` for its quorum device.
 */

export interface PveNode {
  readonly name: string;
  readonly nodeId: number;
  /** 0 writes no quorum_votes key, as pvecm does. */
  readonly votes: number;
  /** Address per link, in the order of `links`; missing ones are left out. */
  readonly addresses: readonly (string | undefined)[];
}

export interface PveLink {
  readonly link: number;
  readonly priority?: number | undefined;
}

/** As `pvecm qdevice setup` writes it: ffsplit with one vote for an even number of nodes, else lms, whose votes corosync counts itself. */
export interface PveDevice {
  readonly algorithm: "ffsplit" | "lms";
  readonly host: string;
}

export type SettingValue = string | number;
export type Settings = Readonly<Record<string, SettingValue>>;

export interface PveConf {
  readonly clusterName: string;
  readonly configVersion: number;
  readonly nodes: readonly PveNode[];
  readonly links: readonly PveLink[];
  /** Further keys of totem, or other values for the usual ones. */
  readonly totem?: Settings | undefined;
  readonly quorum?: Settings | undefined;
  readonly device?: PveDevice | undefined;
  readonly logging?: Settings | undefined;
}

type Body = readonly (readonly [name: string, value: SettingValue | Body])[];

function render(body: Body, indent: string, out: string[]): void {
  for (const [name, value] of [...body].sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0))) {
    if (typeof value === "object") {
      out.push(`${indent}${name} {`);
      render(value, `${indent}  `, out);
      out.push(`${indent}}`);
      if (indent === "") out.push("");
    } else out.push(`${indent}${name}: ${value}`);
  }
}

function settings(defaults: Settings, more: Settings | undefined): [string, SettingValue][] {
  return Object.entries({ ...defaults, ...more });
}

function nodeBody(node: PveNode, links: readonly PveLink[]): Body {
  const body: [string, SettingValue][] = [
    ["name", node.name],
    ["nodeid", node.nodeId],
  ];
  if (node.votes !== 0) body.push(["quorum_votes", node.votes]);
  links.forEach(({ link }, i) => {
    const address = node.addresses[i];
    if (address !== undefined && address !== "") body.push([`ring${link}_addr`, address]);
  });
  return body;
}

function interfaceBody(link: PveLink): Body {
  return link.priority === undefined
    ? [["linknumber", link.link]]
    : [
        ["knet_link_priority", link.priority],
        ["linknumber", link.link],
      ];
}

function deviceBody({ algorithm, host }: PveDevice): Body {
  const net: Body = [
    ["algorithm", algorithm],
    ["host", host],
    ["tls", "on"],
  ];
  const body: Body = [
    ["model", "net"],
    ["net", net],
  ];
  return algorithm === "ffsplit" ? [...body, ["votes", 1]] : body;
}

/** The whole text, ending as the real file does (a blank line after the last section). */
export function writePveConf(conf: PveConf): string {
  const body: Body = [
    ["logging", settings({ debug: "off", to_syslog: "yes" }, conf.logging)],
    ["nodelist", conf.nodes.map((node) => ["node", nodeBody(node, conf.links)] as const)],
    [
      "quorum",
      [
        ...settings({ provider: "corosync_votequorum" }, conf.quorum),
        ...(conf.device === undefined ? [] : [["device", deviceBody(conf.device)] as const]),
      ],
    ],
    [
      "totem",
      [
        ...settings(
          {
            cluster_name: conf.clusterName,
            config_version: conf.configVersion,
            ip_version: "ipv4-6",
            link_mode: "passive",
            secauth: "on",
            version: 2,
          },
          conf.totem,
        ),
        ...conf.links.map((link) => ["interface", interfaceBody(link)] as const),
      ],
    ],
  ];
  const out: string[] = [];
  render(body, "", out);
  return `${out.join("\n")}\n`;
}
