/** Local sockets: requests and answers, a server that is stopped, dies or closes, a client that dies, queues that are full, and questions that change nothing. */
import { expect, test } from "vitest";
import { IPC_QUEUE_MAX } from "../../src/engine/kernel/index.ts";
import { probe } from "./probes.ts";
import { SmallMachine } from "./small-machine.ts";

const machine = (): SmallMachine => new SmallMachine(probe);
const as = (id: string) => ({ kind: "command", id }) as const;

test("a request has one answer, now or later; notices come in between; calls nobody knows are the service's to refuse", () => {
  const m = machine();
  m.spawn(["server", "cmap"], as("server"));
  m.spawn(["asker", "cmap", "echo", "later", "tell", "nonsense"], as("asker"));
  expect(m.heard()).toEqual([
    "asker> asks echo: 1",
    "asker> asks later: 2",
    "asker> asks tell: 3",
    "asker> asks nonsense: 4",
    "server> asker connects",
    'asker> answer 1: {"text":"echo"}',
    "asker> notice 1",
    "asker> notice 2",
    "asker> notice 3",
    'asker> answer 3: {"told":3}',
    'asker> answer 4: {"error":"CS_ERR_NOT_SUPPORTED"}',
  ]);
  m.wait(1_000_000);
  expect(m.heard()).toEqual(['asker> answer 2: {"text":"late"}']);
});

test("nobody serves the name: refused at once; a name has one server, and is free when that has ended", () => {
  const m = machine();
  m.spawn(["asker", "cmap"], as("asker"));
  const server = m.spawn(["server", "cmap"]);
  const second = m.spawn(["server", "cmap"]);
  expect(m.heard()).toEqual(["asker> refused", `init: server[${second}] exited 1`]);
  m.signal(server, "SIGKILL");
  m.heard();
  m.spawn(["server", "cmap"]);
  expect(m.heard()).toEqual([]);
});

test("requests to a stopped server wait in its queue, and are answered when it runs again", () => {
  const m = machine();
  const server = m.spawn(["server", "cmap"]);
  m.signal(server, "SIGSTOP");
  m.spawn(["asker", "cmap", "echo"], as("asker"));
  expect(m.heard()).toEqual(["asker> asks echo: 1"]);
  m.wait(1_000_000);
  m.signal(server, "SIGCONT");
  expect(m.heard()).toEqual([expect.stringContaining("asker connects"), 'asker> answer 1: {"text":"echo"}']);
});

test("a dying server: what it had answered still comes, then the client hears that it is gone, and asks in vain", () => {
  const m = machine();
  m.spawn(["server", "cmap"], as("server"));
  m.spawn(["asker", "cmap", "echo", "die", "echo"], as("asker"));
  expect(m.heard().slice(4)).toEqual(['asker> answer 1: {"text":"echo"}', "asker> server gone", expect.stringContaining("exited 3")]);
});

test("a stopped server that is killed: its clients hear it, unanswered", () => {
  const m = machine();
  const server = m.spawn(["server", "cmap"]);
  m.signal(server, "SIGSTOP");
  m.spawn(["asker", "cmap", "echo"], as("asker"));
  m.heard();
  m.signal(server, "SIGKILL");
  expect(m.heard()).toEqual(["asker> server gone", `init: server[${server}] killed by SIGKILL`]);
});

test("a server that closes one connection goes on; a client that dies is told to the server, also while that is stopped", () => {
  const m = machine();
  const server = m.spawn(["server", "cmap"], as("server"));
  const asker = m.spawn(["asker", "cmap", "stop", "echo"], as("asker"));
  expect(m.heard()).toEqual(["asker> asks stop: 1", "asker> asks echo: 2", "server> asker connects", "asker> server gone"]);
  m.signal(asker, "SIGKILL");
  m.heard();
  const second = m.spawn(["asker", "cmap", "later"], as("asker"));
  m.signal(server, "SIGSTOP");
  m.signal(second, "SIGKILL");
  m.heard();
  m.wait(2_000_000);
  m.signal(server, "SIGCONT");
  // The answer that was due meanwhile has nobody to go to any more.
  expect(m.heard()).toEqual(["server> a client has gone"]);
});

test("an answer to a stopped client waits with it, and so do the notices, up to a full queue", () => {
  const m = machine();
  const server = m.spawn(["server", "cmap"], as("server"));
  const { sockets } = m.table;
  const client = m.spawn(["asker", "cmap"], as("asker"));
  const serial = m.table.get(client)?.serial ?? 0;
  m.signal(server, "SIGSTOP");
  m.signal(client, "SIGSTOP");
  const port = sockets.port(serial);
  let taken = 0;
  while (port.request(1, { call: "echo", text: taken }) !== undefined) taken++;
  expect(taken).toBe(IPC_QUEUE_MAX);
  m.heard();
  m.signal(server, "SIGCONT");
  expect(m.heard()).toEqual(["server> asker connects"].slice(1));
  expect(port.request(1, { call: "tell", times: IPC_QUEUE_MAX + 5 })).toBe(IPC_QUEUE_MAX + 1);
  m.table.settle();
  m.signal(client, "SIGCONT");
  const heard = m.heard();
  expect(heard.filter((l) => l.includes("notice"))).toHaveLength(IPC_QUEUE_MAX);
  expect(heard.at(-1)).toBe(`asker> answer ${IPC_QUEUE_MAX + 1}: {"told":${IPC_QUEUE_MAX}}`);
});

test("a question that changes nothing: answered, refused, or would-wait; the digest stays", () => {
  const m = machine();
  const server = m.spawn(["server", "cmap"]);
  const before = m.digest();
  expect(m.table.peek("cmap", { call: "echo", text: "x" })).toEqual({ peek: "reply", reply: { text: "x" } });
  expect(m.table.peek("cmap", { call: "later" })).toEqual({ peek: "would-wait" });
  expect(m.table.peek("cpg", { call: "echo" })).toEqual({ peek: "refused" });
  expect(m.digest()).toBe(before);
  m.signal(server, "SIGSTOP");
  expect(m.table.peek("cmap", { call: "echo" })).toEqual({ peek: "would-wait" });
  m.signal(server, "SIGCONT");
  m.runtime.stall();
  expect(m.table.peek("cmap", { call: "echo" })).toEqual({ peek: "would-wait" });
});

test("an answer to a request that was never made, or twice, is a fault of the program", () => {
  const m = machine();
  const server = m.spawn(["server", "cmap"]);
  m.spawn(["asker", "cmap", "echo"]);
  const port = m.table.sockets.port(m.table.get(server)?.serial ?? 0);
  expect(() => port.reply(1, 1, {})).toThrow("no request 1 to be answered");
});

test("a part of the kernel is a party like a process: it serves, and it asks", () => {
  const heard: string[] = [];
  const m: SmallMachine = new SmallMachine(probe, {}, { event: (event) => void heard.push(event.what) });
  m.spawn(["server", "/dev/fuse/etc/pve"]);
  const port = m.table.sockets.port("mount");
  const id = port.connect("/dev/fuse/etc/pve") ?? 0;
  port.request(id, { call: "echo", text: "lookup" });
  m.table.settle();
  expect(heard).toEqual(["reply"]);
});
