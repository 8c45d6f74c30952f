/**
 * What the parts of one knet handle share: its configuration, its hosts and links, its keys, and ways out to the sockets and up to Totem. In the real stack:
 * struct knet_handle of libknet, which its threads share under locks; here one event runs at a time. Left out: the locks.
 */
import type { Datagram, Port } from "../kernel/index.ts";
import { noneCompressed, type CompressionCounters, type HostState, type KnetParams } from "./hosts.ts";
import { zeroCounters, type LinkCounters, type LinkParams, type LinkState } from "./link.ts";
import { PMTUD, sealProbe } from "./packets.ts";
import { Pmtud, type PmtudState } from "./pmtud.ts";
import { sealKey, sealOfKey, type SealKey } from "./seal.ts";
import { noWakes, type Wakes } from "./wakes.ts";

export interface KnetUp {
  /** A packet of Totem, from `from`. Own multicasts come back through here too. */
  data(from: number, bytes: Uint8Array): void;
  hostChange(nodeId: number, reachable: boolean): void;
}

export interface KnetState {
  hosts: HostState[];
  wakes: Wakes;
  startedAt: number;
  configured: boolean;
  pmtud: PmtudState;
  loop: { at: number; bytes: Uint8Array }[];
  own: LinkCounters;
  rxCrypt: number;
  txCrypt: number;
  compressed: CompressionCounters;
  /** The last MTU given by hand that libknet took; 0: none. */
  manualMtu: number;
  /** The module of that name is in memory. */
  compressModule: string;
  /** A tool has set the counters to zero. */
  statsCleared: boolean;
  /** While the cluster changes its key: the one to come, and the one before. */
  nextKey: SealKey | undefined;
  oldKey: SealKey | undefined;
}

/** The sockets, and what the kernel tells of the interface with an address. */
export interface KnetOut {
  send(datagram: Datagram): void;
  interfaceMtu(address: string): number;
}

export class KnetHandle {
  s: KnetState;
  key: SealKey;
  /** Own links by number. */
  links: Map<number, LinkParams>;
  readonly pmtud: Pmtud;

  constructor(
    readonly port: Port,
    public params: KnetParams,
    private readonly out: KnetOut,
    readonly up: KnetUp,
  ) {
    this.key = sealKey(params.key, params.seal);
    this.links = new Map(params.links.map((l) => [l.link, l]));
    this.pmtud = new Pmtud({
      port,
      hosts: () => this.s.hosts,
      link: (number) => this.links.get(number),
      seal: () => sealOfKey(this.key),
      intervalS: () => this.params.pmtudIntervalS,
      manualMtu: () => this.manualMtu,
      interfaceMtu: (address) => out.interfaceMtu(address),
      probe: (p, link, payload) => this.transmit(p, link, sealProbe(this.key, PMTUD, this.params.nodeId, payload)),
    });
    this.s = {
      hosts: [],
      wakes: noWakes(),
      startedAt: port.now(),
      configured: false,
      pmtud: this.pmtud.state,
      loop: [],
      own: { ...zeroCounters(), up_count: 1 },
      rxCrypt: 0,
      txCrypt: 0,
      compressed: noneCompressed(),
      manualMtu: 0,
      compressModule: "none",
      statsCleared: false,
      nextKey: undefined,
      oldKey: undefined,
    };
  }

  /** 0 where none is given. */
  get manualMtu(): number {
    return this.s.manualMtu;
  }

  /** `wire`: bytes of UDP payload that the real packet has, where the lab's own has fewer. */
  transmit(p: LinkParams, link: LinkState, bytes: Uint8Array, wire = bytes.length): void {
    this.s.txCrypt++;
    // One literal with all of it: this is done for every packet, and copies of objects are dear.
    const { net, localAddress: src, port } = p;
    this.out.send({ proto: "udp", net, src, srcPort: port, dst: link.remoteAddress, dstPort: port, bytes, wire });
  }
}
