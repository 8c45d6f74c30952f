/**
 * A lab whose clients ask for anything: requests of every kind made from the API's schemas, thousands of them on two connections. Each is answered, the lab runs on, on both hosts, and
 * its record is the run that it was.
 */
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { connectLab, type LabClient } from "../../src/main/lab/process/client.ts";
import { Trouble } from "../../src/main/lab/trouble.ts";
import { ALL_OPS, requestsOf } from "../hosts/requests.ts";
import { newPlace, type Place } from "./quorate.ts";

/** A hundred thousand in the long run. */
const LONG = process.env["QUORATE_LONG"] === "1";
const RUNS = LONG ? 5 : 1;
const REQUESTS = LONG ? 10_000 : 300;
/** Answers that are waited for at once. */
const AT_ONCE = 50;

/** These end the lab, write elsewhere, start processes of the host, or run for an hour. */
const LEFT_OUT = ["hello", "down", "serve", "fork", "exec", "terminal-open", "skip", "speed", "whatif", "export"];
/** These are answered when virtual time has passed. */
const PATIENT = ["sleep", "wait", "command"];

let place: Place | undefined;
afterEach(async () => {
  await place?.end();
  place = undefined;
});

/** Asks, and returns what the lab refused in other terms than one clear line. */
async function strange(client: LabClient, request: { op: string }): Promise<string[]> {
  const asked = client.call(request as never).then(
    () => [],
    (error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      const clear = error instanceof Trouble && !/internal error|\n/.test(message);
      return clear ? [] : [`${JSON.stringify(request)}: ${message}`];
    },
  );
  return PATIENT.includes(request.op) ? [] : asked;
}

const seeds = Array.from({ length: RUNS }, (_, i) => i + 1);
test.each(["inprocess", "workers"].flatMap((host) => seeds.map((seed) => [host, seed] as const)))(
  `${REQUESTS} requests of every kind, on %s, seed %d`,
  async (host, seed) => {
    const at = (place = newPlace());
    await at.ok("up", "--nodes", "2", "--clustered", "--seed", "7", "--host", host);
    const [one, other] = [await connectLab(at.lab), await connectLab(at.lab)];
    const found: string[] = [];
    const ops = ALL_OPS.filter((op) => !LEFT_OUT.includes(op));
    const requests = fc.sample(requestsOf(ops), { numRuns: REQUESTS, seed }) as { op: string }[];
    for (let i = 0; i < requests.length; i += AT_ONCE) {
      const some = requests.slice(i, i + AT_ONCE).map((request, n) => strange(n % 2 === 0 ? one : other, request));
      found.push(...(await Promise.all(some)).flat());
    }
    expect(found).toEqual([]);
    await one.call({ op: "resume" });
    const before = (await one.call({ op: "time" })).instant;
    await one.call({ op: "step", unit: "event", count: 100 });
    expect((await one.call({ op: "time" })).instant).toBeGreaterThan(before);
    const { snapshot } = await one.call({ op: "seek", instant: 5_000_000 });
    expect(snapshot.problems.filter(({ code }) => code === "lab-failed")).toEqual([]);
    expect((await one.call({ op: "snapshot" })).problems.filter(({ code }) => code === "lab-failed")).toEqual([]);
    await at.ok("down");
    const ran = await at.run(["replay", join(at.lab, "record.jsonl"), "--check"]);
    expect([ran.status, ran.stderr]).toEqual([0, ""]);
  },
  LONG ? 3_600_000 : 120_000,
);
