/**
 * `quorate exec`: one shell line in a node's shell, with the caller's stdin, stdout, stderr and status. Kept apart from the other commands
 * and free of their packages, because scripts run it often: its start is most of its time.
 */
import { StringDecoder } from "node:string_decoder";
import type { LabEvent } from "../lab/api.ts";
import { connectLab, type LabClient } from "../lab/process/client.ts";
import { labDir } from "../lab/store/paths.ts";
import { Trouble, usage } from "../lab/trouble.ts";
import { report, say } from "./outcome.ts";
import { cardText } from "./why-text.ts";

const synopsis = "exec [-i] [--no-wait] [--timeout SECONDS] [--explain] [--lab DIR] NODE [--] COMMAND…";
const labFailed = 255;
const interruptGraceMs = 1000;

interface ExecOptions {
  interactive: boolean;
  noWait: boolean;
  /** Why the node is as it is, on stderr, once the command has ended. */
  explain: boolean;
  timeoutSeconds: number | undefined;
  lab: string | undefined;
  node: string;
  line: string;
}

function wordAfter(args: readonly string[], i: number): string {
  const value = args[i];
  if (value === undefined) throw usage(`${args[i - 1] ?? ""} needs a value; usage: ${synopsis}`);
  return value;
}

/** Options come before NODE; everything after it is the command's. */
export function parseExec(args: readonly string[], lab: string | undefined): ExecOptions {
  const options: ExecOptions = { interactive: false, noWait: false, explain: false, timeoutSeconds: undefined, lab, node: "", line: "" };
  let i = 0;
  for (; i < args.length && (args[i] ?? "").startsWith("-"); i++) {
    const word = args[i] ?? "";
    if (word === "-i") options.interactive = true;
    else if (word === "--no-wait") options.noWait = true;
    else if (word === "--lab") options.lab = wordAfter(args, ++i);
    else if (word === "--timeout") {
      const value = wordAfter(args, ++i);
      if (!/^\d+(\.\d+)?$/.test(value) || Number(value) <= 0) throw usage(`--timeout ${JSON.stringify(value)}: seconds, more than 0`);
      options.timeoutSeconds = Number(value);
    } else if (word === "--explain") options.explain = true;
    else throw usage(`exec: unknown option ${word}; usage: ${synopsis}`);
  }
  options.node = args[i++] ?? "";
  if (args[i] === "--") i++;
  options.line = args.slice(i).join(" ");
  if (options.node === "" || (options.line.trim() === "" && !options.interactive)) throw usage(`exec: usage: ${synopsis}`);
  return options;
}

/** Text to a stream, resolved when the system has it. */
function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve) => stream.write(text, () => resolve()));
}

/** Forwards the caller's stdin until it ends. */
function forwardInput(send: (data: string | null) => void): void {
  const decoder = new StringDecoder("utf8");
  process.stdin.on("data", (bytes: Buffer) => send(decoder.write(bytes)));
  process.stdin.on("end", () => send(null));
  process.stdin.on("error", () => send(null));
}

async function runPlain(client: LabClient, options: ExecOptions): Promise<number> {
  const early: LabEvent[] = [];
  let id: string | undefined;
  let lastWrite: Promise<void> = Promise.resolve();
  let timedOut = false;
  return new Promise<number>((resolve, reject) => {
    const handle = (event: LabEvent): void => {
      if (event.event === "exec-output" && event.exec === id)
        lastWrite = write(event.stream === "stdout" ? process.stdout : process.stderr, event.data);
      if (event.event === "exec-exit" && event.exec === id) void lastWrite.then(() => resolve(timedOut ? labFailed : event.status));
    };
    client.onEvent((event) => (id === undefined ? early.push(event) : handle(event)));
    void client.closed.then((reason) => reject(new Trouble("lab", reason)));
    const interrupt = (): void => {
      if (id !== undefined) client.call({ op: "exec-signal", exec: id, signal: "SIGINT" }).catch(reject);
    };
    process.on("SIGINT", interrupt);
    if (options.timeoutSeconds !== undefined)
      setTimeout(() => {
        timedOut = true;
        interrupt();
        say(`quorate: no end after ${options.timeoutSeconds} s; interrupted`);
        // The interrupted command may still say something; one that cannot be interrupted is left behind.
        setTimeout(() => resolve(labFailed), interruptGraceMs);
      }, options.timeoutSeconds * 1000);
    client.call({ op: "exec", node: options.node, line: options.line, noWait: options.noWait }).then((reply) => {
      id = reply.exec;
      const exec = reply.exec;
      for (const event of early) handle(event);
      forwardInput((data) => {
        client.call({ op: "exec-input", exec, data }).catch(() => {
          // The command has ended: what it did not read is nobody's.
          process.stdin.pause();
        });
      });
    }, reject);
  });
}

/** On the caller's terminal: the node's console, or one line of it on a pty. */
async function runInteractive(client: LabClient, options: ExecOptions): Promise<number> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) throw usage("exec -i needs a terminal on stdin and stdout; leave -i out for pipes");
  const size = (): { cols: number; rows: number } => ({ cols: process.stdout.columns || 80, rows: process.stdout.rows || 24 });
  const line = options.line.trim() === "" ? {} : { line: options.line };
  const early: LabEvent[] = [];
  let id: string | undefined;
  try {
    return await new Promise<number>((resolve, reject) => {
      const handle = (event: LabEvent): void => {
        if (event.event === "terminal-data" && event.terminal === id) process.stdout.write(event.data);
        if (event.event === "terminal-exit" && event.terminal === id) resolve(event.status);
      };
      client.onEvent((event) => (id === undefined ? early.push(event) : handle(event)));
      void client.closed.then((reason) => reject(new Trouble("lab", reason)));
      client.call({ op: "terminal-open", node: options.node, ...size(), ...line }).then(({ terminal }) => {
        id = terminal;
        for (const event of early) handle(event);
        process.stdin.setRawMode(true);
        process.stdin.on("data", (bytes: Buffer) => {
          client.call({ op: "terminal-write", terminal, data: bytes.toString("utf8") }).catch(reject);
        });
        process.stdout.on("resize", () => {
          client.call({ op: "terminal-resize", terminal, ...size() }).catch(reject);
        });
      }, reject);
    });
  } finally {
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
  }
}

/** Why the node is as it is, on stderr: as the page's cards have it. */
async function explain(client: LabClient, node: string): Promise<void> {
  const { why } = await client.call({ op: "snapshot" });
  const text = why.filter(
    ({ nodes, clauses }) => nodes.includes(node) || clauses.some(({ refs }) => refs.some((ref) => ref.node === node)),
  );
  await write(process.stderr, text.map(cardText).join(""));
}

/** Runs `quorate exec ARGS…` and returns its exit status. */
export async function exec(args: readonly string[], lab: string | undefined): Promise<number> {
  try {
    const options = parseExec(args, lab);
    const client = await connectLab(labDir(options.lab));
    const status = await (options.interactive ? runInteractive(client, options) : runPlain(client, options));
    if (options.explain) await explain(client, options.node);
    return status;
  } catch (error) {
    return report(error, labFailed);
  }
}
