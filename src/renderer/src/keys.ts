/** The keyboard: which key does what, in one table that the help shows too. No single letter acts in a terminal or a field. */
import type { Place } from "./selection.svelte.ts";

export interface KeyActions {
  palette(): void;
  help(): void;
  pauseOrRun(): void;
  stepEvent(): void;
  faster(by: 1 | -1): void;
  slowOnChange(): void;
  moveSelection(dx: number, dy: number): void;
  inspect(): void;
  cutOrHeal(): void;
  power(): void;
  kill(): void;
  stall(): void;
  add(): void;
  rename(): void;
  remove(): void;
  undo(): void;
  terminal(): void;
  terminalOfNumber(n: number): void;
  exportFiles(): void;
  nextRegion(back: boolean): void;
  /** The timeline: earlier or later. */
  panTimeline(direction: 1 | -1): void;
  /** The timeline: its beginning, or now. */
  timelineTo(where: "beginning" | "now"): void;
  escape(): boolean;
}

export const keyTable: readonly { keys: readonly string[]; does: string }[] = [
  { keys: ["F1", "Ctrl+Shift+P"], does: "every action, faults too" },
  { keys: ["Space"], does: "pause, run" },
  { keys: ["."], does: "one event" },
  { keys: ["[", "]"], does: "slower, faster" },
  { keys: ["S"], does: "slow on change: slow down when a token is lost, a join is heard or a ring forms" },
  { keys: ["← ↑ ↓ →"], does: "move the selection on the canvas" },
  { keys: ["Shift+←", "Shift+→"], does: "pan the timeline" },
  { keys: ["Home", "End"], does: "timeline: the beginning, now" },
  { keys: ["Enter"], does: "inspect what is selected" },
  { keys: ["X"], does: "cut or heal the selected cable, a node’s cables, or a switch" },
  { keys: ["P"], does: "power of the selected node: orderly off, or on" },
  { keys: ["K"], does: "power cut of the selected node" },
  { keys: ["Z"], does: "stall the selected node, or resume it" },
  { keys: ["A"], does: "add a machine, a network or a qnetd host" },
  { keys: ["F2"], does: "rename the selected machine or network" },
  { keys: ["Del"], does: "remove the selected machine or network, or unplug the NIC" },
  { keys: ["Ctrl+Z"], does: "undo the last act" },
  { keys: ["Ctrl+`"], does: "terminal of the selected node" },
  { keys: ["Ctrl+1 … 9"], does: "terminal of node 1 … 9 (a browser may keep these keys for its tabs)" },
  { keys: ["Ctrl+Shift+E"], does: "export the configuration" },
  { keys: ["Ctrl+Shift+C", "Ctrl+Shift+V"], does: "copy and paste in a terminal" },
  { keys: ["Shift+F10"], does: "menu of the selected thing" },
  { keys: ["F6", "Shift+F6"], does: "next region, region before" },
  { keys: ["?"], does: "this table" },
  { keys: ["Esc"], does: "close what is open" },
];

const writing = "input, textarea, select, [contenteditable=true], .xterm, .cm-editor";
const ownKeys = `${writing}, [role=menu], [role=menuitem], [role=tab], [role=dialog], [role=listbox], [role=separator], [role=log], [role=region]`;

/** The button that has the focus because it was clicked with the mouse. */
let clicked: Element | undefined;
const clickable = "button, a, summary, [role=button], [role=tab]";
const holdsSpace = "[role=menu], [role=dialog], [role=listbox], form";

/** A click of the window. One that a key made has no detail. */
export function pointed(event: MouseEvent): void {
  const target = event.target instanceof Element ? event.target.closest(clickable) : null;
  clicked = event.detail > 0 && target !== null && target.closest(holdsSpace) === null ? target : undefined;
}

/** Handles a key of the window; returns true when the page took it. */
export function pressed(event: KeyboardEvent, place: Place, keyActions: KeyActions): boolean {
  const target = event.target instanceof Element ? event.target : document.body;
  // Who goes on by keyboard means what has the focus.
  if (event.key === "Tab" || event.key === "F6" || event.key.startsWith("Arrow")) clicked = undefined;
  const ctrl = event.ctrlKey || event.metaKey;
  const letter = event.key.toUpperCase();
  if (event.key === "F1" || (ctrl && event.shiftKey && letter === "P")) return done(keyActions.palette);
  if (ctrl && event.shiftKey && letter === "E") return done(keyActions.exportFiles);
  if (event.key === "F6") return done(() => keyActions.nextRegion(event.shiftKey));
  if (ctrl && !event.shiftKey && event.code === "Backquote") return done(keyActions.terminal);
  if (ctrl && !event.shiftKey && !event.altKey && /^Digit[1-9]$/.test(event.code))
    return done(() => keyActions.terminalOfNumber(Number(event.code.slice(5))));
  if (event.key === "Escape") return target.closest(writing) === null && keyActions.escape();
  if (
    place.palette ||
    place.help ||
    place.exporting ||
    place.asking !== null ||
    place.building ||
    place.tool !== null ||
    target.closest(writing) !== null
  )
    return false;
  if (ctrl && !event.shiftKey && !event.altKey && letter === "Z") return done(keyActions.undo);
  if (ctrl || event.altKey) return false;
  const canvasItem = target.closest("[data-key]") !== null;
  return plainKey(event, target, canvasItem, keyActions);
}

function plainKey(event: KeyboardEvent, target: Element, canvasItem: boolean, keyActions: KeyActions): boolean {
  const control = target.closest("button, a, summary, [role=button]") !== null && !canvasItem;
  const elsewhere = target.closest(ownKeys) !== null && !canvasItem;
  const arrows: Record<string, readonly [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const arrow = arrows[event.key];
  if (event.shiftKey && arrow !== undefined && arrow[0] !== 0)
    return !elsewhere && done(() => keyActions.panTimeline(arrow[0] < 0 ? -1 : 1));
  if (event.key === "Home" || event.key === "End")
    return !elsewhere && done(() => keyActions.timelineTo(event.key === "Home" ? "beginning" : "now"));
  if (arrow !== undefined) return !elsewhere && done(() => keyActions.moveSelection(arrow[0], arrow[1]));
  // As in a player: what was clicked with the mouse and is not meant any more does not keep Space.
  if (event.key === " ") return ((!control && !elsewhere) || target === clicked) && done(keyActions.pauseOrRun);
  if (event.key === "Enter") return !control && !elsewhere && done(keyActions.inspect);
  if (target.closest("[role=menu], [role=dialog], [role=listbox]") !== null) return false;
  if (event.key === "F2") return done(keyActions.rename);
  // Only where the thing itself has the focus: nothing goes by a slip in a list.
  if (event.key === "Delete") return canvasItem && done(keyActions.remove);
  switch (event.key.length === 1 ? event.key.toUpperCase() : "") {
    case ".":
      return done(keyActions.stepEvent);
    case "[":
      return done(() => keyActions.faster(-1));
    case "]":
      return done(() => keyActions.faster(1));
    case "?":
      return done(keyActions.help);
    case "S":
      return done(keyActions.slowOnChange);
    case "X":
      return done(keyActions.cutOrHeal);
    case "P":
      return done(keyActions.power);
    case "K":
      return done(keyActions.kill);
    case "Z":
      return done(keyActions.stall);
    case "A":
      return done(keyActions.add);
    default:
      return false;
  }
}

function done(what: () => void): true {
  what();
  return true;
}
