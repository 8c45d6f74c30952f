/**
 * What the process layer has from the file systems of its machine. A process is known by its serial number: it has a working directory, a mask and descriptors
 * there. In the real stack: the VFS below the system calls. Left out: which file systems there are (machine/files/).
 */
import type { FileCall, FileReply, ServedReply } from "../../kernel/index.ts";

export interface FileLayer {
  /** One call. Undefined: the reply comes later (`ProcessTable.fileReply` with this id) or never. */
  call(process: number, id: number, call: FileCall): FileReply | undefined;
  /** The same, answered at once; EIO where it would have to wait. */
  blocking(process: number, call: FileCall): FileReply;
  /** The process that serves a mount answers one request. */
  answer(id: number, reply: ServedReply): void;
  /** A call that only looks, by nobody: no descriptor, no access time. Undefined: it would wait, or change something. */
  peek(cwd: string, call: FileCall): FileReply | undefined;
  /** The whole contents of a file, likewise. */
  peekContents(cwd: string, path: string): FileReply | undefined;
  /** A process is born; `parent` undefined for the first one. It begins in `cwd` (absent: where its parent is) and has what its parent's children inherit. */
  born(process: number, parent: number | undefined, cwd: string | undefined): void;
  /** It waits for the server of a file system. */
  waits(process: number): boolean;
  /** Its working directory. */
  cwd(process: number): string;
  /** It has ended: its descriptors are closed, its calls are given up. */
  gone(process: number): void;
  /** The power went. */
  powerLost(): void;
}
