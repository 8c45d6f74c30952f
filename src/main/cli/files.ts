/** Commands about files: conf check|diff|print, import, export. */
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { connectLab } from "../lab/process/client.ts";
import { importedLab } from "../lab/file/import.ts";
import { printLabFile } from "../lab/file/labfile.ts";
import type { LabFile } from "../lab/file/labfile-schema.ts";
import { labDir } from "../lab/store/paths.ts";
import { writeAtomic } from "../lab/store/atomic-files.ts";
import { notYet, systemTrouble, usage } from "../lab/trouble.ts";
import { confCheck, confDiff, confPrint, readConf } from "./conf.ts";
import { print, say, withProgress } from "./outcome.ts";
import { releaseOf, textOf, type Values } from "./values.ts";

export async function conf(args: string[], v: Values): Promise<number> {
  const [verb, file, ...more] = args;
  const [next, ...rest] = more;
  if (verb === "diff" && file !== undefined && next !== undefined && rest.length === 0) return confDiff(file, next, v["json"] === true);
  if ((verb !== "check" && verb !== "print") || file === undefined || more.length > 0)
    throw usage("conf: check FILE [--release R] [--json] | diff OLD NEW [--json] | print FILE");
  if (verb === "check") return confCheck(file, v["json"] === true, releaseOf(v["release"]));
  return confPrint(file);
}

/** The lab of a corosync.conf. Throws Trouble with every error's place when real corosync would refuse the file. */
export function importConfFile(path: string): LabFile {
  return importedLab(readConf(path), path, ({ line, column, severity, text }) => say(`${path}:${line}:${column}: ${severity}: ${text}`));
}

export function importFiles(args: string[], v: Values): Promise<number> {
  const [path, ...more] = args;
  if (path === undefined) throw usage("import: FILE [--out LAB.yaml]");
  if (more.length > 0 || path.endsWith(".db")) throw notYet("importing a config.db", "import takes one corosync.conf");
  const text = printLabFile(importConfFile(path));
  const out = textOf(v["out"]);
  if (out === undefined) print(text);
  else writeAtomic(out, text);
  return Promise.resolve(0);
}

export async function exportFiles(v: Values): Promise<number> {
  const out = resolve(textOf(v["out"]) ?? ".");
  try {
    if (existsSync(out) && readdirSync(out).length > 0) throw usage(`${out} is not empty; name a new directory with --out`);
  } catch (error) {
    throw systemTrouble(error, `export to ${out}`);
  }
  const client = await connectLab(labDir(textOf(v["lab"])));
  const { files, warnings } = await withProgress("exporting", client.call({ op: "export" }));
  for (const { text } of warnings) say(`quorate: warning: ${text}`);
  for (const file of files) {
    const path = join(out, file.path);
    writeAtomic(path, file.text, file.mode);
    say(`quorate: wrote ${path}`);
  }
  return 0;
}
