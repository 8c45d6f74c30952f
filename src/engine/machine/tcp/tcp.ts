/**
 * The TCP of one machine: connections whose segments the fabric carries as datagrams, so that cuts, loss, delay, blocked ports and dead hosts show as they do
 * in reality: a port nobody listens on refuses at once, a lost segment comes again with growing patience, silence ends in a time-out, and the
 * ends of a killed process are closed by the kernel. In the real stack: Linux's TCP. Numbers are Linux's defaults. Left out: ARP (a host that is
 * off is silent, without "No route to host" after three seconds), selective acknowledgements, slow start and congestion control, TIME_WAIT, keep-alive.
 */
import {
  Rng,
  TCP_BUFFER_BYTES,
  TCP_CONNECTIONS_MAX,
  TCP_SEGMENT_BYTES,
  cloneState,
  type Datagram,
  type Hasher,
  type Instant,
  type NicStatus,
  type Segment,
  type TcpError,
  type TcpEvent,
  type TcpPort,
} from "../../kernel/index.ts";
import { cardTo } from "../nics.ts";
import { measure, retriesOf, timeoutOf } from "./retransmission.ts";
import { decodeSegment, encodeSegment, lengthOf } from "./segment.ts";
import { UNSENT, digestTcp, type Connection, type TcpState, type Unit } from "./state.ts";

/** net.ipv4.ip_local_port_range. */
const PORT_MIN = 32_768;
const PORT_MAX = 60_999;

const NOTHING = new Uint8Array(0);

/** What the protocol has from its machine. */
export interface TcpHooks {
  now(): Instant;
  setTimer(name: string, at: Instant): void;
  clearTimer(name: string): void;
  nics(): readonly NicStatus[];
  /** Length of the network prefix of a card. */
  prefix(nic: string): number;
  send(datagram: Datagram): void;
  /** Tells a program. */
  deliver(owner: string, event: TcpEvent): void;
}

export class Tcp {
  private state: TcpState;

  constructor(
    private readonly hooks: TcpHooks,
    rng: Rng,
  ) {
    this.state = { nextId: 1, listening: [], connections: [], stopped: [], waiting: [], rng: rng.snapshot() };
  }

  private draw(lo: number, hi: number): number {
    const rng = Rng.restore(this.state.rng);
    const value = rng.between(lo, hi);
    this.state.rng = rng.snapshot();
    return value;
  }

  // ── what programs call ───────────────────────────────────────────────────────────────────────────────────────────────

  /** The calls of one program. */
  port(owner: string): TcpPort {
    return {
      listen: (port) => this.listen(owner, port),
      connect: (address, port) => this.connect(owner, address, port),
      send: (id, bytes) => this.hand(owner, id, bytes),
      close: (id) => this.close(owner, id),
    };
  }

  /** A network has another name; connections over it go on. */
  networkRenamed(from: string, to: string): void {
    for (const c of this.state.connections) if (c.net === from) c.net = to;
  }

  private listen(owner: string, port: number): boolean {
    if (this.state.listening.some((l) => l.port === port)) return false;
    this.state.listening.push({ port, owner });
    return true;
  }

  private connect(owner: string, address: string, port: number): number | undefined {
    const nic = cardTo(this.hooks.nics(), (name) => this.hooks.prefix(name), address);
    if (nic?.up !== true || nic.address === address || this.state.connections.length >= TCP_CONNECTIONS_MAX) return undefined;
    const c = this.begin(owner, nic, this.freePort(nic.address, address, port), address, port);
    c.state = "syn-sent";
    this.push(c, { syn: true, fin: false, data: NOTHING });
    return c.id;
  }

  private begin(owner: string, nic: NicStatus, localPort: number, remote: string, remotePort: number): Connection {
    const c: Connection = {
      id: this.state.nextId++,
      owner,
      net: nic.net,
      local: nic.address,
      localPort,
      remote,
      remotePort,
      state: "syn-received",
      units: [],
      held: 0,
      nextSeq: this.draw(1, 2 ** 31),
      expected: undefined,
      ended: false,
      retries: 0,
      roundTrip: 0,
      variation: 0,
    };
    this.state.connections.push(c);
    return c;
  }

  private freePort(local: string, remote: string, remotePort: number): number {
    let port = this.draw(PORT_MIN, PORT_MAX);
    while (this.find(local, port, remote, remotePort) !== undefined) port = port === PORT_MAX ? PORT_MIN : port + 1;
    return port;
  }

  private hand(owner: string, id: number, bytes: Uint8Array): boolean {
    const c = this.state.connections.find((x) => x.id === id && x.owner === owner);
    if (c === undefined || c.held + bytes.length > TCP_BUFFER_BYTES) return false;
    for (let at = 0; at < bytes.length; at += TCP_SEGMENT_BYTES)
      this.push(c, { syn: false, fin: false, data: bytes.slice(at, at + TCP_SEGMENT_BYTES) });
    return true;
  }

  private close(owner: string, id: number): void {
    const c = this.state.connections.find((x) => x.id === id && x.owner === owner);
    if (c === undefined) return;
    c.owner = "";
    // Something that was never read, or a connection nobody has accepted, is no orderly end (RFC 2525, 2.17).
    const unread = this.state.waiting.some(({ event }) => event.id === id && (event.kind === "data" || event.kind === "accepted"));
    this.state.waiting = this.state.waiting.filter((w) => w.event.id !== id);
    if (unread) this.segment(c, { rst: true, seq: c.nextSeq });
    if (unread || c.state === "syn-sent") this.drop(c);
    else this.push(c, { syn: false, fin: true, data: NOTHING });
  }

  // ── programs come and go ─────────────────────────────────────────────────────────────────────────────────────────────

  /** The program ended: its ports close, and the kernel ends its connections. */
  gone(owner: string): void {
    this.state.listening = this.state.listening.filter((l) => l.owner !== owner);
    this.state.stopped = this.state.stopped.filter((o) => o !== owner);
    for (const c of this.state.connections.filter((x) => x.owner === owner)) this.close(owner, c.id);
    this.state.waiting = this.state.waiting.filter((w) => w.owner !== owner);
  }

  /** The program does not run (SIGSTOP): the kernel goes on acknowledging until the buffer is full. */
  stop(owner: string): void {
    if (!this.state.stopped.includes(owner)) this.state.stopped.push(owner);
  }

  /** It runs again and reads what waits. */
  resume(owner: string): void {
    if (!this.state.stopped.includes(owner)) return;
    this.state.stopped = this.state.stopped.filter((o) => o !== owner);
    const mine = this.state.waiting.filter((w) => w.owner === owner);
    this.state.waiting = this.state.waiting.filter((w) => w.owner !== owner);
    for (const { event } of mine) this.tell(owner, event);
  }

  /** The power went. */
  powerLost(): void {
    for (const c of this.state.connections) this.hooks.clearTimer(String(c.id));
    this.state = { ...this.state, listening: [], connections: [], stopped: [], waiting: [] };
  }

  private tell(owner: string, event: TcpEvent): void {
    if (owner === "") return;
    if (this.state.stopped.includes(owner)) this.state.waiting.push({ owner, event });
    else this.hooks.deliver(owner, event);
  }

  // ── sending ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  private push(c: Connection, what: { syn: boolean; fin: boolean; data: Uint8Array }): void {
    const unit: Unit = { ...what, seq: c.nextSeq, sentAt: UNSENT, again: false };
    c.nextSeq += lengthOf(unit);
    c.units.push(unit);
    c.held += unit.data.length;
    // What is handed over before the connection stands waits for it.
    if (c.state === "open" || unit.syn) this.transmit(c, unit);
    if (c.units.length === 1) this.arm(c);
  }

  private transmit(c: Connection, unit: Unit): void {
    unit.again = unit.sentAt !== UNSENT;
    unit.sentAt = this.hooks.now();
    this.segment(c, { syn: unit.syn, fin: unit.fin, seq: unit.seq, data: unit.data });
  }

  private flush(c: Connection): void {
    for (const unit of c.units) if (unit.sentAt === UNSENT) this.transmit(c, unit);
  }

  private segment(c: Connection, s: { syn?: boolean; fin?: boolean; rst?: boolean; seq: number; data?: Uint8Array }): void {
    const bytes = encodeSegment({
      syn: s.syn === true,
      fin: s.fin === true,
      rst: s.rst === true,
      ack: c.expected !== undefined,
      seq: s.seq,
      acked: c.expected ?? 0,
      data: s.data ?? NOTHING,
    });
    this.emit(c.net, c.local, c.localPort, c.remote, c.remotePort, bytes);
  }

  private emit(net: string, src: string, srcPort: number, dst: string, dstPort: number, bytes: Uint8Array): void {
    const nic = this.hooks.nics().find((n) => n.address === src && n.net === net);
    if (nic?.up === true) this.hooks.send({ proto: "tcp", net, src, srcPort, dst, dstPort, bytes });
  }

  private arm(c: Connection): void {
    if (c.units.length === 0) this.hooks.clearTimer(String(c.id));
    else this.hooks.setTimer(String(c.id), this.hooks.now() + timeoutOf(c));
  }

  /** No acknowledgement in time: the oldest segment goes out again, or the connection is given up. */
  timer(name: string): void {
    const c = this.state.connections.find((x) => String(x.id) === name);
    const first = c?.units[0];
    if (c === undefined || first === undefined) return;
    if (c.retries >= retriesOf(c)) {
      this.broken(c, "ETIMEDOUT");
      return;
    }
    c.retries++;
    this.transmit(c, first);
    this.arm(c);
  }

  private broken(c: Connection, error: TcpError): void {
    this.drop(c);
    if (c.state === "syn-sent") this.tell(c.owner, { kind: "failed", id: c.id, error });
    else if (c.state === "open") this.tell(c.owner, { kind: "reset", id: c.id, error });
  }

  private drop(c: Connection): void {
    this.state.connections = this.state.connections.filter((x) => x !== c);
    this.hooks.clearTimer(String(c.id));
  }

  // ── receiving ────────────────────────────────────────────────────────────────────────────────────────────────────────

  private find(local: string, localPort: number, remote: string, remotePort: number): Connection | undefined {
    return this.state.connections.find(
      (c) => c.local === local && c.localPort === localPort && c.remote === remote && c.remotePort === remotePort,
    );
  }

  /** A datagram of proto "tcp" for an address of this machine. */
  receive(d: Datagram): void {
    const s = decodeSegment(d.bytes);
    if (s === undefined) return;
    const c = this.find(d.dst, d.dstPort, d.src, d.srcPort);
    if (c === undefined) this.unknown(d, s);
    else if (s.rst) this.onReset(c, s);
    else if (c.state === "syn-sent") this.onSynAck(c, s);
    else this.onSegment(c, s);
  }

  /** No connection of that name: a new one where somebody listens, else a refusal. */
  private unknown(d: Datagram, s: Segment): void {
    if (s.rst) return;
    const listener = this.state.listening.find((l) => l.port === d.dstPort);
    const nic = this.hooks.nics().find((n) => n.address === d.dst && n.net === d.net);
    if (s.syn && !s.ack && listener !== undefined && nic !== undefined && this.state.connections.length < TCP_CONNECTIONS_MAX) {
      const c = this.begin(listener.owner, nic, d.dstPort, d.src, d.srcPort);
      c.expected = s.seq + 1;
      this.push(c, { syn: true, fin: false, data: NOTHING });
      return;
    }
    const seq = s.ack ? s.acked : 0;
    const acked = s.seq + s.data.length + (s.syn ? 1 : 0) + (s.fin ? 1 : 0);
    const bytes = encodeSegment({ syn: false, fin: false, rst: true, ack: true, seq, acked, data: NOTHING });
    this.emit(d.net, d.dst, d.dstPort, d.src, d.srcPort, bytes);
  }

  private onReset(c: Connection, s: Segment): void {
    if (c.state === "syn-sent") {
      if (s.acked === (c.units[0]?.seq ?? 0) + 1) this.broken(c, "ECONNREFUSED");
    } else if (s.seq === c.expected) this.broken(c, "ECONNRESET");
  }

  private onSynAck(c: Connection, s: Segment): void {
    const syn = c.units[0];
    if (!s.syn || !s.ack || syn === undefined || s.acked !== syn.seq + 1) return;
    c.expected = s.seq + 1;
    c.state = "open";
    this.acknowledged(c, s.acked);
    this.segment(c, { seq: syn.seq + 1 });
    this.flush(c);
    this.tell(c.owner, { kind: "connected", id: c.id });
  }

  private onSegment(c: Connection, s: Segment): void {
    if (s.ack) this.acknowledged(c, s.acked);
    if (c.state === "syn-received" && c.units.every((u) => !u.syn)) {
      c.state = "open";
      this.flush(c);
      this.tell(c.owner, { kind: "accepted", id: c.id, port: c.localPort, remote: c.remote, remotePort: c.remotePort });
    }
    if (s.syn || s.data.length > 0 || s.fin) this.takeIn(c, s);
    if (c.owner === "" && c.ended && c.units.length === 0) this.drop(c);
  }

  /** Everything before `acked` has arrived. */
  private acknowledged(c: Connection, acked: number): void {
    let moved = false;
    for (let first = c.units[0]; first !== undefined && first.seq + lengthOf(first) <= acked; first = c.units[0]) {
      c.units.shift();
      c.held -= first.data.length;
      moved = true;
      if (!first.again) measure(c, this.hooks.now() - first.sentAt);
    }
    if (!moved) return;
    const recovering = c.retries > 0;
    c.retries = 0;
    // After a time-out the rest of what was under way is taken for lost too.
    if (recovering && c.state === "open") for (const unit of c.units) this.transmit(c, unit);
    this.arm(c);
  }

  private takeIn(c: Connection, s: Segment): void {
    const next = s.seq === c.expected && !s.syn && !c.ended;
    if (next && s.data.length > 0 && c.owner === "") {
      // Nobody is left to read it.
      this.segment(c, { rst: true, seq: c.nextSeq });
      this.drop(c);
      return;
    }
    const taken = next && this.room(c, s.data.length);
    if (taken) {
      c.expected = s.seq + s.data.length + (s.fin ? 1 : 0);
      c.ended = s.fin;
    }
    this.segment(c, { seq: this.sendNext(c) });
    if (!taken) return;
    if (s.data.length > 0) this.tell(c.owner, { kind: "data", id: c.id, bytes: s.data });
    if (s.fin) this.tell(c.owner, { kind: "closed", id: c.id });
  }

  private sendNext(c: Connection): number {
    return c.units.find((u) => u.sentAt === UNSENT)?.seq ?? c.nextSeq;
  }

  private room(c: Connection, bytes: number): boolean {
    let waits = bytes;
    for (const { event } of this.state.waiting) if (event.kind === "data" && event.id === c.id) waits += event.bytes.length;
    return waits <= TCP_BUFFER_BYTES;
  }

  // ── snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────────

  snapshot(): unknown {
    return cloneState(this.state);
  }

  restore(state: unknown): void {
    this.state = cloneState(state as TcpState);
  }

  digest(h: Hasher): void {
    digestTcp(h, this.state);
  }
}
