/** read and mapfile: input into variables. */
import { Interrupted } from "../interrupt.ts";
import type { Program, Run } from "../interpreter/program.ts";
import { decode, encode } from "../bytes.ts";
import { parseOptions, UsageError } from "../interpreter/program.ts";
import { ShellError, STRING_MAX } from "../interpreter/shell.ts";
import { NAME } from "../interpreter/variables.ts";
import type { OpenFile } from "../streams.ts";

interface Line {
  text: string;
  ended: boolean;
}

async function readText(
  run: Run,
  file: OpenFile,
  interrupt: Run["interrupt"],
  options: { raw: boolean; silent: boolean; delimiter: string; count: number | undefined },
): Promise<Line> {
  if (options.silent && file.device.readSecret) {
    const secret = await file.device.readSecret(interrupt);
    return secret === null ? { text: "", ended: false } : { text: secret, ended: true };
  }
  if (options.count !== undefined) return readCount(run, file, interrupt, options.count);
  let text = "";
  for (;;) {
    const bytes = await file.readLine(interrupt, options.delimiter === "" ? 0 : options.delimiter.charCodeAt(0));
    if (bytes === null) return { text, ended: false };
    const line = decode(bytes);
    const ended = line.endsWith(options.delimiter === "" ? "\u0000" : options.delimiter);
    text += ended ? line.slice(0, -1) : line;
    if (text.length > STRING_MAX) throw new ShellError(`read: cannot allocate ${text.length} bytes`);
    if (!ended) return { text, ended: false };
    // an odd number of backslashes at the end joins the next line
    if (options.raw || !/(?:^|[^\\])(?:\\\\)*\\$/.test(text)) return { text, ended: true };
    text = text.slice(0, -1);
  }
}

async function readCount(run: Run, file: OpenFile, interrupt: Run["interrupt"], count: number): Promise<Line> {
  let text = "";
  while (text.length < count) {
    if (text.length > STRING_MAX) throw new ShellError(`read: cannot allocate ${text.length} bytes`);
    await run.system.step(interrupt);
    const chunk = await file.read(interrupt);
    if (chunk === null) return { text, ended: false };
    const decoded = decode(chunk);
    const newline = decoded.indexOf("\n");
    const take = Math.min(count - text.length, newline < 0 ? decoded.length : newline);
    text += decoded.slice(0, take);
    const used = newline === take ? take + 1 : take;
    file.unread(encode(decoded.slice(used)));
    if (newline === take) return { text, ended: true };
  }
  return { text, ended: true };
}

/** Cuts a line into as many fields as there are names; the last takes the rest. */
function assignTokens(run: Run, names: readonly string[], line: string, raw: boolean): void {
  const ifs = run.shell.get("IFS") ?? " \t\n";
  const white = [...ifs].filter((c) => " \t\n".includes(c));
  let rest = line;
  const trimStart = (text: string): string => {
    let at = 0;
    while (at < text.length && white.includes(text.charAt(at))) at++;
    return text.slice(at);
  };
  const plain = (text: string): string => (raw ? text : text.replace(/\\(.)/gs, "$1"));
  rest = trimStart(rest);
  for (const [index, name] of names.entries()) {
    if (index === names.length - 1) {
      let end = rest.length;
      while (end > 0 && white.includes(rest.charAt(end - 1))) end--;
      run.shell.set(name, plain(rest.slice(0, end)));
      return;
    }
    let at = 0;
    while (at < rest.length && !ifs.includes(rest.charAt(at))) at += !raw && rest[at] === "\\" ? 2 : 1;
    run.shell.set(name, plain(rest.slice(0, at)));
    rest = trimStart(rest.slice(at));
    if (rest !== "" && ifs.includes(rest.charAt(0)) && !white.includes(rest.charAt(0))) rest = trimStart(rest.slice(1));
  }
}

async function readBuiltin(run: Run): Promise<number> {
  let options;
  try {
    options = parseOptions(run.args, { flags: "rse", values: "ptndNua", status: 2, strict: true });
  } catch (error) {
    if (error instanceof UsageError)
      throw new ShellError(`read: ${error.message.replace(/invalid option -- '(.)'/, "-$1: invalid option")}`, 2);
    throw error;
  }
  const names = options.operands;
  for (const name of names) if (!NAME.test(name)) throw new ShellError(`read: \`${name}': not a valid identifier`);
  const file = run.ctx.fds.get(Number(options.value("u") ?? "0"));
  if (!file) throw new ShellError(`read: ${options.value("u") ?? "0"}: invalid file descriptor: Bad file descriptor`);
  const prompt = options.value("p");
  if (prompt !== undefined && file.tty) await run.err(prompt);
  const seconds = options.value("t");
  if (seconds !== undefined && !/^\d+(?:\.\d+)?$/.test(seconds)) throw new ShellError(`read: ${seconds}: invalid timeout specification`);
  const count = options.value("n") ?? options.value("N");
  const how = {
    raw: options.has("r"),
    silent: options.has("s"),
    delimiter: options.value("d") ?? "\n",
    count: count === undefined ? undefined : Number(count),
  };
  const line = seconds === undefined ? await readText(run, file, run.interrupt, how) : await withTimeout(run, file, Number(seconds), how);
  if (line === undefined) return 142;
  const array = options.value("a");
  if (array !== undefined)
    run.shell.vars.set(array, {
      value: line.text.split(/\s+/).filter((word) => word !== ""),
      exported: false,
      readonly: false,
      integer: false,
    });
  else if (names.length === 0) run.shell.set("REPLY", how.raw ? line.text : line.text.replace(/\\(.)/gs, "$1"));
  else assignTokens(run, names, line.text, how.raw);
  return line.ended ? 0 : 1;
}

/** @returns undefined when the time was up */
async function withTimeout(run: Run, file: OpenFile, seconds: number, how: Parameters<typeof readText>[3]): Promise<Line | undefined> {
  const { interrupt, done } = run.interrupt.child();
  const sleep = run.system.port.sleep(Math.round(seconds * 1_000_000));
  let over = false;
  const timer = run.system.wait(sleep.done).then(() => {
    over = true;
    interrupt.fire(14);
  });
  timer.catch(() => undefined);
  try {
    return await readText(run, file, interrupt, how);
  } catch (error) {
    if (error instanceof Interrupted && over && !run.interrupt.fired) return undefined;
    throw error;
  } finally {
    sleep.cancel();
    done();
  }
}

async function mapfile(run: Run): Promise<number> {
  const options = parseOptions(run.args, { flags: "t", values: "n", status: 2 });
  const name = options.operands[0] ?? "MAPFILE";
  if (!NAME.test(name)) throw new ShellError(`mapfile: \`${name}': not a valid identifier`);
  const list: string[] = [];
  let size = 0;
  for await (const line of run.lines(run.stdin)) {
    list.push(options.has("t") ? line : `${line}\n`);
    size += line.length + 1;
    if (size > STRING_MAX) throw new ShellError(`mapfile: cannot allocate ${size} bytes`);
  }
  run.shell.vars.set(name, { value: list, exported: false, readonly: false, integer: false });
  return 0;
}

export const read: [string, Program][] = [
  ["read", readBuiltin],
  ["mapfile", mapfile],
  ["readarray", mapfile],
];
