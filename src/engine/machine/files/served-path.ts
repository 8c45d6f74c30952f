/**
 * The rest of a path inside a served file system: each name is a question to the process that serves it. In the real stack: FUSE's lookups as libfuse's high-level interface
 * shows them, a getattr a name. Left out: the kernel's cache of names and attributes (1 s with libfuse), so that a change is seen at once.
 *
 * A call that has to ask is a generator: it yields what it needs, from the server or from the machine, and is given the answer, which is plain data. What a call has done so
 * far is therefore its list of answers.
 */
import {
  FILE_SYMLINKS_MAX,
  type DirEntry,
  type Errno,
  type FileCall,
  type FileReply,
  type OpenFlags,
  type ServedAttr,
  type ServedReply,
  type ServedRequest,
} from "../../kernel/index.ts";
import type { Description } from "./views.ts";
import { namesOf, type Follow, type Point } from "./walk.ts";

/** What every call on a served mount gets once the process that served it has ended: "Transport endpoint is not connected". */
export const NOT_CONNECTED: ServedReply = { ok: false, errno: "ENOTCONN" };

/** What a call needs next. All but "serve" is answered at once, by the machine itself. */
export type Step =
  | { readonly step: "serve"; readonly mount: number; readonly request: ServedRequest }
  /** Where a path leads as far as the machine's own file systems go. */
  | { readonly step: "walk"; readonly path: string; readonly follow: Follow; readonly links: number }
  /** The whole call, on a path that turned out to be the machine's own. */
  | { readonly step: "local"; readonly call: FileCall; readonly links: number }
  /** The directory in which a mount is, the mount point itself, what statfs says of it. */
  | { readonly step: "above" | "mount point" | "mount facts"; readonly mount: number }
  | { readonly step: "describe"; readonly fd: number }
  | { readonly step: "umask" | "free descriptor" }
  | {
      readonly step: "install";
      readonly mount: number;
      readonly inside: readonly string[];
      readonly flags: OpenFlags;
      readonly directory: boolean;
      readonly handle: number;
    }
  | { readonly step: "offset"; readonly id: number; readonly offset: number }
  | { readonly step: "chdir"; readonly mount: number; readonly inside: readonly string[] }
  | { readonly step: "renamed"; readonly mount: number; readonly from: readonly string[]; readonly to: readonly string[] };

export type Answer = Point | FileReply | ServedReply | Description | { readonly errno: Errno } | { readonly local: true };

export type Asking<T> = Generator<Step, T, Answer>;

/** A path in a served file system. `attr`: of what is there, undefined where nothing is. */
export interface Inside {
  readonly mount: number;
  readonly names: readonly string[];
  readonly last: "name" | "dot" | "dotdot" | "root";
  readonly slash: boolean;
  readonly attr: ServedAttr | undefined;
}

/** A path that leads to the machine's own file systems after all. */
export interface Outside {
  readonly outside: string;
  readonly links: number;
}

/** Linux: FUSE_NAME_MAX. */
const FUSE_NAME_MAX = 1024;

export const pathIn = (names: readonly string[]): string => `/${names.join("/")}`;

export function* serve(mount: number, request: ServedRequest): Asking<ServedReply> {
  return (yield { step: "serve", mount, request }) as ServedReply;
}

export function* locate(path: string, follow: Follow): Asking<Inside | Outside | Errno> {
  let [here, links] = [path, 0];
  for (;;) {
    const answer = yield { step: "walk", path: here, follow, links };
    if ("errno" in answer) return answer.errno;
    if ("local" in answer) return { outside: here, links };
    const ended = yield* within(answer as Point, follow);
    if (typeof ended === "string" || !("outside" in ended)) return ended;
    [here, links] = [ended.outside, ended.links];
  }
}

function* attributesOf(mount: number, names: readonly string[]): Asking<ServedAttr | Errno> {
  const reply = yield* serve(mount, { op: "getattr", path: pathIn(names) });
  if (!reply.ok) return reply.errno;
  return reply.value === "attr" ? reply.attr : "EIO";
}

function* within(point: Point, follow: Follow): Asking<Inside | Outside | Errno> {
  const mount = point.point;
  const names = [...point.inside];
  let [todo, slash, links] = [[...point.rest], point.slash, point.links];
  let last: Inside["last"] = "root";
  const leave = (path: string): Outside => ({ outside: slash && !path.endsWith("/") ? `${path}/` : path, links });
  for (let name = todo.shift(); name !== undefined; name = todo.shift()) {
    last = name === "." ? "dot" : name === ".." ? "dotdot" : "name";
    if (last === "dot") continue;
    if (last === "dotdot") {
      if (names.pop() !== undefined) continue;
      const above = (yield { step: "above", mount }) as FileReply;
      return above.ok && above.value === "path" ? leave([above.path === "/" ? "" : above.path, ...todo].join("/") || "/") : "ENOENT";
    }
    if (name.length > FUSE_NAME_MAX) return "ENAMETOOLONG";
    const isLast = todo.length === 0;
    if (isLast && slash && follow === "create") return { mount, names: [...names, name], last, slash, attr: undefined };
    const attr = yield* attributesOf(mount, [...names, name]);
    if (attr === "ENOENT" && isLast) return { mount, names: [...names, name], last, slash, attr: undefined };
    if (typeof attr === "string") return attr;
    if (attr.type === "symlink" && (!isLast || (follow !== "parent" && (follow !== "nofollow" || slash)))) {
      if (++links > FILE_SYMLINKS_MAX) return "ELOOP";
      const reply = yield* serve(mount, { op: "readlink", path: pathIn([...names, name]) });
      if (!reply.ok) return reply.errno;
      if (reply.value !== "target" || reply.target === "") return "EIO";
      const { target } = reply;
      if (isLast && target.endsWith("/")) slash = true;
      if (target.startsWith("/")) return leave([target, ...todo].join("/"));
      todo = [...namesOf(target), ...todo];
      continue;
    }
    if (isLast && slash && follow !== "parent" && attr.type !== "directory") return "ENOTDIR";
    if (!isLast && attr.type !== "directory") return "ENOTDIR";
    names.push(name);
    if (isLast) return { mount, names, last, slash, attr };
  }
  const attr = yield* attributesOf(mount, names);
  return typeof attr === "string" ? attr : { mount, names, last, slash: false, attr };
}

/** Served files have no number of their own; the same path has the same. */
export function numberOf(names: readonly string[]): number {
  let n = 1;
  for (const name of names) for (let i = 0; i <= name.length; i++) n = (Math.imul(n, 31) + (name.charCodeAt(i) || 47)) & 0x7fffffff;
  return n;
}

export function entriesReply(names: readonly string[], reply: ServedReply): FileReply {
  if (!reply.ok) return reply;
  if (reply.value !== "entries") return { ok: false, errno: "EIO" };
  const entries: DirEntry[] = reply.entries.map(({ name, type }) => ({ name, type, ino: numberOf([...names, name]) }));
  return { ok: true, value: "entries", entries };
}
