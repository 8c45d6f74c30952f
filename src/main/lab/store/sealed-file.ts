/**
 * Files of the lab that hold state: what a file is, of which format and which engine, how long it has to be, and two SHA-256, one of the head and one of the state. A file that was cut
 * short, has changed by a bit, is of another version or was never one of these is named in one line; nothing of it is used. The hashes find accidents, not enemies: what a
 * file says is looked at all the same (state-codec.ts, world-state.ts).
 *
 *     0  8  magic            12  4  format               28  32  SHA-256 of the state
 *     8  4  kind             16  4  bytes of the head    60  32  SHA-256 of what comes before it, and of the head
 *                            20  8  bytes of the state   92      head (JSON), state (msgpack, with the files' contents apart: state-pieces.ts)
 */
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { ENGINE_VERSION } from "../../../engine/world/index.ts";
import { systemTrouble, Trouble } from "../trouble.ts";
import { writeAtomic } from "./atomic-files.ts";
import { NoState } from "./state-codec.ts";
import { NoPiece, packWithPieces, piecesReferred, unpackWithPieces, type PieceStore } from "./state-pieces.ts";

/** `frzn`: a frozen lab. `disk`: the state as last saved. `snap`: a named snapshot. */
export type SealedKind = "frzn" | "disk" | "snap";

/** What a file says of itself, beside the engine it is of. */
export type Head = { readonly [key: string]: string | number };

/** As PNG begins: a transfer that takes it for text is noticed. */
const MAGIC = Buffer.from([0x89, 0x51, 0x54, 0x45, 0x0d, 0x0a, 0x1a, 0x0a]);
const FORMAT = 1;
const HASH_BYTES = 32;
const BODY_HASH_AT = 28;
const HEAD_HASH_AT = BODY_HASH_AT + HASH_BYTES;
const HEAD_AT = HEAD_HASH_AT + HASH_BYTES;
const HEAD_BYTES_MAX = 4096;
/** More than any lab's state: 32 nodes with full journals and disks of some MiB each are a tenth of it. */
const STATE_BYTES_MAX = 1024 * 1024 * 1024;

/**
 * Why a file is not used. `damaged`: it was one of these once, or says something that cannot be. `version`: another version of the lab wrote it. `strange`: it never was one
 * of these, or one of a version before there was this format.
 */
export type SealFault = "damaged" | "version" | "strange";

export class SealTrouble extends Trouble {
  constructor(
    readonly fault: SealFault,
    readonly path: string,
    /** After the path: `is damaged: …`. */
    readonly why: string,
  ) {
    super("failed", `${path} ${why}`);
  }
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/**
 * The bytes of a file. Throws NoState for a value that is no plain state.
 * @param store has the pieces of files' contents then; undefined: the file holds them itself
 */
export function sealed(kind: SealedKind, head: Head, value: unknown, engine = ENGINE_VERSION, store?: PieceStore): Buffer {
  const body = packWithPieces(value, store);
  const text = Buffer.from(JSON.stringify({ ...head, engine }));
  if (text.length > HEAD_BYTES_MAX || body.length > STATE_BYTES_MAX) throw new NoState(`it is larger than ${STATE_BYTES_MAX} bytes`);
  const front = Buffer.alloc(HEAD_AT);
  MAGIC.copy(front);
  front.write(kind, 8, "latin1");
  front.writeUInt32BE(FORMAT, 12);
  front.writeUInt32BE(text.length, 16);
  front.writeBigUInt64BE(BigInt(body.length), 20);
  sha256(body).copy(front, BODY_HASH_AT);
  sha256(front.subarray(0, HEAD_HASH_AT), text).copy(front, HEAD_HASH_AT);
  return Buffer.concat([front, text, body]);
}

/**
 * Throws Trouble when the disk refuses; then the file is what it was.
 * @param store as for `sealed`
 */
export function writeSealed(path: string, kind: SealedKind, head: Head, value: unknown, store: PieceStore | undefined): void {
  let bytes: Buffer;
  try {
    bytes = sealed(kind, head, value, ENGINE_VERSION, store);
  } catch (error) {
    if (error instanceof NoState) throw new Trouble("failed", `write ${path}: the state cannot be written: ${error.message}`);
    throw systemTrouble(error, `write ${path}`);
  }
  writeAtomic(path, bytes, 0o600);
}

interface Front {
  readonly head: Readonly<Record<string, unknown>>;
  /** Where the state begins and how long it is. */
  readonly at: number;
  readonly length: number;
  readonly hash: Buffer;
}

/** @param size of the whole file, of which `bytes` is the beginning */
function readFront(path: string, kind: SealedKind, bytes: Buffer, size: number): Front {
  const refuse = (fault: SealFault, why: string): SealTrouble => new SealTrouble(fault, path, why);
  const cutShort = (whole: number): SealTrouble => refuse("damaged", `is damaged: it ends after ${size} of ${whole} bytes`);
  if (bytes.length < MAGIC.length || MAGIC.compare(bytes, 0, MAGIC.length) !== 0) {
    const beginning = size > 0 && size < MAGIC.length && MAGIC.subarray(0, size).equals(bytes);
    if (beginning || size === 0) throw cutShort(HEAD_AT);
    throw refuse("strange", "is no state of a lab, or one of a version before 0.3.0");
  }
  if (size < HEAD_AT) throw cutShort(HEAD_AT);
  const format = bytes.readUInt32BE(12);
  const headLength = bytes.readUInt32BE(16);
  const length = Number(bytes.readBigUInt64BE(20));
  // The hash of the head covers the format and the lengths: one bit more or less is damage, and a whole head of another format a version.
  if (headLength > HEAD_BYTES_MAX || length > STATE_BYTES_MAX) throw refuse("damaged", "is damaged: its lengths cannot be");
  if (size < HEAD_AT + headLength) throw cutShort(HEAD_AT + headLength + length);
  const text = bytes.subarray(HEAD_AT, HEAD_AT + headLength);
  if (!sha256(bytes.subarray(0, HEAD_HASH_AT), text).equals(bytes.subarray(HEAD_HASH_AT, HEAD_AT)))
    throw refuse("damaged", "is damaged: its head is not what was written");
  if (format !== FORMAT) throw refuse("version", `has format ${format}, this version of the lab reads format ${FORMAT}`);
  const found = bytes.toString("latin1", 8, 12);
  if (found !== kind) throw refuse("strange", `is another file of a lab (${JSON.stringify(found)}) under this name`);
  if (size !== HEAD_AT + headLength + length) {
    if (size < HEAD_AT + headLength + length) throw cutShort(HEAD_AT + headLength + length);
    throw refuse("damaged", `is damaged: ${size - HEAD_AT - headLength - length} bytes follow its end`);
  }
  const head = parsedHead(text);
  if (head === undefined) throw refuse("damaged", "is damaged: its head says nothing");
  if (head["engine"] !== ENGINE_VERSION) throw refuse("version", `is of engine ${String(head["engine"])}, this is ${ENGINE_VERSION}`);
  return { head, at: HEAD_AT + headLength, length, hash: bytes.subarray(BODY_HASH_AT, HEAD_HASH_AT) };
}

function parsedHead(text: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text.toString());
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    // Its hash fits, so somebody wrote it so.
    return undefined;
  }
}

/** Head and state of a whole file, as bytes. */
function readBody(path: string, kind: SealedKind): { readonly head: Readonly<Record<string, unknown>>; readonly body: Buffer } {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw systemTrouble(error, `read ${path}`);
  }
  const { head, at, length, hash } = readFront(path, kind, bytes, bytes.length);
  const body = bytes.subarray(at, at + length);
  if (!sha256(body).equals(hash)) throw new SealTrouble("damaged", path, "is damaged: its state is not what was written");
  return { head, body };
}

/** What `read` makes of a file's state; throws SealTrouble where it finds none. */
function readIn<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof NoState) throw new SealTrouble("damaged", path, `is damaged: ${error.message}`);
    if (error instanceof NoPiece) throw new SealTrouble("damaged", path, `cannot be used: ${error.message}`);
    throw error;
  }
}

/**
 * Head and state of a file. Throws SealTrouble for what is none, or where a piece of it cannot be had; Trouble where it cannot be read at all.
 * @param store with which it was written
 */
export function readSealed(
  path: string,
  kind: SealedKind,
  store?: PieceStore,
): { readonly head: Readonly<Record<string, unknown>>; readonly value: unknown } {
  const { head, body } = readBody(path, kind);
  return { head, value: readIn(path, () => unpackWithPieces(body, store)) };
}

/** Hashes of the pieces that a file needs from the store. Throws as `readSealed`. */
export function referredBy(path: string, kind: SealedKind): readonly string[] {
  const { body } = readBody(path, kind);
  return readIn(path, () => piecesReferred(body));
}

/** The head alone, for a list of many files. Throws as `readSealed`; what follows the head is not looked at. */
export function readHead(path: string, kind: SealedKind): Readonly<Record<string, unknown>> {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    throw systemTrouble(error, `read ${path}`);
  }
  try {
    const bytes = Buffer.alloc(HEAD_AT + HEAD_BYTES_MAX);
    const got = readSync(fd, bytes);
    return readFront(path, kind, bytes.subarray(0, got), fstatSync(fd).size).head;
  } finally {
    closeSync(fd);
  }
}
