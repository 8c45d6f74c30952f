/** The web face: the page and its socket on loopback. Files carry no data and need no token; the socket's first message must carry it. */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { requestMessage, type Channel } from "../lab/api.ts";
import { pageFile } from "./files.ts";
import { SocketChannel } from "./socket-channel.ts";

const host = "127.0.0.1";
const tokenBytes = 24;
/** A page says hello at once; what has not after this long is something else. */
const helloTimeoutMs = 5_000;
/** The largest request of api.ts is 1 MiB of text, which JSON may escape. */
const messageMaxBytes = 8 << 20;
const connectionsMax = 64;

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
  readonly port: number;
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

/** A secret for the fragment of the page's URL. */
export function newToken(): string {
  return randomBytes(tokenBytes).toString("base64url");
}

/** Serves the page and its socket on 127.0.0.1. Throws WebError. */
export async function startWeb(options: WebOptions): Promise<Web> {
  const wanted = options.port ?? 0;
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > 65535)
    throw new WebError("bad-port", `port ${wanted}: a port is a number from 1 to 65535 (0: a free one)`);
  if (!existsSync(join(options.staticDir, "index.html")))
    throw new WebError("no-page", `no page in ${options.staticDir}: build it with "npm run build"`);
  const token = options.token ?? newToken();
  const server = createServer({ maxHeaderSize: 16 << 10 });
  const port = await listen(server, wanted);
  server.on("request", (request, response) => void answer(request, response, port, options));
  const sockets = new WebSocketServer({ noServer: true, maxPayload: messageMaxBytes, perMessageDeflate: false });
  server.on("upgrade", (request, socket, head) => {
    const refusal = refuseUpgrade(request, port, sockets.clients.size);
    if (refusal !== undefined) {
      options.onRefused?.(`a socket was refused: ${refusal}`);
      refuse(socket, refusal);
    } else sockets.handleUpgrade(request, socket, head, (ws) => greet(ws, token, options));
  });
  return { url: `http://${host}:${port}/#${token}`, port, close: () => stop(server, sockets) };
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

/** A page of another site may reach us under its own name (DNS rebinding): only our own names are answered. */
function hostAllowed(request: IncomingMessage, port: number): boolean {
  return request.headers.host === `${host}:${port}` || request.headers.host === `localhost:${port}`;
}

/** Browsers always send Origin with a socket; a program without one still needs the token. */
function originAllowed(request: IncomingMessage, port: number): boolean {
  const origin = request.headers.origin;
  return origin === undefined || origin === `http://${host}:${port}` || origin === `http://localhost:${port}`;
}

async function answer(request: IncomingMessage, response: ServerResponse, port: number, options: WebOptions): Promise<void> {
  const plain = (status: number, text: string): void => {
    response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff" }).end(`${text}\n`);
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

function refuseUpgrade(request: IncomingMessage, port: number, open: number): string | undefined {
  if (!hostAllowed(request, port) || !originAllowed(request, port)) return "403 Forbidden";
  if ((request.url ?? "").split("?")[0] !== "/socket") return "404 Not Found";
  return open >= connectionsMax ? "503 Service Unavailable" : undefined;
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** Waits for the hello; passes the channel on when its token is right, closes it otherwise. */
function greet(ws: WebSocket, token: string, options: WebOptions): void {
  const channel = new SocketChannel(ws);
  const timer = setTimeout(() => ws.close(1008, "no hello in time"), options.helloTimeoutMs ?? helloTimeoutMs);
  channel.onClose(() => clearTimeout(timer));
  channel.onMessage((message) => {
    clearTimeout(timer);
    const parsed = requestMessage.safeParse(message);
    if (!parsed.success || parsed.data.request.op !== "hello") {
      options.onRefused?.("a page was refused: its first message was no hello");
      return ws.close(1008, "the first message must be hello");
    }
    if (!sameSecret(parsed.data.request.secret, token)) {
      options.onRefused?.("a page was refused: wrong token");
      channel.send({
        id: parsed.data.id,
        ok: false,
        error: { code: "refused", message: "wrong token: open the address that quorate printed" },
      });
      return ws.close(1008, "wrong token");
    }
    channel.send({ id: parsed.data.id, ok: true, result: {} });
    channel.release();
    options.onChannel(channel);
  });
}

function sameSecret(given: string, wanted: string): boolean {
  const a = Buffer.from(given, "utf8");
  const b = Buffer.from(wanted, "utf8");
  return a.length === b.length && timingSafeEqual(a, b);
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
