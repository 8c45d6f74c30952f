/** What may follow in a command line: names of tools, options, subcommands, and operands that a tool finds out by asking. In the real stack: bash-completion's files. */
import type { Peeker } from "../kernel/index.ts";
import { peekPart } from "./tool-peek.ts";
import { toolNamed } from "./tools.ts";
import type { Tool } from "./tool.ts";

/** For the last of these, which may be empty. Sorted. `installed`: names of the tools on the machine's disk. */
export function completions(installed: ReadonlySet<string>, machine: Peeker, line: readonly string[]): string[] {
  const last = line[line.length - 1] ?? "";
  const choices = line.length <= 1 ? [...installed] : choicesOf(installed, machine, line);
  const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return [...new Set(choices)].filter((c) => c.startsWith(last)).sort(byText);
}

function choicesOf(installed: ReadonlySet<string>, machine: Peeker, line: readonly string[]): readonly string[] {
  const tool = toolNamed(line[0] ?? "");
  if (tool === undefined || !installed.has(tool.name)) return [];
  if (line[line.length - 1]?.startsWith("-") === true) return tool.options.map((o) => o.flag);
  const asked = operandsOf(tool, machine, line.slice(1, -1));
  return line.length === 2 ? [...(tool.subcommands ?? []), ...asked] : asked;
}

/** None where asking would take time. */
function operandsOf(tool: Tool, machine: Peeker, before: readonly string[]): readonly string[] {
  const asked = tool.operands?.(before);
  return asked === undefined ? [] : (peekPart(asked, machine, { stdout: "", stderr: "" })?.value ?? []);
}
