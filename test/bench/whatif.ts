/**
 * How long what-if takes over clusters of several sizes, with and without a QDevice, as medians. Prints one JSON object. Run by scripts/bench.mjs, in a process of
 * its own.
 */
import { whatIf, whatIfDesign } from "../../src/engine/whatif/index.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";

const rounds = 3;

function taken(nodes: number, links: number, qdevice: boolean): number {
  const lab = defaultLabFile({ nodes, links, clustered: true, qdevice, name: "bench", seed: "bench", epoch: "2026-01-01T00:00:00Z" });
  const times = Array.from({ length: rounds }, () => {
    const began = performance.now();
    const made = whatIfDesign(worldDesign(lab));
    if (!made.ok) throw new Error(made.why);
    whatIf(made.design);
    return performance.now() - began;
  });
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? NaN;
}

const questions = [
  { nodes: 3, links: 1, qdevice: false },
  { nodes: 3, links: 1, qdevice: true },
  { nodes: 8, links: 2, qdevice: true },
  { nodes: 15, links: 2, qdevice: true },
  { nodes: 16, links: 2, qdevice: false },
  { nodes: 16, links: 2, qdevice: true },
];
process.stdout.write(`${JSON.stringify(questions.map((q) => ({ ...q, ms: taken(q.nodes, q.links, q.qdevice) })))}\n`);
