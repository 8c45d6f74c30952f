/**
 * The files as the process table uses them: processes by their serial numbers, calls by the ids that the processes were given. In the real stack: the system calls' side of the
 * VFS. Nothing is kept here.
 */
import type { FileCall, FileReply, ServedReply } from "../../kernel/index.ts";
import type { Files } from "./files.ts";
import type { Resumed } from "./files-state.ts";
import { peek, peekRead, type AskServer } from "./peek.ts";

export interface ProcessFilesHooks {
  /** The reply to a call that has waited. */
  reply(process: number, id: number, reply: FileReply): void;
  /** A process has ended, and its calls are given up. */
  gone?(process: number): void;
  /** Asks the program that serves a mount without an event. */
  readonly ask?: AskServer;
}

export class ProcessFiles {
  constructor(
    readonly files: Files,
    private readonly hooks: ProcessFilesHooks,
  ) {}

  /** One call. Undefined: the reply comes later, by `hooks.reply`, or never. */
  call(process: number, id: number, call: FileCall): FileReply | undefined {
    const made = this.files.call(process, call, id);
    return "done" in made ? made.done : undefined;
  }

  /** The same, answered at once; EIO where it would have to wait. */
  blocking(process: number, call: FileCall): FileReply {
    return this.files.blocking(process, call);
  }

  /** The process that serves a mount answers one request. */
  answer(id: number, reply: ServedReply): void {
    this.tell(this.files.served(id, reply));
  }

  /** A call that only looks, by nobody. Undefined: it would wait, or change something. */
  peek(cwd: string, call: FileCall): FileReply | undefined {
    const reply = peek(this.files, undefined, "path" in call ? { ...call, path: from(cwd, call.path) } : call, this.hooks.ask);
    return typeof reply === "string" ? undefined : reply;
  }

  /** The whole contents of a file, likewise. */
  peekContents(cwd: string, path: string): FileReply | undefined {
    const reply = peekRead(this.files, undefined, from(cwd, path), this.hooks.ask);
    return typeof reply === "string" ? undefined : reply;
  }

  /** A process is born; it begins in `cwd`, or where its parent is, and has what its parent has. A directory that is not there leaves it where its parent is. */
  born(process: number, parent: number | undefined, cwd: string | undefined): void {
    this.files.attach(process, parent);
    if (cwd !== undefined) this.files.begin(process, cwd);
  }

  waits(process: number): boolean {
    return this.files.isServed(process);
  }

  cwd(process: number): string {
    return this.files.cwd(process);
  }

  /** It has ended: its descriptors are closed, its calls are given up; who waits for it as a server hears that it is gone. */
  gone(process: number): void {
    this.tell(this.files.detach(process));
    this.hooks.gone?.(process);
  }

  /** A signal reached a process in the call it gave this id. */
  interrupt(process: number, id: number): void {
    for (const call of this.files.waitingCalls(process, id)) {
      const resumed = this.files.interrupt(call);
      if (resumed !== undefined) this.tell([resumed]);
    }
  }

  /** The disk is done with something. */
  written(): void {
    this.tell(this.files.written());
  }

  powerLost(): void {
    this.files.powerLost();
  }

  private tell(resumed: readonly Resumed[]): void {
    for (const { pid, tag, reply } of resumed) this.hooks.reply(pid, tag, reply);
  }
}

function from(cwd: string, path: string): string {
  return path === "" || path.startsWith("/") ? path : `${cwd}/${path}`;
}
