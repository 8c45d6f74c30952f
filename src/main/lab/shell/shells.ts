/**
 * The shells that clients have on the nodes: which sessions, programs and file calls are whose, so that what a machine tells finds its client, and so
 * that they end with it. A client's ids are made unique in the lab by a prefix of its own.
 */
import { randomUUID } from "node:crypto";
import type { Effect } from "../../../engine/kernel/machine.ts";
import { Trouble } from "../trouble.ts";
import { actFromWire, type ShellAct } from "./shell-wire.ts";

/** Programs, file calls and sessions of one client that may be under way. */
const underWayMax = 1000;

/** Keys of an act that hold ids. */
const IDS = ["session", "id", "process", "parent"] as const;

type Told = Extract<Effect, { id: string } | { session: string }>;

export class ShellClient {
  /** Open sessions, and their nodes. */
  private readonly sessions = new Map<string, string>();
  /** Programs of the machine and file calls. */
  private readonly waited = new Map<string, { readonly node: string; readonly call: boolean }>();
  /** Those that the client carries out itself. */
  private readonly forks = new Set<string>();
  /** What still happens to its processes is told no more: the lab goes, and says so itself. */
  private ended = false;

  constructor(
    readonly prefix: string,
    private readonly sink: (effect: Effect) => void,
    private readonly gone: () => void,
  ) {}

  known(id: string): string {
    return this.prefix + id;
  }

  /** Something of it is under way. */
  get busy(): boolean {
    return this.waited.size > 0 || this.forks.size > 0;
  }

  on(node: string): boolean {
    return [...this.waited.values()].some((waited) => waited.node === node);
  }

  /** The act that a message asks for, which the API's schema has let pass. @throws Trouble */
  act(node: string, wire: Record<string, unknown>): ShellAct {
    const own: Record<string, unknown> = { ...wire };
    for (const key of IDS) if (typeof own[key] === "string") own[key] = this.prefix + own[key];
    const act = actFromWire(own);
    if (this.sessions.size + this.waited.size + this.forks.size >= underWayMax && !("status" in act))
      throw new Trouble("failed", `at most ${underWayMax} programs and file calls of one shell can be under way`);
    if (act.kind === "session-open") this.sessions.set(act.session, node);
    else if (act.kind === "session-fork") this.forks.add(act.id);
    else if (act.kind === "session-run" || act.kind === "file") {
      this.forks.delete(act.id);
      this.waited.set(act.id, { node, call: act.kind === "file" });
    }
    return act;
  }

  /** What a machine tells of one of its ids. */
  take(effect: Told): void {
    const own: Record<string, unknown> = { ...effect };
    for (const key of IDS) if (typeof own[key] === "string") own[key] = own[key].slice(this.prefix.length);
    if (effect.kind === "exit" || effect.kind === "file-reply") {
      this.waited.delete(effect.id);
      this.forks.delete(effect.id);
    } else if (effect.kind === "session-ended") this.sessions.delete(effect.session);
    // The same effect under the client's own ids.
    if (!this.ended) this.sink(own as unknown as Effect);
  }

  /** The lab goes on from where none of it had begun. */
  lose(): void {
    this.sessions.clear();
    this.waited.clear();
    this.forks.clear();
  }

  /** The client is gone. @returns what ends what it has left */
  leave(): { node: string; act: ShellAct }[] {
    this.gone();
    return this.endings();
  }

  /** What hangs its terminals up and ends what it has under way. */
  endings(): { node: string; act: ShellAct }[] {
    this.ended = true;
    const acts: { node: string; act: ShellAct }[] = [];
    for (const [session, node] of this.sessions) acts.push({ node, act: { kind: "session-close", session } });
    for (const [id, { node, call }] of this.waited)
      acts.push({ node, act: call ? { kind: "file-interrupt", id } : { kind: "command-signal", id, signal: "SIGTERM" } });
    return acts;
  }
}

export class ShellClients {
  private readonly clients = new Map<string, ShellClient>();

  begin(sink: (effect: Effect) => void): ShellClient {
    const prefix = `${randomUUID()}:`;
    const client = new ShellClient(prefix, sink, () => this.clients.delete(prefix));
    this.clients.set(prefix, client);
    return client;
  }

  /** Passes an effect of the world to whose it is. */
  take(effect: Effect): void {
    const id = "session" in effect ? effect.session : "id" in effect ? effect.id : undefined;
    if (id !== undefined) this.clients.get(id.slice(0, id.indexOf(":") + 1))?.take(effect as Told);
  }

  /** What ends everybody's. */
  endings(): { node: string; act: ShellAct }[] {
    return [...this.clients.values()].flatMap((client) => client.endings());
  }

  /** Somebody's shell waits for something on this node. */
  on(node: string): boolean {
    for (const client of this.clients.values()) if (client.on(node)) return true;
    return false;
  }

  lose(): void {
    for (const client of this.clients.values()) client.lose();
  }
}
