/**
 * Every recorded mistake in a corosync.conf, made on a node: the file is written, `corosync -t` is typed, the daemon is started by hand in the terminal and as
 * a unit. What it prints, how it ends and what the journal then holds equals the recording; where the daemon runs all the same, what quorumtool says too.
 */
import { describe, expect, test } from "vitest";
import { ByteWriter, SEC, utf8, type JournalLine } from "../../src/engine/kernel/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { World } from "../../src/engine/world/index.ts";
import { runLine } from "../../src/main/shell/exec.ts";
import { WorldPort } from "../../src/main/shell/world-port.ts";
import { ELSEWHERE, FILES, two } from "../conf/mistakes.ts";
import { haveReference, skipLine } from "../shared.ts";
import { labOf } from "./lab.ts";
import { Ledger, type Side } from "./ledger.ts";
import { loadRecording, type RecordedStep } from "./recording.ts";
import { keepTable } from "./table.ts";

const CONF = "/etc/corosync/corosync.conf";
const KEY = "/etc/corosync/authkey";

interface Typed {
  out: string;
  err: string;
  status: number;
}

function command(step: RecordedStep, part: string): RecordedStep["commands"][number] | undefined {
  return step.commands.find((c) => c.cmd.includes(part));
}

class Terminal {
  readonly world = new World(labOf(two, "bad-configs"), makeNode);
  private readonly port = new WorldPort(this.world, "node1");

  constructor() {
    this.world.runUntil(20 * SEC);
  }

  async type(line: string): Promise<Typed> {
    const typed = { out: "", err: "" };
    const status = await runLine(this.port, line, {
      stdout: (text) => void (typed.out += text),
      stderr: (text) => void (typed.err += text),
    });
    return { ...typed, status };
  }

  async put(path: string, text: string | undefined): Promise<void> {
    if (text === undefined) await this.type(`rm -f ${path}`);
    else this.write(path, utf8(text));
  }

  private write(path: string, data: Uint8Array): void {
    this.world.act({ to: "machine", machine: "node1", act: { kind: "file-write", path, data, append: false } });
  }

  journal(from = 0): JournalLine[] {
    return this.world.named("node1").journalSince(from);
  }

  /** Puts the stored ring number where the recorded step found it: a start adds 5 to it. */
  async ringBefore(step: RecordedStep): Promise<void> {
    const now = /\(1\.([0-9a-f]+)\) was formed/.exec(command(step, "sh -c")?.out ?? "")?.[1];
    if (now === undefined) return;
    const data = new ByteWriter().u64(parseInt(now, 16) - 5).done();
    await this.type("mkdir -p /var/lib/corosync");
    this.write("/var/lib/corosync/ringid_1", data);
  }

  run(seconds: number): void {
    this.world.runUntil(this.world.now + Math.round(seconds * SEC));
  }
}

const steps = haveReference ? loadRecording("bad-configs").steps : [];
skipLine("conformance bad-configs");

const stopped = (step: RecordedStep & { notes?: string[] }): number | undefined => {
  const status = /start: exited, status (-?\d+)/.exec((step.notes ?? []).join("\n"))?.[1];
  return status === undefined ? undefined : exit(Number(status));
};

const ledger = new Ledger("bad-configs");

/** Without the times. */
function blank(side: Side, text: string): string {
  const timeless = ledger.blank("launch-times", side, text, /^[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d\.\d{3} /gm, () => "TIME ");
  return ledger.blank("launch-date", side, timeless, /^Date:.*$/gm, () => "Date: DATE");
}

/** An abort is 134 to a shell. */
function exit(rc: number | null): number {
  if (rc === -6) ledger.use("launch-abort", "recorded");
  return rc === -6 ? 134 : (rc ?? -1);
}

/** The recorder's own way of looking at the log: what every start says is left out, and the rest cut to twenty lines. */
function seen(log: string): string {
  const dull = /KNET|QB |Service engine (loaded|unloaded)|Unloading all|WD |features|starting up|RLIMIT|Initializing|initialized/;
  const all = log.split("\n").filter((line) => line !== "");
  const last = all.filter((line) => !dull.test(line)).slice(-20);
  ledger.leave("launch-grep", "lab", all.length - last.length);
  return blank("lab", last.map((line) => `${line}\n`).join(""));
}

const FOREGROUND = "corosync -f & sleep 1.5; corosync-quorumtool -s 2>&1; echo status $?; kill %1; wait %1; echo end $?";

/** Plays one step in the recorder's order. @returns pairs of what was recorded and what the lab says */
async function play(terminal: Terminal, step: RecordedStep): Promise<[recorded: unknown, lab: unknown][]> {
  const pairs: [unknown, unknown][] = [];
  await terminal.put(CONF, step.title === "no file" ? undefined : FILES[step.title]);
  const tried = command(step, "corosync -t");
  const typed = await terminal.type(`corosync -t -c ${CONF}`);
  ledger.met += step.commands.length;
  ledger.compared++;
  pairs.push([
    { exit: exit(tried?.rc ?? null), out: tried?.out, err: blank("recorded", tried?.err ?? "") },
    { exit: typed.status, out: typed.out, err: blank("lab", typed.err) },
  ]);
  const recorded = command(step, "sh -c")?.out ?? "";
  const status = stopped(step);
  if (status !== undefined) {
    const started = await terminal.type("corosync -f");
    pairs.push([
      { exit: status, log: blank("recorded", recorded) },
      { exit: started.status, log: seen(started.err) },
    ]);
    ledger.compared++;
    return pairs;
  }
  await terminal.ringBefore(step);
  const started = await terminal.type(FOREGROUND);
  const asked = command(step, "corosync-quorumtool");
  pairs.push([`${blank("recorded", asked?.out ?? "")}${asked?.err ?? ""}status ${asked?.rc}\nend 0\n`, blank("lab", started.out)]);
  pairs.push([blank("recorded", recorded), seen(started.err)]);
  ledger.compared += 2;
  return pairs;
}

const played = steps.filter((s) => s.title in FILES || s.title === "no file");

describe.skipIf(!haveReference)("bad configurations, in a terminal", () => {
  const terminal = new Terminal();

  test("all but two of the recorded steps are about a file; those two have a test of their own", () => {
    expect([steps.length, steps.filter((s) => !played.includes(s)).map((s) => s.title)]).toEqual([74, ELSEWHERE.slice(1)]);
  });

  for (const step of played) {
    test(step.title, async () => {
      for (const [recorded, lab] of await play(terminal, step)) expect(lab).toEqual(recorded);
    });
  }

  test("no authkey, then one of five bytes", async () => {
    const step = steps.find((s) => s.title === ELSEWHERE[1]);
    await terminal.put(CONF, FILES["good file, two nodes"]);
    const said: Typed[] = [];
    for (const key of [undefined, "short"]) {
      await terminal.put(KEY, key);
      for (const line of ["corosync -t", "corosync -f"]) said.push(await terminal.type(line));
    }
    expect(said.map(({ status, err }) => [status, blank("lab", err)])).toEqual(step?.commands.map((c) => [c.rc, blank("recorded", c.err)]));
    ledger.met += step?.commands.length ?? 0;
    ledger.compared += said.length;
    await terminal.put(KEY, "k".repeat(256));
  });

  test("a second one beside a running one, in the foreground and in the background", async () => {
    const step = steps.find((s) => s.title === ELSEWHERE[2]);
    await terminal.put(CONF, two);
    await terminal.type("systemctl start corosync");
    const { status, err } = await terminal.type("corosync -f");
    const recorded = step?.commands[0];
    const lines = blank("recorded", recorded?.err ?? "").split("\n");
    const there = ledger.without("launch-memlock", "recorded", lines, (line) => line.includes("Could not increase RLIMIT_MEMLOCK"));
    // One of the answer's lines is left out, the answer is compared.
    ledger.met += 1 + lines.length - there.length;
    ledger.compared++;
    expect([status, blank("lab", err)]).toEqual([recorded?.rc, there.join("\n")]);
    const from = terminal.journal().length;
    const hidden = await terminal.type("corosync");
    terminal.run(1);
    expect([hidden.status, hidden.err.split("\n").length]).toEqual([0, 3]);
    expect(terminal.journal(from).map((l) => `${l.unit} ${l.level} ${l.text}`)).toEqual(
      [
        "notice Corosync Cluster Engine 3.1.7 starting up",
        "info Corosync built-in features: dbus monitoring watchdog augeas systemd xmlconf vqsim nozzle snmp pie relro bindnow",
        "error Another Corosync instance is already running.",
        "error Corosync Cluster Engine exiting with status 18 at main.c:1590.",
      ].map((l) => `session-1.scope ${l}`),
    );
    expect((await terminal.type("systemctl is-active corosync")).out).toBe("active\n");
  });
});

/** What the daemon wrote, as it stands in its own log. */
const logged = (line: JournalLine): string =>
  line.subsystem === "" ? line.text : `TIME ${line.level.padEnd(7)} [${line.subsystem.padEnd(6)}] ${line.text}`;

describe.skipIf(!haveReference)("bad configurations, as a unit", () => {
  const terminal = new Terminal();
  for (const step of played) {
    test(step.title, async () => {
      await terminal.put(CONF, step.title === "no file" ? undefined : FILES[step.title]);
      await terminal.ringBefore(step);
      const from = terminal.journal().length;
      const started = await terminal.type("systemctl start corosync");
      const status = stopped(step);
      if (step.title === "no file") {
        // the unit's condition keeps systemd from starting it at all
        expect([started.status, (await terminal.type("systemctl is-active corosync")).out]).toEqual([0, "inactive\n"]);
        return;
      }
      if (status === undefined) {
        terminal.run(1);
        terminal.world.act({ to: "machine", machine: "node1", act: { kind: "service", op: "stop", unit: "corosync" } });
        terminal.run(3);
      }
      const lines = terminal.journal(from).filter((l) => l.pid !== 1);
      const recorded = blank("recorded", command(step, "sh -c")?.out ?? "");
      // an assertion's message goes to standard error alone, which the unit throws away
      expect(seen(lines.map(logged).join("\n"))).toBe(status === 134 ? "" : recorded);
      if (status === undefined) {
        expect(started.status).toBe(0);
        return;
      }
      expect(started.status).toBe(1);
      const shown = (await terminal.type("systemctl status corosync")).out;
      expect(shown).toContain(status === 134 ? "code=dumped, signal=ABRT" : `(code=exited, status=${status}`);
    });
  }
});

describe.skipIf(!haveReference)("what is left out", () => {
  test("every recorded command was compared, and every exclusion was used", () => {
    keepTable(ledger);
    const all = steps.reduce((n, step) => n + step.commands.length, 0);
    // The line that the recorder's container adds is no command.
    expect(ledger.met).toBe(all + ledger.count("launch-memlock"));
    ledger.balance();
    expect(ledger.unused()).toEqual([]);
  });
});
