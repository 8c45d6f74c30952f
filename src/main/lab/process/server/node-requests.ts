/** Requests of a node's shell to its node: questions, file calls, modelled commands, sleeps, the floor. What is answered to it stays in the lab. */
import type { FileAct, QueryReply } from "../../../../engine/kernel/machine.ts";
import type { Request } from "../../api.ts";
import type { Lab } from "../../lab.ts";
import { Trouble } from "../../trouble.ts";
import { answered } from "./answered.ts";
import type { ServedClient } from "./served-client.ts";

/** Sleeps and commands of one client that may be under way. */
const underWayMax = 1000;

type NodeRequest = Extract<Request, { op: "query" | "file" | "command" | "command-signal" | "command-input" | "sleep" | "floor" }>;

function fileAct(act: Extract<Request, { op: "file" }>["act"]): FileAct {
  switch (act.kind) {
    case "file-write": {
      const { mode, data, ...rest } = act;
      return { ...rest, data: new Uint8Array(Buffer.from(data, "base64")), ...(mode === undefined ? {} : { mode }) };
    }
    default:
      return act;
  }
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
        return wireReply(lab.shell.query(r.node, r.query));
      case "file":
        return lab.shell.file(r.node, fileAct(r.act));
      case "command":
        return this.command(client, r, reply);
      case "command-signal":
        if (client.commands.has(r.command)) await lab.shell.commandSignal(r.node, r.command, r.signal);
        return {};
      case "command-input":
        if (client.commands.has(r.command)) await lab.shell.commandInput(r.node, r.command, r.line ?? undefined);
        return {};
      case "sleep":
        return this.underWay(client, () => lab.sleep(r.duration));
      case "floor":
        client.release?.();
        client.release = r.hold ? lab.host.hold() : undefined;
        return {};
    }
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

  /** The client is gone: its commands end. */
  leave(client: ServedClient): void {
    for (const [id, node] of client.commands) this.late(this.lab.shell.commandSignal(node, id, "SIGTERM"));
  }
}
