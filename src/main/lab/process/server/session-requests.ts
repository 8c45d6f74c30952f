/** Requests about a shell on a node: one line run by `exec`, or a terminal. What it puts out reaches the client when it may leave the lab. */
import type { Request } from "../../api.ts";
import type { Lab } from "../../lab.ts";
import type { Sessions } from "../sessions.ts";
import { Trouble } from "../../trouble.ts";
import { HeldOutput } from "./held-output.ts";
import { askerOf, type ServedClient } from "./served-client.ts";
import { SharedTerminal } from "./shared-terminal.ts";
import { whenRead } from "./when-read.ts";

/** A command that goes on for this long in a paused lab is waiting for time. */
const pausedNoticeMs = 300;
/** Terminals that are kept while nobody looks at them. */
const KEPT_MAX = 32;

type SessionRequest = Extract<
  Request,
  {
    op:
      | "exec"
      | "exec-input"
      | "exec-signal"
      | "terminal-open"
      | "terminal-attach"
      | "terminal-write"
      | "terminal-resize"
      | "terminal-drawn"
      | "terminal-close";
  }
>;

export class SessionRequests {
  private readonly terminals = new Map<string, SharedTerminal>();

  constructor(
    private readonly lab: Lab,
    private readonly sessions: Sessions,
    private readonly clients: ReadonlySet<ServedClient>,
  ) {}

  /** Does one. `reply` is called with what the client is answered, before the first output. */
  async answer(client: ServedClient, r: SessionRequest, reply: (result: unknown) => void): Promise<void> {
    const { sessions } = this;
    switch (r.op) {
      case "exec":
        return this.exec(client, r, reply);
      case "terminal-open":
        return this.terminal(client, r, reply);
      case "terminal-attach":
        return this.attach(client, r, reply);
      case "exec-input":
        if (client.execs.has(r.exec)) sessions.input(r.exec, r.data);
        break;
      case "exec-signal":
        if (client.execs.has(r.exec)) sessions.signal(r.exec);
        break;
      case "terminal-write":
        if (client.terminals.has(r.terminal)) sessions.write(r.terminal, r.data);
        break;
      case "terminal-resize":
        if (client.terminals.has(r.terminal)) sessions.resize(r.terminal, r);
        break;
      case "terminal-drawn":
        if (client.terminals.has(r.terminal)) this.terminals.get(r.terminal)?.earn(client, r.chars);
        break;
      case "terminal-close":
        if (client.terminals.has(r.terminal)) sessions.closeTerminal(r.terminal);
    }
    reply({});
  }

  /** The client is gone: what ran for it ends, but for terminals that are kept. */
  leave(client: ServedClient): void {
    for (const id of client.execs) this.sessions.abandon(id);
    for (const id of [...client.terminals]) this.terminals.get(id)?.leave(client);
    this.boundKept();
  }

  private exec(client: ServedClient, r: Extract<Request, { op: "exec" }>, reply: (result: unknown) => void): void {
    this.lab.shell.reachable(r.node);
    const { typed } = this.lab.history;
    const entry = typed.begin(askerOf(client), r.node, r.line);
    let exec = "";
    let over = false;
    const finish = (status: number): void => {
      if (over) return;
      over = true;
      clearInterval(watch);
      client.execs.delete(exec);
      typed.end(entry, status);
      client.channel.send({ event: "exec-exit", exec, status });
    };
    const say = (text: string): void => client.channel.send({ event: "exec-output", exec, stream: "stderr", data: text });
    const held = new HeldOutput({
      released: () => this.lab.output.settled(),
      lost: (why) => {
        this.sessions.signal(exec);
        say(`quorate: ${why}\n`);
        finish(255);
      },
    });
    let said = false;
    // In a paused lab queries answer; what goes on all the same waits for time.
    const watch = setInterval(() => {
      if (said || !this.lab.host.paused || !this.waitsForTime(r.node)) return;
      said = true;
      if (r.noWait !== true) return say("quorate: the lab is paused; this command goes on when the lab does\n");
      say("quorate: the lab is paused, and this command needs time\n");
      this.sessions.signal(exec);
      finish(255);
    }, pausedNoticeMs);
    this.sessions.exec(
      r.node,
      r.line,
      {
        output: (stream, data, taken) =>
          held.put(data.length, () => {
            if (over) return taken();
            client.channel.send({ event: "exec-output", exec, stream, data });
            whenRead(client.channel, () => this.clients.has(client), taken);
          }),
        exit: (status) => held.end(() => finish(status)),
      },
      (id) => {
        exec = id;
        client.execs.add(id);
        reply({ exec: id });
      },
    );
  }

  /** Somebody's shell has a command or a sleep under way. */
  private waitsForTime(node: string): boolean {
    const { commands, clients } = this.lab.shell;
    return commands.on(node) || clients.on(node) || [...this.clients].some((client) => client.underWay > 0);
  }

  private async terminal(
    client: ServedClient,
    r: Extract<Request, { op: "terminal-open" }>,
    reply: (result: unknown) => void,
  ): Promise<void> {
    if (!this.lab.world.has(r.node)) this.lab.shell.reachable(r.node);
    const terminal = new SharedTerminal({
      node: r.node,
      keep: r.keep === true,
      sessions: this.sessions,
      released: () => this.lab.output.settled(),
      gone: (id) => this.terminals.delete(id),
    });
    await this.sessions.open(r.node, r, r.line, terminal.sink, (id) => {
      terminal.id = id;
      this.terminals.set(id, terminal);
      terminal.join(client, r.credit);
      // It may have gone while the program started.
      if (!this.clients.has(client)) terminal.leave(client);
      reply({ terminal: id });
    });
  }

  /** Somebody comes back to a terminal that was kept, or looks at it from another window. */
  private attach(client: ServedClient, r: Extract<Request, { op: "terminal-attach" }>, reply: (result: unknown) => void): void {
    const terminal = this.terminals.get(r.terminal);
    if (terminal === undefined || !terminal.options.keep) throw new Trouble("failed", "that terminal is no more");
    const text = terminal.join(client, r.credit);
    reply({ node: terminal.options.node, text });
    this.sessions.resize(r.terminal, r);
  }

  /** Of those that nobody looks at only so many are kept, the last ones. */
  private boundKept(): void {
    const left = [...this.terminals.values()]
      .filter(({ leftAt }) => leftAt !== undefined)
      .sort((a, b) => (a.leftAt ?? 0) - (b.leftAt ?? 0));
    for (const { id } of left.slice(0, Math.max(0, left.length - KEPT_MAX))) this.sessions.closeTerminal(id);
  }
}
