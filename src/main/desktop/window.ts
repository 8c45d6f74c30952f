/** Windows: the one of a lab, where it stood last time and as large as its page was drawn, and those of a terminal alone. */
import { join } from "node:path";
import { BrowserWindow, nativeTheme, type BrowserWindowConstructorOptions } from "electron";
import { pageUrl } from "./page.ts";
import { lastPlacement, remember } from "./placement.ts";

/** What a page gets: the bridge, a world and a process of its own, and nothing of Node. */
const webPreferences = {
  preload: join(import.meta.dirname, "../preload/index.cjs"),
  contextIsolation: true,
  sandbox: true,
  nodeIntegration: false,
  nodeIntegrationInSubFrames: false,
  webviewTag: false,
  webSecurity: true,
  spellcheck: false,
};

function make(options: BrowserWindowConstructorOptions): BrowserWindow {
  // Until the page has drawn something, what a page of the computer's own theme begins with.
  const backgroundColor = nativeTheme.shouldUseDarkColors ? "#14171c" : "#f6f7f9";
  const window = new BrowserWindow({ ...options, title: "Quorate", show: false, backgroundColor, webPreferences });
  window.once("ready-to-show", () => window.show());
  return window;
}

/** A window that is closed before its page is there is no failure. */
async function load(window: BrowserWindow, url: string): Promise<void> {
  let closed = false;
  window.once("close", () => (closed = true));
  try {
    await window.loadURL(url);
  } catch (error) {
    if (!closed && !window.isDestroyed()) throw error;
  }
}

/** Opens the window of a lab. `prepare` sees it before the page is loaded. It shows when it has something to show. */
export async function openWindow(prepare: (window: BrowserWindow) => void): Promise<void> {
  const last = lastPlacement();
  const window = make({
    ...(last === undefined ? { width: 1440, height: 900 } : { x: last.x, y: last.y, width: last.width, height: last.height }),
    minWidth: 640,
    minHeight: 480,
  });
  if (last?.maximized) window.maximize();
  window.webContents.on("did-finish-load", () => window.webContents.setZoomLevel(last?.zoom ?? 0));
  window.on("close", () => remember(window));
  prepare(window);
  await load(window, pageUrl);
}

/** Opens a window with the terminal of a node alone. */
export async function openTerminalWindow(node: string, prepare: (window: BrowserWindow) => void): Promise<void> {
  const window = make({ width: 900, height: 520, minWidth: 320, minHeight: 200 });
  prepare(window);
  await load(window, `${pageUrl}?${new URLSearchParams({ terminal: node }).toString()}`);
}
