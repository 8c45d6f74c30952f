/** systemctl as a command of a machine: its queries over the machine's view, its requests as those of any acting command. */
import { journalText } from "../journal-format.ts";
import type { ToolHost } from "../host.ts";
import type { Answer, Ask, CommandSpec, Run } from "../spec.ts";
import { VERBS } from "./options.ts";
import type { SystemctlAnswer } from "./requests.ts";
import type { SystemctlHost } from "./status.ts";
import { isQuery, query, run } from "./systemctl.ts";

function hostOf(host: ToolHost): SystemctlHost {
  const { hostname, now, epochUnixMicros, systemd } = host;
  return {
    hostname,
    now,
    epochUnixMicros,
    systemd,
    journalSince: (from) => host.journalSince(from),
    journalText: (line) => journalText(host, line, "short", true),
  };
}

function* acting(argv: readonly string[]): Run {
  const body = run(argv);
  let next = body.next();
  while (next.done !== true) {
    const ask: Ask = next.value;
    const answer: Answer = yield ask;
    const given: SystemctlAnswer = answer.kind === "systemd" ? answer.answer : {};
    next = body.next(given);
  }
  return next.value;
}

export const systemctl: CommandSpec = {
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
  words: VERBS,
  isQuery: (argv) => isQuery(argv),
  query: (host, argv) => query(hostOf(host), argv),
  run: acting,
};
