/**
 * The tree as a group's data: its index as the state that members compare, the leader by the highest version, updates by inode; and each change as a message that every member applies. In the
 * real stack: pmxcfs's dcdb.c. Group pve_dcdb_v1, protocol 1.
 */
import { sameBytes, sha256, type Errno } from "../kernel/index.ts";
import type { DfsmData, Decision, States } from "./dfsm.ts";
import { checksumOf, type TreeEntry } from "./entry.ts";
import type { Memdb } from "./memdb.ts";
import {
  decodeEntry,
  decodeIndex,
  decodeOperation,
  encodeEntry,
  encodeIndex,
  memberText,
  sameMember,
  type Member,
  type TreeIndex,
} from "./messages.ts";
import { applyOperation, type Operation } from "./operations.ts";

export const DCDB_GROUP = "pve_dcdb_v1";

export interface DcdbPort {
  readonly self: Member;
  quorate(): boolean;
  log(level: "notice" | "crit", text: string): void;
  /** A file was applied to the tree: what is copied elsewhere may have changed. `mine`: this node sent it. */
  applied(operation: Operation, mine: boolean): void;
  /** Another state has been taken over. */
  replaced(): void;
  isLowest(): boolean;
  /** Sends a change nobody waits for. */
  send(operation: Operation): void;
}

interface DcdbState {
  readonly leaderIndex: Uint8Array | undefined;
  readonly updates: readonly Uint8Array[];
}

export class DcdbData implements DfsmData {
  readonly protocol = 1;
  /** While it waits for updates: what it has to come to. */
  private leaderIndex: Uint8Array | undefined;
  private updates: Uint8Array[] = [];

  constructor(
    private readonly memdb: Memdb,
    private readonly port: DcdbPort,
  ) {}

  private index(): TreeIndex {
    const { tree } = this.memdb;
    const { version, writer, mtime } = tree.root;
    const all = tree.all();
    const lastInode = all.at(-1)?.inode ?? 0;
    return { version, lastInode, writer, mtime, entries: all.map((entry) => ({ inode: entry.inode, checksum: checksumOf(entry) })) };
  }

  state(): Uint8Array {
    return encodeIndex(this.index());
  }

  /** Highest version, then latest change, then lowest node id; whose index is the leader's to the byte is up to date. */
  decide(states: States): Decision {
    const shown = states.map(({ member, state }) => ({ member, state, index: decodeIndex(state) }));
    const [leader] = [...shown].sort(
      (a, b) => b.index.version - a.index.version || b.index.mtime - a.index.mtime || a.member.nodeId - b.member.nodeId,
    );
    if (leader === undefined) return "error";
    this.port.log("notice", `leader is ${memberText(leader.member)}`);
    const synced = shown.filter(({ state }) => sameBytes(state, leader.state));
    this.port.log("notice", `synced members: ${synced.map(({ member }) => memberText(member)).join(", ")}`);
    if (sameMember(leader.member, this.port.self)) return this.lead(shown.map(({ index }) => index));
    if (synced.some(({ member }) => sameMember(member, this.port.self))) return "synced";
    this.leaderIndex = leader.state;
    this.updates = [];
    return "wait";
  }

  /** Every inode that some member has otherwise, or not at all, once. */
  private lead(indexes: readonly TreeIndex[]): Decision {
    this.port.log("notice", "start sending inode updates");
    const theirs = indexes.map((index) => new Map(index.entries.map(({ inode, checksum }) => [inode, checksum])));
    const missed = this.memdb.tree.all().filter((entry) => {
      const own = checksumOf(entry);
      return theirs.some((index) => !sameBytes(index.get(entry.inode) ?? new Uint8Array(0), own));
    });
    this.port.log("notice", `sent all (${missed.length}) updates`);
    return { lead: missed.map(encodeEntry) };
  }

  update(body: Uint8Array): void {
    this.updates.push(body);
  }

  commit(): boolean {
    if (this.leaderIndex === undefined) return false;
    const wanted = this.leaderIndex;
    const updates: TreeEntry[] = this.updates.map(decodeEntry);
    this.leaderIndex = undefined;
    this.updates = [];
    const keep = new Set(decodeIndex(wanted).entries.map(({ inode }) => inode));
    if (!this.memdb.replace(keep, updates)) return false;
    if (!sameBytes(this.state(), wanted)) {
      this.port.log("crit", "new index does not match master index - internal error");
      return false;
    }
    this.port.replaced();
    return true;
  }

  deliver(from: Member, subtype: number, time: number, body: Uint8Array): Errno | undefined | "resync" {
    const operation = decodeOperation(subtype, body);
    if (operation === undefined) return undefined;
    if (operation.op === "unlock request") {
      this.decideUnlock(operation.path);
      return undefined;
    }
    if (!this.port.quorate()) {
      this.port.log("crit", "received write while not quorate - trigger resync");
      return "resync";
    }
    const outcome = applyOperation(this.memdb, operation, { writer: from.nodeId, mtime: time });
    if (outcome === undefined) this.port.applied(operation, sameMember(from, this.port.self));
    return outcome;
  }

  /** The member with the lowest node id alone looks how old the lock is. */
  private decideUnlock(path: string): void {
    if (!this.port.isLowest()) return;
    const lock = this.memdb.lockAge(path);
    if (lock?.age === "changed") this.port.log("crit", "wrong lock csum - reset timeout");
    if (lock?.age === "expired") this.port.send({ op: "unlock", path, checksum: lock.checksum });
  }

  synced(): void {
    // Nothing to do: a tree that was replaced has been looked through at once.
  }

  checksum(): Uint8Array {
    return sha256(...this.memdb.tree.all().map(checksumOf));
  }

  snapshot(): DcdbState {
    return { leaderIndex: this.leaderIndex, updates: [...this.updates] };
  }

  restore({ leaderIndex, updates }: DcdbState): void {
    this.leaderIndex = leaderIndex;
    this.updates = [...updates];
  }
}
