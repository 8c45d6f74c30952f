/**
 * The network cards of one machine: which network each is on, its address, whether it is up, and which UDP ports somebody listens on. In the real
 * stack: netlink interfaces and the kernel's socket table. Left out: bridges, bonds, VLANs, routes and ARP; addresses are on the card itself.
 */
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

/** One card as in /etc/network/interfaces. */
export function interfaceStanza(nic: NicDesign): string {
  const six = nic.address.includes(":");
  return `auto ${nic.name}\niface ${nic.name} inet${six ? "6" : ""} static\n\taddress ${nic.address}/${nic.prefix ?? (six ? 64 : 24)}\n`;
}
