/**
 * Every tool is laid down and taken up again before every single answer it gets, and prints the same as without; and what it prints as a question is what it prints as a process. A tool that waits for
 * everything there is has a test of its own.
 */
import { describe, expect, test } from "vitest";
import { ToolProgram } from "../../src/engine/command/tool-program.ts";
import { peekTool } from "../../src/engine/command/tool-peek.ts";
import { toolNamed, tools } from "../../src/engine/command/tools.ts";
import * as t from "../../src/engine/command/tool.ts";
import { NEVER, Rng, type FileReply, type Os, type Peeker, type ProgramEvent } from "../../src/engine/kernel/index.ts";
import { SmallMachine } from "../machine/small-machine.ts";
import { probe } from "../machine/probes.ts";

const PASSWD = "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/var/www:/usr/sbin/nologin\n";

type OpenOs = { -readonly [K in keyof Os]: Os[K] };

/** One process alone: calls are answered by a peeker, each as an event that waits until it is taken. */
class LoneOs {
  readonly events: ProgramEvent[] = [];
  printed = "";
  ended: number | undefined;
  readonly os: OpenOs;
  private nextId = 1;
  private readonly services = new Map<number, string>();
  private reading = 0;

  constructor(
    readonly argv: readonly string[],
    private readonly peeker: Peeker,
  ) {
    this.os = this.make();
  }

  private make(): OpenOs {
    const facts = this.peeker.self();
    return {
      now: 0,
      unixMicros: () => facts.unixMicros,
      pid: facts.pid,
      argv: this.argv,
      cwd: facts.cwd,
      env: {},
      hostname: facts.hostname,
      machine: facts.hostname,
      rng: (...labels) => Rng.from("lone", ...labels),
      log: () => undefined,
      print: (_stream, text) => void (this.printed += text),
      prompt: () => void this.events.push({ kind: "input", line: "y" }),
      trace: () => undefined,
      notifyReady: () => undefined,
      detach: () => undefined,
      exit: (exit) => void (this.ended = "code" in exit ? exit.code : 128),
      spawn: () => {
        this.events.push({ kind: "child", pid: 9, exit: { code: 4 } });
        return 9;
      },
      kill: (pid, signal) => {
        this.printed += `(${signal} to ${pid})`;
        return undefined;
      },
      nics: () => [],
      udp: { bind: () => true, unbind: () => undefined, send: () => undefined },
      tcp: { listen: () => false, connect: () => undefined, send: () => false, close: () => undefined },
      ipc: {
        listen: () => false,
        unlisten: () => undefined,
        connect: (service) => {
          if (!this.peeker.serves(service)) return undefined;
          this.services.set(this.nextId, service);
          return this.nextId++;
        },
        request: (id, request) => {
          const answer = this.peeker.service(this.services.get(id) ?? "", request);
          this.events.push({
            kind: "ipc",
            event: answer.peek === "reply" ? { what: "reply", id, seq: this.nextId, reply: answer.reply } : { what: "gone", id },
          });
          if (request.call === "tell") this.events.unshift({ kind: "ipc", event: { what: "notice", id, notice: { event: "news" } } });
          return this.nextId++;
        },
        reply: () => undefined,
        notify: () => false,
        close: () => undefined,
      },
      files: {
        call: (call) => {
          this.events.push({ kind: "file", id: this.nextId, reply: this.fileReply(call.call === "read" ? undefined : call) });
          return this.nextId++;
        },
        blocking: () => ({ ok: false, errno: "EIO" }),
        answer: () => undefined,
      },
    };
  }

  private fileReply(call: Parameters<Os["files"]["call"]>[0] | undefined): FileReply {
    if (call === undefined) {
      const all = this.peeker.contents("/etc/passwd");
      const data = all?.ok === true && all.value === "data" ? all.data : new Uint8Array(0);
      const piece = data.slice(this.reading, this.reading + 40);
      this.reading += piece.length;
      return { ok: true, value: "data", data: piece };
    }
    this.reading = 0;
    if (call.call !== "open") return { ok: true, value: "done" };
    return call.path === "/etc/passwd" ? { ok: true, value: "fd", fd: 3 } : { ok: false, errno: "ENOENT" };
  }
}

/** Runs it to its end; with `everywhere` it is another object after every answer. */
function play(
  tool: t.Tool,
  argv: readonly string[],
  peeker: Peeker,
  everywhere: boolean,
): { printed: string; status: number | undefined; restored: number } {
  const lone = new LoneOs(argv, peeker);
  let program = new ToolProgram(tool, lone.os);
  program.start();
  let restored = 0;
  while (lone.ended === undefined) {
    if (everywhere) {
      const laid = structuredClone(program.snapshot());
      program = new ToolProgram(tool, lone.os);
      program.restore(laid);
      restored++;
    }
    const event = lone.events.shift();
    if (event !== undefined) program.event(event);
    else {
      const at = program.nextTimerAt();
      if (at === NEVER) throw new Error(`${argv.join(" ")} waits for ever`);
      lone.os.now = at;
      program.runTimer();
    }
  }
  return { printed: lone.printed, status: lone.ended, restored };
}

function machine(): SmallMachine {
  const m = new SmallMachine(probe, { "/etc/passwd": PASSWD });
  m.spawn(["catcher", "SIGTERM"]);
  m.spawn(["server", "cmap"]);
  m.act({ kind: "session-open", session: "s", terminal: true, cwd: "/root" });
  return m;
}

const CALLS: readonly (readonly string[])[] = [
  ["ps"],
  ["ps", "aux"],
  ["ps", "-ef"],
  ["ps", "-o", "pid,comm", "-C", "catcher,server"],
  ["pidof", "server"],
  ["pgrep", "-u", "root", "-a", "."],
  ["pkill", "-HUP", "-e", "-f", "server cmap"],
  ["killall", "-i", "-v", "server"],
  ["kill", "-0", "700"],
  ["kill", "-9", "700"],
  ["top", "-b", "-n", "3"],
];

describe("laid down and taken up at every answer", () => {
  for (const argv of CALLS) {
    test(argv.join(" "), () => {
      const tool = toolNamed(argv[0] ?? "");
      if (tool === undefined) throw new Error("no such tool");
      const peeker = machine().runtime.peeker({ argv, cwd: "/root", session: "s" });
      const straight = play(tool, argv, peeker, false);
      const broken = play(tool, argv, peeker, true);
      expect(broken).toEqual({ ...straight, restored: broken.restored });
      if (argv[1] !== "-9") expect(broken.restored).toBeGreaterThan(0);
      const asked = peekTool(tool, argv, peeker);
      if (asked !== "acts")
        expect({ printed: asked.stdout + asked.stderr, status: asked.status }).toEqual({
          printed: straight.printed,
          status: straight.status,
        });
      expect(asked === "acts").toBe(["pkill", "killall", "top"].includes(argv[0] ?? "") || argv[1] === "-9");
    });
  }

  test("every tool has a call here", () => {
    expect([...tools.keys()].filter((name) => !CALLS.some((argv) => argv[0] === name))).toEqual([]);
  });

  test("one that waits for everything there is", () => {
    const everything: t.Tool = {
      name: "everything",
      summary: "",
      options: [],
      *body() {
        yield* t.print(`${JSON.stringify(yield* t.call("cmap", { call: "echo", text: "x" }))}${yield* t.call("nobody", { call: "x" })}`);
        const id = yield* t.connect("cmap");
        if (id === "refused") return 1;
        yield* t.print(JSON.stringify(yield* t.request(id, { call: "echo", text: "y" })));
        yield* t.print(JSON.stringify(yield* t.request(id, { call: "tell" })));
        yield* t.print(JSON.stringify(yield* t.nextNotice(id)));
        yield* t.print(JSON.stringify(yield* t.nextNotice(id)));
        yield* t.disconnect(id);
        yield* t.print(JSON.stringify(yield* t.file({ call: "mkdir", path: "/x" })));
        const read = yield* t.contents("/etc/passwd");
        yield* t.print(read.ok && read.value === "data" ? new TextDecoder().decode(read.data) : "none");
        yield* t.print(JSON.stringify(yield* t.contents("/none")));
        yield* t.sleep(5);
        yield* t.print(`${JSON.stringify(yield* t.run(["x"]))}${yield* t.readLine("? ")}${(yield* t.self()).now}`);
        return 7;
      },
    };
    const peeker = machine().runtime.peeker({ argv: ["everything"], cwd: "/", session: "s" });
    const straight = play(everything, ["everything"], peeker, false);
    expect(straight).toEqual({
      printed: `{"text":"x"}refused{"text":"y"}"gone"{"event":"news"}"gone"{"ok":true,"value":"done"}${PASSWD}{"ok":false,"errno":"ENOENT"}? {"code":4}y5`,
      status: 7,
      restored: 0,
    });
    expect(play(everything, ["everything"], peeker, true)).toEqual({ ...straight, restored: 14 });
    expect(peekTool(everything, ["everything"], peeker)).toBe("acts");
  });
});
