/** Commands that act, wait or never end: what they do to the machine, and that a copy made at any step goes on in the same way. */
import { describe, expect, it } from "vitest";
import { CommandRuns, type ManagerCall, type NodeAct, type SystemctlAnswer } from "../../src/engine/command/index.ts";
import { cloneState, utf8, type Effect } from "../../src/engine/kernel/index.ts";
import { handmade, link, view, type NodeShape, type ViewShape } from "./fake-host.ts";

const NODES: NodeShape[] = [1, 2].map((i) => ({ nodeId: i, name: `node${i}`, addresses: [`10.10.0.${i}`], votes: 1 }));

function shape(quorate = true): ViewShape {
  const [a, b] = NODES;
  if (!a || !b) throw new Error("two nodes wanted");
  return {
    nodeId: 1,
    nodes: NODES,
    members: [1, 2],
    ring: { rep: 1, seq: quorate ? 9 : 13 },
    quorate,
    expectedVotes: 2,
    highestExpected: 2,
    totalVotes: 2,
    quorum: 2,
    links: [link(a, b, 0, true)],
    cmap: [
      { key: "runtime.votequorum.this_node_id", type: "u32", value: 1 },
      { key: "test.one", type: "u8", value: 1 },
      { key: "test.two", type: "u8", value: 2 },
    ],
  };
}

/** A machine that notes acts, and a script of what happens to it while a command runs. */
function testNode(errors: Record<string, string> = {}) {
  const machine = handmade(view(shape()));
  const calls: ManagerCall[] = [];
  /** How the job that was asked for has ended. */
  const end: { answer: SystemctlAnswer | undefined } = { answer: undefined };
  const said: string[] = [];
  const acts: NodeAct[] = [];
  const timers: string[] = [];
  const make = (): CommandRuns =>
    new CommandRuns({
      host: () => machine.host,
      act: (act) => {
        acts.push(act);
        return errors[act.act];
      },
      manager: (call) => {
        calls.push(call);
        if (call.call === "install") return { lines: [`Removed "/etc/systemd/system/multi-user.target.wants/${call.units[0] ?? ""}".`] };
        if (call.call !== "job") return {};
        return call.unit === "corosync.service" ? { job: 7 } : { error: `Unit ${call.unit} not found.`, code: "not-found" };
      },
      job: (job) => (job === 7 ? end.answer : { result: "done" }),
      emit: (e: Effect) => {
        if (e.kind === "output") said.push(`${e.stream}: ${e.text}`);
        if (e.kind === "exit") said.push(`exit ${e.status}`);
      },
      setTimer: (name) => void timers.push(name),
      clearTimer: (name) => void timers.splice(0, timers.length, ...timers.filter((t) => t !== name)),
    });
  return { machine, said, acts, calls, timers, end, make };
}

function start(runs: CommandRuns, text: string): void {
  runs.start("c1", text.split(" "), { cwd: "/root", stdin: "" });
}

describe("systemctl start", () => {
  it("returns when the unit is up", () => {
    const b = testNode();
    const runs = b.make();
    start(runs, "systemctl start corosync");
    runs.wake();
    expect([b.said, runs.busy]).toEqual([[], true]);
    b.end.answer = { result: "done", unitResult: "success" };
    runs.wake();
    expect([b.said, runs.busy]).toEqual([["exit 0"], false]);
  });

  it("tells a failure in systemd's words", () => {
    const b = testNode();
    const runs = b.make();
    start(runs, "systemctl start corosync");
    b.end.answer = { result: "failed", unitResult: "exit-code" };
    runs.wake();
    expect(b.said).toEqual([
      "stderr: Job for corosync.service failed because the control process exited with error code.\n" +
        'See "systemctl status corosync.service" and "journalctl -xeu corosync.service" for details.\n',
      "exit 1",
    ]);
  });

  it("tells of a start limit how to get past it, and of a job that was given up no more than that", () => {
    const text = (answer: SystemctlAnswer): string[] => {
      const b = testNode();
      const runs = b.make();
      start(runs, "systemctl start corosync");
      b.end.answer = answer;
      runs.wake();
      return b.said;
    };
    expect(text({ result: "failed", unitResult: "start-limit-hit" })).toEqual([
      "stderr: Job for corosync.service failed because start of the service was attempted too often.\n" +
        'See "systemctl status corosync.service" and "journalctl -xeu corosync.service" for details.\n' +
        'To force a start use "systemctl reset-failed corosync.service"\nfollowed by "systemctl start corosync.service" again.\n',
      "exit 1",
    ]);
    expect(text({ result: "canceled" })).toEqual(["stderr: Job for corosync.service canceled.\n", "exit 1"]);
  });

  it("knows no other unit", () => {
    const b = testNode();
    start(b.make(), "systemctl start pveproxy");
    expect(b.said).toEqual(["stderr: Failed to start pveproxy.service: Unit pveproxy.service not found.\n", "exit 5"]);
  });

  it("disable --now says what it removes, and stops", () => {
    const b = testNode();
    b.end.answer = { result: "done" };
    start(b.make(), "systemctl disable --now corosync");
    expect(b.calls.map((c) => ("verb" in c ? c.verb : c.call))).toEqual(["disable", "reload", "stop"]);
    expect(b.said[0]).toContain('Removed "/etc/systemd/system/multi-user.target.wants/corosync.service".\n');
    expect(b.said[b.said.length - 1]).toBe("exit 0");
  });
});

describe("corosync's tools that act", () => {
  it("expected votes: silent when accepted", () => {
    const b = testNode();
    const runs = b.make();
    start(runs, "pvecm expected 1");
    expect(b.said[0]).toContain("does not exist - is this node part of a cluster?");
    b.said.length = 0;
    start(runs, "corosync-quorumtool -e 1");
    expect(b.acts).toEqual([{ act: "set-expected", votes: 1 }]);
    runs.timer("c1");
    expect(b.said).toEqual(["exit 0"]);
  });

  it.each([
    [
      "corosync-quorumtool -e 1",
      { "set-expected": "CS_ERR_INVALID_PARAM" },
      "stderr: Unable to set expected votes: CS_ERR_INVALID_PARAM\n",
    ],
    [
      "corosync-quorumtool -v 1 -n 9",
      { "set-votes": "CS_ERR_NAME_NOT_FOUND" },
      "stderr: Unable to set votes 1 for nodeid: 9: CS_ERR_NAME_NOT_FOUND\n",
    ],
    [
      "corosync-quorumtool -v 5",
      { "set-votes": "CS_ERR_INVALID_PARAM" },
      "stderr: Unable to set votes 5 for nodeid: 1: CS_ERR_INVALID_PARAM\n",
    ],
    [
      "corosync-cmapctl -s totem.secauth str off",
      { "cmap-set": "CS_ERR_ACCESS" },
      "stderr: Failed to set key totem.secauth. Error CS_ERR_ACCESS\n",
    ],
    ["corosync-cmapctl -s test.a u8 300", {}, "stderr: 300 is not valid u8 integer\n"],
    ["corosync-cmapctl -s test.a u16 abc", {}, "stderr: abc is not valid u16 type value\n"],
    ["corosync-cmapctl -s test.a foo 1", {}, "stderr: Unknown type foo\n"],
    [
      "corosync-cmapctl -d no.such test.one",
      { "cmap-delete": "CS_ERR_NOT_EXIST" },
      "stderr: Can't delete key no.such. Error CS_ERR_NOT_EXIST\n",
    ],
    [
      "corosync-cmapctl -s quorum.wait_for_all u8 1",
      { "cmap-set": "CS_ERR_ACCESS" },
      "stderr: Failed to set key quorum.wait_for_all. Error CS_ERR_ACCESS\n",
    ],
  ])("%s, refused", (line, errors, text) => {
    const b = testNode(errors);
    const runs = b.make();
    start(runs, line);
    runs.timer("c1");
    expect(b.said).toEqual([text, "exit 1"]);
  });

  it.each([
    ["u8 12", "u8", 12],
    ["i8 -- -3", "i8", -3],
    ["u16 0x10", "u16", 0],
    ["i32 012", "i32", 12],
    ["u64 18446744073709551616", "u64", 18446744073709551615n],
    ["flt 0.5", "flt", 0.5],
    ["str abc", "str", "abc"],
  ])("cmapctl -s test.a %s", (args, type, value) => {
    const b = testNode();
    start(b.make(), `corosync-cmapctl -s test.a ${args}`);
    expect(b.acts).toEqual([{ act: "cmap-set", key: "test.a", type, value }]);
  });

  it.each([
    [
      "test.a u8 1\n# comment\n^test.a\ntest.b str hello world\ntest.c u32 zz\nbad line\n^^test.\n",
      ["set test.a 1", "delete test.a", "set test.b hello"],
      ["stderr: zz is not valid u32 type value\n", "exit 1"],
    ],
    [
      'test.a u8 1\n\n   test.d   u16    7  \ntest.e str "q r"\ntest.f i32 -4\n',
      ["set test.a 1", "set test.d 7", 'set test.e "q', "set test.f -4"],
      ["exit 0"],
    ],
    ["^^test.\n", ["delete test.one", "delete test.two"], ["exit 0"]],
    ["test.z u8\ntest.y u8 1\n", [], ["stderr: Both type and value for key test.z are required\n", "exit 1"]],
    [undefined, [], ["stderr: Couldn't open file.: No such file or directory\n", "exit 0"]],
  ])("cmapctl -p %j", (text, acts, said) => {
    const b = testNode();
    if (text !== undefined) b.machine.files.set("/root/load", utf8(text));
    const runs = b.make();
    start(runs, "corosync-cmapctl -p load");
    runs.timer("c1");
    const args = (a: NodeAct): string =>
      a.act === "cmap-set" ? `set ${a.key} ${String(a.value)}` : a.act === "cmap-delete" ? `delete ${a.key}` : "";
    expect([b.acts.map(args), b.said]).toEqual([acts, said]);
  });

  it("cmapctl -s KEY bin takes the bytes of a file", () => {
    const b = testNode();
    b.machine.files.set("/tmp/b", utf8("hi\n"));
    start(b.make(), "corosync-cmapctl -s t.z bin /tmp/b");
    expect(b.acts).toEqual([{ act: "cmap-set", key: "t.z", type: "bin", value: utf8("hi\n") }]);
    const none = testNode();
    start(none.make(), "corosync-cmapctl -s t.z bin /nofile");
    expect([none.acts, none.said[0]]).toEqual([[], "stderr: Can't open input file: No such file or directory\n"]);
  });

  it("cmapctl -D deletes every key of the prefix and exits 0 whatever comes of it", () => {
    const b = testNode({ "cmap-delete": "CS_ERR_ACCESS" });
    const runs = b.make();
    start(runs, "corosync-cmapctl -D test.");
    runs.timer("c1");
    expect(b.said).toEqual([
      "stderr: Can't delete key test.one. Error CS_ERR_ACCESS\n",
      "stderr: Can't delete key test.two. Error CS_ERR_ACCESS\n",
      "exit 0",
    ]);
  });

  it("cfgtool -k announces, then complains of a node that is not there", () => {
    const b = testNode({ "kill-node": "CS_ERR_NOT_EXIST" });
    start(b.make(), "corosync-cfgtool -k 77");
    expect(b.said).toEqual(["stdout: Killing node 77\n", "stderr: Could not kill node (error = CS_ERR_NOT_EXIST)\n", "exit 1"]);
  });

  it("a query of a daemon that hangs hangs with it, and answers when it is back", () => {
    const b = testNode();
    const runs = b.make();
    const awake = b.machine.daemon;
    b.machine.daemon = "stalled";
    start(runs, "corosync-quorumtool -l");
    runs.wake();
    expect(b.said).toEqual([]);
    b.machine.daemon = awake;
    runs.wake();
    expect(b.said[1]).toBe("exit 0");
    expect(b.said[0]).toContain("node1 (local)");
  });
});

describe("commands that never end", () => {
  it("quorumtool -m prints the status at the start and at every verdict, until Ctrl-C", () => {
    const b = testNode();
    const runs = b.make();
    start(runs, "corosync-quorumtool -m");
    runs.wake();
    expect(b.said).toHaveLength(1);
    b.machine.daemon = view(shape(false));
    runs.wake();
    runs.wake();
    expect(b.said).toHaveLength(2);
    expect(b.said[1]).toContain("Quorate:          No\n");
    expect(b.said[1]?.endsWith("node2\n\n")).toBe(true);
    runs.signal("c1", "SIGINT");
    expect(b.said[2]).toBe("exit 130");
  });

  it("cmapctl -T prints what is created, changed and deleted, until q", () => {
    const b = testNode();
    const runs = b.make();
    start(runs, "corosync-cmapctl -T test.");
    const set = (...keys: [string, number][]): void => {
      b.machine.daemon = view({ ...shape(), cmap: keys.map(([key, value]) => ({ key, type: "u8", value })) });
      runs.wake();
    };
    set(["test.one", 1], ["test.two", 2], ["other", 1]);
    set(["test.one", 7], ["test.two", 2], ["test.zz", 3]);
    set(["test.two", 2], ["test.zz", 3]);
    runs.input("c1", "what?");
    runs.input("c1", "q");
    expect(b.said).toEqual([
      'stdout: Type "q" to finish\n',
      "stdout: modify> test.one (u8) = 7\ncreate> test.zz (u8) = 3\n",
      "stdout: delete> test.one (u8) = 7\n",
      "exit 0",
    ]);
  });

  it("journalctl -f prints the last ten lines, then each new one of the unit", () => {
    const b = testNode();
    const add = (unit: string, text: string): void =>
      void b.machine.journal.push({ instant: 0, unit, identifier: unit, pid: 9, boot: 0, level: "info", subsystem: "", text });
    for (let i = 0; i < 12; i++) add("corosync", `line ${i}`);
    const runs = b.make();
    start(runs, "journalctl -f -u corosync -o cat");
    expect(b.said.join("").split("\n")).toHaveLength(11);
    b.said.length = 0;
    add("kernel", "not mine");
    add("corosync", "mine");
    runs.wake();
    runs.wake();
    expect(b.said).toEqual(["stdout: mine\n"]);
  });
});

describe("a copy made at any step", () => {
  const lines = [
    "systemctl start corosync",
    "systemctl restart corosync",
    "systemctl enable --now corosync",
    "systemctl try-restart corosync",
    "systemctl kill -s SIGKILL corosync",
    "corosync-quorumtool -e 2",
    "corosync-quorumtool -v 1 -n 2",
    "corosync-quorumtool -m",
    "corosync-cfgtool -k 2",
    "corosync-cfgtool -H",
    "corosync-cmapctl -s a.b u8 1",
    "corosync-cmapctl -D test.",
    "journalctl -f",
    "corosync-cmapctl -T test.",
  ];
  it.each(lines)("%s", (line) => {
    // Every waiting point is reached by holding the daemon, then the unit's job, then the clock; at each one the run is replaced by a copy.
    const story = (copy: boolean): { said: string[]; acts: (NodeAct | ManagerCall)[] } => {
      const b = testNode();
      let runs = b.make();
      const swap = (): void => {
        if (!copy) return;
        const state = cloneState(runs.snapshot());
        const before = [...b.said];
        runs = b.make();
        runs.restore(state);
        expect(b.said, "restoring prints nothing").toEqual(before);
      };
      const awake = b.machine.daemon;
      b.machine.daemon = "stalled";
      start(runs, line);
      swap();
      b.machine.daemon = awake;
      runs.wake();
      swap();
      b.end.answer = { result: "done", unitResult: "success" };
      runs.wake();
      swap();
      runs.timer("c1");
      swap();
      b.machine.daemon = view(shape(false));
      b.machine.journal.push({
        instant: 0,
        unit: "corosync",
        identifier: "corosync",
        pid: 9,
        boot: 0,
        level: "info",
        subsystem: "",
        text: "news",
      });
      runs.wake();
      runs.signal("c1", "SIGTERM");
      return { said: b.said, acts: [...b.acts, ...b.calls] };
    };
    expect(story(true)).toEqual(story(false));
    expect(story(false).said.length).toBeGreaterThan(0);
  });
});
