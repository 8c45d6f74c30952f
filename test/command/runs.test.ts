/** Commands that act, wait or never end: what they do to the machine, and that a copy made at any step goes on in the same way. */
import { describe, expect, it } from "vitest";
import { JOURNAL, MANAGER, type ManagerCall, type SystemctlAnswer } from "../../src/engine/command/index.ts";
import { CMAP, QUORUM } from "../../src/engine/corosync/index.ts";
import { utf8, type IpcReply, type IpcRequest } from "../../src/engine/kernel/index.ts";
import { cluster, line as journalLine, type Handmade } from "./fake-host.ts";
import { LoneProcess } from "./lone-process.ts";

/** A machine that notes what it is told to do, and what happens on it while a command runs. `errors` by name of the call. */
class TestNode {
  readonly machine: Handmade = cluster();
  readonly acts: IpcRequest[] = [];
  process: LoneProcess | undefined;

  constructor(private readonly errors: Record<string, string> = {}) {}

  get said(): readonly string[] {
    return this.process?.said ?? [];
  }

  /** How the job that was asked for has ended. */
  job: SystemctlAnswer | undefined;

  /** What the manager answers to a request. */
  private managed(act: ManagerCall): SystemctlAnswer {
    if (act.call === "install") return { lines: [`Removed "/etc/systemd/system/multi-user.target.wants/${act.units[0] ?? ""}".`] };
    if (act.call !== "job") return {};
    return act.unit === "corosync.service" ? { job: 7 } : { error: `Unit ${act.unit} not found.`, code: "not-found" };
  }

  /** What was asked of the manager, by the name of the job's or the link's verb. */
  get requests(): readonly string[] {
    return this.acts.flatMap(({ act }) => {
      const asked = act as unknown as ManagerCall | undefined;
      return asked === undefined ? [] : ["verb" in asked ? asked.verb : asked.call];
    });
  }

  start(text: string): LoneProcess {
    const process = new LoneProcess(text.split(" "), this.machine, (service, request) => {
      if (service === MANAGER && request.call === "job") return this.job && ({ answer: this.job } as unknown as IpcReply);
      if (this.machine.daemon === "stalled" && service !== MANAGER && service !== JOURNAL) return undefined;
      this.acts.push(request);
      if (service === MANAGER) return { answer: this.managed(request["act"] as unknown as ManagerCall) } as unknown as IpcReply;
      const error = this.errors[request.call];
      return error === undefined ? {} : { error };
    });
    this.process = process;
    process.program.start();
    process.settle();
    return process;
  }

  wake(): void {
    this.process?.settle();
  }

  notice(service: string, notice: { readonly event: string; readonly [value: string]: unknown }): void {
    const [id] = this.process?.connections(service) ?? [];
    this.process?.events.push({ kind: "ipc", event: { what: "notice", id: id ?? 0, notice: notice as never } });
    this.wake();
  }

  type(line: string | undefined): void {
    this.process?.events.push({ kind: "input", line });
    this.wake();
  }
}

describe("systemctl start", () => {
  it("returns when the unit is up", () => {
    const b = new TestNode();
    b.start("systemctl start corosync");
    b.wake();
    expect([b.said, b.process?.ended]).toEqual([[], undefined]);
    b.job = { result: "done", unitResult: "success" };
    b.wake();
    expect(b.said).toEqual(["exit 0"]);
  });

  it("tells a failure in systemd's words", () => {
    const b = new TestNode();
    b.start("systemctl start corosync");
    b.job = { result: "failed", unitResult: "exit-code" };
    b.wake();
    expect(b.said).toEqual([
      "stderr: Job for corosync.service failed because the control process exited with error code.\n" +
        'See "systemctl status corosync.service" and "journalctl -xeu corosync.service" for details.\n',
      "exit 1",
    ]);
  });

  it("tells of a start limit how to get past it, and of a job that was given up no more than that", () => {
    const text = (job: SystemctlAnswer): readonly string[] => {
      const b = new TestNode();
      b.start("systemctl start corosync");
      b.job = job;
      b.wake();
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
    const b = new TestNode();
    b.start("systemctl start pveproxy");
    expect(b.said).toEqual(["stderr: Failed to start pveproxy.service: Unit pveproxy.service not found.\n", "exit 5"]);
  });

  it("disable --now says what it removes, and stops", () => {
    const b = new TestNode();
    b.job = { result: "done" };
    b.start("systemctl disable --now corosync");
    expect(b.requests).toEqual(["disable", "reload", "stop"]);
    expect(b.said[0]).toContain('Removed "/etc/systemd/system/multi-user.target.wants/corosync.service".\n');
    expect(b.said[b.said.length - 1]).toBe("exit 0");
  });
});

describe("corosync's tools that act", () => {
  it("expected votes: silent when accepted", () => {
    const b = new TestNode();
    b.machine.files.clear();
    b.start("pvecm expected 1");
    expect(b.said[0]).toContain("does not exist - is this node part of a cluster?");
    b.start("corosync-quorumtool -e 1");
    expect(b.acts).toEqual([{ call: "votequorum_setexpected", votes: 1 }]);
    b.process?.timer();
    expect(b.said).toEqual(["exit 0"]);
  });

  it.each([
    [
      "corosync-quorumtool -e 1",
      { votequorum_setexpected: "CS_ERR_INVALID_PARAM" },
      "stderr: Unable to set expected votes: CS_ERR_INVALID_PARAM\n",
    ],
    [
      "corosync-quorumtool -v 1 -n 9",
      { votequorum_setvotes: "CS_ERR_NAME_NOT_FOUND" },
      "stderr: Unable to set votes 1 for nodeid: 9: CS_ERR_NAME_NOT_FOUND\n",
    ],
    [
      "corosync-quorumtool -v 5",
      { votequorum_setvotes: "CS_ERR_INVALID_PARAM" },
      "stderr: Unable to set votes 5 for nodeid: 1: CS_ERR_INVALID_PARAM\n",
    ],
    [
      "corosync-cmapctl -s totem.secauth str off",
      { cmap_set: "CS_ERR_ACCESS" },
      "stderr: Failed to set key totem.secauth. Error CS_ERR_ACCESS\n",
    ],
    ["corosync-cmapctl -s test.a u8 300", {}, "stderr: 300 is not valid u8 integer\n"],
    ["corosync-cmapctl -s test.a u16 abc", {}, "stderr: abc is not valid u16 type value\n"],
    ["corosync-cmapctl -s test.a foo 1", {}, "stderr: Unknown type foo\n"],
    [
      "corosync-cmapctl -d no.such test.one",
      { cmap_delete: "CS_ERR_NOT_EXIST" },
      "stderr: Can't delete key no.such. Error CS_ERR_NOT_EXIST\n",
    ],
    [
      "corosync-cmapctl -s quorum.wait_for_all u8 1",
      { cmap_set: "CS_ERR_ACCESS" },
      "stderr: Failed to set key quorum.wait_for_all. Error CS_ERR_ACCESS\n",
    ],
  ])("%s, refused", (line, errors, text) => {
    const b = new TestNode(errors);
    b.start(line);
    b.process?.timer();
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
    const b = new TestNode();
    b.start(`corosync-cmapctl -s test.a ${args}`);
    expect(b.acts).toEqual([{ call: "cmap_set", map: "icmap", key: "test.a", type, value }]);
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
    const b = new TestNode();
    if (text !== undefined) b.machine.files.set("/root/load", utf8(text));
    b.start("corosync-cmapctl -p load");
    b.process?.timer();
    const args = ({ call, key, value }: IpcRequest): string =>
      call === "cmap_set" ? `set ${String(key)} ${String(value)}` : call === "cmap_delete" ? `delete ${String(key)}` : "";
    expect([b.acts.map(args), b.said]).toEqual([acts, said]);
  });

  it("cmapctl -s KEY bin takes the bytes of a file", () => {
    const b = new TestNode();
    b.machine.files.set("/tmp/b", utf8("hi\n"));
    b.start("corosync-cmapctl -s t.z bin /tmp/b");
    expect(b.acts).toEqual([{ call: "cmap_set", map: "icmap", key: "t.z", type: "bin", value: utf8("hi\n") }]);
    const none = new TestNode();
    none.start("corosync-cmapctl -s t.z bin /nofile");
    expect([none.acts, none.said[0]]).toEqual([[], "stderr: Can't open input file: No such file or directory\n"]);
  });

  it("cmapctl -D deletes every key of the prefix and exits 0 whatever comes of it", () => {
    const b = new TestNode({ cmap_delete: "CS_ERR_ACCESS" });
    b.start("corosync-cmapctl -D test.");
    b.process?.timer();
    expect(b.said).toEqual([
      "stderr: Can't delete key test.one. Error CS_ERR_ACCESS\n",
      "stderr: Can't delete key test.two. Error CS_ERR_ACCESS\n",
      "exit 0",
    ]);
  });

  it("cfgtool -k announces, then complains of a node that is not there", () => {
    const b = new TestNode({ corosync_cfg_kill_node: "CS_ERR_NOT_EXIST" });
    b.start("corosync-cfgtool -k 77");
    expect(b.said).toEqual(["stdout: Killing node 77\n", "stderr: Could not kill node (error = CS_ERR_NOT_EXIST)\n", "exit 1"]);
  });

  it("a query of a daemon that hangs hangs with it, and answers when it is back", () => {
    const b = new TestNode();
    const awake = b.machine.daemon;
    b.machine.daemon = "stalled";
    b.start("corosync-quorumtool -l");
    b.wake();
    expect(b.said).toEqual([]);
    b.machine.daemon = awake;
    b.wake();
    expect(b.said[1]).toBe("exit 0");
    expect(b.said[0]).toContain("node1 (local)");
  });
});

describe("commands that never end", () => {
  it("quorumtool -m prints the status at the start and at every verdict that differs, until the daemon goes", () => {
    const b = new TestNode();
    b.start("corosync-quorumtool -m");
    expect(b.said).toHaveLength(1);
    b.machine.daemon = cluster(false).daemon;
    for (let n = 0; n < 2; n++) b.notice(QUORUM, { event: "quorum_notification" });
    expect(b.said).toHaveLength(2);
    expect(b.said[1]).toContain("Quorate:          No\n");
    expect(b.said[1]?.endsWith("node2\n\n")).toBe(true);
    const id = b.process?.connections(QUORUM)[0] ?? 0;
    b.process?.events.push({ kind: "ipc", event: { what: "gone", id } });
    b.wake();
    expect(b.said[2]).toBe("exit 1");
  });

  it("cmapctl -T prints what is created, changed and deleted, until q", () => {
    const b = new TestNode();
    b.start("corosync-cmapctl -T test.");
    expect(b.acts).toEqual([{ call: "cmap_track_add", key: "test.", prefix: true }]);
    const entry = (key: string, value: number) => ({ key, type: "u8", value });
    b.notice(CMAP, { event: "cmap_notify", key: "test.one", entry: entry("test.one", 7), before: entry("test.one", 1) });
    b.notice(CMAP, { event: "cmap_notify", key: "test.zz", entry: entry("test.zz", 3), before: undefined });
    b.notice(CMAP, { event: "cmap_notify", key: "test.one", entry: undefined, before: entry("test.one", 7) });
    b.type("what?");
    b.type("q");
    expect(b.said).toEqual([
      'stdout: Type "q" to finish\n',
      "stdout: modify> test.one (u8) = 7\n",
      "stdout: create> test.zz (u8) = 3\n",
      "stdout: delete> test.one (u8) = 7\n",
      "exit 0",
    ]);
  });

  it("cmapctl -m stats -t asks the daemon to tell of every key that is named", () => {
    const b = new TestNode();
    b.start("corosync-cmapctl -m stats -t stats.one stats.two");
    const common = { call: "cmap_track_add", map: "stats", procname: "corosync-cmapct", pid: expect.any(Number) as number, prefix: false };
    expect(b.acts).toEqual([
      { ...common, key: "stats.one" },
      { ...common, key: "stats.two" },
    ]);
    const entry = (value: number) => ({ key: "stats.one", type: "u32", value });
    b.notice(CMAP, { event: "cmap_notify", key: "stats.one", entry: entry(2), before: entry(1) });
    b.type(undefined);
    expect(b.said).toEqual(['stdout: Type "q" to finish\n', "stdout: modify> stats.one (u32) = 2\n", "exit 0"]);
  });

  it("journalctl -f prints the last ten lines, then each new one of the unit", () => {
    const b = new TestNode();
    const add = (unit: string, text: string): void => void b.machine.journal.push(journalLine(unit, text));
    for (let i = 0; i < 12; i++) add("corosync", `line ${i}`);
    b.start("journalctl -f -u corosync -o cat");
    expect(b.said.join("").split("\n")).toHaveLength(11);
    add("kernel", "not mine");
    add("corosync", "mine");
    for (let n = 0; n < 2; n++) b.notice(JOURNAL, { event: "grown" });
    expect(b.said.slice(1)).toEqual(["stdout: mine\n"]);
  });
});

describe("a copy made at any step", () => {
  const lines = [
    "systemctl start corosync",
    "systemctl restart corosync",
    "systemctl enable --now corosync",
    "corosync-quorumtool -e 2",
    "corosync-quorumtool -m",
    "corosync-cfgtool -k 2",
    "corosync-cfgtool -H",
    "corosync-cmapctl -s a.b u8 1",
    "corosync-cmapctl -D test.",
    "journalctl -f",
    "corosync-cmapctl -T test.",
    "corosync-cmapctl -m stats -T stats.",
  ];
  it.each(lines)("%s", (line) => {
    // Every waiting point is reached by holding the daemon, then the unit's job, then the clock; at each one another object goes on from a snapshot.
    const story = (copy: boolean): { said: readonly string[]; acts: readonly IpcRequest[] } => {
      const b = new TestNode();
      const swap = (): void => {
        const before = [...b.said];
        if (copy && b.process?.ended === undefined) b.process?.replace();
        expect(b.said, "restoring prints nothing").toEqual(before);
      };
      const awake = b.machine.daemon;
      b.machine.daemon = "stalled";
      b.start(line);
      swap();
      b.machine.daemon = awake;
      b.wake();
      swap();
      b.job = { result: "done", unitResult: "success" };
      b.wake();
      swap();
      b.process?.timer();
      swap();
      b.machine.daemon = cluster(false).daemon;
      b.machine.journal.push(journalLine("corosync", "news"));
      const change = { key: "test.one", entry: { key: "test.one", type: "u8", value: 5 }, before: undefined };
      if (line.startsWith("journalctl")) b.notice(JOURNAL, { event: "grown" });
      else if (line.endsWith("-m")) b.notice(QUORUM, { event: "quorum_notification" });
      else if (line.includes("-T test.")) b.notice(CMAP, { event: "cmap_notify", ...change });
      swap();
      b.type(undefined);
      return { said: b.said, acts: b.acts };
    };
    expect(story(true)).toEqual(story(false));
    expect(story(false).said.length).toBeGreaterThan(0);
  });
});
