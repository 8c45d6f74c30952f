/** How a command ends: results on stdout, everything else on stderr, exit status 0, 1, 2 (255 for the lab's own failures under exec). */
import { Trouble } from "../lab/trouble.ts";

export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A result. stdout may be a pipe whose reader has gone: that ends the program quietly, as it ends any other. */
export function print(text: string): void {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, process.stdout.isTTY ? 2 : undefined));
}

/** Says what is going on when `work` takes longer than a second. */
export async function withProgress<T>(what: string, work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => say(`quorate: ${what} …`), 1000);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

/** The exit status for an error, after its one line went to stderr. `labStatus` is 255 for exec. */
export function report(error: unknown, labStatus = 1): number {
  if (error instanceof Trouble) {
    say(`quorate: ${error.message}`);
    return error.code === "usage" ? 2 : error.code === "lab" ? labStatus : 1;
  }
  // Not foreseen: the stack is what whoever mends it needs.
  say(`quorate: internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return labStatus;
}

/** A pipe closed by its reader is not an error of ours. */
export function quietPipes(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      process.exit(error.code === "EPIPE" ? 0 : 1);
    });
}
