/** Carries out what a Why, a problem or a section offers: an acting line is done; a command is typed into its node's terminal, which comes to the front, and Enter is left to the person. */
import type { Fix } from "../../main/lab/api.ts";
import type { Page } from "./context.ts";
import type { TerminalTab } from "./dock/terminals.svelte.ts";
import { liesOver } from "./selection.svelte.ts";

/** After the dock is drawn. */
const focusAfterMs = 60;

export function showDock({ place, prefs }: Pick<Page, "place" | "prefs">): void {
  if (liesOver(window.innerWidth, place)) place.overlay = "dock";
  else if (!prefs.layout.dock) {
    prefs.layout.dock = true;
    prefs.keep();
  }
}

/** A terminal comes to the front and has the focus. */
export function showTerminal(page: Page, tab: TerminalTab): void {
  page.place.dockTab = { kind: "terminal", id: tab.id };
  showDock(page);
  setTimeout(() => page.terminals.focus(tab.id), focusAfterMs);
}

/** Types a command at the prompt of a node's terminal. Nothing runs by a click: a restart of corosync costs votes. */
export function offerCommand(page: Page, node: string, command: string): void {
  showTerminal(page, page.terminals.offer(node, command));
}

export function applyFix(page: Page, fix: Fix): void {
  if ("act" in fix) void page.lab.act(fix.act);
  else offerCommand(page, fix.node, fix.command);
}
