/** Scenarios: their steps, their results, and that the same file gives the same run. */
import { describe, expect, it } from "vitest";
import { makeNode } from "../../src/engine/node/index.ts";
import { parseRecord, replay } from "../../src/engine/world/index.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { parseLabFile } from "../../src/main/lab/file/labfile.ts";
import { runScenario } from "../../src/main/lab/scenario/scenario.ts";

const head = `quorate: 1
name: a lost node
seed: 7f3a
networks: { net0: 10.0.0.0/24 }
nodes:
  pve1: { net0: 10.0.0.11 }
  pve2: { net0: 10.0.0.12 }
  pve3: { net0: 10.0.0.13 }
`;
const clustered = `${head}cluster: { name: lab, links: [net0] }\n`;

const story = `${clustered}steps:
  - do: node kill pve2
  - wait: { members: 2, node: pve1, timeout: 30 }
  - exec: { node: pve1, run: "pvecm status | grep Quorate:", stdout: "Quorate:          Yes\\n", status: 0 }
  - do: link cut pve3:net0
  - wait: { members: 1, timeout: 30 }
  - expect: { node: pve1, quorum.quorate: false, corosync.members: [1] }
  - do: heal
  - at: 45s
    do: node start pve2
  - wait: { members: 3, quorate: true, idle: true }
  - input: { node: pve3, run: "read -p 'name? ' name; echo got $name", answers: [42], stdout: "got 42\\n" }
  - expect: { node: pve1, quorum.quorate: true, corosync.members: [1, 2, 3] }
`;

describe("a scenario", () => {
  it("runs its steps in order from the instant the cluster has formed, and gives the same run every time", async () => {
    const first = await runScenario(parseLabFile(story, "story.yaml"), "story.yaml");
    expect(first.result.steps.filter((s) => !s.passed)).toEqual([]);
    expect(first.result).toMatchObject({ scenario: "story.yaml", seed: "7f3a", passed: true });
    expect(first.result.steps[2]).toMatchObject({ stdout: "Quorate:          Yes\n", stderr: "", status: 0 });
    // Step 8 begins 45 s after the start and ends when the last unit of pve2 has started.
    const [one, eight] = [first.result.steps[0], first.result.steps[7]];
    expect((eight?.instant ?? 0) - (one?.instant ?? 0)).toBeGreaterThan(45e6);
    const second = await runScenario(parseLabFile(story, "story.yaml"), "story.yaml");
    expect(second.result).toEqual(first.result);
    expect(second.record).toBe(first.record);
  });

  it("leaves a record that replays to the same digest", async () => {
    const { result, record } = await runScenario(parseLabFile(story, "story.yaml"), "story.yaml");
    const read = parseRecord(record);
    if (!read.ok) throw new Error(read.message);
    const again = replay(worldDesign(parseLabFile(read.record.lab, "record")), makeNode, read.record);
    expect([again.digest, again.equal, again.instant]).toEqual([result.digest, true, result.instant]);
  });

  it("goes on after a step that did not hold, and says what was expected and what came", async () => {
    const text = `${clustered}steps:
  - exec: { node: pve1, run: "echo one", stdout: "two\\n" }
  - expect: { node: pve1, quorum.quorate: false }
  - wait: { members: 2, timeout: 3 }
  - exec: { node: pve1, run: "false", status: 1 }
`;
    const { result } = await runScenario(parseLabFile(text, "x.yaml"), "x.yaml");
    expect(result.passed).toBe(false);
    expect(result.steps.map((s) => s.passed)).toEqual([false, false, false, true]);
    expect(result.steps[0]).toMatchObject({ expected: 'stdout "two\\n"', got: 'stdout "one\\n"', status: 0 });
    expect(result.steps[1]).toMatchObject({ expected: '{"quorum.quorate":false}', got: '{"quorum.quorate":true}' });
    expect(result.steps[2]?.got).toContain("pve1 has 3 members, not 2");
  });

  it("does not run anything on a machine that is off", async () => {
    const text = `${clustered}steps:\n  - do: node kill pve2\n  - exec: { node: pve2, run: "true" }\n`;
    const { result } = await runScenario(parseLabFile(text, "x.yaml"), "x.yaml");
    expect(result.steps[1]).toMatchObject({ passed: false, status: 255, got: "pve2 is powered off" });
  });

  it("starts with members that are off shut down cleanly, having joined", async () => {
    const off = clustered.replace("pve3: { net0: 10.0.0.13 }", "pve3: { net0: 10.0.0.13, power: off }");
    const text = `${off}steps:\n  - wait: { members: 2, timeout: 10 }\n  - exec: { node: pve1, run: "journalctl -u corosync | grep -c 'Members.3.: 1 2 3'" }\n`;
    const { result } = await runScenario(parseLabFile(text, "x.yaml"), "x.yaml");
    expect(result.steps.map((s) => s.passed)).toEqual([true, true]);
    expect(result.steps[1]?.stdout).toBe("1\n");
  });

  it("has standalone nodes where the file names no cluster", async () => {
    const text = `${head}steps:\n  - expect: { node: pve1, corosync: null, units.corosync: inactive }\n  - exec: { node: pve1, run: "corosync-quorumtool -s", status: 1 }\n`;
    const { result } = await runScenario(parseLabFile(text, "x.yaml"), "x.yaml");
    // Nothing more was to happen once they had booted, and nothing was waited for.
    expect(result.instant).toBeLessThan(6e6);
    expect(result.steps.map((s) => s.got)).toEqual(['{"corosync":null,"units.corosync":"inactive"}', "status 1"]);
    expect(result.passed).toBe(true);
  });

  it("begins with the faults of the file in force", async () => {
    const text = `${clustered}faults: [ "link cut pve3:net0" ]\nsteps:\n  - wait: { members: 1, node: pve3, timeout: 30 }\n  - expect: { node: pve3, quorum.quorate: false }\n`;
    const { result } = await runScenario(parseLabFile(text, "x.yaml"), "x.yaml");
    expect(result.passed).toBe(true);
  });
});
