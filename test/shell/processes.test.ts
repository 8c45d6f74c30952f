/** What a shell runs, as the processes of its machine: sessions in ps, jobs by their pids, signals from anybody, process groups. */
import { PassThrough } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import type { World } from "../../src/engine/world/index.ts";
import { ConsoleSession } from "../../src/main/shell/console/session.ts";
import { Terminal } from "../../src/main/shell/console/terminal.ts";
import { WorldPort } from "../../src/main/shell/world-port.ts";
import { on, oneNode } from "./node-shell.ts";

describe("the shell of a line", () => {
  it("is no process where it only asks", async () => {
    const [asked, silent] = [oneNode(), oneNode()];
    const { out } = await on(
      asked,
      "ls -l /root > /dev/null; id; getent passwd root; cat < /etc/hostname; echo /etc/h*; [ -d /mnt ] && cat /mnt/motd; ps -ef | wc -l; kill -l 9; cd /tmp; stat -c %a .",
    );
    expect(out).toBe(
      "uid=0(root) gid=0(root) groups=0(root)\nroot:x:0:0:root:/root:/bin/bash\npve1\n/etc/hostname /etc/hosts\nhello\n4\nKILL\n1777\n",
    );
    expect(asked.closeInstant().digest).toBe(silent.closeInstant().digest);
  });

  it("is one where it starts something, in a scope of its own, and its children are below it", async () => {
    const line = "sleep 100 & ps -o unit=,tty=,args= -p $!,$$; [ $(ps -o ppid= -p $!) = $$ ] && echo child; ps -o cgroup= -p $!; kill $!";
    const { out } = await on(oneNode(), line);
    expect(out.split("\n")).toEqual([
      expect.stringMatching(/^session-1\.scope\s+\?\s+bash -c sleep 100 & ps/),
      expect.stringMatching(/^session-1\.scope\s+\?\s+sleep 100$/),
      "child",
      "0::/user.slice/user-0.slice/session-1.scope",
      "",
    ]);
  });

  it("ends, and nothing of it is left", async () => {
    const world = oneNode();
    const before = (await on(world, "ps -e --no-headers | wc -l")).out;
    await on(world, "sleep 1 & (sleep 2; echo x) > /root/x; echo y | cat >> /root/x; wait");
    expect((await on(world, "cat /root/x; ps -e --no-headers | wc -l")).out).toBe(`x\ny\n${before}`);
  });
});

describe("what a shell carries out itself", () => {
  it("is a process as soon as time passes: programs, subshells, both ends of a pipe", async () => {
    const { out } = await on(
      oneNode(),
      "(while :; do sleep 1; done) & tail -f /etc/hosts | grep nothing & sleep 0.5; ps --no-headers -o args --sid $$; kill %1 %2",
    );
    const [shell, ...rest] = out.trimEnd().split("\n");
    expect(shell).toMatch(/^bash -c /);
    expect(rest.filter((row) => row !== shell)).toEqual(["tail -f /etc/hosts", "grep nothing", "sleep 1", expect.stringMatching(/^ps /)]);
    // The loop, and the pipe's own shell.
    expect(rest.filter((row) => row === shell)).toHaveLength(2);
  });

  it("is ended by anybody's signal", async () => {
    const world = oneNode();
    expect((await on(world, "sleep 100 & killall sleep; wait $!; echo $?; ps -C sleep --no-headers")).out).toBe("143\n");
    expect((await on(world, "(while :; do sleep 1; done) & sleep 1.5; kill -9 $!; wait $!; echo $?")).out).toBe("137\n");
    expect((await on(world, "(sleep 2; pkill tail) & tail -f /etc/hosts > /dev/null; echo $?; date +%S")).out).toBe("143\n23\n");
    expect((await on(world, "journalctl -f -n 0 & kill -HUP $!; wait $!; echo $?")).out).toBe("129\n");
  });

  it("is held by SIGSTOP", async () => {
    const { out } = await on(
      oneNode(),
      "(for i in 1 2 3 4; do sleep 1; echo $i; done) & sleep 1.5; kill -STOP %1; jobs | head -n 1 | cut -c1-13; ps -o stat= -p $!; sleep 10; echo on; kill -CONT $!; wait; date +%S",
    );
    // The second sleep was over long before.
    expect(out).toBe("1\n[1]+  Stopped\nT\non\n2\n3\n4\n33\n");
  });

  it("a program of the machine stops, too", async () => {
    const { out } = await on(
      oneNode(),
      "journalctl -f -n 0 & kill -STOP $!; jobs; ps -o stat= -p $!; kill -CONT $!; jobs; kill $!; wait $!; echo $?",
    );
    expect(out).toBe("[1]+  Stopped                 journalctl -f -n 0\nT\n[1]+  Running                 journalctl -f -n 0 &\n143\n");
  });

  it("the shell itself can be ended", async () => {
    const world = oneNode();
    expect(await on(world, "(sleep 1; kill $PPID $$) & sleep 100; echo not reached")).toMatchObject({ status: 143, out: "" });
    expect((await on(world, "ps -e --no-headers | wc -l")).out).toBe("3\n");
  });
});

describe("kill", () => {
  it("says what bash says", async () => {
    const { out, err } = await on(
      oneNode(),
      "kill 99999; echo $?; kill -0 $$; echo $?; kill -WRONG 1; kill %3; kill x; kill -TERM -77777; kill -l TERM; kill; echo $?",
    );
    expect(out).toBe("1\n0\n15\n2\n");
    expect(err).toBe(
      "bash: kill: (99999) - No such process\nbash: kill: WRONG: invalid signal specification\nbash: kill: %3: no such job\nbash: kill: x: arguments must be process or job IDs\n" +
        "bash: kill: (-77777) - No such process\nbash: kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]\n",
    );
  });

  it("of everybody spares pid 1 and the shell that asks", async () => {
    const world = oneNode();
    const { out } = await on(world, "sleep 100 & kill -9 -1; wait $!; echo $?; pgrep mountd || echo no mountd; ps -o pid=,comm= -p 1");
    expect(out).toBe("137\nno mountd\n    1 systemd\n");
  });

  it("of a group reaches who is in it: a line's shell and all it has started", async () => {
    const { status } = await on(oneNode(), "sleep 100 & (sleep 1; /bin/kill -TERM -- -$$) & sleep 50; echo not reached");
    expect(status).toBe(143);
  });
});

/** Time stands while somebody types. */
class StandingPort extends WorldPort {
  override waiting(): void {
    return;
  }
}

/** Without control sequences. */
const plain = (sent: string): string => sent.replace(/\u001b\[[?0-9;]*[a-zA-Z]|\r/g, "");

class TerminalTab {
  readonly input = new PassThrough();
  private sent = "";
  readonly ended: Promise<number>;

  constructor(readonly world: World) {
    const terminal = new Terminal({ input: this.input, write: (text) => (this.sent += text), size: () => ({ cols: 200, rows: 24 }) });
    // Of the lab only the power of the machine is asked here.
    const client = { call: () => Promise.resolve({ nodes: [world.status("pve1")] }) } as unknown as ConstructorParameters<
      typeof ConsoleSession
    >[0];
    this.ended = new ConsoleSession(client, new StandingPort(world, "pve1"), terminal).interact();
  }

  /** Types a line and waits for the next prompt. @returns what was printed meanwhile */
  async type(line: string): Promise<string> {
    await this.prompt();
    this.sent = "";
    this.input.write(`${line}\r`);
    await this.prompt();
    const shown = plain(this.sent);
    return shown.slice(shown.indexOf("\n") + 1, shown.lastIndexOf("root@pve1:"));
  }

  private async prompt(): Promise<void> {
    for (let n = 0; n < 1000 && !/# $/.test(plain(this.sent)); n++) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe("the shell of a terminal", () => {
  const tabs: TerminalTab[] = [];
  const open = (world: World): TerminalTab => {
    const tab = new TerminalTab(world);
    tabs.push(tab);
    return tab;
  };
  afterEach(async () => {
    for (const tab of tabs.splice(0)) {
      tab.input.end();
      await tab.ended;
    }
  });

  it("is a login shell with a terminal of its own; another one has the next", async () => {
    const world = oneNode();
    const first = open(world);
    await first.type("true");
    const second = open(world);
    expect(await first.type("tty; ps --no-headers -o tty,stat,args --sid $$")).toBe(
      "/dev/pts/0\npts/0    Ss   -bash\npts/0    R    ps --no-headers -o tty,stat,args --sid 839\n".replace(
        "839",
        (await first.type("echo $$")).trim(),
      ),
    );
    expect(await second.type("tty; ps -e --no-headers -o unit,tty,args | grep bash")).toBe(
      "/dev/pts/1\nsession-1.scope                 pts/0    -bash\nsession-2.scope                 pts/1    -bash\n",
    );
  });

  it("gives every pipeline a process group, and a job is signalled as one", async () => {
    const tab = open(oneNode());
    expect(await tab.type("sleep 100 | cat &")).toMatch(/^\[1\] \d+\n$/);
    expect(await tab.type("[ $(ps -o pgid= -p $!) = $! ] && echo leads; ps --no-headers -o comm --ppid $! ")).toBe("leads\nsleep\ncat\n");
    expect(await tab.type("kill -STOP %1")).toBe("[1]+  Stopped                 sleep 100 | cat\n");
    expect(await tab.type("bg")).toBe("[1]+ sleep 100 | cat &\n");
    expect(await tab.type("kill -TERM -$!")).toBe("[1]+  Terminated              sleep 100 | cat\n");
    expect(await tab.type("ps -C sleep,cat --no-headers; echo $?")).toBe("1\n");
  });

  it("says what ended a program in the foreground", async () => {
    const tab = open(oneNode());
    expect(await tab.type("(kill -9 $BASHPID); echo $?")).toBe("137\n");
    await tab.type("sleep 1000 &");
    expect(await tab.type("kill -KILL $!; wait $!; echo $?")).toMatch(/^137\n(?:\[1\]\+  Killed {18}sleep 1000\n)?$/);
  });

  it("ends with its process, and its children with its terminal", async () => {
    const world = oneNode();
    const tab = open(world);
    await tab.type("sleep 100 & journalctl -f > /dev/null &");
    tab.input.write("kill -9 $$\r");
    expect(await tab.ended).toBe(137);
    expect((await on(world, "ps -e --no-headers | wc -l")).out).toBe("3\n");
  });

  it("Ctrl-C ends everything in the foreground, and nothing else", async () => {
    const tab = open(oneNode());
    await tab.type("sleep 1000 &");
    const printed = tab.type("journalctl -f | grep nothing | (while read x; do :; done; cat)");
    await new Promise((resolve) => setTimeout(resolve, 200));
    tab.input.write("\u0003");
    expect(await printed).toBe("^C\n");
    expect(await tab.type("echo $?; ps --no-headers -o args --ppid $$")).toBe(
      "130\nsleep 1000\nps --no-headers -o args --ppid 839\n".replace("839", (await tab.type("echo $$")).trim()),
    );
  });

  it("Ctrl-C ends a wait for a file system that does not answer", async () => {
    const tab = open(oneNode());
    const printed = tab.type("kill -STOP 321; cat /mnt/motd > /root/copy");
    await new Promise((resolve) => setTimeout(resolve, 200));
    tab.input.write("\u0003");
    expect(await printed).toBe("^C\n");
    expect(await tab.type("echo $?; ls /root; kill -CONT 321; cat /mnt/motd")).toBe("130\ncopy\nhello\n");
  });

  it("completes names without waiting for a file system that does not answer", async () => {
    const tab = open(oneNode());
    expect(await tab.type("cat /mnt/mo\t")).toBe("hello\n");
    await tab.type("kill -STOP 321");
    expect(await tab.type("echo /mnt/mo\t /etc/hostn\t")).toBe("/mnt/mo /etc/hostname\n");
  });

  it("keeps /proc/PID/cwd where `cd` went", async () => {
    const tab = open(oneNode());
    expect(await tab.type("cd /etc/corosync; readlink /proc/$$/cwd /proc/self/cwd; (cd /tmp; readlink /proc/$$/cwd)")).toBe(
      "/etc/corosync\n/etc/corosync\n/etc/corosync\n",
    );
  });
});
