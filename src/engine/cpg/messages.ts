/**
 * The messages of closed process groups, as bytes on the ring. In the real stack these are req_exec_cpg_*; the contents are the same, the layout is ours.
 */
import { ByteReader, ByteWriter } from "../kernel/index.ts";

/** Handler numbers: the N of runtime.services.cpg.N. */
export const PROCJOIN = 0;
export const PROCLEAVE = 1;
export const JOINLIST = 2;
export const MCAST = 3;
export const DOWNLIST = 5;

/** A member process of a group. */
export interface CpgAddress {
  readonly nodeId: number;
  readonly pid: number;
}

export interface JoinListEntry {
  readonly group: string;
  readonly pid: number;
}

/** procjoin and procleave: group, process, and why (CpgReason). */
export function encodeProc(group: string, pid: number, reason: number): Uint8Array {
  return new ByteWriter().text(group).u32(pid).u8(reason).done();
}

export function decodeProc(payload: Uint8Array): { group: string; pid: number; reason: number } {
  const r = new ByteReader(payload);
  return { group: r.text(), pid: r.u32(), reason: r.u8() };
}

export function encodeJoinList(entries: readonly JoinListEntry[]): Uint8Array {
  const w = new ByteWriter().u32(entries.length);
  for (const e of entries) w.text(e.group).u32(e.pid);
  return w.done();
}

export function decodeJoinList(payload: Uint8Array): JoinListEntry[] {
  const r = new ByteReader(payload);
  const out: JoinListEntry[] = [];
  for (let n = r.u32(); n > 0; n--) out.push({ group: r.text(), pid: r.u32() });
  return out;
}

export function encodeMcast(group: string, pid: number, message: Uint8Array): Uint8Array {
  return new ByteWriter().text(group).u32(pid).blob(message).done();
}

export function decodeMcast(payload: Uint8Array): { group: string; pid: number; message: Uint8Array } {
  const r = new ByteReader(payload);
  return { group: r.text(), pid: r.u32(), message: r.blob() };
}

export function encodeDownList(left: readonly number[]): Uint8Array {
  const w = new ByteWriter().u32(left.length);
  for (const id of left) w.u32(id);
  return w.done();
}

export function decodeDownList(payload: Uint8Array): number[] {
  const r = new ByteReader(payload);
  const out: number[] = [];
  for (let n = r.u32(); n > 0; n--) out.push(r.u32());
  return out;
}
