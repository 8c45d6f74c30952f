/**
 * The record of a lab: its lab file, every stamped input, and digests to compare a replay with. JSON, one object a line, so that a running lab appends
 * and a torn last line loses nothing before it. Long byte strings are said once and then by their hash (said.ts). A note says what no replay needs: that the run was rolled
 * back, or is a fork. Left out: reading and writing files, and what the lab file means.
 */
import { SEC, type Instant } from "../../kernel/index.ts";
import { isCount, isWellFormed, troubleWith } from "../../kernel/check.ts";
import { isWorldAct } from "../act-shapes.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { Said, SAID_BYTES_MAX, saidAs, type SaidHashes } from "./said.ts";
import { contentHash } from "../../machine/files/index.ts";
import type { Checkpoint } from "../digest.ts";
import type { Input, WorldAct } from "../types.ts";

/** The engine's version as a record carries it: raised whenever the same inputs may give another run. */
export const ENGINE_VERSION = "0.3.0";

const RECORD_VERSION = 1;

/** Latest instant of a record. Ours: a year. */
export const RECORD_INSTANT_MAX = 366 * 24 * 3600 * SEC;
/** A run notes where it stands whenever it is ended, so that its end is never much later than what it says before. Ours. */
export const RECORD_END_AFTER_MAX = 3600 * SEC;

/** Something to know about the run that its replay does not need. */
export interface Note {
  readonly at: Instant;
  readonly note: string;
}

export interface WorldRecord {
  /** Version of the engine that made it; another one may run differently. */
  engine: string;
  /** The lab file's text. */
  lab: string;
  inputs: Input[];
  checkpoints: Checkpoint[];
  /** Where the recorded run stood last, with the digest there; undefined if it was not ended in order. */
  end: Checkpoint | undefined;
  notes?: readonly Note[];
}

/** The first line of a record. */
export function recordHead(lab: string): string {
  return `${JSON.stringify({ quorateRecord: RECORD_VERSION, engine: ENGINE_VERSION, lab })}\n`;
}

/** @param said by the record so far, and by this line; undefined: the line is to be read alone */
export function recordInput(input: Input, said?: SaidHashes): string {
  return `${JSON.stringify({ at: input.at, act: pack(input.act, said) })}\n`;
}

export function recordCheckpoint(point: Checkpoint): string {
  return `${JSON.stringify({ at: point.at, digest: point.digest })}\n`;
}

export function recordEnd(point: Checkpoint): string {
  return `${JSON.stringify({ end: point.at, digest: point.digest })}\n`;
}

export function recordNote(note: Note): string {
  return `${JSON.stringify({ at: note.at, note: note.note })}\n`;
}

/** A whole record: head, inputs and checkpoints in the order of their instants, end. */
export function printRecord(record: Omit<WorldRecord, "engine">): string {
  const said: SaidHashes = new Said();
  const lines: { at: Instant; text: () => string }[] = record.checkpoints.map((c) => ({ at: c.at, text: () => recordCheckpoint(c) }));
  // Stable sort: a checkpoint is of before the inputs of its instant.
  for (const input of record.inputs) lines.push({ at: input.at, text: () => recordInput(input, said) });
  for (const note of record.notes ?? []) lines.push({ at: note.at, text: () => recordNote(note) });
  lines.sort((a, b) => a.at - b.at);
  const end = record.end === undefined ? "" : recordEnd(record.end);
  return recordHead(record.lab) + lines.map((l) => l.text()).join("") + end;
}

export type RecordOutcome =
  { readonly ok: true; readonly record: WorldRecord } | { readonly ok: false; readonly line: number; readonly message: string };

/** Reads a record. A last line that was cut off in the middle of writing is dropped; any other malformed line is an error with its number. */
export function parseRecord(text: string): RecordOutcome {
  const lines = text.split("\n");
  const whole = lines.pop() ?? "";
  if (whole !== "" && parseLine(whole) !== undefined) lines.push(whole);
  const head = parseLine(lines[0] ?? "");
  if (
    head === undefined ||
    head["quorateRecord"] !== RECORD_VERSION ||
    typeof head["lab"] !== "string" ||
    !isWellFormed(head["lab"]) ||
    typeof head["engine"] !== "string"
  ) {
    return { ok: false, line: 1, message: `not a record of this program (the first line must carry "quorateRecord": ${RECORD_VERSION})` };
  }
  const reading: Reading = {
    engine: head["engine"],
    lab: head["lab"],
    inputs: [],
    checkpoints: [],
    end: undefined,
    notes: [],
    said: new Said(),
  };
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] ?? "";
    const message = line === "" ? undefined : takeLine(reading, line);
    if (message !== undefined) return { ok: false, line: i + 1, message };
  }
  const { said: _, ...record } = reading;
  return { ok: true, record };
}

interface Reading extends WorldRecord {
  notes: Note[];
  readonly said: Said<Uint8Array>;
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
function said({ inputs, checkpoints, notes }: Reading): Instant {
  return Math.max(inputs.at(-1)?.at ?? 0, checkpoints.at(-1)?.at ?? 0, notes.at(-1)?.at ?? 0);
}

/** What is wrong with a line, if anything is. */
function takeLine(record: Reading, text: string): string | undefined {
  const line = parseLine(text);
  const none = "neither an input nor a digest nor a note";
  if (line === undefined) return none;
  const { at, act, digest, end, note } = line;
  const instant = at ?? end;
  if (isInstant(instant) && instant > RECORD_INSTANT_MAX)
    return `the instant ${instant} is more than a year after the epoch; instants up to ${RECORD_INSTANT_MAX} are allowed`;
  // The run went on after it had been ended.
  if (isInstant(at) && record.end !== undefined && at >= record.end.at) record.end = undefined;
  if (isInstant(at) && act !== undefined) {
    let unpacked: unknown;
    try {
      unpacked = unpack(act, record.said);
    } catch (error) {
      if (!(error instanceof NoBytes)) throw error;
      return error.message;
    }
    const malformed = troubleWith(unpacked, isWorldAct, "act");
    if (malformed !== undefined) return malformed;
    // Just checked.
    record.inputs.push({ at, act: unpacked as WorldAct });
  } else if (isInstant(end) && end > said(record) + RECORD_END_AFTER_MAX && typeof digest === "string")
    return `the end, ${end}, is more than an hour after what the record says before it`;
  else if (isInstant(at) && typeof digest === "string") record.checkpoints.push({ at, digest });
  else if (isInstant(at) && typeof note === "string" && isWellFormed(note)) record.notes.push({ at, note });
  else if (isInstant(end) && typeof digest === "string") record.end = { at: end, digest };
  else return none;
  return undefined;
}

/** Keys that mean something to whoever reads the record. */
const OWN_KEYS: readonly string[] = ["base64", "piece", "pairs"];

/**
 * Byte strings as {"base64": …}, long ones as {"piece": HASH, "base64": …} and then as {"piece": HASH}; an object that has such a key itself (a variable of an environment may
 * have any name) as {"pairs": [[key, value] …]}; everything else as it is.
 */
function pack(value: unknown, said: SaidHashes | undefined): unknown {
  if (value instanceof Uint8Array) return packBytes(value, said);
  if (Array.isArray(value)) return value.map((item) => pack(item, said));
  if (!isObject(value)) return value;
  const pairs = Object.entries(value).map(([k, v]): [string, unknown] => [k, pack(v, said)]);
  return OWN_KEYS.some((key) => Object.hasOwn(value, key)) ? { pairs } : Object.fromEntries(pairs);
}

function packBytes(data: Uint8Array, said: SaidHashes | undefined): unknown {
  const piece = said === undefined ? undefined : saidAs(data);
  if (said === undefined || piece === undefined) return { base64: toBase64(data) };
  if (said.get(piece) === true) return { piece };
  said.say(piece, data.length, true);
  return { piece, base64: toBase64(data) };
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
