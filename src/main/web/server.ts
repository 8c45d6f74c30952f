/** The web face: the page and its socket on loopback. Files carry no data and need no token; the socket's first message must carry it. */
import { existsSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { Channel } from "../lab/api.ts";
import { pageFile } from "./files.ts";
import { Greeting } from "./greeting.ts";
import { pageHeaders } from "./policy.ts";
import { SocketChannel } from "./socket-channel.ts";
import { Tokens } from "./tokens.ts";

const host = "127.0.0.1";
/** A page says hello at once; what has not after this long is something else. */
const helloTimeoutMs = 5_000;
/** The largest request of api.ts is 1 MiB of text, which JSON may escape. */
const messageMaxBytes = 8 << 20;
/** Pages that have said hello. */
const pagesMax = 64;
/** Connections of those who have not. When there is one more the oldest goes, so that nobody who only waits keeps a page out. */
const strangersMax = 128;
/** A browser sends its request at once. */
const requestTimeoutMs = 5_000;

export interface WebOptions {
  /** TCP port on 127.0.0.1; 0 or absent: a free one. */
  port?: number;
  /** Folder of the built page. */
  staticDir: string;
  /** Secret in the URL's fragment; absent: a new random one. */
  token?: string;
  helloTimeoutMs?: number;
  /** Called with each channel whose hello was right. The hello is answered already. */
  onChannel(channel: Channel): void;
  /** Called with the reason when a request, a socket or a token was turned away. */
  onRefused?(why: string): void;
}

export interface Web {
  /** Address of the page with its token. */
  readonly url: string;
  /** The same with an opening token: for whoever may be overheard. */
  openingUrl(): string;
  readonly port: number;
  /** The lasting token. */
  readonly token: string;
  close(): Promise<void>;
}

/** The web face could not start. The message is one line for a person. */
export class WebError extends Error {
  constructor(
    readonly code: "port-in-use" | "port-forbidden" | "bad-port" | "no-page",
    message: string,
  ) {
    super(message);
  }
}

/** Serves the page and its socket on 127.0.0.1. Throws WebError. */
export async function startWeb(options: WebOptions): Promise<Web> {
  const wanted = options.port ?? 0;
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > 65535)
    throw new WebError("bad-port", `port ${wanted}: a port is a number from 1 to 65535 (0: a free one)`);
  if (!existsSync(join(options.staticDir, "index.html")))
    throw new WebError("no-page", `no page in ${options.staticDir}: build it with "npm run build"`);
  const tokens = new Tokens(options.token);
  const server = createServer({
    maxHeaderSize: 16 << 10,
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: 1_000,
  });
  const guests = new Guests();
  server.on("connection", (socket) => guests.arrive(socket));
  const port = await listen(server, wanted);
  server.on("request", (request, response) => void answer(request, response, port, options));
  const sockets = new WebSocketServer({ noServer: true, maxPayload: messageMaxBytes, perMessageDeflate: false });
  server.on("upgrade", (request, socket, head) => {
    const refusal = refuseUpgrade(request, port);
    if (refusal !== undefined) {
      options.onRefused?.(`a socket was refused: ${refusal}`);
      refuse(socket, refusal);
    } else
      sockets.handleUpgrade(request, socket, head, (ws) => {
        const channel = new SocketChannel(ws);
        new Greeting(channel, ws, {
          tokens,
          port,
          withinMs: options.helloTimeoutMs ?? helloTimeoutMs,
          enter: () => (guests.enter(socket) ? undefined : `at most ${pagesMax} pages can be open at once: close one`),
          entered: () => options.onChannel(channel),
          refused: (why) => options.onRefused?.(why),
        });
      });
  });
  const urlWith = (token: string): string => `http://${host}:${port}/#${token}`;
  return {
    url: urlWith(tokens.lasting),
    openingUrl: () => urlWith(tokens.opening()),
    port,
    token: tokens.lasting,
    close: () => stop(server, sockets),
  };
}

function listen(server: Server, wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE")
        reject(
          new WebError("port-in-use", `port ${wanted} on ${host} is in use: choose another with --port, or leave it out for a free one`),
        );
      else if (error.code === "EACCES")
        reject(new WebError("port-forbidden", `port ${wanted} on ${host} may not be used by this user: choose one above 1023`));
      else reject(error);
    });
    server.listen({ host, port: wanted, exclusive: true }, () => {
      const address = server.address();
      if (address === null || typeof address === "string") reject(new Error("the server has no port"));
      else resolve(address.port);
    });
  });
}

/** Who is connected: strangers, and pages that have said hello. */
class Guests {
  private readonly strangers = new Set<Duplex>();
  private pages = 0;

  arrive(socket: Socket): void {
    this.strangers.add(socket);
    socket.once("close", () => this.strangers.delete(socket));
    const [oldest] = this.strangers;
    if (this.strangers.size > strangersMax) oldest?.destroy();
  }

  /** A stranger has proved to be a page; false where there are too many. */
  enter(socket: Duplex): boolean {
    if (this.pages >= pagesMax) return false;
    this.strangers.delete(socket);
    this.pages++;
    socket.once("close", () => this.pages--);
    return true;
  }
}

/** A page of another site may reach us under its own name (DNS rebinding): only our own names are answered, and no two at once. */
function hostAllowed(request: IncomingMessage, port: number): boolean {
  if ((request.headersDistinct["host"] ?? []).length !== 1) return false;
  return request.headers.host === `${host}:${port}` || request.headers.host === `localhost:${port}`;
}

/** Browsers always send Origin with a socket; a program without one still needs the token. */
function originAllowed(request: IncomingMessage, port: number): boolean {
  const origin = request.headers.origin;
  return origin === undefined || origin === `http://${host}:${port}` || origin === `http://localhost:${port}`;
}

async function answer(request: IncomingMessage, response: ServerResponse, port: number, options: WebOptions): Promise<void> {
  const plain = (status: number, text: string): void => {
    response.writeHead(status, { ...pageHeaders, "Content-Type": "text/plain; charset=utf-8" }).end(`${text}\n`);
  };
  try {
    if (!hostAllowed(request, port) || !originAllowed(request, port)) {
      options.onRefused?.("a request was refused: wrong Host or Origin");
      return plain(403, "wrong Host or Origin: the page answers on 127.0.0.1 only");
    }
    if (request.method !== "GET" && request.method !== "HEAD") return plain(405, "only GET");
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    const file = await pageFile(options.staticDir, path);
    if (file === undefined) return plain(404, "no such file");
    response.writeHead(200, { ...file.headers, "Content-Length": String(file.bytes.length) });
    response.end(request.method === "HEAD" ? undefined : file.bytes);
  } catch (error) {
    options.onRefused?.(`a file could not be read: ${error instanceof Error ? error.message : String(error)}`);
    plain(500, `the file could not be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function refuseUpgrade(request: IncomingMessage, port: number): string | undefined {
  if (!hostAllowed(request, port) || !originAllowed(request, port)) return "403 Forbidden";
  return (request.url ?? "").split("?")[0] === "/socket" ? undefined : "404 Not Found";
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function stop(server: Server, sockets: WebSocketServer): Promise<void> {
  for (const client of sockets.clients) client.close(1001, "the lab is going");
  return new Promise((resolve) => {
    // A client that does not answer the close does not keep us.
    const force = setTimeout(() => {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
    }, 500);
    sockets.close();
    server.close(() => {
      clearTimeout(force);
      resolve();
    });
    server.closeIdleConnections();
  });
}
