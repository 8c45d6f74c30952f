/**
 * The cluster log: a ring of short entries that every node has, made one from all nodes' at each synchronisation, and the text of `.clusterlog`. In the real stack: pmxcfs's logger.c.
 * Memory only: a daemon that begins gets the others' entries. Left out: the ring's own layout; an entry counts with the bytes of its header and texts.
 */
import { ByteReader, ByteWriter, fromUtf8, utf8, type Hasher } from "../kernel/index.ts";

export interface LogEntry {
  /** Counts the entries of its daemon, from 1. */
  readonly uid: number;
  /** Seconds since 1970 by its node's clock. */
  readonly time: number;
  /** syslog(3)'s priority. */
  readonly priority: number;
  readonly tag: string;
  readonly pid: number;
  readonly node: string;
  readonly user: string;
  readonly message: string;
}

/** The ring's size and the largest entry, bytes. */
const RING_BYTES = 131_072;
const ENTRY_BYTES_MAX = 4096;
const ENTRY_HEADER_BYTES = 44;
/** Entries that `.clusterlog` shows. */
const SHOWN_MAX = 50;

function bytesOf(entry: LogEntry): number {
  const texts = [entry.tag, entry.node, entry.user, entry.message];
  return texts.reduce((n, text) => n + utf8(text).length + 1, ENTRY_HEADER_BYTES);
}

function before(a: LogEntry, b: LogEntry): number {
  if (a.time !== b.time) return a.time - b.time;
  if (a.node !== b.node) return a.node < b.node ? -1 : 1;
  return a.uid - b.uid;
}

export class ClusterLog {
  /** Oldest first. */
  private entries: LogEntry[] = [];
  private lastUid = 0;

  /** An entry of this node's own, with its number; too long a message is cut. */
  make(entry: Omit<LogEntry, "uid">): LogEntry {
    const room = ENTRY_BYTES_MAX - bytesOf({ ...entry, uid: 0, message: "" });
    const bytes = utf8(entry.message);
    const message = bytes.length <= room ? entry.message : fromUtf8(bytes.subarray(0, room));
    return { ...entry, message, uid: ++this.lastUid };
  }

  add(entry: LogEntry): void {
    this.entries.push(entry);
    this.drop();
  }

  /** All members' entries become one log without doubles. */
  merge(logs: readonly (readonly LogEntry[])[]): void {
    const all = logs.flat().sort(before);
    this.entries = all.filter((entry, i) => {
      const previous = all[i - 1];
      return previous === undefined || before(previous, entry) !== 0;
    });
    this.drop();
  }

  private drop(): void {
    let bytes = this.entries.reduce((n, entry) => n + bytesOf(entry), 0);
    while (bytes > RING_BYTES) {
      const oldest = this.entries.shift();
      if (oldest === undefined) return;
      bytes -= bytesOf(oldest);
    }
  }

  all(): readonly LogEntry[] {
    return this.entries;
  }

  /** Contents of `.clusterlog`: the latest first. */
  text(): string {
    const shown = this.entries.slice(-SHOWN_MAX).reverse();
    return `{\n"data": [\n${shown.map(line).join(",\n")}\n]\n}\n`;
  }

  snapshot(): { readonly entries: readonly LogEntry[]; readonly lastUid: number } {
    return { entries: [...this.entries], lastUid: this.lastUid };
  }

  restore({ entries, lastUid }: { readonly entries: readonly LogEntry[]; readonly lastUid: number }): void {
    this.entries = [...entries];
    this.lastUid = lastUid;
  }

  digest(h: Hasher): void {
    h.int(this.lastUid).int(this.entries.length);
    for (const { uid, time, node, message } of this.entries) h.int(uid).int(time).text(node).text(message);
  }
}

function line({ uid, time, priority, tag, pid, node, user, message }: LogEntry): string {
  const text = (value: string): string => JSON.stringify(value);
  return (
    `{"uid": ${uid}, "time": ${time}, "pri": ${priority}, "tag": ${text(tag)}, "pid": ${pid}, ` +
    `"node": ${text(node)}, "user": ${text(user)}, "msg": ${text(message)}}`
  );
}

export function encodeLog(entries: readonly LogEntry[]): Uint8Array {
  const w = new ByteWriter().u32(entries.length);
  for (const { uid, time, priority, tag, pid, node, user, message } of entries)
    w.u32(uid).u32(time).u8(priority).u32(pid).text(tag).text(node).text(user).text(message);
  return w.done();
}

export function decodeLog(data: Uint8Array): LogEntry[] {
  const r = new ByteReader(data);
  return Array.from({ length: r.u32() }, () => {
    const [uid, time, priority, pid] = [r.u32(), r.u32(), r.u8(), r.u32()];
    return { uid, time, priority, pid, tag: r.text(), node: r.text(), user: r.text(), message: r.text() };
  });
}
