/** Where the project is, and its own source files. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

export const projectRoot = resolve(import.meta.dirname, "../..");

export interface SourceFile {
  /** Relative to the project, with "/". */
  path: string;
  text: string;
}

/** The files under `dir` whose names end in one of `endings`, in order. */
export function sourceFiles(dir: string, endings: readonly string[]): SourceFile[] {
  const found: SourceFile[] = [];
  const visit = (path: string): void => {
    const full = join(projectRoot, path);
    if (statSync(full).isDirectory()) for (const name of readdirSync(full).sort()) visit(`${path}/${name}`);
    else if (endings.some((ending) => path.endsWith(ending))) found.push({ path, text: readFileSync(full, "utf8") });
  };
  visit(dir);
  return found;
}
