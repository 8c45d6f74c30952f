/** Where a window stood and how large its page was drawn, kept in a file for the next one. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { screen, type BrowserWindow } from "electron";
import { z } from "zod";
import { stateDir } from "../lab/store/paths.ts";
import { writeAtomic } from "../lab/store/atomic-files.ts";

/** Chromium's levels: each is a fifth larger than the one before, 0 is as it is. */
const [ZOOM_MIN, ZOOM_MAX] = [-4, 6];

const placement = z.object({
  x: z.number(),
  y: z.number(),
  width: z.number().min(640),
  height: z.number().min(480),
  maximized: z.boolean(),
  zoom: z.number().min(ZOOM_MIN).max(ZOOM_MAX).default(0),
});
type Placement = z.infer<typeof placement>;

const file = (): string => join(stateDir(), "window.json");

/** Where the window stood, if that is still on a screen. */
export function lastPlacement(): Placement | undefined {
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

export function remember(window: BrowserWindow): void {
  try {
    const zoom = Math.min(ZOOM_MAX, Math.max(ZOOM_MIN, window.webContents.getZoomLevel()));
    writeAtomic(file(), JSON.stringify({ ...window.getNormalBounds(), maximized: window.isMaximized(), zoom }), 0o600);
  } catch (error) {
    console.error(`the window's place is not remembered: ${error instanceof Error ? error.message : String(error)}`);
  }
}
