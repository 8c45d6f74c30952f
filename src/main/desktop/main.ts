/** The desktop face: one application, a window for each lab, each window a client of its lab's supervisor. */
import { join } from "node:path";
import { app, BrowserWindow, dialog, ipcMain, Menu, MessageChannelMain, type IpcMainEvent } from "electron";
import { connectLab, type LabClient } from "../lab/process/client.ts";
import { pageDir } from "../lab/process/entries.ts";
import { labDir, stateDir } from "../lab/store/paths.ts";
import { knownLabs } from "../lab/store/registry.ts";
import { attach, type Attached } from "./attach.ts";
import { joinPort } from "./bridge.ts";
import { chooseConf, saveExport } from "./dialogs.ts";
import { buildMenu } from "./menu.ts";
import { announceScheme, pageOrigin, servePage } from "./page.ts";
import { confine, denyPermissions, openWindow } from "./window.ts";

/** What a person sees the first time: three nodes, clustered, running. */
const firstLab = ["--nodes", "3", "--clustered"];

const labs = new Map<number, Attached>();
/** Labs being frozen because their window closed. */
const ending = new Set<Promise<void>>();
let leaving = false;

async function openLab(dir: string, create: readonly string[]): Promise<void> {
  const shown = [...labs].find(([, lab]) => lab.dir === dir);
  const existing = shown === undefined ? null : BrowserWindow.fromId(shown[0]);
  if (existing !== null) return existing.focus();
  try {
    const lab = await attach(dir, create);
    await openWindow("Quorate", (window) => bind(window, lab));
  } catch (error) {
    complain("The lab could not be opened", error);
    if (BrowserWindow.getAllWindows().length === 0) app.quit();
  }
}

/** The window shows this lab until it closes. */
function bind(window: BrowserWindow, lab: Attached): void {
  const { id } = window;
  labs.set(id, lab);
  window.on("closed", () => {
    labs.delete(id);
    const done = letGo(lab).finally(() => ending.delete(done));
    ending.add(done);
  });
}

/** Who started a lab freezes it; one that was running before goes on. */
async function letGo(lab: Attached): Promise<void> {
  if (lab.started)
    await lab.client.call({ op: "down" }).catch((error: unknown) => console.error(`the lab was not frozen: ${message(error)}`));
  lab.client.close();
}

/** The page asks for its channel: a new connection to the lab behind a MessagePort. */
async function connectPage(event: IpcMainEvent): Promise<void> {
  const frame = event.senderFrame;
  const window = BrowserWindow.fromWebContents(event.sender);
  const lab = window === null ? undefined : labs.get(window.id);
  if (frame === null || lab === undefined || !frame.url.startsWith(`${pageOrigin}/`)) return;
  const { port1, port2 } = new MessageChannelMain();
  frame.postMessage("quorate:channel", null, [port2]);
  const client = await connectLab(lab.dir).catch((error: unknown) => message(error));
  if (typeof client === "string") {
    port1.start();
    port1.postMessage({ event: "gone", reason: client });
    port1.close();
  } else joinPort(port1, client.channel);
}

/** The page asks for the window of another lab: only of one that is on the list already. */
function openFromPage(event: IpcMainEvent, dir: unknown): void {
  const frame = event.senderFrame;
  if (frame === null || !frame.url.startsWith(`${pageOrigin}/`) || typeof dir !== "string" || !knownLabs().includes(dir)) return;
  void openLab(dir, []);
}

function focused(): { window: BrowserWindow; client: LabClient } | undefined {
  const window = BrowserWindow.getFocusedWindow() ?? BrowserWindow.getAllWindows()[0];
  const lab = window === undefined ? undefined : labs.get(window.id);
  return window === undefined || lab === undefined ? undefined : { window, client: lab.client };
}

async function exportConf(): Promise<void> {
  const at = focused();
  if (at !== undefined) await saveExport(at.window, at.client).catch((error: unknown) => complain("The export was not written", error));
}

async function importConf(): Promise<void> {
  const chosen = await chooseConf(focused()?.window);
  if (chosen !== undefined) await openLab(chosen.dir, ["--import", chosen.conf]);
}

function complain(what: string, error: unknown): void {
  console.error(`${what}: ${message(error)}`);
  dialog.showErrorBox(what, message(error));
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Labs that this application started are frozen before it ends. */
function quitAfterFreezing(event: { preventDefault(): void }): void {
  if (leaving || (labs.size === 0 && ending.size === 0)) return;
  event.preventDefault();
  leaving = true;
  const open = [...labs.values()];
  labs.clear();
  void Promise.allSettled([...ending, ...open.map(letGo)]).then(() => app.quit());
}

async function start(): Promise<void> {
  await app.whenReady();
  servePage(pageDir());
  denyPermissions();
  ipcMain.on("quorate:connect", (event) => void connectPage(event));
  ipcMain.on("quorate:open", openFromPage);
  Menu.setApplicationMenu(
    buildMenu({
      importConf: () => void importConf(),
      exportConf: () => void exportConf(),
      palette: () => focused()?.window.webContents.send("quorate:menu", "palette"),
      closeWindow: () => BrowserWindow.getFocusedWindow()?.close(),
      quit: () => app.quit(),
    }),
  );
  await openLab(labDir(undefined), firstLab);
}

/** Of a second start: the lab it was asked for. */
function labOf(data: unknown): string {
  return typeof data === "object" && data !== null && "lab" in data && typeof data.lab === "string" ? data.lab : labDir(undefined);
}

// What Chromium keeps goes where everything else of ours is.
app.setPath("userData", join(stateDir(), "desktop"));
if (app.requestSingleInstanceLock({ lab: labDir(undefined) })) {
  announceScheme();
  app.enableSandbox();
  app.on("web-contents-created", (_event, contents) => confine(contents));
  app.on("second-instance", (_event, _argv, _cwd, data) => void openLab(labOf(data), firstLab));
  app.on("before-quit", quitAfterFreezing);
  app.on("window-all-closed", () => app.quit());
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => app.quit());
  void start().catch((error: unknown) => {
    complain("Quorate could not start", error);
    app.exit(1);
  });
} else app.quit();
