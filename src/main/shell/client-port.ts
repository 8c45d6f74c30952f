/** A node's port over the lab's API: what session processes and consoles use. */
import { unixFromIso } from "../../engine/kernel/time.ts";
import type { FileAct, MachineQuery, QueryReply } from "../../engine/kernel/machine.ts";
import type { LabEvent } from "../lab/api.ts";
import type { LabClient } from "../lab/process/client.ts";
import { CommandQueue } from "./command-queue.ts";
import type { FileChanged, NodePort, Now, RunningCommand, Sleep } from "./port.ts";
import { PortError } from "./port.ts";

function asPortError(error: unknown): PortError {
  if (error instanceof PortError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "lab";
  return new PortError(code, error instanceof Error ? error.message : String(error));
}

async function asked<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply;
  } catch (error) {
    throw asPortError(error);
  }
}

/** How often a running line looks whether its machine is still there, ms. */
const LOOK_MS = 500;

/** What the lab says on behalf of a command whose machine went away. */
const closedText = (node: string): string => `Connection to ${node} closed.\n`;

type WireQueryReply = Exclude<QueryReply, { kind: "file" }> | { kind: "file"; data: string };

export class ClientPort implements NodePort {
  private readonly commands = new Map<string, CommandQueue>();
  private readonly goneListeners = new Set<(error: PortError) => void>();
  private timer: NodeJS.Timeout | undefined;
  /** Instant of the power-on this port belongs to. */
  private since: number | undefined;
  private stalled = false;
  private saidClosed = false;

  constructor(
    private readonly client: LabClient,
    readonly node: string,
    /** Whether this shell's computing stops the lab's time: yes for scripted lines, no for a person's terminal. */
    private readonly claimsFloor: boolean,
  ) {
    client.onEvent((event) => this.take(event));
    client.closed.then(
      (reason) => {
        for (const queue of this.commands.values()) queue.fail(new PortError("lab", reason));
      },
      () => undefined,
    );
  }

  async query(query: MachineQuery): Promise<QueryReply> {
    const wire = query.kind === "command" || query.kind === "complete" ? { ...query, argv: [...query.argv] } : query;
    // The lab answers with the engine's reply; only bytes travel as base64.
    const reply = (await asked(this.client.call({ op: "query", node: this.node, query: wire as never }))) as WireQueryReply;
    return reply.kind === "file" ? { kind: "file", data: new Uint8Array(Buffer.from(reply.data, "base64")) } : reply;
  }

  async file(act: FileAct): Promise<FileChanged> {
    const wire = act.kind === "file-write" ? { ...act, data: Buffer.from(act.data).toString("base64") } : act;
    const { error, lasts } = await asked(this.client.call({ op: "file", node: this.node, act: wire }));
    return { errno: error ?? undefined, lasts };
  }

  async command(argv: readonly string[], cwd: string, stdin: string): Promise<RunningCommand> {
    const { command } = await asked(this.client.call({ op: "command", node: this.node, argv: [...argv], cwd, stdin }));
    const queue = this.queue(command);
    const told = (reply: Promise<unknown>): void => {
      reply.catch((error: unknown) => queue.fail(asPortError(error)));
    };
    return {
      next: async () => {
        const event = await queue.next();
        if (event.kind === "exit") this.commands.delete(command);
        return event;
      },
      signal: (signal) => told(this.client.call({ op: "command-signal", node: this.node, command, signal })),
      input: (line) => told(this.client.call({ op: "command-input", node: this.node, command, line: line ?? null })),
    };
  }

  sleep(duration: number): Sleep {
    const done = asked(this.client.call({ op: "sleep", node: this.node, duration })).then(() => undefined);
    done.catch(() => undefined);
    return { done, cancel: () => undefined };
  }

  async now(): Promise<Now> {
    const time = await asked(this.client.call({ op: "time" }));
    return { instant: time.instant, epoch: unixFromIso(time.epoch) ?? 0 };
  }

  onGone(listener: (error: PortError) => void): () => void {
    this.goneListeners.add(listener);
    if (!this.timer) {
      this.since = undefined;
      this.stalled = this.saidClosed = false;
      this.timer = setInterval(() => void this.look(), LOOK_MS).unref();
      void this.look();
    }
    return () => {
      this.goneListeners.delete(listener);
      if (this.goneListeners.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
    };
  }

  /** Looks whether the machine is the one this port began with; a reboot makes it another. @returns whether it is */
  private async look(): Promise<boolean> {
    let error: PortError | undefined;
    try {
      const { nodes } = await asked(this.client.call({ op: "status", node: this.node }));
      const machine = nodes.find((node) => node.name === this.node);
      this.since ??= machine?.powerSince;
      // a machine that stands still comes back with all that ran on it
      const there =
        machine !== undefined &&
        machine.power !== "off" &&
        (machine.power === "stalled" || machine.powerSince === this.since || this.stalled);
      this.stalled = machine?.power === "stalled";
      if (there) this.since = machine.powerSince;
      else error = new PortError("node-off", this.saidClosed ? "" : closedText(this.node).trimEnd());
    } catch (failure) {
      error = asPortError(failure);
    }
    if (!error) return true;
    this.saidClosed = true;
    for (const listener of [...this.goneListeners]) listener(error);
    for (const queue of this.commands.values()) queue.fail(error);
    return false;
  }

  waiting(waiting: boolean): void {
    if (this.claimsFloor) this.client.call({ op: "floor", hold: !waiting }).catch(() => undefined);
  }

  /** Output may come in the same packet as the answer that names the command. */
  private queue(id: string): CommandQueue {
    let queue = this.commands.get(id);
    if (!queue) this.commands.set(id, (queue = new CommandQueue()));
    return queue;
  }

  private take(event: LabEvent): void {
    switch (event.event) {
      case "command-output":
        if (event.stream === "stderr" && event.data === closedText(this.node)) this.saidClosed = true;
        this.queue(event.command).push({ kind: "output", stream: event.stream, text: event.data });
        break;
      case "command-prompt":
        this.queue(event.command).push({ kind: "prompt", echo: event.echo });
        break;
      case "command-exit":
        void this.ended(event.command, event.status);
        break;
      default:
    }
  }

  /** A command that ended as by a lost connection or a power cut may have ended with its machine. */
  private async ended(command: string, status: number): Promise<void> {
    if ((status !== 255 && status !== 137) || (await this.look())) this.queue(command).push({ kind: "exit", status });
  }
}
