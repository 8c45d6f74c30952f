/**
 * A bare ring for transcript tests: several knet + Totem + sync instances with no services, joined by a network without loss and a fixed delay. Small on
 * purpose: what the protocol does is visible here without a machine, a fabric or a world around it.
 */
import { profileOf } from "../../src/engine/config/index.ts";
import { Knet } from "../../src/engine/knet/index.ts";
import { KNET_NET_MTU, MS, Rng, SEC, Timers, type Datagram, type Port } from "../../src/engine/kernel/index.ts";
import { SyncEngine, Totem, type Configuration, type TotemParams } from "../../src/engine/totem/index.ts";

const DELAY = 200;

/** The formulas of corosync.conf(5) for a nodelist of n, with the default token of 3000 ms. */
export function params(nodeId: number, n: number): TotemParams {
  const tokenMs = 3000 + 650 * Math.max(0, n - 2);
  const tokenRetransmitMs = Math.floor(tokenMs / 4.2);
  return {
    nodeId,
    tokenMs,
    tokenRetransmitMs,
    holdMs: Math.floor(tokenRetransmitMs * 0.8 - 10),
    consensusMs: Math.floor(1.2 * tokenMs),
    joinMs: 50,
    sendJoinMs: 0,
    mergeMs: 200,
    tokenWarningPercent: 75,
    failRecvConst: 2500,
    seqnoUnchangedConst: 30,
    missCountConst: 5,
    windowSize: 50,
    maxMessages: 17,
    cancelTokenHoldOnRetransmit: false,
    maxNetworkDelayMs: 50,
    netMtu: KNET_NET_MTU,
    profile: profileOf("3.1.7"),
  };
}

export class Daemon {
  readonly timers = new Timers();
  readonly knet: Knet;
  readonly totem: Totem;
  readonly sync: SyncEngine;
  readonly delivered: string[] = [];
  alive = true;
  rotations = 0;

  constructor(
    readonly id: number,
    readonly ring: BareRing,
    n: number,
    ringSeq: number,
  ) {
    const port = (layer: string): Port => ({
      now: () => ring.now,
      setTimer: (name, at) => this.timers.set(`${layer}.${name}`, at),
      clearTimer: (name) => this.timers.clear(`${layer}.${name}`),
      rng: Rng.from(ring.seed, String(id), layer),
      log: (level, subsystem, text) => ring.log(id, level, subsystem, text),
      trace: (event) => {
        if (event.what === "token") this.rotations++;
      },
    });
    const p = params(id, n);
    const peers = Array.from({ length: n }, (_, i) => i + 1).filter((i) => i !== id);
    this.knet = new Knet(
      port("knet"),
      {
        nodeId: id,
        links: [
          {
            link: 0,
            net: "net0",
            localAddress: `10.10.0.${id}`,
            port: 5405,
            pingIntervalMs: Math.floor(p.tokenMs / 4),
            pingTimeoutMs: Math.floor(p.tokenMs / 2),
            pongCount: 2,
            priority: 1,
          },
        ],
        peers: peers.map((i) => ({ nodeId: i, name: `node${i}`, addresses: [`10.10.0.${i}`] })),
        key: new Uint8Array(256),
        seal: { around: 48, block: 16 },
        blockUnlisted: true,
        pmtudIntervalS: 30,
        policy: "passive",
        manualMtu: 0,
        compression: { model: "none", level: 0, threshold: 0 },
        profile: profileOf("3.1.7"),
      },
      { send: (datagram) => ring.send(id, datagram), interfaceMtu: () => 1500 },
      { data: (_from, bytes) => this.totem.receive(bytes), hostChange: () => undefined },
    );
    this.sync = new SyncEngine(
      port("sync"),
      [
        {
          id: 2,
          description: "test service",
          handlerCount: 1,
          execute: (_h, from, payload) => this.delivered.push(`${from}:${new TextDecoder().decode(payload)}`),
        },
      ],
      { configuration: (c) => this.onConfiguration(c), synchronised: () => undefined, storeRingSeq: (seq) => ring.disk.set(id, seq) },
    );
    this.totem = new Totem(port("totem"), p, this.knet, this.sync, ringSeq);
    this.sync.attach(this.totem);
    this.totem.onTokenCallback = () => this.sync.onToken();
  }

  private onConfiguration(c: Configuration): void {
    if (c.kind === "regular") this.delivered.push(`ring ${c.ring.rep}.${c.ring.seq.toString(16)} [${c.members.join(" ")}]`);
  }

  say(text: string): boolean {
    return this.sync.mcast(2, 0, new TextEncoder().encode(text));
  }

  timer(name: string): void {
    const dot = name.indexOf(".");
    const layer = name.slice(0, dot);
    if (layer === "knet") this.knet.timer(name.slice(dot + 1));
    else this.totem.timer(name.slice(dot + 1));
  }
}

interface Flying {
  at: number;
  order: number;
  to: number;
  datagram: Datagram;
}

export class BareRing {
  now = 0;
  readonly daemons = new Map<number, Daemon>();
  readonly disk = new Map<number, number>();
  readonly lines: string[] = [];
  private flying: Flying[] = [];
  private order = 0;
  /** "a>b" pairs that lose everything. */
  readonly cuts = new Set<string>();
  loss = 0;
  private readonly rng: Rng;

  constructor(
    readonly n: number,
    readonly seed = "ring",
    private readonly levels: readonly string[] = ["notice"],
  ) {
    this.rng = Rng.from(seed, "fabric");
  }

  log(id: number, level: string, subsystem: string, text: string): void {
    if (this.levels.includes(level)) this.lines.push(`${String(Math.round(this.now / MS)).padStart(7)} node${id} [${subsystem}] ${text}`);
  }

  send(from: number, datagram: Datagram): void {
    const to = Number(datagram.dst.split(".")[3]);
    if (this.cuts.has(`${from}>${to}`) || this.rng.percent(this.loss)) return;
    this.flying.push({ at: this.now + DELAY, order: ++this.order, to, datagram });
  }

  start(id: number): void {
    const daemon = new Daemon(id, this, this.n, this.disk.get(id) ?? 0);
    this.daemons.set(id, daemon);
    daemon.knet.start();
    daemon.knet.configure();
    daemon.totem.start();
  }

  kill(id: number): void {
    this.daemons.delete(id);
  }

  partition(...groups: number[][]): void {
    for (const a of groups) for (const b of groups) if (a !== b) for (const x of a) for (const y of b) this.cuts.add(`${x}>${y}`);
  }

  heal(): void {
    this.cuts.clear();
  }

  /** Runs until `seconds` from now. */
  run(seconds: number): void {
    const end = this.now + seconds * SEC;
    for (;;) {
      let at = Infinity;
      for (const d of this.daemons.values()) at = Math.min(at, d.timers.nextAt());
      const due = this.flying.reduce((m, f) => Math.min(m, f.at), Infinity);
      const next = Math.min(at, due);
      if (next > end) break;
      this.now = next;
      if (at <= due) {
        for (const d of this.daemons.values()) {
          const name = d.timers.pop(next);
          if (name !== undefined) {
            d.timer(name);
            break;
          }
        }
        continue;
      }
      const i = this.flying.findIndex((f) => f.at === next);
      const [packet] = this.flying.splice(i, 1);
      if (packet !== undefined) this.receive(packet);
    }
    this.now = end;
  }

  private receive(packet: Flying): void {
    const daemon = this.daemons.get(packet.to);
    if (daemon !== undefined) {
      daemon.knet.receive(packet.datagram);
      return;
    }
    const { datagram: d } = packet;
    if (d.proto === "icmp-port-unreachable") return;
    const back: Datagram = {
      proto: "icmp-port-unreachable",
      net: d.net,
      src: d.dst,
      srcPort: d.dstPort,
      dst: d.src,
      dstPort: d.srcPort,
      bytes: new Uint8Array(0),
    };
    this.flying.push({ at: this.now + DELAY, order: ++this.order, to: Number(d.src.split(".")[3]), datagram: back });
  }

  daemon(id: number): Daemon {
    const d = this.daemons.get(id);
    if (d === undefined) throw new Error(`node${id} is not running`);
    return d;
  }
}
