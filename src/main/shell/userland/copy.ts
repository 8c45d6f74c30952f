/** cp, mv and ln: what takes a source to a target. */
import { basename, dirname, FileError, type FileStat } from "../files.ts";
import type { Parsed, Program, Run } from "../interpreter/program.ts";
import { parseOptions, UsageError } from "../interpreter/program.ts";
import { eachPath, missing } from "./paths.ts";

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

interface Copy {
  /** Links stay links: those inside what is copied, and those that were named. */
  readonly links: boolean;
  readonly named: boolean;
  readonly preserve: boolean;
  readonly force: boolean;
}

function copyOf(options: Parsed): Copy {
  const recursive = options.has("r") || options.has("R") || options.has("a");
  const asLinks = options.has("a") || options.has("d") || options.has("P");
  return {
    links: !options.has("L") && (recursive || asLinks),
    named: !options.has("L") && (recursive || asLinks),
    preserve: options.has("p") || options.has("a"),
    force: options.has("f"),
  };
}

async function copyTree(run: Run, source: string, target: string, copy: Copy, named: boolean): Promise<void> {
  await run.system.step(run.interrupt);
  const { files } = run;
  const asLink = named ? copy.named : copy.links;
  const stat = asLink ? await files.lstat(source) : await files.stat(source);
  if (stat.type === "symlink") await copyLink(run, stat.target ?? "", target);
  else if (stat.type === "directory") {
    const there = await files.maybeStat(target);
    if (there && there.type !== "directory") throw new FileError("ENOTDIR");
    if (!there) await files.mkdir(target, stat.mode | 0o700);
    for (const { name } of await files.names(source)) await copyTree(run, `${source}/${name}`, `${target}/${name}`, copy, false);
    if (!there && (stat.mode & 0o700) !== 0o700) await files.chmod(target, stat.mode & 0o7777);
  } else await copyFile(run, source, target, stat, copy.force);
  if (copy.preserve) await preserve(run, target, stat);
}

async function copyLink(run: Run, text: string, target: string): Promise<void> {
  const there = await run.files.lstat(target).catch(absent);
  if (there) await run.files.change({ call: "unlink", path: target });
  await run.files.change({ call: "symlink", target: text, path: target });
}

async function copyFile(run: Run, source: string, target: string, stat: FileStat, force: boolean): Promise<void> {
  const { files } = run;
  const flags = { access: "w", create: true, truncate: true } as const;
  const mode = stat.mode & 0o777;
  const fd = await files.open(target, flags, mode).catch(async (error: unknown) => {
    if (!(error instanceof FileError) || !force || error.errno === "EISDIR") throw error;
    await files.change({ call: "unlink", path: target });
    return files.open(target, flags, mode);
  });
  try {
    for await (const piece of files.pieces(source)) {
      await run.system.step(run.interrupt);
      await files.writeAll(fd, piece);
    }
  } finally {
    await files.close(fd);
  }
}

/** Mode, owner and times, as `cp -p` and a move between file systems keep them. */
async function preserve(run: Run, target: string, stat: FileStat): Promise<void> {
  await run.files.change({ call: "lchown", path: target, uid: stat.uid, gid: stat.gid });
  if (stat.type === "symlink") return;
  await run.files.chmod(target, stat.mode & 0o7777);
  await run.files.change({ call: "utimens", path: target, atime: stat.atime, mtime: stat.mtime });
}

function absent(error: unknown): undefined {
  if (error instanceof FileError) return undefined;
  throw error;
}

async function copyOne(run: Run, options: Parsed, source: string, target: string): Promise<number> {
  const { files } = run;
  const copy = copyOf(options);
  const [from, to] = [run.path(source), run.path(target)];
  const there = await files.maybeStat(to);
  if (options.has("n") && there) return 0;
  const stat = copy.named ? await files.lstat(from).catch(absent) : await files.maybeStat(from);
  if (!stat) return run.fail(`cannot stat '${source}': No such file or directory`);
  if (stat.type === "directory" && !options.has("r") && !options.has("R") && !options.has("a"))
    return run.fail(`-r not specified; omitting directory '${source}'`);
  if (there && there.dev === stat.dev && there.ino === stat.ino) return run.fail(`'${source}' and '${target}' are the same file`);
  if (options.has("u") && there && there.mtime >= stat.mtime) return 0;
  if (stat.type === "directory" && to.startsWith(`${from}/`))
    return run.fail(`cannot copy a directory, '${source}', into itself, '${target}'`);
  if (stat.type !== "directory" && there?.type === "directory")
    return run.fail(`cannot overwrite directory '${target}' with non-directory '${source}'`);
  await copyTree(run, from, to, copy, true);
  if (options.has("v")) await run.out(`'${source}' -> '${target}'\n`);
  return 0;
}

async function cp(run: Run): Promise<number> {
  const options = parseOptions(run.args, {
    flags: "rRafpvinudLPT",
    long: { recursive: "r", archive: "a", force: "f", verbose: "v", preserve: "p", update: "u", dereference: "L", "no-dereference": "P" },
  });
  let status = 0;
  for (const [source, target] of await targets(run, options.operands)) {
    try {
      status = Math.max(status, await copyOne(run, options, source, target));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      status = await run.fail(`cannot create regular file '${target}': ${error.message}`);
    }
  }
  return status;
}

/** rename(2); between file systems a copy, and then the source is removed. */
async function move(run: Run, from: string, to: string): Promise<void> {
  try {
    await run.files.rename(from, to);
  } catch (error) {
    if (!(error instanceof FileError) || error.errno !== "EXDEV") throw error;
    await copyTree(run, from, to, { links: true, named: true, preserve: true, force: true }, true);
    await run.files.remove(from, run.interrupt);
  }
}

async function mv(run: Run): Promise<number> {
  const options = parseOptions(run.args, { flags: "fvinuT", long: { force: "f", verbose: "v", "no-clobber": "n" } });
  let status = 0;
  for (const [source, target] of await targets(run, options.operands)) {
    const [from, to] = [run.path(source), run.path(target)];
    try {
      if (options.has("n") && (await run.files.maybeStat(to))) continue;
      const [stat, there] = [await run.files.lstat(from), await run.files.lstat(to).catch(absent)];
      if (from === to || (there && there.dev === stat.dev && there.ino === stat.ino)) {
        status = await run.fail(`'${source}' and '${target}' are the same file`);
        continue;
      }
      if (options.has("u") && there && there.mtime >= stat.mtime) continue;
      await move(run, from, to);
      if (options.has("v")) await run.out(`renamed '${source}' -> '${target}'\n`);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      const present = await run.files.lstat(from).catch(absent);
      const into = error.errno === "EINVAL" && present?.type === "directory";
      status = await run.fail(
        into
          ? `cannot move '${source}' to a subdirectory of itself, '${target}'`
          : present
            ? `cannot move '${source}' to '${target}': ${error.message}`
            : `cannot stat '${source}': ${error.message}`,
      );
    }
  }
  return status;
}

/** Where each link stands: `ln TARGET`, `ln TARGET NAME`, `ln TARGET… DIRECTORY`. */
async function linkNames(run: Run, options: Parsed): Promise<[string, string][]> {
  const { operands } = options;
  const only = operands[0];
  if (only === undefined) throw missing(run, "file operand");
  if (operands.length === 1) return [[only, `./${basename(only)}`]];
  const last = operands.at(-1) ?? "";
  const at = run.path(last);
  const stat = options.has("n") ? await run.files.lstat(at).catch(absent) : await run.files.maybeStat(at);
  if (options.has("T") || stat?.type !== "directory") {
    if (operands.length > 2) throw new UsageError(`target '${last}' is not a directory`);
    return [[only, last]];
  }
  return operands.slice(0, -1).map((target) => [target, `${last.replace(/\/$/, "")}/${basename(target)}`]);
}

/** The way from a directory to a path, for `ln -r`. */
function relative(from: string, to: string): string {
  const [a, b] = [from.split("/").filter(Boolean), to.split("/").filter(Boolean)];
  let same = 0;
  while (same < a.length && same < b.length && a[same] === b[same]) same++;
  return [...a.slice(same).map(() => ".."), ...b.slice(same)].join("/") || ".";
}

async function ln(run: Run): Promise<number> {
  const options = parseOptions(run.args, {
    flags: "sfnvrTP",
    long: { symbolic: "s", force: "f", "no-dereference": "n", verbose: "v", relative: "r", "no-target-directory": "T" },
  });
  const pairs = await linkNames(run, options);
  const names = new Map(pairs.map(([target, name]) => [name, target]));
  const soft = options.has("s");
  return eachPath(
    run,
    [...names.keys()],
    (name) => `failed to create ${soft ? "symbolic" : "hard"} link '${name}'${soft ? "" : ` => '${names.get(name) ?? ""}'`}`,
    async (name) => {
      const target = names.get(name) ?? "";
      const path = run.path(name);
      if (!soft && (await run.files.lstat(run.path(target))).type === "directory")
        throw new UsageError(`${target}: hard link not allowed for directory`);
      if (options.has("f") && (await run.files.lstat(path).catch(absent))) await run.files.change({ call: "unlink", path });
      if (!soft) await run.files.change({ call: "link", from: run.path(target), to: path });
      else {
        const text = options.has("r") ? relative(dirname(path), run.path(target)) : target;
        await run.files.change({ call: "symlink", target: text, path });
      }
      if (options.has("v")) await run.out(`'${name}' ${soft ? "->" : "=>"} '${target}'\n`);
    },
  );
}

export const copying: [string, Program][] = [
  ["cp", cp],
  ["mv", mv],
  ["ln", ln],
];
