/** The tools of the lab menu and the palette: what the command line can beside acts on the canvas. */
import type { LabSnapshot } from "../../../main/lab/api.ts";
import type { Page } from "../context.ts";
import type { Tool } from "../selection.svelte.ts";
import type { IconName } from "../ui/icons.ts";
import { tools as said } from "../words/timeline.ts";
import { saveRecord } from "./record.ts";

export interface LabTool {
  tool: Tool | "record";
  title: string;
  icon: IconName;
}

export const labTools: readonly LabTool[] = [
  { tool: { kind: "snapshots" }, title: said.snapshots, icon: "save" },
  { tool: "record", title: said.saveRecord, icon: "exportOut" },
  { tool: { kind: "replay" }, title: said.replay, icon: "play" },
  { tool: { kind: "scenario" }, title: said.scenario, icon: "list" },
  { tool: { kind: "labs" }, title: said.labs, icon: "server" },
  { tool: { kind: "new-lab" }, title: said.newLab, icon: "plus" },
  { tool: { kind: "freeze" }, title: said.freeze, icon: "snow" },
];

/** A menu or palette that closes takes the focus back; call it after that. */
export function runTool({ lab, place }: Pick<Page, "lab" | "place">, snapshot: LabSnapshot, tool: LabTool["tool"]): void {
  if (tool === "record") void saveRecord(lab, snapshot);
  else place.tool = tool;
}
