/**
 * journalctl as a tool: what its own form (spec.ts) looks at is asked of the journal by calls, and it is told when the journal has grown. In the real stack: journalctl over libsystemd's journal files.
 */
import type { ToolHost } from "./host.ts";
import { journalctl as spec } from "./journalctl.ts";
import { Library, callOnce } from "./library.ts";
import { JOURNAL, MANAGER, type JournalCalls, type ManagerCalls } from "./manager-calls.ts";
import { notModelled, printResult } from "./result.ts";
import type { Follow } from "./spec.ts";
import { endless } from "./tool-program.ts";
import {
  connect,
  nextNotice,
  print,
  self,
  type Again,
  type Kept,
  type Tool,
  type ToolAnswer,
  type ToolAsk,
  type ToolBody,
  type ToolPart,
} from "./tool.ts";

/** Names of the machine's services, for completion. */
export function* serviceNames(): ToolPart<readonly string[]> {
  return (yield* callOnce<ManagerCalls, "services">(MANAGER, "services", {}))?.names ?? [];
}

/** Everything there is to see, the journal's lines from number `from` on; undefined: none of them. */
function* look(from: number | undefined): ToolPart<ToolHost> {
  const me = yield* self();
  const since = from === undefined ? undefined : yield* callOnce<JournalCalls, "since">(JOURNAL, "since", { from });
  const { from: first, lines } = since ?? { from: 0, lines: [] };
  return {
    hostname: me.hostname,
    now: me.now,
    epochUnixMicros: me.unixMicros - me.now,
    journalSince: (index) => lines.slice(Math.max(0, index - first)),
    journalLength: () => first + lines.length,
  };
}

function* body(argv: readonly string[]): ToolBody {
  if (spec.isQuery(argv, yield* look(undefined))) return yield* printResult(spec.query(yield* look(0), argv));
  return yield* printResult(notModelled(argv.join(" ")));
}

/** Its connection to the journal is kept under a name that no state has. */
const CONNECTION = "connection";

type FollowBody = Generator<ToolAsk, number | Again, ToolAnswer>;

function* following(follow: Follow, argv: readonly string[], kept: Kept | undefined): FollowBody {
  if (kept === undefined) {
    if (spec.isQuery(argv, yield* look(undefined))) return yield* printResult(spec.query(yield* look(0), argv));
    const connection = yield* connect(JOURNAL);
    if (connection === "refused") return 1;
    yield* new Library<JournalCalls>(connection).ask("follow", {});
    const begun = follow.begin(yield* look(0), argv);
    yield* print(begun.stdout);
    return { again: { ...begun.state, [CONNECTION]: connection } };
  }
  if ((yield* nextNotice(Number(kept[CONNECTION]))) === "gone") return 1;
  const { state, stdout, stderr, status } = follow.poll(yield* look(Number(kept["next"])), argv, kept);
  yield* print(stdout);
  yield* print(stderr ?? "", "stderr");
  return status ?? { again: { ...state, [CONNECTION]: kept[CONNECTION] ?? 0 } };
}

export const journalctl: Tool = {
  name: spec.name,
  summary: spec.summary,
  options: spec.options,
  *operands(before) {
    return spec.takesUnit(before) ? yield* serviceNames() : [];
  },
  body,
  endless: (argv) => {
    const follow = spec.follow?.(argv);
    return follow && endless({ name: spec.name, body: (again, kept) => following(follow, again, kept) });
  },
};
