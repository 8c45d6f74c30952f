/**
 * What a program has from its machine's TCP: listening, connecting, sending, closing, and the events that come of it. In the real stack: the socket calls and
 * poll(2). A layer is written against these shapes; the machine brings the protocol (machine/tcp/tcp.ts). Left out: options of sockets, urgent data, half-open
 * use of a connection after one's own close.
 */
import type { Datagram } from "./machine.ts";

/** Why a connection could not be made, or is gone: errno's names. */
export type TcpError = "ECONNREFUSED" | "ECONNRESET" | "ETIMEDOUT" | "EHOSTUNREACH";

export type TcpEvent =
  /** A connection this program asked for stands. */
  | { readonly kind: "connected"; readonly id: number }
  /** It could not be made; `id` is gone. */
  | { readonly kind: "failed"; readonly id: number; readonly error: TcpError }
  /** Somebody connected to a port this program listens on. */
  | { readonly kind: "accepted"; readonly id: number; readonly port: number; readonly remote: string; readonly remotePort: number }
  | { readonly kind: "data"; readonly id: number; readonly bytes: Uint8Array }
  /** The other side will send no more (read returns 0). The program closes in turn. */
  | { readonly kind: "closed"; readonly id: number }
  /** The connection broke; `id` is gone. */
  | { readonly kind: "reset"; readonly id: number; readonly error: TcpError };

/** The TCP of one machine as one of its programs sees it. */
export interface TcpPort {
  /** False where somebody else listens on the port. */
  listen(port: number): boolean;
  /** Begins a connection; undefined where no card leads to `address`. */
  connect(address: string, port: number): number | undefined;
  /** Takes bytes to be sent; false where the send buffer has no room for all of them (none is taken then), or there is no such connection. */
  send(id: number, bytes: Uint8Array): boolean;
  /** close(2): what was handed over still goes out, then the end of the stream. No further event of `id` comes. */
  close(id: number): void;
}

/** One segment as it travels in a datagram of proto "tcp". */
export interface Segment {
  readonly syn: boolean;
  readonly ack: boolean;
  readonly fin: boolean;
  readonly rst: boolean;
  readonly seq: number;
  /** Next byte expected; of meaning with `ack` only. */
  readonly acked: number;
  readonly data: Uint8Array;
}

/** A datagram that carries a segment. */
export type TcpDatagram = Datagram & { readonly proto: "tcp" };
