/**
 * The name service of a machine: names to addresses and back, by its own /etc/hosts. In the real stack: getaddrinfo and getnameinfo of glibc with `hosts: files dns`, as Debian has it. Source: getent
 * and corosync-quorumtool of Debian 12 on files of many shapes. Left out: DNS. A lab has no name server, so what the file does not know stays unknown, with the error of a server that cannot be reached.
 */
import { formatIp, parseIp } from "./ip.ts";

export const HOSTS_PATH = "/etc/hosts";

/** What getaddrinfo says of a name that the file does not know (EAI_AGAIN). */
export const NOT_RESOLVED = "Temporary failure in name resolution";

/** A line of the file. */
export interface HostsEntry {
  /** As the kernel prints it. */
  readonly address: string;
  readonly family: 4 | 6;
  /** The first is the canonical one. */
  readonly names: readonly string[];
}

/** IPv4 within IPv6 (`::ffff:10.0.0.11`) is taken as IPv4. */
function plain(address: string): { readonly address: string; readonly family: 4 | 6 } | undefined {
  const ip = parseIp(address);
  if (ip === undefined) return undefined;
  const mapped = ip.family === 6 && ip.bytes.slice(0, 10).every((b) => b === 0) && ip.bytes[10] === 255 && ip.bytes[11] === 255;
  const taken = mapped ? ({ family: 4, bytes: ip.bytes.slice(12) } as const) : ip;
  return { address: formatIp(taken), family: taken.family };
}

/** The lines of /etc/hosts, in their order; a line whose first word is no whole address counts for nothing. */
export function hostsEntries(text: string): HostsEntry[] {
  const out: HostsEntry[] = [];
  for (const line of text.split("\n")) {
    const [address = "", ...names] = (line.split("#")[0] ?? "").trim().split(/\s+/);
    const whole = address.includes(":") || /^(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})$/.test(address);
    const taken = whole ? plain(address) : undefined;
    if (taken !== undefined && names.length > 0) out.push({ ...taken, names });
  }
  return out;
}

const lower = (name: string): string => name.toLowerCase();

/** The lines that have this name, whatever its case. */
export function entriesNamed(text: string, name: string): HostsEntry[] {
  return hostsEntries(text).filter((e) => e.names.some((n) => lower(n) === lower(name)));
}

/** The line of an address; the first of several. */
export function entryOf(text: string, address: string): HostsEntry | undefined {
  const wanted = plain(address);
  return wanted && hostsEntries(text).find((e) => e.address === wanted.address);
}

/** getaddrinfo: the addresses of a name, in the order of the file; empty where there are none. A literal address is its own. */
export function addressesOf(text: string, name: string): string[] {
  const ip = parseIp(name);
  if (ip !== undefined) return [formatIp(ip)];
  return [...new Set(entriesNamed(text, name).map((e) => e.address))];
}

/** getnameinfo: the canonical name of an address; undefined where the file does not know it. */
export function canonicalName(text: string, address: string): string | undefined {
  return entryOf(text, address)?.names[0];
}
