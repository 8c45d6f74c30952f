/** corosync-cpgtool: process groups and their members. Layouts are those of 3.1.7, observed. */
import { CFG, CPG, type CfgCalls, type ConfiguredNode, type CpgCalls } from "../corosync/index.ts";
import { utf8 } from "../kernel/index.ts";
import { printable } from "./cmap-text.ts";
import { getopt } from "../kernel/getopt.ts";
import { callOnce, initialize } from "./library.ts";
import { fail, ok, printResult } from "./result.ts";
import type { Tool, ToolBody } from "./tool.ts";

const NAME = "corosync-cpgtool";
const USAGE = `corosync-cpgtool [-d delimiter] [-e] [-n] [-h]

A tool for displaying cpg groups and members.
options:
	-d	Delimiter between fields.
	-e	Don't escape unprintable characters in group name.
	-n	Display only all existing group names.
	-h	Display this help.
`;

const NO_DAEMON = fail("Could not initialize corosync cpg API error 2\n");

type Groups = CpgCalls["cpg_iteration"]["reply"]["groups"];

function* body(argv: readonly string[]): ToolBody {
  const parsed = getopt(NAME, argv.slice(1), "d:enh");
  if (parsed.options.some((o) => o.name === "h")) return yield* printResult(ok(USAGE));
  if (parsed.error !== undefined) return yield* printResult(fail(`${parsed.error}\n`));
  const cpg = yield* initialize<CpgCalls>(CPG);
  const found = cpg && (yield* cpg.read("cpg_iteration", {}));
  if (found === undefined) return yield* printResult(NO_DAEMON);
  const raw = parsed.options.some((o) => o.name === "e");
  // One character of what -d was given; the last -d counts.
  const delimiter = parsed.options.filter((o) => o.name === "d").pop()?.value[0];
  const groups = found.groups.map(({ group, members }) => ({ group: raw ? group : printable(utf8(group)), members }));
  if (parsed.options.some((o) => o.name === "n")) {
    const names = groups.map((g) => `${g.group}${delimiter ?? "\n"}`).join("");
    return yield* printResult(ok(delimiter === undefined ? names : `${names}\n`));
  }
  if (delimiter !== undefined) return yield* printResult(ok(delimited(groups, delimiter)));
  const status = yield* callOnce<CfgCalls, "corosync_cfg_ring_status_get">(CFG, "corosync_cfg_ring_status_get", {});
  return yield* printResult(ok(table(status?.nodes ?? [], groups)));
}

function table(nodes: readonly ConfiguredNode[], groups: Groups): string {
  let text = `Group Name\t${"PID".padStart(10)}\t${"Node ID".padStart(10)}\n`;
  for (const { group, members } of groups) {
    text += `${group}\n`;
    for (const m of members) {
      const address = nodes.find((n) => n.nodeId === m.nodeId)?.addresses[0] ?? "";
      text += `\t\t${String(m.pid).padStart(10)}\t${String(m.nodeId).padStart(10)} (${address})\n`;
    }
  }
  return text;
}

function delimited(groups: Groups, delimiter: string): string {
  const rows = groups.flatMap(({ group, members }) => members.map((m) => [group, String(m.pid), String(m.nodeId)]));
  return [["GRP_NAME", "PID", "NODEID"], ...rows].map((row) => `${row.join(delimiter)}\n`).join("");
}

export const cpgtool: Tool = {
  name: NAME,
  summary: "process groups and their members",
  options: [
    { flag: "-d", help: "delimiter between fields" },
    { flag: "-e", help: "do not escape unprintable characters" },
    { flag: "-n", help: "group names only" },
    { flag: "-h", help: "show help" },
  ],
  body,
};
