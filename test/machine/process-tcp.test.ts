/** Processes and what waits outside them: TCP connections of a process that is stopped or killed, and file calls that nobody answers. */
import { expect, test } from "vitest";
import { ToolProgram } from "../../src/engine/command/tool-program.ts";
import { contents, print, type Tool } from "../../src/engine/command/tool.ts";
import { stateLetter } from "../../src/engine/machine/process/process.ts";
import { probe } from "./probes.ts";
import { SmallMachine } from "./small-machine.ts";

const sink = { kind: "command", id: "c" } as const;

/** Two machines on one wire. */
function pair(): { a: SmallMachine; b: SmallMachine; wire: () => void } {
  const [a, b] = [new SmallMachine(probe), new SmallMachine(probe)];
  b.board.cards = b.board.cards.map((card) => ({ ...card, address: "10.0.0.2" }));
  const wire = (): void => {
    while (a.sent.length + b.sent.length > 0) {
      const [fromA, fromB] = [a.sent, b.sent];
      [a.sent, b.sent] = [[], []];
      for (const d of fromA) b.runtime.receive(d);
      for (const d of fromB) a.runtime.receive(d);
    }
  };
  return { a, b, wire };
}

test("a connection is a process's: its events come to it, and its end is told to the other side", () => {
  const { a, b, wire } = pair();
  b.spawn(["reader", "80"], sink);
  const writer = a.spawn(["writer", "10.0.0.2", "80", "hello"], sink);
  wire();
  expect([a.heard(), b.heard()]).toEqual([["c> connected"], ["c> accepted", "c> read hello"]]);
  a.signal(writer, "SIGKILL");
  wire();
  expect(b.heard()).toEqual(["c> closed"]);
});

test("nobody listens: refused at once, also after the listener was killed", () => {
  const { a, b, wire } = pair();
  const reader = b.spawn(["reader", "80"], sink);
  b.signal(reader, "SIGKILL");
  a.spawn(["writer", "10.0.0.2", "80", "hello"], sink);
  wire();
  expect(a.heard()).toEqual(["c> ECONNREFUSED"]);
});

test("a stopped reader has it in its buffer; the connection stands meanwhile", () => {
  const { a, b, wire } = pair();
  const reader = b.spawn(["reader", "80"], sink);
  b.signal(reader, "SIGSTOP");
  a.spawn(["writer", "10.0.0.2", "80", "hello"], sink);
  wire();
  expect([a.heard(), b.heard()]).toEqual([["c> connected"], []]);
  b.signal(reader, "SIGCONT");
  expect(b.heard()).toEqual(["c> accepted", "c> read hello"]);
});

test("a stalled machine answers nothing; what waited at its card comes when it runs again", () => {
  const { a, b, wire } = pair();
  b.spawn(["reader", "80"], sink);
  b.runtime.stall();
  a.spawn(["writer", "10.0.0.2", "80", "hello"], sink);
  wire();
  expect([a.heard(), b.heard()]).toEqual([[], []]);
  b.runtime.resume();
  wire();
  expect([a.heard(), b.heard()]).toEqual([["c> connected"], ["c> accepted", "c> read hello"]]);
});

test("a file call that nobody answers: state D, until the answer or SIGKILL; the descriptors go with the process", () => {
  const cat: Tool = {
    name: "cat",
    summary: "",
    options: [],
    *body(argv) {
      const read = yield* contents(argv[1] ?? "");
      yield* print(read.ok && read.value === "data" ? new TextDecoder().decode(read.data) : read.ok ? "" : read.errno);
      return 0;
    },
  };
  const m = new SmallMachine((argv) => (argv[0] === "cat" ? (os) => new ToolProgram(cat, os) : probe(argv)), {
    "/a": "some text, longer than one read",
  });
  const state = (pid: number): string | undefined => {
    const record = m.table.get(pid);
    return record && stateLetter(record, false);
  };
  m.spawn(["cat", "/a"], sink);
  expect(m.heard()[0]).toBe("c> some text, longer than one read");
  expect(m.files.descriptors).toBe(0);
  const [first, second] = [m.spawn(["cat", "/hung/a"], sink), m.spawn(["cat", "/hung/a"], sink)];
  expect([state(first), state(second)]).toEqual(["D", "D"]);
  m.signal(first, "SIGKILL");
  m.table.fileReply(m.table.get(second)?.serial ?? 0, 1, { ok: false, errno: "ENOTCONN" });
  m.table.settle();
  expect(m.heard()).toEqual([`init: cat[${first}] killed by SIGKILL`, "c> ENOTCONN", `init: cat[${second}] exited 0`]);
});
