/** Three nodes with corosync and pmxcfs, and somebody at their prompts. */
import { SEC, utf8, type MachineAct } from "../../src/engine/kernel/index.ts";
import { makeMachine } from "../../src/engine/node/index.ts";
import { World, type WorldAct, type WorldDesign } from "../../src/engine/world/index.ts";
import { asSaid, typed, type Told } from "../typing.ts";

const NAMES = ["pve1", "pve2", "pve3"];
const address = (i: number): string => `10.99.0.${11 + i}`;

export function confText(version = 3, names: readonly string[] = NAMES): string {
  const node = (name: string, i: number): string =>
    `  node {\n    name: ${name}\n    nodeid: ${i + 1}\n    quorum_votes: 1\n    ring0_addr: ${address(i)}\n  }\n`;
  return (
    `logging {\n  debug: off\n  to_syslog: yes\n}\n\nnodelist {\n${names.map(node).join("")}}\n\n` +
    "quorum {\n  provider: corosync_votequorum\n}\n\n" +
    `totem {\n  cluster_name: lab\n  config_version: ${version}\n  interface {\n    linknumber: 0\n  }\n  ip_version: ipv4-6\n` +
    "  link_mode: passive\n  secauth: on\n  token_coefficient: 125\n  version: 2\n}\n"
  );
}

/** @param clustered false: no corosync.conf, each node by itself */
export function design(clustered = true, seed = "1"): WorldDesign {
  const hosts = NAMES.map((name, i) => ({ address: address(i), names: [`${name}.lab.local`, name] }));
  const conf = [
    { path: "/etc/corosync/corosync.conf", data: utf8(confText()) },
    { path: "/etc/corosync/authkey", data: new Uint8Array(256).fill(1) },
  ];
  return {
    name: "pmxcfs",
    seed,
    epochUnixMicros: 1_795_167_244_000_000,
    networks: [{ name: "net0", cidr: "10.99.0.0/24" }],
    machines: NAMES.map((name, i) => ({
      kind: "node" as const,
      name,
      hostname: name,
      domain: "lab.local",
      nics: [{ name: "eno1", net: "net0", address: address(i) }],
      hosts,
      files: clustered ? conf : [],
      boot: 5 * SEC,
      disabledUnits: [],
      packages: ["pve-cluster"],
      power: "on" as const,
    })),
    faults: [],
  };
}

export class Cluster {
  constructor(readonly world = new World(design(), makeMachine)) {}

  static formed(seed = "1"): Cluster {
    const cluster = new Cluster(new World(design(true, seed), makeMachine));
    cluster.wait(30);
    return cluster;
  }

  wait(seconds: number): void {
    this.world.runUntil(this.world.now + Math.round(seconds * SEC));
  }

  act(act: WorldAct): void {
    const done = this.world.act(act);
    if (!done.ok) throw new Error(done.message);
  }

  on(node: string, act: MachineAct): void {
    this.act({ to: "machine", machine: node, act });
  }

  split(...groups: string[][]): void {
    this.act({ to: "fabric", act: { kind: "partition", groups } });
  }

  heal(): void {
    this.act({ to: "fabric", act: { kind: "heal" } });
  }

  /** A line typed at a node's prompt, waited for. */
  type(node: string, line: string): Promise<Told> {
    return typed(this.world, node, line);
  }

  /** What it printed, its errors first, and its status where that is not 0. */
  async say(node: string, line: string): Promise<string> {
    return asSaid(await this.type(node, line));
  }

  /** Lines of pmxcfs in a node's journal, from an instant on. */
  journal(node: string, since = 0): string[] {
    return this.world
      .named(node)
      .journalSince(0)
      .filter((line) => line.instant >= since && line.identifier === "pmxcfs")
      .map((line) => line.text);
  }
}
