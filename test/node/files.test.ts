/** A node's files from outside: acts and questions, whole files and single calls, and what of them reaches its disk. */
import { describe, expect, test } from "vitest";
import { Hasher, SEC, fromUtf8, utf8, type Effect, type FileCall, type FileReply } from "../../src/engine/kernel/index.ts";
import { imageAfter } from "../../src/engine/machine/files/index.ts";
import { MountServer } from "../machine/mount-server.ts";
import { TestNetwork } from "./lab.ts";

const SERVER_PID = 321;

/** One node with the server on it, and calls from outside. */
class Served {
  readonly network = new TestNetwork(["pve1"], {
    brought: () => ({ argv: ["mountd"], pid: SERVER_PID, make: (os) => new MountServer(os) }),
  });
  private next = 1;

  constructor() {
    this.network.runTo(1000);
  }

  /** What the call's reply is, where it has one already. */
  call(call: FileCall, session?: string): FileReply | undefined {
    const id = this.begin(call, session);
    return this.reply(id);
  }

  begin(call: FileCall, session?: string): string {
    const id = `f${this.next++}`;
    this.network.act(0, { kind: "file", id, call, ...(session === undefined ? {} : { session }) });
    return id;
  }

  reply(id: string): FileReply | undefined {
    const replies = this.network.effects.flatMap(({ effect }) => (effect.kind === "file-reply" && effect.id === id ? [effect.reply] : []));
    expect(replies.length).toBeLessThan(2);
    return replies[0];
  }

  signal(signal: "SIGSTOP" | "SIGCONT" | "SIGKILL"): void {
    this.network.act(0, { kind: "session-kill", session: "", id: "k", pid: SERVER_PID, signal });
  }

  query(call: FileCall): unknown {
    return this.network.node(0).query(this.network.now, { kind: "file", call });
  }
}

const MOTD: FileCall = { call: "stat", path: "/mnt/motd" };

describe("a node", () => {
  test("answers file acts with an effect and file questions without one", () => {
    const network = new TestNetwork(["pve1"]);
    network.runTo(1000);
    network.effects = [];
    network.act(0, { kind: "file-write", path: "/root/a", data: utf8("hello\n"), append: false });
    network.act(0, { kind: "file-mkdir", path: "/nowhere/b", parents: false });
    expect(network.effects.map((e) => e.effect)).toEqual([
      { kind: "file-result", path: "/root/a", error: undefined },
      { kind: "file-result", path: "/nowhere/b", error: "ENOENT" },
    ]);
    expect(network.node(0).query(1000, { kind: "file-read", path: "/root/a" })).toEqual({ kind: "file", data: utf8("hello\n") });
    expect(network.node(0).query(1000, { kind: "file-stat", path: "/etc/os-release" })).toMatchObject({
      stat: { type: "symlink", mode: 0o777 },
    });
    expect(network.node(0).query(1000, { kind: "file-list", path: "/etc/corosync" })).toMatchObject({
      entries: [
        { name: "authkey", stat: { mode: 0o400, size: 256 } },
        { name: "corosync.conf", stat: { mode: 0o644 } },
      ],
    });
    expect(network.node(0).query(1000, { kind: "file-read", path: "/etc/shadow" })).toEqual({ kind: "error", errno: "ENOENT" });
  });
});

describe("a mount that a program of the node serves", () => {
  test("is answered by it, within the act, and a question is answered without an event", () => {
    const s = new Served();
    expect(s.call(MOTD)).toMatchObject({ ok: true, stat: { type: "file", size: 6 } });
    expect(s.call({ call: "readdir", path: "/mnt" })).toMatchObject({ entries: [{ name: "motd" }, { name: "sub" }] });
    expect(s.query(MOTD)).toMatchObject({ kind: "file-reply", reply: { ok: true, stat: { size: 6 } } });
    expect(s.query({ call: "mkdir", path: "/mnt/x" })).toEqual({ kind: "acts" });
    const read = s.network.node(0).query(s.network.now, { kind: "file-read", path: "/mnt/motd" });
    expect(read.kind === "file" && fromUtf8(read.data)).toBe("hello\n");
  });

  test("stopped, it hangs its callers, until it runs again or they are interrupted", () => {
    const s = new Served();
    s.signal("SIGSTOP");
    const [first, second] = [s.begin(MOTD), s.begin(MOTD)];
    s.network.runTo(5 * SEC);
    expect([s.reply(first), s.reply(second)]).toEqual([undefined, undefined]);
    expect(s.query(MOTD)).toEqual({ kind: "would-wait" });
    s.network.act(0, { kind: "file-interrupt", id: first });
    expect(s.reply(first)).toEqual({ ok: false, errno: "EINTR" });
    s.signal("SIGCONT");
    expect(s.reply(second)).toMatchObject({ ok: true, stat: { size: 6 } });
  });

  test("who waits for it shows as D, in ps, top and /proc; a stopped one as T", () => {
    const s = new Served();
    s.network.act(0, { kind: "session-open", session: "a", terminal: true, cwd: "/" });
    const shell = s.network.effects.flatMap(({ effect }) => (effect.kind === "session" ? [effect.pid] : []))[0] ?? 0;
    const ask = (line: string): string => {
      const answer = s.network.node(0).query(s.network.now, { kind: "command", argv: line.split(" "), cwd: "/", stdin: "" });
      return answer.kind === "result" ? answer.stdout : answer.kind;
    };
    const states = (): string => ask(`ps -o stat=,wchan= -p ${shell},${SERVER_PID}`);
    expect(states()).toBe("Ss   -\nSs   -\n");
    s.signal("SIGSTOP");
    const waiting = s.begin(MOTD, "a");
    expect(states()).toBe("Ts   do_signal_stop\nDs   request_wait_answer\n");
    expect(ask("pgrep -r D -l .")).toBe(`${shell} bash\n`);
    expect(ask(`top -bn1 -p ${shell},${SERVER_PID}`).split("\n")[1]).toBe(
      "Tasks:   2 total,   0 running,   1 sleeping,   1 stopped,   0 zombie",
    );
    const stat = s.network.node(0).query(s.network.now, { kind: "file-read", path: `/proc/${shell}/stat` });
    expect(stat.kind === "file" && fromUtf8(stat.data)).toMatch(/^\d+ \(bash\) D /);
    s.signal("SIGCONT");
    expect(s.reply(waiting)).toMatchObject({ ok: true });
    expect(states()).toBe("Ss   -\nSs   -\n");
  });

  test("killed, it is not connected; unmounted, an empty directory", () => {
    const s = new Served();
    s.signal("SIGSTOP");
    const waiting = s.begin(MOTD);
    s.signal("SIGKILL");
    expect(s.reply(waiting)).toEqual({ ok: false, errno: "ECONNABORTED" });
    expect(s.call(MOTD)).toEqual({ ok: false, errno: "ENOTCONN" });
    expect(s.query(MOTD)).toEqual({ kind: "file-reply", reply: { ok: false, errno: "ENOTCONN" } });
    expect(s.call({ call: "umount", path: "/mnt" })).toEqual({ ok: true, value: "done" });
    expect(s.call({ call: "readdir", path: "/mnt" })).toEqual({ ok: true, value: "entries", entries: [] });
  });

  test("unmounted below it, the program hears so", () => {
    const s = new Served();
    expect(s.call({ call: "umount", path: "/mnt" })).toEqual({ ok: true, value: "done" });
    const list = s.network.node(0).query(s.network.now, { kind: "command", argv: ["pgrep", "mountd"], cwd: "/", stdin: "" });
    expect(list).toMatchObject({ kind: "result", stdout: "", status: 1 });
  });

  test("a power cut answers whoever waits, and takes the mount", () => {
    const s = new Served();
    s.signal("SIGSTOP");
    const waiting = s.begin(MOTD);
    s.network.act(0, { kind: "power-cut" });
    expect(s.reply(waiting)).toEqual({ ok: false, errno: "EHOSTDOWN" });
    expect(s.call(MOTD)).toEqual({ ok: false, errno: "EHOSTDOWN" });
    expect(s.query(MOTD)).toEqual({ kind: "file-reply", reply: { ok: false, errno: "ENOENT" } });
  });

  test("a snapshot with a call in the air goes on to the same end", () => {
    const [a, b] = [new Served(), new Served()];
    a.signal("SIGSTOP");
    const waiting = a.begin(MOTD);
    b.network.node(0).restore(structuredClone(a.network.node(0).snapshot()));
    const digest = (s: Served): string => {
      const h = new Hasher();
      s.network.node(0).digest(h);
      return h.hex();
    };
    expect(digest(b)).toBe(digest(a));
    for (const s of [a, b]) s.signal("SIGCONT");
    expect(b.reply(waiting)).toEqual(a.reply(waiting));
    expect(a.reply(waiting)).toMatchObject({ ok: true });
    expect(digest(b)).toBe(digest(a));
  });
});

describe("a session's file calls", () => {
  test("go by the shell's directory, mask and descriptors, which are gone with it", () => {
    const s = new Served();
    s.network.act(0, { kind: "session-open", session: "t", terminal: true, cwd: "/root" });
    expect(s.call({ call: "umask", mask: 0o077 }, "t")).toEqual({ ok: true, value: "count", count: 0o022 });
    const flags = { access: "w", create: true, append: true } as const;
    expect(s.call({ call: "open", path: "log", flags, mode: 0o666 }, "t")).toEqual({ ok: true, value: "fd", fd: 3 });
    for (const line of ["one\n", "two\n"]) expect(s.call({ call: "write", fd: 3, data: utf8(line) }, "t")).toMatchObject({ count: 4 });
    expect(s.query({ call: "stat", path: "/root/log" })).toMatchObject({ reply: { stat: { mode: 0o600, size: 8 } } });
    const relative = s.network.node(0).query(s.network.now, { kind: "file", session: "t", call: { call: "stat", path: "log" } });
    expect(relative).toMatchObject({ reply: { stat: { size: 8 } } });
    s.network.act(0, { kind: "session-cd", session: "t", cwd: "/tmp" });
    expect(s.call({ call: "getcwd" }, "t")).toEqual({ ok: true, value: "path", path: "/tmp" });
    expect(s.call({ call: "write", fd: 3, data: utf8("x") })).toEqual({ ok: false, errno: "EBADF" });
    s.network.act(0, { kind: "session-close", session: "t", status: 0 });
    expect(s.call({ call: "getcwd" }, "t")).toEqual({ ok: false, errno: "EBADF" });
  });

  test("the shell's end interrupts what it waits for", () => {
    const s = new Served();
    s.network.act(0, { kind: "session-open", session: "t", terminal: true, cwd: "/root" });
    s.signal("SIGSTOP");
    const waiting = s.begin(MOTD, "t");
    s.network.act(0, { kind: "session-close", session: "t" });
    expect(s.reply(waiting)).toEqual({ ok: false, errno: "EINTR" });
  });
});

describe("the disk of a node", () => {
  const read = (network: TestNetwork, path: string): string => {
    const reply = network.node(0).query(network.now, { kind: "file-read", path });
    return reply.kind === "file" ? fromUtf8(reply.data) : reply.kind;
  };

  test("is what it was delivered with and its commits after it, in order", () => {
    const network = new TestNetwork(["pve1"]);
    const began = network.node(0).diskImage();
    expect(began.image.seq).toBe(0);
    network.runTo(3 * SEC);
    network.act(0, { kind: "file-write", path: "/root/a", data: utf8("hello\n"), append: false });
    network.act(0, { kind: "file-write", path: "/run/b", data: utf8("gone\n"), append: false });
    network.act(0, { kind: "nic-add", nic: { name: "eno2", net: "net1", address: "10.20.0.1" } });
    network.act(0, { kind: "renamed", name: "pve9" });
    const commits = network.commits.map(({ commit }) => commit);
    expect(commits.map(({ seq }) => seq)).toEqual(commits.map((_, i) => i + 1));
    expect(network.node(0).diskSeq()).toBe(commits.length);
    const { image, chunks } = network.node(0).diskImage();
    expect(imageAfter(began.image, commits)).toEqual(image);
    for (const { hash, data } of commits.flatMap((c) => c.chunks)) if (chunks.has(hash)) expect(chunks.get(hash)).toEqual(data);
    network.act(0, { kind: "power-cut" });
    expect([read(network, "/root/a"), read(network, "/run/b")]).toEqual(["hello\n", "error"]);
    expect(read(network, "/etc/hostname")).toBe("pve9\n");
    expect(read(network, "/etc/hosts")).toContain("10.10.0.1 pve9.lab.local pve9\n");
    expect(read(network, "/etc/network/interfaces")).toContain("iface eno2 inet static\n\taddress 10.20.0.1/24\n");
  });

  test("another one is put in while the machine is off, and the kernel says so once", () => {
    const [network, other] = [new TestNetwork(["pve1"], { power: "off" }), new TestNetwork(["pve1"])];
    other.runTo(SEC);
    other.act(0, { kind: "file-write", path: "/root/by-hand", data: utf8("edited\n"), append: false });
    const { image, chunks } = other.node(0).diskImage();
    const pieces = [...chunks].map(([hash, data]) => ({ hash, data }));
    const own = network.node(0).diskImage().chunks;
    network.act(0, { kind: "disk", image, chunks: pieces.filter(({ hash }) => !own.has(hash)) });
    expect(network.node(0).diskImage()).toEqual({ image, chunks });
    expect([read(network, "/root/by-hand"), network.node(0).diskSeq()]).toEqual(["edited\n", image.seq]);
    const said = (): number => network.lines(0).filter((line) => line.includes("modified while the machine was off")).length;
    network.act(0, { kind: "power-on" });
    network.runTo(SEC);
    expect(said()).toBe(1);
    // A machine that is on keeps what it has.
    network.act(0, { kind: "disk", image: { seq: 0, inodes: [], entries: [] }, chunks: [] });
    expect(read(network, "/root/by-hand")).toBe("edited\n");
    network.act(0, { kind: "power-cut" });
    network.act(0, { kind: "power-on" });
    network.runTo(2 * SEC);
    expect(said()).toBe(1);
  });

  test("rows that lead nowhere are dropped and counted; without a root directory the disk is empty", () => {
    const network = new TestNetwork(["pve1"], { power: "off" });
    const { image } = network.node(0).diskImage();
    const entries = [...image.entries, { dir: 2, name: "nothing", ino: 9999 }];
    network.act(0, { kind: "disk", image: { ...image, entries }, chunks: [{ hash: "0".repeat(32), data: utf8("forged") }] });
    network.act(0, { kind: "power-on" });
    expect(network.lines(0).at(-1)).toContain("1 damaged rows dropped");
    network.act(0, { kind: "power-cut" });
    network.act(0, { kind: "disk", image: { seq: 7, inodes: [], entries: [] }, chunks: [] });
    network.act(0, { kind: "power-on" });
    network.runTo(3 * SEC);
    expect(network.node(0).query(network.now, { kind: "file-list", path: "/" })).toEqual({ kind: "list", entries: [] });
    expect(network.node(0).diskSeq()).toBe(7);
  });

  test("reading leaves access times as relatime does, and a question leaves nothing", () => {
    const network = new TestNetwork(["pve1"]);
    network.runTo(10 * SEC);
    const before = network.commits.length;
    const read: Effect[] = [];
    const node = network.node(0);
    node.query(network.now, { kind: "file-read", path: "/etc/hosts" });
    node.query(network.now, { kind: "file", call: { call: "readdir", path: "/etc" } });
    node.act(network.now, { kind: "file", id: "r", call: { call: "readdir", path: "/srv" } }, (effect) => read.push(effect));
    expect(network.commits.length).toBe(before);
    expect(read.map(({ kind }) => kind)).toEqual(["commit", "file-reply"]);
  });
});
