/** The lab's socket: who gets in, what is refused, and that what it says is what the API says it is. */
import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer, type Server as NetServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Channel } from "../../src/main/lab/api.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { World } from "../../src/engine/world/index.ts";
import { beginLab } from "../../src/main/lab/scenario/advance.ts";
import { type LabClient, connectSocket } from "../../src/main/lab/process/client.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { LabDisk } from "../../src/main/lab/store/disk.ts";
import { wellFormed } from "../../src/main/lab/process/message-check.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { inProcess } from "../../src/main/lab/process/lab-host.ts";
import { Lab } from "../../src/main/lab/lab.ts";
import { Server } from "../../src/main/lab/process/server/server.ts";
import { Sessions } from "../../src/main/lab/process/sessions.ts";
import { openLog, type LabLog } from "../../src/main/lab/store/log.ts";
import { LocalChannel } from "../../src/main/lab/process/socket.ts";
import { testDisks } from "./node-disks.ts";

const secret = "the secret of this lab";

let dir: string;
let path: string;
let lab: Lab;
let server: Server;
let listener: NetServer;
let log: LabLog;
let around: ConstructorParameters<typeof Server>[3];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "quorate-server-"));
  path = join(dir, "s");
  const file = defaultLabFile({ nodes: 2, links: 1, clustered: true, name: "lab", seed: "5", epoch: "2026-01-01T00:00:00Z" });
  const world = new World(worldDesign(file), makeNode);
  beginLab(world, file);
  const disks = testDisks();
  lab = new Lab(
    inProcess(world, disks, { speed: 1, paused: true }, () => lab.faults),
    { dir, file, text: "", version: "test", disk: new LabDisk(dir), disks },
  );
  log = openLog(dir);
  around = {
    info: () =>
      Promise.resolve({
        lab: dir,
        name: "lab",
        running: true,
        instant: 0,
        nodes: [],
        pid: 1,
        url: null,
        host: "inprocess" as const,
        workers: {},
      }),
    serve: () => Promise.reject(new Error("no page here")),
    labs: () => Promise.resolve([]),
    freeze: () => Promise.resolve(),
    end: () => undefined,
    lost: () => undefined,
    log,
  };
  server = new Server(lab, new Sessions(path, secret, dir, "run"), secret, around);
  listener = createServer((socket) => server.accept(new LocalChannel(socket), false));
  await new Promise<void>((done) => listener.listen(path, done));
});

afterEach(async () => {
  server.end("over");
  listener.close();
  log.close();
  await lab.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Everything the lab says to a client that sends `lines`, until it hangs up or half a second has passed since all was written. */
function raw(...lines: string[]): Promise<{ said: string; hungUp: boolean }> {
  return new Promise((done) => {
    let said = "";
    const socket: Socket = createConnection(path, () => {
      for (const line of lines.slice(0, -1)) socket.write(line);
      socket.write(lines.at(-1) ?? "", () => (timer = setTimeout(() => end(false), 500)));
    });
    const end = (hungUp: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      done({ said, hungUp });
    };
    let timer: NodeJS.Timeout | undefined;
    socket.on("data", (data) => (said += data.toString()));
    socket.on("close", () => end(true));
    socket.on("error", () => end(true));
  });
}

const hello = (word: string): string => `${JSON.stringify({ id: 1, request: { op: "hello", secret: word } })}\n`;

describe("the lab's socket", () => {
  it("lets nobody in without the secret", async () => {
    const wrong = await raw(hello("guess"));
    expect(wrong).toEqual({
      said: `${JSON.stringify({ id: 1, ok: false, error: { code: "lab", message: "the secret is not this lab's" } })}\n`,
      hungUp: true,
    });
    const early = await raw(`${JSON.stringify({ id: 1, request: { op: "status" } })}\n`);
    expect(early.hungUp).toBe(true);
    expect(early.said).not.toContain("pve1");
  });

  it("hangs up on what is not its protocol", async () => {
    expect((await raw("GET / HTTP/1.1\r\n\r\n")).hungUp).toBe(true);
    expect((await raw("x".repeat(9 << 20))).hungUp).toBe(true);
  });

  it("lets a page fork beside the lab alone, and says nothing of what lies elsewhere", async () => {
    const [fromPage, toPage] = [new EventEmitter(), [] as unknown[]];
    const channel: Channel = {
      send: (message) => toPage.push(message),
      onMessage: (handler) => fromPage.on("message", handler),
      onClose: () => undefined,
      close: () => undefined,
    };
    server.accept(channel, true);
    for (const [i, path] of [join(dir, "inside"), tmpdir(), `${dir}/..`, "/quorate-fork"].entries())
      fromPage.emit("message", { id: i, request: { op: "fork", dir: path } });
    await vi.waitFor(() => expect(toPage).toHaveLength(4));
    for (const reply of toPage)
      expect(reply).toMatchObject({ ok: false, error: { message: expect.stringContaining("from a page a fork goes beside the lab") } });
  });

  it("refuses a malformed request of a known client in one line, and goes on", async () => {
    const { said, hungUp } = await raw(
      hello(secret),
      `${JSON.stringify({ id: 2, request: { op: "speed", speed: 1e9 } })}\n`,
      `${JSON.stringify({ id: 3, request: { op: "time" } })}\n`,
    );
    expect(hungUp).toBe(false);
    const replies = said
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { id: number; ok: boolean });
    expect(replies.map(({ id, ok }) => [id, ok]).sort()).toEqual([
      [1, true],
      [2, false],
      [3, true],
    ]);
  });

  it("says only what its schemas allow", async () => {
    const judged: unknown[] = [];
    const client = await connectSocket(path, secret, (message) => {
      if (!wellFormed(message)) judged.push(message);
      return true;
    });
    if (!client) throw new Error("no connection");
    const snapshot = new Promise((done) => client.onEvent((event) => event.event === "snapshot" && done(event.snapshot)));
    await client.call({ op: "subscribe", snapshots: true, journal: true, trace: true });
    await client.call({ op: "act", line: "link cut pve2:net0" });
    await client.call({ op: "step", unit: "event", count: 2000 });
    await snapshot;
    await client.call({ op: "status" });
    const { lines } = await client.call({ op: "log", follow: false });
    expect(lines.length).toBeGreaterThan(10);
    expect(judged).toEqual([]);
    client.close();
  });

  it("runs a node's commands for whoever asked: the answer first, then what they print, then how they ended", async () => {
    const client = await connectSocket(path, secret);
    if (!client) throw new Error("no connection");
    const events: string[] = [];
    const over = new Promise<void>((done) =>
      client.onEvent((event) => {
        events.push(event.event);
        if (event.event === "command-exit") done();
      }),
    );
    await client.call({ op: "resume" });
    const { command } = await client.call({ op: "command", node: "pve1", argv: ["systemctl", "restart", "corosync"], cwd: "/", stdin: "" });
    expect(command).not.toBe("");
    await over;
    expect(events.at(-1)).toBe("command-exit");
    const read = await client.call({ op: "query", node: "pve1", query: { kind: "file-read", path: "/etc/hostname" } });
    expect(read).toEqual({ kind: "file", data: Buffer.from("pve1\n").toString("base64") });
    client.close();
  });

  it("does a shell's acts for whom it is: checked, with ids nobody else has, and ended with the connection", async () => {
    const [one, other] = [await connectSocket(path, secret), await connectSocket(path, secret)];
    if (!one || !other) throw new Error("no connection");
    const heard: Record<string, unknown>[] = [];
    one.onEvent((event) => event.event === "shell-effect" && heard.push(event.effect));
    const act = (client: LabClient, what: Record<string, unknown>): Promise<unknown> =>
      client.call({ op: "shell", node: "pve1", act: what });
    for (const [wrong, where] of [
      [{ kind: "power-cut" }, "kind: "],
      [{ kind: "session-open" }, "session: is missing"],
      [{ kind: "file", id: "f", call: { call: "format" } }, "call.call: "],
      [{}, "kind: "],
    ] as const)
      await expect(act(one, wrong)).rejects.toThrow(`malformed request: request.act: ${where}`);
    await act(one, { kind: "session-open", session: "1", terminal: true, cwd: "/root" });
    await act(one, { kind: "session-fork", session: "1", id: "2", argv: ["sleep", "5"] });
    const open = { call: "open", path: "/root/x", flags: { access: "w", create: true } };
    await act(one, { kind: "file", id: "3", session: "1", call: open });
    await act(one, {
      kind: "file",
      id: "4",
      session: "1",
      call: { call: "write", fd: 3, data: Buffer.from([0xc3, 0]).toString("base64") },
    });
    expect(heard).toMatchObject([
      { kind: "session", session: "1", tty: "pts/0" },
      { kind: "started", id: "2" },
      { kind: "file-reply", id: "3", reply: { ok: true, fd: 3 } },
      { kind: "file-reply", id: "4", reply: { ok: true, count: 2 } },
    ]);
    // Another one's session of that name is its own, and is not there.
    await act(other, { kind: "session-exit", session: "1", id: "2", status: 0 });
    const ps = { kind: "command" as const, argv: ["ps", "-C", "bash,sleep", "--no-headers", "-o", "args"], cwd: "/", stdin: "" };
    const listed = async (): Promise<unknown> =>
      ((await other.call({ op: "query", node: "pve1", query: ps })) as { stdout: string }).stdout;
    expect(await listed()).toBe("-bash\nsleep 5\n");
    const looked = await other.call({
      op: "look",
      node: "pve1",
      calls: [
        { call: "stat", path: "/root/x" },
        { call: "stat", path: "/nope" },
      ],
    });
    expect(looked.replies).toMatchObject([
      { ok: true, stat: { size: 2 } },
      { ok: false, errno: "ENOENT" },
    ]);
    await expect(other.call({ op: "look", node: "pve1", calls: [{ call: "unlink", path: "/root/x" }] })).rejects.toThrow(
      "unlink does not only look",
    );
    one.close();
    for (let waited = 0; waited < 5000 && (await listed()) !== ""; waited += 20) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await listed()).toBe("");
    other.close();
  });
});

describe("who looks on", () => {
  it("is shown at once what somebody does", async () => {
    // Its turns never come.
    vi.useFakeTimers({ toFake: ["setInterval"] });
    const other = new Server(lab, new Sessions(path, secret, dir, "run"), secret, around);
    const faults: number[] = [];
    let hear: (message: unknown) => void = () => undefined;
    const channel: Channel = {
      send: (message) => {
        const { event, snapshot } = message as { event?: string; snapshot?: { faults: unknown[] } };
        if (event === "snapshot") faults.push(snapshot?.faults.length ?? -1);
      },
      onMessage: (handler) => (hear = handler),
      onClose: () => undefined,
      close: () => undefined,
    };
    other.accept(channel, true);
    hear({ id: 1, request: { op: "subscribe", snapshots: true, journal: false, trace: false } });
    // Neither does time stand, where every change is shown.
    hear({ id: 2, request: { op: "resume" } });
    hear({ id: 3, request: { op: "act", line: "link cut pve1" } });
    vi.useRealTimers();
    await vi.waitFor(() => expect(faults.at(-1)).toBe(1));
    hear({ id: 4, request: { op: "pause" } });
    other.end("over");
  });
});
