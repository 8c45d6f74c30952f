/** Programs that change files: touch, mkdir, rm, rmdir, chmod, chown, chgrp, truncate, mktemp, and the ones that take paths apart. */
import { basename, dirname, FileError, type FileStat } from "../files.ts";
import type { Program, Run } from "../interpreter/program.ts";
import { parseOptions, UsageError } from "../interpreter/program.ts";
import { parseDate, parseStamp } from "./clock.ts";
import { newMode } from "./mode.ts";
import { eachPath, missing } from "./paths.ts";
import { Accounts } from "./users.ts";

/** The times that touch is told, µs since the epoch; "now" without. */
async function timesOf(run: Run, options: ReturnType<typeof parseOptions>): Promise<{ atime: number | "now"; mtime: number | "now" }> {
  const { instant, epoch } = await run.system.now();
  const [reference, date, stamp] = [options.value("r"), options.value("d"), options.value("t")];
  if (reference !== undefined) {
    const stat = await run.files.stat(run.path(reference)).catch((error: unknown) => {
      throw error instanceof FileError ? new UsageError(`failed to get attributes of '${reference}': ${error.message}`) : error;
    });
    return { atime: stat.atime, mtime: stat.mtime };
  }
  if (date === undefined && stamp === undefined) return { atime: "now", mtime: "now" };
  const micros = date !== undefined ? parseDate(date, epoch + instant) : parseStamp(stamp ?? "", epoch + instant);
  if (micros === undefined) throw new UsageError(`invalid date format '${date ?? stamp ?? ""}'`);
  return { atime: micros - epoch, mtime: micros - epoch };
}

async function touch(run: Run): Promise<number> {
  const options = parseOptions(run.args, { flags: "camfh", values: "dtr", long: { "no-create": "c", date: "d", reference: "r" } });
  if (options.operands.length === 0) throw missing(run, "file operand");
  const { atime, mtime } = await timesOf(run, options);
  const [access, modification] = [options.has("a") || !options.has("m"), options.has("m") || !options.has("a")];
  return eachPath(
    run,
    options.operands,
    (path) => `cannot touch '${path}'`,
    async (path) => {
      const target = run.path(path);
      if (atime === "now" && access && modification && !options.has("c")) return run.files.touch(target);
      if (!(await run.files.maybeStat(target))) {
        if (options.has("c")) return;
        await run.files.touch(target);
      }
      await run.files.change({ call: "utimens", path: target, ...(access ? { atime } : {}), ...(modification ? { mtime } : {}) });
    },
  );
}

async function mkdir(run: Run): Promise<number> {
  const options = parseOptions(run.args, { flags: "pv", values: "m", long: { parents: "p", verbose: "v", mode: "m" } });
  if (options.operands.length === 0) throw missing(run);
  const text = options.value("m");
  const mode = text === undefined ? undefined : newMode(text, { type: "directory", mode: 0o777 });
  if (text !== undefined && mode === undefined) throw new UsageError(`invalid mode '${text}'`);
  return eachPath(
    run,
    options.operands,
    (path) => `cannot create directory '${path}'`,
    async (path) => {
      const target = run.path(path);
      if (options.has("p")) {
        const there = await run.files.maybeStat(target);
        if (there?.type === "directory") return;
        if (there) throw new FileError("EEXIST");
        await run.files.mkdirs(dirname(target));
      }
      await run.files.mkdir(target);
      if (mode !== undefined) await run.files.chmod(target, mode);
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
  return eachPath(
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
      if (stat.type !== "directory") await run.files.change({ call: "unlink", path: target });
      else if (recursive) await run.files.remove(target, run.interrupt);
      else if (options.has("d")) await run.files.change({ call: "rmdir", path: target });
      else throw new FileError("EISDIR");
      if (options.has("v")) await run.out(`removed ${stat.type === "directory" ? "directory " : ""}'${path}'\n`);
    },
  );
}

async function rmdir(run: Run): Promise<number> {
  const options = parseOptions(run.args, { flags: "pv", long: { parents: "p", verbose: "v" } });
  if (options.operands.length === 0) throw missing(run);
  return eachPath(
    run,
    options.operands,
    (path) => `failed to remove '${path}'`,
    async (path) => {
      await run.files.change({ call: "rmdir", path: run.path(path) });
      if (!options.has("p")) return;
      for (let above = dirname(path); above !== "." && above !== "/"; above = dirname(above))
        await run.files.change({ call: "rmdir", path: run.path(above) });
    },
  );
}

/** The path, and with -R everything below it. A link below is left alone. */
async function withBelow(run: Run, path: string, recursive: boolean, work: (path: string, stat: FileStat) => Promise<void>): Promise<void> {
  const stat = await run.files.stat(path);
  await work(path, stat);
  if (!recursive || stat.type !== "directory") return;
  for (const { name, type } of await run.files.names(path)) {
    await run.system.step(run.interrupt);
    if (type !== "symlink") await withBelow(run, `${path}/${name}`, true, work);
  }
}

async function chmod(run: Run): Promise<number> {
  const options = parseOptions(
    run.args.map((arg) => (/^-[rwxXst]+$/.test(arg) ? `a${arg}` : arg)),
    { flags: "Rvcf", values: "r", long: { recursive: "R", verbose: "v", reference: "r" } },
  );
  const reference = options.value("r");
  const [mode, ...rest] = reference === undefined ? options.operands : ["", ...options.operands];
  if (mode === undefined) throw missing(run);
  if (rest.length === 0) throw new UsageError(`missing operand after '${mode}'\nTry 'chmod --help' for more information.`);
  const given = reference === undefined ? undefined : (await run.files.stat(run.path(reference))).mode & 0o7777;
  const wanted = (stat: FileStat): number => {
    const bits = given ?? newMode(mode, stat);
    if (bits === undefined) throw new UsageError(`invalid mode: '${mode}'\nTry 'chmod --help' for more information.`);
    return bits;
  };
  return eachPath(
    run,
    rest,
    (path) => `cannot access '${path}'`,
    (path) => withBelow(run, run.path(path), options.has("R"), (at, stat) => run.files.chmod(at, wanted(stat))),
  );
}

/** Who `USER`, `USER:GROUP`, `:GROUP` and `USER:` stand for. */
function ownersOf(accounts: Accounts, word: string, groupOnly: boolean): { uid?: number; gid?: number } {
  if (groupOnly) {
    const gid = accounts.findGroup(word);
    if (gid === undefined) throw new UsageError(`invalid group: '${word}'`);
    return { gid };
  }
  const [name = "", group] = word.split(/[:.]/, 2);
  const user = name === "" ? undefined : accounts.findUser(name);
  if (name !== "" && !user) throw new UsageError(`invalid user: '${word}'`);
  const gid = group === undefined ? undefined : group === "" ? user?.gid : accounts.findGroup(group);
  if (group !== undefined && group !== "" && gid === undefined) throw new UsageError(`invalid group: '${word}'`);
  return { ...(user ? { uid: user.uid } : {}), ...(gid === undefined ? {} : { gid }) };
}

async function chown(run: Run): Promise<number> {
  const options = parseOptions(run.args, {
    flags: "Rvcfh",
    values: "r",
    long: { recursive: "R", verbose: "v", "no-dereference": "h", reference: "r" },
  });
  const reference = options.value("r");
  const [word, ...rest] = reference === undefined ? options.operands : ["", ...options.operands];
  if (word === undefined) throw missing(run);
  if (rest.length === 0) throw new UsageError(`missing operand after '${word}'\nTry '${run.name} --help' for more information.`);
  const owners =
    reference === undefined
      ? ownersOf(await Accounts.of(run), word, run.name === "chgrp")
      : await run.files.stat(run.path(reference)).then(({ uid, gid }) => (run.name === "chgrp" ? { gid } : { uid, gid }));
  const change = (path: string, stat: FileStat): Promise<void> =>
    run.files.change({ call: options.has("h") ? "lchown" : "chown", path, uid: owners.uid ?? stat.uid, gid: owners.gid ?? stat.gid });
  return eachPath(
    run,
    rest,
    (path) => `cannot access '${path}'`,
    async (path) => {
      if (options.has("h") && !options.has("R")) await change(run.path(path), await run.files.lstat(run.path(path)));
      else await withBelow(run, run.path(path), options.has("R"), change);
    },
  );
}

const UNITS: Readonly<Record<string, number>> = { "": 1, K: 1024, M: 1 << 20, G: 1 << 30, KB: 1000, MB: 1_000_000, GB: 1_000_000_000 };

async function truncate(run: Run): Promise<number> {
  const options = parseOptions(run.args, { flags: "co", values: "sr", long: { size: "s", "no-create": "c", reference: "r" } });
  const text = options.value("s");
  if (text === undefined)
    throw new UsageError("you must specify either '--size' or '--reference'\nTry 'truncate --help' for more information.");
  const m = /^([-+]?)(\d+)([KMG]?B?)$/.exec(text);
  const unit = UNITS[m?.[3] ?? ""];
  if (!m || unit === undefined) throw new UsageError(`Invalid number: '${text}'`);
  if (options.operands.length === 0) throw missing(run, "file operand");
  const amount = Number(m[2]) * unit;
  return eachPath(
    run,
    options.operands,
    (path) => `cannot open '${path}' for writing`,
    async (path) => {
      const target = run.path(path);
      const stat = await run.files.maybeStat(target);
      if (!stat && options.has("c")) return;
      if (!stat) await run.files.touch(target);
      const before = stat?.size ?? 0;
      const length = m[1] === "+" ? before + amount : m[1] === "-" ? Math.max(0, before - amount) : amount;
      await run.files.change({ call: "truncate", path: target, length });
    },
  );
}

async function mktemp(run: Run): Promise<number> {
  const options = parseOptions(run.args, { flags: "dqut", values: "p", long: { directory: "d", tmpdir: "p" } });
  const given = options.operands[0];
  const template = given ?? "tmp.XXXXXXXXXX";
  const m = /^(.*?)(X{3,})([^X]*)$/.exec(template);
  if (!m) throw new UsageError(`too few X's in template '${template}'`);
  const folder = options.value("p") ?? (given === undefined || options.has("t") ? (run.shell.get("TMPDIR") ?? "/tmp") : undefined);
  const flags = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const shownTemplate = folder === undefined ? template : `${folder}/${template}`;
  for (let attempt = 0; attempt < 64; attempt++) {
    const random = (m[2] ?? "").replace(/X/g, () =>
      flags.charAt(((run.shell.random = (Math.imul(run.shell.random, 1103515245) + 12345) >>> 0) >>> 8) % flags.length),
    );
    const name = `${m[1]}${random}${m[3]}`;
    const shown = folder === undefined ? name : `${folder}/${name}`;
    const path = run.path(shown);
    try {
      if (options.has("d")) await run.files.mkdir(path, 0o700);
      else await run.files.change({ call: "open", path, flags: { access: "w", create: true, exclusive: true }, mode: 0o600 });
    } catch (error) {
      if (error instanceof FileError && error.errno === "EEXIST") continue;
      const what = options.has("d") ? "directory" : "file";
      if (error instanceof FileError) return run.fail(`failed to create ${what} via template '${shownTemplate}': ${error.message}`);
      throw error;
    }
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
  const options = parseOptions(run.args, {
    flags: "femnqsz",
    long: { canonicalize: "f", "canonicalize-existing": "e", "canonicalize-missing": "m" },
  });
  if (options.operands.length === 0) throw missing(run);
  const canonical = run.name === "realpath" || options.has("f") || options.has("e") || options.has("m");
  const end = options.has("n") ? "" : options.has("z") ? "\u0000" : "\n";
  let status = 0;
  for (const path of options.operands) {
    try {
      const target = canonical
        ? await canonicalPath(run, run.path(path), options.has("e"), options.has("m"))
        : await run.files.readlink(run.path(path));
      await run.out(`${target}${end}`);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      status = 1;
      // readlink says nothing unless it is asked to (-v).
      if (run.name === "realpath") await run.fail(`${path}: ${error.message}`);
    }
  }
  return status;
}

/** The last part need not be there; with -m nothing need, with -e everything. */
async function canonicalPath(run: Run, path: string, existing: boolean, anything: boolean): Promise<string> {
  try {
    return await run.files.realpath(path);
  } catch (error) {
    if (!(error instanceof FileError) || error.errno !== "ENOENT" || existing || path === "/") throw error;
    const above = anything ? await canonicalPath(run, dirname(path), false, true) : await run.files.realpath(dirname(path));
    return `${above === "/" ? "" : above}/${basename(path)}`;
  }
}

export const files: [string, Program][] = [
  ["touch", touch],
  ["mkdir", mkdir],
  ["rm", rm],
  ["rmdir", rmdir],
  ["chmod", chmod],
  ["chown", chown],
  ["chgrp", chown],
  ["truncate", truncate],
  ["mktemp", mktemp],
  ["basename", names],
  ["dirname", names],
  ["readlink", readlink],
  ["realpath", readlink],
];
