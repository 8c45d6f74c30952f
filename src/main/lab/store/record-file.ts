/** The record of a lab as it lies on disk: read line by line, however long it is, and gone on with after its last good line. Its first line tells which version made the lab. */
import { closeSync, copyFileSync, existsSync, fstatSync, ftruncateSync, linkSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import {
  ENGINE_VERSION,
  RecordReader,
  RecordWriter,
  type Note,
  type WorldRecord,
  type WorldSnapshot,
} from "../../../engine/world/index.ts";
import { systemTrouble, Trouble } from "../trouble.ts";
import { PRIVATE_MODE, writeAtomicParts } from "./atomic-files.ts";

const PART_BYTES = 1 << 20;
/** More than the longest act takes: a file of 64 MiB in base64. */
const LINE_BYTES_MAX = 128 * 1024 * 1024;
const NEWLINE = 0x0a;

export interface RecordFile {
  readonly reader: RecordReader;
  /** Where the last good line ends. */
  readonly end: number;
  /** The last good line lacks its end alone. */
  readonly open: boolean;
}

/** Passes on every line of a file until `take` says false; what follows the last end of a line comes as `rest`. Throws Trouble. */
function eachLine(path: string, take: (line: Buffer) => boolean, rest: (line: Buffer) => void): void {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    throw systemTrouble(error, `read ${path}`);
  }
  try {
    let [parts, bytes]: [Buffer[], number] = [[], 0];
    for (;;) {
      const part = Buffer.allocUnsafe(PART_BYTES);
      const got = readSync(fd, part);
      if (got === 0) break;
      let at = 0;
      for (let end = part.indexOf(NEWLINE); end >= 0 && end < got; end = part.indexOf(NEWLINE, at)) {
        if (!take(Buffer.concat([...parts, part.subarray(at, end)]))) return;
        [parts, bytes, at] = [[], 0, end + 1];
      }
      if (at < got) parts.push(part.subarray(at, got));
      bytes += got - at;
      if (bytes > LINE_BYTES_MAX) return void take(Buffer.alloc(0));
    }
    if (parts.length > 0) rest(Buffer.concat(parts));
  } catch (error) {
    throw systemTrouble(error, `read ${path}`);
  } finally {
    closeSync(fd);
  }
}

/** What stands in a record up to its first fault; `reader.fault` says where that is. Throws Trouble where the file cannot be read. */
export function readRecordFile(path: string): RecordFile {
  const reader = new RecordReader();
  let [end, open] = [0, false];
  const take = (line: Buffer): boolean => {
    reader.take(line.toString());
    if (reader.fault !== undefined) return false;
    end += line.length + 1;
    return true;
  };
  eachLine(path, take, (line) => {
    open = reader.last(line.toString());
    if (open) end += line.length;
  });
  return { reader, end, open };
}

/** What the first line says; undefined where it is none of a record, or has changed. */
export function readRecordHead(path: string): Pick<WorldRecord, "engine" | "lab"> | undefined {
  if (!existsSync(path)) return undefined;
  const reader = new RecordReader();
  const take = (line: Buffer): boolean => {
    reader.take(line.toString());
    return false;
  };
  eachLine(path, take, take);
  return reader.record;
}

/** The last lines of a record, as far as they are short; nothing where there is none. */
export function endOf(path: string): string {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    // No record: it never ran.
    return "";
  }
  try {
    const bytes = Buffer.alloc(PART_BYTES);
    return bytes.toString("utf8", 0, readSync(fd, bytes, 0, PART_BYTES, Math.max(0, fstatSync(fd).size - PART_BYTES)));
  } finally {
    closeSync(fd);
  }
}

/** What follows the last good line goes, and the line gets its end: the next one must not continue it. */
export function endAfterGood(path: string, { end, open }: RecordFile): void {
  try {
    const fd = openSync(path, "r+");
    try {
      ftruncateSync(fd, end);
      if (open) writeSync(fd, "\n", end);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw systemTrouble(error, `write ${path}`);
  }
}

/** The record of the run that led to `world`, whole, in place of what is there. Returns who goes on with it. Throws Trouble when the disk refuses; then the file is what it was. */
export function writeRecord(path: string, lab: string, world: WorldSnapshot, notes: readonly Note[]): RecordWriter {
  const writer = new RecordWriter();
  const record = { lab, inputs: [...world.inputs], checkpoints: [...world.trace.checkpoints], end: undefined, notes };
  writeAtomicParts(path, encoded(writer.whole(record)), PRIVATE_MODE);
  return writer;
}

/** Short lines together: each by itself would be a call of the system. */
function* encoded(lines: Iterable<string>): Generator<Uint8Array> {
  let text = "";
  for (const line of lines) {
    text += line;
    if (text.length < PART_BYTES) continue;
    yield Buffer.from(text);
    text = "";
  }
  yield Buffer.from(text);
}

/** The name under which something that is not used is kept beside. */
export function asideName(path: string): string {
  for (let k = 1; ; k++) if (!existsSync(`${path}.damaged-${k}`)) return `${path}.damaged-${k}`;
}

/** A second name for what is about to be replaced, so that there is never none. Returns it. */
export function keepAside(path: string): string {
  const aside = asideName(path);
  try {
    linkSync(path, aside);
  } catch {
    // A file system without links: then a copy.
    copyFileSync(path, aside);
  }
  return aside;
}

/** Throws Trouble where a record is there and of another engine: what was found, and what can be done. A head that has changed says nothing. */
export function refuseOtherVersion(dir: string): void {
  const engine = readRecordHead(join(dir, "record.jsonl"))?.engine;
  if (engine !== undefined && engine !== ENGINE_VERSION)
    throw otherVersion(`${dir} is a lab of engine ${engine}, this is ${ENGINE_VERSION}`);
}

/** @param what was found */
export function otherVersion(what: string): Trouble {
  return new Trouble("lab", `${what}; bring it up with the version that made it, or "quorate rm" deletes it`);
}
