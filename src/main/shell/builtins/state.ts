/** Built-ins about the shell itself: where it is, its aliases, its history, and what a name means. */
import type { Program, Run } from "../interpreter/program.ts";
import { parseOptions } from "../interpreter/program.ts";
import { ShellError } from "../interpreter/shell.ts";
import { errnoText, FileError } from "../files.ts";
import { whichPath } from "../userland/which.ts";

/** Names the parser takes for itself. */
const KEYWORDS = "if then elif else fi for while until do done case esac in function select time { } ! [[ ]]".split(" ");

/** Names of the built-ins, for `type` and completion. */
export const BUILTIN_NAMES: readonly string[] =
  ": . [ alias bg break cd command continue declare disown echo eval exec exit export false fg getopts hash help history jobs kill let local logout mapfile printf pwd read readarray readonly return set shift source test trap true type typeset umask unalias unset wait builtin".split(
    " ",
  );

async function cd(run: Run): Promise<number> {
  const args = run.args.filter((arg) => arg !== "-P" && arg !== "-L" && arg !== "--");
  if (args.length > 1) throw new ShellError("cd: too many arguments");
  const { shell } = run;
  let target = args[0] ?? shell.get("HOME");
  if (target === undefined) throw new ShellError("cd: HOME not set");
  if (target === "-") {
    target = shell.get("OLDPWD");
    if (target === undefined) throw new ShellError("cd: OLDPWD not set");
    await run.out(`${target}\n`);
  }
  const path = run.path(target);
  try {
    const stat = await run.files.stat(path);
    if (stat.type !== "directory") throw new FileError("ENOTDIR");
  } catch (error) {
    if (error instanceof FileError) throw new ShellError(`cd: ${target}: ${errnoText(error.errno)}`);
    throw error;
  }
  shell.set("OLDPWD", shell.cwd);
  shell.cwd = path;
  shell.set("PWD", path);
  if (shell.subshell === 0) await run.system.moved(path);
  return 0;
}

async function alias(run: Run): Promise<number> {
  const { aliases } = run.shell;
  if (run.args.length === 0) {
    for (const [name, text] of [...aliases].sort()) await run.out(`alias ${name}=${forced(text)}\n`);
    return 0;
  }
  let status = 0;
  for (const arg of run.args) {
    const m = /^([^=\s]+)=([^]*)$/.exec(arg);
    if (m) aliases.set(m[1] ?? "", m[2] ?? "");
    else if (aliases.has(arg)) await run.out(`alias ${arg}=${forced(aliases.get(arg) ?? "")}\n`);
    else {
      await run.err(`bash: alias: ${arg}: not found\n`);
      status = 1;
    }
  }
  return status;
}

const forced = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

async function unalias(run: Run): Promise<number> {
  if (run.args[0] === "-a") run.shell.aliases.clear();
  let status = 0;
  for (const name of run.args) {
    if (name === "-a" || run.shell.aliases.delete(name)) continue;
    await run.err(`bash: unalias: ${name}: not found\n`);
    status = 1;
  }
  return status;
}

async function history(run: Run): Promise<number> {
  const list = run.shell.history;
  if (run.args[0] === "-c") {
    list.length = 0;
    return 0;
  }
  const count = run.args[0] === undefined ? list.length : Number(run.args[0]);
  if (!Number.isInteger(count) || count < 0) throw new ShellError(`history: ${run.args[0]}: numeric argument required`);
  const from = Math.max(0, list.length - count);
  for (const [index, line] of list.slice(from).entries()) await run.out(`${String(from + index + 1).padStart(5)}  ${line}\n`);
  return 0;
}

async function describe(run: Run, name: string): Promise<string | undefined> {
  const { shell } = run;
  const aliasText = shell.aliases.get(name);
  if (aliasText !== undefined) return `${name} is aliased to \`${aliasText}'`;
  if (KEYWORDS.includes(name)) return `${name} is a shell keyword`;
  if (shell.functions.has(name)) return `${name} is a function`;
  if (BUILTIN_NAMES.includes(name)) return `${name} is a shell builtin`;
  const path = await whichPath(run, name);
  return path === undefined ? undefined : `${name} is ${path}`;
}

async function type(run: Run): Promise<number> {
  const options = parseOptions(run.args, { flags: "tapPf", status: 2 });
  let status = 0;
  for (const name of options.operands) {
    const text = await describe(run, name);
    if (text === undefined) {
      if (!options.has("t") && !options.has("p")) await run.err(`bash: type: ${name}: not found\n`);
      status = 1;
    } else if (options.has("t")) {
      const kind = / is a(?:liased|n? ?(?:shell )?(keyword|function|builtin))/.exec(text);
      await run.out(`${kind ? (kind[1] ?? "alias") : "file"}\n`);
    } else if (options.has("p") || options.has("P")) {
      const path = await whichPath(run, name);
      if (path !== undefined) await run.out(`${path}\n`);
    } else await run.out(`${text}\n`);
  }
  return status;
}

async function command(run: Run): Promise<number> {
  const [first, ...rest] = run.args;
  if (first === undefined) return 0;
  if (first === "-v" || first === "-V") {
    let status = 0;
    for (const name of rest) {
      const text = await describe(run, name);
      if (text === undefined) {
        if (first === "-V") await run.err(`bash: command: ${name}: not found\n`);
        status = 1;
      } else if (first === "-V") await run.out(`${text}\n`);
      else await run.out(`${/ is (\/.*)$/.exec(text)?.[1] ?? name}\n`);
    }
    return status;
  }
  return run.executor.runArgv(run.ctx, first === "-p" ? rest : run.args);
}

/** The umask is the shell's process's: a subshell that sets it sets it for all of its shell. */
async function umask(run: Run): Promise<number> {
  const [text, ...rest] = run.args.filter((arg) => arg !== "--");
  if (rest.length > 0 || (text !== undefined && !/^[0-7]{1,4}$/.test(text)))
    throw new ShellError(
      text !== undefined && /^[89]|[^0-7]/.test(text) && /^\d/.test(text)
        ? `umask: ${text}: octal number out of range`
        : "umask: only an octal number is modelled in this shell",
    );
  if (text !== undefined) {
    await run.files.own({ call: "umask", mask: Number.parseInt(text, 8) }, "count");
    return 0;
  }
  if (!run.system.process) await run.out("0022\n");
  else {
    // There is no call that only asks.
    const { count } = await run.files.own({ call: "umask", mask: 0 }, "count");
    await run.files.own({ call: "umask", mask: count }, "count");
    await run.out(`${count.toString(8).padStart(4, "0")}\n`);
  }
  return 0;
}

async function help(run: Run): Promise<number> {
  await run.out(`Shell commands that are defined internally:\n${BUILTIN_NAMES.join(" ")}\n`);
  return 0;
}

export const state: [string, Program][] = [
  ["cd", cd],
  [
    "pwd",
    async (run) => {
      await run.out(`${run.shell.cwd}\n`);
      return 0;
    },
  ],
  ["alias", alias],
  ["unalias", unalias],
  ["history", history],
  ["type", type],
  ["command", command],
  ["builtin", (run) => (run.args.length === 0 ? Promise.resolve(0) : run.executor.runArgv(run.ctx, run.args))],
  ["umask", umask],
  ["hash", () => Promise.resolve(0)],
  ["help", help],
];
