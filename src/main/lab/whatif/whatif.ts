/** What-if over files: a corosync.conf or a lab file as a question's design. */
import { readFileSync, statSync } from "node:fs";
import { whatIfDesign, type WhatIfDesign } from "../../../engine/whatif/index.ts";
import type { WorldDesign } from "../../../engine/world/design.ts";
import { worldDesign } from "../file/design.ts";
import { importedLab } from "../file/import.ts";
import { parseLabFile } from "../file/labfile.ts";
import type { LabFile } from "../file/labfile-schema.ts";
import { systemTrouble, Trouble, usage } from "../trouble.ts";

/** Bytes of a file that are read. Ours: the largest lab file has a tenth of it. */
const bytesMax = 4 << 20;

/** A lab file says its schema version; no corosync.conf has such a line. */
const labFileMark = /^["']?quorate["']?\s*:/m;

/** The lab of a corosync.conf or a lab file. Throws Trouble (usage), one line with the place. */
export function labFor(path: string): LabFile {
  let text: string;
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) throw usage(`read ${path}: it is a directory`);
    if (stat.size > bytesMax) throw usage(`read ${path}: larger than ${bytesMax} bytes`);
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new Trouble("usage", systemTrouble(error, `read ${path}`).message);
  }
  return labFileMark.test(text) ? parseLabFile(text, path) : importedLab(text, path);
}

/** The question over a world, from everything on and nothing at fault. Throws Trouble (usage) where there is none; `where` names it. */
export function questionOf(world: WorldDesign, where: string): WhatIfDesign {
  const result = whatIfDesign(world);
  if (!result.ok) throw usage(`${where}: ${result.why}`);
  return result.design;
}

export function questionFor(lab: LabFile, where: string): WhatIfDesign {
  return questionOf(worldDesign(lab), where);
}
