/**
 * Open files of a shell: pipes with back-pressure, terminals, node files, nothing. Counted references close an end when the last holder lets go, as
 * in a kernel: a reader then sees end of file, a writer BrokenPipe.
 */
import type { Interrupt } from "./interrupt.ts";
import { Interrupted } from "./interrupt.ts";
import { encode } from "./bytes.ts";
import { errnoText, FileError, PIECE_BYTES, type Files } from "./files.ts";

/** Bytes a pipe holds before its writer waits (Linux: 64 KiB). */
export const PIPE_BYTES = 65_536;

/** Longest line that text tools take, bytes. */
export const LINE_BYTES_MAX = 16 * 1024 * 1024;

/** The reader is gone (SIGPIPE). */
export class BrokenPipe extends Error {
  constructor() {
    super("Broken pipe");
  }
}

/** An input or output error with the message a program prints for it. */
export class StreamError extends Error {}

export interface Device {
  readonly tty: boolean;
  /** The next bytes; null at the end. */
  read(interrupt: Interrupt): Promise<Uint8Array | null>;
  write(data: Uint8Array, interrupt: Interrupt): Promise<void>;
  close(): Promise<void> | void;
  /** Of what has an offset for reading and writing: that many bytes were read and not used. */
  back?(bytes: number): Promise<void>;
  /** Calls `listener` when writing has become pointless. */
  onBroken?(listener: () => void): () => void;
  /** Set by a terminal: one line from the person, without echo. */
  readSecret?(interrupt: Interrupt): Promise<string | null>;
  /** Size of a terminal in characters. */
  size?(): { cols: number; rows: number };
  /** One keystroke (a character or an escape sequence) from a terminal; null at its end. */
  readKey?(interrupt: Interrupt): Promise<string | null>;
}

const NEWLINE = 10;

export class OpenFile {
  private refs = 1;
  private kept: Uint8Array | undefined;

  constructor(readonly device: Device) {}

  get tty(): boolean {
    return this.device.tty;
  }

  retain(): this {
    this.refs++;
    return this;
  }

  async release(): Promise<void> {
    if (--this.refs === 0) await this.device.close();
  }

  async read(interrupt: Interrupt): Promise<Uint8Array | null> {
    const kept = this.kept;
    if (kept) {
      this.kept = undefined;
      return kept;
    }
    return this.device.read(interrupt);
  }

  /** Puts bytes back: the next reader gets them first. */
  unread(data: Uint8Array): void {
    if (data.length === 0) return;
    this.kept = this.kept ? concat([data, this.kept]) : data;
  }

  async write(data: Uint8Array | string, interrupt: Interrupt): Promise<void> {
    const bytes = typeof data === "string" ? encode(data) : data;
    if (this.kept && this.device.back) {
      await this.device.back(this.kept.length);
      this.kept = undefined;
    }
    if (bytes.length > 0) await this.device.write(bytes, interrupt);
  }

  /** One line with its newline (the last may lack it); null at the end. */
  async readLine(interrupt: Interrupt, delimiter = NEWLINE): Promise<Uint8Array | null> {
    const parts: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const chunk = await this.read(interrupt);
      if (chunk === null) return parts.length === 0 ? null : concat(parts);
      const at = chunk.indexOf(delimiter);
      if (at >= 0) {
        parts.push(chunk.subarray(0, at + 1));
        this.unread(chunk.subarray(at + 1));
        return concat(parts);
      }
      parts.push(chunk);
      size += chunk.length;
      if (size > LINE_BYTES_MAX) throw new StreamError("line too long");
    }
  }

  /** Everything up to the end, at most `limit` bytes. */
  async readAll(interrupt: Interrupt, limit: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const chunk = await this.read(interrupt);
      if (chunk === null) return concat(parts);
      size += chunk.length;
      if (size > limit) throw new StreamError(`input larger than ${limit / 1048576} MiB`);
      parts.push(chunk);
    }
  }
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const first = parts[0];
  if (parts.length === 1 && first) return first;
  let size = 0;
  for (const part of parts) size += part.length;
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

interface PipeState {
  queue: Uint8Array[];
  size: number;
  writerGone: boolean;
  readerGone: boolean;
  wake: Set<() => void>;
  broken: Set<() => void>;
}

function signalAll(state: PipeState): void {
  const waiting = [...state.wake];
  state.wake.clear();
  for (const wake of waiting) wake();
}

function changed(state: PipeState): Promise<void> {
  return new Promise((resolve) => state.wake.add(resolve));
}

/** A pipe's two ends. */
export function makePipe(): { reader: OpenFile; writer: OpenFile } {
  const state: PipeState = { queue: [], size: 0, writerGone: false, readerGone: false, wake: new Set(), broken: new Set() };
  const reader: Device = {
    tty: false,
    async read(interrupt) {
      for (;;) {
        interrupt.check();
        const chunk = state.queue.shift();
        if (chunk) {
          state.size -= chunk.length;
          signalAll(state);
          return chunk;
        }
        if (state.writerGone) return null;
        await interrupt.race(changed(state));
      }
    },
    write: () => Promise.reject(new StreamError("Bad file descriptor")),
    close() {
      state.readerGone = true;
      state.queue = [];
      signalAll(state);
      for (const listener of state.broken) listener();
    },
  };
  const writer: Device = {
    tty: false,
    read: () => Promise.reject(new StreamError("Bad file descriptor")),
    async write(data, interrupt) {
      for (let at = 0; at < data.length;) {
        while (!state.readerGone && state.size >= PIPE_BYTES) await interrupt.race(changed(state));
        interrupt.check();
        if (state.readerGone) throw new BrokenPipe();
        const part = data.subarray(at, at + PIPE_BYTES);
        state.queue.push(part);
        state.size += part.length;
        at += part.length;
        signalAll(state);
      }
    },
    close() {
      state.writerGone = true;
      signalAll(state);
    },
    onBroken(listener) {
      if (state.readerGone) listener();
      state.broken.add(listener);
      return () => state.broken.delete(listener);
    },
  };
  return { reader: new OpenFile(reader), writer: new OpenFile(writer) };
}

/** Bytes known beforehand: here documents, files that were read. */
export function fromBytes(data: Uint8Array): OpenFile {
  let at = 0;
  return new OpenFile({
    tty: false,
    read() {
      if (at >= data.length) return Promise.resolve(null);
      const part = data.subarray(at, at + PIPE_BYTES);
      at += part.length;
      return Promise.resolve(part);
    },
    write: () => Promise.reject(new StreamError("Bad file descriptor")),
    close: () => undefined,
  });
}

export function nullFile(): OpenFile {
  return new OpenFile({ tty: false, read: () => Promise.resolve(null), write: () => Promise.resolve(), close: () => undefined });
}

/** A file of the node opened by its path for reading. Small ones are read without a trace; one that is longer, or that a process serves, is a descriptor of the shell. @throws FileError */
export async function nodeInput(files: Files, path: string): Promise<OpenFile> {
  const first = await files.piece(path, 0);
  if (first === undefined || first.length >= PIECE_BYTES) return nodeDescriptor(files, await files.open(path, { access: "r" }));
  let pending: Uint8Array | undefined = first;
  let at = 0;
  let ended = false;
  return new OpenFile({
    tty: false,
    async read(interrupt) {
      interrupt.check();
      // Who reads on at the end sees what was added since.
      if (!pending && ended) pending = await grown(files.under(interrupt), path, at);
      const data = pending;
      pending = undefined;
      ended = true;
      if (!data || data.length === 0) return null;
      at += data.length;
      return data;
    },
    write: () => Promise.reject(new StreamError("Bad file descriptor")),
    close: () => undefined,
  });
}

async function grown(files: Files, path: string, at: number): Promise<Uint8Array | undefined> {
  try {
    return await files.piece(path, at);
  } catch (error) {
    if (error instanceof FileError) return undefined;
    throw error;
  }
}

/**
 * An open descriptor of the shell. What is written within one turn of the event loop becomes one call; it goes to the descriptor's offset, or to the
 * end where it was opened so.
 */
export function nodeDescriptor(files: Files, fd: number): OpenFile {
  const { system } = files;
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let failed: string | undefined;
  let last: Promise<void> = Promise.resolve();
  const writeNow = async (): Promise<void> => {
    const data = concat(pending);
    pending = [];
    pendingBytes = 0;
    if (failed !== undefined || data.length === 0) return;
    try {
      await files.writeAll(fd, data);
    } catch (error) {
      if (!(error instanceof FileError || error instanceof Interrupted)) throw error;
      failed = error instanceof FileError ? error.message : errnoText("EINTR");
    }
  };
  const flush = (): Promise<void> => {
    system.unwritten.delete(flush);
    last = last.then(writeNow);
    return last;
  };
  let told = false;
  const fail = (again: boolean): void => {
    if (failed === undefined || (told && !again)) return;
    told = true;
    throw new StreamError(`write error: ${failed}`);
  };
  const soon = async (): Promise<void> => {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (system.unwritten.has(flush)) await flush();
  };
  return new OpenFile({
    tty: false,
    async read(interrupt) {
      interrupt.check();
      await flush();
      const data = await files.under(interrupt).readNext(fd).catch(asStreamError);
      return data.length === 0 ? null : data;
    },
    async back(bytes) {
      await flush();
      await files.own({ call: "lseek", fd, offset: -bytes, whence: "cur" }, "count").catch(asStreamError);
    },
    async write(data, interrupt) {
      interrupt.check();
      fail(true);
      pending.push(data.slice());
      pendingBytes += data.length;
      if (!system.unwritten.has(flush)) {
        system.unwritten.add(flush);
        // a lost machine is reported by whoever asks next; `close` looks at the rest
        system.busy(soon()).catch(() => undefined);
      }
      if (pending.length > 1024 || pendingBytes > PIECE_BYTES) await flush();
    },
    async close() {
      await flush();
      await files.close(fd).catch((error: unknown) => {
        if (!(error instanceof FileError)) throw error;
        failed ??= error.message;
      });
      fail(false);
    },
  });
}

function asStreamError(error: unknown): never {
  throw error instanceof FileError ? new StreamError(error.message) : error;
}
