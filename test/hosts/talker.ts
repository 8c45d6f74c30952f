/** A small machine for tests of the world itself: it sends to random others at random times, answers, keeps a journal, and can be told to be silent. */
import {
  Journal,
  Rng,
  Timers,
  cloneState,
  utf8,
  type Datagram,
  type DiskContents,
  type Effect,
  type Hasher,
  type Instant,
  type JournalLine,
  type Machine,
  type MachineAct,
  type MachineQuery,
  type MachineSnapshot,
  type MachineStatus,
  type NicStatus,
  type Out,
  type QueryReply,
} from "../../src/engine/kernel/index.ts";
import type { MachineDesign, WorldDesign } from "../../src/engine/world/index.ts";

interface TalkerState {
  silent: boolean;
  received: { at: Instant; from: string; text: string }[];
  sent: number;
}

export class Talker implements Machine {
  readonly name: string;
  private state: TalkerState = { silent: false, received: [], sent: 0 };
  private timers = new Timers();
  private journal = new Journal();
  private rng: Rng;
  protected peers: string[];
  private nic: { net: string; address: string };

  constructor(world: WorldDesign, machine: MachineDesign) {
    this.name = machine.name;
    this.rng = Rng.from(world.seed, "talker", machine.name);
    const own = machine.nics[0];
    if (own === undefined) throw new Error("a talker needs a card");
    this.nic = own;
    this.peers = world.machines.flatMap((m) => m.nics.filter((n) => n.net === own.net && m.name !== machine.name).map((n) => n.address));
    this.timers.set("talk", this.rng.between(0, 1000));
  }

  nextTimerAt(): Instant {
    return this.timers.nextAt();
  }

  runTimer(now: Instant, out: Out): void {
    this.timers.pop(now);
    this.timers.set("talk", now + this.rng.between(0, 2000));
    if (!this.state.silent && this.peers.length > 0) this.send(this.rng.pick(this.peers), `hello ${++this.state.sent}`, out);
  }

  private send(dst: string, text: string, out: Out): void {
    const datagram: Datagram = { proto: "udp", net: this.nic.net, src: this.nic.address, srcPort: 1, dst, dstPort: 1, bytes: utf8(text) };
    out({ kind: "send", datagram });
  }

  receive(now: Instant, datagram: Datagram, out: Out): void {
    const text = new TextDecoder().decode(datagram.bytes);
    this.state.received.push({ at: now, from: datagram.src, text });
    if (text.startsWith("hello")) this.send(datagram.src, `answer to ${text}`, out);
    if (this.state.received.length % 10 === 0) this.log(now, `heard ${this.state.received.length}`, out);
  }

  private log(now: Instant, text: string, out: Out): void {
    const line: JournalLine = { instant: now, unit: "talker", identifier: "talker", pid: 1, boot: 0, level: "info", subsystem: "", text };
    this.journal.append(line);
    out({ kind: "journal", line });
  }

  act(now: Instant, act: MachineAct, out: Out): void {
    if (act.kind === "stall") this.state.silent = true;
    if (act.kind === "resume") this.state.silent = false;
    if (act.kind === "file-write") out({ kind: "file-result", path: act.path, error: undefined });
    if (act.kind === "command") for (const peer of this.peers) this.send(peer, act.argv.join(" "), out);
    this.log(now, `act ${act.kind}`, out);
  }

  query(_now: Instant, query: MachineQuery): QueryReply {
    if (query.kind !== "command") return { kind: "error", errno: "ENOENT" };
    return { kind: "result", stdout: String(this.state.received.length), stderr: "", status: 0 };
  }

  received(): readonly { at: Instant; from: string; text: string }[] {
    return this.state.received;
  }

  status(): MachineStatus {
    const nics: NicStatus[] = [{ name: "eno1", net: this.nic.net, address: this.nic.address, up: true, mtu: 1500 }];
    return {
      name: this.name, kind: "node", power: "on", powerSince: 0, booting: false, worker: "alive", units: {}, nics,
      corosync: null, quorum: null, qnetd: null, pmxcfs: null, ha: null, busy: false, disk: { state: "ok", commitUs: 0, busyUntil: null }, upSince: 0,
    }; // prettier-ignore
  }

  journalSince(from: number): JournalLine[] {
    return this.journal.since(from);
  }

  journalLength(): number {
    return this.journal.length;
  }

  diskImage(): DiskContents {
    return { image: { seq: 0, inodes: [], entries: [] }, chunks: new Map() };
  }

  diskSeq(): number {
    return 0;
  }

  snapshot(): MachineSnapshot {
    return { state: cloneState(this.state), timers: this.timers.snapshot(), journal: this.journal.snapshot(), rng: this.rng.snapshot() };
  }

  restore(snapshot: MachineSnapshot): void {
    const s = snapshot as unknown as {
      state: TalkerState;
      timers: ReturnType<Timers["snapshot"]>;
      journal: ReturnType<Journal["snapshot"]>;
      rng: ReturnType<Rng["snapshot"]>;
    };
    this.state = cloneState(s.state);
    this.timers.restore(s.timers);
    this.journal.restore(s.journal);
    this.rng = Rng.restore(s.rng);
  }

  digest(h: Hasher): void {
    h.bool(this.state.silent).int(this.state.sent).int(this.state.received.length);
    for (const word of this.rng.snapshot()) h.int(word);
  }
}

/** A design of `count` talkers m1, m2 … on one network, 10.0.0.11 upwards. */
export function talkers(count: number, seed: string): WorldDesign {
  const machines = Array.from({ length: count }, (_, i): MachineDesign => {
    const nics = [{ name: "eno1", net: "net0", address: `10.0.0.${11 + i}` }];
    return {
      name: `m${i + 1}`, kind: "node", hostname: `m${i + 1}`, domain: "lab.local", nics, hosts: [], files: [], boot: 0, disabledUnits: [], power: "on",
    }; // prettier-ignore
  });
  return { name: "talkers", seed, epochUnixMicros: 0, networks: [{ name: "net0", cidr: "10.0.0.0/24" }], machines, faults: [] };
}

export const makeTalker = (world: WorldDesign, machine: MachineDesign): Talker => new Talker(world, machine);

export type { Effect };
