/** Locks of a node by itself, call by call and second by second as recorded (03). */
import { describe, expect, test } from "vitest";
import { SEC } from "../../src/engine/kernel/index.ts";
import { haveReference, reference, skipLine } from "../shared.ts";
import { Recorder, outcomeOf } from "./calls.ts";
import { EPOCH_SECONDS, LocalNode } from "./lab.ts";

skipLine("pmxcfs: recorded locks");

const LOCKS = "/etc/pve/priv/lock";
const LOCK = `${LOCKS}/test`;

/** The real kernel shows for a second what is no more; the lab's asks each time. */
const CACHED = new Set(["121", "122"]);

function steps(node: LocalNode, r: Recorder): Record<string, () => string | void> {
  const utime = (path: string, seconds: number): void => {
    const at = (seconds - EPOCH_SECONDS) * SEC;
    r.ask({ call: "utimens", path, atime: (0 - EPOCH_SECONDS) * SEC, mtime: at });
  };
  const now = (): number => EPOCH_SECONDS + Math.floor(node.lab.now / SEC);
  const mkdir = (path: string) => () => void r.ask({ call: "mkdir", path });
  const rmdir = (path: string) => () => void r.ask({ call: "rmdir", path });
  const move = (to: string) => () => void r.ask({ call: "rename", from: LOCK, to });
  const lstat = (): string => r.lstat(LOCK, EPOCH_SECONDS);
  return {
    "mkdir lock": mkdir(LOCK),
    "mkdir lock again (second acquirer)": mkdir(LOCK),
    "mkdir lock (now free)": mkdir(LOCK),
    "lstat lock": lstat,
    lstat,
    "utime(lock,0,0) = unlock request while young": () => utime(LOCK, 0),
    "utime(lock, 0, now) = renew by owner": () => utime(LOCK, now()),
    "utime(lock, 0, now+1000)": () => utime(LOCK, now() + 1000),
    "utime(lock, 0, now) after (older than stored mtime)": () => utime(LOCK, now()),
    "rename lock to other": move(`${LOCKS}/other`),
    "rename lock out of priv/lock": move("/etc/pve/other"),
    "mkdir inside the lock dir": mkdir(`${LOCK}/inner`),
    "rmdir non-empty lock": rmdir(LOCK),
    "rmdir inner": rmdir(`${LOCK}/inner`),
    "rmdir lock = release": rmdir(LOCK),
    "rmdir again": rmdir(LOCK),
    rmdir: rmdir(LOCK),
    "regular file in priv/lock": () => r.write(`${LOCKS}/file`, "x", { access: "w", create: true }),
    "utime(0,0) on regular file": () => utime(`${LOCKS}/file`, 0),
    unlink: () => void r.ask({ call: "unlink", path: `${LOCKS}/file` }),
    "utime(0,0)": () => utime(LOCK, 0),
  };
}

describe.skipIf(!haveReference)("as recorded", () => {
  test("03: taken, renewed, asked for, released, too old", () => {
    const node = new LocalNode();
    const recorder = new Recorder((call) => node.call(call));
    for (const path of ["/etc/pve/priv", LOCKS]) recorder.ask({ call: "mkdir", path });
    const known = steps(node, recorder);
    const recorded = reference("pmxcfs/transcripts/03-local-locks.txt").split("\n");
    let [base, age, compared] = [0, "", 0];
    for (const line of recorded) {
      if (line.startsWith("-- ")) base = node.lab.now + 10 * SEC;
      const [, t, label, expected] = /^\[t= *([0-9.]+)\] (.*?) +-> (.*)$/.exec(line) ?? [];
      if (t !== undefined && label !== undefined && expected !== undefined) {
        node.lab.now = base + Math.round(Number(t)) * SEC;
        age = /^age +(\d+) s/.exec(label)?.[1] ?? age;
        const step = known[label.replace(/^age +\d+ s: /, "")];
        if (step === undefined) throw new Error(`nobody knows how to: ${label}`);
        const blank = (text: string): string => text.replace(/ blocks=\d+/, "").replace(/mtime=\d{10}/, "mtime=*");
        expect(`${line.slice(0, 60)} -> ${outcomeOf(step)}`).toBe(`${line.slice(0, 60)} -> ${blank(expected)}`);
        compared++;
      }
      const there = /^ +lock still there: (True|False)$/.exec(line)?.[1];
      if (there !== undefined && !CACHED.has(age)) expect(recorder.names(LOCKS)).toBe(there === "True" ? "['test']" : "[]");
    }
    expect(compared).toBe(recorded.filter((line) => line.startsWith("[t=")).length);
  });
});
