/**
 * The terminals: an xterm each, joined to a terminal of the lab. They live outside the components that show them, so that a tab, a narrow window
 * or another view loses nothing. The lab keeps them while the page is loaded again or its connection is lost; a page that comes back finds them by what its tab remembers. A node that
 * loses its power takes its terminal's process along; the terminal says so and comes back with the node.
 */
import { FitAddon } from "@xterm/addon-fit";
import { SearchAddon } from "@xterm/addon-search";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { WebglAddon } from "@xterm/addon-webgl";
import { Terminal, type ITheme } from "@xterm/xterm";
import { Refusal } from "../channel.ts";
import type { Lab, TerminalEvent } from "../lab.svelte.ts";
import { keepOpenTabs, openTabsOf, type OpenTab } from "./open-tabs.ts";
import { Tamed } from "./tamed.ts";

export interface TerminalTab {
  readonly id: number;
  readonly node: string;
  readonly title: string;
  /** What the tab is in: waiting for the lab, joined, ended with a reason. */
  state: "opening" | "open" | "ended";
  reason: string;
}

export interface Terminals {
  readonly tabs: readonly TerminalTab[];
  /** The first terminal of a node, made if there is none. */
  of(node: string): TerminalTab;
  add(node: string): TerminalTab;
  close(id: number): void;
  /** Puts the terminal into an element; returns what takes it out again. */
  show(id: number, host: HTMLElement): () => void;
  focus(id: number): void;
  /** Types a line, with Enter, into a node's first terminal. */
  type(node: string, line: string): TerminalTab;
  /** Types a line there and leaves it to the person to press Enter. */
  offer(node: string, line: string): TerminalTab;
  /** The tabs in sight when this page was loaded again; undefined: it was not. Ask after `follow`. */
  readonly restored: { shown: TerminalTab; beside: TerminalTab | undefined } | undefined;
  /** From now on a page that is loaded again finds its tabs. `shown` and `beside`: those in sight. */
  remember(dir: string, shown: number | undefined, beside: number | undefined): void;
  /** A tab whose machine is no more goes; a node that is new gets one, while they are few. The first time those come back that this browser tab had open in the lab. */
  follow(dir: string, machines: readonly { name: string; kind: string }[]): void;
  find(id: number, text: string): void;
  /** Colours follow the theme. */
  paint(): void;
  /** Terminals that ended begin anew where the node is on. */
  revive(isOn: (node: string) => boolean): void;
}

interface Live {
  tab: TerminalTab;
  term: Terminal;
  tamed: Tamed;
  /** Characters drawn of which the lab does not know yet. */
  drawn: number;
  fit: FitAddon;
  search: SearchAddon;
  element: HTMLDivElement;
  opened: boolean;
  joining: boolean;
  /** The lab's name for it. */
  remote: string | undefined;
  /** What the lab called it before the page was loaded again, or before the connection was lost. */
  former: string | undefined;
  /** To be typed at its first prompt: what comes before that is echoed twice. */
  waiting: string;
  /** What it has put out before is drawn anew: what xterm answers to that was answered then. */
  replaying: boolean;
}

const scrollback = 5_000;
const terminalsMax = 32;

/** Names of what stands in for a graphics card, as browsers give them. */
const emulated = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/** Whether WebGL is drawn by a graphics card; undefined before anybody has asked. */
let hasCard: boolean | undefined;
function graphicsCard(): boolean {
  const context = document.createElement("canvas").getContext("webgl2", { failIfMajorPerformanceCaveat: true });
  if (context === null) return false;
  const named = context.getExtension("WEBGL_debug_renderer_info")?.UNMASKED_RENDERER_WEBGL ?? context.RENDERER;
  const name = String(context.getParameter(named));
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return !emulated.test(name);
}
/** So many nodes have a tab each; of more, those that are asked for. */
const nodesWithTabMax = 16;
/** What arrives before the lab's answer that names the terminal. */
const earlyMax = 200;
/** Characters under way to one terminal. */
const creditMax = 256 << 10;

function themeOf(): ITheme {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string): string => style.getPropertyValue(name).trim();
  const dark = token("color-scheme") === "dark" || style.colorScheme === "dark";
  return {
    background: token("--canvas"),
    foreground: token("--ink"),
    cursor: token("--ink"),
    cursorAccent: token("--canvas"),
    selectionBackground: token("--accent-soft"),
    selectionForeground: token("--ink"),
    black: dark ? "#3a414c" : "#191c21",
    red: token("--bad"),
    green: token("--ok"),
    yellow: token("--warn"),
    blue: token("--ring-1"),
    magenta: token("--ring-4"),
    cyan: token("--ring-3"),
    white: dark ? "#b6bdc7" : "#5f6773",
    brightBlack: token("--ink-3"),
    brightRed: token("--bad"),
    brightGreen: token("--ok"),
    brightYellow: token("--warn"),
    brightBlue: token("--accent"),
    brightMagenta: token("--ring-4"),
    brightCyan: token("--ring-3"),
    brightWhite: token("--ink"),
  };
}

/** Keys that the page keeps even while a terminal has the focus; everything else is the shell's. */
function pageKey(event: KeyboardEvent): boolean {
  if (event.key === "F1" || event.key === "F6") return true;
  if (!event.ctrlKey && !event.metaKey) return false;
  if (event.shiftKey) return ["P", "E"].includes(event.key.toUpperCase());
  return event.code === "Backquote" || /^Digit[1-9]$/.test(event.code);
}

export function makeTerminals(lab: Lab): Terminals {
  let tabs = $state<TerminalTab[]>([]);
  const liveTabs = new Map<number, Live>();
  const early = new Map<string, TerminalEvent[]>();
  let nextId = 1;

  const tabOf = (id: number): TerminalTab | undefined => tabs.find((tab) => tab.id === id);

  function put(live: Live, state: TerminalTab["state"], reason = ""): void {
    const tab = tabOf(live.tab.id);
    if (tab === undefined) return;
    tab.state = state;
    tab.reason = reason;
  }

  /** Comes back to the lab's terminal where there still is one, else opens one. @returns the lab's name for it */
  async function found(live: Live): Promise<string> {
    const { cols, rows } = live.term;
    const { former } = live;
    live.former = undefined;
    const size = { cols, rows, credit: creditMax };
    if (former !== undefined) {
      try {
        const { text } = await lab.connection.call({ op: "terminal-attach", terminal: former, ...size });
        replay(live, text);
        return former;
      } catch (error) {
        // It ended meanwhile; a lab that is away is no reason to begin anew.
        if (!(error instanceof Refusal) || error.code !== "failed") {
          live.former = former;
          throw error;
        }
      }
    }
    return (await lab.connection.call({ op: "terminal-open", node: live.tab.node, ...size, keep: true })).terminal;
  }

  function replay(live: Live, text: string): void {
    live.term.reset();
    live.tamed = new Tamed(() => live.term);
    live.replaying = true;
    const pieces = live.tamed.pieces(text);
    pieces.forEach((piece) => live.term.write(piece));
    live.term.write("", () => (live.replaying = false));
  }

  async function join(live: Live): Promise<void> {
    if (live.joining || live.remote !== undefined) return;
    live.joining = true;
    put(live, "opening");
    try {
      const { cols, rows } = live.term;
      const terminal = await found(live);
      if (!liveTabs.has(live.tab.id)) {
        await lab.connection.call({ op: "terminal-close", terminal });
        return;
      }
      live.remote = terminal;
      live.drawn = 0;
      put(live, "open");
      for (const event of early.get(terminal) ?? []) heard(event);
      early.delete(terminal);
      if (live.term.cols !== cols || live.term.rows !== rows) resize(live);
      changed();
    } catch (error) {
      put(live, "ended", error instanceof Error ? error.message : String(error));
    } finally {
      live.joining = false;
    }
  }

  function write(live: Live, data: string): void {
    if (live.remote === undefined || live.replaying) return;
    lab.connection.call({ op: "terminal-write", terminal: live.remote, data }).catch((error: unknown) => {
      lab.say("refused", error instanceof Error ? error.message : String(error));
    });
  }

  function resize(live: Live): void {
    if (live.remote === undefined) return;
    const { cols, rows } = live.term;
    // A terminal that has just ended needs no size any more, and its end is told by an event; one that is come back to is told it again.
    lab.connection.call({ op: "terminal-resize", terminal: live.remote, cols, rows }).catch(() => undefined);
  }

  /** Tells the lab how far it has come with drawing: a program that puts out more than can be drawn waits, as at any terminal. */
  function draw(live: Live, { terminal, data }: TerminalEvent & { event: "terminal-data" }): void {
    const pieces = live.tamed.pieces(data);
    pieces.slice(0, -1).forEach((piece) => live.term.write(piece));
    live.term.write(pieces.at(-1) ?? "", () => {
      live.drawn += data.length;
      if (live.drawn < creditMax / 4 || live.remote !== terminal) return;
      // Where the terminal has ended meanwhile nobody waits for it.
      lab.connection.call({ op: "terminal-drawn", terminal, chars: live.drawn }).catch(() => undefined);
      live.drawn = 0;
    });
  }

  function heard(event: TerminalEvent): void {
    const live = [...liveTabs.values()].find((one) => one.remote === event.terminal);
    if (live === undefined) {
      const kept = early.get(event.terminal) ?? [];
      if (early.size < terminalsMax && kept.length < earlyMax) early.set(event.terminal, [...kept, event]);
      return;
    }
    if (event.event === "terminal-data") {
      draw(live, event);
      if (live.waiting !== "") write(live, live.waiting);
      live.waiting = "";
      return;
    }
    live.remote = undefined;
    changed();
    put(live, "ended", event.status === 0 ? "the shell has ended" : `the shell has ended with status ${event.status}`);
  }

  lab.onTerminal(heard);
  // After a lost connection the lab has kept our terminals, or it is another process and has none.
  lab.onOpen(() => {
    for (const live of liveTabs.values()) {
      live.former = live.remote ?? live.former;
      live.remote = undefined;
      if (live.opened) void join(live);
    }
  });

  /** What is remembered of this browser tab, once it is known for which lab. */
  let remembered: { dir: string; shown: number | undefined; beside: number | undefined } | undefined;

  function changed(): void {
    if (remembered === undefined) return;
    const { dir, shown, beside } = remembered;
    const open = tabs.map(({ id, node }): OpenTab => {
      const live = liveTabs.get(id);
      const terminal = live?.remote ?? live?.former;
      return { node, ...(terminal === undefined ? {} : { terminal }), shown: id === shown, beside: id === beside };
    });
    keepOpenTabs(dir, open);
  }

  function make(node: string, former?: string): TerminalTab {
    const titles = new Set(tabs.map(({ title }) => title));
    let title = node;
    for (let n = 2; titles.has(title); n++) title = `${node} (${n})`;
    const tab: TerminalTab = { id: nextId++, node, title, state: "opening", reason: "" };
    const term = new Terminal({
      allowProposedApi: true,
      cursorBlink: false,
      fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--font-mono"),
      fontSize: 12,
      lineHeight: 1.2,
      scrollback,
      screenReaderMode: true,
      theme: themeOf(),
    });
    const live: Live = {
      tab,
      term,
      tamed: new Tamed(() => term),
      drawn: 0,
      fit: new FitAddon(),
      search: new SearchAddon(),
      element: document.createElement("div"),
      opened: false,
      joining: false,
      remote: undefined,
      former,
      waiting: "",
      replaying: false,
    };
    live.element.className = "xterm-host";
    term.loadAddon(live.fit);
    term.loadAddon(live.search);
    term.loadAddon(new Unicode11Addon());
    term.loadAddon(new WebLinksAddon((_, uri) => window.open(uri, "_blank", "noopener")));
    term.unicode.activeVersion = "11";
    term.onData((data) => write(live, data));
    term.onResize(() => resize(live));
    term.attachCustomKeyEventHandler((event) => keyed(live, event));
    liveTabs.set(tab.id, live);
    tabs.push(tab);
    changed();
    return tab;
  }

  /** Into a node's first terminal, after what the person has typed so far is put away as Ctrl-U does; or at its first prompt. */
  function enter(node: string, text: string): TerminalTab {
    const tab = api.of(node);
    const live = liveTabs.get(tab.id);
    if (live === undefined) return tab;
    if (live.remote === undefined) live.waiting = text;
    else write(live, `\x15${text}`);
    return tab;
  }

  function keyed(live: Live, event: KeyboardEvent): boolean {
    if (event.type !== "keydown") return true;
    const both = event.ctrlKey && event.shiftKey;
    if (both && event.code === "KeyC") {
      const text = live.term.getSelection();
      if (text !== "")
        navigator.clipboard.writeText(text).catch(() => lab.say("refused", "the browser does not let this page use the clipboard"));
      event.preventDefault();
      return false;
    }
    // Ctrl+Shift+V: the browser pastes by itself; xterm hears the paste.
    if (both && event.code === "KeyV") return false;
    // No program in a terminal can tell Ctrl+Shift and a letter from Ctrl and the letter: they are the menu's, or the browser's.
    if (both && /^Key[A-Z]$/.test(event.code)) return false;
    return !pageKey(event);
  }

  /** Draws with the graphics card where there is one, else with plain elements: WebGL that the processor does is slower than they are, and takes seconds of it to begin. */
  function accelerate(live: Live): void {
    if (!(hasCard ??= graphicsCard())) return;
    try {
      const webgl = new WebglAddon();
      webgl.onContextLoss(() => webgl.dispose());
      live.term.loadAddon(webgl);
    } catch {
      // No WebGL here: xterm's own renderer draws.
      return;
    }
  }

  function start(live: Live): void {
    live.opened = true;
    live.term.open(live.element);
    if (new URLSearchParams(location.search).get("renderer") !== "dom") accelerate(live);
  }

  /** Nodes as they were last seen: a tab that the person closed does not come back. */
  let followed: Set<string> | undefined;
  let restored: Terminals["restored"];

  function restore(dir: string, machines: readonly { name: string }[]): Terminals["restored"] {
    const made = openTabsOf(dir)
      .filter(({ node }) => machines.some(({ name }) => name === node))
      .slice(0, terminalsMax)
      .map(({ node, terminal, shown, beside }) => ({ tab: make(node, terminal), shown, beside }));
    const shown = made.find((one) => one.shown) ?? made[0];
    return shown === undefined ? undefined : { shown: shown.tab, beside: made.find((one) => one.beside)?.tab };
  }

  const api: Terminals = {
    get tabs() {
      return tabs;
    },
    of: (node) => tabs.find((tab) => tab.node === node) ?? make(node),
    add: (node) => (tabs.length >= terminalsMax ? (tabs.find((tab) => tab.node === node) ?? make(node)) : make(node)),
    close(id) {
      const live = liveTabs.get(id);
      if (live === undefined) return;
      liveTabs.delete(id);
      tabs = tabs.filter((tab) => tab.id !== id);
      changed();
      // The lab may have closed it already: then there is nothing left to close.
      if (live.remote !== undefined) lab.connection.call({ op: "terminal-close", terminal: live.remote }).catch(() => undefined);
      live.term.dispose();
    },
    show(id, host) {
      const live = liveTabs.get(id);
      if (live === undefined) return () => undefined;
      host.append(live.element);
      if (!live.opened) start(live);
      const size = (): void => {
        if (host.clientWidth > 40 && host.clientHeight > 20) live.fit.fit();
      };
      size();
      const watcher = new ResizeObserver(size);
      watcher.observe(host);
      if (live.remote === undefined && live.tab.state !== "ended" && lab.link.kind === "open") void join(live);
      return () => {
        watcher.disconnect();
        live.element.remove();
      };
    },
    focus: (id) => liveTabs.get(id)?.term.focus(),
    type: (node, line) => enter(node, `${line}\r`),
    offer: (node, line) => enter(node, line),
    get restored() {
      return restored;
    },
    remember(dir, shown, beside) {
      remembered = { dir, shown, beside };
      changed();
    },
    follow(dir, machines) {
      if (followed === undefined) restored = restore(dir, machines);
      const before = followed ?? new Set(restored === undefined ? [] : machines.map(({ name }) => name));
      for (const { id, node } of [...tabs]) if (!machines.some(({ name }) => name === node)) api.close(id);
      const nodes = machines.flatMap(({ name, kind }) => (kind === "node" ? [name] : []));
      if (nodes.length <= nodesWithTabMax)
        for (const node of nodes) if (!tabs.some((tab) => tab.node === node) && !before.has(node)) make(node);
      followed = new Set(nodes);
    },
    find: (id, text) => liveTabs.get(id)?.search.findPrevious(text),
    paint() {
      const theme = themeOf();
      for (const { term } of liveTabs.values()) term.options.theme = theme;
    },
    revive(isOn) {
      for (const live of liveTabs.values())
        if (tabOf(live.tab.id)?.state === "ended" && live.opened && isOn(live.tab.node)) void join(live);
    },
  };
  return api;
}
