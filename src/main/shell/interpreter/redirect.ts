/** Redirections: the table of open files a command runs with. */
import type { Redirect, Redirection } from "unbash";
import { FileError, errnoText, resolvePath } from "../files.ts";
import type { OpenFile } from "../streams.ts";
import { fromBytes, nodeFile, nullFile } from "../streams.ts";
import type { Expander } from "./expand.ts";
import { openInput } from "./program.ts";
import type { Context, Descriptors } from "./shell.ts";
import { ShellError } from "./shell.ts";

export interface Redirected {
  readonly fds: Descriptors;
  /** Opened here, to be released when the command ends. */
  readonly opened: OpenFile[];
}

const encoder = new TextEncoder();

/** @throws ShellError; what was opened before is released then */
export async function redirect(expander: Expander, ctx: Context, redirections: readonly Redirection[]): Promise<Redirected> {
  if (redirections.length === 0) return { fds: ctx.fds, opened: [] };
  const fds = new Map(ctx.fds);
  const opened: OpenFile[] = [];
  try {
    for (const redirection of redirections) await one(expander, { ...ctx, fds }, redirection, fds, opened);
  } catch (error) {
    await releaseAll(opened);
    throw error;
  }
  return { fds, opened };
}

export async function releaseAll(files: readonly OpenFile[]): Promise<void> {
  for (const file of files) await file.release();
}

async function one(expander: Expander, ctx: Context, redirection: Redirection, fds: Descriptors, opened: OpenFile[]): Promise<void> {
  const keep = (file: OpenFile): OpenFile => {
    opened.push(file);
    return file;
  };
  if (redirection.type === "HereDoc") {
    const stripped = redirection.operator === "<<-";
    const text = redirection.body.parts
      ? await expander.document(ctx, redirection.body.parts, stripped)
      : redirection.body.text.replace(stripped ? /^\t+/gm : /(?!)/, "");
    fds.set(numberOf(redirection.descriptor, 0), keep(fromBytes(encoder.encode(text))));
    return;
  }
  const target = redirection.target;
  if (!target) throw new ShellError("syntax error: redirection without a target", 2);
  if (redirection.type === "HereString") {
    fds.set(numberOf(redirection.descriptor, 0), keep(fromBytes(encoder.encode(`${await expander.text(ctx, target)}\n`))));
    return;
  }
  const words = await expander.fields(ctx, [target]);
  const path = words[0];
  if (words.length !== 1 || path === undefined) throw new ShellError(`${target.text}: ambiguous redirect`);
  await toFile(ctx, redirection, path, fds, keep);
}

function numberOf(descriptor: Redirect["descriptor"], otherwise: number): number {
  if (descriptor?.type === "FileDescriptorVariable")
    throw new ShellError(`{${descriptor.name}}: redirection to a named descriptor is not modelled`);
  return descriptor?.value ?? otherwise;
}

async function toFile(
  ctx: Context,
  redirection: Redirect,
  path: string,
  fds: Descriptors,
  keep: (file: OpenFile) => OpenFile,
): Promise<void> {
  const operator = redirection.operator;
  if (operator === "<&" || (operator === ">&" && (/^\d+-?$/.test(path) || path === "-"))) {
    duplicate(numberOf(redirection.descriptor, operator === "<&" ? 0 : 1), path, fds);
    return;
  }
  try {
    if (operator === "<" || operator === "<>") {
      fds.set(numberOf(redirection.descriptor, 0), keep(await openInput(ctx, path)));
      return;
    }
    const file = keep(await openOutput(ctx, path, operator === ">>" || operator === "&>>", operator === ">"));
    if (operator === "&>" || operator === "&>>" || operator === ">&") {
      fds.set(1, file);
      fds.set(2, file);
    } else fds.set(numberOf(redirection.descriptor, 1), file);
  } catch (error) {
    if (error instanceof FileError) throw new ShellError(`${path}: ${error.message}`);
    throw error;
  }
}

function duplicate(number: number, source: string, fds: Descriptors): void {
  if (source === "-") {
    fds.delete(number);
    return;
  }
  const from = Number.parseInt(source, 10);
  const file = fds.get(from);
  if (!file) throw new ShellError(`${source}: Bad file descriptor`);
  fds.set(number, file);
  if (source.endsWith("-")) fds.delete(from);
}

/** @throws FileError */
export async function openOutput(ctx: Context, path: string, append: boolean, clobber = false): Promise<OpenFile> {
  const number = path === "/dev/stdout" ? "1" : path === "/dev/stderr" ? "2" : /^\/dev\/fd\/(\d+)$/.exec(path)?.[1];
  if (number !== undefined) {
    const file = ctx.fds.get(Number(number));
    if (!file) throw new FileError("ENOENT");
    return file.retain();
  }
  if (path === "/dev/tty") return openInput(ctx, path);
  if (path === "") throw new FileError("ENOENT");
  const resolved = resolvePath(ctx.shell.cwd, path);
  if (resolved === "/dev/null" || resolved === "/dev/zero") return nullFile();
  if (path.endsWith("/")) throw new FileError("EISDIR");
  const files = ctx.shell.files;
  const target = await files.writable(resolved);
  if (clobber && ctx.shell.options.noclobber && (await files.maybeStat(target))?.size)
    throw new ShellError(`${path}: cannot overwrite existing file`);
  await files.act({ kind: "file-write", path: target, data: new Uint8Array(0), append });
  return nodeFile(ctx.shell.system, target, errnoText);
}
