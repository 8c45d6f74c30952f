/**
 * Files of a machine from outside: the acts and questions about whole files, and single file calls as a session's shell makes them. In the real stack: the system calls of the shell
 * itself, which here is an interpreter outside. Left out: the calls (files/).
 */
import { cloneState, type Effect, type FileAct, type FileCallAct, type FileReply, type Hasher, type QueryReply } from "../kernel/index.ts";
import type { MachineQuery } from "../kernel/index.ts";
import { ProcessFiles, fileAct, fileQuery, peek, type AskServer, type FileQuery, type Files } from "./files/index.ts";

/** A question about files. */
export type AnyFileQuery = FileQuery | Extract<MachineQuery, { kind: "file" }>;

/** A call that has no reply yet. */
interface Waiting {
  readonly id: string;
  /** Who makes it: the shell's serial number, or a number below 0 of nobody's. */
  readonly process: number;
  readonly tag: number;
}

export interface FileActsState {
  nextTag: number;
  waiting: Waiting[];
}

export interface FileActsHooks {
  emit(effect: Effect): void;
  /** Serial number of a session's shell. */
  shell(session: string): number | undefined;
  /** Asks the program that serves a mount without an event. */
  readonly ask: AskServer;
  /** The reply to a call of a process. */
  reply(process: number, id: number, reply: FileReply): void;
  /** Processes that were asked have their turns. */
  settle(): void;
}

const ACTS: ReadonlySet<string> = new Set<(FileAct | FileCallAct)["kind"]>([
  ...(["file-write", "file-mkdir", "file-remove", "file-rename", "file-chmod", "file-touch", "file", "file-interrupt"] as const),
]);

export function isFileAct(act: { readonly kind: string }): act is FileAct | FileCallAct {
  return ACTS.has(act.kind);
}

export class FileActs {
  /** The files as the process table uses them. Calls from outside have names below 0 there. */
  readonly layer: ProcessFiles;
  private state: FileActsState = { nextTag: 1, waiting: [] };

  constructor(
    private readonly files: Files,
    private readonly hooks: FileActsHooks,
  ) {
    this.layer = new ProcessFiles(files, {
      ask: hooks.ask,
      reply: (process, id, reply) => {
        if (id > 0) hooks.reply(process, id, reply);
        else this.replied(id, reply);
      },
      gone: (process) => this.give((w) => w.process === process, "EINTR"),
    });
  }

  /** The machine is up and runs. */
  act(act: FileAct | FileCallAct): void {
    if (act.kind === "file") this.call(act);
    else if (act.kind === "file-interrupt") {
      const waiting = this.state.waiting.find((w) => w.id === act.id);
      if (waiting !== undefined) this.layer.interrupt(waiting.process, waiting.tag);
    } else this.hooks.emit({ kind: "file-result", path: pathOf(act), error: fileAct(this.files, act) });
    this.hooks.settle();
  }

  /** What whoever waits for the act hears of a machine that is off, or too busy. */
  refuse(act: FileAct | FileCallAct, errno: "EHOSTDOWN" | "EAGAIN"): void {
    if (act.kind === "file") this.hooks.emit({ kind: "file-reply", id: act.id, reply: { ok: false, errno } });
    else if (act.kind !== "file-interrupt") this.hooks.emit({ kind: "file-result", path: pathOf(act), error: errno });
  }

  private call({ id, session, call }: Extract<FileCallAct, { kind: "file" }>): void {
    const tag = -this.state.nextTag++;
    const process = session === undefined ? tag : this.hooks.shell(session);
    if (process === undefined) {
      this.hooks.emit({ kind: "file-reply", id, reply: { ok: false, errno: "EBADF" } });
      return;
    }
    // Nobody's call: root's, in the root directory, with descriptors that go with it.
    if (process < 0) this.layer.born(process, undefined, "/");
    this.state.waiting.push({ id, process, tag });
    const reply = this.layer.call(process, tag, call);
    if (reply !== undefined) this.replied(tag, reply);
  }

  private replied(tag: number, reply: FileReply): void {
    const waiting = this.state.waiting.find((w) => w.tag === tag);
    if (waiting === undefined) return;
    this.state.waiting = this.state.waiting.filter((w) => w !== waiting);
    this.hooks.emit({ kind: "file-reply", id: waiting.id, reply });
    if (waiting.process < 0) this.layer.gone(waiting.process);
  }

  private give(whose: (waiting: Waiting) => boolean, errno: "EINTR" | "EHOSTDOWN"): void {
    const given = this.state.waiting.filter(whose);
    this.state.waiting = this.state.waiting.filter((w) => !whose(w));
    for (const { id } of given) this.hooks.emit({ kind: "file-reply", id, reply: { ok: false, errno } });
  }

  /** Changes nothing, also not the time of an access. */
  query(query: AnyFileQuery): QueryReply {
    const session = "session" in query ? query.session : undefined;
    const process = session === undefined ? undefined : this.hooks.shell(session);
    if (session !== undefined && process === undefined) return { kind: "error", errno: "EBADF" };
    if (query.kind !== "file") return fileQuery(this.files, query, this.hooks.ask, process);
    const reply = peek(this.files, process, query.call, this.hooks.ask);
    return typeof reply === "string" ? { kind: reply } : { kind: "file-reply", reply };
  }

  /** Nothing will be answered any more. */
  powerLost(): void {
    this.give(() => true, "EHOSTDOWN");
  }

  snapshot(): FileActsState {
    return cloneState(this.state);
  }

  restore(state: FileActsState): void {
    this.state = cloneState(state);
  }

  digest(h: Hasher): void {
    h.int(this.state.nextTag).int(this.state.waiting.length);
    for (const { id, process, tag } of this.state.waiting) h.text(id).int(process).int(tag);
  }
}

function pathOf(act: FileAct): string {
  return act.kind === "file-rename" ? act.to : act.path;
}
