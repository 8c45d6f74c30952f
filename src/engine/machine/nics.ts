/**
 * The network cards of one machine: which network each is on, its address, whether it is up, and which UDP ports somebody listens on. In the real
 * stack: netlink interfaces and the kernel's socket table. Left out: bridges, bonds, VLANs, routes and ARP; addresses are on the card itself.
 */
import { networkOf, parseIp } from "../config/index.ts";
import type { Datagram, NicDesign, NicStatus } from "../kernel/index.ts";

export type { NicDesign } from "../kernel/index.ts";

/** The card with this address. */
export function nicByAddress(nics: readonly NicStatus[], address: string): NicStatus | undefined {
  return nics.find((n) => n.address === address);
}

/** What the kernel answers when nobody listens on the port: ICMP type 3 code 3, or its ICMPv6 sister. The closed port is the source port. */
export function portUnreachable(datagram: Datagram): Datagram {
  return {
    proto: "icmp-port-unreachable",
    net: datagram.net,
    src: datagram.dst,
    srcPort: datagram.dstPort,
    dst: datagram.src,
    dstPort: datagram.srcPort,
    bytes: new Uint8Array(0),
  };
}

/** What the kernel answers to an echo request, stopped processes or not. */
export function echoReply(datagram: Datagram): Datagram {
  const { net, src, srcPort, dst, dstPort } = datagram;
  return { ...datagram, proto: "icmp-echo-reply", net, src: dst, srcPort: dstPort, dst: src, dstPort: srcPort };
}

/** The card in whose network an address is; a lab has no routers. `prefix`: length of the network prefix of a card. */
export function cardTo(nics: readonly NicStatus[], prefix: (nic: string) => number, address: string): NicStatus | undefined {
  return nics.find((n) => sameNetwork(n.address, address, prefix(n.name)));
}

/** Both addresses are in the network of a card with this prefix length. */
function sameNetwork(own: string, other: string, prefix: number): boolean {
  const [a, b] = [parseIp(own), parseIp(other)];
  return a !== undefined && b !== undefined && a.family === b.family && networkOf(a, prefix) === networkOf(b, prefix);
}

/** One card as in /etc/network/interfaces. */
export function interfaceStanza(nic: NicDesign): string {
  const six = nic.address.includes(":");
  return `auto ${nic.name}\niface ${nic.name} inet${six ? "6" : ""} static\n\taddress ${nic.address}/${nic.prefix ?? (six ? 64 : 24)}\n`;
}
