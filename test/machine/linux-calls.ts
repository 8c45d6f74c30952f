/** File calls made to the Linux host through node:fs, for two processes that this one plays: each has a working directory, a umask and descriptors of its own. */
import * as fs from "node:fs";
import type { FileCall, FileReply, FileType, OpenFlags } from "../../src/engine/kernel/index.ts";

interface Player {
  cwd: number;
  umask: number;
  /** Descriptor here → the real one; what dup made leads to the same. */
  readonly fds: Map<number, number>;
}

const { constants } = fs;

function typeOf(s: { isFile(): boolean; isDirectory(): boolean; isSymbolicLink(): boolean; isFIFO(): boolean }): FileType {
  if (s.isFile()) return "file";
  if (s.isDirectory()) return "directory";
  if (s.isSymbolicLink()) return "symlink";
  return s.isFIFO() ? "fifo" : "socket";
}

function statReply(s: fs.Stats): FileReply {
  const { dev, ino, nlink, uid, gid, size } = s;
  return {
    ok: true,
    value: "stat",
    stat: { dev, ino, type: typeOf(s), mode: s.mode & 0o7777, nlink, uid, gid, size, atime: 0, mtime: 0, ctime: 0 },
  };
}

function openFlags(f: OpenFlags): number {
  let flags = f.access === "r" ? constants.O_RDONLY : f.access === "w" ? constants.O_WRONLY : constants.O_RDWR;
  if (f.create === true) flags |= constants.O_CREAT;
  if (f.exclusive === true) flags |= constants.O_EXCL;
  if (f.truncate === true) flags |= constants.O_TRUNC;
  if (f.append === true) flags |= constants.O_APPEND;
  if (f.directory === true) flags |= constants.O_DIRECTORY;
  if (f.nofollow === true) flags |= constants.O_NOFOLLOW;
  return flags;
}

const done: FileReply = { ok: true, value: "done" };

export class LinuxCalls {
  private readonly players: Player[];
  private readonly home = process.cwd();
  private readonly umask = process.umask();
  private playing: number | undefined;

  constructor(base: string, players: number) {
    this.players = Array.from({ length: players }, () => ({ cwd: fs.openSync(base, "r"), umask: 0o022, fds: new Map() }));
  }

  /** Whatever is open is closed, and this process is where it was. */
  end(): void {
    for (const { cwd, fds } of this.players) {
      fs.closeSync(cwd);
      for (const real of new Set(fds.values())) fs.closeSync(real);
    }
    process.chdir(this.home);
    process.umask(this.umask);
  }

  call(who: number, call: FileCall): FileReply {
    const player = this.players[who];
    if (player === undefined) throw new Error("no such player");
    // Node keeps what getcwd said until the next chdir.
    if (this.playing !== who || call.call === "getcwd") process.chdir(`/proc/self/fd/${player.cwd}`);
    if (this.playing !== who || call.call === "umask") process.umask(player.umask);
    this.playing = who;
    try {
      return this.made(player, call);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) throw error;
      return { ok: false, errno: code } as FileReply;
    }
  }

  private made(player: Player, call: FileCall): FileReply {
    switch (call.call) {
      case "stat":
        return statReply(fs.statSync(call.path));
      case "lstat":
        return statReply(fs.lstatSync(call.path));
      case "access":
        fs.accessSync(call.path, call.mode);
        return done;
      case "readdir": {
        const entries = fs.readdirSync(call.path, { withFileTypes: true });
        return { ok: true, value: "entries", entries: entries.map((e) => ({ name: e.name, ino: 0, type: typeOf(e) })) };
      }
      case "readlink":
        return { ok: true, value: "path", path: fs.readlinkSync(call.path) };
      case "realpath":
        return { ok: true, value: "path", path: fs.realpathSync.native(call.path) };
      case "getcwd":
        return { ok: true, value: "path", path: process.cwd() };
      case "chdir": {
        process.chdir(call.path);
        const next = fs.openSync(".", "r");
        fs.closeSync(player.cwd);
        player.cwd = next;
        return done;
      }
      case "umask": {
        const count = player.umask;
        player.umask = call.mask & 0o777;
        process.umask(player.umask);
        return { ok: true, value: "count", count };
      }
      case "open": {
        const real = fs.openSync(call.path, openFlags(call.flags), call.mode ?? 0o666);
        return { ok: true, value: "fd", fd: this.install(player, real) };
      }
      case "fstat":
      case "close":
      case "dup":
      case "read":
      case "write":
      case "ftruncate":
      case "fsync":
        return this.onDescriptor(player, call);
      default:
        return this.changed(call);
    }
  }

  private install(player: Player, real: number): number {
    let fd = 3;
    while (player.fds.has(fd)) fd++;
    player.fds.set(fd, real);
    return fd;
  }

  private onDescriptor(
    player: Player,
    call: Extract<FileCall, { call: "fstat" | "close" | "dup" | "read" | "write" | "ftruncate" | "fsync" }>,
  ): FileReply {
    const real = player.fds.get(call.fd);
    if (real === undefined) return { ok: false, errno: "EBADF" };
    switch (call.call) {
      case "fstat":
        return statReply(fs.fstatSync(real));
      case "close":
        player.fds.delete(call.fd);
        if (![...player.fds.values()].includes(real)) fs.closeSync(real);
        return done;
      case "dup":
        return { ok: true, value: "fd", fd: this.install(player, real) };
      case "read": {
        const data = Buffer.alloc(call.length);
        const n = fs.readSync(real, data, 0, call.length, call.at ?? null);
        return { ok: true, value: "data", data: new Uint8Array(data.subarray(0, n)) };
      }
      case "write":
        return { ok: true, value: "count", count: fs.writeSync(real, call.data, 0, call.data.length, call.at ?? null) };
      case "ftruncate":
        fs.ftruncateSync(real, call.length);
        return done;
      case "fsync":
        fs.fsyncSync(real);
        return done;
    }
  }

  private changed(call: FileCall): FileReply {
    switch (call.call) {
      case "mkdir":
        fs.mkdirSync(call.path, call.mode ?? 0o777);
        return done;
      case "rmdir":
        fs.rmdirSync(call.path);
        return done;
      case "unlink":
        fs.unlinkSync(call.path);
        return done;
      case "rename":
        fs.renameSync(call.from, call.to);
        return done;
      case "link":
        fs.linkSync(call.from, call.to);
        return done;
      case "symlink":
        fs.symlinkSync(call.target, call.path);
        return done;
      case "chmod":
        fs.chmodSync(call.path, call.mode);
        return done;
      case "chown":
        fs.chownSync(call.path, call.uid, call.gid);
        return done;
      case "lchown":
        fs.lchownSync(call.path, call.uid, call.gid);
        return done;
      case "truncate":
        fs.truncateSync(call.path, call.length);
        return done;
      case "utimens":
        fs.utimesSync(call.path, 1000, 2000);
        return done;
      default:
        throw new Error(`${call.call} is not played`);
    }
  }
}
