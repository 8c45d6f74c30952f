/**
 * What corosync-qdevice and corosync-qnetd wrote with -d, line for line and level for level, in the steps whose lines do not depend on which of several
 * clients was a network hop faster. Blanked: pointers, client ports, ring sequence numbers.
 */
import { describe, expect, test } from "vitest";
import { haveReference, skipLine } from "../shared.ts";
import { SEC } from "../../src/engine/kernel/index.ts";
import { play } from "./play.ts";
import { loadRecording, type RecordedStep } from "./recording.ts";

/** When all machines of a played scenario have booted: its second 0. */
const BOOTED = 20;

/** By scenario and step: whose lines are the same in the same order. */
const COMPARED: Readonly<Record<string, Readonly<Record<number, readonly string[]>>>> = {
  "qdevice-lms-3": {
    2: ["node1 (qdevice)", "node2 (qdevice)", "node3 (qdevice)", "qnetd"],
    3: ["node1 (qdevice)", "node2 (qdevice)", "node3 (qdevice)"],
    4: ["node1 (qdevice)", "node2 (qdevice)", "qnetd"],
    5: ["node1 (qdevice)", "qnetd"],
    6: ["node2 (qdevice)", "node3 (qdevice)", "qnetd"],
    7: ["node1 (qdevice)", "node2 (qdevice)", "node3 (qdevice)"],
  },
  "qdevice-ffsplit-4": {
    2: ["node1 (qdevice)", "node2 (qdevice)", "node3 (qdevice)", "node4 (qdevice)"],
    6: ["node1 (qdevice)", "node2 (qdevice)", "node3 (qdevice)", "node4 (qdevice)"],
    8: ["node1 (qdevice)", "node2 (qdevice)", "node3 (qdevice)", "node4 (qdevice)"],
  },
};

const blank = (line: string): string =>
  line
    .replace(/0x[0-9a-f]+/g, "POINTER")
    .replace(/(\d+\.\d+\.\d+\.\d+):\d+/g, "$1:PORT")
    .replace(/\((\d+)\.[0-9a-f]+\)/g, "($1.SEQ)")
    .trimEnd();

/** `Nov 20 09:55:15 debug     Ring_id = (1.d)`: level padded to seven, a blank, the text. */
function recorded(step: RecordedStep, who: string): string[] {
  return (step.log[who] ?? []).flatMap(([, line]) => {
    const m = /^.{15} (\w+) *?(?<=^.{23}) (.*)$/.exec(line);
    return m === null ? [] : [blank(`${m[1]} ${m[2]}`)];
  });
}

skipLine("conformance");

describe.skipIf(!haveReference)("the quorum device's own logs", () => {
  for (const [scenario, steps] of Object.entries(COMPARED)) {
    test(scenario, async () => {
      const recording = loadRecording(scenario);
      const { world } = await play(recording, "quorate");
      recording.steps.forEach((step, i) => {
        const until = recording.steps[i + 1]?.t_start ?? Infinity;
        for (const who of steps[step.step] ?? []) {
          const lines = world
            .named(who.split(" ")[0] ?? "")
            .journalSince(0)
            .filter((l) => l.unit.startsWith("corosync-q") && l.pid !== 1)
            .filter((l) => l.instant / SEC - BOOTED >= step.t_start && l.instant / SEC - BOOTED < until)
            .map((l) => blank(`${l.level} ${l.text}`));
          expect(lines.length, `step ${step.step}, ${who}`).toBeGreaterThan(5);
          expect(lines, `step ${step.step}, ${who}`).toEqual(recorded(step, who));
        }
      });
    });
  }
});
