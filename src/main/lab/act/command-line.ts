/** The arguments of an acting line: splitting it, taking options out, names that must be one of those there are. */
import { parseArgsStringToArgv } from "string-argv";
import { usage } from "../trouble.ts";

/** Splits at blanks; 'single' and "double" quotes keep them. Throws usage for an open quote. */
export function splitLine(line: string): string[] {
  // The package takes the end of the line for the quote that is missing.
  if (/['"]/.test(line.replace(/'[^']*'|"[^"]*"/g, ""))) throw usage(`open quote in: ${line}`);
  return parseArgsStringToArgv(line);
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
