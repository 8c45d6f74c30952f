/**
 * A lab as its directory tells, up to where a host can take it: the files made private, the lab file as the lab was made from it, the world brought back, every node on its disk,
 * and what nobody refers to forgotten. No process, no socket, no time.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { NodeDisks } from "../../../../engine/host/disk/node-disks.ts";
import { makeMachine } from "../../../../engine/node/index.ts";
import { worldDesign } from "../../file/design.ts";
import { parseLabFile } from "../../file/labfile.ts";
import type { LabFile } from "../../file/labfile-schema.ts";
import { LAB_FILE_BYTES_MAX, readInput } from "../../file/read-input.ts";
import { HISTORY_FILE, readHistory, type HistoryEntry } from "../../history/history-file.ts";
import { LAB } from "../../history/tasks.ts";
import { Timeline } from "../../view/timeline.ts";
import { beginLab, waitForBoot } from "../../scenario/advance.ts";
import { PRIVATE_MODE, writeAtomic } from "../../store/atomic-files.ts";
import { collectContents } from "../../store/collect.ts";
import { files, LabDisk, type Found } from "../../store/disk.ts";
import { makePrivate } from "../../store/private-files.ts";
import { keepAside, readRecordHead, refuseOtherVersion } from "../../store/record-file.ts";
import { stateOfWorld } from "../../store/world-state.ts";
import { standOnDisks } from "./lab-disks.ts";

/** The lab file of a directory, and what is to be said of it. */
export interface LabText {
  readonly text: string;
  readonly file: LabFile;
  readonly said: readonly string[];
}

export interface Standing {
  readonly found: Found;
  readonly disk: LabDisk;
  readonly disks: NodeDisks;
  readonly said: readonly string[];
  /** The cluster that was to form has formed. */
  readonly formed: boolean;
  /** Of the lab's run so far; empty for a new lab. */
  readonly timeline: Timeline;
}

/** The lab file: as the record has it, where there is one, since the run was made from that. Throws Trouble. */
export function labTextOf(dir: string): LabText {
  refuseOtherVersion(dir);
  const said = makePrivate(dir);
  const path = join(dir, files.lab);
  const made = readRecordHead(join(dir, files.record))?.lab;
  const there = made !== undefined && !existsSync(path) ? undefined : readInput(path, LAB_FILE_BYTES_MAX, "a lab file");
  const text = made ?? there ?? "";
  const file = parseLabFile(text, path);
  if (there !== text) {
    const aside = there === undefined ? "is missing; it" : `is not what the lab was made from; it was put aside as ${keepAside(path)} and`;
    writeAtomic(path, text, PRIVATE_MODE);
    said.push(`${path} ${aside} was written anew from the record`);
  }
  return { text, file, said };
}

/**
 * The world stands, and every node on its disk. A start that ends before this is through leaves all there was; the frozen state goes when what came of it is on disk.
 * @param cold every node powers on from its disk
 * @param owned throws where the directory is this lab's no longer
 */
export function bringUp(dir: string, { text, file, said: before }: LabText, cold: boolean, owned?: () => void): Standing {
  const { disks, said: damaged } = NodeDisks.mended(join(dir, files.nodes));
  const disk = new LabDisk(dir, disks.contents, owned);
  try {
    const { contents } = disks;
    const found = disk.open(text, worldDesign(file), makeMachine, { at: contents.released ?? 0, acts: contents.releasedActs });
    const why = found.how === "new" ? beginLab(found.world, file) : undefined;
    const timeline = new Timeline();
    const history = found.how === "new" ? { entries: [], said: [] } : readHistory(join(dir, HISTORY_FILE));
    const stood = found.how === "new" ? [] : following(timeline, history.entries, found, () => standUp(found, disk, disks, cold));
    const said = [...before, ...(damaged === undefined ? [] : [damaged]), ...history.said, ...stood];
    if (why !== undefined) said.push(`the cluster has not formed: ${why}`);
    said.push(...collectContents(dir, disks));
    disk.note(found.world);
    disk.saveDisks(stateOfWorld(found.world));
    disk.stands();
    return { found, disk, disks, said, formed: why === undefined, timeline };
  } catch (error) {
    disk.close();
    disks.close();
    throw error;
  }
}

/** The timeline goes on where it was, and takes in what happens while `stand` has the nodes stand on their disks. */
function following(timeline: Timeline, entries: readonly HistoryEntry[], { world }: Found, stand: () => string[]): string[] {
  timeline.restore(entries, world.now);
  for (const status of world.statuses()) timeline.begin(world.now, status);
  const unwatch = world.watch({
    effect: (at, machine, effect) => {
      if (effect.kind === "trace") timeline.take(at, world.nameOf(machine), effect.event);
    },
  });
  const at = world.now;
  try {
    const said = stand();
    if (said.length > 0) timeline.mark(at, "act", said[0] ?? "");
    timeline.tasks.begin(at, LAB, "lab", "up", [], { result: "done", said: said.join("; "), status: null });
    return said;
  } finally {
    unwatch();
  }
}

/**
 * The nodes stand on their disks: where the lab goes on as it was frozen, each on its own; after a crash, or if `cold`, every one powers on from its disk at the present
 * instant, which is what a power failure of the whole lab leaves. Says what happened.
 */
function standUp(found: Found, disk: LabDisk, disks: NodeDisks, cold: boolean): string[] {
  const { world, how, said: damaged } = found;
  const recorded = (): void => disk.note(world);
  const all = (kind: "power-cut" | "power-on"): void => {
    for (const name of on) {
      world.act({ to: "machine", machine: name, act: { kind } });
      recorded();
    }
  };
  if (how === "new") return [];
  const on = world.statuses().flatMap((m) => (m.power === "off" ? [] : [m.name]));
  const down = how === "crashed" || cold;
  if (down) all("power-cut");
  // What a crash left that nobody outside had been told of has not happened.
  const cut = how === "crashed" ? disks.toldCut() : { until: () => world.now, seq: () => 0 };
  const { said, boots } = standOnDisks(world, disks, cut, recorded);
  if (down) all("power-on");
  // `up` returns when every machine has booted; nobody watches yet, so they boot unpaced.
  if (down || boots) waitForBoot(world);
  const powered = "every node powers on from its disk";
  if (how === "crashed")
    return [...(damaged.length > 0 ? [...damaged, powered] : [`the lab was not taken down in order: ${powered}`]), ...said];
  return [...damaged, ...(cold ? [powered] : []), ...said];
}
