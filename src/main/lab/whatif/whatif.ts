/** What-if over files: a corosync.conf or a lab file as a question's design. */
import { whatIfDesign, type WhatIfDesign } from "../../../engine/whatif/index.ts";
import type { WorldDesign } from "../../../engine/world/design.ts";
import { worldDesign } from "../file/design.ts";
import { importedLab } from "../file/import.ts";
import { parseLabFile } from "../file/labfile.ts";
import type { LabFile } from "../file/labfile-schema.ts";
import { LAB_FILE_BYTES_MAX, readInput } from "../file/read-input.ts";
import { usage } from "../trouble.ts";

/** A lab file says its schema version; no corosync.conf has such a line. */
const labFileMark = /^["']?quorate["']?\s*:/m;

/** The lab of a corosync.conf or a lab file. Throws Trouble (usage), one line with the place. */
export function labFor(path: string): LabFile {
  const text = readInput(path, LAB_FILE_BYTES_MAX, "a corosync.conf or lab file");
  return labFileMark.test(text) ? parseLabFile(text, path, path) : importedLab(text, path);
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
