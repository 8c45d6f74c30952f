/** A page whose process died comes back, and stands where it was; one that dies again and again is left alone, with a word. */
import { app, BrowserWindow, dialog, type WebContents } from "electron";

/** So many within so long are no accident. */
const [CRASHES_MAX, WITHIN_MS] = [3, 60_000];

export function bringBack(): void {
  const crashes = new WeakMap<WebContents, number[]>();
  app.on("render-process-gone", (_event, contents, { reason }) => {
    const window = BrowserWindow.fromWebContents(contents);
    if (window === null || reason === "clean-exit") return;
    const now = performance.now();
    const recent = [...(crashes.get(contents) ?? []), now].filter((at) => at > now - WITHIN_MS);
    crashes.set(contents, recent);
    console.error(`the page's process ended (${reason}); the lab goes on`);
    if (recent.length < CRASHES_MAX) contents.reload();
    else
      dialog.showErrorBox(
        "The page cannot be shown",
        `Its process ended ${CRASHES_MAX} times within a minute (${reason}). The lab goes on; View, Reload shows it again.`,
      );
  });
}
