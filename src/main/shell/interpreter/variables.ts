/** Reading and writing shell variables by name, arrays and the special parameters included. */
import type { Context, Shell, Value } from "./shell.ts";
import { ShellError } from "./shell.ts";

export const NAME = /^[A-Za-z_]\w*$/;
const ARRAY_MAX = 1_000_000;

/** `$?`, `$#`, `$$` … and the variables the shell makes up when they are read. */
export async function special(ctx: Context, name: string): Promise<string | undefined> {
  const shell = ctx.shell;
  switch (name) {
    case "?":
      return String(shell.status);
    case "#":
      return String(shell.positional.length);
    case "$":
      return String((await shell.system.session()).pid);
    case "!":
      return shell.lastBackground === 0 ? "" : String(shell.lastBackground);
    case "-":
      return `${flagNames(shell)}hB`;
    case "0":
      return shell.arg0;
    case "*":
    case "@":
      return shell.positional.join(" ");
    case "RANDOM":
      return String(nextRandom(shell));
    case "SECONDS":
      return String(Math.floor(((await shell.system.now()).instant - shell.startedAt) / 1_000_000));
    case "EPOCHSECONDS": {
      const now = await shell.system.now();
      return String(Math.floor((now.epoch + now.instant) / 1_000_000));
    }
    case "BASHPID":
      return String(ctx.process ? await ctx.process.announce() : (await shell.system.session()).pid);
    case "PPID":
      return "1";
    default:
      return /^\d+$/.test(name) ? shell.positional[Number(name) - 1] : shell.get(name);
  }
}

export function flagNames(shell: Shell): string {
  const o = shell.options;
  return `${o.allexport ? "a" : ""}${o.errexit ? "e" : ""}${o.noglob ? "f" : ""}${o.nounset ? "u" : ""}${o.xtrace ? "x" : ""}${o.noclobber ? "C" : ""}`;
}

/** A generator of the shell's own, seeded by node and virtual time, so a replayed line draws the same numbers. */
function nextRandom(shell: Shell): number {
  shell.random = (Math.imul(shell.random, 1103515245) + 12345) >>> 0;
  return (shell.random >>> 16) & 0x7fff;
}

/** Elements of an array variable in order; a plain variable is its own first element. */
export function elements(shell: Shell, name: string): string[] {
  if (name === "PIPESTATUS") return shell.pipeStatus.map(String);
  const value = shell.vars.get(name)?.value;
  if (value === undefined) return [];
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((element) => element !== undefined) : [...value.values()];
}

export function keys(shell: Shell, name: string): string[] {
  const value = shell.vars.get(name)?.value;
  if (value === undefined) return [];
  if (typeof value === "string") return ["0"];
  return Array.isArray(value) ? Object.keys(value) : [...value.keys()];
}

export function element(shell: Shell, name: string, index: string | number): string | undefined {
  if (name === "PIPESTATUS") return shell.pipeStatus[Number(index)]?.toString();
  const value = shell.vars.get(name)?.value;
  if (value instanceof Map) return value.get(String(index));
  if (typeof value === "string") return Number(index) === 0 ? value : undefined;
  if (!Array.isArray(value)) return undefined;
  const at = Number(index);
  return value[at < 0 ? value.length + at : at];
}

export function setElement(shell: Shell, name: string, index: string | number, text: string): void {
  const variable = shell.declare(name);
  if (variable.readonly) throw new ShellError(`${name}: readonly variable`, 1, true);
  if (variable.value instanceof Map) {
    variable.value.set(String(index), text);
    return;
  }
  const list: string[] = Array.isArray(variable.value) ? variable.value : variable.value === undefined ? [] : [variable.value];
  const at = Number(index) < 0 ? list.length + Number(index) : Number(index);
  if (!Number.isInteger(at) || at < 0 || at > ARRAY_MAX) throw new ShellError(`${name}[${index}]: bad array subscript`);
  list[at] = text;
  variable.value = list;
}

export function isAssociative(shell: Shell, name: string): boolean {
  return shell.vars.get(name)?.value instanceof Map;
}

export function isSet(value: Value | undefined): boolean {
  return value !== undefined;
}

/** A word that bash could read back: plain when harmless, else in single quotes. */
export function quote(text: string): string {
  if (text === "") return "''";
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  if (/[\u0000-\u001f\u007f]/.test(text)) return `$'${text.replace(/[\\'\u0000-\u001f\u007f]/g, escapeControl)}'`;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** As `printf %q` quotes: with backslashes where that is enough. */
export function quoteWithBackslashes(text: string): string {
  if (text === "" || /[\u0000-\u001f\u007f]/.test(text)) return quote(text);
  return text.replace(/[^\w@%+=:./\u0080-\u{10ffff}-]/gu, "\\$&");
}

function escapeControl(c: string): string {
  const short: Readonly<Record<string, string>> = { "\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\", "'": "\\'", "\u001b": "\\E" };
  return short[c] ?? `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`;
}
