/** The process table: who there is, who is whose child, what signals do, and what a process sees that has not run for a while. */
import { expect, test } from "vitest";
import { LOCAL_EVENTS_MAX, NEVER, PROCESSES_MAX, SOCKET_BUFFER_BYTES } from "../../src/engine/kernel/index.ts";
import { stateLetter } from "../../src/engine/machine/process/process.ts";
import { probe } from "./probes.ts";
import { SmallMachine } from "./small-machine.ts";

const machine = (): SmallMachine => new SmallMachine(probe);
const sink = { kind: "command", id: "c" } as const;

function state(m: SmallMachine, pid: number): string {
  const record = m.table.get(pid);
  return record === undefined ? "gone" : stateLetter(record, false);
}

test("a unit's process has pid 1 as its parent, a pid from the machine's own draws, and its exit is told to pid 1", () => {
  const m = machine();
  const first = m.spawn(["sleeper"]);
  const second = m.spawn(["ender", "7", "10"]);
  expect(first).toBe(700);
  expect(second).toBeGreaterThan(first);
  expect(m.table.get(second)).toMatchObject({ ppid: 1, sid: second, comm: "ender", argv: ["ender", "7", "10"] });
  m.wait(10);
  expect(m.heard()).toEqual([`init: ender[${second}] exited 7`]);
  expect(state(m, second)).toBe("gone");
});

test("a program that is none is ENOENT, a full table EAGAIN, to a parent undefined", () => {
  const m = machine();
  expect(m.table.spawn({ argv: ["nothing"], parent: 1, place: { unit: "x", session: "", tty: "" }, sink })).toBe("ENOENT");
  m.spawn(["parent", "nothing"], sink);
  expect(m.heard()).toEqual(["c> cannot spawn"]);
  for (let n = m.table.records().length; n < PROCESSES_MAX; n++) m.spawn(["sleeper"]);
  expect(m.table.spawn({ argv: ["sleeper"], parent: 1, place: { unit: "x", session: "", tty: "" }, sink })).toBe("EAGAIN");
});

test("a child's end is an event of its parent, with code or signal", () => {
  const m = machine();
  m.spawn(["parent", "ender", "3"], sink);
  expect(m.heard()).toEqual(["c> spawned", 'c> child ended {"code":3}']);
  m.spawn(["parent", "ender", "SIGSEGV", "5"], sink);
  m.wait(5);
  expect(m.heard()).toEqual(["c> spawned", 'c> child ended {"signal":"SIGSEGV"}']);
});

test("the child of a stopped parent stays a zombie until the parent runs", () => {
  const m = machine();
  const parent = m.spawn(["parent", "ender", "3", "10"], sink);
  const child = m.table.records().at(-1)?.pid ?? 0;
  m.signal(parent, "SIGSTOP");
  m.wait(20);
  expect([state(m, parent), state(m, child)]).toEqual(["T", "Z"]);
  m.signal(child, "SIGKILL");
  expect(state(m, child)).toBe("Z");
  m.heard();
  m.signal(parent, "SIGCONT");
  expect(m.heard()).toEqual(['c> child ended {"code":3}']);
  expect([state(m, parent), state(m, child)]).toEqual(["S", "gone"]);
});

test("orphans belong to init: one that runs, and a zombie, which is gone at once", () => {
  const m = machine();
  const quick = m.spawn(["parent", "ender", "0", "10"], sink);
  const zombie = m.table.records().at(-1)?.pid ?? 0;
  const slow = m.spawn(["parent", "sleeper"], sink);
  const orphan = m.table.records().at(-1)?.pid ?? 0;
  m.signal(quick, "SIGSTOP");
  m.wait(20);
  m.heard();
  m.signal(quick, "SIGKILL");
  m.signal(slow, "SIGKILL");
  expect(m.heard()).toEqual([
    `init: ender[${zombie}] exited 0`,
    `init: parent[${quick}] killed by SIGKILL`,
    `init: parent[${slow}] killed by SIGKILL`,
  ]);
  expect(m.table.get(orphan)?.ppid).toBe(1);
});

test("default actions: some end, some are ignored, some stop; caught ones reach the program", () => {
  const m = machine();
  const caught = m.spawn(["catcher", "SIGTERM", "SIGUSR1", "SIGCHLD", "SIGKILL", "SIGSTOP"], sink);
  for (const signal of ["SIGTERM", "SIGUSR1", "SIGWINCH", "SIGCHLD"] as const) m.signal(caught, signal);
  expect(m.heard()).toEqual(["c> begins", "c> caught SIGTERM", "c> caught SIGUSR1", "c> caught SIGCHLD"]);
  m.signal(caught, "SIGSTOP");
  expect(state(m, caught)).toBe("T");
  m.signal(caught, "SIGCONT");
  m.signal(caught, "SIGTSTP");
  expect(state(m, caught)).toBe("T");
  m.signal(caught, "SIGKILL");
  expect(m.heard()).toEqual([`init: catcher[${caught}] killed by SIGKILL`]);
  const other = m.spawn(["catcher"], sink);
  m.signal(other, "SIGQUIT");
  expect(m.heard()).toEqual(["c> begins", `init: catcher[${other}] killed by SIGQUIT`]);
  expect(m.table.signal(other, "SIGTERM")).toBe("ESRCH");
});

test("a signal waits for SIGCONT, each kind once; one that ends the process does so before anything else", () => {
  const m = machine();
  const pid = m.spawn(["catcher", "SIGTERM", "SIGUSR1"], sink);
  m.signal(pid, "SIGSTOP");
  m.heard();
  for (const signal of ["SIGUSR1", "SIGTERM", "SIGUSR1"] as const) m.signal(pid, signal);
  expect(m.heard()).toEqual([]);
  m.signal(pid, "SIGCONT");
  expect(m.heard()).toEqual(["c> caught SIGUSR1", "c> caught SIGTERM"]);
  const listener = m.spawn(["listener", "5405"], sink);
  m.signal(listener, "SIGSTOP");
  m.runtime.receive(m.datagram(5405, "hello"));
  m.signal(listener, "SIGTERM");
  m.signal(listener, "SIGCONT");
  expect(m.heard()).toEqual([`init: listener[${listener}] killed by SIGTERM`]);
});

test("timers of a stopped process run late, what came for it before them, signals after them", () => {
  const m = machine();
  const ticker = m.spawn(["ticker", "1000"], sink);
  m.wait(1000);
  m.signal(ticker, "SIGSTOP");
  m.wait(5000);
  expect(m.heard()).toEqual(["c> tick 1, 0 late"]);
  expect(m.runtime.nextTimerAt()).toBe(NEVER);
  m.signal(ticker, "SIGCONT");
  expect(m.heard()).toEqual(["c> tick 2, 4000 late"]);
  m.wait(1000);
  expect(m.heard()).toEqual(["c> tick 3, 0 late"]);
});

test("datagrams wait in order in a bounded buffer; a program of several threads says itself in which order it sees them", () => {
  const m = machine();
  const plain = m.spawn(["listener", "1"], sink);
  const threads = m.spawn(["batcher", "2"], sink);
  for (const pid of [plain, threads]) m.signal(pid, "SIGSTOP");
  m.wait(10);
  for (const port of [1, 2]) for (const text of ["a", "b"]) m.runtime.receive(m.datagram(port, text));
  for (const pid of [plain, threads]) m.signal(pid, "SIGCONT");
  expect(m.heard()).toEqual(["c> got a", "c> got b", "c> catches up 2 since 0", "c> got b", "c> got a", "c> goes on"]);
  m.signal(plain, "SIGSTOP");
  const big = m.datagram(1, "x".repeat(1024 * 1024));
  const room = Math.floor(SOCKET_BUFFER_BYTES / (1024 * 1024));
  for (let n = 0; n < room + 3; n++) m.runtime.receive(big);
  expect(m.table.get(plain)).toMatchObject({ dropped: 4 });
  m.signal(plain, "SIGCONT");
  expect(m.heard()).toHaveLength(room - 1);
});

test("a stalled machine that runs again leaves those stopped that were stopped by themselves; what waited at its cards comes first", () => {
  const m = machine();
  const stopped = m.spawn(["listener", "1"], sink);
  const running = m.spawn(["batcher", "2"], sink);
  m.signal(stopped, "SIGSTOP");
  m.wait(100);
  m.spawn(["ticker", "10"]);
  m.runtime.stall();
  expect(m.runtime.nextTimerAt()).toBe(NEVER);
  m.runtime.receive(m.datagram(1, "one"));
  m.runtime.receive(m.datagram(2, "two"));
  m.runtime.receive(m.datagram(3, "nobody"));
  expect(m.heard()).toEqual([]);
  m.wait(100);
  m.runtime.resume();
  expect(m.heard()).toEqual([
    "sent icmp-port-unreachable to port 9",
    "c> catches up 1 since 100",
    "c> got two",
    "c> goes on",
    expect.stringContaining("tick 1, 90 late"),
  ]);
  expect([state(m, stopped), state(m, running)]).toEqual(["T", "S"]);
  m.signal(stopped, "SIGCONT");
  expect(m.heard()).toEqual(["c> got one"]);
});

test("a port belongs to one process, and is free when that ends; a card that is down takes and sends nothing", () => {
  const m = machine();
  const pid = m.spawn(["listener", "1"], sink);
  const second = m.spawn(["listener", "1"], sink);
  expect(m.heard()).toEqual([`init: listener[${second}] exited 98`]);
  m.signal(pid, "SIGTERM");
  m.heard();
  m.runtime.receive(m.datagram(1, "x"));
  expect(m.heard()).toEqual(["sent icmp-port-unreachable to port 9"]);
  m.spawn(["listener", "1"], sink);
  m.spawn(["pinger", "7", "10"]);
  m.board.cards = m.board.cards.map((n) => ({ ...n, up: false }));
  m.runtime.receive(m.datagram(1, "x"));
  m.wait(100);
  expect(m.heard()).toEqual([]);
});

test("daemon(3): whoever waits sees 0, the program goes on under another pid as init's", () => {
  const m = machine();
  const typed = m.table.spawn({ argv: ["daemon"], parent: 1, place: { unit: "s", session: "", tty: "pts/0" }, sink, command: "c" });
  const daemon = m.table.records().find((r) => r.comm === "daemon");
  expect(daemon?.pid).not.toBe(typed);
  expect(daemon).toMatchObject({ ppid: 1, sid: daemon?.pid, place: { tty: "" } });
  expect(m.heard()).toEqual([
    `daemon[${daemon?.pid ?? 0}] (s, info): runs as ${daemon?.pid ?? 0}`,
    "c: exit 0",
    `init: daemon[${String(typed)}] exited 0`,
    `init: daemon[${daemon?.pid ?? 0}] is ready`,
  ]);
});

test("processes that go round in a circle at one instant are a fault of the lab, not an endless loop", () => {
  const m = machine();
  expect(() => m.spawn(["spinner"])).toThrow(`more than ${LOCAL_EVENTS_MAX} local events at one instant`);
});

test("a program is never called inside another's turn", () => {
  const m: SmallMachine = new SmallMachine((argv) =>
    argv[0] === "rude"
      ? (os) => {
          const made = probe(["sleeper"])?.(os);
          if (made === undefined) throw new Error("no sleeper");
          made.start = () => void m.runtime.receive(m.datagram(1, "inside"));
          return made;
        }
      : probe(argv),
  );
  m.spawn(["listener", "1"]);
  expect(() => m.spawn(["rude"])).toThrow("listener is called while rude runs");
});

test("the power goes: nothing is left, and who waited outside sees 137", () => {
  const m = machine();
  m.table.spawn({ argv: ["listener", "1"], parent: 1, place: { unit: "s", session: "", tty: "" }, sink, command: "c" });
  m.act({ kind: "session-open", session: "s", terminal: true, cwd: "/" });
  m.heard();
  m.runtime.powerLost();
  expect(m.heard()).toEqual(["c: exit 137", 's: ended {"signal":"SIGKILL"}']);
  expect(m.table.records()).toEqual([]);
  m.runtime.start();
  expect(m.spawn(["listener", "1"])).toBeGreaterThan(700);
});

test("a shell forks: what it carries out itself is a process of its session, and becomes a program of the machine", () => {
  const m = machine();
  m.act({ kind: "session-open", session: "s", terminal: true, cwd: "/" });
  m.act({ kind: "session-fork", session: "s", id: "a", group: true });
  m.act({ kind: "session-fork", session: "s", id: "b", parent: "a", argv: ["cat"] });
  const [shell, a, b] = m.table.records().filter((r) => r.place.session === "s");
  expect([shell, a, b].map((r) => [r?.ppid, r?.pgid, r?.sid, r?.place.tty, r?.place.unit, r?.argv.join(" ")])).toEqual([
    [1, shell?.pid, shell?.pid, "pts/0", "session-1.scope", "-bash"],
    [shell?.pid, a?.pid, shell?.pid, "pts/0", "session-1.scope", "-bash"],
    [a?.pid, a?.pid, shell?.pid, "pts/0", "session-1.scope", "cat"],
  ]);
  m.heard();
  m.act({ kind: "session-exec", session: "s", id: "a", argv: ["tail", "-f", "x"] });
  expect(m.table.get(a?.pid ?? 0)).toMatchObject({ comm: "tail", outside: true });
  m.act({ kind: "session-run", session: "s", id: "b", process: "b", argv: ["listener", "1"], cwd: "/" });
  expect(m.table.get(b?.pid ?? 0)).toMatchObject({ pid: b?.pid, comm: "listener", outside: false });
  m.act({ kind: "session-exit", session: "s", id: "a", status: 7 });
  expect(m.heard().at(-1)).toBe("a: exit 7");
  expect(m.table.get(b?.pid ?? 0)?.ppid).toBe(1);
  m.act({ kind: "session-kill", session: "s", id: "k", pid: -(a?.pid ?? 0), signal: "SIGSTOP" });
  m.act({ kind: "session-kill", session: "s", id: "l", pid: -(a?.pid ?? 0), signal: "SIGTERM" });
  m.act({ kind: "session-kill", session: "s", id: "m", pid: -(a?.pid ?? 0), signal: "SIGCONT" });
  expect(m.heard()).toEqual([
    "k: sent",
    "l: sent",
    "m: sent",
    "b: exit 143",
    expect.stringMatching(/^init: listener\[\d+\] killed by SIGTERM$/),
  ]);
  m.act({ kind: "session-run", session: "s", id: "b", process: "b", argv: ["listener", "1"], cwd: "/" });
  expect(m.heard()).toEqual(["b: exit 137"]);
});

test("kill(2) of everybody spares pid 1 and the sender, and a fork ends with its shell", () => {
  const m = machine();
  m.act({ kind: "session-open", session: "s", terminal: false, cwd: "/" });
  m.act({ kind: "session-fork", session: "s", id: "a" });
  m.act({ kind: "session-kill", session: "s", id: "k", pid: -1, signal: "SIGKILL" });
  expect(m.table.records().map((r) => r.pid === 1 || r.place.session === "s")).toEqual([true, true]);
  m.act({ kind: "session-kill", session: "s", id: "l", pid: -1, signal: "SIGKILL" });
  m.act({ kind: "session-fork", session: "s", id: "b" });
  m.act({ kind: "session-close", session: "s", status: 0 });
  expect(m.heard().filter((line) => !line.startsWith("init: "))).toEqual([
    expect.stringMatching(/^s: shell /),
    "k: sent",
    "a: exit 137",
    "l: ESRCH",
    's: ended {"code":0}',
    "b: exit 137",
  ]);
  expect(m.table.records().map((r) => r.pid)).toEqual([1]);
});
