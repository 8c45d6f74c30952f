/**
 * Every tool is laid down and taken up again before every single answer it gets, and prints the same as without; and what it prints as a question is what it prints as a process. A tool that waits for
 * everything there is has a test of its own.
 */
import { describe, expect, test } from "vitest";
import { peekTool } from "../../src/engine/command/tool-peek.ts";
import { toolNamed, tools } from "../../src/engine/command/tools.ts";
import { ToolProgram } from "../../src/engine/command/tool-program.ts";
import * as t from "../../src/engine/command/tool.ts";
import type { Peeker } from "../../src/engine/kernel/index.ts";
import { SmallMachine } from "../machine/small-machine.ts";
import { probe } from "../machine/probes.ts";
import { cluster } from "./fake-host.ts";
import { LoneProcess, play, type Perform } from "./lone-process.ts";

const PASSWD = "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/var/www:/usr/sbin/nologin\n";

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

/** On a node of a cluster; every change is taken. */
const CLUSTER_CALLS: readonly (readonly string[])[] = [
  ["corosync", "-v"],
  ["corosync-cfgtool", "-s"],
  ["corosync-cfgtool", "-n"],
  ["corosync-cfgtool", "-a", "2"],
  ["corosync-cfgtool", "-L"],
  ["corosync-cfgtool", "-k", "2"],
  ["corosync-cfgtool", "-H"],
  ["corosync-cfgtool", "-R"],
  ["corosync-cmapctl"],
  ["corosync-cmapctl", "-g", "test.one", "no.such"],
  ["corosync-cmapctl", "-m", "stats", "-g", "stats.one"],
  ["corosync-cmapctl", "-s", "test.a", "u8", "1"],
  ["corosync-cmapctl", "-s", "test.a", "bin", "/etc/corosync/corosync.conf"],
  ["corosync-cmapctl", "-s", "test.a", "bin", "-"],
  ["corosync-cmapctl", "-d", "test.one"],
  ["corosync-cmapctl", "-D", "test."],
  ["corosync-cmapctl", "-p", "/etc/load"],
  ["corosync-cmapctl", "-C", "all"],
  ["corosync-cpgtool"],
  ["corosync-keygen", "-k", "/etc/key"],
  ["corosync-quorumtool", "-s"],
  ["corosync-quorumtool", "-l"],
  ["corosync-quorumtool", "-e", "3"],
  ["corosync-quorumtool", "-v", "2", "-n", "2"],
  ["corosync-quorumtool", "-f"],
  ["corosync-qdevice-tool", "-sv"],
  ["corosync-qdevice-tool", "-H"],
  ["corosync-qnetd-tool", "-lv"],
  ["corosync-qnetd-tool", "-H"],
  ["pvecm", "status"],
  ["pvecm", "nodes"],
  ["pvecm", "expected", "2"],
  ["systemctl", "status", "corosync"],
  ["systemctl", "start", "corosync"],
  ["systemctl", "restart", "corosync"],
  ["systemctl", "enable", "--now", "corosync"],
  ["systemctl", "try-restart", "corosync"],
  ["systemctl", "kill", "-s", "SIGKILL", "corosync"],
  ["journalctl", "-n", "3"],
  ["ping", "-c", "2", "127.0.0.1"],
];

const done: Perform = () => ({});

function check(argv: readonly string[], peeker: Peeker, perform?: Perform): { restored: number; asked: boolean } {
  const tool = toolNamed(argv[0] ?? "");
  if (tool === undefined) throw new Error("no such tool");
  const straight = play(new LoneProcess(argv, peeker, perform), false);
  const broken = play(new LoneProcess(argv, peeker, perform), true);
  expect(broken).toEqual({ ...straight, restored: broken.restored });
  const asked = peekTool(tool, argv, peeker);
  if (asked !== "acts")
    expect({ printed: asked.stdout + asked.stderr, status: asked.status }).toEqual({ printed: straight.printed, status: straight.status });
  return { restored: broken.restored, asked: asked !== "acts" };
}

describe("laid down and taken up at every answer", () => {
  for (const argv of CALLS) {
    test(argv.join(" "), () => {
      const { restored, asked } = check(argv, machine().runtime.peeker({ argv, cwd: "/root", session: "s" }));
      if (argv[1] !== "-9") expect(restored).toBeGreaterThan(0);
      expect(asked).toBe(!(["pkill", "killall", "top"].includes(argv[0] ?? "") || argv[1] === "-9"));
    });
  }

  for (const argv of CLUSTER_CALLS) {
    test(argv.join(" "), () => {
      const { restored } = check(argv, cluster(), done);
      if (argv[0] !== "corosync") expect(restored).toBeGreaterThan(0);
    });
  }

  test("every tool has a call here", () => {
    expect([...tools.keys()].filter((name) => ![...CALLS, ...CLUSTER_CALLS].some((argv) => argv[0] === name))).toEqual([]);
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
    const whole = (everywhere: boolean) =>
      play(new LoneProcess(["everything"], peeker, undefined, (os) => new ToolProgram(everything, os)), everywhere);
    const straight = whole(false);
    expect(straight).toEqual({
      printed: `{"text":"x"}refused{"text":"y"}"gone"{"event":"news"}"gone"{"ok":true,"value":"done"}${PASSWD}{"ok":false,"errno":"ENOENT"}? {"code":4}y5`,
      status: 7,
      restored: 0,
    });
    expect(whole(true)).toEqual({ ...straight, restored: 14 });
    expect(peekTool(everything, ["everything"], peeker)).toBe("acts");
  });
});
