/**
 * Who has which UDP port of one machine, and which identifier of ICMP echo requests. In the real stack: the kernel's table of bound sockets. Left out: wildcard addresses, SO_REUSEPORT, ephemeral ports.
 */
import type { Datagram, Hasher } from "../../kernel/index.ts";

/** ICMP sockets have identifiers where others have ports; they stand in the same table, above all ports. */
export const ECHO_IDS_FROM = 65_536;

/** The number of the socket that a datagram is for. */
export function socketNumber({ proto, dstPort }: Pick<Datagram, "proto" | "dstPort">): number {
  return proto === "icmp-echo-reply" ? ECHO_IDS_FROM + dstPort : dstPort;
}

interface Binding {
  readonly address: string;
  readonly port: number;
  /** Serial number of the process. */
  readonly owner: number;
}

export type UdpState = Binding[];

export class UdpBindings {
  /** By port: asked for every datagram, and few processes share one. */
  private readonly ports = new Map<number, Binding[]>();

  owner(address: string, port: number): number | undefined {
    const bound = this.ports.get(port);
    if (bound === undefined) return undefined;
    for (const b of bound) if (b.address === address) return b.owner;
    return undefined;
  }

  /** False where another process has it; true again where this one has it already. */
  bind(owner: number, address: string, port: number): boolean {
    const has = this.owner(address, port);
    if (has !== undefined) return has === owner;
    const bound = this.ports.get(port) ?? [];
    bound.push({ address, port, owner });
    this.ports.set(port, bound);
    return true;
  }

  unbind(owner: number, address: string, port: number): void {
    this.keep((b) => b.owner !== owner || b.address !== address || b.port !== port);
  }

  /** The process has ended. */
  gone(owner: number): void {
    this.keep((b) => b.owner !== owner);
  }

  powerLost(): void {
    this.ports.clear();
  }

  private keep(stays: (b: Binding) => boolean): void {
    for (const [port, bound] of this.ports) {
      const left = bound.filter(stays);
      if (left.length === bound.length) continue;
      if (left.length === 0) this.ports.delete(port);
      else this.ports.set(port, left);
    }
  }

  snapshot(): UdpState {
    return [...this.ports.values()].flat();
  }

  restore(state: UdpState): void {
    this.ports.clear();
    for (const b of state) this.bind(b.owner, b.address, b.port);
  }

  digest(h: Hasher): void {
    h.int(this.ports.size);
    for (const bound of this.ports.values()) for (const b of bound) h.text(b.address).int(b.port).int(b.owner);
  }
}
