/** Where a command would be found: on the disk, in the directories of PATH. */
import type { Run } from "../interpreter/program.ts";

/** What bash searches where PATH is not set. */
const PATH_DEFAULT = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

async function runs(run: Run, path: string): Promise<boolean> {
  const stat = await run.files.maybeStat(run.path(path));
  return stat !== undefined && stat.type !== "directory" && (stat.mode & 0o111) !== 0;
}

/** Every path under which the name is found, in the order of PATH. */
export async function whichPaths(run: Run, name: string): Promise<string[]> {
  if (name === "") return [];
  if (name.includes("/")) return (await runs(run, name)) ? [name] : [];
  const found: string[] = [];
  for (const directory of (run.shell.get("PATH") ?? PATH_DEFAULT).split(":")) {
    const path = directory === "" ? `./${name}` : `${directory}/${name}`;
    if (await runs(run, path)) found.push(path);
  }
  return found;
}

/** @returns the path, or undefined when nothing of that name runs */
export async function whichPath(run: Run, name: string): Promise<string | undefined> {
  return (await whichPaths(run, name))[0];
}
