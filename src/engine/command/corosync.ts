/**
 * The corosync program itself, typed in a terminal: -v and a wrong option only print, and are answered here; anything else runs a process (corosync/). Texts are those of
 * recorded.
 */
import { profileOf } from "../config/index.ts";
import { parseCall } from "../corosync/index.ts";
import { printResult } from "./result.ts";
import { self, type Tool, type ToolBody } from "./tool.ts";

const NAME = "corosync";

function* body(argv: readonly string[]): ToolBody {
  const call = parseCall(argv, "/", profileOf((yield* self()).release));
  if (!("status" in call)) throw new Error(`${argv.join(" ")} runs a daemon`);
  return yield* printResult(call);
}

export const corosync: Tool = {
  name: NAME,
  summary: "the cluster engine: try a configuration, or run it by hand",
  options: [
    { flag: "-t", help: "test the configuration and end" },
    { flag: "-f", help: "run in the foreground" },
    { flag: "-c", help: "another configuration file" },
    { flag: "-v", help: "version and features" },
  ],
  body,
};
