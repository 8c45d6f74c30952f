/**
 * The local sockets of one machine: who serves which name, the connections, and what is under way on them. In the real stack: unix(7) sockets and libqb's IPC. A party is
 * a process, by its serial number in the table, or a part of the kernel, by its name (the process list, a mount that a process serves). Nothing is delivered from here:
 * what a party is to hear is posted to the machine's local events, and `admit` says, when its turn comes, whether it still concerns anybody. Left out: bytes of buffers; queues
 * are bounded by their number of messages.
 */
import {
  IPC_CONNECTIONS_MAX,
  IPC_QUEUE_MAX,
  cloneState,
  type Hasher,
  type IpcEvent,
  type IpcNotice,
  type IpcPort,
  type IpcReply,
  type IpcRequest,
} from "../../kernel/index.ts";

export type Party = number | string;

interface Connection {
  readonly id: number;
  readonly service: string;
  readonly client: Party;
  readonly server: Party;
  /** Each side until it has closed, or has heard that the other one is gone. */
  clientOpen: boolean;
  serverOpen: boolean;
  nextSeq: number;
  /** Numbers of requests without an answer. */
  unanswered: number[];
  /** Notices posted and not yet read by the client. */
  notices: number;
}

export interface LocalSocketsState {
  nextId: number;
  services: { name: string; server: Party }[];
  connections: Connection[];
}

export interface LocalSocketHooks {
  /** Puts an event in the machine's queue of local events. */
  post(party: Party, event: IpcEvent): void;
  /** Pid and name of a party, as its peer sees them. */
  peer(party: Party): { readonly pid: number; readonly name: string };
}

export class LocalSockets {
  private nextId = 1;
  private readonly services = new Map<string, Party>();
  private readonly connections = new Map<number, Connection>();

  constructor(private readonly hooks: LocalSocketHooks) {}

  /** The calls of one party. */
  port(party: Party): IpcPort {
    return {
      listen: (service) => this.listen(party, service),
      unlisten: (service) => {
        if (this.services.get(service) === party) this.services.delete(service);
      },
      connect: (service) => this.connect(party, service),
      request: (id, request) => this.request(party, id, request),
      reply: (id, seq, reply) => this.reply(party, id, seq, reply),
      notify: (id, notice) => this.notify(party, id, notice),
      close: (id) => this.close(party, id),
    };
  }

  server(service: string): Party | undefined {
    return this.services.get(service);
  }

  /** Who made a connection. */
  client(id: number): Party | undefined {
    return this.connections.get(id)?.client;
  }

  /** Names somebody serves, in the order they came up. */
  names(): string[] {
    return [...this.services.keys()];
  }

  private listen(party: Party, service: string): boolean {
    if (this.services.has(service)) return false;
    this.services.set(service, party);
    return true;
  }

  private connect(client: Party, service: string): number | undefined {
    const server = this.services.get(service);
    if (server === undefined) return undefined;
    let mine = 0;
    for (const c of this.connections.values()) if (c.client === client && c.clientOpen) mine++;
    if (mine >= IPC_CONNECTIONS_MAX) return undefined;
    const id = this.nextId++;
    this.connections.set(id, {
      id,
      service,
      client,
      server,
      clientOpen: true,
      serverOpen: true,
      nextSeq: 1,
      unanswered: [],
      notices: 0,
    });
    const { pid, name } = this.hooks.peer(client);
    this.hooks.post(server, { what: "accepted", id, service, peer: pid, peerName: name });
    return id;
  }

  private request(client: Party, id: number, request: IpcRequest): number | undefined {
    const c = this.connections.get(id);
    if (c?.client !== client || !c.clientOpen || !c.serverOpen || c.unanswered.length >= IPC_QUEUE_MAX) return undefined;
    const seq = c.nextSeq++;
    c.unanswered.push(seq);
    this.hooks.post(c.server, { what: "request", id, seq, request });
    return seq;
  }

  private reply(server: Party, id: number, seq: number, reply: IpcReply): void {
    const c = this.connections.get(id);
    if (c?.server !== server || !c.serverOpen) return;
    const place = c.unanswered.indexOf(seq);
    if (place < 0) throw new Error(`connection ${id} of ${c.service} has no request ${seq} to be answered`);
    c.unanswered.splice(place, 1);
    if (c.clientOpen) this.hooks.post(c.client, { what: "reply", id, seq, reply });
  }

  private notify(server: Party, id: number, notice: IpcNotice): boolean {
    const c = this.connections.get(id);
    if (c?.server !== server || !c.serverOpen || !c.clientOpen || c.notices >= IPC_QUEUE_MAX) return false;
    c.notices++;
    this.hooks.post(c.client, { what: "notice", id, notice });
    return true;
  }

  private close(party: Party, id: number): void {
    const c = this.connections.get(id);
    if (c === undefined) return;
    if (c.client === party && c.clientOpen) {
      c.clientOpen = false;
      if (c.serverOpen) this.hooks.post(c.server, { what: "closed", id });
    } else if (c.server === party && c.serverOpen) {
      c.serverOpen = false;
      if (c.clientOpen) this.hooks.post(c.client, { what: "gone", id });
    }
    this.forgetClosed(c);
  }

  private forgetClosed(c: Connection): void {
    if (!c.clientOpen && !c.serverOpen) this.connections.delete(c.id);
  }

  /** The party has ended: its names are free, and whoever it was connected to hears of it. */
  gone(party: Party): void {
    for (const [name, server] of this.services) if (server === party) this.services.delete(name);
    for (const c of [...this.connections.values()]) if (c.client === party || c.server === party) this.close(party, c.id);
  }

  /** Everything is gone, and nobody hears of it. */
  powerLost(): void {
    this.services.clear();
    this.connections.clear();
  }

  /** An event's turn has come: false where its connection no longer concerns `party`. The books are kept here, so that it is asked once an event. */
  admit(party: Party, event: IpcEvent): boolean {
    const c = this.connections.get(event.id);
    if (c === undefined) return false;
    switch (event.what) {
      case "notice":
        c.notices--;
        return c.client === party && c.clientOpen;
      case "reply":
        return c.client === party && c.clientOpen;
      case "accepted":
      case "request":
        return c.server === party && c.serverOpen;
      case "gone":
        if (c.client !== party || !c.clientOpen) return false;
        c.clientOpen = false;
        this.forgetClosed(c);
        return true;
      case "closed":
        if (c.server !== party || !c.serverOpen) return false;
        c.serverOpen = false;
        this.forgetClosed(c);
        return true;
    }
  }

  snapshot(): LocalSocketsState {
    return {
      nextId: this.nextId,
      services: [...this.services].map(([name, server]) => ({ name, server })),
      connections: cloneState([...this.connections.values()]),
    };
  }

  restore(state: LocalSocketsState): void {
    this.nextId = state.nextId;
    this.services.clear();
    for (const { name, server } of state.services) this.services.set(name, server);
    this.connections.clear();
    for (const c of cloneState(state.connections)) this.connections.set(c.id, c);
  }

  digest(h: Hasher): void {
    h.int(this.nextId).int(this.services.size).int(this.connections.size);
    for (const [name, server] of this.services) h.text(name).text(String(server));
    for (const c of this.connections.values()) {
      h.int(c.id).text(c.service).text(String(c.client)).text(String(c.server)).bool(c.clientOpen).bool(c.serverOpen);
      h.int(c.nextSeq).int(c.notices).int(c.unanswered.length);
      for (const seq of c.unanswered) h.int(seq);
    }
  }
}
