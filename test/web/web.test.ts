/**
 * The web face lets in who has the token, and nobody else: not another site's page under a borrowed name, not a path that climbs out of the page's folder.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { Channel } from "../../src/main/lab/api.ts";
import { startWeb, WebError, type Web } from "../../src/main/web/server.ts";
import { keyNameOf, proofOf, Tokens } from "../../src/main/web/tokens.ts";

let base: string;
let page: string;
let web: Web;
let channels: Channel[];

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), "quorate-web-"));
  page = join(base, "page");
  mkdirSync(join(page, "assets"), { recursive: true });
  writeFileSync(join(page, "index.html"), "<!doctype html><title>Quorate</title>");
  writeFileSync(join(page, "assets/app-1a2b.js"), "export {};");
  writeFileSync(join(page, ".secret.json"), "{}");
  writeFileSync(join(base, "outside.json"), "{}");
  symlinkSync(join(base, "outside.json"), join(page, "link.json"));
  channels = [];
  web = await startWeb({ staticDir: page, helloTimeoutMs: 300, onChannel: (channel) => channels.push(channel) });
});

afterEach(async () => {
  await web.close();
  rmSync(base, { recursive: true, force: true });
});

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** A request with the path exactly as given: fetch would tidy it up. */
function get(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port: web.port, path, headers, method }, (response) => {
      let body = "";
      response.on("data", (data: Buffer) => (body += data.toString()));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    request.on("error", reject);
    request.end();
  });
}

/** A request with its headers as given, and the connection to its end. */
function raw(headers: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = "";
    const socket = connect({ host: "127.0.0.1", port: web.port }, () =>
      socket.write(`GET / HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`),
    );
    socket.on("data", (data) => (heard += data.toString()));
    socket.on("close", () => resolve(heard));
    socket.on("error", reject);
  });
}

/** Connections that say nothing, or `text`. */
function silent(count: number, text = ""): Promise<Socket[]> {
  return Promise.all(
    Array.from({ length: count }, () => {
      const socket = connect({ host: "127.0.0.1", port: web.port });
      socket.on("error", () => undefined);
      return new Promise<Socket>((done) => socket.once("connect", () => (socket.write(text), done(socket))));
    }),
  );
}

interface Talk {
  replies: unknown[];
  closed: { code: number; reason: string };
}

/** Opens the socket, sends the messages and collects what comes until it is closed (or `until` messages have come). */
function talk(messages: unknown[], options: { headers?: Record<string, string>; path?: string; until?: number } = {}): Promise<Talk> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(`ws://127.0.0.1:${web.port}${options.path ?? "/socket"}`, { headers: options.headers ?? {} });
    const replies: unknown[] = [];
    ws.on("open", () => messages.forEach((message) => ws.send(typeof message === "string" ? message : JSON.stringify(message))));
    ws.on("message", (data: Buffer) => {
      replies.push(JSON.parse(data.toString()));
      if (replies.length === options.until) ws.close();
    });
    ws.on("close", (code, reason) => resolve({ replies, closed: { code, reason: reason.toString() } }));
    ws.on("error", reject);
  });
}

const hello = (secret: string): unknown => ({ id: 1, request: { op: "hello", secret } });
const token = (): string => new URL(web.url).hash.slice(1);

describe("the page's files", () => {
  test("the page comes without a token, with its policy", async () => {
    const answer = await get("/");
    expect(answer.status).toBe(200);
    expect(answer.body).toContain("Quorate");
    expect(answer.headers["content-security-policy"]).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; " +
        "connect-src 'self' ws://127.0.0.1:*; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
  });

  test("a file with a hash in its name is kept for good, the page itself never", async () => {
    expect((await get("/assets/app-1a2b.js")).headers["cache-control"]).toContain("immutable");
    expect((await get("/")).headers["cache-control"]).toBe("no-cache");
  });

  test.each([
    "/../outside.json",
    "/%2e%2e/outside.json",
    "/assets/..%2f..%2foutside.json",
    "/assets/..%5c..%5coutside.json",
    "//etc/hostname.json",
    "/.secret.json",
    "/link.json",
    "/%",
    "/index.html%00.js",
    "/assets/",
    "/nothing.js",
    `/${"a".repeat(5000)}.js`,
  ])("nothing outside the folder, nothing hidden: %s", async (path) => {
    const answer = await get(path);
    expect(answer.status).toBe(404);
    expect(answer.body).toBe("no such file\n");
  });

  test.each(["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", "[::1]:80"])("Host %s is refused", async (name) => {
    expect((await get("/", { host: name })).status).toBe(403);
  });

  test("a page of another origin is refused", async () => {
    expect((await get("/", { origin: "http://evil.example" })).status).toBe(403);
  });

  test("two Host headers are one too many, whichever is right", async () => {
    const answers = await Promise.all(
      ["evil.example", `127.0.0.1:${web.port}`].map((other) => raw(`Host: 127.0.0.1:${web.port}\r\nHost: ${other}\r\n`)),
    );
    expect(answers.map((answer) => answer.split("\r\n")[0])).toEqual(["HTTP/1.1 403 Forbidden", "HTTP/1.1 403 Forbidden"]);
  });

  test("a refusal has the page's policy too", async () => {
    for (const answer of [await get("/nothing.js"), await get("/", { host: "evil.example" }), await get("/", {}, "POST")])
      expect(answer.headers["content-security-policy"]).toMatch(/^default-src 'none'/);
  });

  test("nothing but GET and HEAD", async () => {
    expect((await get("/", {}, "POST")).status).toBe(405);
    expect(await get("/", {}, "HEAD")).toMatchObject({ status: 200, body: "" });
  });
});

describe("the socket", () => {
  test("the right token opens a channel", async () => {
    const { replies } = await talk([hello(token())], { until: 1, headers: { origin: `http://127.0.0.1:${web.port}` } });
    expect(replies).toEqual([{ id: 1, ok: true, result: { secret: token() } }]);
    expect(channels).toHaveLength(1);
  });

  test("the token is 24 random bytes", async () => {
    expect(Buffer.from(token(), "base64url")).toHaveLength(24);
    const other = await startWeb({ staticDir: page, onChannel: () => undefined });
    expect(new URL(other.url).hash).not.toBe(new URL(web.url).hash);
    await other.close();
  });

  test("an opening token opens one channel, once, and gives the page the lasting one", async () => {
    const opening = new URL(web.openingUrl()).hash.slice(1);
    const first = await talk([hello(opening)], { until: 1 });
    expect(first.replies).toEqual([{ id: 1, ok: true, result: { secret: token() } }]);
    expect((await talk([hello(opening)])).closed.code).toBe(1008);
  });

  test("an opening token is good for a minute, and only the newest few are", () => {
    let now = 0;
    const tokens = new Tokens("lasting", () => now);
    const old = tokens.opening();
    now = 59_000;
    const young = tokens.opening();
    now = 61_000;
    expect([tokens.admits(old), tokens.admits(young), tokens.admits(young), tokens.admits("lasting")]).toEqual([false, true, false, true]);
    const first = tokens.opening();
    for (let i = 0; i < 16; i++) tokens.opening();
    expect(tokens.admits(first)).toBe(false);
  });

  test.each([
    ["that say nothing", ""],
    ["that begin a request and do not end it", "GET / HTTP/1.1\r\n"],
    [
      "that are sockets without a hello",
      "GET /socket HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    ],
  ])("hundreds of connections %s do not keep a page out, and are not kept", async (_what, text) => {
    const [first, ...others] = await silent(300, text.replace("PORT", String(web.port)));
    const closed = new Promise((done) => first?.once("close", done));
    const { replies } = await talk([hello(token())], { until: 1 });
    expect(replies).toHaveLength(1);
    first?.resume();
    await closed;
    for (const socket of others) socket.destroy();
  });

  test("a page that has said hello is not closed for strangers; the sixty-fifth page is refused", async () => {
    const pages = await Promise.all(
      Array.from(
        { length: 64 },
        () =>
          new Promise<WebSocket>((resolve, reject) => {
            const ws = new WebSocket(`ws://127.0.0.1:${web.port}/socket`);
            ws.on("open", () => ws.send(JSON.stringify(hello(token()))));
            ws.on("message", () => resolve(ws));
            ws.on("error", reject);
          }),
      ),
    );
    const strangers = await silent(200);
    expect((await talk([hello(token())])).replies).toMatchObject([
      { ok: false, error: { message: "at most 64 pages can be open at once: close one" } },
    ]);
    expect(pages.filter((ws) => ws.readyState !== ws.OPEN)).toEqual([]);
    for (const ws of pages) ws.terminate();
    for (const socket of strangers) socket.destroy();
  });

  test.each(["", "wrong", "A".repeat(32)])("the token %j is refused", async (secret) => {
    const { replies, closed } = await talk([hello(secret)]);
    expect(replies).toEqual([
      { id: 1, ok: false, error: { code: "refused", message: "wrong token: open the address that quorate printed" } },
    ]);
    expect(closed.code).toBe(1008);
    expect(channels).toHaveLength(0);
  });

  test("a first message that is no hello is refused, and so is what follows it", async () => {
    const { replies, closed } = await talk([{ id: 1, request: { op: "down" } }, hello(token())]);
    expect(replies).toEqual([]);
    expect(closed.code).toBe(1008);
    expect(channels).toHaveLength(0);
  });

  test("a socket that says nothing is closed", async () => {
    const { closed } = await talk([]);
    expect(closed).toEqual({ code: 1008, reason: "no hello in time" });
  });

  test.each(["{", "[1,2", "\u0000"])("what is no JSON ends the socket: %j", async (text) => {
    expect((await talk([text])).closed.code).toBe(1007);
  });

  test("a message beyond all bounds ends the socket", async () => {
    // A busy machine may need longer than the hello of the other tests has.
    await web.close();
    web = await startWeb({ staticDir: page, onChannel: (channel) => channels.push(channel) });
    expect((await talk([`"${"x".repeat(9 << 20)}"`])).closed.code).toBe(1009);
  });

  test.each([
    ["another origin", { origin: "http://evil.example" }],
    ["the right name at another port", { origin: "http://127.0.0.1:1" }],
    ["https under our name", { origin: "https://127.0.0.1" }],
    ["a sandboxed page", { origin: "null" }],
    ["another host", { host: "evil.example" }],
  ])("%s is refused before the token is looked at", async (_who, headers) => {
    await expect(talk([hello(token())], { headers })).rejects.toThrow("Unexpected server response: 403");
    expect(channels).toHaveLength(0);
  });

  test("only one path is a socket", async () => {
    await expect(talk([hello(token())], { path: "/other" })).rejects.toThrow("404");
  });

  test("the server listens on loopback only", async () => {
    const reached = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: "127.0.0.2", port: web.port });
      socket.on("connect", () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => resolve(false));
    });
    expect(reached).toBe(false);
  });

  test("channels carry messages both ways and end with the server", async () => {
    const ended = talk([hello(token()), { id: 2, request: { op: "time" } }]);
    await expect.poll(() => channels.length).toBe(1);
    channels[0]?.onMessage((message) => channels[0]?.send({ echo: message }));
    channels[0]?.send({ event: "gone", reason: "test" });
    await web.close();
    const { replies, closed } = await ended;
    expect(replies).toContainEqual({ event: "gone", reason: "test" });
    expect(closed.code).toBe(1001);
  });
});

describe("the challenge", () => {
  const nonce = "ab".repeat(16);
  const challenge = (secret: string, id = 1) => ({ id, request: { op: "challenge", key: keyNameOf(secret), nonce } });

  /** A page as ours is: it believes who proves to know the token, and answers as it is told to. */
  async function introduce(secret: string, answer: (lab: string) => string): Promise<{ sent: string[]; replies: unknown[] }> {
    const sent: string[] = [];
    const replies: unknown[] = [];
    const ws = new WebSocket(`ws://127.0.0.1:${web.port}/socket`);
    const say = (message: unknown): void => {
      sent.push(JSON.stringify(message));
      ws.send(JSON.stringify(message));
    };
    ws.on("open", () => say(challenge(secret)));
    ws.on("message", (data: Buffer) => {
      const reply = JSON.parse(data.toString()) as { id: number; ok: boolean; result?: { nonce: string } };
      replies.push(reply);
      if (reply.id === 1 && reply.ok) say({ id: 2, request: { op: "prove", proof: answer(reply.result?.nonce ?? "") } });
      else ws.close();
    });
    await new Promise((done) => ws.on("close", done));
    return { sent, replies };
  }

  test("both prove that they know the token, and neither sends it before", async () => {
    const { sent, replies } = await introduce(token(), (lab) => proofOf(token(), "page", web.port, { page: nonce, lab }));
    const [first, second] = replies as [{ result: { nonce: string; proof: string } }, unknown];
    expect(first.result.proof).toBe(proofOf(token(), "lab", web.port, { page: nonce, lab: first.result.nonce }));
    expect(second).toEqual({ id: 2, ok: true, result: { secret: token() } });
    expect(channels).toHaveLength(1);
    expect(sent.join() + JSON.stringify(first)).not.toContain(token());
  });

  test("an opening token is good for one introduction", async () => {
    const opening = new URL(web.openingUrl()).hash.slice(1);
    const right = (lab: string): string => proofOf(opening, "page", web.port, { page: nonce, lab });
    expect((await introduce(opening, right)).replies[1]).toMatchObject({ ok: true, result: { secret: token() } });
    expect((await introduce(opening, right)).replies).toMatchObject([{ ok: false, error: { code: "refused" } }]);
  });

  test.each([
    ["the lab's own proof sent back", (lab: string) => proofOf(token(), "lab", web.port, { page: nonce, lab })],
    ["a proof for a lab at another port", (lab: string) => proofOf(token(), "page", web.port + 1, { page: nonce, lab })],
    ["a proof for another nonce of the lab", () => proofOf(token(), "page", web.port, { page: nonce, lab: "00".repeat(16) })],
    ["a proof under another token", (lab: string) => proofOf("guess", "page", web.port, { page: nonce, lab })],
  ])("%s opens nothing", async (_what, answer) => {
    expect((await introduce(token(), answer)).replies[1]).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining("wrong token") },
    });
    expect(channels).toHaveLength(0);
  });

  test("a token that is not the lab's gets no answer to work on, and every nonce of the lab is new", async () => {
    expect((await introduce("guess", () => "")).replies).toMatchObject([{ ok: false, error: { code: "refused" } }]);
    const nonces = await Promise.all(
      Array.from(
        { length: 8 },
        async () => ((await introduce(token(), () => "0".repeat(64))).replies[0] as { result: { nonce: string } }).result.nonce,
      ),
    );
    expect(new Set(nonces).size).toBe(8);
  });

  test("a challenge alone opens nothing, and one is all there is", async () => {
    for (const next of [
      { id: 2, request: { op: "status" } },
      { id: 2, request: { op: "hello", secret: token() } },
      challenge(token(), 2),
    ]) {
      const { closed } = await talk([challenge(token()), next]);
      expect(closed.code).toBe(1008);
    }
    expect((await talk([{ id: 1, request: { op: "prove", proof: "0".repeat(64) } }])).closed.code).toBe(1008);
    expect(channels).toHaveLength(0);
  });

  test("a page that challenges and says no more is closed", async () => {
    expect((await talk([challenge(token())])).closed).toEqual({ code: 1008, reason: "no hello in time" });
  });
});

describe("what cannot start says why in one line", () => {
  test("port in use", async () => {
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const failure = await startWeb({ port, staticDir: page, onChannel: () => undefined }).catch((error: unknown) => error);
    other.close();
    expect(failure).toBeInstanceOf(WebError);
    expect(failure).toMatchObject({
      code: "port-in-use",
      message: expect.stringMatching(new RegExp(`^port ${port} on 127.0.0.1 is in use: [^\n]+$`)),
    });
  });

  test("no page built, or no such port", async () => {
    await expect(startWeb({ staticDir: join(base, "nowhere"), onChannel: () => undefined })).rejects.toMatchObject({ code: "no-page" });
    await expect(startWeb({ port: 70000, staticDir: page, onChannel: () => undefined })).rejects.toMatchObject({ code: "bad-port" });
  });
});
