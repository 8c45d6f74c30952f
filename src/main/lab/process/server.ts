/** The lab's API over channels: validates each request, asks the lab, answers; and keeps what belongs to each client, so that it goes with it. */
import { timingSafeEqual } from "node:crypto";
import type { FileAct, MachineQuery, QueryReply } from "../../../engine/kernel/machine.ts";
import { requestMessage, type Channel, type JournalLine, type LabEvent, type LabInfo, type Request } from "../api.ts";
import { HeldOutput } from "./held-output.ts";
import { wrongWith } from "../act/table.ts";
import type { Lab } from "../lab.ts";
import type { Sessions } from "./sessions.ts";
import { callFromWire, type ShellClient } from "../shell/shells.ts";
import { effectToWire, replyToWire } from "../shell/shell-wire.ts";
import type { LabLog } from "../store/log.ts";
import { Trouble } from "../trouble.ts";
import { WhatIfDesk } from "../whatif/whatif-session.ts";

/** A page is sent no more snapshots a second than it can draw smoothly. */
const snapshotEveryMs = 100;
/** A snapshot grows with the square of the nodes (every peer of every node); beyond these many it is sent less often in proportion. */
const snapshotNodesFree = 16;
/** A client that has so much unread gets no snapshot until it has read some. */
const backlogMaxBytes = 1 << 20;
/** Sleeps and commands of one client that may be under way. */
const underWayMax = 1000;
/** A command that goes on for this long in a paused lab is waiting for time. */
const pausedNoticeMs = 300;

/** What the process around the lab does, rather than the lab. */
export interface Around {
  info(): Promise<LabInfo>;
  serve(port: number | undefined): Promise<{ url: string }>;
  /** Puts the lab's state on disk; time stands from then on. Throws Trouble when it cannot, and the lab goes on. */
  freeze(): Promise<void>;
  /** After `freeze`: the process ends. */
  end(): void;
  readonly log: LabLog;
}

interface Client {
  channel: Channel;
  authenticated: boolean;
  /** It runs a node's shell: what it is told stays in the lab. */
  inside: boolean;
  snapshots: boolean;
  journal: ((line: JournalLine) => boolean) | undefined;
  trace: boolean;
  /** Number of the lab's change, and instant, that the last snapshot showed. */
  shown: { changes: number; instant: number } | undefined;
  execs: Set<string>;
  terminals: Set<string>;
  commands: Map<string, string>;
  shell: ShellClient;
  underWay: number;
  release: (() => void) | undefined;
}

function secretFits(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function fileAct({ mode, data, ...rest }: Extract<Request, { op: "file" }>["act"]): FileAct {
  return { ...rest, data: new Uint8Array(Buffer.from(data, "base64")), ...(mode === undefined ? {} : { mode }) };
}

/** As the engine has it: what is absent is not there. */
function machineQuery(query: Extract<Request, { op: "query" }>["query"], shell: ShellClient): MachineQuery {
  if (query.kind === "complete") return query;
  const whose = query.session === undefined ? {} : { session: shell.known(query.session) };
  const { session: _, ...asked } = query;
  if (asked.kind === "command") return { ...asked, ...whose };
  const { at, length, ...rest } = asked;
  return { ...rest, ...whose, ...(at === undefined ? {} : { at }), ...(length === undefined ? {} : { length }) };
}

function wireReply(reply: QueryReply): unknown {
  return reply.kind === "file" ? { kind: "file", data: Buffer.from(reply.data).toString("base64") } : reply;
}

/** Something comes to the client as it happens. The connection of a shell that waits for its next line is none. */
function looksOn({ snapshots, journal, trace, execs, terminals, commands, shell, underWay, release }: Client): boolean {
  const shown = snapshots || journal !== undefined || trace;
  return shown || execs.size > 0 || terminals.size > 0 || commands.size > 0 || shell.busy || underWay > 0 || release !== undefined;
}

export class Server {
  #clients = new Set<Client>();
  readonly #desk = new WhatIfDesk();
  #timer: NodeJS.Timeout;
  /** A snapshot is on its way to the clients. */
  #showing = false;

  constructor(
    private readonly lab: Lab,
    private readonly sessions: Sessions,
    private readonly secret: string,
    private readonly around: Around,
  ) {
    lab.onEvent((event) => this.#spread(event));
    lab.host.watched(false);
    this.#timer = setInterval(
      () => this.#snapshots(),
      snapshotEveryMs * Math.max(1, Math.round((lab.world.names.length / snapshotNodesFree) ** 2)),
    );
  }

  /** Takes a client in. `authenticated`: its transport has checked the secret already. */
  accept(channel: Channel, authenticated: boolean): void {
    const client: Client = {
      channel,
      authenticated,
      inside: false,
      snapshots: false,
      journal: undefined,
      trace: false,
      shown: undefined,
      execs: new Set(),
      terminals: new Set(),
      commands: new Map(),
      shell: this.lab.shells.client((effect) => channel.send({ event: "shell-effect", effect: effectToWire(effect) })),
      underWay: 0,
      release: undefined,
    };
    this.#clients.add(client);
    channel.onClose(() => this.#leave(client));
    channel.onMessage((message) => void this.#receive(client, message));
  }

  /** Tells every client that the lab goes, and lets them go. */
  end(reason: string): void {
    clearInterval(this.#timer);
    this.#desk.close();
    for (const { channel } of this.#clients) {
      channel.send({ event: "gone", reason });
      channel.close();
    }
  }

  #leave(client: Client): void {
    this.#clients.delete(client);
    client.release?.();
    for (const id of client.execs) this.sessions.signal(id);
    for (const id of client.terminals) this.sessions.closeTerminal(id);
    for (const [id, node] of client.commands) this.#late(this.lab.commandSignal(node, id, "SIGTERM"));
    for (const { node, act } of client.shell.leave()) this.#late(this.lab.shell(node, act));
  }

  /** Nobody waits for it any more; a lab that can do no act has said so itself. */
  #late(act: Promise<void>): void {
    act.catch((error: unknown) => {
      if (!(error instanceof Trouble)) this.around.log.unexpected(error, "an act that nobody waits for any more failed");
    });
  }

  // ── events ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  #spread(event: LabEvent): void {
    for (const client of this.#clients) {
      if (event.event === "journal") {
        const lines = client.journal ? event.lines.filter(client.journal) : [];
        if (lines.length > 0) client.channel.send({ event: "journal", lines });
      } else if (event.event === "trace") {
        if (client.trace) client.channel.send(event);
      } else if (client.authenticated) client.channel.send(event);
    }
  }

  #snapshots(): void {
    this.lab.host.watched([...this.#clients].some(looksOn));
    const wanting = [...this.#clients].filter((client) => client.snapshots && (client.channel.backlog?.() ?? 0) < backlogMaxBytes);
    const changes = this.lab.changes;
    const instant = this.lab.world.now;
    const behind = wanting.filter((client) => client.shown?.changes !== changes || client.shown.instant !== instant);
    if (behind.length === 0 || this.#showing) return;
    const snapshot = this.lab.snapshot();
    this.#showing = true;
    const send = (): void => {
      for (const client of behind) {
        if (!this.#clients.has(client)) continue;
        client.shown = { changes, instant };
        client.channel.send({ event: "snapshot", snapshot });
      }
    };
    this.lab.output
      .shown()
      .then(send)
      // The lab says itself that its record cannot be written.
      .catch(() => undefined)
      .finally(() => (this.#showing = false));
  }

  // ── requests ───────────────────────────────────────────────────────────────────────────────────────────────────────

  async #receive(client: Client, message: unknown): Promise<void> {
    const parsed = requestMessage.safeParse(message);
    if (!parsed.success) {
      const id = typeof message === "object" && message !== null && "id" in message && typeof message.id === "number" ? message.id : 0;
      const issue = parsed.error.issues[0];
      const text = `malformed request: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "unknown"}`;
      this.around.log.warn(text);
      this.#refuse(client, id, new Trouble("usage", text));
      if (!client.authenticated) client.channel.close();
      return;
    }
    // Until the next look at who is here.
    this.lab.host.watched(true);
    const { id, request } = parsed.data;
    if (!client.authenticated) {
      client.inside = request.op === "hello" && secretFits(request.secret, this.sessions.secret);
      if (!client.inside && (request.op !== "hello" || !secretFits(request.secret, this.secret))) {
        this.around.log.warn("a client was refused: its secret is not this lab's");
        this.#refuse(client, id, new Trouble("lab", "the secret is not this lab's"));
        client.channel.close();
        return;
      }
      client.authenticated = true;
    }
    const reply = (result: unknown): void => client.channel.send({ id, ok: true, result: result ?? {} });
    try {
      // Requests that must be answered before their first event answer by themselves.
      const result = await this.#answer(client, request, reply);
      if (result !== answered) {
        if (!client.inside) await this.#released(request);
        reply(result);
      }
      if (request.op === "down") this.around.end();
    } catch (error) {
      this.#refuse(client, id, error);
    }
  }

  /** What a request is answered may leave the lab. One that only looks is answered by a lab that has failed, too. */
  #released({ op }: Request): Promise<void> {
    const { output } = this.lab;
    if (silent.has(op)) return Promise.resolve();
    return doing.has(op) ? output.settled() : output.shown();
  }

  #refuse(client: Client, id: number, error: unknown): void {
    const known = error instanceof Trouble;
    const message = error instanceof Error ? error.message : String(error);
    if (!known) this.around.log.unexpected(error, "a request failed");
    else this.around.log.debug(`refused: ${message}`);
    client.channel.send({
      id,
      ok: false,
      error: { code: known ? error.code : "lab", message: known ? message : `internal error: ${message}` },
    });
  }

  async #answer(client: Client, r: Request, reply: (result: unknown) => void): Promise<unknown> {
    const { lab, sessions } = this;
    switch (r.op) {
      case "hello":
        return {};
      case "status":
      case "snapshot":
      case "time":
      case "record":
        return this.#asOfNow(r);
      case "subscribe":
        client.snapshots = r.snapshots;
        client.journal = r.journal ? () => true : undefined;
        client.trace = r.trace;
        client.shown = undefined;
        return {};
      case "act":
      case "act-check":
      case "build":
      case "undo":
        return this.#acts(r);
      case "speed":
        return lab.setSpeed(r.speed);
      case "pause":
        return lab.pause();
      case "resume":
        return lab.resume();
      case "step":
        return lab.step(r.unit, r.count);
      case "skip":
        return lab.skip();
      case "wait":
        return lab.wait(r.what);
      case "log":
        return this.#log(client, r);
      case "seek":
      case "fork":
      case "snapshots":
      case "snapshot-save":
      case "snapshot-delete":
      case "rollback":
        return this.#past(r);
      case "conf-check": {
        const findings = lab.confCheck(r.text);
        const count = (severity: string): number => findings.filter((f) => f.severity === severity).length;
        return { errors: count("error"), warnings: count("warning"), findings };
      }
      case "whatif":
        return this.#desk.ask(lab.world, r.variation);
      case "export":
        return { files: await lab.export() };
      case "info":
        return this.around.info();
      case "serve":
        return this.around.serve(r.port);
      case "down":
        return this.around.freeze();
      case "exec":
        return this.#exec(client, r, reply);
      case "exec-input":
        if (client.execs.has(r.exec)) sessions.input(r.exec, r.data);
        return {};
      case "exec-signal":
        if (client.execs.has(r.exec)) sessions.signal(r.exec);
        return {};
      case "terminal-open":
        return this.#terminal(client, r, reply);
      case "terminal-write":
        if (client.terminals.has(r.terminal)) sessions.write(r.terminal, r.data);
        return {};
      case "terminal-resize":
        if (client.terminals.has(r.terminal)) sessions.resize(r.terminal, r);
        return {};
      case "terminal-close":
        if (client.terminals.has(r.terminal)) sessions.closeTerminal(r.terminal);
        return {};
      default:
        return this.#inside(client, r, reply);
    }
  }

  async #asOfNow(r: Extract<Request, { op: "status" | "snapshot" | "time" | "record" }>): Promise<unknown> {
    const { lab } = this;
    await lab.catchUp();
    switch (r.op) {
      case "status":
        return lab.status(r.node);
      case "snapshot":
        return lab.snapshot();
      case "time":
        return lab.time();
      case "record":
        return { text: lab.record() };
    }
  }

  async #acts(r: Extract<Request, { op: "act" | "act-check" | "build" | "undo" }>): Promise<unknown> {
    const { lab } = this;
    switch (r.op) {
      case "act":
        return { said: await lab.act(r.line) };
      case "act-check":
        return { wrong: wrongWith(r.line, lab.world) };
      case "build":
        return { said: await lab.build(r) };
      case "undo":
        return { said: await lab.undo() };
    }
  }

  async #past(
    r: Extract<Request, { op: "seek" | "fork" | "snapshots" | "snapshot-save" | "snapshot-delete" | "rollback" }>,
  ): Promise<unknown> {
    const { lab } = this;
    switch (r.op) {
      case "seek":
        return lab.seek(r.instant, r.pause === true);
      case "fork":
        return lab.fork(r.dir, r.at);
      case "snapshots":
        return { snapshots: lab.snapshots() };
      case "snapshot-save":
        return lab.saveSnapshot(r.name);
      case "snapshot-delete":
        return lab.deleteSnapshot(r.name);
      case "rollback":
        return lab.rollback(r.name);
    }
  }

  /** What a node's shell asks. */
  async #inside(
    client: Client,
    r: Extract<Request, { op: "query" | "file" | "command" | "command-signal" | "command-input" | "shell" | "look" | "sleep" | "floor" }>,
    reply: (result: unknown) => void,
  ): Promise<unknown> {
    const { lab } = this;
    switch (r.op) {
      case "query":
        await lab.catchUp();
        return wireReply(lab.query(r.node, machineQuery(r.query, client.shell)));
      case "file":
        return { error: await lab.file(r.node, fileAct(r.act)) };
      case "command":
        return this.#command(client, r, reply);
      case "command-signal":
        if (client.commands.has(r.command)) await lab.commandSignal(r.node, r.command, r.signal);
        return {};
      case "command-input":
        if (client.commands.has(r.command)) await lab.commandInput(r.node, r.command, r.line ?? undefined);
        return {};
      case "shell":
        await lab.shell(r.node, client.shell.act(r.node, r.act));
        return {};
      case "look":
        await lab.catchUp();
        return { replies: this.#look(client, r) };
      case "sleep":
        return this.#underWay(client, () => lab.sleep(r.duration));
      case "floor":
        client.release?.();
        client.release = r.hold ? lab.host.hold() : undefined;
        return {};
    }
  }

  #look(client: Client, r: Extract<Request, { op: "look" }>): unknown[] {
    const session = r.session === undefined ? undefined : client.shell.known(r.session);
    return r.calls.map((call) => replyToWire(this.lab.look(r.node, callFromWire(call), session)));
  }

  async #underWay<T>(client: Client, work: () => Promise<T>): Promise<T> {
    if (client.underWay >= underWayMax) throw new Trouble("failed", `at most ${underWayMax} sleeps can be under way`);
    client.underWay++;
    try {
      return await work();
    } finally {
      client.underWay--;
    }
  }

  #log(client: Client, r: Extract<Request, { op: "log" }>): { lines: JournalLine[] } {
    const lines = this.lab.log(r.node, r.unit, r.since);
    const wanted = (line: JournalLine): boolean =>
      (r.node === undefined || line.node === r.node) && (r.unit === undefined || line.unit === r.unit);
    // Those that are still to be told are among `lines` already.
    let known = this.lab.untold().filter(wanted).length;
    if (r.follow) client.journal = (line) => wanted(line) && --known < 0;
    return { lines };
  }

  #exec(client: Client, r: Extract<Request, { op: "exec" }>, reply: (result: unknown) => void): unknown {
    this.lab.reachable(r.node);
    let exec = "";
    let over = false;
    const finish = (status: number): void => {
      if (over) return;
      over = true;
      clearInterval(watch);
      client.execs.delete(exec);
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
      if (said || !this.lab.host.paused || !this.#waitsForTime(r.node)) return;
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
        output: (stream, data) => held.put(data.length, () => over || client.channel.send({ event: "exec-output", exec, stream, data })),
        exit: (status) => held.end(() => finish(status)),
      },
      (id) => {
        exec = id;
        client.execs.add(id);
        reply({ exec: id });
      },
    );
    return answered;
  }

  /** Somebody's shell has a command or a sleep under way. */
  #waitsForTime(node: string): boolean {
    return this.lab.commands.on(node) || this.lab.shells.on(node) || [...this.#clients].some((client) => client.underWay > 0);
  }

  async #terminal(client: Client, r: Extract<Request, { op: "terminal-open" }>, reply: (result: unknown) => void): Promise<unknown> {
    if (!this.lab.world.has(r.node)) this.lab.reachable(r.node);
    let terminal = "";
    const data = (text: string): void => client.channel.send({ event: "terminal-data", terminal, data: text });
    const held = new HeldOutput({
      released: () => this.lab.output.settled(),
      lost: (why) => {
        data(`\r\nquorate: ${why}\r\n`);
        this.sessions.closeTerminal(terminal);
      },
      crowded: (much) => this.sessions.halt(terminal, much),
    });
    const exit = (status: number): void => {
      client.terminals.delete(terminal);
      client.channel.send({ event: "terminal-exit", terminal, status });
    };
    const sink = {
      data: (text: string): void => held.put(text.length, () => data(text)),
      exit: (status: number): void => held.end(() => exit(status)),
    };
    await this.sessions.open(r.node, r, r.line, sink, (id) => {
      terminal = id;
      client.terminals.add(id);
      reply({ terminal: id });
    });
    return answered;
  }

  async #command(client: Client, r: Extract<Request, { op: "command" }>, reply: (result: unknown) => void): Promise<unknown> {
    let command = "";
    const sink = {
      output: (stream: "stdout" | "stderr", data: string): void => client.channel.send({ event: "command-output", command, stream, data }),
      prompt: (echo: boolean): void => client.channel.send({ event: "command-prompt", command, echo }),
      exit: (status: number): void => {
        client.commands.delete(command);
        client.channel.send({ event: "command-exit", command, status });
      },
    };
    await this.lab.command(r.node, r.argv, r.cwd, r.stdin, sink, (id) => {
      command = id;
      client.commands.set(id, r.node);
      reply({ command: id });
    });
    return answered;
  }
}

/** Requests whose answer says nothing of the lab. */
const silent: ReadonlySet<Request["op"]> = new Set([
  "hello",
  "subscribe",
  "conf-check",
  "exec-input",
  "exec-signal",
  "terminal-write",
  "terminal-resize",
  "terminal-close",
]);

/** Requests after which something is as it was not before. */
const doing: ReadonlySet<Request["op"]> = new Set([
  "act",
  "build",
  "undo",
  "rollback",
  "file",
  "command-signal",
  "command-input",
  "step",
  "skip",
  "wait",
]);

/** The request has been answered already. */
const answered = Symbol("answered");
