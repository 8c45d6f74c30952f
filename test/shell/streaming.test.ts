/** What must happen while a line runs: pipes stream, Ctrl-C ends and keeps what was printed, readers that leave end their writers, prompts are answered. */
import { describe, expect, it } from "vitest";
import { Interrupt } from "../../src/main/shell/interrupt.ts";
import { Machine, sh } from "./machine.ts";

/** Ctrl-C as soon as `count` lines were printed. */
async function interruptedAfter(
  line: string,
  count: number,
  machine = new Machine(),
): Promise<{ status: number; out: string; machine: Machine }> {
  const interrupt = new Interrupt();
  let lines = 0;
  const ran = await sh(line, machine, {
    interrupt,
    onOut: (text) => {
      lines += text.split("\n").length - 1;
      if (lines >= count) interrupt.fire(2);
    },
  });
  return { status: ran.status, out: ran.out, machine };
}

describe("pipes stream", () => {
  it("a followed journal passes through grep line by line, each at its own virtual second", async () => {
    const machine = new Machine();
    const seen: string[] = [];
    const interrupt = new Interrupt();
    const { status } = await sh("journalctl -f | grep TOTEM", machine, {
      interrupt,
      onOut: (text) => {
        seen.push(`${machine.instant / 1e6}: ${text.trim()}`);
        if (seen.length === 3) interrupt.fire(2);
      },
    });
    expect(seen).toEqual(["1: [TOTEM ] token 1", "2: [TOTEM ] token 2", "3: [TOTEM ] token 3"]);
    expect(status).toBe(130);
    expect(machine.signals).toEqual(["1 SIGINT"]);
  });

  it("three stages, the middle one a loop of the shell", async () => {
    const { out, status } = await interruptedAfter(
      'journalctl -f | while read -r a b c; do echo "$c/$b"; done | grep --line-buffered token',
      2,
    );
    expect(out.split("\n").slice(0, 2)).toEqual(["token 1/]", "token 2/]"]);
    expect(status).toBe(130);
  });

  it("head ends, and so does the endless command before it", async () => {
    const machine = new Machine();
    expect(await sh("journalctl -f | head -n 2", machine)).toEqual({ status: 0, out: "[TOTEM ] token 1\n[QUORUM] members 1\n", err: "" });
    expect(machine.signals).toEqual(["1 SIGTERM"]);
    expect(machine.instant).toBe(1_000_000);
  });

  it("a writer nobody reads gets a broken pipe: 141, and no message", async () => {
    expect(await sh("yes | head -n 1; echo ${PIPESTATUS[@]}")).toEqual({ status: 0, out: "y\n141 0\n", err: "" });
    expect(await sh("yes | true; echo $?")).toEqual({ status: 0, out: "0\n", err: "" });
    expect(await sh("for i in 1 2 3; do echo $i; sleep 1; done | head -n 1")).toEqual({ status: 0, out: "1\n", err: "" });
  });

  it("back-pressure: a pipe holds 64 KiB, not all that is written", async () => {
    const machine = new Machine();
    const { out } = await sh("{ yes | head -c 400000; echo end >&2; } | { sleep 1; wc -c; }", machine);
    expect(out.trim()).toBe("400000");
  });

  it("a loop prints as it goes", async () => {
    const machine = new Machine();
    const times: number[] = [];
    await sh("for i in 1 2 3; do echo $i; sleep 2; done", machine, { onOut: () => times.push(machine.instant / 1e6) });
    expect(times).toEqual([0, 2, 4]);
  });

  it("what is written to a file is there for the next reader, also in the background", async () => {
    expect((await sh("(echo one; sleep 1; echo two) > /tmp/f & sleep 0.5; cat /tmp/f; wait; cat /tmp/f")).out).toBe("one\none\ntwo\n");
  });
});

describe("Ctrl-C", () => {
  it("ends a sleep, a loop, a computing loop and a whole list with 130, and keeps the output", async () => {
    for (const rest of [
      "sleep 1000",
      "while true; do sleep 1; done",
      "while :; do :; done",
      "sleep 1000 | cat",
      "(sleep 1000)",
      "x=$(sleep 1000)",
      "tail -f /etc/hosts > /dev/null",
      "yes > /dev/null",
    ]) {
      const { status, out } = await interruptedAfter(`echo before; ${rest}; echo after`, 1);
      expect([rest, status, out]).toEqual([rest, 130, "before\n"]);
    }
  });

  it("a command that does not end by the signal is left after a moment", async () => {
    const { status, out } = await interruptedAfter("echo before; stubborn; echo after", 1);
    expect([status, out]).toEqual([130, "before\n"]);
  });

  it("runs the INT trap, then the EXIT trap", async () => {
    const { status, out } = await interruptedAfter("trap 'echo caught' INT; trap 'echo bye' EXIT; echo go; sleep 100", 1);
    expect(out).toBe("go\ncaught\nbye\n");
    expect(status).toBe(0);
  });

  it("ends background jobs too, when the line is over but for them", async () => {
    const { status } = await interruptedAfter("sleep 1000 & echo started", 1);
    expect(status).toBe(0);
  });

  it("before anything ran is a status, not an error", async () => {
    const interrupt = new Interrupt();
    interrupt.fire(2);
    expect(await sh("echo never", new Machine(), { interrupt })).toEqual({ status: 130, out: "", err: "" });
  });
});

describe("prompts and input", () => {
  it("a command that asks gets lines of standard input", async () => {
    const { out, status } = await sh("pveadd 10.0.0.11", new Machine(), { stdin: ["quorate\n", "yes\n"] });
    expect(out).toContain("answers: quorate, yes");
    expect(status).toBe(0);
  });

  it("from a pipe as well, and end of input is end of input", async () => {
    expect((await sh("printf 'secret\\nyes\\n' | pveadd x")).out).toContain("answers: secret, yes");
    expect((await sh("pveadd x")).out).toContain("answers: (end of input), (end of input)");
  });

  it("a question takes nothing from the input of a loop", async () => {
    expect((await sh("printf '1\\n2\\n' | while read n; do pvecm status | grep -c Quorate; done")).out).toBe("2\n2\n");
  });

  it("input arrives in pieces", async () => {
    expect((await sh("read a; read b; echo $b-$a; cat", new Machine(), { stdin: ["on", "e\ntwo\nre", "st\n"] })).out).toBe(
      "two-one\nrest\n",
    );
  });

  it("read -t gives up after its virtual time", async () => {
    const machine = new Machine();
    const never = new Promise<string | null>(() => undefined);
    let out = "";
    const { runLine } = await import("../../src/main/shell/exec.ts");
    await runLine(machine, "read -t 5 x; echo $?", { stdout: (text) => (out += text), stderr: () => undefined, stdin: () => never });
    expect(out).toBe("142\n");
    expect(machine.instant).toBe(5_000_000);
  });
});
