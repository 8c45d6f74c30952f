/** The desktop face: one application, a window for each lab, each window a client of its lab's supervisor. */
import { join } from "node:path";
import { app, BrowserWindow, dialog, Menu, type Event } from "electron";
import { pageDir } from "../lab/process/entries.ts";
import { labDir, stateDir } from "../lab/store/paths.ts";
import { knownLabs } from "../lab/store/registry.ts";
import { LICENCE_TEXTS, showAbout, showLicences } from "./about.ts";
import { askWhereToSave, confine, denyPermissions } from "./confine.ts";
import { bringBack } from "./crashes.ts";
import { chooseConf, chooseLab, newLabDir, saveExport } from "./dialogs.ts";
import { Labs } from "./labs.ts";
import { buildMenu } from "./menu.ts";
import { labOfLink, opening, openingOf, SCHEME, type Opening } from "./opening.ts";
import { announceScheme, servePage } from "./page.ts";
import { hearPages } from "./requests.ts";
import { pageInstead } from "./unsandboxed.ts";

/** What a person sees the first time: three nodes, clustered, running. */
const firstLab = ["--nodes", "3", "--clustered"];

const labs = new Labs();
let leaving = false;

async function openLab(dir: string, create: readonly string[]): Promise<void> {
  try {
    await labs.open(dir, create);
  } catch (error) {
    complain("The lab could not be opened", error);
    if (BrowserWindow.getAllWindows().length === 0) app.quit();
  }
}

async function openWhat(asked: Opening): Promise<void> {
  if (asked.kind === "lab") return openLab(asked.dir, firstLab);
  if (asked.kind === "file") return openLab(newLabDir(asked.file), ["--file", asked.file]);
  try {
    await openLab(labOfLink(asked.url, knownLabs()), []);
  } catch (error) {
    complain("The link was not followed", error);
    if (labs.none) await openLab(labDir(undefined), firstLab);
  }
}

async function exportConf(): Promise<void> {
  const lab = labs.focused();
  if (lab !== undefined) await saveExport(lab.window, lab.client).catch((error: unknown) => complain("The export was not written", error));
}

async function importConf(): Promise<void> {
  const chosen = await chooseConf(labs.focused()?.window);
  if (chosen !== undefined) await openLab(chosen.dir, ["--import", chosen.conf]);
}

async function chooseAndOpen(): Promise<void> {
  const chosen = await chooseLab(labs.focused()?.window).catch((error: unknown) => complain("The lab could not be opened", error));
  if (chosen !== undefined) await openWhat(chosen);
}

function complain(what: string, error: unknown): undefined {
  const text = error instanceof Error ? error.message : String(error);
  console.error(`${what}: ${text}`);
  dialog.showErrorBox(what, text);
}

/** Labs that this application started are frozen before it ends. */
function quitAfterFreezing(event: Event): void {
  if (leaving) return;
  const freezing = labs.end();
  if (freezing === undefined) return;
  event.preventDefault();
  leaving = true;
  void freezing.then(() => app.quit());
}

function showMenu(): void {
  Menu.setApplicationMenu(
    buildMenu({
      openLab: () => void chooseAndOpen(),
      importConf: () => void importConf(),
      exportConf: () => void exportConf(),
      palette: () => labs.focused()?.window.webContents.send("quorate:menu", "palette"),
      reload: () => (BrowserWindow.getFocusedWindow() ?? labs.focused()?.window)?.webContents.reload(),
      about: () => void showAbout(labs.focused()?.window),
      licences: () => void showLicences("/licences.txt"),
      chromiumLicences: () => void showLicences("/licences-of-chromium.html"),
      closeWindow: () => (BrowserWindow.getFocusedWindow() ?? labs.focused()?.window)?.close(),
      quit: () => app.quit(),
    }),
  );
}

/** What the system says later: a link or a file on a Mac, what a second start was asked for elsewhere. */
function hearSystem(): void {
  app.on("second-instance", (_event, _argv, _cwd, data) => {
    const asked = opening.safeParse(data);
    void openWhat(asked.success ? asked.data : { kind: "lab", dir: labDir(undefined) });
  });
  app.on("open-url", (event, url) => {
    event.preventDefault();
    void app.whenReady().then(() => openWhat({ kind: "link", url }));
  });
  app.on("open-file", (event, file) => {
    event.preventDefault();
    void app.whenReady().then(() => openWhat({ kind: "file", file }));
  });
}

async function start(asked: Opening): Promise<void> {
  await app.whenReady();
  servePage(pageDir(), LICENCE_TEXTS);
  denyPermissions();
  askWhereToSave();
  hearPages(labs, (dir) => {
    // Only of one that is on the list already.
    if (knownLabs().includes(dir)) void openLab(dir, []);
  });
  showMenu();
  if (app.isPackaged) app.setAsDefaultProtocolClient(SCHEME);
  await openWhat(asked);
}

/** In a checkout the first argument is the checkout. */
const args = process.argv.slice(1).filter((word, at, all) => !(process.defaultApp && at === all.findIndex((one) => !one.startsWith("-"))));
const asked = openingOf(args, labDir(undefined), process.cwd());

// What Chromium keeps goes where everything else of ours is.
app.setPath("userData", join(stateDir(), "desktop"));
if (app.commandLine.hasSwitch("no-sandbox")) pageInstead(asked, firstLab);
else if (app.requestSingleInstanceLock(asked)) {
  announceScheme();
  app.enableSandbox();
  app.on("web-contents-created", (_event, contents) => confine(contents));
  bringBack();
  hearSystem();
  app.on("before-quit", quitAfterFreezing);
  app.on("window-all-closed", () => app.quit());
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => app.quit());
  void start(asked).catch((error: unknown) => {
    complain("Quorate could not start", error);
    app.exit(1);
  });
} else app.quit();
