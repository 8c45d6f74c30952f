/** Built-ins about variables: export, local, declare, readonly, unset, shift, set. */
import { evaluateText } from "../interpreter/arithmetic.ts";
import type { Program, Run } from "../interpreter/program.ts";
import type { Variable } from "../interpreter/shell.ts";
import { OPTION_FLAGS, ShellError } from "../interpreter/shell.ts";
import { quote, setElement } from "../interpreter/variables.ts";

function showVariable(name: string, variable: Variable): string {
  const flags = `${Array.isArray(variable.value) ? "a" : ""}${variable.value instanceof Map ? "A" : ""}${variable.integer ? "i" : ""}${variable.readonly ? "r" : ""}${variable.exported ? "x" : ""}`;
  const start = `declare -${flags || "-"} ${name}`;
  const double = (text: string): string => `"${text.replace(/["\\$`]/g, "\\$&")}"`;
  if (variable.value === undefined) return start;
  if (typeof variable.value === "string") return `${start}=${double(variable.value)}`;
  const entries = Array.isArray(variable.value) ? Object.entries(variable.value) : [...variable.value];
  return `${start}=(${entries.map(([key, text]) => `[${key}]=${double(text)}`).join(" ")})`;
}

const sorted = (run: Run): [string, Variable][] => [...run.shell.vars].sort(([a], [b]) => (a < b ? -1 : 1));

interface Flags {
  on: Set<string>;
  off: Set<string>;
  names: string[];
}

function flagsOf(run: Run, allowed: string): Flags {
  const flags: Flags = { on: new Set(), off: new Set(), names: [] };
  for (const [index, arg] of run.args.entries()) {
    if (arg === "--") {
      flags.names.push(...run.args.slice(index + 1));
      break;
    }
    const m = /^([-+])([a-zA-Z]+)$/.exec(arg);
    if (!m || flags.names.length > 0) flags.names.push(arg);
    else {
      for (const letter of m[2] ?? "") {
        if (!allowed.includes(letter)) throw new ShellError(`${run.name}: -${letter}: invalid option`, 2);
        (m[1] === "-" ? flags.on : flags.off).add(letter);
      }
    }
  }
  return flags;
}

/** `name`, `name=value`, `name+=value`, `name[i]=value` with the flags of the built-in. */
async function declareOne(run: Run, flags: Flags, word: string, local: boolean): Promise<void> {
  const m = /^([A-Za-z_]\w*)(?:\[([^\]]*)\])?(?:(\+?)=([^]*))?$/.exec(word);
  if (!m) throw new ShellError(`${run.name}: \`${word}': not a valid identifier`);
  const name = m[1] ?? "";
  const { shell } = run;
  if (local) {
    const frame = shell.locals.at(-1);
    if (frame && !frame.has(name)) {
      const old = shell.vars.get(name);
      frame.set(name, old);
      shell.vars.set(name, { value: undefined, exported: old?.exported ?? false, readonly: false, integer: false });
    }
  }
  const variable = shell.declare(name);
  if (flags.on.has("A") && !(variable.value instanceof Map)) variable.value = new Map();
  if (flags.on.has("a") && !Array.isArray(variable.value)) variable.value = variable.value === undefined ? [] : [String(variable.value)];
  if (flags.on.has("i")) variable.integer = true;
  if (flags.on.has("x")) variable.exported = true;
  if (flags.off.has("x")) variable.exported = false;
  const array = run.arrays.get(name);
  if (array) setArray(run, name, array);
  else if (m[4] !== undefined) {
    let text = m[3] === "+" ? (shell.get(name) ?? "") + m[4] : m[4];
    if (variable.integer) text = (await evaluateText(text, run.executor.expander.cells(run.ctx))).toString();
    if (m[2] !== undefined) setElement(shell, name, m[2], text);
    else shell.set(name, text);
  }
  if (flags.on.has("r")) variable.readonly = true;
}

function setArray(run: Run, name: string, fields: readonly string[]): void {
  const variable = run.shell.declare(name);
  if (variable.readonly) throw new ShellError(`${name}: readonly variable`, 1, true);
  if (!(variable.value instanceof Map)) {
    variable.value = [...fields];
    return;
  }
  for (const field of fields) {
    const m = /^\[([^\]]*)\]=([^]*)$/.exec(field);
    if (m) variable.value.set(m[1] ?? "", m[2] ?? "");
  }
}

async function declareBuiltin(run: Run): Promise<number> {
  const flags = flagsOf(run, "aAiprxgfFlun");
  if (flags.on.has("f") || flags.on.has("F")) return showFunctions(run, flags.names);
  if (flags.names.length === 0 || flags.on.has("p")) {
    const wanted = sorted(run).filter(([name]) => flags.names.length === 0 || flags.names.includes(name));
    for (const [name, variable] of wanted) await run.out(`${showVariable(name, variable)}\n`);
    return wanted.length < flags.names.length ? 1 : 0;
  }
  for (const word of flags.names)
    await declareOne(run, flags, word, run.shell.inFunction > 0 && run.shell.locals.length > 0 && !flags.on.has("g"));
  return 0;
}

async function showFunctions(run: Run, names: readonly string[]): Promise<number> {
  for (const name of names.length > 0 ? names : [...run.shell.functions.keys()].sort()) {
    if (!run.shell.functions.has(name)) return 1;
    await run.out(`declare -f ${name}\n`);
  }
  return 0;
}

async function localBuiltin(run: Run): Promise<number> {
  if (run.shell.locals.length === 0) throw new ShellError("local: can only be used in a function");
  const flags = flagsOf(run, "aAirx");
  for (const word of flags.names) await declareOne(run, flags, word, true);
  return 0;
}

async function exportBuiltin(run: Run): Promise<number> {
  const flags = flagsOf(run, "npf");
  if (flags.names.length === 0) {
    for (const [name, variable] of sorted(run))
      if (variable.exported) await run.out(`${showVariable(name, variable).replace(/^declare -\S+/, "declare -x")}\n`);
    return 0;
  }
  const set: Flags = flags.on.has("n")
    ? { on: new Set(), off: new Set(["x"]), names: [] }
    : { on: new Set(["x"]), off: new Set(), names: [] };
  for (const word of flags.names) await declareOne(run, set, word, false);
  return 0;
}

async function readonlyBuiltin(run: Run): Promise<number> {
  const flags = flagsOf(run, "pa");
  if (flags.names.length === 0) {
    for (const [name, variable] of sorted(run)) if (variable.readonly) await run.out(`${showVariable(name, variable)}\n`);
    return 0;
  }
  for (const word of flags.names) await declareOne(run, { on: new Set(["r"]), off: new Set(), names: [] }, word, false);
  return 0;
}

function unset(run: Run): Promise<number> {
  const { shell } = run;
  const flags = flagsOf(run, "fvn");
  for (const name of flags.names) {
    const m = /^(\w+)\[([^\]]*)\]$/.exec(name);
    if (m) {
      const value = shell.vars.get(m[1] ?? "")?.value;
      if (value instanceof Map) value.delete(m[2] ?? "");
      else if (Array.isArray(value)) Reflect.deleteProperty(value, m[2] ?? "");
      continue;
    }
    if (shell.vars.get(name)?.readonly) throw new ShellError(`unset: ${name}: cannot unset: readonly variable`);
    if (flags.on.has("f") || (!shell.vars.has(name) && !flags.on.has("v"))) shell.functions.delete(name);
    else shell.vars.delete(name);
  }
  return Promise.resolve(0);
}

function shift(run: Run): Promise<number> {
  const text = run.args[0] ?? "1";
  if (!/^\d+$/.test(text)) throw new ShellError(`shift: ${text}: numeric argument required`);
  const count = Number(text);
  if (count > run.shell.positional.length) return Promise.resolve(1);
  run.shell.positional = run.shell.positional.slice(count);
  return Promise.resolve(0);
}

async function set(run: Run): Promise<number> {
  const { shell } = run;
  const args = [...run.args];
  if (args.length === 0) {
    for (const [name, variable] of sorted(run)) if (typeof variable.value === "string") await run.out(`${name}=${quote(variable.value)}\n`);
    return 0;
  }
  for (let word = args.shift(); word !== undefined; word = args.shift()) {
    if (word === "--") {
      shell.positional = args;
      return 0;
    }
    const m = /^([-+])([a-zA-Z]+)$/.exec(word);
    if (!m) {
      shell.positional = [word, ...args];
      return 0;
    }
    const on = m[1] === "-";
    for (const letter of m[2] ?? "") {
      if (letter === "o") {
        const name = args.shift();
        if (name === undefined) return listOptions(run);
        setOption(run, name, on);
      } else if (OPTION_FLAGS[letter]) shell.options[OPTION_FLAGS[letter]] = on;
      else if (!"bhmvBEHTP".includes(letter)) throw new ShellError(`set: ${m[1]}${letter}: invalid option`, 2);
    }
  }
  return 0;
}

async function listOptions(run: Run): Promise<number> {
  for (const [name, on] of Object.entries(run.shell.options).sort()) await run.out(`${name.padEnd(15)}\t${on ? "on" : "off"}\n`);
  return 0;
}

function setOption(run: Run, name: string, on: boolean): void {
  const { options } = run.shell;
  switch (name) {
    case "errexit":
    case "nounset":
    case "pipefail":
    case "xtrace":
    case "noglob":
    case "noclobber":
    case "allexport":
    case "noexec":
      options[name] = on;
      return;
    case "emacs":
    case "vi":
    case "history":
    case "monitor":
    case "posix":
      return;
    default:
      throw new ShellError(`set: ${name}: invalid option name`, 2);
  }
}

async function getopts(run: Run): Promise<number> {
  const [spec, name, ...rest] = run.args;
  if (spec === undefined || name === undefined) throw new ShellError("getopts: usage: getopts optstring name [arg]", 2);
  const { shell } = run;
  const args = rest.length > 0 ? rest : shell.positional;
  let index = Number(shell.get("OPTIND") ?? "1") || 1;
  let within = Number(shell.get("OPTPOS") ?? "1") || 1;
  const word = args[index - 1];
  if (word === undefined || !/^-./.test(word) || word === "--") {
    if (word === "--") shell.set("OPTIND", String(index + 1));
    shell.set(name, "?");
    return 1;
  }
  const letter = word.charAt(within);
  const at = spec.replace(/^:/, "").indexOf(letter);
  const takes = at >= 0 && spec.replace(/^:/, "")[at + 1] === ":";
  let result = letter;
  if (at < 0) {
    result = "?";
    shell.set("OPTARG", letter);
    if (!spec.startsWith(":")) await run.err(`${shell.arg0}: illegal option -- ${letter}\n`);
  } else if (takes) {
    const joined = word.slice(within + 1);
    shell.set("OPTARG", joined || (args[index] ?? ""));
    if (joined === "") index++;
    within = word.length;
  }
  if (++within >= word.length) {
    index++;
    within = 1;
  }
  shell.set("OPTIND", String(index));
  shell.set("OPTPOS", String(within));
  shell.set(name, result);
  return 0;
}

export const declare: [string, Program][] = [
  ["export", exportBuiltin],
  ["local", localBuiltin],
  ["declare", declareBuiltin],
  ["typeset", declareBuiltin],
  ["readonly", readonlyBuiltin],
  ["unset", unset],
  ["shift", shift],
  ["set", set],
  ["getopts", getopts],
];
