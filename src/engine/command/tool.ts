/**
 * What a tool is that touches its machine only by `yield` of a few general requests: a call of a service, a file call, a child, a line of input, time. What it has done is its name, its
 * arguments and the answers so far, so that it can be kept and gone on with anywhere; and the same body answers a question that changes nothing, where every request has an answer at the present
 * instant (tool-peek.ts). In the real stack: a program of a few hundred lines that calls libraries. Left out: tools that never end, which are programs with explicit state of their own.
 */
import type {
  FileCall,
  FileReply,
  IpcNotice,
  IpcReply,
  IpcRequest,
  ProcessExit,
  ProgramMaker,
  SelfFacts,
  Signal,
  Stream,
} from "../kernel/index.ts";

/** One request. */
export type ToolAsk =
  /** A connection of one request to a service: it waits while the server is stopped. */
  | { readonly ask: "call"; readonly service: string; readonly request: IpcRequest }
  /** A connection that stays; the answer has its number. */
  | { readonly ask: "connect"; readonly service: string }
  | { readonly ask: "request"; readonly connection: number; readonly request: IpcRequest }
  /** The next notice of that connection. */
  | { readonly ask: "notice"; readonly connection: number }
  /** The next of what comes first: a notice of that connection, a line of input (poll(2)). */
  | { readonly ask: "event"; readonly connection: number }
  | { readonly ask: "disconnect"; readonly connection: number }
  | { readonly ask: "file"; readonly call: FileCall }
  /** open, read to the end, close. */
  | { readonly ask: "contents"; readonly path: string }
  /** A program begins, and the tool goes on when it has ended. */
  | { readonly ask: "run"; readonly argv: readonly string[] }
  | { readonly ask: "kill"; readonly pid: number; readonly signal: Signal }
  | { readonly ask: "print"; readonly stream: Stream; readonly text: string }
  /** A line of input; `text` is shown before it. */
  | { readonly ask: "line"; readonly text: string; readonly echo: boolean }
  | { readonly ask: "sleep"; readonly micros: number }
  | { readonly ask: "self" };

/** Plain data, so that it can be kept and given again. */
export type ToolAnswer =
  | { readonly answer: "reply"; readonly reply: IpcReply }
  /** Nobody serves the name. */
  | { readonly answer: "refused" }
  /** The server has gone, or closed. */
  | { readonly answer: "gone" }
  | { readonly answer: "connected"; readonly connection: number }
  | { readonly answer: "notice"; readonly notice: IpcNotice }
  | { readonly answer: "file"; readonly reply: FileReply }
  /** Undefined: there is no such program, or the process table is full. */
  | { readonly answer: "ended"; readonly exit: ProcessExit | undefined }
  | { readonly answer: "killed"; readonly errno: "ESRCH" | "EPERM" | undefined }
  | { readonly answer: "line"; readonly line: string | undefined }
  | { readonly answer: "self"; readonly self: SelfFacts }
  | { readonly answer: "done" };

/** The tool itself: what it returns is its exit status. */
export type ToolBody = Generator<ToolAsk, number, ToolAnswer>;

/** Part of a body. */
export type ToolPart<T> = Generator<ToolAsk, T, ToolAnswer>;

/** A body that begins again, from what is kept. */
export interface Again {
  readonly again: Kept;
}

/** Plain state of a tool that never ends by itself. */
export type Kept = { readonly [key: string]: string | number | boolean };

/**
 * A tool that never ends by itself, as a row of bodies: each begins with what the one before has kept (the first with undefined), and the answers that one had are forgotten. Connections stay.
 */
export interface Rounds {
  readonly name: string;
  body(argv: readonly string[], kept: Kept | undefined): Generator<ToolAsk, number | Again, ToolAnswer>;
}

export interface ToolOption {
  readonly flag: string;
  readonly help: string;
}

export interface Tool {
  readonly name: string;
  /** Other names it is called by. */
  readonly aliases?: readonly string[];
  /** One line, for completion and palettes. */
  readonly summary: string;
  readonly options: readonly ToolOption[];
  /** What the first operand may be. */
  readonly subcommands?: readonly string[];
  /** Completion: what the operand after these may be, where it is found out by asking. */
  operands?(before: readonly string[]): ToolPart<readonly string[]>;
  body(argv: readonly string[]): ToolBody;
  /** The program of a call that never ends by itself (`-f`); absent or undefined: the body does it. */
  endless?(argv: readonly string[]): ProgramMaker | undefined;
}

function unexpected(ask: ToolAsk["ask"], answer: ToolAnswer): never {
  throw new Error(`${ask} was answered ${answer.answer}`);
}

export function* print(text: string, stream: Stream = "stdout"): ToolPart<void> {
  if (text !== "") yield { ask: "print", stream, text };
}

/** Prints to standard error; the value is the status. */
export function* failed(text: string, status = 1): ToolPart<number> {
  yield* print(text, "stderr");
  return status;
}

/** What a service answers; `refused` where nobody serves it, `gone` where the server went meanwhile. */
export function* call(service: string, request: IpcRequest): ToolPart<IpcReply | "refused" | "gone"> {
  const answer = yield { ask: "call", service, request };
  if (answer.answer === "reply") return answer.reply;
  return answer.answer === "refused" || answer.answer === "gone" ? answer.answer : unexpected("call", answer);
}

export function* connect(service: string): ToolPart<number | "refused"> {
  const answer = yield { ask: "connect", service };
  if (answer.answer === "connected") return answer.connection;
  return answer.answer === "refused" ? "refused" : unexpected("connect", answer);
}

export function* request(connection: number, what: IpcRequest): ToolPart<IpcReply | "gone"> {
  const answer = yield { ask: "request", connection, request: what };
  if (answer.answer === "reply") return answer.reply;
  return answer.answer === "gone" ? "gone" : unexpected("request", answer);
}

export function* nextNotice(connection: number): ToolPart<IpcNotice | "gone"> {
  const answer = yield { ask: "notice", connection };
  if (answer.answer === "notice") return answer.notice;
  return answer.answer === "gone" ? "gone" : unexpected("notice", answer);
}

/** What comes first: a notice of that connection, or a line; undefined is the end of input. */
export function* nextEvent(connection: number): ToolPart<{ readonly notice: IpcNotice } | { readonly line: string | undefined } | "gone"> {
  const answer = yield { ask: "event", connection };
  if (answer.answer === "notice" || answer.answer === "line") return answer;
  return answer.answer === "gone" ? "gone" : unexpected("event", answer);
}

export function* disconnect(connection: number): ToolPart<void> {
  yield { ask: "disconnect", connection };
}

export function* file(what: FileCall): ToolPart<FileReply> {
  const answer = yield { ask: "file", call: what };
  return answer.answer === "file" ? answer.reply : unexpected("file", answer);
}

/** The bytes of a file, or why there are none. */
export function* contents(path: string): ToolPart<FileReply> {
  const answer = yield { ask: "contents", path };
  return answer.answer === "file" ? answer.reply : unexpected("contents", answer);
}

/** Runs a program to its end; undefined where it could not begin. */
export function* run(argv: readonly string[]): ToolPart<ProcessExit | undefined> {
  const answer = yield { ask: "run", argv };
  return answer.answer === "ended" ? answer.exit : unexpected("run", answer);
}

export function* kill(pid: number, signal: Signal): ToolPart<"ESRCH" | "EPERM" | undefined> {
  const answer = yield { ask: "kill", pid, signal };
  return answer.answer === "killed" ? answer.errno : unexpected("kill", answer);
}

/** A line of input; undefined at its end. */
export function* readLine(text: string, echo = true): ToolPart<string | undefined> {
  const answer = yield { ask: "line", text, echo };
  return answer.answer === "line" ? answer.line : unexpected("line", answer);
}

export function* sleep(micros: number): ToolPart<void> {
  yield { ask: "sleep", micros };
}

export function* self(): ToolPart<SelfFacts> {
  const answer = yield { ask: "self" };
  return answer.answer === "self" ? answer.self : unexpected("self", answer);
}
