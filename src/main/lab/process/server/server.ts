/** The lab's API over channels: validates each request, asks the lab, answers; and keeps what belongs to each client, so that it goes with it. */
import { timingSafeEqual } from "node:crypto";
import { requestMessage, type Channel, type Request } from "../../api.ts";
import { GOING_DOWN } from "../../act/acts.ts";
import { answered } from "./answered.ts";
import { Broadcast } from "./broadcast.ts";
import { NodeRequests } from "./node-requests.ts";
import { Requests, type Around } from "./requests.ts";
import { servedClient, type ServedClient } from "./served-client.ts";
import { SessionRequests } from "./session-requests.ts";
import type { Lab } from "../../lab.ts";
import type { Sessions } from "../sessions.ts";
import type { LabLog } from "../../store/log.ts";
import { Trouble } from "../../trouble.ts";

/** The process around the lab. */
export interface ServerAround extends Around {
  /** After `freeze`: the process ends. */
  end(): void;
  /** Why the lab's directory is its own no longer, undefined while it is: then the process ends. */
  lost(): string | undefined;
  readonly log: LabLog;
}

function secretFits(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** What was asked for may stand in the answer, whatever characters it has. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);
}

export class Server {
  private readonly clients = new Set<ServedClient>();
  private readonly broadcast: Broadcast;
  private readonly shells: SessionRequests;
  private readonly nodes: NodeRequests;
  private readonly requests: Requests;

  constructor(
    private readonly lab: Lab,
    private readonly sessions: Sessions,
    private readonly secret: string,
    private readonly around: ServerAround,
  ) {
    this.broadcast = new Broadcast(lab, this.clients);
    this.shells = new SessionRequests(lab, sessions, this.clients);
    this.nodes = new NodeRequests(lab, (act) => this.late(act));
    this.requests = new Requests(lab, around, this.shells, this.nodes);
  }

  /** Takes a client in. `authenticated`: its transport has checked the secret already. */
  accept(channel: Channel, authenticated: boolean): void {
    const client = servedClient(channel, authenticated);
    this.clients.add(client);
    channel.onClose(() => this.leave(client));
    channel.onMessage((message) => void this.receive(client, message));
  }

  /** Tells every client that the lab goes, and lets them go. `frozen`: it can be resumed. */
  end(reason: string, frozen = false): void {
    this.broadcast.end();
    this.requests.end();
    for (const { channel } of this.clients) {
      channel.send({ event: "gone", reason, frozen });
      channel.close();
    }
  }

  private leave(client: ServedClient): void {
    this.clients.delete(client);
    client.release?.();
    this.shells.leave(client);
    this.nodes.leave(client);
  }

  /** Nobody waits for it any more; a lab that can do no act has said so itself. */
  private late(act: Promise<void>): void {
    act.catch((error: unknown) => {
      if (!(error instanceof Trouble)) this.around.log.unexpected(error, "an act that nobody waits for any more failed");
    });
  }

  private async receive(client: ServedClient, message: unknown): Promise<void> {
    const parsed = requestMessage.safeParse(message);
    if (!parsed.success) {
      const id = typeof message === "object" && message !== null && "id" in message && typeof message.id === "number" ? message.id : 0;
      const issue = parsed.error.issues[0];
      const text = `malformed request: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "unknown"}`;
      this.around.log.warn(text);
      this.refuse(client, id, new Trouble("usage", text));
      if (!client.authenticated) client.channel.close();
      return;
    }
    const lost = this.around.lost();
    if (lost !== undefined) return this.refuse(client, parsed.data.id, new Trouble("lab", lost));
    this.broadcast.here();
    const { id, request } = parsed.data;
    if (!client.authenticated) {
      client.inside = request.op === "hello" && secretFits(request.secret, this.sessions.secret);
      if (!client.inside && (request.op !== "hello" || !secretFits(request.secret, this.secret))) {
        this.around.log.warn("a client was refused: its secret is not this lab's");
        this.refuse(client, id, new Trouble("lab", "the secret is not this lab's"));
        client.channel.close();
        return;
      }
      client.authenticated = true;
    }
    // Ending it twice comes to the same.
    if (this.lab.ending && request.op !== "down") return this.refuse(client, id, new Trouble("lab", GOING_DOWN));
    const reply = (result: unknown): void => client.channel.send({ id, ok: true, result: result ?? {} });
    try {
      // Requests that must be answered before their first event answer by themselves.
      const result = await this.requests.answer(client, request, reply);
      if (result !== answered) {
        if (!client.inside) await this.released(request);
        reply(result);
      }
      if (doing.has(request.op)) this.broadcast.soon();
      if (request.op === "down") this.around.end();
    } catch (error) {
      this.refuse(client, id, error);
    }
  }

  /** What a request is answered may leave the lab. One that only looks is answered by a lab that has failed, too. */
  private released({ op }: Request): Promise<void> {
    const { output } = this.lab;
    if (silent.has(op)) return Promise.resolve();
    return doing.has(op) ? output.settled() : output.shown();
  }

  private refuse(client: ServedClient, id: number, error: unknown): void {
    const known = error instanceof Trouble;
    const message = error instanceof Error ? error.message : String(error);
    if (!known) this.around.log.unexpected(error, "a request failed");
    else this.around.log.debug(`refused: ${message}`);
    client.channel.send({
      id,
      ok: false,
      error: { code: known ? error.code : "lab", message: oneLine(known ? message : `internal error: ${message}`) },
    });
  }
}

/** Requests whose answer says nothing of the lab. */
const silent: ReadonlySet<Request["op"]> = new Set([
  "hello",
  "ping",
  "lab-open",
  "labs",
  "replay",
  "scenario",
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
  "acts",
  "build",
  "import",
  "undo",
  "rollback",
  "file",
  "command-signal",
  "command-input",
  "step",
  "skip",
  "wait",
]);
