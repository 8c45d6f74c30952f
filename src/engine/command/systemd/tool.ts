/** systemctl as a tool: its questions are answered by the manager, its requests are calls to it, and it waits for the jobs that come of them. In the real stack: systemctl over D-Bus. */
import type { Plain } from "../../kernel/index.ts";
import { callOnce } from "../library.ts";
import { MANAGER, serviceNames, type ManagerCalls } from "../manager-calls.ts";
import { fail, printResult } from "../result.ts";
import { print, type Tool, type ToolBody, type ToolPart } from "../tool.ts";
import { VERBS } from "./options.ts";
import type { SystemctlAnswer, SystemctlAsk } from "./requests.ts";
import { isQuery, run } from "./systemctl.ts";

/** Nobody is PID 1 any more: the machine is about to be off. */
const NO_MANAGER = fail("Failed to connect to bus: Connection refused\n");

function* answerTo(ask: SystemctlAsk): ToolPart<SystemctlAnswer | undefined> {
  switch (ask.ask) {
    case "print":
      yield* print(ask.text, ask.stream);
      return {};
    case "manager":
      return (yield* callOnce<ManagerCalls, "act">(MANAGER, "act", { act: ask.call as ManagerCalls["act"]["request"]["act"] & Plain }))
        ?.answer;
    case "job":
      return (yield* callOnce<ManagerCalls, "job">(MANAGER, "job", { job: ask.job, unit: ask.unit }))?.answer;
  }
}

function* body(argv: readonly string[]): ToolBody {
  if (isQuery(argv)) return yield* printResult((yield* callOnce<ManagerCalls, "query">(MANAGER, "query", { argv })) ?? NO_MANAGER);
  const acting = run(argv);
  let next = acting.next();
  while (next.done !== true) {
    const answer = yield* answerTo(next.value);
    if (answer === undefined) return yield* printResult(NO_MANAGER);
    next = acting.next(answer);
  }
  return next.value;
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
