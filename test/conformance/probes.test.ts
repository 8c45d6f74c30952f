/**
 * Further questions put to corosync 3.1.7 and to 3.1.10-pve3 alike: files that the two judge otherwise, tried with `corosync -t` and started, and the tools' own calls. Each answer is compared with
 * that of the lab's release, line by line.
 */
import { describe, expect, test } from "vitest";
import { SEC } from "../../src/engine/kernel/index.ts";
import type { Release } from "../../src/engine/config/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { World } from "../../src/engine/world/index.ts";
import { runLine } from "../../src/main/shell/exec.ts";
import { WorldPort } from "../../src/main/shell/world-port.ts";
import { two } from "../conf/mistakes.ts";
import { haveReference, reference, skipLine } from "../shared.ts";
import { changedFile } from "./changed-files.ts";
import type { ExclusionName } from "./exclusions.ts";
import { labOf } from "./lab.ts";
import { Ledger, type Side } from "./ledger.ts";
import type { RecordedStep } from "./recording.ts";
import { keepTable } from "./table.ts";

type Step = RecordedStep & { readonly notes: readonly string[] };

const FOLDERS: readonly (readonly [Release, string])[] = [
  ["3.1.7", "3.1.7"],
  ["9.2", "3.1.10-pve3"],
];
const probe = (folder: string, name: string): readonly Step[] =>
  (JSON.parse(reference(`corosync-3.1.10/probes/${folder}/${name}.json`)) as { steps: Step[] }).steps;

/** Files that are not compared. */
const NOT_PLAYED: Readonly<Record<string, ExclusionName>> = {
  "section in totem.interface": "probe-shell",
  "section in logging.logger_subsys": "probe-debug",
  "section in resources.system": "probe-resources",
  "line of a colon only at top level": "probe-file",
};

const ledger = new Ledger("probes");

class Terminal {
  readonly world: World;
  private readonly port: WorldPort;

  constructor(release: Release) {
    this.world = new World(labOf(two, "probes", release), makeNode);
    this.port = new WorldPort(this.world, "node1");
    this.world.runUntil(20 * SEC);
  }

  async type(line: string): Promise<{ out: string; err: string; status: number }> {
    const typed = { out: "", err: "" };
    const status = await runLine(this.port, line, {
      stdout: (text) => void (typed.out += text),
      stderr: (text) => void (typed.err += text),
    });
    return { ...typed, status };
  }

  put(path: string, data: Uint8Array): void {
    this.world.act({ to: "machine", machine: "node1", act: { kind: "file-write", path, data, append: false } });
  }
}

/** A signal is 128 and its number to a shell. */
const status = (rc: number | null): number => (rc === null ? -1 : rc < 0 ? 128 - rc : rc);

const timeless = (side: Side, text: string): string =>
  ledger.blank("probe-times", side, text, /^[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d\.\d{3} /gm, () => "TIME ");

/** What the recorder's grep lets through, ring numbers and a busy computer's complaint aside. */
const DULL =
  /QB |Service engine (loaded|unloaded)|Unloading all|WD |features|starting up|RLIMIT|Initializing|initialized|has no active links|best link|pmtud: MTU|Resetting MTU|A new membership|was not scheduled/;

function seen(side: Side, log: string): string {
  const all = timeless(side, log).split("\n");
  const lines = ledger.without("probe-grep", side, all, (line) => line === "" || DULL.test(line));
  return lines.slice(-15).join("\n");
}

skipLine("conformance probes");

describe.skipIf(!haveReference).each(FOLDERS)("files that %s judges in its own way", (release, folder) => {
  const steps = haveReference ? probe(folder, "bad-configs-2") : [];
  const terminal = new Terminal(release);

  test.each(steps.map((step) => [step.title, step] as const))("%s", async (title, step) => {
    const excluded = NOT_PLAYED[title];
    if (excluded !== undefined) return ledger.use(excluded, "recorded");
    terminal.put("/etc/corosync/corosync.conf", changedFile(step));
    const [tried] = step.commands;
    const typed = await terminal.type("corosync -t -c /etc/corosync/corosync.conf");
    const unmodelled = release === "3.1.7" && title === "knet_transport: sctp";
    expect(typed.status).toBe(status(tried?.rc ?? null));
    // What is no UTF-8 was noted in the recorder's own way.
    const spaces = title.includes("no-break space");
    if (!spaces) expect(timeless("lab", typed.err)).toBe(timeless("recorded", tried?.err ?? ""));
    if (unmodelled) return ledger.use("probe-sctp", "recorded");
    const exited = /exited, status (-?\d+)/.exec(step.notes.join("\n"))?.[1];
    const log = step.commands.at(-1)?.out ?? "";
    if (exited !== undefined) {
      const started = await terminal.type("corosync -f");
      expect(started.status).toBe(status(Number(exited)));
      if (!spaces) expect(seen("lab", started.err)).toBe(seen("recorded", log));
      return;
    }
    const asked = step.commands.find((c) => c.cmd.includes("corosync-cmapctl |"));
    const line = asked?.cmd.replace(/^sh -c /, "") ?? "true";
    const started = await terminal.type(`corosync -f & sleep 1.5; ${line}; kill %1; wait %1; echo end $?`);
    // grep prints no line with a byte that is no UTF-8.
    if (!/binary file matches/.test(asked?.err ?? "") && title !== "no-break space (UTF-8 C2 A0) after a value")
      expect(started.out).toBe(`${asked?.out ?? ""}end 0\n`);
    if (!title.startsWith("knet_compression_model")) expect(seen("lab", started.err)).toBe(seen("recorded", log));
  });
});

describe.skipIf(!haveReference).each(FOLDERS)("the tools of %s", (release, folder) => {
  test("corosync-keygen, call by call", async () => {
    const terminal = new Terminal(release);
    const [step] = probe(folder, "keygen");
    const calls = (step?.commands ?? []).filter((c) => !c.cmd.startsWith("sh "));
    ledger.use("probe-files", "recorded", (step?.commands.length ?? 0) - calls.length);
    for (const call of calls) {
      // 3.1.7 asks for keys to be pressed, for ever.
      if (release === "3.1.7" && call.cmd.endsWith("-r /dev/null")) continue;
      const typed = await terminal.type(call.cmd);
      expect([call.cmd, typed.status, typed.out, typed.err.trimEnd()]).toEqual([call.cmd, call.rc, call.out, call.err.trimEnd()]);
    }
  });

  test("corosync's options: the lock file, a wrong one, the version", async () => {
    const terminal = new Terminal(release);
    const [step] = probe(folder, "lock-file");
    for (const call of (step?.commands ?? []).filter((c) => !c.cmd.startsWith("sh "))) {
      const typed = await terminal.type(call.cmd);
      expect([call.cmd, typed.status, typed.out, timeless("lab", typed.err)]).toEqual([
        call.cmd,
        call.rc,
        call.out,
        timeless("recorded", call.err),
      ]);
    }
  });
});

describe.skipIf(!haveReference)("what is left out", () => {
  test("every exclusion was used", () => {
    keepTable(ledger);
    expect(ledger.unused()).toEqual([]);
  });
});
