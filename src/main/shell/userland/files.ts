/** Programs that change or describe files: touch, mkdir, rm, rmdir, mv, cp, stat, chmod, mktemp, and the ones that take paths apart. */
import type { FileStat } from "../../../engine/kernel/machine.ts";
import { basename, dirname, FileError } from "../files.ts";
import type { Program, Run } from "../interpreter/program.ts";
import { parseOptions, UsageError } from "../interpreter/program.ts";
import { strftime } from "./clock.ts";
import { modeText } from "./ls.ts";

const missing = (run: Run, what = "operand"): UsageError =>
  new UsageError(`missing ${what}\nTry '${run.name} --help' for more information.`);

/** Does `work` for each path; a file error is told with `say` and gives status 1. */
async function each(
  run: Run,
  paths: readonly string[],
  say: (path: string) => string,
  work: (path: string) => Promise<void>,
): Promise<number> {
  let status = 0;
  for (const path of paths) {
    await run.system.step(run.interrupt);
    try {
      await work(path);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      status = await run.fail(`${say(path)}: ${error.message}`);
    }
  }
  return status;
}

async function touch(run: Run): Promise<number> {
  const options = parseOptions(run.args, { flags: "camfh", values: "dtr", long: { "no-create": "c" } });
  if (options.value("d") !== undefined || options.value("t") !== undefined || options.value("r") !== undefined) {
    throw new UsageError("setting a given time is not modelled in this lab");
  }
  if (options.operands.length === 0) throw missing(run, "file operand");
  return each(
    run,
    options.operands,
    (path) => `cannot touch '${path}'`,
    async (path) => {
      if (options.has("c") && !(await run.files.maybeStat(run.path(path)))) return;
      await run.files.act({ kind: "file-touch", path: run.path(path) });
    },
  );
}

async function mkdir(run: Run): Promise<number> {
  const options = parseOptions(run.args, { flags: "pv", values: "m", long: { parents: "p", verbose: "v", mode: "m" } });
  if (options.operands.length === 0) throw missing(run);
  return each(
    run,
    options.operands,
    (path) => `cannot create directory '${path}'`,
    async (path) => {
      const target = run.path(path);
      if (await run.files.maybeStat(target)) {
        if (options.has("p") && (await run.files.stat(target)).type === "directory") return;
        throw new FileError("EEXIST");
      }
      await run.files.act({ kind: "file-mkdir", path: target, parents: options.has("p") });
      const mode = options.value("m");
      if (mode !== undefined) await run.files.act({ kind: "file-chmod", path: target, mode: Number.parseInt(mode, 8) });
      if (options.has("v")) await run.out(`mkdir: created directory '${path}'\n`);
    },
  );
}

async function rm(run: Run): Promise<number> {
  const options = parseOptions(run.args, {
    flags: "rRfivdI",
    long: { recursive: "r", force: "f", verbose: "v", dir: "d", "one-file-system": "f", "preserve-root": "I", "no-preserve-root": "I" },
  });
  if (options.operands.length === 0) {
    if (options.has("f")) return 0;
    throw missing(run);
  }
  const recursive = options.has("r") || options.has("R");
  return each(
    run,
    options.operands,
    (path) => `cannot remove '${path}'`,
    async (path) => {
      const target = run.path(path);
      if (target === "/") throw new FileError("EBUSY");
      let stat: FileStat;
      try {
        stat = await run.files.lstat(target);
      } catch (error) {
        if (error instanceof FileError && options.has("f") && (error.errno === "ENOENT" || error.errno === "ENOTDIR")) return;
        throw error;
      }
      if (stat.type === "directory" && !recursive && !(options.has("d") && (await run.files.list(target)).length === 0))
        throw new FileError("EISDIR");
      await run.files.act({ kind: "file-remove", path: target, recursive: stat.type === "directory" });
      if (options.has("v")) await run.out(`removed ${stat.type === "directory" ? "directory " : ""}'${path}'\n`);
    },
  );
}

async function rmdir(run: Run): Promise<number> {
  const options = parseOptions(run.args, { flags: "v" });
  if (options.operands.length === 0) throw missing(run);
  return each(
    run,
    options.operands,
    (path) => `failed to remove '${path}'`,
    async (path) => {
      if ((await run.files.lstat(run.path(path))).type !== "directory") throw new FileError("ENOTDIR");
      if ((await run.files.list(run.path(path))).length > 0) throw new FileError("ENOTEMPTY");
      await run.files.act({ kind: "file-remove", path: run.path(path), recursive: true });
    },
  );
}

/** Sources and where each goes: into a directory, or onto one name. */
async function targets(run: Run, operands: readonly string[]): Promise<[string, string][]> {
  const target = operands.at(-1);
  const sources = operands.slice(0, -1);
  if (operands.length === 0) throw missing(run, "file operand");
  if (target === undefined || sources.length === 0)
    throw new UsageError(`missing destination file operand after '${operands[0]}'\nTry '${run.name} --help' for more information.`);
  const folder = (await run.files.maybeStat(run.path(target)))?.type === "directory";
  if (!folder && sources.length > 1) throw new UsageError(`target '${target}' is not a directory`);
  return sources.map((source) => [source, folder ? `${target.replace(/\/$/, "")}/${basename(source)}` : target]);
}

async function copyTree(run: Run, source: string, target: string, recursive: boolean): Promise<void> {
  await run.system.step(run.interrupt);
  const stat = await run.files.stat(source);
  if (stat.type !== "directory") {
    await run.files.write(target, await run.files.read(source));
    if ((stat.mode & 0o777) !== 0o644) await run.files.act({ kind: "file-chmod", path: target, mode: stat.mode & 0o777 });
    return;
  }
  if (!recursive) throw new UsageError(`-r not specified; omitting directory '${source}'`);
  if (!(await run.files.maybeStat(target))) await run.files.act({ kind: "file-mkdir", path: target, parents: false });
  for (const { name } of await run.files.list(source)) await copyTree(run, `${source}/${name}`, `${target}/${name}`, true);
}

async function cp(run: Run): Promise<number> {
  const options = parseOptions(run.args, {
    flags: "rRafpvinudLPT",
    long: { recursive: "r", archive: "a", force: "f", verbose: "v", preserve: "p" },
  });
  const pairs = await targets(run, options.operands);
  let status = 0;
  for (const [source, target] of pairs) {
    try {
      const from = run.path(source);
      const to = run.path(target);
      if (from === to) throw new UsageError(`'${source}' and '${target}' are the same file`);
      if (to.startsWith(`${from}/`)) throw new UsageError(`cannot copy a directory, '${source}', into itself, '${target}'`);
      if (options.has("n") && (await run.files.maybeStat(to))) continue;
      const stat = await run.files.maybeStat(from);
      if (!stat) status = await run.fail(`cannot stat '${source}': No such file or directory`);
      else if (stat.type === "directory" && !options.has("r") && !options.has("R") && !options.has("a"))
        status = await run.fail(`-r not specified; omitting directory '${source}'`);
      else {
        await copyTree(run, from, to, true);
        if (options.has("v")) await run.out(`'${source}' -> '${target}'\n`);
      }
    } catch (error) {
      if (error instanceof FileError) status = await run.fail(`cannot create regular file '${target}': ${error.message}`);
      else if (error instanceof UsageError) status = await run.fail(error.message);
      else throw error;
    }
  }
  return status;
}

async function mv(run: Run): Promise<number> {
  const options = parseOptions(run.args, { flags: "fvinuT", long: { force: "f", verbose: "v" } });
  let status = 0;
  for (const [source, target] of await targets(run, options.operands)) {
    try {
      const from = run.path(source);
      if (options.has("n") && (await run.files.maybeStat(run.path(target)))) continue;
      await run.files.lstat(from);
      if (from === run.path(target)) {
        status = await run.fail(`'${source}' and '${target}' are the same file`);
        continue;
      }
      await run.files.act({ kind: "file-rename", from, to: run.path(target) });
      if (options.has("v")) await run.out(`renamed '${source}' -> '${target}'\n`);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      const present = await run.files.maybeStat(run.path(source));
      status = await run.fail(
        present ? `cannot move '${source}' to '${target}': ${error.message}` : `cannot stat '${source}': ${error.message}`,
      );
    }
  }
  return status;
}

async function chmod(run: Run): Promise<number> {
  const options = parseOptions(
    run.args.map((arg) => (/^-[rwxX]+$/.test(arg) ? `a${arg}` : arg)),
    { flags: "Rvcf", long: { recursive: "R", verbose: "v" } },
  );
  const [mode, ...paths] = options.operands;
  if (mode === undefined) throw missing(run);
  if (paths.length === 0) throw new UsageError(`missing operand after '${mode}'\nTry 'chmod --help' for more information.`);
  const apply = async (path: string): Promise<void> => {
    const stat = await run.files.stat(path);
    await run.files.act({ kind: "file-chmod", path, mode: newMode(mode, stat) });
    if (options.has("R") && stat.type === "directory") for (const { name } of await run.files.list(path)) await apply(`${path}/${name}`);
  };
  return each(
    run,
    paths,
    (path) => `cannot access '${path}'`,
    (path) => apply(run.path(path)),
  );
}

function newMode(text: string, stat: FileStat): number {
  if (/^[0-7]{1,4}$/.test(text)) return Number.parseInt(text, 8);
  let mode = stat.mode & 0o7777;
  for (const clause of text.split(",")) {
    const m = /^([ugoa]*)([-+=])([rwxX]*)$/.exec(clause);
    if (!m) throw new UsageError(`invalid mode: '${text}'\nTry 'chmod --help' for more information.`);
    const who = m[1] === "" || m[1]?.includes("a") ? "ugo" : (m[1] ?? "");
    let bits = 0;
    for (const letter of m[3] ?? "") {
      if (letter === "r") bits |= 4;
      else if (letter === "w") bits |= 2;
      else if (letter === "x" || stat.type === "directory" || (mode & 0o111) !== 0) bits |= 1;
    }
    for (const [name, shift] of [
      ["u", 6],
      ["g", 3],
      ["o", 0],
    ] as const) {
      if (!who.includes(name)) continue;
      if (m[2] === "+") mode |= bits << shift;
      else if (m[2] === "-") mode &= ~(bits << shift);
      else mode = (mode & ~(7 << shift)) | (bits << shift);
    }
  }
  return mode;
}

async function stat(run: Run): Promise<number> {
  const options = parseOptions(run.args, { flags: "Lft", values: "c", long: { format: "c", dereference: "L" } });
  if (options.operands.length === 0) throw missing(run);
  const now = await run.system.now();
  return each(
    run,
    options.operands,
    (path) => `cannot statx '${path}'`,
    async (path) => {
      const found = options.has("L") ? await run.files.stat(run.path(path)) : await run.files.lstat(run.path(path));
      const format = options.value("c");
      await run.out(format === undefined ? longStat(path, found, now.epoch) : `${formatStat(format, path, found, now.epoch)}\n`);
    },
  );
}

const kindText = (found: FileStat): string =>
  found.type === "directory"
    ? "directory"
    : found.type === "symlink"
      ? "symbolic link"
      : found.size === 0
        ? "regular empty file"
        : "regular file";

const octal = (found: FileStat): string => (found.type === "symlink" ? "777" : (found.mode & 0o7777).toString(8));

function formatStat(format: string, path: string, found: FileStat, epoch: number): string {
  const micros = epoch + found.mtime;
  const values: Readonly<Record<string, string>> = {
    n: path,
    N: `'${path}'`,
    s: String(found.size),
    a: octal(found),
    A: modeText(found),
    F: kindText(found),
    u: "0",
    g: "0",
    U: "root",
    G: "root",
    Y: String(Math.floor(micros / 1_000_000)),
    y: strftime("%Y-%m-%d %H:%M:%S.%N +0000", micros),
    b: String(Math.ceil(found.size / 4096) * 8),
    B: "512",
    h: found.type === "directory" ? "2" : "1",
    "%": "%",
  };
  return format.replace(/%([a-zA-Z%])/g, (whole, letter: string) => values[letter] ?? whole);
}

function longStat(path: string, found: FileStat, epoch: number): string {
  const when = formatStat("%y", path, found, epoch);
  const name = found.type === "symlink" && found.target !== undefined ? `${path} -> ${found.target}` : path;
  const size = found.type === "directory" ? 4096 : found.size;
  return (
    `  File: ${name}\n  Size: ${String(size).padEnd(10)}\tBlocks: ${String(Math.ceil(size / 4096) * 8).padEnd(10)} IO Block: 4096   ${kindText(found)}\n` +
    `Access: (${octal(found).padStart(4, "0")}/${modeText(found)})  Uid: (    0/    root)   Gid: (    0/    root)\nModify: ${when}\n`
  );
}

async function mktemp(run: Run): Promise<number> {
  const options = parseOptions(run.args, { flags: "dqut", values: "p", long: { directory: "d", tmpdir: "p" } });
  const given = options.operands[0];
  const template = given ?? "tmp.XXXXXXXXXX";
  const m = /^(.*?)(X{3,})([^X]*)$/.exec(template);
  if (!m) throw new UsageError(`too few X's in template '${template}'`);
  const folder = options.value("p") ?? (given === undefined || options.has("t") ? (run.shell.get("TMPDIR") ?? "/tmp") : undefined);
  const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  for (let attempt = 0; attempt < 64; attempt++) {
    const random = (m[2] ?? "").replace(/X/g, () =>
      letters.charAt(((run.shell.random = (Math.imul(run.shell.random, 1103515245) + 12345) >>> 0) >>> 8) % letters.length),
    );
    const name = `${m[1]}${random}${m[3]}`;
    const shown = folder === undefined ? name : `${folder}/${name}`;
    if (await run.files.maybeStat(run.path(shown))) continue;
    if (options.has("d")) await run.files.act({ kind: "file-mkdir", path: run.path(shown), parents: false });
    else await run.files.act({ kind: "file-write", path: run.path(shown), data: new Uint8Array(0), append: false, mode: 0o600 });
    await run.out(`${shown}\n`);
    return 0;
  }
  return run.fail("no free name found");
}

async function names(run: Run): Promise<number> {
  const options = parseOptions(run.args, { flags: "az", values: run.name === "basename" ? "s" : "", long: { suffix: "s", multiple: "a" } });
  if (options.operands.length === 0) throw missing(run);
  const many = run.name === "dirname" || options.has("a") || options.value("s") !== undefined;
  const suffix = options.value("s") ?? (many ? "" : (options.operands[1] ?? ""));
  for (const path of many ? options.operands : options.operands.slice(0, 1)) {
    const name = run.name === "dirname" ? dirname(path) : basename(path);
    await run.out(`${suffix !== "" && name.endsWith(suffix) && name !== suffix ? name.slice(0, -suffix.length) : name}\n`);
  }
  return 0;
}

async function readlink(run: Run): Promise<number> {
  const options = parseOptions(run.args, { flags: "femnqs", long: { canonicalize: "f" } });
  if (options.operands.length === 0) throw missing(run);
  const canonical = run.name === "realpath" || options.has("f") || options.has("e") || options.has("m");
  return each(
    run,
    options.operands,
    (path) => path,
    async (path) => {
      const target = canonical ? await run.files.follow(run.path(path)).catch(() => ({ path: run.path(path) })) : undefined;
      if (target) await run.out(`${target.path}\n`);
      else {
        const found = await run.files.lstat(run.path(path));
        if (found.target === undefined) throw new FileError("EINVAL");
        await run.out(`${found.target}\n`);
      }
    },
  );
}

export const files: [string, Program][] = [
  ["touch", touch],
  ["mkdir", mkdir],
  ["rm", rm],
  ["rmdir", rmdir],
  ["cp", cp],
  ["mv", mv],
  ["chmod", chmod],
  ["stat", stat],
  ["mktemp", mktemp],
  ["basename", names],
  ["dirname", names],
  ["readlink", readlink],
  ["realpath", readlink],
];
