/** The service manager told as transcripts: what a line of one means, on a machine whose programs do as they are told. */
import { runSystemctl } from "../machine/systemctl-run.ts";
import { EPOCH, TestMachine, type Behaviour } from "../machine/systemd-machine.ts";
import { JOURNAL, peekTool, toolNamed } from "../../src/engine/command/index.ts";
import { MS, SEC, type IpcReply, type Peeker, type ProcessExit, type Signal } from "../../src/engine/kernel/index.ts";

const exitOf = (word: string): ProcessExit => (/^\d+$/.test(word) ? { code: Number(word) } : { signal: word as Signal });

/** `ready=10 term=5 ends=20:1`: milliseconds, and what it ends with. */
function behaviourOf(items: readonly string[]): Behaviour {
  const out: Behaviour = {};
  for (const word of items) {
    const [key = "", value = ""] = word.split("=");
    if (key === "ready") out.ready = Number(value) * MS;
    else if (key === "term") out.term = value === "ignored" ? "ignored" : Number(value) * MS;
    else if (key === "ends") {
      const [after = "0", exit = "0"] = value.split(":");
      out.ends = { after: Number(after) * MS, exit: exitOf(exit) };
    } else throw new Error(`no such behaviour: ${word}`);
  }
  return out;
}

/** A machine whose journal alone answers. */
function journalOf(m: TestMachine): Peeker {
  const nothing = { ok: false, errno: "ENOENT" } as const;
  return {
    self: () => ({ now: m.now, unixMicros: EPOCH + m.now, hostname: m.manager.hooks.host.hostname, release: "3.1.7", pid: 0, cwd: "/" }),
    serves: (service) => service === JOURNAL,
    service: (_service, { from }) => ({
      peek: "reply",
      reply: { from: from ?? 0, lines: m.journal.slice(Number(from)) } as unknown as IpcReply,
    }),
    file: () => nothing,
    contents: () => nothing,
  };
}

function journalctl(m: TestMachine, argv: readonly string[]): string {
  const tool = toolNamed("journalctl");
  const answer = tool && peekTool(tool, argv, journalOf(m));
  if (answer === undefined || answer === "acts") throw new Error(`${argv.join(" ")} is no question`);
  return answer.stdout;
}

export class SystemdTeller {
  private machine = new TestMachine();

  /** One line: a command of the transcript, or after `$` one of the machine. What it answers are lines. */
  run(line: string): string[] {
    const [verb = "", ...args] = line.split(" ");
    const m = this.machine;
    switch (verb) {
      case "machine":
        this.machine = new TestMachine(args);
        return [];
      case "program":
        m.behaviours.set(args[0] ?? "", behaviourOf(args.slice(1)));
        return [];
      case "file":
        m.write(args[0] ?? "", `${args.slice(1).join(" ").replaceAll("|", "\n")}\n`);
        return [];
      case "boot":
        m.boot();
        return m.said();
      case "run":
        m.run(Number(args[0]) * SEC);
        return m.said();
      case "end":
        m.end(m.pidOf(args[0] ?? ""), exitOf(args[1] ?? "0"));
        return m.said();
      case "$":
        return this.type(args);
      default:
        throw new Error(`no such transcript command: ${line}`);
    }
  }

  private type(argv: readonly string[]): string[] {
    const m = this.machine;
    const lines = (text: string): string[] => (text === "" ? [] : text.replace(/\n$/, "").split("\n"));
    if (argv[0] === "journalctl") return lines(journalctl(m, argv));
    const { stdout, stderr, status } = runSystemctl(m, argv);
    return [...lines(stdout), ...lines(stderr), ...(status === 0 ? [] : [`(status ${status})`]), ...m.said()];
  }
}
