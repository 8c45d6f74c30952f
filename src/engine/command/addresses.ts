/**
 * Addresses as corosync's tools print them. In the real stack: getnameinfo and inet_ntop over what corosync and its cfg library keep of an address. Source: corosync-cfgtool and corosync-quorumtool
 * of 3.1.7 on links of both families. Left out: the name of the interface that a link-local address would have instead of a number.
 */
import { formatIp, parseIp } from "../config/index.ts";

/** The scope that corosync writes into each IPv6 address of a link, and getnameinfo prints. */
const SCOPE = 2;

/** An address of a link, as knet keeps it: `10.0.0.11`, `2001:db8::11%2`. */
export function linkAddress(address: string): string {
  return address.includes(":") ? `${address}%${SCOPE}` : address;
}

/**
 * The addresses of one node by corosync_cfg_get_node_addrs, which has one address family for all of them, that of the first: of an IPv6 address after an IPv4 one four bytes are
 * left, and an IPv4 one after an IPv6 one is filled up with zeros.
 */
export function nodeAddresses(addresses: readonly string[]): string[] {
  const given = addresses.filter((a) => a !== "").map((a) => parseIp(a));
  const family = given[0]?.family ?? 4;
  return given.flatMap((ip) => {
    if (ip === undefined) return [];
    const bytes = Array.from({ length: family === 4 ? 4 : 16 }, (_, i) => ip.bytes[i] ?? 0);
    return [formatIp({ family, bytes })];
  });
}
