/**
 * The record of a lab: its lab file, every stamped input, and digests to compare a replay with. JSON, one object a line, so that a running lab appends
 * and a torn last line loses nothing before it. Every line carries a sum (line-sum.ts). Long byte strings are said once and then by their hash (said.ts). A note says what no
 * replay needs: that the run was rolled back, or is a fork. Left out: reading (reader.ts) and writing files, and what the lab file means.
 */
import { SEC, type Instant } from "../../kernel/index.ts";
import { toBase64 } from "./base64.ts";
import { NO_SUM, summed } from "./line-sum.ts";
import { Said, saidAs, type SaidHashes } from "./said.ts";
import type { Checkpoint } from "../digest.ts";
import type { Input } from "../types.ts";

/** The engine's version as a record carries it: raised whenever the same inputs may give another run. */
export const ENGINE_VERSION = "0.3.0";

/** Records of version 1, whose lines have no sums, are read as well. */
export const RECORD_VERSION = 2;

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

/** Writes records line by line: each carries its sum, and bytes that a line before it has said are referred to. */
export class RecordWriter {
  /** @param sum of the last line there is, and what the lines so far have said */
  constructor(
    private sum = NO_SUM,
    private said: SaidHashes = new Said(),
  ) {}

  /** A line as it is to stand in the record, of a text that one of the functions above gave. `write` gets it; what it throws goes on to the caller, and the line counts as not written. */
  add(text: string, write: (line: string) => void): void {
    const { line, sum } = summed(text.trimEnd(), this.sum);
    write(line);
    this.sum = sum;
  }

  addInput(input: Input, write: (line: string) => void): void {
    try {
      this.add(recordInput(input, this.said), write);
    } catch (error) {
      // What the line says is not in the record: the next one must not refer to it.
      this.said = new Said();
      throw error;
    }
  }

  /** The lines of a whole record, each with its end: head, inputs and checkpoints in the order of their instants, end. */
  *whole(record: Omit<WorldRecord, "engine">): Generator<string> {
    const { lab, inputs, checkpoints, end, notes = [] } = record;
    const lines: { at: Instant; text: () => string }[] = checkpoints.map((c) => ({ at: c.at, text: () => recordCheckpoint(c) }));
    // Stable sort: a checkpoint is of before the inputs of its instant.
    for (const input of inputs) lines.push({ at: input.at, text: () => recordInput(input, this.said) });
    for (const note of notes) lines.push({ at: note.at, text: () => recordNote(note) });
    lines.sort((a, b) => a.at - b.at);
    yield this.next(recordHead(lab));
    for (const { text } of lines) yield this.next(text());
    if (end !== undefined) yield this.next(recordEnd(end));
  }

  private next(text: string): string {
    let out = "";
    this.add(text, (line) => (out = `${line}\n`));
    return out;
  }
}

/** A whole record as one text. */
export function printRecord(record: Omit<WorldRecord, "engine">): string {
  return [...new RecordWriter().whole(record)].join("");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
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
