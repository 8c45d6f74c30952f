/** `quorate run` and `quorate replay` with every node a process of its own: the same run, to the digest. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { complaint, newPlace, type Place } from "./quorate.ts";

const head = `quorate: 1
name: both ways
seed: 7f3a
networks: { net0: 10.0.0.0/24 }
nodes:
  pve1: { net0: 10.0.0.11 }
  pve2: { net0: 10.0.0.12 }
  pve3: { net0: 10.0.0.13, power: off }
cluster: { name: lab, links: [net0] }
`;

const story = `${head}faults: [ "link set pve1:net0 --delay 2" ]
steps:
  - do: node start pve3
  - wait: { members: 3, quorate: true, idle: true }
  - exec: { node: pve1, run: "pvecm status | grep Quorate:", stdout: "Quorate:          Yes\\n", status: 0 }
  - do: node kill pve2
  - exec: { node: pve1, run: "sleep 2.5; date +%T.%N > /root/then; cat /root/then | tr -d '0' | wc -c" }
  - input: { node: pve3, run: "read -p 'name? ' name; echo got $name | tee /root/name", answers: [42], stdout: "got 42\\n" }
  - exec: { node: pve1, run: "systemctl restart corosync", wait: false }
  - at: 45s
    do: node start pve2 --after 2
  - at: 60s
    do: node pause pve3
  - at: 66s
    do: node resume pve3
  - wait: { members: 3, quorate: true, timeout: 60 }
  - expect: { node: pve2, corosync.members: [1, 2, 3] }
  - exec: { node: pve2, run: "false" , status: 3 }
`;

const loaded = `${head}load: { from: 40s, until: 50s, every: 20ms, burst: 2, bytes: 600 }
invariants: [assertion, one-ring, total-order]
steps:
  - at: 30s
    do: link cut pve2:net0
  - at: 35s
    do: heal
  - at: 40s
    do: node start pve3
`;

let place: Place;
beforeEach(() => (place = newPlace()));
afterEach(() => place.end());

interface Result {
  digest: string;
  instant: number;
  passed: boolean;
  steps: { passed: boolean }[];
}

async function runOn(host: string, file: string): Promise<{ status: number; result: Result; record: string }> {
  const record = join(place.dir, `${host}.record`);
  const ran = await place.run(["run", file, "--host", host, "--record", record, "--json"]);
  expect([ran.status < 2, complaint(ran)]).toEqual([true, ""]);
  return { status: ran.status, result: JSON.parse(ran.stdout) as Result, record: readFileSync(record, "utf8") };
}

describe("a scenario", () => {
  it("gives the same run on workers, and its record replays there", async () => {
    const file = join(place.dir, "story.yaml");
    writeFileSync(file, story);
    const here = await runOn("inprocess", file);
    const there = await runOn("workers", file);
    expect(there).toEqual(here);
    expect(here.result.steps.map((step) => step.passed)).toEqual([...Array.from({ length: 12 }, () => true), false]);
    const again = await place.run(["replay", join(place.dir, "inprocess.record"), "--host", "workers", "--check", "--json"]);
    expect([again.status, complaint(again)]).toEqual([0, ""]);
    const { digest, instant } = here.result;
    expect(JSON.parse(again.stdout)).toEqual({ digest, instant, equal: true, firstDifference: null });
  }, 480_000);

  it("has on workers too a program that multicasts, and invariants", async () => {
    const file = join(place.dir, "loaded.yaml");
    writeFileSync(file, loaded);
    const here = await runOn("inprocess", file);
    expect(await runOn("workers", file)).toEqual(here);
    expect([here.status, here.result.passed]).toEqual([0, true]);
  }, 480_000);

  it("has no third host", async () => {
    const file = join(place.dir, "story.yaml");
    writeFileSync(file, story);
    for (const args of [
      ["run", file],
      ["replay", file],
    ]) {
      const ran = await place.run([...args, "--host", "both"]);
      expect([ran.status, complaint(ran)]).toEqual([2, 'quorate: --host "both": workers or inprocess is allowed']);
    }
  });
});
