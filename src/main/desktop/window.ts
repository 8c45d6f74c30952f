/** One window on one lab: where it stood last time, and everything a page must not do denied. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BrowserWindow, screen, session, shell, type WebContents } from "electron";
import { z } from "zod";
import { stateDir } from "../lab/store/paths.ts";
import { writeAtomic } from "../lab/store/atomic-files.ts";
import { pageOrigin, pageUrl } from "./page.ts";

const placement = z.object({
  x: z.number(),
  y: z.number(),
  width: z.number().min(640),
  height: z.number().min(480),
  maximized: z.boolean(),
});
type Placement = z.infer<typeof placement>;

const file = (): string => join(stateDir(), "window.json");

/** Where the window stood, if that is still on a screen. */
function lastPlacement(): Placement | undefined {
  try {
    const last = placement.parse(JSON.parse(readFileSync(file(), "utf8")));
    const area = screen.getDisplayMatching(last).workArea;
    const visible = last.x < area.x + area.width && last.x + last.width > area.x && last.y >= area.y && last.y < area.y + area.height;
    return visible ? last : undefined;
  } catch {
    // The first time, or a file of another version: the default place.
    return undefined;
  }
}

function remember(window: BrowserWindow): void {
  try {
    writeAtomic(file(), JSON.stringify({ ...window.getNormalBounds(), maximized: window.isMaximized() }), 0o600);
  } catch (error) {
    console.error(`the window's place is not remembered: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Opens a window on the page. `prepare` sees it before the page is loaded. It shows when it has something to show. */
export async function openWindow(title: string, prepare: (window: BrowserWindow) => void): Promise<void> {
  const last = lastPlacement();
  const window = new BrowserWindow({
    ...(last === undefined ? { width: 1440, height: 900 } : { x: last.x, y: last.y, width: last.width, height: last.height }),
    minWidth: 640,
    minHeight: 480,
    title,
    show: false,
    backgroundColor: "#14171c",
    webPreferences: {
      preload: join(import.meta.dirname, "../preload/index.cjs"),
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
    },
  });
  if (last?.maximized) window.maximize();
  window.once("ready-to-show", () => window.show());
  window.on("close", () => remember(window));
  prepare(window);
  await window.loadURL(pageUrl);
}

/** For every page that will ever be made: no navigation away, no new windows, no embedded pages. */
export function confine(contents: WebContents): void {
  contents.on("will-navigate", (event) => event.preventDefault());
  contents.on("will-frame-navigate", (event) => event.preventDefault());
  contents.on("will-redirect", (event) => event.preventDefault());
  contents.on("will-attach-webview", (event) => event.preventDefault());
  contents.setWindowOpenHandler(({ url }) => {
    // A link in a terminal opens in the person's own browser, never here.
    if (/^https?:\/\//.test(url)) void shell.openExternal(url);
    return { action: "deny" };
  });
}

/** No page gets a camera, a location, a notification; the clipboard is the page's own through user gestures. */
export function denyPermissions(): void {
  const allowed = new Set(["clipboard-sanitized-write", "clipboard-read"]);
  const ours = (url: string): boolean => url.startsWith(`${pageOrigin}/`) || url === pageOrigin;
  session.defaultSession.setPermissionRequestHandler((_contents, permission, answer, details) =>
    answer(allowed.has(permission) && ours(details.requestingUrl)),
  );
  session.defaultSession.setPermissionCheckHandler((_contents, permission, origin) => allowed.has(permission) && ours(origin));
}
