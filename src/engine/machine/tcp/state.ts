/**
 * What the TCP of a machine remembers: who listens, its connections with what they have not had acknowledged, and what waits for stopped programs. In the real stack:
 * struct tcp_sock and the socket queues of Linux. Plain data.
 */
import type { Duration, Hasher, Instant, RngState, TcpEvent } from "../../kernel/index.ts";

/** `sentAt` of what has not been sent. */
export const UNSENT = -1;

/** One segment's worth of the stream that was handed over: SYN and FIN take one number each. */
export interface Unit {
  seq: number;
  syn: boolean;
  fin: boolean;
  data: Uint8Array;
  sentAt: Instant;
  /** Sent more than once: its acknowledgement measures nothing. */
  again: boolean;
}

export interface Connection {
  id: number;
  /** The program; "" once it has closed or died. */
  owner: string;
  net: string;
  local: string;
  localPort: number;
  remote: string;
  remotePort: number;
  state: "syn-sent" | "syn-received" | "open";
  /** Sent and not acknowledged, or still to be sent, in order. */
  units: Unit[];
  /** Bytes in `units`. */
  held: number;
  nextSeq: number;
  /** Next byte expected; undefined before the other side's SYN. */
  expected: number | undefined;
  /** The other side's end of stream arrived. */
  ended: boolean;
  retries: number;
  /** µs; 0 before the first measure. */
  roundTrip: Duration;
  variation: Duration;
}

interface Waiting {
  owner: string;
  event: TcpEvent;
}

export interface TcpState {
  nextId: number;
  listening: { port: number; owner: string }[];
  connections: Connection[];
  /** Programs that do not run now, and what waits for them. */
  stopped: string[];
  waiting: Waiting[];
  rng: RngState;
}

/** Everything that a later event depends on. */
export function digestTcp(h: Hasher, s: TcpState): void {
  h.int(s.nextId).int(s.listening.length).int(s.connections.length).int(s.waiting.length).int(s.stopped.length);
  for (const word of s.rng) h.int(word);
  for (const l of s.listening) h.int(l.port).text(l.owner);
  for (const owner of s.stopped) h.text(owner);
  for (const w of s.waiting) {
    h.text(w.owner).text(w.event.kind).int(w.event.id);
    if (w.event.kind === "data") h.bytes(w.event.bytes);
  }
  for (const c of s.connections) {
    h.int(c.id).text(c.owner).text(c.local).int(c.localPort).text(c.remote).int(c.remotePort).text(c.state).int(c.nextSeq);
    h.int(c.expected ?? -1)
      .bool(c.ended)
      .int(c.retries)
      .int(c.roundTrip)
      .int(c.variation);
    for (const u of c.units) h.int(u.seq).bool(u.syn).bool(u.fin).bool(u.again).int(u.sentAt).bytes(u.data);
  }
}
