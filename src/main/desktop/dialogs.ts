/** What the menu does with files of this computer: save the export, open a lab, make one from a corosync.conf. */
import { existsSync } from "node:fs";
import { basename, dirname, extname, join, resolve, sep } from "node:path";
import { dialog, shell, type BrowserWindow, type OpenDialogOptions } from "electron";
import type { LabClient } from "../lab/process/client.ts";
import { holdsLab, labFileName } from "../lab/process/new-lab.ts";
import { stateDir } from "../lab/store/paths.ts";
import { writeAtomic } from "../lab/store/atomic-files.ts";
import { FILE_ENDING, type Opening } from "./opening.ts";

/** Asks for a folder and writes the lab's export into it. What stands in the folder is overwritten only after a question. */
export async function saveExport(window: BrowserWindow, client: LabClient): Promise<void> {
  const { files, warnings } = await client.call({ op: "export" });
  if (warnings.length > 0) {
    const { response } = await dialog.showMessageBox(window, {
      type: "warning",
      message: "This export is not ready for real hosts",
      detail: warnings.map(({ text }) => text).join("\n"),
      buttons: ["Cancel", "Export all the same"],
      defaultId: 0,
      cancelId: 0,
    });
    if (response !== 1) return;
  }
  const chosen = await dialog.showOpenDialog(window, {
    title: "Export configuration to",
    buttonLabel: "Export here",
    properties: ["openDirectory", "createDirectory"],
  });
  const folder = chosen.filePaths[0];
  if (chosen.canceled || folder === undefined) return;
  const targets = files.map((file) => ({ ...file, target: inside(folder, file.path) }));
  const there = targets.filter(({ target }) => existsSync(target));
  if (there.length > 0) {
    const { response } = await dialog.showMessageBox(window, {
      type: "question",
      message: `${there.length} of ${files.length} files are there already`,
      detail: there.map(({ path }) => path).join("\n"),
      buttons: ["Overwrite", "Cancel"],
      defaultId: 1,
      cancelId: 1,
    });
    if (response !== 0) return;
  }
  for (const { target, text, mode } of targets) writeAtomic(target, text, mode);
  shell.showItemInFolder(join(folder, targets[0]?.path ?? ""));
}

/** The path of an exported file under `folder`; a path that leaves it is the lab's mistake. */
function inside(folder: string, path: string): string {
  const target = resolve(folder, path);
  if (!target.startsWith(resolve(folder) + sep)) throw new Error(`the export names a file outside its folder: ${path}`);
  return target;
}

const ANY = { name: "All files", extensions: ["*"] };

/** Asks for one file; undefined: the person thought better of it. */
async function chooseFile(window: BrowserWindow | undefined, options: OpenDialogOptions): Promise<string | undefined> {
  const chosen = await (window === undefined ? dialog.showOpenDialog(options) : dialog.showOpenDialog(window, options));
  return chosen.canceled ? undefined : chosen.filePaths[0];
}

/** Asks for a corosync.conf. Returns it and the directory of the new lab. */
export async function chooseConf(window: BrowserWindow | undefined): Promise<{ conf: string; dir: string } | undefined> {
  const filters = [{ name: "corosync.conf", extensions: ["conf"] }, ANY];
  const conf = await chooseFile(window, { title: "Open a cluster's corosync.conf", filters, properties: ["openFile"] });
  return conf === undefined ? undefined : { conf, dir: newLabDir(conf) };
}

/** Asks for a lab: the lab file in its directory, or one to begin a lab with. Throws Error with what to tell the person. */
export async function chooseLab(window: BrowserWindow | undefined): Promise<Opening | undefined> {
  const filters = [{ name: "Labs", extensions: ["yaml", "yml", FILE_ENDING.slice(1)] }, ANY];
  const defaultPath = stateDir();
  const file = await chooseFile(window, { title: "Open a lab", buttonLabel: "Open", defaultPath, filters, properties: ["openFile"] });
  if (file === undefined) return undefined;
  return basename(file) === labFileName && holdsLab(dirname(file)) ? { kind: "lab", dir: dirname(file) } : { kind: "file", file };
}

/** A directory for a new lab, beside the default one, named after the file it is made of; a corosync.conf after the folder it came from. */
export function newLabDir(file: string): string {
  const stem = basename(file, extname(file));
  const named = stem === "corosync" ? basename(dirname(file)) : stem;
  const name = named.replaceAll(/[^a-zA-Z0-9_-]/g, "") || "imported";
  for (let n = 1; ; n++) {
    const dir = join(stateDir(), `${name}${n === 1 ? "" : `-${n}`}`);
    if (!existsSync(dir)) return dir;
  }
}
