/** stat: what a file is, in GNU's long form or one's own. */
import type { FileStat } from "../files.ts";
import type { Program, Run } from "../interpreter/program.ts";
import { parseOptions } from "../interpreter/program.ts";
import { strftime } from "./clock.ts";
import { modeText } from "./mode.ts";
import { eachPath, missing } from "./paths.ts";
import { Accounts } from "./users.ts";

/** Whose names the numbers have, and when the epoch was, µs since 1970. */
interface Facts {
  readonly accounts: Accounts;
  readonly epoch: number;
}

const KINDS: Readonly<Record<FileStat["type"], string>> = {
  file: "regular file",
  directory: "directory",
  symlink: "symbolic link",
  socket: "socket",
  fifo: "fifo",
};

function kindText(found: FileStat): string {
  if (found.device) return "character special file";
  return found.type === "file" && found.size === 0 ? "regular empty file" : KINDS[found.type];
}

const octal = (found: FileStat): string => (found.mode & 0o7777).toString(8);
const blocksOf = (size: number): string => String(Math.ceil(size / 4096) * 8);
const TYPE_BITS: Readonly<Record<FileStat["type"], number>> = {
  ...{ file: 0o100000, directory: 0o040000, symlink: 0o120000, socket: 0o140000, fifo: 0o010000 },
};

function timesOf(found: FileStat, letter: string, epoch: number): string | undefined {
  const times: Readonly<Record<string, number>> = { x: found.atime, y: found.mtime, z: found.ctime };
  const time = times[letter.toLowerCase()];
  if (time === undefined) return undefined;
  const micros = epoch + time;
  return letter < "a" ? String(Math.floor(micros / 1_000_000)) : strftime("%Y-%m-%d %H:%M:%S.%N +0000", micros);
}

function formatStat(format: string, path: string, found: FileStat, { accounts, epoch }: Facts): string {
  const values: Readonly<Record<string, string>> = {
    n: path,
    N: found.target === undefined ? `'${path}'` : `'${path}' -> '${found.target}'`,
    s: String(found.size),
    a: octal(found),
    A: modeText(found),
    f: (TYPE_BITS[found.type] | (found.mode & 0o7777)).toString(16),
    F: kindText(found),
    u: String(found.uid),
    g: String(found.gid),
    U: accounts.user(found.uid),
    G: accounts.group(found.gid),
    b: blocksOf(found.size),
    B: "512",
    h: String(found.nlink),
    i: String(found.ino),
    d: String(found.dev),
    o: "4096",
    "%": "%",
  };
  return format.replace(/%([a-zA-Z%])/g, (whole, letter: string) => values[letter] ?? timesOf(found, letter, epoch) ?? whole);
}

function longStat(path: string, found: FileStat, facts: Facts): string {
  const name = found.type === "symlink" && found.target !== undefined ? `${path} -> ${found.target}` : path;
  const owner = (id: number, text: string): string => `(${String(id).padStart(5)}/${text.padStart(8)})`;
  const shown = (letter: string): string => formatStat(letter, path, found, facts);
  return (
    `  File: ${name}\n  Size: ${String(found.size).padEnd(10)}\tBlocks: ${blocksOf(found.size).padEnd(10)} IO Block: 4096   ${kindText(found)}\n` +
    `Device: 0,${found.dev}\tInode: ${String(found.ino).padEnd(10)}  Links: ${found.nlink}\n` +
    `Access: (${octal(found).padStart(4, "0")}/${modeText(found)})  Uid: ${owner(found.uid, facts.accounts.user(found.uid))}   Gid: ${owner(found.gid, facts.accounts.group(found.gid))}\n` +
    `Access: ${shown("%x")}\nModify: ${shown("%y")}\nChange: ${shown("%z")}\n Birth: -\n`
  );
}

export const stat: Program = async (run: Run) => {
  const options = parseOptions(run.args, { flags: "Lft", values: "cp", long: { format: "c", printf: "p", dereference: "L" } });
  if (options.operands.length === 0) throw missing(run);
  const facts: Facts = { accounts: await Accounts.of(run), epoch: (await run.system.now()).epoch };
  const format = options.value("c");
  return eachPath(
    run,
    options.operands,
    (path) => `cannot statx '${path}'`,
    async (path) => {
      const found = options.has("L") ? await run.files.stat(run.path(path)) : await run.files.lstat(run.path(path));
      await run.out(format === undefined ? longStat(path, found, facts) : `${formatStat(format, path, found, facts)}\n`);
    },
  );
};
