/**
 * Every acting line there is. The command line, the page and the steps of a scenario all speak them, so they mean the same everywhere: one table from text to acts on the
 * world and back.
 */
import type { World, WorldAct } from "../../../engine/world/index.ts";
import { notYet, Trouble, usage } from "../trouble.ts";
import { splitLine } from "./command-line.ts";
import { sceneOf, type ActKind, type PlannedAct, type Scene } from "./kind.ts";
import { disk } from "./disk.ts";
import { link } from "./link.ts";
import { block, heal, partition, switches, unblock } from "./network.ts";
import { packet } from "./packet.ts";
import { power } from "./power.ts";
import { service } from "./service.ts";
import { cards, machines, networks } from "./topology.ts";

export const KINDS: readonly ActKind[] = [
  power,
  machines,
  networks,
  cards,
  service,
  link,
  block,
  unblock,
  switches,
  partition,
  heal,
  disk,
  packet,
];

const heads = [...new Set(KINDS.map(({ head }) => head))].join(", ");

/** Heads that the command line has and this version does not. */
const LATER: readonly string[] = ["clock"];

/** Reads an acting line. Throws Trouble (usage), one line: what is wrong and what is allowed. */
export function readAct(line: string | readonly string[], scene: Scene): PlannedAct {
  const [head = "", ...args] = typeof line === "string" ? splitLine(line) : line;
  if (LATER.includes(head)) throw notYet(head, `there are: ${heads}`);
  const kinds = KINDS.filter((kind) => kind.head === head);
  if (kinds.length === 0) throw usage(`unknown act ${JSON.stringify(head)}; there are: ${heads}`);
  const kind = kinds.find(({ verbs }) => verbs === undefined || verbs.includes(args[0] ?? ""));
  if (kind === undefined) throw usage(`${head}: ${kinds.map((k) => k.usage).join(", ")}`);
  return kind.read(args, scene);
}

/** The line that does `act`. Throws for an act that has none. */
export function lineOf(act: WorldAct): string {
  for (const kind of KINDS) {
    const line = kind.line?.(act);
    if (line !== undefined) return line;
  }
  throw new Error(`no acting line does ${JSON.stringify(act)}`);
}

/** What takes back an act on a machine; undefined where nothing does. */
export function oppositeOf(act: WorldAct): WorldAct | undefined {
  for (const kind of KINDS) {
    const opposite = kind.opposite?.(act);
    if (opposite !== undefined) return opposite;
  }
  return undefined;
}

/** Why an act that happens now cannot do what it says: a machine is off. A power switch, a cable and an act for later can always be asked for. */
export function impossible({ needsPower }: PlannedAct, world: Pick<World, "status">): string | undefined {
  const off = needsPower.filter((name) => world.status(name).power === "off");
  return off.length === 0 ? undefined : `${off.join(", ")} ${off.length === 1 ? "is" : "are"} powered off`;
}

/** What is wrong with a line that is still being typed, in one line; null: it could be done now. Nothing is done. */
export function wrongWith(line: string, world: World): string | null {
  try {
    return impossible(readAct(line, sceneOf(world)), world) ?? null;
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    return error.message;
  }
}
