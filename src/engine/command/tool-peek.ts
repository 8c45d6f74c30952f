/**
 * A tool asked as a question: its body is driven with answers that change nothing and take no time. The first request that would wait, change something or last makes the whole of it an act, and
 * what it printed until then is forgotten. Nothing in the real stack.
 */
import type { FileCall, IpcRequest, Peeker } from "../kernel/index.ts";
import type { Result } from "./result.ts";
import type { Tool, ToolAnswer, ToolAsk, ToolPart } from "./tool.ts";

/** Requests of one question; a body that makes more goes round in a circle. Ours. */
const ASKS_MAX = 100_000;

/** Calls that only look. */
const LOOKS: ReadonlySet<FileCall["call"]> = new Set<FileCall["call"]>([
  "stat",
  "lstat",
  "access",
  "readdir",
  "readlink",
  "realpath",
  "statfs",
  "getcwd",
]);

/** What the command line answers at this instant; "acts" where it has to be a process. */
export function peekTool(tool: Tool, argv: readonly string[], machine: Peeker): Result | "acts" {
  if (tool.endless?.(argv) !== undefined) return "acts";
  const said = { stdout: "", stderr: "" };
  const end = peekPart(tool.body(argv), machine, said);
  return end === undefined ? "acts" : { ...said, status: end.value };
}

/** What a part of a body comes to, printing to `said`; undefined where it would have to be part of a process. */
export function peekPart<T>(
  body: ToolPart<T>,
  machine: Peeker,
  said: { stdout: string; stderr: string },
): { readonly value: T } | undefined {
  const connections = new Map<number, string>();
  let next = body.next();
  for (let asks = 0; next.done !== true; asks++) {
    if (asks > ASKS_MAX) throw new Error("a question without end");
    const ask = next.value;
    if (ask.ask === "print") said[ask.stream] += ask.text;
    const answer = answerTo(ask, machine, connections);
    if (answer === undefined) return undefined;
    next = body.next(answer);
  }
  return { value: next.value };
}

function answerTo(ask: ToolAsk, machine: Peeker, connections: Map<number, string>): ToolAnswer | undefined {
  switch (ask.ask) {
    case "print":
      return { answer: "done" };
    case "self":
      return { answer: "self", self: machine.self() };
    case "call":
      return peeked(machine, ask.service, ask.request);
    case "connect": {
      if (!machine.serves(ask.service)) return { answer: "refused" };
      const connection = connections.size + 1;
      connections.set(connection, ask.service);
      return { answer: "connected", connection };
    }
    case "request":
      return peeked(machine, connections.get(ask.connection) ?? "", ask.request);
    case "disconnect":
      return { answer: "done" };
    case "file": {
      const reply = LOOKS.has(ask.call.call) ? machine.file(ask.call) : undefined;
      return reply && { answer: "file", reply };
    }
    case "contents": {
      const reply = machine.contents(ask.path);
      return reply && { answer: "file", reply };
    }
    case "notice":
    case "event":
    case "run":
    case "kill":
    case "line":
    case "sleep":
      return undefined;
  }
}

function peeked(machine: Peeker, service: string, request: IpcRequest): ToolAnswer | undefined {
  const reply = machine.service(service, request);
  if (reply.peek === "would-wait") return undefined;
  return reply.peek === "refused" ? { answer: "refused" } : { answer: "reply", reply: reply.reply };
}
