/**
 * The disk of a freshly installed machine: the directories and the few files a person or a tool of the lab looks at. In the real stack: what the
 * Proxmox VE installer leaves. Left out: libraries, and everything the lab models no reader of.
 */
import { utf8 } from "../kernel/index.ts";
import { GROUP, PASSWD } from "./base-accounts.ts";
import { interfaceStanza, type NicDesign } from "./nics.ts";

const DIRECTORIES = [
  "/boot",
  "/dev",
  "/etc/corosync",
  "/etc/default",
  "/etc/network",
  "/home",
  "/media",
  "/mnt",
  "/opt",
  "/proc",
  "/run",
  "/srv",
  "/sys",
  "/usr/bin",
  "/usr/lib",
  "/usr/local/bin",
  "/usr/local/sbin",
  "/usr/sbin",
  "/usr/share",
  "/var/lib/corosync",
  "/var/log/corosync",
  "/var/tmp",
];

const LINKS: readonly [string, string][] = [
  ["/bin", "usr/bin"],
  ["/lib", "usr/lib"],
  ["/sbin", "usr/sbin"],
  ["/etc/os-release", "../usr/lib/os-release"],
];

/** Debian 12's os-release(5), the release the reference daemons were recorded on. */
const OS_RELEASE = `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
HOME_URL="https://www.debian.org/"
SUPPORT_URL="https://www.debian.org/support"
BUG_REPORT_URL="https://bugs.debian.org/"
`;

/** One line of /etc/hosts: `10.0.0.11 pve1.lab.local pve1`. */
export interface HostEntry {
  readonly address: string;
  readonly names: readonly string[];
}

export interface BaseDesign {
  readonly hostname: string;
  readonly domain: string;
  readonly nics: readonly NicDesign[];
  /** What /etc/hosts knows besides localhost; own name included. */
  readonly hosts: readonly HostEntry[];
}

function interfacesFile(nics: readonly NicDesign[]): string {
  const parts = ["auto lo\niface lo inet loopback\n"];
  for (const nic of nics) parts.push(interfaceStanza(nic));
  return parts.join("\n");
}

function hostsFile(base: BaseDesign): string {
  const lines = ["127.0.0.1 localhost.localdomain localhost"];
  for (const h of base.hosts) lines.push([h.address, ...h.names].join(" "));
  lines.push("", "::1 ip6-localhost ip6-loopback", "ff02::1 ip6-allnodes", "ff02::2 ip6-allrouters", "");
  return lines.join("\n");
}

/** Modes of directories where they are not 0755, as Debian 12 has them. */
const DIRECTORY_MODES: ReadonlyMap<string, number> = new Map([
  ["/proc", 0o555],
  ["/root", 0o700],
  ["/sys", 0o555],
  ["/tmp", 0o1777],
  ["/var/tmp", 0o1777],
]);

function textsOf(base: BaseDesign): readonly (readonly [string, string])[] {
  return [
    ["/etc/passwd", PASSWD],
    ["/etc/group", GROUP],
    ["/etc/hostname", `${base.hostname}\n`],
    ["/etc/hosts", hostsFile(base)],
    ["/etc/network/interfaces", interfacesFile(base.nics)],
    ["/etc/resolv.conf", `search ${base.domain}\n`],
    ["/etc/default/corosync", '# Command line options of corosync(8)\nCOROSYNC_OPTIONS=""\n'],
    ["/usr/lib/os-release", OS_RELEASE],
  ];
}

/** One thing on the disk of a machine that was just installed. All of it is root's. */
export interface BaseEntry {
  readonly path: string;
  readonly type: "directory" | "file" | "symlink";
  readonly mode: number;
  /** Of a file. */
  readonly data?: Uint8Array;
  /** Of a symbolic link. */
  readonly target?: string;
}

/** Every directory, link and file of a machine that was just installed, each after the directory it is in. */
export function baseEntries(base: BaseDesign): BaseEntry[] {
  const directories = new Set<string>();
  for (const dir of [...DIRECTORIES, "/root", "/tmp"]) {
    const names = dir.split("/").slice(1);
    for (let n = 1; n <= names.length; n++) directories.add(`/${names.slice(0, n).join("/")}`);
  }
  return [
    ...[...directories].map((path): BaseEntry => ({ path, type: "directory", mode: DIRECTORY_MODES.get(path) ?? 0o755 })),
    ...LINKS.map(([path, target]): BaseEntry => ({ path, type: "symlink", mode: 0o777, target })),
    ...textsOf(base).map(([path, text]): BaseEntry => ({ path, type: "file", mode: 0o644, data: utf8(text) })),
  ];
}
