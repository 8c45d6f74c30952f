/** What the page remembers: the theme for everywhere, the layout per lab. Kept in the browser; a browser that refuses storage only forgets. */

export const themes = ["light", "dark", "contrast"] as const;
export type Theme = (typeof themes)[number];

export interface Layout {
  inspector: boolean;
  dock: boolean;
  timeline: boolean;
  /** Pixels; null: as the design has it. */
  inspectorWidth: number | null;
  dockHeight: number | null;
  inspectorTab: string;
  hint: "start" | "over";
}

const defaultLayout: Layout = {
  inspector: true,
  dock: true,
  timeline: true,
  inspectorWidth: null,
  dockHeight: null,
  inspectorTab: "overview",
  hint: "start",
};

/** Actions of the palette that are remembered. */
const recentMax = 30;

function read(key: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    // No storage, or something else's content in it: as if nothing were remembered.
    return null;
  }
}

function write(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Storage is full or forbidden; the page works on, it only forgets.
    return;
  }
}

function isTheme(value: unknown): value is Theme {
  return themes.some((theme) => theme === value);
}

function systemTheme(): Theme {
  if (matchMedia("(prefers-contrast: more)").matches) return "contrast";
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

export interface Prefs {
  /** "system" follows the computer. */
  readonly chosen: Theme | "system";
  readonly theme: Theme;
  choose(theme: Theme | "system"): void;
  layout: Layout;
  /** Reads the layout of this lab, or begins with `initial`; what is changed from now on is remembered for it. */
  forLab(dir: string, initial: Partial<Layout>): void;
  keep(): void;
  /** Actions of the palette by their names, the last one first. */
  readonly recent: readonly string[];
  /** This one was chosen. */
  used(action: string): void;
}

/** The preferences, with the theme already on the root element. */
export function makePrefs(): Prefs {
  const stored = read("quorate.theme");
  let chosen = $state<Theme | "system">(isTheme(stored) ? stored : "system");
  let system = $state<Theme>(systemTheme());
  const before = read("quorate.recent");
  let recent = $state.raw<readonly string[]>(
    Array.isArray(before) ? before.filter((one) => typeof one === "string").slice(0, recentMax) : [],
  );
  let layout = $state<Layout>({ ...defaultLayout });
  let key = "";
  const theme = (): Theme => (chosen === "system" ? system : chosen);
  const apply = (): void => document.documentElement.setAttribute("data-theme", theme());
  for (const query of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"])
    matchMedia(query).addEventListener("change", () => {
      system = systemTheme();
      apply();
    });
  apply();
  return {
    get chosen() {
      return chosen;
    },
    get theme() {
      return theme();
    },
    choose(next) {
      chosen = next;
      write("quorate.theme", next);
      apply();
    },
    get layout() {
      return layout;
    },
    set layout(next) {
      layout = next;
    },
    forLab(dir, initial) {
      if (key === `quorate.layout.${dir}`) return;
      key = `quorate.layout.${dir}`;
      const before = read(key);
      layout = { ...defaultLayout, ...initial, ...(typeof before === "object" && before !== null ? before : {}) };
    },
    get recent() {
      return recent;
    },
    used(action) {
      recent = [action, ...recent.filter((one) => one !== action)].slice(0, recentMax);
      write("quorate.recent", recent);
    },
    keep() {
      if (key !== "") write(key, $state.snapshot(layout));
    },
  };
}
