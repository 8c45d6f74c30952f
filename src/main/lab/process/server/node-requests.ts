/** Requests of a node's shell to its node: questions, file calls, modelled commands, sleeps, the floor. What is answered to it stays in the lab. */
import type { FileAct, MachineQuery, QueryReply } from "../../../../engine/kernel/machine.ts";
import type { Reply, Request } from "../../api.ts";
import type { Asker } from "../../history/tasks.ts";
import type { Lab } from "../../lab.ts";
import { callFromWire, effectToWire, replyToWire } from "../../shell/shell-wire.ts";
import type { ShellClient } from "../../shell/shells.ts";
import { Trouble } from "../../trouble.ts";
import { answered } from "./answered.ts";
import { askerOf, type ServedClient } from "./served-client.ts";

/** Sleeps and commands of one client that may be under way. */
const underWayMax = 1000;
/** Lines of one client that have not ended. */
const typedMax = 100;

type NodeRequest = Extract<
  Request,
  { op: "query" | "file" | "command" | "command-signal" | "command-input" | "shell" | "look" | "sleep" | "typed" | "floor" }
>;

function fileAct({ mode, data, ...rest }: Extract<Request, { op: "file" }>["act"]): Extract<FileAct, { kind: "file-write" }> {
  return { ...rest, data: new Uint8Array(Buffer.from(data, "base64")), ...(mode === undefined ? {} : { mode }) };
}

/** As the engine has it: what is absent is not there. */
function machineQuery(query: Extract<Request, { op: "query" }>["query"], shell: () => ShellClient): MachineQuery {
  if (query.kind === "complete") return query;
  const whose = query.session === undefined ? {} : { session: shell().known(query.session) };
  if (query.kind === "command") return { kind: query.kind, argv: query.argv, cwd: query.cwd, stdin: query.stdin, ...whose };
  const { kind, path, at, length } = query;
  return { kind, path, ...whose, ...(at === undefined ? {} : { at }), ...(length === undefined ? {} : { length }) };
}

function wireReply(reply: QueryReply): unknown {
  return reply.kind === "file" ? { kind: "file", data: Buffer.from(reply.data).toString("base64") } : reply;
}

export class NodeRequests {
  /** @param late is given an act that nobody waits for any more */
  constructor(
    private readonly lab: Lab,
    private readonly late: (act: Promise<void>) => void,
  ) {}

  /** Does one. Returns what the client is answered, or that it has been. */
  async answer(client: ServedClient, r: NodeRequest, reply: (result: unknown) => void): Promise<unknown> {
    const { lab } = this;
    switch (r.op) {
      case "query":
        await lab.catchUp();
        return wireReply(
          lab.shell.query(
            r.node,
            machineQuery(r.query, () => this.shellOf(client)),
          ),
        );
      case "file":
        return client.inside ? lab.shell.file(r.node, fileAct(r.act)) : this.written(r.node, fileAct(r.act), askerOf(client));
      case "command":
        return this.command(client, r, reply);
      case "command-signal":
        if (client.commands.has(r.command)) await lab.shell.commandSignal(r.node, r.command, r.signal);
        return {};
      case "command-input":
        if (client.commands.has(r.command)) await lab.shell.commandInput(r.node, r.command, r.line ?? undefined);
        return {};
      case "shell":
        await lab.shell.act(r.node, this.shellOf(client).act(r.node, r.act));
        return {};
      case "look": {
        await lab.catchUp();
        const session = r.session === undefined ? undefined : this.shellOf(client).known(r.session);
        return { replies: r.calls.map((call) => replyToWire(lab.shell.look(r.node, callFromWire(call), session))) };
      }
      case "sleep":
        return this.underWay(client, () => lab.sleep(r.duration));
      case "typed":
        this.typed(client, r);
        return {};
      case "floor":
        client.release?.();
        client.release = r.hold ? lab.host.hold() : undefined;
        return {};
    }
  }

  private shellOf(client: ServedClient): ShellClient {
    const { channel } = client;
    client.shell ??= this.lab.shell.clients.begin((effect) => channel.send({ event: "shell-effect", effect: effectToWire(effect) }));
    return client.shell;
  }

  /** A file written from outside the node's own shells. */
  private written(node: string, act: ReturnType<typeof fileAct>, asker: Asker): Promise<Reply<"file">> {
    const { acts, shell, timeline, world } = this.lab;
    return acts.logged(asker, "file", `write ${act.path} on ${node}`, async () => {
      const reply = await shell.file(node, act);
      if (reply.error === null) timeline.mark(world.now, "act", `${node}: ${act.path} written`);
      return reply;
    });
  }

  private typed({ typed }: ServedClient, { node, id, line, status }: Extract<Request, { op: "typed" }>): void {
    const { typed: lines } = this.lab.history;
    const entry = typed.get(id);
    if (line === undefined && entry !== undefined) {
      typed.delete(id);
      lines.end(entry, status);
    } else if (line !== undefined && entry === undefined && typed.size < typedMax)
      typed.set(id, lines.begin({ by: "terminal", at: node }, node, line));
  }

  private async underWay<T>(client: ServedClient, work: () => Promise<T>): Promise<T> {
    if (client.underWay >= underWayMax) throw new Trouble("failed", `at most ${underWayMax} sleeps can be under way`);
    client.underWay++;
    try {
      return await work();
    } finally {
      client.underWay--;
    }
  }

  private async command(client: ServedClient, r: Extract<Request, { op: "command" }>, reply: (result: unknown) => void): Promise<unknown> {
    let command = "";
    const sink = {
      output: (stream: "stdout" | "stderr", data: string): void => client.channel.send({ event: "command-output", command, stream, data }),
      prompt: (echo: boolean): void => client.channel.send({ event: "command-prompt", command, echo }),
      exit: (status: number): void => {
        client.commands.delete(command);
        client.channel.send({ event: "command-exit", command, status });
      },
    };
    await this.lab.shell.command(r.node, r.argv, r.cwd, r.stdin, sink, (id) => {
      command = id;
      client.commands.set(id, r.node);
      reply({ command: id });
    });
    return answered;
  }

  /** The client is gone: its commands and its shell end. */
  leave(client: ServedClient): void {
    for (const entry of client.typed.values()) this.lab.history.typed.end(entry, undefined);
    for (const [id, node] of client.commands) this.late(this.lab.shell.commandSignal(node, id, "SIGTERM"));
    for (const { node, act } of client.shell?.leave() ?? []) this.late(this.lab.shell.act(node, act));
  }
}
