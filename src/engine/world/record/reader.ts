/**
 * Reads a record line by line, so that it may be longer than a text can be. A line that is not what was written, or is nothing that stands in a record, is named with its number;
 * what stands before it is kept. Left out: files, and where a line ends.
 */
import { isCount, isWellFormed, troubleWith } from "../../kernel/check.ts";
import type { Instant } from "../../kernel/index.ts";
import { contentHash } from "../../machine/files/index.ts";
import { isWorldAct } from "../act-shapes.ts";
import type { WorldAct } from "../types.ts";
import { fromBase64 } from "./base64.ts";
import { NO_SUM, sumOfLine } from "./line-sum.ts";
import { RECORD_END_AFTER_MAX, RECORD_INSTANT_MAX, RECORD_VERSION, RecordWriter, type Note, type WorldRecord } from "./record.ts";
import { Said, SAID_BYTES_MAX } from "./said.ts";

export type RecordOutcome =
  { readonly ok: true; readonly record: WorldRecord } | { readonly ok: false; readonly line: number; readonly message: string };

/** Reads a record. A last line that was cut off in the middle of writing is dropped; any other malformed line is an error with its number. */
export function parseRecord(text: string): RecordOutcome {
  const reader = new RecordReader();
  let at = 0;
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", at)) {
    reader.take(text.slice(at, end));
    at = end + 1;
    if (reader.fault !== undefined) return { ok: false, ...reader.fault };
  }
  if (at < text.length) reader.last(text.slice(at));
  const { record, fault } = reader;
  if (record === undefined) return { ok: false, ...(fault ?? { line: 1, message: NO_RECORD }) };
  return { ok: true, record };
}

const NO_RECORD = `not a record of this program (the first line must carry "quorateRecord": ${RECORD_VERSION})`;
const CHANGED = "this line, or one that stood before it, is not what was written: its sum does not fit";

interface Reading extends WorldRecord {
  notes: Note[];
}

export class RecordReader {
  private reading: Reading | undefined;
  private readonly said = new Said<Uint8Array>();
  private lines = 0;
  private version: number = RECORD_VERSION;
  private sum = NO_SUM;
  /** The first line that is none of a record's, and why; the lines after it do not count. */
  fault: { readonly line: number; readonly message: string } | undefined;

  /** What the lines so far tell; undefined where there is no head. */
  get record(): WorldRecord | undefined {
    return this.reading;
  }

  /** @param line without its end */
  take(line: string): void {
    if (this.fault !== undefined) return;
    const message = this.taken(line, this.lines + 1);
    if (message === undefined) this.lines++;
    else this.fault = { line: this.lines + 1, message };
  }

  /** A line that has no end. Returns whether it was whole all the same; one that was cut short is nothing. */
  last(line: string): boolean {
    if (this.fault !== undefined || this.taken(line, this.lines + 1) !== undefined) return false;
    this.lines++;
    return true;
  }

  /** Goes on with the record after its last good line. */
  writer(): RecordWriter {
    return new RecordWriter(this.sum, this.said.hashes());
  }

  /** Whether the record can be gone on with: lines with sums follow lines with sums. */
  get current(): boolean {
    return this.version === RECORD_VERSION;
  }

  /** What is wrong with a line, if anything is; then nothing has changed. */
  private taken(text: string, number: number): string | undefined {
    if (number === 1) return this.head(text);
    if (this.reading === undefined) return NO_RECORD;
    if (text === "" && this.version === 1) return undefined;
    const sum = this.version === 1 ? NO_SUM : sumOfLine(text, this.sum);
    if (sum === undefined) return CHANGED;
    const message = takeLine(this.reading, this.said, text);
    if (message === undefined) this.sum = sum;
    return message;
  }

  private head(text: string): string | undefined {
    const head = parseLine(text);
    const version = head?.["quorateRecord"];
    if (head === undefined || (version !== 1 && version !== RECORD_VERSION)) return NO_RECORD;
    if (typeof head["lab"] !== "string" || !isWellFormed(head["lab"]) || typeof head["engine"] !== "string") return NO_RECORD;
    // A sum where there should be none is that of another version.
    const sum = version === 1 && head["sum"] === undefined ? NO_SUM : sumOfLine(text, NO_SUM);
    if (sum === undefined || (version === 1 && sum !== NO_SUM)) return CHANGED;
    this.version = version;
    this.sum = sum;
    this.reading = { engine: head["engine"], lab: head["lab"], inputs: [], checkpoints: [], end: undefined, notes: [] };
    return undefined;
  }
}

/** Why the bytes of a line cannot be had. */
class NoBytes extends Error {}

function parseLine(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isInstant(value: unknown): value is Instant {
  return isCount(value);
}

/** Instant of the last thing that has been read. */
function latest({ inputs, checkpoints, notes }: Reading): Instant {
  return Math.max(inputs.at(-1)?.at ?? 0, checkpoints.at(-1)?.at ?? 0, notes.at(-1)?.at ?? 0);
}

/** What is wrong with a line, if anything is. */
function takeLine(record: Reading, said: Said<Uint8Array>, text: string): string | undefined {
  const line = parseLine(text);
  const none = "neither an input nor a digest nor a note";
  if (line === undefined) return none;
  const { at, act, digest, end, note } = line;
  const instant = at ?? end;
  if (isInstant(instant) && instant > RECORD_INSTANT_MAX)
    return `the instant ${instant} is more than a year after the epoch; instants up to ${RECORD_INSTANT_MAX} are allowed`;
  const went = isInstant(at) && record.end !== undefined && at >= record.end.at;
  if (isInstant(at) && act !== undefined) {
    let unpacked: unknown;
    try {
      unpacked = unpack(act, said);
    } catch (error) {
      if (!(error instanceof NoBytes)) throw error;
      return error.message;
    }
    const malformed = troubleWith(unpacked, isWorldAct, "act");
    if (malformed !== undefined) return malformed;
    // Just checked.
    record.inputs.push({ at, act: unpacked as WorldAct });
  } else if (isInstant(end) && end > latest(record) + RECORD_END_AFTER_MAX && typeof digest === "string")
    return `the end, ${end}, is more than an hour after what the record says before it`;
  else if (isInstant(at) && typeof digest === "string") record.checkpoints.push({ at, digest });
  else if (isInstant(at) && typeof note === "string" && isWellFormed(note)) record.notes.push({ at, note });
  else if (isInstant(end) && typeof digest === "string") record.end = { at: end, digest };
  else return none;
  // The run went on after it had been ended.
  if (went) record.end = undefined;
  return undefined;
}

/** Throws NoBytes. */
function unpack(value: unknown, said: Said<Uint8Array>): unknown {
  if (Array.isArray(value)) return value.map((item) => unpack(item, said));
  if (!isObject(value)) return value;
  const keys = Object.keys(value);
  const { piece, base64, pairs } = value;
  if (keys.length === 1 && arePairs(pairs)) return Object.fromEntries(pairs.map(([k, v]) => [k, unpack(v, said)]));
  if (keys.length === 1 && typeof base64 === "string") return bytesOf(base64);
  if (keys.length === 1 && typeof piece === "string") return bytesSaid(piece, said);
  if (keys.length === 2 && typeof piece === "string" && typeof base64 === "string") {
    const data = bytesOf(base64);
    if (contentHash(data) !== piece) throw new NoBytes(`the bytes ${JSON.stringify(piece)} are not what their hash says`);
    said.say(piece, data.length, data);
    return data;
  }
  return Object.fromEntries(keys.map((k) => [k, unpack(value[k], said)]));
}

function arePairs(value: unknown): value is [string, unknown][] {
  return Array.isArray(value) && value.every((one) => Array.isArray(one) && one.length === 2 && typeof one[0] === "string");
}

function bytesOf(base64: string): Uint8Array {
  const data = fromBase64(base64);
  if (data === undefined) throw new NoBytes("bytes that are no base64");
  return data;
}

function bytesSaid(piece: string, said: Said<Uint8Array>): Uint8Array {
  const data = said.get(piece);
  if (data !== undefined) return data;
  const limit = SAID_BYTES_MAX / 1024 / 1024;
  throw new NoBytes(`refers to the bytes ${JSON.stringify(piece)}, which are not among the last ${limit} MiB that the lines before it say`);
}
