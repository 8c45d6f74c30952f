/** What the menu does with files of this computer: save the export, make a lab from a corosync.conf. */
import { existsSync } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { dialog, shell, type BrowserWindow } from "electron";
import type { LabClient } from "../lab/process/client.ts";
import { stateDir } from "../lab/store/paths.ts";
import { writeAtomic } from "../lab/store/atomic-files.ts";

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

/** Asks for a corosync.conf. Returns it and the directory of the new lab, or undefined when the person thought better of it. */
export async function chooseConf(window: BrowserWindow | undefined): Promise<{ conf: string; dir: string } | undefined> {
  const options = {
    title: "Open a cluster's corosync.conf",
    filters: [
      { name: "corosync.conf", extensions: ["conf"] },
      { name: "All files", extensions: ["*"] },
    ],
  };
  const chosen = await (window === undefined ? dialog.showOpenDialog(options) : dialog.showOpenDialog(window, options));
  const conf = chosen.filePaths[0];
  return chosen.canceled || conf === undefined ? undefined : { conf, dir: newLabDir(conf) };
}

/** A directory for the new lab, beside the default one, named after where the file came from. */
function newLabDir(conf: string): string {
  const name = basename(dirname(conf)).replaceAll(/[^a-zA-Z0-9_-]/g, "") || "imported";
  for (let n = 1; ; n++) {
    const dir = join(stateDir(), `${name}${n === 1 ? "" : `-${n}`}`);
    if (!existsSync(dir)) return dir;
  }
}
