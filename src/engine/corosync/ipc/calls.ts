/**
 * How a call of corosync's libraries is written down: a map from its name to what it takes and gives. Adding a call touches the service and the tool, nothing between. In the
 * real stack: the headers of libcpg, libquorum, libvotequorum, libcmap and libcfg, and libqb below them. Left out: versions, sizes, and handles, which connections stand for.
 */
import type { IpcReply, IpcRequest } from "../../kernel/index.ts";

/** cs_error_t, as far as calls answer with it. */
export type CsError =
  | "CS_ERR_LIBRARY"
  | "CS_ERR_INVALID_PARAM"
  | "CS_ERR_BAD_HANDLE"
  | "CS_ERR_NOT_EXIST"
  | "CS_ERR_EXIST"
  | "CS_ERR_NAME_NOT_FOUND"
  | "CS_ERR_NAME_TOO_LONG"
  | "CS_ERR_TRY_AGAIN"
  | "CS_ERR_ACCESS"
  | "CS_ERR_TOO_BIG"
  | "CS_ERR_MESSAGE_ERROR"
  | "CS_ERR_NOT_SUPPORTED"
  | "CS_ERR_NO_MEMORY";

/** What every service answers at once: libqb's handshake, for which a library's *_initialize waits. */
export const INITIALIZE = "initialize";

/** Calls by name. Values are plain data (kernel/ipc.ts). */
export interface CallMap {
  readonly [call: string]: { readonly request: object; readonly reply: object };
}

/** Notifications by name. */
export interface NoticeMap {
  readonly [event: string]: object;
}

export interface Refused {
  readonly error: CsError;
}

export type Answer<C extends CallMap, K extends keyof C> = C[K]["reply"] | Refused;

/** A call that has nothing to tell. */
export type Nothing = { readonly error?: undefined };
export const DONE: Nothing = Object.freeze({});

export function refused(error: CsError): Refused {
  return { error };
}

/** The error of a call that answers with one or with nothing. */
export function outcome(error: CsError | undefined): Nothing | Refused {
  return error === undefined ? DONE : refused(error);
}

/** What needs the ring is refused until the services have synchronised. */
export function whenReady({ sync }: { readonly sync: { readonly ready: boolean } }, perform: () => CsError | undefined): Nothing | Refused {
  return sync.ready ? outcome(perform()) : refused("CS_ERR_TRY_AGAIN");
}

/** A connection as the daemon knows it. */
export interface Client {
  readonly id: number;
  readonly pid: number;
  readonly name: string;
}

/** What a service does with each call. "later": it keeps the number and answers when it can. */
export type Handlers<C extends CallMap> = {
  readonly [K in keyof C & string]: (request: C[K]["request"], client: Client, seq: number) => Answer<C, K> | "later";
};

/** What a service answers to calls that only ask, by nobody in particular. */
export type Readers<C extends CallMap> = {
  readonly [K in keyof C & string]?: (request: C[K]["request"]) => Answer<C, K>;
};

/** One service of the daemon as the one that holds the connections sees it. */
export interface Service {
  /** The name of its socket. */
  readonly name: string;
  /** Undefined: it will answer later. */
  call(client: Client, seq: number, request: IpcRequest): IpcReply | undefined;
  /** A call that only asks; undefined: it would change something, or wait. */
  read(request: IpcRequest): IpcReply | undefined;
  closed(client: Client): void;
}

// Plain data on the way and typed data at its ends: a client and its service are of one version, so that the one place where the types meet is here.

export function performCall<C extends CallMap>(
  handlers: Handlers<C>,
  client: Client,
  seq: number,
  request: IpcRequest,
): IpcReply | undefined {
  const handler = handlers[request.call];
  if (handler === undefined) return { error: "CS_ERR_NOT_SUPPORTED" };
  const answer = handler(request, client, seq);
  return answer === "later" ? undefined : (answer as IpcReply);
}

export function performRead<C extends CallMap>(readers: Readers<C>, request: IpcRequest): IpcReply | undefined {
  return readers[request.call]?.(request) as IpcReply | undefined;
}
