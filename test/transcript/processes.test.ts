/**
 * Processes told as transcripts: each file under processes/ is read from top to bottom; a line is a command, what follows `----` up to the next empty line is what was printed, logged and told
 * meanwhile. `QUORATE_REWRITE=1` writes the files anew, for a person to read the difference.
 */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { peekTool } from "../../src/engine/command/tool-peek.ts";
import { toolNamed, toolProgram } from "../../src/engine/command/tools.ts";
import { MINUTE, SEC, signalNamed } from "../../src/engine/kernel/index.ts";
import { probe } from "../machine/probes.ts";
import { SmallMachine } from "../machine/small-machine.ts";

const DIR = new URL("./processes/", import.meta.url);

const PASSWD = "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n";

class Teller {
  private readonly machine = new SmallMachine((argv) => toolProgram(argv) ?? probe(argv), { "/etc/passwd": PASSWD });
  private runs = 0;

  run(line: string): string[] {
    const m = this.machine;
    const [, session, typed] = /^(\w+)\$ (.*)$/.exec(line) ?? [];
    const [verb = "", ...args] = line.split(" ");
    if (session !== undefined && typed !== undefined) this.type(session, typed);
    else if (verb === "unit") m.spawn(args.slice(1), { kind: "journal" }, { unit: args[0] ?? "", session: "", tty: "" });
    else if (verb === "terminal") m.act({ kind: "session-open", session: args[0] ?? "", terminal: true, cwd: "/root" });
    else if (verb === "script") m.act({ kind: "session-open", session: args[0] ?? "", terminal: false, cwd: "/root" });
    else if (verb === "hang-up") m.act({ kind: "session-close", session: args[0] ?? "" });
    else if (verb === "exit") m.act({ kind: "session-close", session: args[0] ?? "", status: 0 });
    else if (verb === "signal") this.signal(args[0] ?? "", args[1] ?? "");
    else if (verb === "ctrl-c") m.runtime.signalCommand(args[0] ?? "", "SIGINT");
    else if (verb === "input") m.runtime.inputCommand(args[0] ?? "", args.slice(1).join(" "));
    else if (verb === "seconds") m.wait(Number(args[0]) * SEC);
    else if (verb === "minutes") m.wait(Number(args[0]) * MINUTE);
    else if (verb === "stall") m.runtime.stall();
    else if (verb === "resume") m.runtime.resume();
    else if (verb === "ask") return this.ask(args[0] ?? "", args.slice(1));
    else throw new Error(`no such transcript command: ${line}`);
    return m.heard().flatMap(lines);
  }

  private type(session: string, typed: string): void {
    const argv = typed.match(/'[^']*'|\S+/g)?.map((w) => w.replace(/^'|'$/g, "")) ?? [];
    this.runs++;
    this.machine.act({ kind: "session-run", session, id: `#${this.runs}`, argv, cwd: "/root" });
  }

  private signal(name: string, word: string): void {
    const process = this.machine.table.records().find((r) => r.comm === name);
    const signal = signalNamed(word);
    if (process === undefined || signal === undefined) throw new Error(`no process ${name} or no signal ${word}`);
    this.machine.signal(process.pid, signal);
  }

  /** The same command line as a question. */
  private ask(session: string, argv: readonly string[]): string[] {
    const tool = toolNamed(argv[0] ?? "");
    if (tool === undefined) throw new Error(`no tool ${argv.join(" ")}`);
    const before = this.machine.digest();
    const answer = peekTool(tool, argv, this.machine.runtime.peeker({ argv, cwd: "/root", session }));
    expect(this.machine.digest()).toBe(before);
    if (answer === "acts") return ["(has to be a process)"];
    return [...lines(`${answer.stdout}${answer.stderr}`.trimEnd()), `(status ${answer.status})`];
  }
}

/** An empty line ends a block, so that one that is printed is a dot here. */
function lines(text: string): string[] {
  return text.split("\n").map((line) => (line === "" ? "." : line));
}

function retell(text: string): string {
  const teller = new Teller();
  const told = text
    .trimEnd()
    .split("\n\n")
    .map((block) => {
      const commands = block.split("\n----\n")[0]?.split("\n") ?? [];
      const answer = commands.flatMap((line) => (line.startsWith("# ") ? [] : teller.run(line)));
      return [...commands, ...(answer.length > 0 ? ["----", ...answer] : [])].join("\n");
    });
  return `${told.join("\n\n")}\n`;
}

for (const file of readdirSync(DIR).filter((f) => f.endsWith(".txt"))) {
  test(`transcript ${file}`, () => {
    const url = new URL(file, DIR);
    const text = readFileSync(url, "utf8");
    const told = retell(text);
    if (process.env["QUORATE_REWRITE"] === "1") writeFileSync(url, told);
    else expect(told).toBe(text);
  });
}
