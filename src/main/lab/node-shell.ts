/** What a shell on a node asks of its node: questions, file calls, modelled commands with their input and signals. */
import { randomUUID } from "node:crypto";
import type { FileAct, MachineAct, MachineQuery, QueryReply } from "../../engine/kernel/machine.ts";
import type { FileCall, FileReply } from "../../engine/kernel/vfs.ts";
import type { World } from "../../engine/world/index.ts";
import type { LabActs } from "./act/acts.ts";
import type { Reply } from "./api.ts";
import { Commands, type CommandSink } from "./shell/commands.ts";
import type { ShellAct } from "./shell/shell-wire.ts";
import { ShellClients } from "./shell/shells.ts";
import { Trouble, usage, type TroubleCode } from "./trouble.ts";
import { unreachable } from "./view/conditions.ts";

/** Throws where there is no such node. Asking about one is wrong usage; a shell on one is what the lab cannot give. */
export function mustHave(world: World, node: string, code: TroubleCode = "usage"): void {
  if (!world.has(node)) throw new Trouble(code, `no node ${node}; there are: ${world.names.join(", ")}`);
}

export class NodeShell {
  /** Those that run. */
  readonly commands = new Commands();
  /** Whose shells have sessions, programs and file calls on the nodes. */
  readonly clients = new ShellClients();

  constructor(
    private readonly world: World,
    private readonly acts: LabActs,
  ) {}

  /** A shell on this node can be had; throws Trouble that says why not. */
  reachable(node: string): void {
    mustHave(this.world, node, "lab");
    const why = unreachable(this.world.status(node));
    if (why !== undefined) throw new Trouble("lab", why);
  }

  query(node: string, query: MachineQuery): QueryReply {
    this.reachable(node);
    return this.world.query(node, query);
  }

  /** A file call that only looks, by a session's shell or by root in the root directory. */
  look(node: string, call: FileCall, session?: string): FileReply | "would-wait" {
    const reply = this.query(node, { kind: "file", call, ...(session === undefined ? {} : { session }) });
    if (reply.kind === "file-reply") return reply.reply;
    if (reply.kind === "would-wait") return "would-wait";
    if (reply.kind === "error") throw new Trouble("lab", `${node}: the shell is gone`);
    throw usage(`${call.call} does not only look`);
  }

  /** What a client's shell does there; its `ShellClient` has looked at it. */
  act(node: string, act: ShellAct): Promise<void> {
    return this.acts.inTurn(async () => {
      this.reachable(node);
      await this.acts.one({ to: "machine", machine: node, act });
    });
  }

  /** The lab goes, and every terminal and line with it: their shells on the nodes end, as on a closed connection. */
  async hangUp(): Promise<void> {
    for (const { node, act } of this.clients.endings()) {
      try {
        await this.act(node, act);
      } catch (error) {
        // One that is off or stands still has nothing to end, or ends it when it goes on.
        if (!(error instanceof Trouble)) throw error;
      }
    }
  }

  /**
   * The world goes on from where others had shells in it, whom nobody here knows: a snapshot, a fork, a lab that was frozen. They end as on a closed
   * connection. To be called in a turn of the acts.
   */
  async dropUnknown(): Promise<void> {
    const { world } = this;
    for (const name of world.names) {
      const there = unreachable(world.status(name)) === undefined;
      const attached = there ? world.machineAt(world.numberOf(name))?.attached?.() : undefined;
      for (const session of attached?.sessions ?? [])
        await this.acts.one({ to: "machine", machine: name, act: { kind: "session-close", session } });
      for (const id of attached?.commands ?? [])
        await this.acts.one({ to: "machine", machine: name, act: { kind: "command-signal", id, signal: "SIGTERM" } });
    }
  }

  /** @returns an errno name, null on success */
  file(node: string, act: FileAct): Promise<Reply<"file">> {
    return this.acts.inTurn(async () => {
      this.reachable(node);
      const { effects } = await this.acts.one({ to: "machine", machine: node, act });
      const result = effects.find((e) => e.kind === "file-result");
      const { busyUntil } = this.world.status(node).disk;
      return { error: result?.error ?? null, lasts: busyUntil === null ? 0 : busyUntil - this.world.now };
    });
  }

  /** Starts a modelled command. `started` is called with its id before it says anything. */
  async command(
    node: string,
    argv: readonly string[],
    cwd: string,
    stdin: string,
    sink: CommandSink,
    started: (id: string) => void,
  ): Promise<void> {
    this.reachable(node);
    const id = randomUUID();
    this.commands.begin(id, node, sink);
    started(id);
    try {
      await this.acts.inTurn(() => this.acts.one({ to: "machine", machine: node, act: { kind: "command", id, argv, cwd, stdin } }));
    } catch (error) {
      this.commands.forget(id);
      throw error;
    }
  }

  commandSignal(node: string, id: string, signal: "SIGINT" | "SIGTERM"): Promise<void> {
    return this.toCommand(node, { kind: "command-signal", id, signal });
  }

  commandInput(node: string, id: string, line: string | undefined): Promise<void> {
    return this.toCommand(node, { kind: "command-input", id, line });
  }

  /** A command that has ended meanwhile needs nothing any more. */
  private toCommand(node: string, act: Extract<MachineAct, { kind: "command-signal" | "command-input" }>): Promise<void> {
    return this.acts.inTurn(async () => {
      if (this.commands.has(act.id)) await this.acts.one({ to: "machine", machine: node, act });
    });
  }
}
