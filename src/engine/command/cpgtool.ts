/** corosync-cpgtool: process groups and their members. Left out: -d and -e, which only change how names are written. */
import { getopt } from "./getopt.ts";
import type { ToolHost } from "./host.ts";
import { fail, notModelled, ok, printResult, type CommandSpec, type Result, type Run } from "./spec.ts";

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
  if (parsed.error !== undefined) return fail(`${parsed.error}\n`, 1, USAGE);
  const odd = parsed.options.find((o) => o.name === "d" || o.name === "e");
  if (odd) return notModelled(`${NAME} -${odd.name}`);
  const daemon = host.corosync();
  if (typeof daemon === "string") return fail("Could not initialize corosync cpg API error 2\n");
  const groups = daemon.cpgGroups();
  if (parsed.options.some((o) => o.name === "n")) return ok(groups.map((g) => `${g.group}\n`).join(""));
  let text = `Group Name\t${"PID".padStart(10)}\t${"Node ID".padStart(10)}\n`;
  for (const { group, members } of groups) {
    text += `${group}\n`;
    for (const m of members) {
      const address = daemon.nodelist.find((n) => n.nodeId === m.nodeId)?.addresses[0] ?? "";
      text += `\t\t${String(m.pid).padStart(10)}\t${String(m.nodeId).padStart(10)} (${address})\n`;
    }
  }
  return ok(text);
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
    { flag: "-n", help: "group names only" },
    { flag: "-h", help: "show help" },
  ],
  isQuery: (_argv, host) => host.corosync() !== "stalled",
  query,
  run,
};
