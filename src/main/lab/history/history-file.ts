/**
 * A lab's history on disk: a file that grows by a line for each thing that is new, and is written anew, shorter, when it has grown much. Each line begins with a hash of itself and of the
 * hash before it, so that a line that was changed, lost or put in another place is seen; what was written before it counts.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import type { Instant } from "../../../engine/kernel/time.ts";
import { task } from "../api-history.ts";
import { band, mark } from "../api-snapshot.ts";
import { LineFile, PRIVATE_MODE, writeAtomic } from "../store/atomic-files.ts";
import { keepAside } from "../store/record-file.ts";
import { systemTrouble } from "../trouble.ts";

export const HISTORY_FILE = "timeline.jsonl";

/** Bytes by which the file may grow before it is written anew. */
const GROWTH_BYTES_MAX = 4 << 20;
/** More than the file can have: what is larger is not ours. */
const FILE_BYTES_MAX = 64 << 20;
const HASH_CHARS = 16;

const instant = z.number();
const entry = z.union([
  z.object({ begins: instant, format: z.literal(1) }),
  z.object({ band }),
  /** A machine is there no longer under this name. */
  z.object({ end: z.object({ node: z.string(), at: instant }) }),
  z.object({ mark }),
  z.object({ task }),
]);

export type HistoryEntry = z.infer<typeof entry>;

/** When what an entry tells happened. */
export function instantOf(one: HistoryEntry): Instant {
  if ("begins" in one) return one.begins;
  if ("band" in one) return one.band.from;
  if ("end" in one) return one.end.at;
  return "mark" in one ? one.mark.instant : one.task.instant;
}

function sealOf(before: string, text: string): string {
  return createHash("sha256").update(before).update(text).digest("hex").slice(0, HASH_CHARS);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Its hash fits, so somebody wrote it so: it is no entry.
    return undefined;
  }
}

/** Entries up to the first line that is not what was written, and whether there is such a line. A last line that was cut short by a crash is none. */
function readLines(text: string): { entries: HistoryEntry[]; damagedLine: number | undefined } {
  const lines = text.split("\n");
  // What follows the last end of a line was not written to its end.
  lines.pop();
  const entries: HistoryEntry[] = [];
  let seal = "";
  for (const [index, line] of lines.entries()) {
    const body = line.slice(HASH_CHARS + 1);
    const own = sealOf(seal, body);
    const one = line.startsWith(`${own} `) ? entry.safeParse(parsed(body)) : undefined;
    if (one?.success !== true || "begins" in one.data !== (index === 0)) return { entries, damagedLine: index + 1 };
    entries.push(one.data);
    seal = own;
  }
  return { entries, damagedLine: undefined };
}

/** What is on disk of a lab's history. Damage is said and kept aside. Throws Trouble where the file cannot be read at all. */
export function readHistory(path: string): { entries: HistoryEntry[]; said: string[] } {
  if (!existsSync(path)) return { entries: [], said: [] };
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw systemTrouble(error, `read ${path}`);
  }
  if (bytes.length > FILE_BYTES_MAX)
    return { entries: [], said: [`${path} is larger than it can be; it was put aside as ${keepAside(path)}`] };
  const { entries, damagedLine } = readLines(bytes.toString());
  if (damagedLine === undefined) return { entries, said: [] };
  return {
    entries,
    said: [
      `${path}:${damagedLine} is damaged; it was put aside as ${keepAside(path)}, and the timeline goes on from what stands before that`,
    ],
  };
}

export class HistoryFile {
  private file: LineFile | undefined;
  private seal = "";
  private grown = 0;

  /** @param owned throws where the directory is the lab's no longer: before every write */
  constructor(
    private readonly path: string,
    private readonly owned: () => void = () => undefined,
  ) {}

  /** The file has grown so much that it is worth writing anew. */
  get long(): boolean {
    return this.grown > GROWTH_BYTES_MAX;
  }

  /** The whole of it, in place of what is there. Throws Trouble. */
  rewrite(entries: readonly HistoryEntry[]): void {
    this.owned();
    this.close();
    this.seal = "";
    const text = entries.map((one) => this.line(one)).join("\n");
    writeAtomic(this.path, `${text}\n`, PRIVATE_MODE);
    this.file = new LineFile(this.path);
    this.grown = 0;
  }

  /** Throws Trouble; what had been written stays. */
  append(entries: readonly HistoryEntry[]): void {
    this.owned();
    for (const one of entries) {
      const before = this.seal;
      const line = this.line(one);
      try {
        this.file?.append(line);
      } catch (error) {
        this.seal = before;
        throw error;
      }
      this.grown += line.length + 1;
    }
  }

  private line(one: HistoryEntry): string {
    const body = JSON.stringify(one);
    this.seal = sealOf(this.seal, body);
    return `${this.seal} ${body}`;
  }

  close(): void {
    this.file?.close();
    this.file = undefined;
  }
}
