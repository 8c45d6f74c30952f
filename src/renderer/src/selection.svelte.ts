/** What is selected on the canvas, and which view is open. Everything that acts, acts on the selection. */
import type { LabSnapshot } from "../../main/lab/api.ts";
import { startView, type TimelineView } from "./bars/timeline-view.ts";

export type Selected = { kind: "node"; node: string } | { kind: "cable"; node: string; net: string } | { kind: "switch"; net: string };

export type View = "topology" | "whatif" | "configure";
export type DockTab = { kind: "terminal"; id: number } | { kind: "journal" } | { kind: "problems" } | { kind: "actions" };

/** What needs a name first; see NameDialog. */
export type Asking =
  { what: "machine" | "qnetd" | "network" } | { what: "rename-machine"; name: string } | { what: "rename-network"; name: string };

/** What the command line can do beside acts on the canvas, each a dialog. */
export type Tool =
  | { kind: "snapshots" | "replay" | "scenario" | "labs" | "new-lab" | "freeze" }
  | { kind: "partition" }
  | { kind: "block"; node: string }
  | { kind: "link"; node: string; net: string };

/** Stable name of a selected thing, as the canvas marks its elements. */
export function keyOf(selected: Selected): string {
  if (selected.kind === "node") return `node:${selected.node}`;
  return selected.kind === "cable" ? `cable:${selected.node}:${selected.net}` : `switch:${selected.net}`;
}

/** The selection a key names, if the lab still has it. */
export function fromKey(key: string, snapshot: LabSnapshot): Selected | undefined {
  const [kind, a = "", b = ""] = key.split(":");
  if (kind === "node" && snapshot.nodes.some(({ name }) => name === a)) return { kind, node: a };
  if (kind === "cable" && snapshot.cables.some(({ node, net }) => node === a && net === b)) return { kind, node: a, net: b };
  if (kind === "switch" && snapshot.networks.some(({ name }) => name === a)) return { kind, net: a };
  return undefined;
}

/** The node a selection is about: the inspector and the terminal keys use it. */
export const nodeOf = (selected: Selected | undefined): string | undefined =>
  selected === undefined || selected.kind === "switch" ? undefined : selected.node;

export interface Place {
  selected: Selected | undefined;
  view: View;
  dockTab: DockTab;
  /** The terminal that stands beside the one of `dockTab`. */
  beside: number | null;
  palette: boolean;
  help: boolean;
  exporting: boolean;
  /** A name is asked for. */
  asking: Asking | null;
  /** The menu of what can be added is open. */
  adding: boolean;
  /** The dialog that builds a lab from nothing is open. */
  building: boolean;
  /** The inspector or the dock lies over the canvas (narrow windows). */
  overlay: "inspector" | "dock" | null;
  table: boolean;
  /** A corosync.conf that was dropped on the page, or is to be given; Configure takes it. */
  door: File | "own" | null;
  journalNode: string;
  /** What went wrong while something was drawn; null: nothing, or it was read and put away. */
  drawingFailed: string | null;
  /** Counts up whenever everything is to be drawn anew. */
  drawing: number;
  /** Which part of the run the timeline shows. */
  timeline: TimelineView;
  /** The dialog of a tool that is open. */
  tool: Tool | null;
}

/** Inspector and dock lie over the view: in a small window, and over what-if, which needs the width. */
export const liesOver = (windowWidth: number, { view }: Pick<Place, "view">): boolean => windowWidth < 1100 || view === "whatif";

/** Configure, ready for a file of the person's own. */
export function openImport(place: Place): void {
  place.view = "configure";
  place.door = "own";
}

const VIEWS: readonly View[] = ["topology", "whatif", "configure"];
const KEY = "quorate.place";

/** What a page that is loaded again, or comes back after its process died, begins with: the view, and the key of what was selected. */
function placeBefore(): { view: View; selected: string } {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    if (typeof kept === "object" && kept !== null && "view" in kept && "selected" in kept && typeof kept.selected === "string")
      return { view: VIEWS.find((view) => view === kept.view) ?? "topology", selected: kept.selected };
  } catch {
    // Nothing is remembered, or it is not ours.
  }
  return { view: "topology", selected: "" };
}

/** What was selected before the page was loaded again, if the lab still has it. */
export const selectedBefore = (snapshot: LabSnapshot): Selected | undefined => fromKey(placeBefore().selected, snapshot);

export function keepPlace({ view, selected }: Pick<Place, "view" | "selected">): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ view, selected: selected === undefined ? "" : keyOf(selected) }));
  } catch {
    // Storage is full or forbidden: a page that is loaded again begins at the topology.
  }
}

/** Where the person is. */
export function makePlace(): Place {
  const place = $state<Place>({
    selected: undefined,
    view: placeBefore().view,
    dockTab: { kind: "terminal", id: 0 },
    beside: null,
    palette: false,
    help: false,
    exporting: false,
    asking: null,
    adding: false,
    building: false,
    overlay: null,
    table: false,
    door: null,
    journalNode: "",
    drawingFailed: null,
    drawing: 0,
    timeline: startView(),
    tool: null,
  });
  return place;
}
