/** Every modelled command by name. A command or option that is absent here is not modelled; nothing invents success. */
import { cfgtool } from "./cfgtool.ts";
import { cmapctl } from "./cmapctl.ts";
import { corosync } from "./corosync.ts";
import { cpgtool } from "./cpgtool.ts";
import type { ToolHost } from "./host.ts";
import { journalctl } from "./journalctl.ts";
import { pvecm } from "./pvecm.ts";
import { qdevicetool } from "./qdevicetool.ts";
import { qnetdtool } from "./qnetdtool.ts";
import { quorumtool } from "./quorumtool.ts";
import type { CommandSpec, Io, Result } from "./spec.ts";
import { systemctl } from "./systemd/index.ts";

export const commands: ReadonlyMap<string, CommandSpec> = new Map(
  [corosync, cfgtool, cmapctl, cpgtool, journalctl, pvecm, qdevicetool, qnetdtool, quorumtool, systemctl].map((spec) => [spec.name, spec]),
);

/** `/usr/sbin/pvecm` and `pvecm` are the same program. */
export function commandNamed(word: string): CommandSpec | undefined {
  return commands.get(word.replace(/^\/(?:usr\/)?s?bin\//, ""));
}

/** The answer to a command line that only asks; "acts" where it changes something, waits or never ends; undefined where there is no such command. */
export function answerQuery(host: ToolHost, argv: readonly string[], io: Io): Result | "acts" | undefined {
  const spec = commandNamed(argv[0] ?? "");
  if (spec === undefined || !host.installed(spec.name)) return undefined;
  return spec.isQuery(argv, host) ? spec.query(host, argv, io) : "acts";
}

/** Words that may follow in a command line whose last word is `words[words.length - 1]` (possibly empty): options, subcommands, unit names, keys. Sorted. */
export function completions(host: ToolHost, words: readonly string[]): string[] {
  const last = words[words.length - 1] ?? "";
  const choices: string[] = [];
  if (words.length <= 1) choices.push(...[...commands.keys()].filter((name) => host.installed(name)));
  else {
    const spec = commandNamed(words[0] ?? "");
    if (spec === undefined) return [];
    if (last.startsWith("-")) choices.push(...spec.options.map((o) => o.flag));
    else choices.push(...operands(host, spec, words));
  }
  const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return [...new Set(choices)].filter((c) => c.startsWith(last)).sort(byText);
}

function operands(host: ToolHost, spec: CommandSpec, words: readonly string[]): string[] {
  const before = words[words.length - 2] ?? "";
  const units = host.services;
  if (spec.name === "systemctl" && words.slice(1, -1).some((w) => !w.startsWith("-"))) return [...units];
  if (spec.name === "journalctl") return before === "-u" || before === "--unit" ? [...units] : [];
  if (spec.name === "corosync-cmapctl") {
    const daemon = host.corosync();
    return typeof daemon === "string" ? [] : daemon.cmapList("").map((e) => e.key);
  }
  return words.length === 2 ? [...(spec.words ?? [])] : [];
}
