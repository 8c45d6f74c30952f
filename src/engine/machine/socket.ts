/**
 * A socket's receive buffer: what arrives while the process that reads it does not run. In the real stack: SO_RCVBUF of knet's UDP sockets (8 MiB),
 * a queue that drops what does not fit. Left out: the kernel's bookkeeping bytes per packet other than a flat allowance.
 */
import { SOCKET_BUFFER_BYTES, type Datagram } from "../kernel/index.ts";

/** Bytes the kernel charges per small packet on top of its payload (sk_buff truesize, roughly). */
const PACKET_OVERHEAD_BYTES = 768;

export interface SocketBuffer {
  queue: Datagram[];
  bytes: number;
  dropped: number;
}

export function emptySocket(): SocketBuffer {
  return { queue: [], bytes: 0, dropped: 0 };
}

/** What the kernel charges a socket's buffer for a datagram, bytes. */
export function datagramCost(datagram: Datagram): number {
  return datagram.bytes.length + PACKET_OVERHEAD_BYTES;
}

/** Queues one datagram, or drops and counts it when the buffer is full. */
export function enqueue(socket: SocketBuffer, datagram: Datagram): void {
  const cost = datagramCost(datagram);
  if (socket.bytes + cost > SOCKET_BUFFER_BYTES) {
    socket.dropped++;
    return;
  }
  socket.queue.push(datagram);
  socket.bytes += cost;
}

/** Takes everything out, oldest first. */
export function drain(socket: SocketBuffer): Datagram[] {
  const out = socket.queue;
  socket.queue = [];
  socket.bytes = 0;
  return out;
}
