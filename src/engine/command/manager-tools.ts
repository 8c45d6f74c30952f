/**
 * systemctl and journalctl as tools: what their old form (spec.ts) looks at is asked of the service manager and the journal by calls, and its requests are carried out. It goes when they are written
 * as tools themselves. Nothing in the real stack.
 */
import type { ToolHost, UnitView } from "./host.ts";
import { Library, callOnce, errorOf } from "./library.ts";
import { JOURNAL, MANAGER, type JournalCalls, type ManagerCalls } from "./manager-calls.ts";
import { notModelled, printResult } from "./result.ts";
import type { Answer, Ask, CommandSpec, Follow } from "./spec.ts";
import { endless } from "./tool-program.ts";
import {
  call,
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

function* unitViews(): ToolPart<readonly UnitView[]> {
  return (yield* callOnce<ManagerCalls, "units">(MANAGER, "units", {}))?.units ?? [];
}

/** Everything there is to see, the journal's lines from number `from` on; undefined: none of them. */
function* look(from: number | undefined): ToolPart<ToolHost> {
  const me = yield* self();
  const units = yield* unitViews();
  const since = from === undefined ? undefined : yield* callOnce<JournalCalls, "since">(JOURNAL, "since", { from });
  const { from: first, lines } = since ?? { from: 0, lines: [] };
  return {
    hostname: me.hostname,
    now: me.now,
    epochUnixMicros: me.unixMicros - me.now,
    unit: (name) => units.find((u) => u.name === name),
    units: () => units,
    journalSince: (index) => lines.slice(Math.max(0, index - first)),
    journalLength: () => first + lines.length,
  };
}

function* body(spec: CommandSpec, argv: readonly string[]): ToolBody {
  if (spec.isQuery(argv, yield* look(undefined))) return yield* printResult(spec.query(yield* look(0), argv));
  const run = spec.run?.(argv);
  if (run === undefined) return yield* printResult(notModelled(argv.join(" ")));
  let next = run.next();
  while (next.done !== true) next = run.next(yield* answerTo(spec, next.value));
  return next.value;
}

function* answerTo(spec: CommandSpec, ask: Ask): ToolPart<Answer> {
  switch (ask.ask) {
    case "print":
      yield* print(ask.text, ask.stream);
      return { kind: "done" };
    case "act": {
      const reply = yield* call(MANAGER, { call: ask.act.op, unit: ask.act.unit });
      const error = typeof reply === "string" ? reply : errorOf(reply);
      return error === undefined ? { kind: "done" } : { kind: "done", error };
    }
    case "run":
      return { kind: "result", result: spec.query(yield* look(0), ask.argv) };
    case "unit-job": {
      const ended = yield* callOnce<ManagerCalls, "job">(MANAGER, "job", { unit: ask.unit });
      return { kind: "job", lastJob: ended?.lastJob, result: ended?.result ?? "success" };
    }
  }
}

/** Its connection to the journal is kept under a name that no state has. */
const CONNECTION = "connection";

type FollowBody = Generator<ToolAsk, number | Again, ToolAnswer>;

function* following(spec: CommandSpec, follow: Follow, argv: readonly string[], kept: Kept | undefined): FollowBody {
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

export function managerTool(spec: CommandSpec): Tool {
  return {
    name: spec.name,
    summary: spec.summary,
    options: spec.options,
    ...(spec.subcommands === undefined ? {} : { subcommands: spec.subcommands }),
    *operands(before) {
      return spec.takesUnit(before) ? (yield* unitViews()).map((u) => u.name) : [];
    },
    body: (argv) => body(spec, argv),
    endless: (argv) => {
      const follow = spec.follow?.(argv);
      return follow && endless({ name: spec.name, body: (again, kept) => following(spec, follow, again, kept) });
    },
  };
}
