/**
 * Services that people have written themselves: their unit files lie where the administrator's are. In the real stack: what systemctl list-unit-files finds there. Left out: templates, and files
 * that stand in place of a package's.
 */
import { ETC_UNITS, RUN_UNITS, type FileView } from "./files.ts";
import { isTemplate, journalUnit } from "./names.ts";

/** As many are looked at. Ours. */
const LOCAL_SERVICES_MAX = 64;

/** Their names without suffix, in order; a link is another unit's name, or masks one. */
export function localServices(files: FileView, packaged: readonly string[]): string[] {
  const names = [ETC_UNITS, RUN_UNITS].flatMap((directory) =>
    (files.list(directory) ?? []).filter((name) => {
      if (!name.endsWith(".service") || isTemplate(name) || packaged.includes(journalUnit(name))) return false;
      const path = `${directory}/${name}`;
      return files.readlink(path) === undefined && files.stat(path)?.type === "file";
    }),
  );
  return [...new Set(names.map(journalUnit))].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)).slice(0, LOCAL_SERVICES_MAX);
}
