/** The log of a lab's process, in the lab's directory: one JSON object a line, two files of a bounded size. */
import { closeSync, copyFileSync, fstatSync, ftruncateSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { pino } from "pino";
import { logPaths } from "./paths.ts";
import { systemTrouble } from "../trouble.ts";

/** Size at which the newest file becomes the older one. */
export const LOG_FILE_MAX_BYTES = 1 << 20;

const levels = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

export type LogLevel = (typeof levels)[number];

export interface LabLog {
  debug(text: string): void;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
  /** Something nobody foresaw: with its stack. */
  unexpected(error: unknown, text: string): void;
  close(): void;
}

/** The level that $QUORATE_LOG_LEVEL asks for; `info` where it asks for none that there is. */
export function logLevel(env: NodeJS.ProcessEnv = process.env): LogLevel {
  return levels.find((level) => level === env["QUORATE_LOG_LEVEL"]) ?? "info";
}

/**
 * Lines appended to a file that others append to as well: what the process and its children print by themselves goes there too. So the file is not
 * renamed when it is full, which would take their output along, but copied and emptied.
 */
class BoundedFile {
  private readonly fd: number;
  /** Lines that could not be written. */
  private lost = 0;

  constructor(
    private readonly path: string,
    private readonly older: string,
    private readonly maxBytes: number,
  ) {
    try {
      this.fd = openSync(path, "a+", 0o600);
    } catch (error) {
      throw systemTrouble(error, `open ${path}`);
    }
    this.bound(0);
  }

  /** A lab does not stop because its log cannot be written; the log says so as soon as it can. */
  write(line: string): void {
    const lost =
      this.lost === 0 ? "" : `${JSON.stringify({ level: "warn", msg: `${this.lost} lines before this one could not be written` })}\n`;
    const bytes = Buffer.from(lost + line);
    try {
      this.bound(bytes.length);
      for (let at = 0; at < bytes.length;) at += writeSync(this.fd, bytes, at);
      this.lost = 0;
    } catch {
      this.lost++;
    }
  }

  /** Makes room for so many bytes more. */
  private bound(more: number): void {
    const { size, ino } = fstatSync(this.fd);
    if (size === 0 || size + more <= this.maxBytes) return;
    // Where another file is in its place, or none, its neighbour is somebody else's too.
    if (statSync(this.path, { throwIfNoEntry: false })?.ino === ino) this.keepOlder();
    ftruncateSync(this.fd);
  }

  private keepOlder(): void {
    try {
      copyFileSync(this.path, this.older);
    } catch {
      // No room for two: half a copy helps nobody, and the newest lines matter more.
      rmSync(this.older, { force: true });
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** Opens the log of the lab in `dir`. Throws Trouble where it cannot be opened. */
export function openLog(dir: string, level: LogLevel = logLevel(), maxBytes = LOG_FILE_MAX_BYTES): LabLog {
  const { newest, older } = logPaths(dir);
  const file = new BoundedFile(newest, older, maxBytes);
  const logger = pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    file,
  );
  return {
    debug: (text) => logger.debug(text),
    info: (text) => logger.info(text),
    warn: (text) => logger.warn(text),
    error: (text) => logger.error(text),
    unexpected: (error, text) => logger.error({ err: error }, text),
    close: () => file.close(),
  };
}
