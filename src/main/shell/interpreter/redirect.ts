/** Redirections: the table of open files a command runs with. */
import type { Redirect, Redirection } from "unbash";
import { encode } from "../bytes.ts";
import { FileError, resolvePath } from "../files.ts";
import type { OpenFile } from "../streams.ts";
import { fromBytes, nodeDescriptor, nullFile } from "../streams.ts";
import type { Expander } from "./expand.ts";
import { openInput } from "./program.ts";
import type { Context, Descriptors } from "./shell.ts";
import { filesOf, ShellError } from "./shell.ts";

export interface Redirected {
  readonly fds: Descriptors;
  /** Opened here, to be released when the command ends. */
  readonly opened: OpenFile[];
}

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

/** All of them; the first error is told. @throws StreamError */
export async function releaseAll(files: readonly OpenFile[]): Promise<void> {
  const results = await Promise.allSettled(files.map((file) => file.release()));
  for (const result of results) if (result.status === "rejected") throw result.reason;
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
    fds.set(numberOf(redirection.descriptor, 0), keep(fromBytes(encode(text))));
    return;
  }
  const target = redirection.target;
  if (!target) throw new ShellError("syntax error: redirection without a target", 2);
  if (redirection.type === "HereString") {
    fds.set(numberOf(redirection.descriptor, 0), keep(fromBytes(encode(`${await expander.text(ctx, target)}\n`))));
    return;
  }
  const before = new Set(fds.keys());
  let ends: [number, OpenFile][] = [];
  try {
    const tokens = await expander.fields(ctx, [target]).finally(() => (ends = [...fds].filter(([number]) => !before.has(number))));
    const path = tokens[0];
    if (tokens.length !== 1 || path === undefined) throw new ShellError(`${target.text}: ambiguous redirect`);
    await toFile(ctx, redirection, path, fds, keep);
  } finally {
    // The end of a process substitution is open where it was redirected to, and nowhere else: the process there waits for its end.
    for (const [number, file] of ends) {
      fds.delete(number);
      await file.release();
    }
  }
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
      fds.set(numberOf(redirection.descriptor, 0), keep(await (operator === "<" ? openInput(ctx, path) : openBoth(ctx, path))));
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
  const files = filesOf(ctx);
  const flags = { access: "w", create: true, ...(append ? { append } : { truncate: true }) } as const;
  if (!clobber || !ctx.shell.options.noclobber) return nodeDescriptor(files, await files.open(resolved, flags));
  // As bash does it: a regular file that is there is refused, one that comes meanwhile as well; what is no regular file is written to.
  const found = await files.maybeStat(resolved);
  if (found && found.type !== "file") return nodeDescriptor(files, await files.open(resolved, flags));
  const fd = found ? undefined : await files.open(resolved, { access: "w", create: true, exclusive: true }).catch(existing);
  if (fd === undefined) throw new ShellError(`${path}: cannot overwrite existing file`);
  return nodeDescriptor(files, fd);
}

function existing(error: unknown): undefined {
  if (error instanceof FileError && error.errno === "EEXIST") return undefined;
  throw error;
}

/** `<>`: reading and writing, from the beginning; made where it is not there. @throws FileError */
async function openBoth(ctx: Context, path: string): Promise<OpenFile> {
  if (/^\/dev\/(?:fd\/|std|tty|null|zero)/.test(path) || path === "") return openInput(ctx, path);
  const files = filesOf(ctx);
  return nodeDescriptor(files, await files.open(resolvePath(ctx.shell.cwd, path), { access: "rw", create: true }));
}

/** Makes a table that owns its files the same as `fds`, which borrows some of them: what is new in it is held, what it had there is let go. */
export async function adopt(own: Descriptors, fds: Descriptors): Promise<void> {
  const replaced = [...own].filter(([number, file]) => fds.get(number) !== file);
  // Held before anything is let go: what takes another one's place may be the same under another number.
  for (const [number, file] of fds) if (own.get(number) !== file) own.set(number, file.retain());
  for (const [number] of replaced) if (!fds.has(number)) own.delete(number);
  await releaseAll(replaced.map(([, file]) => file));
}

/** A process that has one command to run is redirected itself: what it had open there is held no longer. */
export async function redirectProcess(ctx: Context, fds: Descriptors): Promise<void> {
  if (ctx.last === true && ctx.process?.fds === ctx.fds) await adopt(ctx.fds, fds);
}
