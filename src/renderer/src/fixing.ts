/** Carries out what a Why or a problem offers: an acting line is done, a command goes to the node's terminal, which comes to the front. */
import type { Fix } from "../../main/lab/api.ts";
import type { Page } from "./context.ts";

export function applyFix({ lab, place, prefs, terminals }: Page, fix: Fix): void {
  if ("act" in fix) {
    void lab.act(fix.act);
    return;
  }
  const tab = terminals.type(fix.node, fix.command);
  place.dockTab = { kind: "terminal", id: tab.id };
  if (prefs.layout.dock) return;
  prefs.layout.dock = true;
  prefs.keep();
}
