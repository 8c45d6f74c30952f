/**
 * A client of one of the daemon's services: a typed view of a local connection. In the real stack: the library on the client's side of the socket. Left out: what a
 * blocking call does to its caller, which is the program's affair.
 */
import type { IpcNotice, IpcPort, IpcReply, IpcRequest, Peeked } from "../../kernel/index.ts";
import type { Answer, CallMap, CsError, NoticeMap } from "./calls.ts";

/** What a call comes to where nobody serves it, and where the daemon went meanwhile. */
export const NO_DAEMON: CsError = "CS_ERR_LIBRARY";

export interface Connection {
  /** Of the connection; undefined: there is none. */
  id: number | undefined;
}

export class ServiceClient<C extends CallMap, N extends NoticeMap = Record<never, never>> {
  private id: number | undefined;

  constructor(
    private readonly ipc: IpcPort,
    readonly service: string,
  ) {}

  get connected(): boolean {
    return this.id !== undefined;
  }

  /** The event is one of this connection. */
  owns(id: number): boolean {
    return id === this.id;
  }

  /** False: nobody serves it (CS_ERR_LIBRARY). */
  connect(): boolean {
    this.id ??= this.ipc.connect(this.service);
    return this.id !== undefined;
  }

  /** The server is gone. */
  lost(): void {
    this.id = undefined;
  }

  close(): void {
    if (this.id !== undefined) this.ipc.close(this.id);
    this.id = undefined;
  }

  /** Asks. @returns the number of the reply to come; undefined: there is no connection, or its queue is full */
  ask<K extends keyof C & string>(call: K, request: C[K]["request"]): number | undefined {
    return this.id === undefined ? undefined : this.ipc.request(this.id, { ...request, call } as IpcRequest);
  }

  /** A reply to `call` as that call's type has it. */
  answer<K extends keyof C & string>(_call: K, reply: IpcReply): Answer<C, K> {
    return reply as Answer<C, K>;
  }

  /** A notice's values; undefined where it is another event's. */
  notice<E extends keyof N & string>(event: E, notice: IpcNotice): N[E] | undefined {
    return notice.event === event ? (notice as unknown as N[E]) : undefined;
  }

  snapshot(): Connection {
    return { id: this.id };
  }

  restore(state: Connection): void {
    this.id = state.id;
  }
}

/** A question that takes no time. `waits`: the daemon is stopped, or the call changes something. */
export function peekCall<C extends CallMap, K extends keyof C & string>(
  peek: (service: string, request: IpcRequest) => Peeked,
  service: string,
  call: K,
  request: C[K]["request"],
): Answer<C, K> | "waits" {
  const peeked = peek(service, { ...request, call } as IpcRequest);
  if (peeked.peek === "would-wait") return "waits";
  return peeked.peek === "refused" ? { error: NO_DAEMON } : (peeked.reply as Answer<C, K>);
}
