/** One line in a node's shell, in a world that nobody paces: time passes only while the shell waits. What it printed and how it ended. */
import type { UnpacedHost } from "../../../engine/host/index.ts";
import { LAB_FAILED, runLine } from "../../shell/exec.ts";
import { WorldPort } from "../../shell/world-port.ts";
import { unreachable } from "../view/conditions.ts";

/** Output kept of one line; the rest is cut off with a word about it. */
const outputMax = 16 << 20;

export interface NodeRun {
  stdout: string;
  stderr: string;
  status: number;
  /** The lab could not run it: the node is off or booting. */
  failure: string | undefined;
}

/** Collects text up to the bound. */
function collector(): { add(text: string): void; text(): string } {
  const parts: string[] = [];
  let size = 0;
  return {
    add(text) {
      if (size <= outputMax) parts.push(text);
      size += text.length;
    },
    text: () => (size > outputMax ? `${parts.join("").slice(0, outputMax)}\n[cut off: ${size} characters]\n` : parts.join("")),
  };
}

/** Runs `line` on `node`; `answers` are typed one after the other at its prompts, then input ends. */
export async function runOnNode(host: UnpacedHost, node: string, line: string, answers: readonly string[]): Promise<NodeRun> {
  const { world } = host;
  const gone = unreachable(world.status(node));
  if (gone !== undefined) return { stdout: "", stderr: `quorate: ${gone}\n`, status: LAB_FAILED, failure: gone };
  const stdout = collector();
  const stderr = collector();
  const left = [...answers];
  const stdin = (): Promise<string | null> => {
    const answer = left.shift();
    return Promise.resolve(answer === undefined ? null : `${answer}\n`);
  };
  const port = new WorldPort(world, node, host);
  try {
    const io = { stdout: stdout.add, stderr: stderr.add, ...(answers.length > 0 ? { stdin } : {}) };
    const status = await runLine(port, line, io);
    const failure = status === LAB_FAILED ? unreachable(world.status(node)) : undefined;
    return { stdout: stdout.text(), stderr: stderr.text(), status, failure };
  } finally {
    port.close();
  }
}
