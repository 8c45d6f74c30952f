/** The arguments of an acting line: splitting it, taking options out, names that must be one of those there are. */
import { usage } from "../trouble.ts";

/** Splits at blanks; 'single' and "double" quotes keep them. Throws usage for an open quote. */
export function splitLine(line: string): string[] {
  const args: string[] = [];
  const part = /\s*(?:'([^']*)'|"([^"]*)"|([^\s'"]+)|(['"]))(\s|$)?/y;
  let open = "";
  let started = false;
  while (part.lastIndex < line.length) {
    const m = part.exec(line);
    if (!m) break;
    if (m[4] !== undefined) throw usage(`open quote in: ${line}`);
    open += m[1] ?? m[2] ?? m[3] ?? "";
    started = true;
    const next = line[part.lastIndex];
    if (m[5] !== undefined || next === undefined || /\s/.test(next)) {
      args.push(open);
      open = "";
      started = false;
    }
  }
  if (started) args.push(open);
  return args;
}

export interface Sorted {
  args: string[];
  options: Map<string, string>;
}

/** Takes `--name value` and `--name=value` out of the arguments. Only the names in `allowed` may come, each once. */
export function sortOptions(args: readonly string[], allowed: readonly string[], what: string): Sorted {
  const sorted: Sorted = { args: [], options: new Map() };
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? "";
    if (!word.startsWith("--")) {
      sorted.args.push(word);
      continue;
    }
    const eq = word.indexOf("=");
    const name = eq < 0 ? word : word.slice(0, eq);
    if (!allowed.includes(name))
      throw usage(`${what}: unknown option ${name}; ${allowed.length > 0 ? `there are: ${allowed.join(" ")}` : "it has none"}`);
    if (sorted.options.has(name)) throw usage(`${what}: ${name} is given twice`);
    const value = eq < 0 ? args[++i] : word.slice(eq + 1);
    if (value === undefined) throw usage(`${what}: ${name} needs a value`);
    sorted.options.set(name, value);
  }
  return sorted;
}

export function oneOf(value: string, allowed: readonly string[], what: string): string {
  if (!allowed.includes(value))
    throw usage(`unknown ${what} ${JSON.stringify(value)}; there ${allowed.length === 1 ? "is" : "are"}: ${allowed.join(", ")}`);
  return value;
}
