/**
 * What the members of pmxcfs's two process groups send each other, byte for byte in the real sizes: a header of 16 bytes, the extra header of its type, the body. In the real
 * stack: the messages of dfsm.c, dcdb.c and status.c. The order of the fields inside an index and an update is the lab's own.
 */
import { ByteReader, ByteWriter, fromUtf8, utf8 } from "../kernel/index.ts";
import { DIRECTORY, FILE, type TreeEntry } from "./entry.ts";
import type { Operation } from "./operations.ts";

/** A process of a group: node and process id. */
export interface Member {
  readonly nodeId: number;
  readonly pid: number;
}

export const sameMember = (a: Member, b: Member): boolean => a.nodeId === b.nodeId && a.pid === b.pid;
export const memberText = ({ nodeId, pid }: Member): string => `${nodeId}/${pid}`;

/** One synchronisation: who began it, and its how manieth that is. */
export interface Epoch extends Member {
  readonly counter: number;
  readonly time: number;
}

export type Message = { readonly protocol: number; readonly time: number } & (
  | { readonly type: "normal"; readonly subtype: number; readonly count: number; readonly body: Uint8Array }
  | {
      readonly type: "sync start" | "state" | "update" | "update complete" | "verify request" | "verify";
      readonly epoch: Epoch;
      readonly body: Uint8Array;
    }
);

const TYPES = ["normal", "sync start", "state", "update", "update complete", "verify request", "verify"] as const;

export function encodeMessage(m: Message): Uint8Array {
  const type = TYPES.indexOf(m.type);
  const w = new ByteWriter().u16(type).u16(m.type === "normal" ? m.subtype : 0);
  w.u32(m.protocol).u32(m.time).u32(0);
  if (m.type === "normal") w.u64(m.count);
  else w.u32(m.epoch.counter).u32(m.epoch.time).u32(m.epoch.nodeId).u32(m.epoch.pid);
  return w.raw(m.body).done();
}

/** Throws ShortPacket where bytes are missing; undefined: no type of this protocol. */
export function decodeMessage(data: Uint8Array): Message | undefined {
  const r = new ByteReader(data);
  const [type, subtype, protocol, time] = [TYPES[r.u16()], r.u16(), r.u32(), r.u32()];
  r.u32();
  if (type === undefined) return undefined;
  if (type === "normal") {
    const count = r.u64();
    return { type, subtype, protocol, time, count, body: r.raw(r.left) };
  }
  const epoch = { counter: r.u32(), time: r.u32(), nodeId: r.u32(), pid: r.u32() };
  return { type, protocol, time, epoch, body: r.raw(r.left) };
}

// ---- the tree

/** Operations by their subtype, from 1. */
const OPERATIONS = ["write", "mkdir", "delete", "rename", "create", "mtime", "unlock request", "unlock"] as const;
const TRUNCATE = 1;
const CHECKSUM_BYTES = 32;

const string0 = (text: string): Uint8Array => utf8(`${text}\0`);

export function encodeOperation(o: Operation): { readonly subtype: number; readonly body: Uint8Array } {
  const subtype = OPERATIONS.indexOf(o.op) + 1;
  const path = string0(o.path);
  if (o.op === "unlock" || o.op === "unlock request") return { subtype, body: new ByteWriter().raw(o.checksum).raw(path).done() };
  const to = o.op === "rename" ? string0(o.to) : new Uint8Array(0);
  const data = o.op === "write" ? o.data : new Uint8Array(0);
  const w = new ByteWriter().u32(data.length).u32(o.op === "write" ? o.offset : o.op === "mtime" ? o.seconds : 0);
  w.u32(path.length)
    .u32(to.length)
    .u32(o.op === "write" && o.truncate ? TRUNCATE : 0);
  return { subtype, body: w.raw(path).raw(to).raw(data).done() };
}

export function decodeOperation(subtype: number, body: Uint8Array): Operation | undefined {
  const op = OPERATIONS[subtype - 1];
  const r = new ByteReader(body);
  if (op === "unlock" || op === "unlock request") return { op, checksum: r.raw(CHECKSUM_BYTES), path: text0(r.raw(r.left)) };
  const [size, offset, pathBytes, toBytes, flags] = [r.u32(), r.u32(), r.u32(), r.u32(), r.u32()];
  const [path, to] = [text0(r.raw(pathBytes)), text0(r.raw(toBytes))];
  if (op === "write") return { op, path, offset, data: r.raw(size).slice(), truncate: (flags & TRUNCATE) !== 0 };
  if (op === "rename") return { op, path, to };
  return op === "mtime" ? { op, path, seconds: offset } : op && { op, path };
}

const text0 = (data: Uint8Array): string => fromUtf8(data.subarray(0, Math.max(0, data.length - 1)));

/** A member's tree in short: the root's record, and each inode with its entry's checksum. */
export interface TreeIndex {
  readonly version: number;
  readonly lastInode: number;
  readonly writer: number;
  readonly mtime: number;
  readonly entries: readonly { readonly inode: number; readonly checksum: Uint8Array }[];
}

const INDEX_ENTRY_BYTES = 40;

export function encodeIndex({ version, lastInode, writer, mtime, entries }: TreeIndex): Uint8Array {
  const w = new ByteWriter().u64(version).u64(lastInode).u32(writer).u32(mtime);
  w.u32(entries.length).u32(entries.length * INDEX_ENTRY_BYTES);
  for (const { inode, checksum } of entries) w.u64(inode).raw(checksum);
  return w.done();
}

export function decodeIndex(data: Uint8Array): TreeIndex {
  const r = new ByteReader(data);
  const [version, lastInode, writer, mtime, count] = [r.u64(), r.u64(), r.u32(), r.u32(), r.u32()];
  r.u32();
  const entries = Array.from({ length: count }, () => ({ inode: r.u64(), checksum: r.raw(CHECKSUM_BYTES) }));
  return { version, lastInode, writer, mtime, entries };
}

export function encodeEntry({ inode, parent, version, writer, mtime, type, name, data }: TreeEntry): Uint8Array {
  const text = string0(name);
  const w = new ByteWriter().u64(parent).u64(inode).u64(version).u32(writer).u32(mtime);
  w.u32(data?.length ?? 0)
    .u32(text.length)
    .u8(type);
  return w
    .raw(text)
    .raw(data ?? new Uint8Array(0))
    .done();
}

export function decodeEntry(body: Uint8Array): TreeEntry {
  const r = new ByteReader(body);
  const [parent, inode, version, writer, mtime, size, nameBytes] = [r.u64(), r.u64(), r.u64(), r.u32(), r.u32(), r.u32(), r.u32()];
  const type = r.u8() === DIRECTORY ? DIRECTORY : FILE;
  const name = text0(r.raw(nameBytes));
  return { inode, parent, version, writer, mtime, type, name, data: size === 0 ? undefined : r.raw(size).slice() };
}

// ---- the status group

/** Subtypes of the status group. */
export const VALUE = 1;
export const LOG = 2;
const KEY_BYTES = 256;

export function encodeValue(key: string, data: Uint8Array): Uint8Array {
  const name = new Uint8Array(KEY_BYTES);
  name.set(utf8(key).subarray(0, KEY_BYTES - 1));
  return new ByteWriter().raw(name).raw(data).done();
}

export function decodeValue(body: Uint8Array): { readonly key: string; readonly data: Uint8Array } {
  const r = new ByteReader(body);
  const name = r.raw(KEY_BYTES);
  return { key: fromUtf8(name.subarray(0, name.indexOf(0))), data: r.raw(r.left).slice() };
}
