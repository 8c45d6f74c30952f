/** Somebody at the prompt of a node of a world. */
import type { World } from "../src/engine/world/index.ts";
import { runLine } from "../src/main/shell/exec.ts";
import { WorldPort } from "../src/main/shell/world-port.ts";

export interface Told {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

/** A line typed there, waited for in virtual time. */
export async function typed(world: World, node: string, line: string): Promise<Told> {
  const told = { stdout: "", stderr: "", status: 0 };
  const port = new WorldPort(world, node);
  told.status = await runLine(port, line, {
    stdout: (text) => void (told.stdout += text),
    stderr: (text) => void (told.stderr += text),
  });
  port.close();
  return told;
}

/** What the line printed, its errors first, and its status where that is not 0. */
export function asSaid({ stdout, stderr, status }: Told): string {
  return `${stderr}${stdout}${status === 0 ? "" : `status ${status}\n`}`;
}
