/** echo and printf. */
import { unescape, whole } from "../escapes.ts";
import type { Program, Run } from "../interpreter/program.ts";
import { UsageError } from "../interpreter/program.ts";
import { ShellError, STRING_MAX } from "../interpreter/shell.ts";
import { NAME, quoteWithBackslashes } from "../interpreter/variables.ts";
import { strftime } from "../userland/clock.ts";

async function echo(run: Run): Promise<number> {
  let newline = true;
  let escapes = false;
  let at = 0;
  for (; /^-[neE]+$/.test(run.args[at] ?? ""); at++) {
    for (const letter of (run.args[at] ?? "").slice(1)) {
      if (letter === "n") newline = false;
      else escapes = letter === "e";
    }
  }
  let text = run.args.slice(at).join(" ");
  if (escapes) {
    const made = unescape(text, false);
    text = made.text;
    if (made.ended) newline = false;
  }
  await run.out(newline ? `${text}\n` : text);
  return 0;
}

interface State {
  args: readonly string[];
  at: number;
  status: number;
  warnings: string[];
}

function number(state: State, text: string | undefined): bigint {
  if (text === undefined || text === "") return 0n;
  if (/^["']/.test(text)) return BigInt(text.codePointAt(1) ?? 0);
  const m = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)(.*)$/s.exec(text);
  if (!m || m[3] !== "") {
    state.warnings.push(`printf: ${text}: invalid number`);
    state.status = 1;
  }
  if (!m) return 0n;
  const digits = m[2] ?? "0";
  const value = /^0\d/.test(digits) ? BigInt(`0o${digits.slice(1)}`) : BigInt(digits);
  return BigInt.asIntN(64, m[1] === "-" ? -value : value);
}

function float(state: State, text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  const value = Number(text);
  if (!Number.isNaN(value)) return value;
  state.warnings.push(`printf: ${text}: invalid number`);
  state.status = 1;
  return Number.parseFloat(text) || 0;
}

function pad(text: string, width: number, flags: string): string {
  if (text.length >= width) return text;
  if (flags.includes("-")) return text.padEnd(width);
  if (!flags.includes("0")) return text.padStart(width);
  const sign = /^[+-]/.exec(text)?.[0] ?? "";
  return sign + text.slice(sign.length).padStart(width - sign.length, "0");
}

function integer(value: bigint, conversion: string, flags: string, precision: number | undefined): string {
  if (conversion === "d" || conversion === "i") {
    const digits = (value < 0n ? -value : value).toString().padStart(precision ?? 1, "0");
    return (value < 0n ? "-" : flags.includes("+") ? "+" : flags.includes(" ") ? " " : "") + digits;
  }
  const unsigned = BigInt.asUintN(64, value);
  const digits = unsigned.toString(conversion === "o" ? 8 : conversion === "u" ? 10 : 16).padStart(precision ?? 1, "0");
  const prefix = flags.includes("#") && unsigned !== 0n ? (conversion === "o" ? "0" : conversion === "u" ? "" : "0x") : "";
  return conversion === "X" ? (prefix + digits).toUpperCase() : prefix + digits;
}

function floating(value: number, conversion: string, precision: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value < 0 ? "-inf" : "inf";
  const exponent = (text: string): string => text.replace(/e([+-])(\d)$/, "e$10$2");
  switch (conversion.toLowerCase()) {
    case "f":
      return value.toFixed(Math.min(precision, 100));
    case "e":
      return exponent(value.toExponential(Math.min(precision, 100)));
    default: {
      const short = value.toPrecision(Math.min(Math.max(precision, 1), 100));
      return short.includes("e") ? exponent(short.replace(/\.?0+e/, "e")) : short.includes(".") ? short.replace(/\.?0+$/, "") : short;
    }
  }
}

const CONVERSION = /%(?:%|([-+ 0#']*)(\*|\d+)?(?:\.(\*|-?\d+)?)?(?:\(([^)]*)\))?[hlLqjzt]*?([a-zA-Z]))/g;

async function formatOnce(run: Run, format: string, state: State): Promise<{ text: string; ended: boolean }> {
  let out = "";
  let last = 0;
  const next = (): string | undefined => state.args[state.at++];
  for (const m of format.matchAll(CONVERSION)) {
    out += unescape(format.slice(last, m.index), true).text;
    last = m.index + m[0].length;
    if (m[0] === "%%") {
      out += "%";
      continue;
    }
    let flags = m[1] ?? "";
    let width = m[2] === "*" ? Number(number(state, next())) : Number(m[2] ?? "0");
    if (width < 0) {
      flags += "-";
      width = -width;
    }
    const dot = /\.(?!.*\()/.test(m[0]);
    const precision = m[3] === "*" ? Number(number(state, next())) : dot ? Number(m[3] ?? "0") : undefined;
    if (width > 65_536 || (precision ?? 0) > 65_536) throw new ShellError("printf: field width too large");
    const conversion = m[5] ?? "";
    if (m[4] !== undefined && conversion === "T") {
      const now = await run.system.now();
      const seconds = next() ?? "-1";
      const micros = Number(seconds) < 0 ? now.epoch + now.instant : Number(seconds) * 1_000_000;
      out += pad(strftime(m[4] || "%H:%M:%S", micros), width, flags);
      continue;
    }
    if ("sbqc".includes(conversion)) {
      let text = next() ?? "";
      if (conversion === "b") {
        const made = unescape(text, false);
        if (made.ended) return { text: out + made.text, ended: true };
        text = made.text;
      } else if (conversion === "q") text = quoteWithBackslashes(text);
      else if (conversion === "c") text = text.charAt(0);
      if (precision !== undefined && precision >= 0) text = text.slice(0, precision);
      out += pad(text, width, flags.replaceAll("0", ""));
    } else if ("diouxX".includes(conversion)) {
      out += pad(
        integer(number(state, next()), conversion, flags, precision),
        width,
        precision === undefined ? flags : flags.replaceAll("0", ""),
      );
    } else if ("eEfFgG".includes(conversion)) {
      const value = float(state, next());
      const text = floating(value, conversion, precision ?? 6);
      out += pad(flags.includes("+") && value >= 0 ? `+${text}` : text, width, flags);
    } else throw new ShellError(`printf: \`${conversion}': invalid format character`);
  }
  return { text: out + unescape(format.slice(last), true).text, ended: false };
}

async function printf(run: Run): Promise<number> {
  const args = [...run.args];
  let target: string | undefined;
  if (args[0] === "-v") {
    target = args[1];
    if (target === undefined || !NAME.test(target)) throw new ShellError(`printf: \`${target ?? ""}': not a valid identifier`, 2);
    args.splice(0, 2);
  }
  if (args[0] === "--") args.shift();
  const format = args.shift();
  if (format === undefined) throw new UsageError("usage: printf [-v var] format [arguments]", 2);
  const state: State = { args, at: 0, status: 0, warnings: [] };
  let text = "";
  do {
    const before = state.at;
    const made = await formatOnce(run, format, state);
    text += made.text;
    if (text.length > STRING_MAX) throw new ShellError("printf: output too large");
    await run.system.step(run.interrupt);
    if (made.ended || state.at === before) break;
  } while (state.at < args.length);
  for (const warning of state.warnings) await run.err(`bash: ${warning}\n`);
  if (target === undefined) await run.out(text);
  else run.shell.set(target, whole(text));
  return state.status;
}

export const output: [string, Program][] = [
  ["echo", echo],
  ["printf", printf],
];
