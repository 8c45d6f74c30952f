/** A network for node tests: nodes joined with a fixed delay, run event by event in the world's order. No fabric, no faults beyond a cut set. */
import { writePveConf } from "../../src/engine/config/index.ts";
import type { Commit, Datagram, Effect, Instant, JournalLine, MachineAct } from "../../src/engine/kernel/index.ts";
import { NEVER, utf8 } from "../../src/engine/kernel/index.ts";
import type { ComputerDesign } from "../../src/engine/machine/index.ts";
import { Node, type BroughtProgram } from "../../src/engine/node/index.ts";

export const EPOCH = 1_767_225_600_000_000;
const DELAY_US = 200;

export interface TestNetworkOptions {
  conf?: string;
  seed?: string;
  power?: "on" | "off";
  boot?: number;
  disabled?: string[];
  files?: ComputerDesign["files"];
  packages?: string[];
  /** The program that each node has beside its own, by the node's place. */
  brought?: (place: number) => BroughtProgram;
}

export function conf(names: readonly string[]): string {
  return writePveConf({
    clusterName: "lab",
    configVersion: 1,
    nodes: names.map((name, i) => ({ name, nodeId: i + 1, votes: 1, addresses: [`10.10.0.${i + 1}`] })),
    links: [{ link: 0 }],
  });
}

export function design(names: readonly string[], i: number, options: TestNetworkOptions = {}): ComputerDesign {
  const name = names[i] ?? "";
  return {
    name,
    hostname: name,
    domain: "lab.local",
    nics: [{ name: "eno1", net: "net0", address: `10.10.0.${i + 1}` }],
    hosts: names.map((n, k) => ({ address: `10.10.0.${k + 1}`, names: [`${n}.lab.local`, n] })),
    files: options.files ?? [
      { path: "/etc/corosync/corosync.conf", data: utf8(options.conf ?? conf(names)) },
      { path: "/etc/corosync/authkey", data: new Uint8Array(256).fill(7), mode: 0o400 },
    ],
    boot: options.boot ?? 0,
    disabledUnits: options.disabled ?? [],
    power: options.power ?? "on",
    ...(options.packages === undefined ? {} : { packages: options.packages }),
  };
}

interface Flight {
  at: Instant;
  order: number;
  to: number;
  datagram: Datagram;
}

export class TestNetwork {
  readonly nodes: Node[];
  now: Instant = 0;
  flights: Flight[] = [];
  sent = 0;
  effects: { node: string; effect: Effect }[] = [];
  /** Durable changes of the nodes' disks, which are not among the effects. */
  commits: { node: string; commit: Commit }[] = [];
  /** Addresses that nothing reaches. */
  cut = new Set<string>();

  constructor(names: readonly string[], options: TestNetworkOptions = {}) {
    const facts = { seed: options.seed ?? "1", epochUnixMicros: EPOCH };
    this.nodes = names.map((_, i) => new Node(design(names, i, options), facts, "node", options.brought?.(i)));
  }

  node(i: number): Node {
    const node = this.nodes[i];
    if (node === undefined) throw new Error(`no node ${i}`);
    return node;
  }

  private out(node: Node): (effect: Effect) => void {
    return (effect) => {
      if (effect.kind === "commit") {
        this.commits.push({ node: node.name, commit: effect.commit });
        return;
      }
      if (effect.kind !== "send") {
        this.effects.push({ node: node.name, effect });
        return;
      }
      const d = effect.datagram;
      const to = this.nodes.findIndex((n) => n.status(this.now).nics.some((c) => c.address === d.dst));
      if (to < 0 || this.cut.has(d.dst) || this.cut.has(d.src)) return;
      this.flights.push({ at: this.now + DELAY_US, order: this.sent++, to, datagram: d });
    };
  }

  act(i: number, act: MachineAct): void {
    const node = this.node(i);
    node.act(this.now, act, this.out(node));
  }

  /** Runs every event up to and including instant `until`. */
  runTo(until: Instant): void {
    for (;;) {
      let best = NEVER;
      let who = -1;
      this.nodes.forEach((n, i) => {
        const at = Math.max(this.now, n.nextTimerAt());
        if (at < best) [best, who] = [at, i];
      });
      const flight = this.flights[0];
      if (flight !== undefined && flight.at < best) {
        if (flight.at > until) break;
        this.flights.shift();
        this.now = flight.at;
        const node = this.node(flight.to);
        node.receive(this.now, flight.datagram, this.out(node));
      } else if (best <= until) {
        this.now = best;
        const node = this.node(who);
        node.runTimer(this.now, this.out(node));
      } else break;
    }
    this.now = until;
  }

  journal(i: number): JournalLine[] {
    return this.node(i).journalSince(0);
  }

  /** Journal as `level [SUBSY ] text`, the way the recorded logs have it; lines of other programs as `name: text`. */
  lines(i: number, from = 0): string[] {
    return this.node(i)
      .journalSince(from)
      .map((l) =>
        l.subsystem === "" ? `${l.pid === 1 ? "systemd" : l.unit}: ${l.text}` : `${l.level.padEnd(7)} [${l.subsystem.padEnd(6)}] ${l.text}`,
      );
  }
}
