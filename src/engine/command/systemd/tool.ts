/** systemctl as a tool: its questions are answered by the manager, its requests are calls to it, and it waits for the jobs that come of them. In the real stack: systemctl over D-Bus. */
import { callOnce } from "../library.ts";
import { MANAGER, serviceNames, type ManagerCalls } from "../manager-calls.ts";
import { fail, printResult } from "../result.ts";
import type { Tool, ToolBody } from "../tool.ts";
import { VERBS } from "./options.ts";
import { isQuery, NoManager, run } from "./systemctl.ts";

const NO_MANAGER = fail("Failed to connect to bus: Connection refused\n");

function* body(argv: readonly string[]): ToolBody {
  if (isQuery(argv)) return yield* printResult((yield* callOnce<ManagerCalls, "query">(MANAGER, "query", { argv })) ?? NO_MANAGER);
  try {
    return yield* run(argv);
  } catch (fault) {
    if (!(fault instanceof NoManager)) throw fault;
    return yield* printResult(NO_MANAGER);
  }
}

export const systemctl: Tool = {
  name: "systemctl",
  summary: "start, stop and look at services",
  options: [
    { flag: "--now", help: "with enable and disable: also start or stop" },
    { flag: "--no-block", help: "do not wait" },
    { flag: "--no-pager", help: "no pager" },
    { flag: "-n", help: "journal lines to show" },
    { flag: "-q", help: "print nothing" },
    { flag: "-s", help: "signal for kill" },
    { flag: "-p", help: "property for show" },
    { flag: "-t", help: "types of units to list" },
    { flag: "-a", help: "list or show all" },
  ],
  subcommands: VERBS,
  *operands(before) {
    return before.some((word) => !word.startsWith("-")) ? yield* serviceNames() : [];
  },
  body,
};
