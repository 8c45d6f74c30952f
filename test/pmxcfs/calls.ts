/** File calls as the recorder's program makes them, and how it prints what they come to. */
import {
  errnoNumber,
  fromUtf8,
  strerror,
  utf8,
  type Errno,
  type FileCall,
  type FileReply,
  type OpenFlags,
} from "../../src/engine/kernel/index.ts";

export type Call = (call: FileCall) => FileReply;

export class Failed extends Error {
  constructor(readonly errno: Errno) {
    super(errno);
  }
}

/** Python's repr of bytes. */
function bytesText(data: Uint8Array): string {
  const one = (byte: number): string => {
    const known: Record<number, string> = { 9: "\\t", 10: "\\n", 13: "\\r", 92: "\\\\" };
    if (known[byte] !== undefined) return known[byte];
    return byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  };
  return `b'${[...data].map(one).join("")}'`;
}

export class Recorder {
  constructor(private readonly call: Call) {}

  ask(call: FileCall): Extract<FileReply, { ok: true }> {
    const reply = this.call(call);
    if (!reply.ok) throw new Failed(reply.errno);
    return reply;
  }

  open(path: string, flags: OpenFlags): number {
    const reply = this.ask({ call: "open", path, flags, mode: 0o777 });
    if (reply.value !== "fd") throw new Error("no descriptor");
    return reply.fd;
  }

  /** open, write all, close. @returns how much was written */
  write(path: string, data: string | Uint8Array, flags: OpenFlags, at?: number): string {
    const fd = this.open(path, flags);
    const bytes = typeof data === "string" ? utf8(data) : data;
    try {
      for (let done = 0; done < bytes.length;) {
        const reply = this.ask({ call: "write", fd, data: bytes.subarray(done), ...(at === undefined ? {} : { at: at + done }) });
        if (reply.value !== "count") throw new Error("no count");
        done += reply.count;
      }
    } finally {
      this.ask({ call: "close", fd });
    }
    return String(bytes.length);
  }

  read(path: string): Uint8Array {
    const fd = this.open(path, { access: "r" });
    try {
      const reply = this.ask({ call: "read", fd, length: 4_194_304 });
      return reply.value === "data" ? reply.data : new Uint8Array(0);
    } finally {
      this.ask({ call: "close", fd });
    }
  }

  text(path: string): string {
    return fromUtf8(this.read(path));
  }

  readText(path: string): string {
    return bytesText(this.read(path));
  }

  names(path: string): string {
    const reply = this.ask({ call: "readdir", path });
    const names = reply.value === "entries" ? reply.entries.map((entry) => entry.name).sort() : [];
    return `[${names.map((name) => `'${name}'`).join(", ")}]`;
  }

  /** lstat as it is printed, but for blocks, which the lab's stat has not. */
  lstat(path: string, epochSeconds: number): string {
    const reply = this.ask({ call: "lstat", path });
    if (reply.value !== "stat") throw new Error("no stat");
    const { type, mode, uid, gid, nlink, size, mtime } = reply.stat;
    const bits = [...mode.toString(2).padStart(9, "0")].map((bit, i) => (bit === "1" ? "rwx"[i % 3] : "-")).join("");
    const kind = type === "directory" ? "d" : type === "symlink" ? "l" : "-";
    const at = epochSeconds + Math.floor(mtime / 1_000_000);
    return `'${kind}${bits} ${mode.toString(8)} uid=${uid} gid=${gid} nlink=${nlink} size=${size} ino=* mtime=${at >= 1_000_000_000 ? "*" : at}'`;
  }
}

/** "OK", "OK value" or "EXXX (N) text". */
export function outcomeOf(perform: () => string | undefined | void): string {
  try {
    const value = perform();
    return typeof value === "string" ? `OK ${value}` : "OK";
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    return `${error.errno} (${errnoNumber(error.errno)}) ${strerror(error.errno)}`;
  }
}
