/** diff: compares two files, or a file and the one of its name in a directory; normal, unified, side by side, or only whether they differ. */
import { errnoText, FileError } from "../files.ts";
import type { Parsed, Program, Run } from "../interpreter/program.ts";
import { parseOptions, UsageError } from "../interpreter/program.ts";
import { changes, type Hunk } from "./changes.ts";
import { strftime } from "./clock.ts";
import { normal, sideBySide, unified, type Lines } from "./diff-formats.ts";

const CONTEXT_LINES = 3;
const SIDE_COLUMNS = 130;
const TRY = "\ndiff: Try 'diff --help' for more information.";

interface Input {
  path: string;
  /** One character a byte. */
  text: string;
  /** Of the last change, µs since 1970; of what is no file of the node: now. */
  mtime: number;
}

function optionsOf(run: Run): Parsed {
  const args = run.args.map((arg) => arg.replace(/^(?:-u|--unified=)(\d+)$/, "-U$1"));
  try {
    return parseOptions(args, {
      // What has no letter of its own stands under a sign that nobody types.
      flags: "uqsyNawbBir()",
      values: "ULW",
      long: {
        unified: "u",
        brief: "q",
        "report-identical-files": "s",
        "side-by-side": "y",
        "new-file": "N",
        text: "a",
        "ignore-all-space": "w",
        "ignore-space-change": "b",
        "ignore-blank-lines": "B",
        "ignore-case": "i",
        recursive: "r",
        label: "L",
        width: "W",
        "left-column": "(",
        "suppress-common-lines": ")",
      },
    });
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(error.message + TRY, 2) : error;
  }
}

function number(options: Parsed, letter: string, what: string, otherwise: number): number {
  const text = options.value(letter);
  if (text !== undefined && !/^\d+$/.test(text)) throw new UsageError(`invalid ${what} '${text}'${TRY}`, 2);
  return text === undefined ? otherwise : Number(text);
}

/** @throws FileError */
async function input(run: Run, path: string): Promise<Input> {
  const text = Buffer.from(await run.bytes(path)).toString("latin1");
  const stat = path === "-" ? undefined : await run.files.maybeStat(run.path(path));
  const now = await run.system.now();
  return { path, text, mtime: now.epoch + (stat?.mtime ?? now.instant) };
}

/** A directory stands for the file in it that has the other operand's name. */
async function operands(run: Run, paths: readonly string[]): Promise<[string, string]> {
  const [left, right, extra] = paths;
  if (left === undefined || right === undefined) throw new UsageError(`missing operand after '${left ?? run.name}'${TRY}`, 2);
  if (extra !== undefined) throw new UsageError(`extra operand '${extra}'${TRY}`, 2);
  const typeOf = async (path: string): Promise<string | undefined> =>
    path === "-" || path.startsWith("/dev/") ? "stream" : (await run.files.maybeStat(run.path(path)))?.type;
  const [leftType, rightType] = [await typeOf(left), await typeOf(right)];
  const [leftIs, rightIs] = [leftType === "directory", rightType === "directory"];
  for (const [path, type] of [
    [left, leftType],
    [right, rightType],
  ] as const)
    if (type === undefined && (leftIs || rightIs)) throw new UsageError(`${path}: ${errnoText("ENOENT")}`, 2);
  if (leftIs && rightIs) throw new UsageError("comparing two directories is not modelled in this lab", 2);
  const within = (directory: string, file: string): string => `${directory.replace(/\/$/, "")}/${file.split("/").at(-1) ?? file}`;
  return [leftIs ? within(left, right) : left, rightIs ? within(right, left) : right];
}

function linesOf(text: string): Lines {
  const lines = text.split("\n");
  const cut = lines.at(-1) !== "";
  if (!cut) lines.pop();
  return { lines, cut };
}

/** What of each line is compared. Blanks are the C locale's, for a character is a byte. */
function keysOf(file: Lines, options: Parsed): string[] {
  const space = options.has("w") || options.has("b");
  const keys = file.lines.map((line) => {
    let key = line;
    if (options.has("w")) key = key.replace(/[ \t\v\f\r]+/g, "");
    else if (options.has("b")) key = key.replace(/[ \t\v\f\r]+$/, "").replace(/[ \t\v\f\r]+/g, " ");
    return options.has("i") ? key.replace(/[A-Z]+/g, (flags) => flags.toLowerCase()) : key;
  });
  // A last line without a newline differs from the same line with one.
  if (file.cut && !space) keys.push(`${keys.pop() ?? ""}\n`);
  return keys;
}

/** A name with blanks or quotes stands in quotes. */
const quoted = (path: string): string => (/[\s"\\]/.test(path) ? `"${path.replace(/["\\]/g, "\\$&")}"` : path);

function header(sign: string, file: Input, label: string | undefined): string {
  const text = label ?? `${quoted(file.path)}\t${strftime("%Y-%m-%d %H:%M:%S.%N +0000", file.mtime)}`;
  return Buffer.from(`${sign} ${text}\n`, "utf8").toString("latin1");
}

function compare(options: Parsed, left: Input, right: Input): { differ: boolean; out: string } {
  const context = number(options, "U", "context length", CONTEXT_LINES);
  const asUnified = options.has("u") || options.value("U") !== undefined;
  const [a, b] = [linesOf(left.text), linesOf(right.text)];
  const hunks = changes(keysOf(a, options), keysOf(b, options), asUnified ? context : 0);
  const blank = (file: Lines, from: number, count: number): boolean => file.lines.slice(from, from + count).every((line) => line === "");
  const ignored = (hunk: Hunk): boolean => options.has("B") && blank(a, hunk.a, hunk.aCount) && blank(b, hunk.b, hunk.bCount);
  const shown = hunks.filter((hunk) => !ignored(hunk));
  const differ = shown.length > 0;
  if (options.has("y")) {
    const columns = { leftOnly: options.has("("), changedOnly: options.has(")"), width: number(options, "W", "width", SIDE_COLUMNS) };
    return { differ, out: sideBySide(hunks, a, b, columns) };
  }
  if (!asUnified) return { differ, out: normal(shown, a, b) };
  const labels = options.all("L");
  const heads = header("---", left, labels[0]) + header("+++", right, labels[1]);
  return { differ, out: differ ? heads + unified(hunks, a, b, context, ignored) : "" };
}

/** Says what cannot be read. `absentIsEmpty`: a file that is not there counts as empty, if the other is there. */
async function readBoth(run: Run, paths: readonly [string, string], absentIsEmpty: boolean): Promise<[Input, Input] | undefined> {
  const inputs: Input[] = [];
  const wrong: string[] = [];
  for (const path of paths) {
    try {
      // Standard input named twice is read once.
      inputs.push(path === inputs[0]?.path ? inputs[0] : await input(run, path));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      wrong.push(`${path}: ${error.message}`);
      inputs.push({ path, text: "", mtime: 0 });
    }
  }
  const enough = absentIsEmpty && wrong.length === 1 && wrong[0]?.endsWith(`: ${errnoText("ENOENT")}`);
  if (!enough) for (const message of wrong) await run.fail(message);
  const [left, right] = inputs;
  return left && right && (enough || wrong.length === 0) ? [left, right] : undefined;
}

export const diff: Program = async (run) => {
  const options = optionsOf(run);
  if (options.has("y") && (options.has("u") || options.value("U") !== undefined))
    throw new UsageError(`conflicting output style options${TRY}`, 2);
  if (options.all("L").length > 2) throw new UsageError("too many file label options", 2);
  if (options.has("r")) throw new UsageError("-r is not modelled in this lab", 2);
  const paths = await operands(run, options.operands);
  const inputs = await readBoth(run, paths, options.has("N"));
  if (inputs === undefined) return 2;
  const [left, right] = inputs;
  const labels = options.all("L");
  const names = `${labels[0] ?? left.path} and ${labels[1] ?? right.path}`;
  const binary = !options.has("a") && (left.text.includes("\0") || right.text.includes("\0"));
  const { differ, out } = binary ? { differ: left.text !== right.text, out: "" } : compare(options, left, right);
  if (differ && options.has("q")) await run.out(`Files ${names} differ\n`);
  else if (differ && binary) await run.out(`Binary files ${names} differ\n`);
  else if (!options.has("q")) await run.out(Buffer.from(out, "latin1"));
  if (!differ && options.has("s")) await run.out(`Files ${names} are identical\n`);
  return differ ? 1 : 0;
};
