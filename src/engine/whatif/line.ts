/**
 * Connections between the nodes and the qnetd host: what is sent arrives a moment later while the node still reaches the host, and never once it does not, as
 * nothing that was lost comes back here. In the real stack: TCP over whatever lies between. Left out: resending, windows, addresses; a connection
 * that carries nothing any more is noticed by its programs alone, by their heartbeats.
 */
import { NEVER, cloneState, type Duration, type Instant, type TcpEvent, type TcpPort } from "../kernel/index.ts";

/** One way, ours: the lab's usual cable. */
const DELAY: Duration = 200;
/** The server among the receivers; others are members. */
export const SERVER = -1;

interface Connection {
  readonly member: number;
  readonly id: number;
  /** Closed by this side: it hears no more. */
  closed: { client: boolean; server: boolean };
}

interface Waiting {
  readonly at: Instant;
  readonly to: number;
  readonly member: number;
  readonly event: TcpEvent;
}

export interface LineState {
  connections: Connection[];
  waiting: Waiting[];
  nextId: number;
}

export class Line {
  private s: LineState = { connections: [], waiting: [], nextId: 1 };
  /** Members that reach the host. */
  reach = 0;

  constructor(private readonly clock: { readonly now: Instant }) {}

  nextAt(): Instant {
    return this.s.waiting[0]?.at ?? NEVER;
  }

  /** The next arrival, if anybody is there to receive it. */
  pop(): { to: number; event: TcpEvent } | undefined {
    const next = this.s.waiting.shift();
    if (next === undefined || !this.up(next.member)) return undefined;
    const connection = this.s.connections.find((c) => c.id === next.event.id);
    const deaf = next.to === SERVER ? connection?.closed.server : connection?.closed.client;
    return connection === undefined || deaf === true ? undefined : { to: next.to, event: next.event };
  }

  private up(member: number): boolean {
    return ((this.reach >> member) & 1) !== 0;
  }

  private later(hops: number, to: number, member: number, event: TcpEvent): void {
    const at = this.clock.now + hops * DELAY;
    let i = this.s.waiting.length;
    while (i > 0 && (this.s.waiting[i - 1]?.at ?? 0) > at) i--;
    this.s.waiting.splice(i, 0, { at, to, member, event });
  }

  private deliver(from: number, id: number, event: TcpEvent): boolean {
    const connection = this.s.connections.find((c) => c.id === id);
    if (connection === undefined) return false;
    this.later(1, from === SERVER ? connection.member : SERVER, connection.member, event);
    return true;
  }

  private close(from: number, id: number): void {
    const connection = this.s.connections.find((c) => c.id === id);
    if (connection === undefined) return;
    this.deliver(from, id, { kind: "closed", id });
    if (from === SERVER) connection.closed.server = true;
    else connection.closed.client = true;
    const { client, server } = connection.closed;
    if ((client && server) || !this.up(connection.member)) this.s.connections = this.s.connections.filter((c) => c !== connection);
  }

  /** As a member's program has it. */
  client(member: number): TcpPort {
    return {
      listen: () => false,
      connect: (_address, port) => {
        const id = this.s.nextId++;
        if (!this.up(member)) return id;
        this.s.connections.push({ member, id, closed: { client: false, server: false } });
        this.later(1, SERVER, member, { kind: "accepted", id, port, remote: `10.0.0.${member + 1}`, remotePort: 40_000 + id });
        this.later(2, member, member, { kind: "connected", id });
        return id;
      },
      send: (id, bytes) => this.deliver(member, id, { kind: "data", id, bytes: bytes.slice() }),
      close: (id) => this.close(member, id),
    };
  }

  server(): TcpPort {
    return {
      listen: () => true,
      connect: () => undefined,
      send: (id, bytes) => this.deliver(SERVER, id, { kind: "data", id, bytes: bytes.slice() }),
      close: (id) => this.close(SERVER, id),
    };
  }

  snapshot(): LineState {
    return cloneState(this.s);
  }

  restore(state: LineState, reach: number): void {
    this.s = cloneState(state);
    this.reach = reach;
  }
}
