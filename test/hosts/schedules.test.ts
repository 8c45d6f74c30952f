// The same seeded schedules of faults in one process and with a worker beside every node, over socket files and over TCP, whatever the hub's lead: the same trace.
import { expect, test } from "vitest";
import { MS, SEC } from "../../src/engine/kernel/index.ts";
import { bothPools, schedules } from "./schedules.ts";
import { endOf, runHere, runOnWorkers, scheduleFor, traceOf } from "./worlds.ts";

/** Three, of three and of five nodes; all of them in the long run, of eight too, or those whose numbers are asked for, as `npm run nightly` does one by one. */
const LONG = process.env["QUORATE_LONG"] === "1";
const asked = process.env["QUORATE_SCHEDULES"]?.split(",").map(Number) ?? (LONG ? [...schedules.keys()] : [0, 3, 5]);
const compared = asked.map((number) => schedules[number]).filter((s) => s !== undefined);
const LEADS_MS = [0, 5, 50, 250];

const poolOf = bothPools();

test.each(compared)(
  "%s, %d nodes: the same trace in one process, over ipc and over tcp, at every lead",
  async (seed, nodes) => {
    const schedule = scheduleFor(seed, nodes);
    expect(endOf(schedule)).toBeGreaterThanOrEqual(60 * SEC);
    const here = traceOf(runHere(schedule));
    for (const lead of LEADS_MS) {
      const options = { lead: lead * MS };
      const [ipc, tcp] = await Promise.all([
        runOnWorkers(schedule, poolOf("ipc"), options),
        runOnWorkers(schedule, poolOf("tcp"), options),
      ]);
      expect([lead, ipc]).toEqual([lead, here]);
      expect([lead, tcp]).toEqual([lead, here]);
    }
  },
  300_000,
);
