/** The terminals that this browser tab has open, remembered while it is loaded again. A browser that refuses storage only forgets. */
import { z } from "zod";

/** In the address of a window that is one terminal alone: its node. */
const LONE = "terminal";

/** The node whose terminal this window is; undefined: it is the whole page. */
export const loneNode = (): string | undefined => new URLSearchParams(location.search).get(LONE) ?? undefined;

/** Opens a window that is a terminal of `node` alone. False where the browser does not let this page; the desktop's windows are the application's to open. */
export function openLone(node: string): boolean {
  const { host } = window as Window & { host?: { openTerminal(node: string): void } };
  if (host !== undefined) {
    host.openTerminal(node);
    return true;
  }
  const address = `${location.pathname}?${new URLSearchParams({ [LONE]: node }).toString()}`;
  return window.open(address, "", "popup,width=900,height=520") !== null;
}

// A window that another one opens begins with what that one remembers: the page's terminals are not its own.
const KEY = loneNode() === undefined ? "quorate.terminals" : "quorate.terminal";
const TABS_MAX = 64;

const openTab = z.object({
  node: z.string(),
  /** The lab's name for it; absent: it was never shown. */
  terminal: z.string().optional(),
  shown: z.boolean(),
  beside: z.boolean(),
});
const remembered = z.object({ dir: z.string(), tabs: z.array(openTab).max(TABS_MAX) });

export interface OpenTab {
  node: string;
  terminal?: string | undefined;
  /** In sight; `beside`: as the second of two. */
  shown: boolean;
  beside: boolean;
}

/** Those of a lab; none where the browser tab showed another. */
export function openTabsOf(dir: string): OpenTab[] {
  try {
    const { dir: whose, tabs } = remembered.parse(JSON.parse(sessionStorage.getItem(KEY) ?? "null"));
    return whose === dir ? tabs : [];
  } catch {
    // Nothing is remembered, or it is not ours.
    return [];
  }
}

export function keepOpenTabs(dir: string, tabs: readonly OpenTab[]): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ dir, tabs }));
  } catch {
    // Storage is full or forbidden: a page that is loaded again begins with new terminals.
  }
}
