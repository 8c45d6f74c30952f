/** less and more: pages on a terminal, a copy of the input elsewhere. */
import { Interrupt } from "../interrupt.ts";
import type { Program, Run } from "../interpreter/program.ts";
import { decode } from "../bytes.ts";
import { openInput } from "../interpreter/program.ts";
import { PatternFault, PatternLimit } from "../regex/fault.ts";
import { compilePattern, type Pattern } from "../regex/pattern.ts";
import type { OpenFile } from "../streams.ts";

const LINES_MAX = 500_000;

interface Page {
  lines: string[];
  top: number;
  search: Pattern | undefined;
  message: string;
}

async function load(run: Run, paths: readonly string[]): Promise<string[]> {
  const lines: string[] = [];
  for (const path of paths.length > 0 ? paths : ["-"]) {
    const text = decode(await run.bytes(path));
    lines.push(...text.replace(/\n$/, "").split("\n").slice(0, LINES_MAX));
  }
  return lines;
}

function draw(page: Page, cols: number, rows: number): string {
  const shown = page.lines.slice(page.top, page.top + rows - 1).map((line) => line.slice(0, cols));
  while (shown.length < rows - 1) shown.push("~");
  const end = page.top + rows - 1 >= page.lines.length;
  const status = page.message || (end ? "\u001b[7m(END)\u001b[0m" : ":");
  return `\u001b[H\u001b[2J${shown.join("\n")}\n${status}`;
}

async function ask(run: Run, terminal: OpenFile, sign: string): Promise<string> {
  let text = "";
  await run.out(`\r\u001b[K${sign}`);
  for (;;) {
    const key = await terminal.device.readKey?.(run.interrupt);
    if (key === null || key === undefined || key === "\r" || key === "\n") return text;
    if (key === "\u001b") return "";
    if (key === "\u007f" || key === "\b") text = text.slice(0, -1);
    else if (key >= " ") text += key;
    await run.out(`\r\u001b[K${sign}${text}`);
  }
}

/** One that is looked for too long is not there. */
function found(search: Pattern, line: string): boolean {
  try {
    return search.find(line) !== undefined;
  } catch (error) {
    if (error instanceof PatternLimit) return false;
    throw error;
  }
}

async function find(run: Run, page: Page, from: number, step: 1 | -1): Promise<void> {
  if (!page.search) return;
  for (let at = from; at >= 0 && at < page.lines.length; at += step) {
    await run.system.step(run.interrupt);
    if (found(page.search, page.lines[at] ?? "")) {
      page.top = at;
      return;
    }
  }
  page.message = "\u001b[7mPattern not found\u001b[0m";
}

/** @returns false when the pager ends */
async function press(run: Run, terminal: OpenFile, page: Page, key: string, rows: number): Promise<boolean> {
  const last = Math.max(0, page.lines.length - rows + 1);
  page.message = "";
  const to = (line: number): void => {
    page.top = Math.min(last, Math.max(0, line));
  };
  switch (key) {
    case "q":
    case "Q":
    case "\u0003":
      return false;
    case "j":
    case "\r":
    case "\n":
    case "\u001b[B":
      to(page.top + 1);
      break;
    case "k":
    case "y":
    case "\u001b[A":
      to(page.top - 1);
      break;
    case " ":
    case "f":
    case "\u0006":
    case "\u001b[6~":
      if (run.name === "more" && page.top >= last) return false;
      to(page.top + rows - 1);
      break;
    case "b":
    case "\u0002":
    case "\u001b[5~":
      to(page.top - rows + 1);
      break;
    case "d":
      to(page.top + Math.floor(rows / 2));
      break;
    case "u":
      to(page.top - Math.floor(rows / 2));
      break;
    case "g":
    case "<":
    case "\u001b[H":
      to(0);
      break;
    case "G":
    case ">":
    case "\u001b[F":
      to(last);
      break;
    case "/":
    case "?": {
      const text = await ask(run, terminal, key);
      try {
        if (text !== "") page.search = await compilePattern([text], { syntax: "extended", ignoreCase: true });
        await find(run, page, key === "/" ? page.top + 1 : page.top - 1, key === "/" ? 1 : -1);
      } catch (error) {
        if (!(error instanceof PatternFault)) throw error;
        page.message = "\u001b[7mInvalid pattern\u001b[0m";
      }
      break;
    }
    case "n":
      await find(run, page, page.top + 1, 1);
      break;
    case "N":
      await find(run, page, page.top - 1, -1);
      break;
  }
  return true;
}

export const pager: Program = async (run) => {
  const paths = run.args.filter((arg) => !/^[-+]/.test(arg) || arg === "-");
  if (paths.length === 0 && run.stdin.tty) return run.fail('missing filename ("less --help" for help)');
  const output = run.stdout;
  if (!output?.tty) {
    for (const path of paths.length > 0 ? paths : ["-"]) {
      const file = await run.open(path);
      try {
        for (let chunk = await file.read(run.interrupt); chunk !== null; chunk = await file.read(run.interrupt)) await run.out(chunk);
      } finally {
        await file.release();
      }
    }
    return 0;
  }
  const page: Page = { lines: await load(run, paths), top: 0, search: undefined, message: "" };
  const terminal = await openInput(run.ctx, "/dev/tty");
  await run.out("\u001b[?1049h");
  try {
    for (;;) {
      const { cols, rows } = output.device.size?.() ?? { cols: 80, rows: 24 };
      await run.out(draw(page, cols, rows));
      const key = await terminal.device.readKey?.(run.interrupt);
      if (key === null || key === undefined || !(await press(run, terminal, page, key, rows))) return 0;
    }
  } finally {
    await output.write("\u001b[?1049l", new Interrupt());
    await terminal.release();
  }
};
