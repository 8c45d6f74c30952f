/** What this is, and the licences of all that comes with it. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BrowserWindow, dialog } from "electron";
import { pageDir } from "../lab/process/entries.ts";
import { version } from "../lab/version.ts";
import { pageOrigin, type Text } from "./page.ts";

const beside = (name: string): string => join(dirname(process.execPath), name);

/** Read when they are asked for: Chromium's are nine megabytes. */
export const LICENCE_TEXTS: Readonly<Record<string, Text>> = {
  "/licences.txt": { type: "text/plain; charset=utf-8", read: licences },
  "/licences-of-chromium.html": {
    type: "text/html; charset=utf-8",
    read: () => textAt(beside("LICENSES.chromium.html")) ?? "Chromium's licences are not beside this Electron.\n",
  },
};

function textAt(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

/** Quorate's own, Electron's, and those of every package of which something is in it. */
function licences(): string {
  const own = textAt(join(pageDir(), "../../LICENSE"));
  const electron = textAt(beside("LICENSE.electron.txt")) ?? textAt(beside("LICENSE"));
  const others = textAt(join(pageDir(), "../THIRD-PARTY.txt"));
  const parts = [
    ["Quorate", own],
    ["Electron", electron],
    ["", others],
  ].map(([name, text]) => (text === undefined ? `${name}: its licence is not beside this program` : `${name}\n\n${text}`.trim()));
  return `${parts.join("\n\n\n")}\n`;
}

export async function showAbout(window: BrowserWindow | undefined): Promise<void> {
  const { electron = "", chrome = "", node = "" } = process.versions;
  const about = {
    type: "info" as const,
    title: "About Quorate",
    message: `Quorate ${version()}`,
    detail: `A lab for Proxmox VE clusters.\nElectron ${electron}, Chromium ${chrome}, Node ${node}\nApache License 2.0. Not affiliated with Proxmox Server Solutions or the corosync project.`,
    buttons: ["Close", "Licences"],
    defaultId: 0,
    cancelId: 0,
  };
  const { response } = await (window === undefined ? dialog.showMessageBox(about) : dialog.showMessageBox(window, about));
  if (response === 1) await showLicences("/licences.txt");
}

/** A window that only shows: no bridge, no script. */
export async function showLicences(path: string): Promise<void> {
  const window = new BrowserWindow({
    width: 900,
    height: 700,
    title: "Licences",
    webPreferences: { contextIsolation: true, sandbox: true, nodeIntegration: false, javascript: false, spellcheck: false },
  });
  await window.loadURL(`${pageOrigin}${path}`);
}
