/**
 * Nodes whose trees are one group's data, on a bus that is what CPG promises: one order for all who see each other, changes of the group between messages, and what was not ordered before a change
 * comes after it. No time passes but what a test lets pass.
 */
import { Hasher, type Errno } from "../../src/engine/kernel/index.ts";
import { loadRows, rootEntry, rowOf } from "../../src/engine/pmxcfs/backend.ts";
import { DcdbData } from "../../src/engine/pmxcfs/dcdb.ts";
import { Dfsm } from "../../src/engine/pmxcfs/dfsm.ts";
import { Memdb } from "../../src/engine/pmxcfs/memdb.ts";
import { encodeOperation, sameMember, type Member } from "../../src/engine/pmxcfs/messages.ts";
import { applyOperation, type Operation } from "../../src/engine/pmxcfs/operations.ts";
import { Rows } from "./lab.ts";

export class GroupNode {
  readonly lines: string[] = [];
  /** Of this process's own changes. */
  outcomes = new Map<number, Errno | "done">();
  rows = new Rows();
  /** Own changes that most nodes had applied when this one was told, as PID/NUMBER. */
  readonly held = new Set<string>();
  memdb: Memdb;
  dfsm: Dfsm;
  /** Not yet ordered. */
  outbox: Uint8Array[] = [];
  quorate = true;
  wantsToLeave = false;
  replacements = 0;

  constructor(
    public member: Member,
    readonly bus: GroupBus,
  ) {
    this.rows.commit({ removed: [], written: [rowOf(rootEntry(1000))] });
    [this.memdb, this.dfsm] = this.begin();
  }

  private begin(): [Memdb, Dfsm] {
    const loaded = loadRows(this.rows.all());
    if ("refused" in loaded) throw new Error(loaded.refused);
    const seconds = (): number => this.bus.seconds;
    const memdb = new Memdb(loaded.entries, this.rows, { seconds, changed: () => undefined });
    const { member } = this;
    const log = (level: string, text: string): void => void this.lines.push(`[dcdb] ${level}: ${text}`);
    const data = new DcdbData(memdb, {
      self: member,
      log,
      quorate: () => this.quorate,
      applied: () => undefined,
      isLowest: () => this.dfsm.isLowest,
      send: (operation) => void this.change(operation),
      replaced: () => {
        this.replacements++;
        memdb.rebuild();
      },
    });
    const multicast = (message: Uint8Array): void => void this.outbox.push(message);
    const { outcomes } = this;
    const concluded = (count: number, outcome: Errno | undefined): void => {
      outcomes.set(count, outcome ?? "done");
      if (outcome === undefined && this.bus.mostHave(member.nodeId)) this.held.add(`${member.pid}/${count}`);
    };
    const dfsm = new Dfsm({ self: member, seconds, multicast, log, concluded, leave: () => (this.wantsToLeave = true) }, data);
    return [memdb, dfsm];
  }

  /** The daemon begins anew from its database, under another process id. */
  restart(pid: number): void {
    this.member = { nodeId: this.member.nodeId, pid };
    this.outbox = [];
    this.outcomes = new Map();
    [this.memdb, this.dfsm] = this.begin();
  }

  /** A change as a file call makes it. @returns its number; an errno where it is refused at once */
  change(operation: Operation): number | Errno {
    if (!this.quorate) return "EACCES";
    const { subtype, body } = encodeOperation(operation);
    return this.dfsm.send(subtype, body) ?? "EBUSY";
  }

  /** In local mode. */
  local(operation: Operation): Errno | undefined {
    return applyOperation(this.memdb, operation, { writer: 0, mtime: this.bus.seconds });
  }

  digest(): string {
    const h = new Hasher();
    this.memdb.tree.digest(h);
    return h.hex();
  }
}

export class GroupBus {
  seconds = 1000;
  readonly nodes: GroupNode[] = [];
  /** Who sees whom: one set of node ids each. */
  private views: (readonly number[])[] = [];
  private readonly absent = new Set<number>();

  constructor(pids: readonly number[]) {
    for (const [i, pid] of pids.entries()) this.nodes.push(new GroupNode({ nodeId: i + 1, pid }, this));
  }

  node(id: number): GroupNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }

  private viewOf(id: number): readonly number[] {
    return this.absent.has(id) ? [] : (this.views.find((view) => view.includes(id)) ?? []);
  }

  /** New components, each quorate where it has most nodes; their members hear of it. */
  split(...components: (readonly number[])[]): void {
    const before = new Map(this.nodes.map((node) => [node, this.present(node.member.nodeId)]));
    this.views = components;
    for (const node of this.nodes)
      node.quorate = (components.find((c) => c.includes(node.member.nodeId))?.length ?? 0) * 2 > this.nodes.length;
    for (const node of this.nodes) this.tell(node, before.get(node) ?? []);
  }

  /** A process leaves the group, or comes. */
  leave(id: number): void {
    this.around(() => {
      this.absent.add(id);
      this.node(id).outbox = [];
      this.node(id).dfsm.disconnected();
    });
  }

  join(id: number): void {
    this.around(() => {
      this.absent.delete(id);
      this.node(id).wantsToLeave = false;
      this.node(id).dfsm.restart();
    });
  }

  private around(act: () => void): void {
    const before = new Map(this.nodes.map((node) => [node, this.present(node.member.nodeId)]));
    act();
    for (const node of this.nodes) {
      const now = this.present(node.member.nodeId);
      const old = before.get(node) ?? [];
      if (now.length !== old.length || !now.every((m) => old.some((o) => sameMember(m, o)))) this.tell(node, old);
    }
  }

  /** Most nodes see this one and wait for nobody's updates. */
  mostHave(id: number): boolean {
    const present = this.present(id).filter(({ nodeId }) => this.node(nodeId).dfsm.mode === "synced");
    return present.length * 2 > this.nodes.length;
  }

  /** Two that see each other and are up to date, with different trees. */
  apart(): string | undefined {
    for (const a of this.nodes)
      for (const { nodeId } of this.present(a.member.nodeId)) {
        const b = this.node(nodeId);
        const both = a.dfsm.mode === "synced" && b.dfsm.mode === "synced";
        if (both && a.digest() !== b.digest()) return `nodes ${a.member.nodeId} and ${nodeId} have different trees`;
      }
    return undefined;
  }

  private present(id: number): Member[] {
    return this.viewOf(id)
      .filter((other) => !this.absent.has(other))
      .map((other) => this.node(other).member);
  }

  private tell(node: GroupNode, before: readonly Member[]): void {
    const members = this.present(node.member.nodeId);
    if (members.length === 0) return;
    node.dfsm.changed(
      members,
      members.filter((m) => !before.some((o) => sameMember(m, o))),
    );
  }

  /** Orders and delivers one message of a node that has one; false: none has. */
  step(pick: (count: number) => number = () => 0): boolean {
    const senders = this.nodes.filter((node) => node.outbox.length > 0 && this.viewOf(node.member.nodeId).length > 0);
    const sender = senders[pick(senders.length)];
    const message = sender?.outbox.shift();
    if (sender === undefined || message === undefined) return false;
    const from = sender.member;
    for (const { nodeId } of this.present(from.nodeId)) this.node(nodeId).dfsm.received(from, message);
    for (const node of this.nodes) if (node.wantsToLeave && !this.absent.has(node.member.nodeId)) this.leave(node.member.nodeId);
    return true;
  }

  run(pick?: (count: number) => number): void {
    while (this.step(pick)) continue;
  }

  /** Makes a change and lets everything come to rest. */
  done(id: number, operation: Operation): Errno | "done" | undefined {
    const sent = this.node(id).change(operation);
    this.run();
    return typeof sent === "number" ? this.node(id).outcomes.get(sent) : sent;
  }
}

export const write = (path: string, text: string, truncate = true): Operation => ({
  op: "write",
  path,
  offset: 0,
  data: new TextEncoder().encode(text),
  truncate,
});
