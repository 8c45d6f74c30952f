/**
 * How a page comes in: its first message is a hello with a token, or the challenge by which both show that they know one (api-hello.ts). Ours sends the challenge; a program that was
 * given the token may say hello.
 */
import type { WebSocket } from "ws";
import { requestMessage } from "../lab/api.ts";
import type { SocketChannel } from "./socket-channel.ts";
import { newNonce, proofOf, sameSecret, type Tokens } from "./tokens.ts";

export interface GreetingAround {
  readonly tokens: Tokens;
  /** Where the page must believe to be. */
  readonly port: number;
  readonly withinMs: number;
  /** Takes the page in, or says why there is no room for it. */
  enter(): string | undefined;
  /** It is in, and has its answer. */
  entered(): void;
  /** For the log. */
  refused(why: string): void;
}

/** A challenge that was answered, and waits for the page's own proof. */
interface Challenged {
  readonly token: string;
  readonly nonces: { readonly page: string; readonly lab: string };
}

const WRONG = "wrong token: open the address that quorate printed";

export class Greeting {
  private challenged: Challenged | undefined;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly channel: SocketChannel,
    private readonly ws: WebSocket,
    private readonly around: GreetingAround,
  ) {
    this.timer = setTimeout(() => ws.close(1008, "no hello in time"), around.withinMs);
    channel.onClose(() => clearTimeout(this.timer));
    channel.onMessage((message) => this.hear(message));
  }

  private hear(message: unknown): void {
    const parsed = requestMessage.safeParse(message);
    const request = parsed.success ? parsed.data.request : undefined;
    const id = parsed.success ? parsed.data.id : 0;
    const { tokens, port } = this.around;
    if (request?.op === "hello" && this.challenged === undefined) return this.decide(id, tokens.admits(request.secret));
    if (request?.op === "challenge" && this.challenged === undefined) {
      const token = tokens.called(request.key);
      if (token === undefined) return this.turnAway(id, "wrong token", WRONG);
      const nonces = { page: request.nonce, lab: newNonce() };
      this.challenged = { token, nonces };
      return this.channel.send({ id, ok: true, result: { nonce: nonces.lab, proof: proofOf(token, "lab", port, nonces) } });
    }
    if (request?.op === "prove" && this.challenged !== undefined) {
      const { token, nonces } = this.challenged;
      return this.decide(id, sameSecret(request.proof, proofOf(token, "page", port, nonces)) && tokens.admits(token));
    }
    clearTimeout(this.timer);
    this.around.refused("a page was refused: its first message was no hello");
    this.ws.close(1008, "the first message must be hello");
  }

  private decide(id: number, right: boolean): void {
    if (!right) return this.turnAway(id, "wrong token", WRONG);
    const full = this.around.enter();
    if (full !== undefined) return this.turnAway(id, "too many pages", full);
    clearTimeout(this.timer);
    // The page that came with an opening token needs the lasting one to come back.
    this.channel.send({ id, ok: true, result: { secret: this.around.tokens.lasting } });
    this.channel.release();
    this.around.entered();
  }

  private turnAway(id: number, what: string, why: string): void {
    clearTimeout(this.timer);
    this.around.refused(`a page was refused: ${what}`);
    this.channel.send({ id, ok: false, error: { code: "refused", message: why } });
    this.ws.close(1008, what);
  }
}
