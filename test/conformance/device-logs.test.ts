/**
 * What corosync-qdevice and corosync-qnetd wrote with -d, line for line and level for level. Where several clients answer within a network hop of each other
 * the order of the server's lines is a race, and where it decides what a client is told, the lines are; which steps that are stands here.
 */
import { describe, expect, test } from "vitest";
import { haveReference, skipLine } from "../shared.ts";
import { SEC } from "../../src/engine/kernel/index.ts";
import { Ledger, type Side } from "./ledger.ts";
import { play } from "./play.ts";
import { loadRecording, type Recording } from "./recording.ts";
import { keepTable } from "./table.ts";

/** When all machines of a played scenario have booted: its second 0. */
const BOOTED = 20;

interface Raced {
  /** The same lines in another order: `step who`. */
  readonly order: readonly string[];
  /** Other lines: `step who`. */
  readonly lines: readonly string[];
  /** How much higher the recorded rings are, since a commit token was lost in the first step. */
  readonly rings?: number;
}

const SCENARIOS: Readonly<Record<string, Raced>> = {
  "qdevice-lms-3": {
    order: ["3 qnetd"],
    lines: ["7 qnetd", "8 node3 (qdevice)", "8 qnetd", "9 qnetd", "10 node3 (qdevice)", "10 qnetd"],
  },
  "qdevice-ffsplit-4": {
    order: ["4 qnetd", "5 qnetd", "6 qnetd", "7 qnetd", "9 qnetd"],
    lines: [
      "2 qnetd",
      "4 node1 (qdevice)",
      "4 node3 (qdevice)",
      "5 node2 (qdevice)",
      "5 node3 (qdevice)",
      "5 node4 (qdevice)",
      "7 node1 (qdevice)",
      "7 node3 (qdevice)",
      "9 node3 (qdevice)",
      "9 node4 (qdevice)",
    ],
    rings: 4,
  },
  "qdevice-add-online": { order: [], lines: ["3 qnetd", "4 node2 (qdevice)", "4 qnetd"] },
};

const ledger = new Ledger("device-logs");

function blanked(side: Side, line: string, rings: number): string {
  const noPointers = ledger.blank("device-pointers", side, line, /0x[0-9a-f]+|(\d+\.\d+\.\d+\.\d+):\d+/g, (address) =>
    address === undefined ? "POINTER" : `${address}:PORT`,
  );
  const later = (seq: string): string => (parseInt(seq, 16) + rings).toString(16);
  const ringed =
    side === "recorded"
      ? noPointers
      : ledger.blank("device-rings", side, noPointers, /\((\d+)\.([0-9a-f]+)\)/g, (rep, seq) => `(${rep}.${later(seq ?? "")})`);
  return ledger.blank("device-blanks", side, ringed, /[ \t]+$/g, () => "");
}

/** `Nov 20 09:55:15 debug     Ring_id = (1.d)`: level padded to seven, a blank, the text. */
function recordedLine(line: string): string {
  const m = /^.{15} (\w+) *?(?<=^.{23}) (.*)$/.exec(line);
  if (m === null) throw new Error(`no line of a device's log: ${line}`);
  return `${m[1]} ${m[2]}`;
}

const isDevice = (who: string): boolean => who === "qnetd" || who.endsWith(" (qdevice)");

async function compare(recording: Recording, raced: Raced): Promise<void> {
  const { world } = await play(recording, "quorate");
  const instant = (second: number): number => Math.round((BOOTED + second) * SEC);
  recording.steps.forEach((step, i) => {
    const [from, until] = [instant(step.t_start), instant(recording.steps[i + 1]?.t_start ?? Infinity)];
    for (const [who, raw] of Object.entries(step.log)) {
      if (!isDevice(who)) continue;
      ledger.met += raw.length;
      const recorded = raw.map(([, line]) => blanked("recorded", recordedLine(line), 0));
      const lab = world
        .named(who.split(" ")[0] ?? "")
        .journalSince(0)
        .filter((l) => l.unit.startsWith("corosync-q") && l.pid !== 1 && l.instant >= from && l.instant < until)
        .map((l) => blanked("lab", `${l.level} ${l.text}`, raced.rings ?? 0));
      const key = `${step.step} ${who}`;
      if (raced.lines.includes(key)) {
        expect(lab, `step ${key} need not be left out`).not.toEqual(recorded);
        ledger.leave("device-race", "recorded", raw.length);
        continue;
      }
      const sorted = raced.order.includes(key);
      if (sorted) {
        expect(lab, `step ${key} is in order`).not.toEqual(recorded);
        ledger.use("device-order", "recorded");
      }
      expect(sorted ? [...lab].sort() : lab, `step ${key}`).toEqual(sorted ? [...recorded].sort() : recorded);
      ledger.compared += raw.length;
    }
  });
  ledger.balance();
}

skipLine("conformance");

describe.skipIf(!haveReference)("the quorum device's own logs", () => {
  for (const [scenario, raced] of Object.entries(SCENARIOS)) {
    test(scenario, async () => {
      await compare(loadRecording(scenario), raced);
    });
  }

  test("every exclusion was used", () => {
    keepTable(ledger);
    expect(ledger.unused()).toEqual([]);
  });
});
