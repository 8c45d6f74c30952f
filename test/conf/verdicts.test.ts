/**
 * The daemon's verdicts. A person breaks one line of a good corosync.conf and starts corosync; what it prints and how it exits was recorded for
 * every such mistake (bad-configs). Here the same files go through the lab's own reading: same text, same line number, same exit code.
 */
import { describe, expect, test } from "vitest";
import { parseConf, verifyConf, type Verdict } from "../../src/engine/config/index.ts";
import { Ledger } from "../conformance/ledger.ts";
import { keepTable } from "../conformance/table.ts";
import { haveReference, reference, skipLine } from "../shared.ts";
import { node1 } from "./good.ts";
import { ELSEWHERE, FILES, one } from "./mistakes.ts";

interface Step {
  title: string;
  notes: string[];
  commands: { cmd: string; rc: number; out: string; err: string }[];
}

const steps = haveReference ? (JSON.parse(reference("corosync/transcripts/bad-configs.json")) as { steps: Step[] }).steps : [];
skipLine("test/conf verdicts");

const ledger = new Ledger("verdicts");

/** `Nov 20 10:24:07.439 error   [MAIN  ] text` → `error [MAIN] text`; lines before logging is set up stand as they are. */
function said(output: string): string[] {
  const timeless = ledger.blank("verdict-times", "recorded", output, /^[A-Z][a-z]{2} +\d+ [\d:.]+ /gm, () => "");
  return timeless.split("\n").flatMap((line) => (line === "" ? [] : [line.replace(/^([a-z]+) +\[(\w+) *\] /, "$1 [$2] ")]));
}

function saidHere(verdict: Verdict): string[] {
  return verdict.messages.map((m) => (m.subsystem === undefined ? m.text : `${m.level} [${m.subsystem}] ${m.text}`));
}

describe.skipIf(!haveReference)("a start with each recorded file", () => {
  test("every recorded mistake is played here", () => {
    expect(steps.length).toBe(74);
    expect(steps.map((s) => s.title).filter((t) => !(t in FILES) && !ELSEWHERE.includes(t))).toEqual([]);
    expect(Object.keys(FILES).filter((t) => !steps.some((s) => s.title === t))).toEqual([]);
  });

  test.each(steps.filter((s) => s.title in FILES).map((s) => [s.title, s] as const))("%s", (title, step) => {
    const verdict = verifyConf(parseConf(FILES[title] ?? ""), node1);
    const stopped = /start: exited, status (-?\d+)/.exec(step.notes.join("\n"));
    if (stopped === null) {
      expect(saidHere(verdict)).toEqual([]);
      expect(verdict.ok).toBe(true);
      return;
    }
    const status = Number(stopped[1]);
    if (status === -6) ledger.use("verdict-abort", "recorded");
    expect(verdict.ok ? 0 : verdict.exitCode).toBe(status === -6 ? 134 : status);
    const log = step.commands[step.commands.length - 1];
    const lines = said((log?.out ?? "") + (log?.err ?? ""));
    expect(saidHere(verdict)).toEqual(lines);
    ledger.met += lines.length;
    ledger.compared += lines.length;
    const [, lineNumber] = /corosync\.conf:(\d+): /.exec(saidHere(verdict).join("\n")) ?? [];
    if (lineNumber !== undefined) expect(verdict.ok ? 0 : verdict.line).toBe(Number(lineNumber));
  });

  test("without a key, and with a key of five bytes", () => {
    const step = steps.find((s) => s.title === ELSEWHERE[1]);
    const starts = (step?.commands ?? []).filter((c) => c.cmd === "corosync -t").map((c) => said(c.out + c.err));
    const here = [null, 5].map((bytes) => saidHere(verifyConf(parseConf(one), { ...node1, authkeyBytes: () => bytes })));
    expect(here).toEqual(starts);
  });

  test("every exclusion was used", () => {
    ledger.use("verdict-elsewhere", "recorded", steps.filter((s) => ELSEWHERE.includes(s.title)).length);
    keepTable(ledger);
    ledger.balance();
    expect(ledger.unused()).toEqual([]);
  });
});
