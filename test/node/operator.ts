/** A cluster of the recorder's shape with a person at its prompts: type, wait, edit a file, look at the journal. */
import { SEC, utf8, type MachineAct } from "../../src/engine/kernel/index.ts";
import { makeMachine } from "../../src/engine/node/index.ts";
import { World } from "../../src/engine/world/index.ts";
import { count, hasDevice, labOf } from "../conformance/lab.ts";
import { asSaid, typed, type Told } from "../typing.ts";

export interface ConfShape {
  readonly links?: number;
  /** Lines of these sections beside what every file here has. */
  readonly logging?: string;
  readonly quorum?: string;
  readonly totem?: string;
  readonly provider?: boolean;
}

/** A corosync.conf of the shape the recorder writes: node1 … nodeN at 10.10.k.i, a token timeout of one second. */
export function confText(nodes: number, shape: ConfShape = {}): string {
  const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
  const links = numbers(shape.links ?? 1);
  const address = (i: number, k: number): string => `    ring${k}_addr: 10.10.${k}.${i}\n`;
  const node = (i: number): string =>
    `  node {\n    name: node${i}\n    nodeid: ${i}\n    quorum_votes: 1\n${links.map((k) => address(i, k)).join("")}  }\n`;
  const provider = shape.provider === false ? "" : "  provider: corosync_votequorum\n";
  return (
    `logging {\n  debug: off\n  to_syslog: yes\n${shape.logging ?? ""}}\n\n` +
    `nodelist {\n${numbers(nodes)
      .map((i) => node(i + 1))
      .join("")}}\n\n` +
    `quorum {\n${provider}${shape.quorum ?? ""}}\n\n` +
    `totem {\n  cluster_name: labcluster\n  config_version: 1\n${links.map((k) => `  interface {\n    linknumber: ${k}\n  }\n`).join("")}` +
    `  secauth: on\n  token: 1000\n  version: 2\n${shape.totem ?? ""}}\n`
  );
}

export class Operator {
  readonly world: World;

  constructor(
    readonly conf: string,
    seed = "1",
  ) {
    this.world = new World(labOf(conf, seed), makeMachine);
    this.wait(20);
  }

  /** Every node's daemon is started, and has its ring; with a quorum device all of its daemons too. */
  static up(conf: string, seed = "1"): Operator {
    const operator = new Operator(conf, seed);
    const nodes = Array.from({ length: count(conf).nodes }, (_, i) => i + 1);
    for (const node of nodes) operator.service(node, "start");
    if (hasDevice(conf)) {
      operator.service(0, "start", "corosync-qnetd");
      operator.wait(3);
      for (const node of nodes) operator.service(node, "start", "corosync-qdevice");
    }
    operator.wait(15);
    return operator;
  }

  wait(seconds: number): void {
    this.world.runUntil(this.world.now + seconds * SEC);
  }

  act(node: number, act: MachineAct): void {
    const done = this.world.act({ to: "machine", machine: node === 0 ? "qnetd" : `node${node}`, act });
    if (!done.ok) throw new Error(done.message);
  }

  service(node: number, op: "start" | "stop" | "kill", unit = "corosync"): void {
    this.act(node, { kind: "service", op, unit });
  }

  write(node: number, text: string, path = "/etc/corosync/corosync.conf"): void {
    this.act(node, { kind: "file-write", path, data: utf8(text), append: false });
  }

  type(node: number, line: string): Promise<Told> {
    return typed(this.world, node === 0 ? "qnetd" : `node${node}`, line);
  }

  /** What the command printed, its errors first, and its status where that is not 0. */
  async say(node: number, line: string): Promise<string> {
    return asSaid(await this.type(node, line));
  }

  /** A unit's journal of this node since `from`, as `level [SUBSYS] text`; of other programs `name: text`. */
  journal(node: number, from = 0, unit = "corosync"): string[] {
    return this.world
      .named(`node${node}`)
      .journalSince(from)
      .filter((l) => l.unit === unit)
      .map((l) => (l.subsystem === "" ? `${l.pid === 1 ? "systemd" : l.unit}: ${l.text}` : `${l.level} [${l.subsystem}] ${l.text}`));
  }

  journalLength(node: number): number {
    return this.world.named(`node${node}`).journalSince(0).length;
  }
}
