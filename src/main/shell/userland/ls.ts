/** ls: as GNU ls in the C locale. */
import { FileError, type FileStat } from "../files.ts";
import type { Program, Run } from "../interpreter/program.ts";
import { parseOptions, UsageError } from "../interpreter/program.ts";
import type { Parsed } from "../interpreter/program.ts";
import { strftime } from "./clock.ts";
import { modeText } from "./mode.ts";
import { Accounts } from "./users.ts";

interface Shown {
  name: string;
  stat: FileStat;
}

export function sizeText(size: number, human: boolean): string {
  if (!human || size < 1024) return String(size);
  const units = "KMGT";
  let value = size;
  let unit = -1;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value < 10 ? (Math.ceil(value * 10) / 10).toFixed(1) : Math.ceil(value)}${units.charAt(unit)}`;
}

/** Six months back or in the future: the year instead of the time. */
export function timeText(micros: number, now: number): string {
  const recent = micros <= now && now - micros < 15_778_476_000_000;
  return strftime(recent ? "%b %e %H:%M" : "%b %e  %Y", micros);
}

const blocks = (stat: FileStat): number => (stat.type === "directory" ? 4 : stat.type !== "file" ? 0 : Math.ceil(stat.size / 4096) * 4);

async function longLines(run: Run, shown: readonly Shown[], options: Parsed): Promise<string[]> {
  const [now, accounts] = [await run.system.now(), await Accounts.of(run)];
  const human = options.has("h");
  const rows = shown.map(({ name, stat }) => ({
    mode: modeText(stat),
    inode: options.has("i") ? `${stat.ino} ` : "",
    links: String(stat.nlink),
    owner: options.has("n") ? String(stat.uid) : accounts.user(stat.uid),
    group: options.has("n") ? String(stat.gid) : accounts.group(stat.gid),
    size: stat.device ? "1, 3" : sizeText(stat.size, human),
    time: timeText(now.epoch + stat.mtime, now.epoch + now.instant),
    name: stat.type === "symlink" && stat.target !== undefined ? `${name} -> ${stat.target}` : name + mark(stat, options),
  }));
  const wide = (key: "inode" | "links" | "owner" | "group" | "size"): number =>
    rows.reduce((max, row) => Math.max(max, row[key].length), 0);
  const [inode, links, owner, group, size] = [wide("inode"), wide("links"), wide("owner"), wide("group"), wide("size")];
  return rows.map((row) => {
    const owners = [...(options.has("g") ? [] : [row.owner.padEnd(owner)]), ...(options.has("o") ? [] : [row.group.padEnd(group)])];
    const start = `${row.inode.padStart(inode)}${row.mode} ${row.links.padStart(links)}`;
    return [start, ...owners, row.size.padStart(size), row.time, row.name].join(" ");
  });
}

function mark(stat: FileStat, options: Parsed): string {
  if (!options.has("F") && !options.has("p")) return "";
  if (stat.type === "directory") return "/";
  if (!options.has("F")) return "";
  if (stat.type === "symlink") return "@";
  if (stat.type === "socket") return "=";
  if (stat.type === "fifo") return "|";
  return (stat.mode & 0o111) !== 0 ? "*" : "";
}

/** Names in columns, top to bottom, as wide as the terminal. */
export function columns(names: readonly string[], width: number): string[] {
  if (names.length === 0) return [];
  for (let rows = 1; rows <= names.length; rows++) {
    const cols = Math.ceil(names.length / rows);
    const widths = Array.from({ length: cols }, (_, col) =>
      names.slice(col * rows, (col + 1) * rows).reduce((max, name) => Math.max(max, name.length), 0),
    );
    if (rows < names.length && widths.reduce((sum, w) => sum + w + 2, -2) > width) continue;
    return Array.from({ length: rows }, (_, row) =>
      widths
        .map((w, col) => {
          const name = names[col * rows + row];
          return name === undefined ? "" : (col + 1) * rows + row < names.length ? name.padEnd(w + 2) : name;
        })
        .join(""),
    );
  }
  return [...names];
}

function sorted(shown: Shown[], options: Parsed): Shown[] {
  if (options.has("t")) shown.sort((a, b) => b.stat.mtime - a.stat.mtime);
  if (options.has("S")) shown.sort((a, b) => b.stat.size - a.stat.size);
  return options.has("r") ? shown.reverse() : shown;
}

const isLong = (options: Parsed): boolean => [..."lngo"].some((letter) => options.has(letter));

async function print(run: Run, shown: readonly Shown[], options: Parsed): Promise<void> {
  if (isLong(options)) {
    for (const line of await longLines(run, shown, options)) await run.out(`${line}\n`);
    return;
  }
  const names = shown.map(({ name, stat }) => (options.has("i") ? `${stat.ino} ` : "") + name + mark(stat, options));
  const terminal = run.stdout?.tty && !options.has("1") ? (run.stdout.device.size?.().cols ?? 80) : undefined;
  for (const line of terminal === undefined ? names : columns(names, terminal)) await run.out(`${line}\n`);
}

async function directory(run: Run, path: string, options: Parsed): Promise<void> {
  const all = options.has("a");
  const entries: Shown[] = (await run.files.list(run.path(path))).filter((entry) => all || options.has("A") || !entry.name.startsWith("."));
  if (all) {
    const here = await run.files.stat(run.path(path));
    const above = (await run.files.maybeStat(run.path(`${path}/..`))) ?? here;
    entries.unshift({ name: ".", stat: here }, { name: "..", stat: above });
  }
  const shown = sorted(entries, options);
  if (isLong(options))
    await run.out(
      `total ${options.has("h") ? sizeText(shown.reduce((sum, { stat }) => sum + blocks(stat), 0) * 1024, true) : shown.reduce((sum, { stat }) => sum + blocks(stat), 0)}\n`,
    );
  await print(run, shown, options);
  if (!options.has("R")) return;
  for (const { name, stat } of shown) {
    if (stat.type !== "directory" || name === "." || name === "..") continue;
    const below = `${path.replace(/\/$/, "")}/${name}`;
    await run.out(`\n${below}:\n`);
    await directory(run, below, options);
  }
}

export const ls: Program = async (run) => {
  let options: Parsed;
  try {
    options = parseOptions(run.args, {
      flags: "laAhd1RFtrSpnCcigo",
      values: "z",
      long: {
        all: "a",
        "almost-all": "A",
        "human-readable": "h",
        directory: "d",
        recursive: "R",
        classify: "F",
        reverse: "r",
        inode: "i",
        "numeric-uid-gid": "n",
        color: "c",
        "time-style": "z",
      },
      status: 2,
    });
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${error.message}\nTry 'ls --help' for more information.`, 2);
    throw error;
  }
  const paths = options.operands.length > 0 ? options.operands : ["."];
  const plain: Shown[] = [];
  const folders: string[] = [];
  let status = 0;
  for (const path of [...paths].sort((a, b) => (a < b ? -1 : 1))) {
    try {
      const stat = await run.files.lstat(run.path(path));
      const target = stat.type === "symlink" && (!isLong(options) || path.endsWith("/")) ? await run.files.stat(run.path(path)) : stat;
      if (target.type === "directory" && !options.has("d")) folders.push(path);
      else if (path.endsWith("/") && target.type !== "directory") throw new FileError("ENOTDIR");
      else plain.push({ name: path, stat });
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await run.err(`ls: cannot access '${path}': ${error.message}\n`);
      status = 2;
    }
  }
  if (plain.length > 0) await print(run, sorted(plain, options), options);
  for (const [index, path] of folders.entries()) {
    if (paths.length > 1 || options.has("R")) await run.out(`${plain.length > 0 || index > 0 ? "\n" : ""}${path}:\n`);
    try {
      await directory(run, path, options);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await run.err(`ls: cannot open directory '${path}': ${error.message}\n`);
      status = 2;
    }
  }
  return status;
};
