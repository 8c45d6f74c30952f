/**
 * corosync's libraries (libcfg, libcmap, libcpg, libquorum, libvotequorum) as a tool's body uses them: a connection whose calls are typed by the service's own map. Where nobody answers, or no
 * longer, a call comes to CS_ERR_LIBRARY. Left out: handles, and the numbers of errors.
 */
import { INITIALIZE, NO_DAEMON, type Answer, type CallMap } from "../corosync/index.ts";
import type { IpcRequest } from "../kernel/index.ts";
import { call, connect, request, type ToolPart } from "./tool.ts";

export class Library<C extends CallMap> {
  constructor(readonly connection: number) {}

  *ask<K extends keyof C & string>(name: K, values: C[K]["request"]): ToolPart<Answer<C, K>> {
    const reply = yield* request(this.connection, { ...values, call: name } as IpcRequest);
    return reply === "gone" ? { error: NO_DAEMON } : (reply as Answer<C, K>);
  }

  /** What it answers; undefined where it refuses, for whatever reason. */
  *read<K extends keyof C & string>(name: K, values: C[K]["request"]): ToolPart<C[K]["reply"] | undefined> {
    const answer = yield* this.ask(name, values);
    return errorOf(answer) === undefined ? (answer as C[K]["reply"]) : undefined;
  }
}

/** The error of an answer; undefined on success. */
export function errorOf(answer: object): string | undefined {
  return (answer as { readonly error?: string }).error;
}

/** cmap_initialize and its like: it waits for a daemon that does not run. Undefined: CS_ERR_LIBRARY. */
export function* initialize<C extends CallMap>(service: string): ToolPart<Library<C> | undefined> {
  const connection = yield* connect(service);
  if (connection === "refused") return undefined;
  const reply = yield* request(connection, { call: INITIALIZE });
  return reply === "gone" || reply.error !== undefined ? undefined : new Library<C>(connection);
}

/** One call over a connection of its own; undefined where nobody answers it, or with an error. */
export function* callOnce<C extends CallMap, K extends keyof C & string>(
  service: string,
  name: K,
  values: C[K]["request"],
): ToolPart<C[K]["reply"] | undefined> {
  const reply = yield* call(service, { ...values, call: name } as IpcRequest);
  return typeof reply === "string" || reply.error !== undefined ? undefined : (reply as C[K]["reply"]);
}
