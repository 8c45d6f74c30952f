/** What a page asks for beside its lab: a record played again, a scenario run; in a thread of its own, one at a time, and wrong files named in one line. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeNode } from "../../src/engine/node/index.ts";
import { printRecord, World } from "../../src/engine/world/index.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { printLabFile } from "../../src/main/lab/file/labfile.ts";
import { RunDesk } from "../../src/main/lab/scenario/run-desk.ts";
import { runTask } from "../../src/main/lab/scenario/run-task.ts";
import { advance } from "../../src/main/lab/scenario/advance.ts";

const scenario = (wait: string): string => `quorate: 1
name: one node is killed
seed: "5"
networks: { net0: 10.0.0.0/24 }
nodes:
  pve1: { net0: 10.0.0.11 }
  pve2: { net0: 10.0.0.12 }
steps:
  - do: node kill pve2
  - expect: { node: pve2, power: ${wait} }
`;

/** Of a lab that ran for some seconds with one act. */
function record(): string {
  const file = defaultLabFile({ nodes: 2, links: 1, clustered: false, name: "lab", seed: "5", epoch: "2026-01-01T00:00:00Z" });
  const world = new World(worldDesign(file), makeNode);
  advance(world, 6e6, () => false);
  world.act({ to: "machine", machine: "pve2", act: { kind: "power-cut" } });
  advance(world, 8e6, () => false);
  world.runUntil(world.now + 1);
  return printRecord({
    lab: printLabFile(file),
    inputs: [...world.inputs()],
    checkpoints: [...world.checkpoints()],
    end: { at: world.now, digest: world.digest() },
  });
}

test("a record is played to the same digests; one that was changed differs", async () => {
  const text = record();
  const same = await runTask({ what: "replay", text, name: "r.record" });
  expect(same).toMatchObject({ ok: true, reply: { equal: true, firstDifference: null } });
  expect(same.ok && "compared" in same.reply ? same.reply.compared : 0).toBeGreaterThan(5);
  expect(await runTask({ what: "replay", text: "{}\n", name: "r.record" })).toMatchObject({
    ok: false,
    usage: true,
    why: expect.stringMatching(/^r\.record:1: /) as string,
  });
});

test("a scenario tells each step; a file that is none, or names another file, is refused in one line", async () => {
  expect(await runTask({ what: "scenario", text: scenario("off"), name: "s.yaml" })).toMatchObject({
    ok: true,
    reply: { passed: true, steps: [{ passed: true, what: "do: node kill pve2" }, { passed: true }] },
  });
  expect(await runTask({ what: "scenario", text: scenario("on"), name: "s.yaml" })).toMatchObject({
    ok: true,
    reply: { passed: false, steps: [{ passed: true }, { passed: false, got: '{"power":"off"}' }] },
  });
  expect(await runTask({ what: "scenario", text: "quorate: 2\n", name: "s.yaml" })).toMatchObject({
    ok: false,
    usage: true,
    why: expect.stringMatching(/^s\.yaml:1:/) as string,
  });
  const elsewhere = scenario("off").replace(
    "steps:",
    "cluster: { name: lab, links: [net0], members: [pve1, pve2], conf: /etc/passwd }\nsteps:",
  );
  expect(await runTask({ what: "scenario", text: elsewhere, name: "s.yaml" })).toMatchObject({
    ok: false,
    usage: true,
    why: expect.stringContaining("the text of corosync.conf is allowed here") as string,
  });
});

test("one run at a time, and none outlives the lab", async () => {
  const dir = mkdtempSync(join(tmpdir(), "quorate-beside-"));
  // One that answers the first task, and never the second.
  const program = join(dir, "worker.mjs");
  writeFileSync(
    program,
    `import { parentPort } from "node:worker_threads";
parentPort.once("message", (task) => (task.name === "s.yaml" ? parentPort.postMessage({ ok: true, reply: { passed: true } }) : setInterval(() => undefined, 1000)));
`,
  );
  const desk = new RunDesk(() => program);
  try {
    const task = { what: "scenario" as const, text: "", name: "s.yaml" };
    expect(await desk.run(task)).toEqual({ passed: true });
    const second = desk.run({ ...task, name: "endless.yaml" });
    await expect(desk.run(task)).rejects.toThrow("another run is under way");
    desk.close();
    await expect(second).rejects.toThrow("the lab is closing");
    expect(await desk.run(task)).toEqual({ passed: true });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
