/** Every command but `exec`: names, options and help. What they do is in the files beside; the public shapes are CLI.md's. */
import { Command, CommanderError, Option } from "commander";
import { RELEASES, RELEASE_DEFAULT } from "../../engine/config/release.ts";
import { notYet } from "../lab/trouble.ts";
import { report } from "./outcome.ts";

type Values = Record<string, unknown>;
type Run = (args: string[], values: Values) => Promise<number>;

const later: Record<string, string> = {
  clock: "every clock shows the lab's time",
  prove: "export writes the files",
  "ha-sim": "there is no HA stack yet",
};

/** Wraps an action so that its status is what the program ends with. */
interface Builder {
  command(name: string, summary: string, run: Run): Command;
}

const labOption = (): Option => new Option("--lab <dir>", "the lab's directory (default: $QUORATE_LAB, else see where)");
const jsonOption = (): Option => new Option("--json", "the result as JSON");

function lifecycle(b: Builder): void {
  b.command("up", "start a lab, or go on with the one in the directory", async (_, v) => (await import("./lifecycle.ts")).up(v))
    .option("--nodes <n>", "a new lab of n nodes (default 3)")
    .option("--links <n>", "networks between the nodes (default 1)")
    .option("--clustered", "form the cluster before returning")
    .option("--file <lab.yaml>", "the lab of a lab file")
    .option("--import <conf>", "the cluster of a real corosync.conf")
    .option("--qdevice", "with a qnetd host, and the quorum device on every node")
    .option("--release <r>", `what the nodes run: ${RELEASES.join(", ")} (default ${RELEASE_DEFAULT})`)
    .addOption(new Option("--mgmt").hideHelp())
    .addOption(new Option("--template <name>").hideHelp())
    .option("--host <host>", "where the nodes run: workers (each a process of its own; the default) or inprocess")
    .option("--speed <x>", "virtual seconds per second: 0.001 to 100, or max")
    .option("--seed <s>", "seed of every random draw")
    .option("--cold", "power every node on from its disk instead of resuming")
    .option("--foreground", "stay attached; Ctrl-C freezes the lab")
    .addOption(labOption())
    .addOption(jsonOption());
  b.command("down", "freeze the lab; up goes on at the same instant", async (_, v) => (await import("./lifecycle.ts")).down(v)).addOption(
    labOption(),
  );
  b.command("rm", "delete the lab", async (_, v) => (await import("./lifecycle.ts")).rm(v))
    .option("--yes", "without asking")
    .addOption(labOption());
  b.command("ls", "the labs of this computer", async (_, v) => (await import("./lifecycle.ts")).ls(v)).addOption(jsonOption());
  b.command("where", "print the lab's directory", async (_, v) => (await import("./lifecycle.ts")).where(v)).addOption(labOption());
  b.command("doctor", "check what the lab needs of this computer", async () => (await import("./doctor.ts")).doctor());
  b.command("serve", "the page on loopback; prints its address", async (_, v) => (await import("./lifecycle.ts")).serve(v))
    .option("--port <p>", "port on 127.0.0.1 (default: a free one)")
    .option("--open", "open it in the browser")
    .addOption(labOption());
  b.command("app", "the desktop window", async (_, v) => (await import("./lifecycle.ts")).app(v)).addOption(labOption());
}

function acting(b: Builder): void {
  const act =
    (head: string): Run =>
    async (args, v) =>
      (await import("./acts.ts")).act([head, ...args], v);
  const line = (name: string, summary: string, args: string): void => {
    b.command(name, summary, act(name)).argument(args).allowUnknownOption(true).helpOption(false).addOption(labOption());
  };
  line(
    "node",
    "start|stop|kill|pause|resume|reboot NODE… [--after SECONDS]; add NAME [--address ADDRESS…] [--qnetd], rm NAME, rename NAME NEWNAME, set NAME --release RELEASE",
    "[words...]",
  );
  line("net", "add NAME [CIDR], rm NAME, rename NAME NEWNAME", "[words...]");
  line("nic", "up|down NODE NET, add NODE NET [ADDRESS], rm NODE NET, rename NODE NET NAME", "[words...]");
  line("service", "start|stop|restart|kill NODE UNIT", "[words...]");
  line(
    "link",
    "cut|heal|set NODE[:NET] [--to NODE] [--direction in|out|both] [--delay MS] [--jitter MS] [--loss %] [--dup %] [--reorder %] [--rate MBIT] [--mtu BYTES]",
    "[words...]",
  );
  line("block", "NODE PORT/udp|PORT/tcp: its packet filter drops the port, both ways", "[words...]");
  line("unblock", "NODE PORT/udp|PORT/tcp", "[words...]");
  line("switch", "off|on NETWORK", "[words...]");
  line("partition", "GROUP GROUP… (names joined by commas): groups that cannot reach each other", "[words...]");
  line("disk", "NODE ok|full|read-only|error|slow MS: the disk of a machine; slow: each commit takes MS of virtual time", "[words...]");
  line("packet", "drop SOURCE TARGET NET NUMBER: one packet under way is lost", "[words...]");
  line("heal", "undo every cut, partition, block, switch and link setting", "[words...]");
}

function time(b: Builder): void {
  b.command("speed", "virtual seconds per second: 0.001 to 100, or max", async (w, v) => (await import("./acts.ts")).speed(w[0] ?? "", v))
    .argument("<x>")
    .addOption(labOption());
  b.command("pause", "stop the lab's time", async (_, v) => (await import("./acts.ts")).pause(v)).addOption(labOption());
  b.command("resume", "let the lab's time go on", async (_, v) => (await import("./acts.ts")).resume(v)).addOption(labOption());
  b.command("step", "one event or one window, or N of them", async (w, v) => (await import("./acts.ts")).step(w, v))
    .argument("[unit]")
    .argument("[n]")
    .addOption(labOption());
  b.command("skip", "unpaced on to the next change: membership and Totem's states, quorum, units, power, warnings", async (_, v) =>
    (await import("./acts.ts")).skip(v),
  ).addOption(labOption());
  b.command("time", "the lab's instant and speed", async (_, v) => (await import("./acts.ts")).time(v))
    .addOption(labOption())
    .addOption(jsonOption());
}

const many = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

function looking(b: Builder): void {
  b.command("status", "what each node believes", async (w, v) => (await import("./looks.ts")).status(w[0], v))
    .argument("[node]")
    .addOption(labOption())
    .addOption(jsonOption());
  b.command("wait", "until all of it holds on the named nodes", async (_, v) => (await import("./looks.ts")).wait(v))
    .option("--quorate")
    .option("--not-quorate")
    .option("--members <n>")
    .option("--node <node>", "which node (repeatable; default: every powered-on one)", many)
    .option("--synced")
    .option("--idle", "no command running, sync complete, token held")
    .option("--timeout <s>", "virtual seconds (default 60)")
    .addOption(labOption());
  b.command("log", "the journals of the nodes", async (w, v) => (await import("./looks.ts")).log(w[0], v))
    .argument("[node]")
    .option("-f, --follow", "go on with new lines")
    .option("-u, --unit <unit>")
    .option("--since <instant>")
    .addOption(labOption())
    .addOption(jsonOption());
  b.command("record", "the lab's record: lab file, inputs, digests", async (_, v) => (await import("./looks.ts")).record(v))
    .option("--out <file>")
    .addOption(labOption());
}

function past(b: Builder): void {
  b.command("seek", "the status as it was at an instant", async (w, v) => (await import("./looks.ts")).seek(w[0] ?? "", v))
    .argument("<instant>")
    .option("--pause", "stop the lab's time meanwhile")
    .addOption(labOption())
    .addOption(jsonOption());
  b.command("fork", "a lab of its own that goes on from here, or from an instant", async (_, v) => (await import("./past.ts")).fork(v))
    .option("--at <instant>")
    .requiredOption("--out <dir>")
    .addOption(labOption())
    .addOption(jsonOption());
  b.command("snapshot", "keep this instant under a name; without one, list them", async (w, v) =>
    (await import("./past.ts")).snapshot(w[0], v),
  )
    .argument("[name]")
    .option("--delete", "delete the one of that name")
    .addOption(labOption())
    .addOption(jsonOption());
  b.command("rollback", "go on from a snapshot; what came after it is forgotten", async (w, v) =>
    (await import("./past.ts")).rollback(w[0] ?? "", v),
  )
    .argument("<name>")
    .addOption(labOption())
    .addOption(jsonOption());
}

function files(b: Builder): void {
  b.command("run", "run a scenario", async (w, v) => (await import("./run.ts")).run(w[0] ?? "", v))
    .argument("<scenario>")
    .option("--seed <s>")
    .option("--host <host>", "where the nodes run: inprocess (default) or workers, a process each")
    .option("--record <file>", "write the run's record")
    .addOption(jsonOption());
  b.command("replay", "run a record again", async (w, v) => (await import("./run.ts")).replay(w[0] ?? "", v))
    .argument("<record>")
    .option("--until <instant>")
    .option("--host <host>", "where the nodes run: inprocess (default) or workers, a process each")
    .option("--check", "exit 1 unless every digest is that of the record")
    .addOption(jsonOption());
  b.command("fuzz", "seeded faults against the invariants; shrinks what breaks one", async (_, v) => (await import("./fuzz.ts")).fuzz(v))
    .option("--nodes <a..b>", "nodes of a cluster (default 2..7)")
    .option("--links <a..b>", "links between them (default 1..2)")
    .option("--options", "clusters with options of the quorum section")
    .option("--qdevice", "clusters with a quorum device: its host, cable and daemons fail too")
    .option("--reloads", "corosync.conf is changed, on all nodes or on some, and read again")
    .option("--runs <r>", "how many schedules (default 100)")
    .option("--seed <s>", "seed of the first schedule (default: a new one)")
    .option("--seconds <t>", "virtual seconds in which faults come (default 60)")
    .option("--resume <file>", "keep the state in a file, and go on from it")
    .addOption(jsonOption());
  b.command("whatif", "what a cluster can lose: a corosync.conf or a lab file", async (w, v) =>
    (await import("./whatif.ts")).whatif(w[0] ?? "", v),
  )
    .argument("<conf|lab.yaml>")
    .addOption(jsonOption());
  b.command("conf", "check FILE | diff OLD NEW | print FILE: a corosync.conf", async (w, v) => (await import("./files.ts")).conf(w, v))
    .argument("<verb>")
    .argument("[files...]")
    .option("--release <r>", `whose corosync reads it: ${RELEASES.join(", ")} (default ${RELEASE_DEFAULT})`)
    .addOption(jsonOption());
  b.command("import", "a real corosync.conf into a lab file", async (w, v) => (await import("./files.ts")).importFiles(w, v))
    .argument("<file...>")
    .option("--out <lab.yaml>");
  b.command("export", "what to put on real hosts", async (_, v) => (await import("./files.ts")).exportFiles(v))
    .requiredOption("--out <dir>")
    .addOption(labOption());
}

function flat(args: readonly unknown[]): string[] {
  return args.flat().filter((x): x is string => typeof x === "string");
}

/** What is allowed, beside what is wrong. */
function helpful(text: string): string {
  return text.replace(
    /(unknown (?:command|option) '[^\n]*)\n/,
    '$1; "quorate --help" lists the commands, "quorate COMMAND --help" its options\n',
  );
}

/** Runs one command line (without `quorate`) and returns its exit status. */
export async function program(args: string[], lab: string | undefined): Promise<number> {
  const head = args[0];
  if (head !== undefined && Object.hasOwn(later, head)) return report(notYet(head, later[head] ?? ""));
  const { version } = await import("../lab/version.ts");
  let status = 0;
  const root = new Command("quorate").description("A lab for Proxmox VE clusters.").version(version(), "--version").exitOverride();
  root.configureOutput({ writeErr: (text) => process.stderr.write(helpful(text.replace(/^error: /, "quorate: "))) }).helpCommand(false);
  const b: Builder = {
    command(name, summary, run) {
      return root
        .command(name)
        .description(summary)
        .allowExcessArguments(false)
        .exitOverride()
        .action(async (...args: unknown[]) => {
          const command = args.pop();
          const values = args.pop();
          if (!(command instanceof Command)) throw new Error("commander: no command");
          status = await run(flat(args), { ...(lab === undefined ? {} : { lab }), ...(values as Values) });
        });
    },
  };
  lifecycle(b);
  root
    .command("exec")
    .usage("[-i] [--no-wait] [--timeout <s>] [--lab <dir>] <node> [--] <command...>")
    .description("one shell line in the node's shell");
  acting(b);
  time(b);
  looking(b);
  past(b);
  files(b);
  if (args.length === 0) {
    root.outputHelp();
    return 2;
  }
  try {
    await root.parseAsync(args, { from: "user" });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return report(error);
  }
}
