/**
 * libknet alone: nodes with one or two links, and what each says of its links. Commands: nodes N [links N] [priority LINK P] [mode MODE] [mtu BYTES] [compress MODEL] · start ID… · kill ID ·
 * key ID (another authkey) · cut A>B [link L] · heal · send A B TEXT · zeros A B BYTES · run SECONDS · links · sent A (data packets and bytes of each link, and what was compressed). Shown: log lines with the time in ms, and data that arrives.
 */
import { profileOf } from "../../../src/engine/config/index.ts";
import { Knet, type KnetParams } from "../../../src/engine/knet/index.ts";
import { MS, Rng, SEC, Timers, fromUtf8, utf8, type Datagram, type Port } from "../../../src/engine/kernel/index.ts";
import type { Driver } from "../told.ts";

const DELAY = 200;
/** With the default token of 3000 ms and two nodes. */
const PING_INTERVAL_MS = 750;
const PING_TIMEOUT_MS = 1500;

interface Host {
  readonly id: number;
  readonly timers: Timers;
  readonly knet: Knet;
}

interface Flying {
  readonly at: number;
  readonly to: number;
  readonly datagram: Datagram;
}

interface Design {
  nodes: number;
  links: number;
  readonly priority: Map<number, number>;
  policy: KnetParams["policy"];
  manualMtu: number;
  model: string;
}

function newDesign(nodes: number): Design {
  return { nodes, links: 1, priority: new Map(), policy: "passive", manualMtu: 0, model: "none" };
}

export class KnetDriver implements Driver {
  private now = 0;
  private design: Design = newDesign(2);
  private readonly hosts = new Map<number, Host>();
  private readonly otherKey = new Set<number>();
  private readonly cuts = new Set<string>();
  private flying: Flying[] = [];
  private lines: string[] = [];

  run(line: string): string[] {
    const [verb, ...args] = line.split(" ");
    switch (verb) {
      case "nodes":
        this.nodes(args);
        break;
      case "start":
        for (const id of args) this.start(Number(id));
        break;
      case "kill":
        this.hosts.delete(Number(args[0]));
        break;
      case "key":
        this.otherKey.add(Number(args[0]));
        break;
      case "cut":
        for (let l = 0; l < this.design.links; l++)
          if (args[1] === undefined || l === Number(args[2])) this.cuts.add(`${args[0] ?? ""} ${l}`);
        break;
      case "heal":
        this.cuts.clear();
        break;
      case "send":
        this.host(Number(args[0])).knet.unicast(Number(args[1]), utf8(args.slice(2).join(" ")));
        break;
      case "zeros":
        this.host(Number(args[0])).knet.unicast(Number(args[1]), new Uint8Array(Number(args[2])));
        break;
      case "sent":
        return this.sent(Number(args[0]));
      case "run":
        this.pass(Number(args[0]));
        break;
      case "links":
        return this.links();
      default:
        throw new Error(`knet transcripts have no such command: ${line}`);
    }
    const said = this.lines;
    this.lines = [];
    return said;
  }

  private nodes(args: readonly string[]): void {
    this.design = newDesign(Number(args[0]));
    for (let i = 1; i < args.length;) {
      const key = args[i++];
      const word = args[i++] ?? "";
      const value = Number(word);
      if (key === "links") this.design.links = value;
      else if (key === "mode") this.design.policy = word === "active" || word === "rr" ? word : "passive";
      else if (key === "mtu") this.design.manualMtu = value;
      else if (key === "compress") this.design.model = word;
      else if (key === "priority") this.design.priority.set(value, Number(args[i++]));
      else throw new Error(`no such property of nodes: ${key ?? ""}`);
    }
  }

  private sent(id: number): string[] {
    const { links, compressed: c } = this.host(id).knet.stats();
    const others = links.filter((l) => l.node !== id);
    return [
      ...others.map((l) => `to node${l.node} link ${l.link}: ${l.counters.tx_data_packets} packets, ${l.counters.tx_data_bytes} bytes`),
      ...others.map((l) => `from node${l.node} link ${l.link}: ${l.counters.rx_data_packets} packets, ${l.counters.rx_data_bytes} bytes`),
      `compressed: ${c.tx_compressed_packets} sent, ${c.tx_compressed_original_bytes} to ${c.tx_compressed_size_bytes} bytes; ` +
        `${c.rx_compressed_packets} received, ${c.rx_compressed_size_bytes} to ${c.rx_compressed_original_bytes} bytes; ${c.tx_uncompressed_packets} left as they are`,
    ];
  }

  private host(id: number): Host {
    const found = this.hosts.get(id);
    if (found === undefined) throw new Error(`node${id} does not run`);
    return found;
  }

  private say(id: number, text: string): void {
    this.lines.push(`${String(Math.round(this.now / MS)).padStart(6)} node${id} ${text}`);
  }

  private params(id: number): KnetParams {
    const links = Array.from({ length: this.design.links }, (_, link) => ({
      link,
      net: `net${link}`,
      localAddress: `10.10.${link}.${id}`,
      port: 5405 + link,
      pingIntervalMs: PING_INTERVAL_MS,
      pingTimeoutMs: PING_TIMEOUT_MS,
      pongCount: 2,
      priority: this.design.priority.get(link) ?? 1,
    }));
    const others = Array.from({ length: this.design.nodes }, (_, i) => i + 1).filter((i) => i !== id);
    return {
      nodeId: id,
      links,
      peers: others.map((i) => ({ nodeId: i, name: `node${i}`, addresses: links.map(({ link }) => `10.10.${link}.${i}`) })),
      key: new Uint8Array(256).fill(this.otherKey.has(id) ? 9 : 7),
      seal: { around: 48, block: 16 },
      blockUnlisted: true,
      pmtudIntervalS: 30,
      policy: this.design.policy,
      manualMtu: this.design.manualMtu,
      compression: { model: this.design.model, level: 5, threshold: 0 },
      profile: profileOf("3.1.7"),
    };
  }

  private start(id: number): void {
    const timers = new Timers();
    const port: Port = {
      now: () => this.now,
      setTimer: (name, at) => timers.set(name, at),
      clearTimer: (name) => timers.clear(name),
      rng: Rng.from("transcript", String(id)),
      log: (level, subsystem, text) => {
        if (level !== "debug") this.say(id, `[${subsystem}] ${text}`);
      },
      trace: () => undefined,
    };
    const knet = new Knet(
      port,
      this.params(id),
      { send: (datagram) => this.send(id, datagram), interfaceMtu: () => 1500 },
      { data: (from, bytes) => this.say(id, `from node${from}: ${fromUtf8(bytes)}`), hostChange: () => undefined },
    );
    this.hosts.set(id, { id, timers, knet });
    knet.start();
    knet.configure();
  }

  private send(from: number, datagram: Datagram): void {
    const [, , link, to] = datagram.dst.split(".");
    if (this.cuts.has(`${from}>${to ?? ""} ${link ?? ""}`)) return;
    this.flying.push({ at: this.now + DELAY, to: Number(to), datagram });
  }

  private pass(seconds: number): void {
    const end = this.now + seconds * SEC;
    for (;;) {
      const timer = [...this.hosts.values()].reduce((at, h) => Math.min(at, h.timers.nextAt()), Infinity);
      const packet = this.flying.reduce((at, f) => Math.min(at, f.at), Infinity);
      const next = Math.min(timer, packet);
      if (next > end) break;
      this.now = next;
      if (timer <= packet) this.expire();
      else this.arrive();
    }
    this.now = end;
  }

  private expire(): void {
    for (const host of this.hosts.values()) {
      const name = host.timers.pop(this.now);
      if (name === undefined) continue;
      host.knet.timer(name);
      return;
    }
  }

  private arrive(): void {
    const [packet] = this.flying.splice(
      this.flying.findIndex((f) => f.at === this.now),
      1,
    );
    if (packet === undefined) return;
    const { to, datagram: d } = packet;
    const host = this.hosts.get(to);
    if (host !== undefined) host.knet.receive(d);
    else if (d.proto === "udp") {
      // Nobody has the port open: the kernel of the host says so.
      const back: Datagram = {
        ...d,
        proto: "icmp-port-unreachable",
        src: d.dst,
        srcPort: d.dstPort,
        dst: d.src,
        dstPort: d.srcPort,
        bytes: utf8(""),
      };
      this.flying.push({ at: this.now + DELAY, to: Number(d.src.split(".")[3]), datagram: back });
    }
  }

  private links(): string[] {
    return [...this.hosts.values()].flatMap(({ id, knet }) =>
      knet.status().map((l) => {
        const state = l.connected ? `up, ${l.mtu} bytes${l.active ? ", carries data" : ""}` : "down";
        return `node${id} to node${l.to} link ${l.link}: ${state}`;
      }),
    );
  }
}
