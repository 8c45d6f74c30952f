/** What every component may reach: the lab, the preferences, where the person is, and the terminals. Set once by App. */
import { createContext } from "svelte";
import type { Terminals } from "./dock/terminals.svelte.ts";
import type { Lab } from "./lab.svelte.ts";
import type { Prefs } from "./prefs.svelte.ts";
import type { Place } from "./selection.svelte.ts";

export interface Page {
  lab: Lab;
  prefs: Prefs;
  place: Place;
  terminals: Terminals;
}

export const [getPage, setPage] = createContext<Page>();
