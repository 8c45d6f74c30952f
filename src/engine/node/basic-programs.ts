/**
 * What a person's own unit files run most: true, false, sleep, echo, and sh on simple command lines. In the real stack: coreutils and dash. Left out, and said on standard error with status 127 or 2:
 * every other program, and of the shell all but quotes, `;`, `&&`, `||`, line ends, comments, exit, and the output of echo to a file (`>`, `>>`).
 */
import {
  ToolProgram,
  contents,
  file,
  print,
  run,
  sleep,
  type Again,
  type ToolAnswer,
  type ToolAsk,
  type ToolPart,
} from "../command/index.ts";
import { SEC, exitStatus, fromUtf8, utf8, type ProgramMaker } from "../kernel/index.ts";
import { parseScript, type Simple } from "./simple-shell.ts";

type Body = (argv: readonly string[]) => Generator<ToolAsk, number | Again, ToolAnswer>;

/** Of one round of `sleep infinity`. */
const LONG_S = 86_400;
const UNIT_SECONDS: { readonly [suffix: string]: number } = { "": 1, s: 1, m: 60, h: 3600, d: 86_400 };

function* sleeping(argv: readonly string[]): Generator<ToolAsk, number | Again, ToolAnswer> {
  const [, ...times] = argv;
  if (times.length === 0) {
    yield* print("sleep: missing operand\nTry 'sleep --help' for more information.\n", "stderr");
    return 1;
  }
  let seconds = 0;
  for (const time of times) {
    const [, number = "", suffix = ""] = /^([0-9]*\.?[0-9]+|infinity)([smhd]?)$/.exec(time) ?? [];
    if (number === "") {
      yield* print(`sleep: invalid time interval '${time}'\nTry 'sleep --help' for more information.\n`, "stderr");
      return 1;
    }
    seconds += number === "infinity" ? Infinity : Number(number) * (UNIT_SECONDS[suffix] ?? 1);
  }
  yield* sleep(Math.round(Math.min(seconds, LONG_S) * SEC));
  return seconds > LONG_S ? { again: {} } : 0;
}

function* echo(argv: readonly string[]): ToolPart<number> {
  yield* print(echoed(argv.slice(1)));
  return 0;
}

function echoed(argv: readonly string[]): string {
  return argv[0] === "-n" ? argv.slice(1).join(" ") : `${argv.join(" ")}\n`;
}

// ── sh ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

function* shell(argv: readonly string[]): ToolPart<number> {
  const name = (argv[0] ?? "sh").replace(/^.*\//, "");
  const [, first = "", second] = argv;
  const text = first === "-c" ? second : yield* scriptText(first);
  if (text === undefined) {
    yield* print(first === "-c" ? `${name}: 0: -c requires an argument\n` : `${name}: 0: cannot open ${first}: No such file\n`, "stderr");
    return 2;
  }
  const script = parseScript(text);
  if (typeof script === "string") {
    yield* print(`${name}: ${script}: not modelled in this lab\n`, "stderr");
    return 2;
  }
  let status = 0;
  for (const { when, command } of script) {
    if ((when === "&&" && status !== 0) || (when === "||" && status === 0)) continue;
    if (command.argv[0] === "exit") return Number(command.argv[1] ?? status) & 0xff;
    status = yield* simple(command, name);
  }
  return status;
}

function* scriptText(path: string): ToolPart<string | undefined> {
  const read = yield* contents(path);
  return read.ok && read.value === "data" ? fromUtf8(read.data) : undefined;
}

function* simple({ argv, to }: Simple, name: string): ToolPart<number> {
  const [word = ""] = argv;
  if (to !== undefined) return yield* redirected(argv, to, name);
  if (word === "echo") return yield* echo(argv);
  if (word === "true" || word === ":") return 0;
  if (word === "false") return 1;
  const ended = yield* run(word.includes("/") ? argv : [`/usr/bin/${word}`, ...argv.slice(1)]);
  const other = ended ?? (word.includes("/") ? undefined : yield* run(argv));
  if (other !== undefined) return exitStatus(other);
  yield* print(`${name}: 1: ${word}: not modelled in this lab\n`, "stderr");
  return 127;
}

/** echo into a file. */
function* redirected(argv: readonly string[], to: NonNullable<Simple["to"]>, name: string): ToolPart<number> {
  if (argv[0] !== "echo") {
    yield* print(`${name}: 1: the output of ${argv[0] ?? ""} to a file: not modelled in this lab\n`, "stderr");
    return 2;
  }
  const flags = { access: "w", create: true, ...(to.append ? { append: true } : { truncate: true }) } as const;
  const opened = yield* file({ call: "open", path: to.path, flags, mode: 0o644 });
  if (!opened.ok || opened.value !== "fd") {
    yield* print(
      `${name}: 1: cannot create ${to.path}: ${opened.ok ? "" : opened.errno === "ENOENT" ? "Directory nonexistent" : opened.errno}\n`,
      "stderr",
    );
    return 2;
  }
  yield* file({ call: "write", fd: opened.fd, data: utf8(echoed(argv.slice(1))) });
  yield* file({ call: "close", fd: opened.fd });
  return 0;
}

function* always(status: number): ToolPart<number> {
  yield* print("");
  return status;
}

const PROGRAMS: { readonly [name: string]: Body } = {
  true: () => always(0),
  false: () => always(1),
  sleep: sleeping,
  echo,
  sh: shell,
  bash: shell,
  dash: shell,
};

/** The program of a command line whose first word is a path in /bin or /usr/bin; undefined where it is none of these. */
export function basicProgram(argv: readonly string[]): ProgramMaker | undefined {
  const name = /^\/(?:usr\/)?bin\/([a-z]+)$/.exec(argv[0] ?? "")?.[1] ?? "";
  const body = Object.hasOwn(PROGRAMS, name) ? PROGRAMS[name] : undefined;
  return body && ((os) => new ToolProgram({ name, body }, os));
}
