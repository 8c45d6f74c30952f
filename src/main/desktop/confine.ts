/** What no page may do, whichever it is: go elsewhere, open windows, hold other pages, ask for what the computer has; and what becomes of what it saves. */
import { BrowserWindow, dialog, session, type WebContents } from "electron";
import { openOutside } from "./external.ts";
import { pageOrigin } from "./page.ts";

/** The clipboard, for copy and paste in a terminal. */
const ALLOWED: ReadonlySet<string> = new Set(["clipboard-sanitized-write", "clipboard-read"]);

/** For every page that will ever be made: no navigation away, no new windows, no embedded pages. */
export function confine(contents: WebContents): void {
  contents.on("will-navigate", (event) => event.preventDefault());
  contents.on("will-frame-navigate", (event) => event.preventDefault());
  contents.on("will-redirect", (event) => event.preventDefault());
  contents.on("will-attach-webview", (event) => event.preventDefault());
  contents.setWindowOpenHandler(({ url }) => {
    // A link in a terminal opens in the person's own browser, never here.
    void openOutside(BrowserWindow.fromWebContents(contents), url);
    return { action: "deny" };
  });
}

const ours = (url: string): boolean => url.startsWith(`${pageOrigin}/`) || url === pageOrigin;

/** No page gets a camera, a location, a notification, a device; the clipboard is the page's own through user gestures. */
export function denyPermissions(): void {
  const { defaultSession } = session;
  defaultSession.setPermissionRequestHandler((_contents, permission, answer, details) =>
    answer(ALLOWED.has(permission) && ours(details.requestingUrl)),
  );
  defaultSession.setPermissionCheckHandler((_contents, permission, origin) => ALLOWED.has(permission) && ours(origin));
  defaultSession.setDevicePermissionHandler(() => false);
}

/** What the page made is saved where the person says; nothing is fetched from anywhere. */
export function askWhereToSave(): void {
  session.defaultSession.on("will-download", (event, item, contents) => {
    const window = BrowserWindow.fromWebContents(contents);
    if (window === null || !item.getURL().startsWith(`blob:${pageOrigin}/`)) return event.preventDefault();
    const path = dialog.showSaveDialogSync(window, { defaultPath: item.getFilename() });
    if (path === undefined || path === "") event.preventDefault();
    else item.setSavePath(path);
  });
}
