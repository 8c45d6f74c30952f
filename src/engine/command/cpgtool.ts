/** corosync-cpgtool: process groups and their members. Layouts are those of 3.1.7, observed. */
import { utf8 } from "../kernel/index.ts";
import { printable } from "./cmap-text.ts";
import { getopt } from "../kernel/getopt.ts";
import type { DaemonView, ToolHost } from "./host.ts";
import { fail, ok, printResult, type CommandSpec, type Result, type Run } from "./spec.ts";

const NAME = "corosync-cpgtool";
const USAGE = `corosync-cpgtool [-d delimiter] [-e] [-n] [-h]

A tool for displaying cpg groups and members.
options:
	-d	Delimiter between fields.
	-e	Don't escape unprintable characters in group name.
	-n	Display only all existing group names.
	-h	Display this help.
`;

function query(host: ToolHost, argv: readonly string[]): Result {
  const parsed = getopt(NAME, argv.slice(1), "d:enh");
  if (parsed.options.some((o) => o.name === "h")) return ok(USAGE);
  if (parsed.error !== undefined) return fail(`${parsed.error}\n`);
  const daemon = host.corosync();
  if (typeof daemon === "string") return fail("Could not initialize corosync cpg API error 2\n");
  const raw = parsed.options.some((o) => o.name === "e");
  // One character of what -d was given; the last -d counts.
  const delimiter = parsed.options.filter((o) => o.name === "d").pop()?.value[0];
  const groups = daemon.cpgGroups().map(({ group, members }) => ({ group: raw ? group : printable(utf8(group)), members }));
  if (parsed.options.some((o) => o.name === "n")) {
    const names = groups.map((g) => `${g.group}${delimiter ?? "\n"}`).join("");
    return ok(delimiter === undefined ? names : `${names}\n`);
  }
  return ok(delimiter === undefined ? table(daemon, groups) : delimited(groups, delimiter));
}

type Groups = ReturnType<DaemonView["cpgGroups"]>;

function table(daemon: DaemonView, groups: Groups): string {
  let text = `Group Name\t${"PID".padStart(10)}\t${"Node ID".padStart(10)}\n`;
  for (const { group, members } of groups) {
    text += `${group}\n`;
    for (const m of members) {
      const address = daemon.nodelist.find((n) => n.nodeId === m.nodeId)?.addresses[0] ?? "";
      text += `\t\t${String(m.pid).padStart(10)}\t${String(m.nodeId).padStart(10)} (${address})\n`;
    }
  }
  return text;
}

function delimited(groups: Groups, delimiter: string): string {
  const rows = groups.flatMap(({ group, members }) => members.map((m) => [group, String(m.pid), String(m.nodeId)]));
  return [["GRP_NAME", "PID", "NODEID"], ...rows].map((row) => `${row.join(delimiter)}\n`).join("");
}

function* run(argv: readonly string[]): Run {
  yield { ask: "daemon" };
  const shown = yield { ask: "run", argv };
  return yield* printResult(shown.kind === "result" ? shown.result : fail("Could not initialize corosync cpg API error 2\n"));
}

export const cpgtool: CommandSpec = {
  name: NAME,
  summary: "process groups and their members",
  options: [
    { flag: "-d", help: "delimiter between fields" },
    { flag: "-e", help: "do not escape unprintable characters" },
    { flag: "-n", help: "group names only" },
    { flag: "-h", help: "show help" },
  ],
  isQuery: (_argv, host) => host.corosync() !== "stalled",
  query,
  run,
};
