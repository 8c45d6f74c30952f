/** What only asks leaves no trace, whatever tool it is; what runs is a process like any other: in the list, with an end by a signal, and the node is busy with it. */
import { expect, test } from "vitest";
import { tools } from "../../src/engine/command/index.ts";
import { Hasher, type Machine } from "../../src/engine/kernel/index.ts";
import { Operator, confText } from "./operator.ts";

const DEVICE =
  "  device {\n    model: net\n    votes: 1\n    net {\n      algorithm: ffsplit\n      host: 10.10.0.100\n      tls: off\n    }\n  }\n";

/** By machine: node1 and the host of qnetd. */
const QUESTIONS: Readonly<Record<string, readonly string[]>> = {
  node1: [
    "corosync -v",
    "corosync-cfgtool -s",
    "corosync-cfgtool -n",
    "corosync-cfgtool -a 2",
    "corosync-keygen -h",
    "ping -V",
    "corosync-cmapctl",
    "corosync-cmapctl -g totem.version",
    "corosync-cmapctl -m stats",
    "corosync-cpgtool",
    "corosync-qdevice-tool -sv",
    "corosync-quorumtool -s",
    "corosync-quorumtool -l",
    "pvecm status",
    "pvecm nodes",
    "systemctl status corosync",
    "systemctl list-units",
    "journalctl -n 5",
    "ps aux",
    "pidof corosync",
    "pgrep -a coro",
    "kill -0 1",
    "kill -l",
    // What only acts is refused without an option that says on what.
    "pkill",
    "killall",
    "top",
  ],
  qnetd: ["corosync-qnetd-tool -s", "corosync-qnetd-tool -lv"],
};

test("a question leaves every digest as it was", () => {
  const { world } = Operator.up(confText(2, { quorum: DEVICE }));
  const digest = (name: string): string => {
    const h = new Hasher();
    (world.named(name) as Machine).digest(h);
    return h.hex();
  };
  const before = world.names.map(digest);
  const asked = new Set<string>();
  for (const [machine, lines] of Object.entries(QUESTIONS))
    for (const line of lines) {
      const argv = line.split(" ");
      const reply = world.query(machine, { kind: "command", argv, cwd: "/root", stdin: "" });
      expect(reply.kind, line).toBe("result");
      if (reply.kind === "result" && /tool|pvecm/.test(line)) expect([line, reply.stderr, reply.status]).toEqual([line, "", 0]);
      expect(world.names.map(digest), line).toEqual(before);
      asked.add(argv[0] ?? "");
    }
  expect([...tools.keys()].filter((name) => !asked.has(name))).toEqual([]);
});

test("a monitor is a process: ps has it, kill ends it, and the node is busy meanwhile", () => {
  const operator = Operator.up(confText(2));
  const { world } = operator;
  const ended: number[] = [];
  world.watch({ effect: (_at, _machine, effect) => effect.kind === "exit" && effect.id === "m" && void ended.push(effect.status) });
  operator.act(1, { kind: "command", id: "m", argv: ["corosync-quorumtool", "-m"], cwd: "/root", stdin: "" });
  expect(world.status("node1").busy).toBe(true);
  const list = (): string => {
    const reply = world.query("node1", { kind: "command", argv: ["pgrep", "-f", "quorumtool -m"], cwd: "/root", stdin: "" });
    return reply.kind === "result" ? reply.stdout.trim() : reply.kind;
  };
  const pid = list();
  expect(pid).toMatch(/^\d+$/);
  operator.wait(1);
  operator.act(1, { kind: "command", id: "k", argv: ["kill", pid], cwd: "/root", stdin: "" });
  expect([ended, list(), world.status("node1").busy]).toEqual([[143], "", false]);
});

test("what is a question by itself answers the same as a process", () => {
  const operator = Operator.up(confText(2, { quorum: DEVICE }));
  const { world } = operator;
  const said: string[] = [];
  world.watch({
    effect: (_at, _machine, effect) => {
      if (effect.kind === "output") said.push(effect.text);
      if (effect.kind === "exit") said.push(`status ${effect.status}`);
    },
  });
  for (const [machine, lines] of Object.entries(QUESTIONS))
    // The process list has one line more, and the statistics the connection of another pid.
    for (const line of lines.filter((l) => !/^(ps|top|pgrep)|stats/.test(l))) {
      const reply = world.query(machine, { kind: "command", argv: line.split(" "), cwd: "/root", stdin: "" });
      const id = said.length;
      operator.act(machine === "qnetd" ? 0 : 1, { kind: "command", id: `q${id}`, argv: line.split(" "), cwd: "/root", stdin: "" });
      expect(reply, line).toMatchObject({ kind: "result" });
      if (reply.kind === "result") expect(said.splice(0).join(""), line).toBe(`${reply.stdout}${reply.stderr}status ${reply.status}`);
    }
});
