/** The labs of this computer, as `quorate ls` lists them: those that run are asked, of the others the directory tells. */
import { join } from "node:path";
import type { ListedLab } from "../../api-run.ts";
import { parseLabFile, readLabFile } from "../../file/labfile.ts";
import { endOf, readRecordHead } from "../../store/record-file.ts";
import { knownLabs } from "../../store/registry.ts";
import { connectLab } from "../client.ts";
import { wellFormed } from "../message-check.ts";
import { isRunning, labFileName } from "../new-lab.ts";

/** A lab that does not run, as its directory tells. */
function asleep(dir: string): ListedLab | undefined {
  try {
    const path = join(dir, labFileName);
    const made = readRecordHead(join(dir, "record.jsonl"))?.lab;
    const lab = made === undefined ? readLabFile(path) : parseLabFile(made, path);
    return { lab: dir, name: lab.name, running: false, instant: lastInstant(dir), nodes: Object.keys(lab.nodes) };
  } catch {
    // Deleted by hand, or not readable: not a lab any more.
    return undefined;
  }
}

/** The instant of the last line of the record that has one; 0 where it never ran. */
function lastInstant(dir: string): number {
  const found = endOf(join(dir, "record.jsonl"))
    .match(/^\{"(?:at|end)":\d+/gm)
    ?.at(-1);
  return Number(found?.split(":")[1] ?? 0);
}

async function describe(dir: string): Promise<ListedLab | undefined> {
  if (!isRunning(dir)) return asleep(dir);
  try {
    const client = await connectLab(dir, wellFormed);
    const { lab, name, instant, nodes } = await client.call({ op: "info" });
    client.close();
    return { lab, name, running: true, instant, nodes };
  } catch {
    // It ended between two looks.
    return asleep(dir);
  }
}

/** All of them, in the order they were made. */
export async function listedLabs(): Promise<ListedLab[]> {
  const labs: ListedLab[] = [];
  for (const dir of knownLabs()) {
    const lab = await describe(dir);
    if (lab) labs.push(lab);
  }
  return labs;
}
