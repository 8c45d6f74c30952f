/**
 * Local sockets: how two processes of one machine talk. In the real stack: unix(7) sockets, and libqb's IPC on top of them, which corosync's libraries (cpg, quorum,
 * votequorum, cmap, cfg), pmxcfs and the quorum device's tools use. A client's request gets one reply; a server may send events unasked; when either side exits the
 * other is told that it is gone. A request to a process that does not run (SIGSTOP) waits for it. All of it takes no virtual time. Left out: byte streams, passing of
 * descriptors, shared memory.
 */

/** Plain data: what can be copied, kept in a snapshot and sent to another host process. */
export type Plain =
  undefined | null | boolean | number | bigint | string | Uint8Array | readonly Plain[] | { readonly [key: string]: Plain };

/** One call of a service's library; `call` is its name there (`quorum_getquorate`, `cmap_get`). */
export interface IpcRequest {
  readonly call: string;
  readonly [argument: string]: Plain;
}

/** What a service answers; `error` is the library's own word (`CS_ERR_TRY_AGAIN`), absent on success. */
export interface IpcReply {
  readonly error?: string;
  readonly [value: string]: Plain;
}

/** A notification that a client has asked for: `event` is its name in the library. */
export interface IpcNotice {
  readonly event: string;
  readonly [value: string]: Plain;
}

/** What a program hears of its connections. `id` is the connection's, unique on the machine. */
export type IpcEvent =
  /** Client: the server answered request `seq`. */
  | { readonly what: "reply"; readonly id: number; readonly seq: number; readonly reply: IpcReply }
  /** Client: something it had asked to be told of. */
  | { readonly what: "notice"; readonly id: number; readonly notice: IpcNotice }
  /** Client: the server exited, or closed the connection; unanswered requests stay unanswered. */
  | { readonly what: "gone"; readonly id: number }
  /** Server: somebody connected to the service. */
  | { readonly what: "accepted"; readonly id: number; readonly service: string; readonly peer: number; readonly peerName: string }
  /** Server: a request to be answered once, now or later. */
  | { readonly what: "request"; readonly id: number; readonly seq: number; readonly request: IpcRequest }
  /** Server: the client exited or closed. */
  | { readonly what: "closed"; readonly id: number };

/** The local sockets as one process sees them. */
export interface IpcPort {
  /** Serves `service` (`cmap`, `/run/corosync-qnetd/corosync-qnetd.sock`) from now on; false where another process does. */
  listen(service: string): boolean;
  /** New connections are refused; those that stand go on. */
  unlisten(service: string): void;
  /** A connection, or undefined where nobody serves the name (the library's CS_ERR_LIBRARY). It may be used at once. */
  connect(service: string): number | undefined;
  /** Asks; the answer is a "reply" with the number returned. Undefined where the connection is gone or its queue is full (EAGAIN). */
  request(id: number, request: IpcRequest): number | undefined;
  /** Server: answers a request. An answer to a connection that is gone is dropped. */
  reply(id: number, seq: number, reply: IpcReply): void;
  /** Server: tells a client; false where its queue is full (flow control) or it is gone. */
  notify(id: number, notice: IpcNotice): boolean;
  close(id: number): void;
}

/** What a pure question to a service comes to. */
export type Peeked =
  | { readonly peek: "reply"; readonly reply: IpcReply }
  /** Nobody serves it. */
  | { readonly peek: "refused" }
  /** It would have to wait (the process is stopped), or it would change something: to be asked by a process. */
  | { readonly peek: "would-wait" };
