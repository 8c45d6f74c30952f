/** Which function answers which file call on the machine's own file systems, and which calls only read. In the real stack: the table of system calls. */
import type { FileCall, FileReply } from "../../kernel/index.ts";
import { descriptorCall, isDescriptorCall } from "./descriptor-calls.ts";
import { mountCall, remountCall, umountCall } from "./mount-calls.ts";
import {
  accessCall,
  chdirCall,
  chmodCall,
  chownCall,
  linkCall,
  mkdirCall,
  openCall,
  readdirCall,
  readlinkCall,
  realpathCall,
  renameCall,
  statCall,
  statfsCall,
  symlinkCall,
  truncateCall,
  unlinkCall,
  utimensCall,
} from "./path-calls.ts";
import { count, pathReply, type Context, type Local } from "./replies.ts";

/** @param waiting whether a call waits for the process that serves a mount: it is busy */
export function localCall(c: Context, call: FileCall, waiting: (mount: number) => boolean): Local {
  if (isDescriptorCall(call)) return descriptorCall(c, call);
  switch (call.call) {
    case "stat":
    case "lstat":
      return statCall(c, call);
    case "access":
      return accessCall(c, call);
    case "readdir":
      return readdirCall(c, call);
    case "readlink":
      return readlinkCall(c, call);
    case "realpath":
      return realpathCall(c, call);
    case "open":
      return openCall(c, call);
    case "truncate":
      return truncateCall(c, call);
    case "mkdir":
      return mkdirCall(c, call);
    case "rmdir":
    case "unlink":
      return unlinkCall(c, call);
    case "rename":
      return renameCall(c, call);
    case "link":
      return linkCall(c, call);
    case "symlink":
      return symlinkCall(c, call);
    case "chmod":
      return chmodCall(c, call);
    case "chown":
    case "lchown":
      return chownCall(c, call);
    case "utimens":
      return utimensCall(c, call);
    case "statfs":
      return statfsCall(c, call);
    case "chdir":
      return chdirCall(c, call);
    case "mount":
    case "serve":
      return mountCall(c, call);
    case "remount":
      return remountCall(c, call);
    case "umount":
      return umountCall(c, call, waiting);
    case "getcwd":
      return getcwd(c);
    case "umask":
      return umask(c, call.mask);
  }
}

function getcwd(c: Context): FileReply {
  return pathReply(c.table.pathOf(c.view.cwd));
}

function umask(c: Context, mask: number): FileReply {
  const before = c.view.umask;
  c.views.change(c.view.pid, { umask: mask & 0o777 });
  return count(before);
}

const READING: ReadonlySet<FileCall["call"]> = new Set<FileCall["call"]>([
  ...(["stat", "lstat", "fstat", "access", "readdir", "readlink", "realpath", "statfs", "getcwd"] as const),
]);

/** It changes nothing and leaves nothing open. */
export function isReading(call: FileCall): boolean {
  return READING.has(call.call);
}
