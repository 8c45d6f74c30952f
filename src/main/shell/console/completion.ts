/** Tab: names of commands, their options and arguments, files, variables. */
import { builtins } from "../builtins/index.ts";
import { FileError, resolvePath } from "../files.ts";
import type { Shell } from "../interpreter/shell.ts";
import { FILTER_NAMES } from "../userland/filters.ts";
import { programs } from "../userland/index.ts";

export interface Completion {
  /** Characters before the cursor that the choice replaces. */
  readonly length: number;
  readonly choices: readonly string[];
}

const KEYWORDS = ["if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac", "in", "function"];

/** The tokens of the command the cursor is in, the last one being completed. */
function currentCommand(before: string): string[] {
  const tail = /(?:^|[|&;(`]|\$\(|\b(?:do|then|else)\s)\s*([^|&;(`]*)$/.exec(before)?.[1] ?? before;
  const tokens = tail.trimStart().match(/(?:\\.|"[^"]*"?|'[^']*'?|[^\s\\"'])+/g) ?? [];
  return /\s$/.test(tail) || tail === "" ? [...tokens, ""] : tokens;
}

const unquote = (word: string): string => word.replace(/\\(.)/g, "$1").replace(/^["']|["']$/g, "");
const quoteName = (name: string): string => name.replace(/[\s"'\\$&;|<>()*?[\]`!#]/g, "\\$&");

/** Choices for the text before the cursor. */
export async function complete(shell: Shell, before: string): Promise<Completion> {
  let tokens = currentCommand(before);
  while (tokens.length > 1 && /^[A-Za-z_]\w*=/.test(tokens[0] ?? "")) tokens = tokens.slice(1);
  while (tokens.length > 1 && ["sudo", "watch", "time", "nohup", "exec", "command", "xargs", "env"].includes(tokens[0] ?? ""))
    tokens = tokens.slice(1);
  const word = tokens.at(-1) ?? "";
  const variable = /\$\{?(\w*)$/.exec(word);
  if (variable) {
    const prefix = variable[1] ?? "";
    const names = [...shell.vars.keys()].filter((name) => name.startsWith(prefix)).sort();
    return { length: prefix.length, choices: names };
  }
  if (tokens.length === 1 && !word.includes("/")) return { length: word.length, choices: await commandNames(shell, word) };
  const choices: string[] = [];
  if (tokens.length > 1) choices.push(...(await modelled(shell, tokens.map(unquote))).map((choice) => `${choice} `));
  const value = /^(?:--?[\w-]+=|[<>]+)?(.*)$/s.exec(word)?.[1] ?? word;
  if (choices.length > 0) return { length: word.length, choices };
  return { length: value.length, choices: await fileNames(shell, unquote(value), tokens[0] === "cd" || tokens[0] === "rmdir") };
}

async function commandNames(shell: Shell, prefix: string): Promise<string[]> {
  const all = new Set([
    ...builtins.keys(),
    ...programs.keys(),
    ...FILTER_NAMES,
    ...shell.functions.keys(),
    ...shell.aliases.keys(),
    ...KEYWORDS,
    ...(await modelled(shell, [prefix])),
  ]);
  return [...all]
    .filter((name) => name.startsWith(prefix) && /^[\w.-]/.test(name) && name !== ".")
    .sort()
    .map((name) => `${name} `);
}

async function modelled(shell: Shell, tokens: readonly string[]): Promise<string[]> {
  const reply = await shell.system.query({ kind: "complete", argv: tokens, cwd: shell.cwd });
  return reply.kind === "completions" ? reply.candidates.map((word) => word.trim()) : [];
}

async function fileNames(shell: Shell, word: string, foldersOnly: boolean): Promise<string[]> {
  const slash = word.lastIndexOf("/") + 1;
  const shown = word.slice(0, slash);
  const folder = shown.replace(/^~(?=\/)/, shell.get("HOME") ?? "/root");
  const prefix = word.slice(slash);
  // A key is a question: nothing waits for it.
  const files = shell.files.under("never");
  try {
    const entries = await files.list(resolvePath(shell.cwd, folder === "" ? "." : folder));
    const choices: string[] = [];
    for (const { name, stat } of entries) {
      if (!name.startsWith(prefix) || (name.startsWith(".") && !prefix.startsWith("."))) continue;
      const directory =
        stat.type === "directory" ||
        (stat.type === "symlink" && (await files.maybeStat(resolvePath(shell.cwd, folder + name)))?.type === "directory");
      if (foldersOnly && !directory) continue;
      choices.push(`${quoteName(shown).replaceAll("\\~", "~")}${quoteName(name)}${directory ? "/" : " "}`);
    }
    return choices;
  } catch (error) {
    if (error instanceof FileError) return [];
    throw error;
  }
}

/** The longest beginning that all choices share. */
export function commonPrefix(choices: readonly string[]): string {
  const [first = "", ...rest] = choices;
  let length = first.length;
  for (const choice of rest) while (!choice.startsWith(first.slice(0, length))) length--;
  return first.slice(0, length);
}
