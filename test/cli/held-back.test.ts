/** Nothing leaves a lab before every worker has confirmed it: while one is held back an exec does not return, no snapshot comes and the record does not grow. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wallMs } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { LabEvent } from "../../src/main/lab/api.ts";
import { connectLab, type LabClient } from "../../src/main/lab/process/client.ts";
import { newPlace, type Place } from "./quorate.ts";

let place: Place;
let client: LabClient;
const events: LabEvent[] = [];
/** Of the worker that is held back. */
let pid: number;

beforeEach(async () => {
  place = newPlace();
  await place.ok("up", "--nodes", "3", "--clustered");
  client = await connectLab(place.lab);
  events.length = 0;
  client.onEvent((event) => events.push(event));
  pid = (await client.call({ op: "info" })).workers["pve3"] ?? 0;
});
afterEach(async () => {
  client.close();
  await place.end();
});

const record = (): string => readFileSync(join(place.lab, "record.jsonl"), "utf8");
const output = (): string => events.flatMap((e) => (e.event === "exec-output" ? [e.data] : [])).join("");
const ended = (): number[] => events.flatMap((e) => (e.event === "exec-exit" ? [e.status] : []));

async function soon(holds: () => boolean): Promise<boolean> {
  for (let waited = 0; waited < 10_000 && !holds(); waited += 20) await wallMs(20);
  return holds();
}

it("an exec on another node, the answer to an act, snapshots and the record wait for it", async () => {
  await client.call({ op: "exec", node: "pve1", line: "true" });
  expect(await soon(() => ended().length === 1)).toBe(true);
  process.kill(pid, "SIGSTOP");
  // Longer than any lead: the hub stands, since it must not be further ahead.
  await wallMs(700);
  let answered = false;
  const act = client.call({ op: "act", line: "link cut pve2:net0" }).then(() => (answered = true));
  await client.call({ op: "exec", node: "pve1", line: "echo kept > /root/note; cat /root/note" });
  await client.call({ op: "subscribe", snapshots: true, journal: true, trace: false });
  const before = record();
  await wallMs(1500);
  expect([output(), ended(), answered]).toEqual(["", [0], false]);
  expect(events.filter((e) => e.event === "snapshot" || e.event === "journal")).toEqual([]);
  expect(record()).toBe(before);
  expect(before).not.toContain("link-cut");

  process.kill(pid, "SIGCONT");
  expect(await soon(() => ended().length === 2)).toBe(true);
  // What the exec wrote is in the record by the time it returns.
  expect(record()).toContain("/root/note");
  await act;
  expect(record()).toContain("link-cut");
  expect([output(), ended()]).toEqual(["kept\n", [0, 0]]);
  expect(await soon(() => events.some((e) => e.event === "snapshot"))).toBe(true);
}, 120_000);

it("a terminal's output waits for it, and comes whole and in order", async () => {
  process.kill(pid, "SIGSTOP");
  await wallMs(700);
  const { terminal } = await client.call({
    op: "terminal-open",
    node: "pve1",
    cols: 80,
    rows: 24,
    line: "seq 1 200 | tr '\\n' ' '; echo end",
  });
  await wallMs(2500);
  const text = (): string => events.flatMap((e) => (e.event === "terminal-data" && e.terminal === terminal ? [e.data] : [])).join("");
  expect(text()).toBe("");
  process.kill(pid, "SIGCONT");
  expect(await soon(() => events.some((e) => e.event === "terminal-exit"))).toBe(true);
  const numbers = Array.from({ length: 200 }, (_, i) => i + 1).join(" ");
  expect(text().replace(/[\r\n]+/g, "")).toContain(`${numbers} end`);
}, 120_000);

it("a terminal's program waits for who draws it, and goes on as far as that is told", async () => {
  const { terminal } = await client.call({ op: "terminal-open", node: "pve1", cols: 80, rows: 24, line: "yes", credit: 4096 });
  const amount = (): number =>
    events.reduce((sum, e) => sum + (e.event === "terminal-data" && e.terminal === terminal ? e.data.length : 0), 0);
  const standing = async (): Promise<number> => {
    for (let before = -1; ;) {
      if (amount() > 0 && amount() === before) return before;
      before = amount();
      await wallMs(1000);
    }
  };
  const first = await standing();
  // What the pseudo terminal had read already comes too.
  expect(first).toBeLessThan(256 * 1024);
  await client.call({ op: "terminal-drawn", terminal, chars: first });
  expect(await standing()).toBeGreaterThan(first);
  await client.call({ op: "terminal-close", terminal });
}, 120_000);
