/**
 * Path resolution, path_resolution(7): from a path to the directory that holds its last name, and to what the name stands for, across mounts and symbolic links. In the real
 * stack: fs/namei.c. Where the path enters a served file system the walk stops and says where, as the rest takes that process's answers. Left out: permission to search (the
 * callers are root).
 */
import { FILE_NAME_BYTES_MAX, FILE_PATH_BYTES_MAX, FILE_SYMLINKS_MAX, utf8, type Errno } from "../../kernel/index.ts";
import type { MountTable, Place } from "./mounts.ts";

/** "parent": the last name is not looked behind; "create": neither where a slash follows it, as open with O_CREAT does not. */
export type Follow = "follow" | "nofollow" | "parent" | "create";

/** How a path ended. */
export interface Walked {
  readonly dir: Place;
  readonly name: string;
  readonly last: "name" | "dot" | "dotdot" | "root";
  /** A slash stood after the last name: it has to be a directory. */
  readonly slash: boolean;
  /** The entry itself, before anything mounted on it. */
  readonly ino: number | undefined;
  readonly place: Place | undefined;
}

/** Where a path enters a served file system. Plain data. */
export interface Point {
  readonly point: number;
  readonly inside: readonly string[];
  readonly rest: readonly string[];
  readonly slash: boolean;
  readonly links: number;
}

export function namesOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "");
}

/** Bytes of a text in UTF-8; most names are short and plain. */
export function bytesOf(text: string): number {
  return text.length * 3 <= FILE_NAME_BYTES_MAX ? text.length : utf8(text).length;
}

export function nameTooLong(name: string): boolean {
  return bytesOf(name) > FILE_NAME_BYTES_MAX;
}

/** A directory without a name: nothing can be found or made in it. */
export function isRemoved(table: MountTable, dir: Place): boolean {
  return table.attributes(dir)?.nlink === 0;
}

/** What no system call takes; realpath(3) is none and goes name by name. */
export function pathTooLong(path: string): boolean {
  return path.length * 3 >= FILE_PATH_BYTES_MAX && utf8(path).length >= FILE_PATH_BYTES_MAX;
}

export function isPoint(walked: Walked | Point): walked is Point {
  return "point" in walked;
}

const dead = (place: Place, last: "dot" | "dotdot" | "root"): Walked => ({
  dir: place,
  name: "",
  last,
  slash: false,
  ino: undefined,
  place,
});

/** Who resolves a path, and from where. */
export interface Walker {
  readonly cwd: Place;
  readonly uid: number;
}

/** fs.protected_symlinks: in a directory like /tmp the last link is followed only where it is the caller's own, or its directory's owner's. */
function mayFollow(table: MountTable, dir: Place, owner: number, uid: number): boolean {
  if (owner === uid) return true;
  const holder = table.attributes(dir);
  return holder === undefined || (holder.mode & 0o1002) !== 0o1002 || holder.uid === owner;
}

/** @param links symbolic links followed already on the way here */
export function walk(table: MountTable, who: Walker, path: string, follow: Follow, links = 0): Walked | Point | Errno {
  if (path === "") return "ENOENT";
  let [at, todo, slash, count] = [path.startsWith("/") ? table.root : who.cwd, namesOf(path), path.endsWith("/"), links];
  for (let i = 0; ; i++) {
    const name = todo[i];
    if (name === undefined) return enters(at) ?? dead(at, "root");
    const last = i === todo.length - 1;
    if (at.inside !== undefined && (at.inside.length > 0 || name !== "..")) {
      return { point: at.mount, inside: at.inside, rest: todo.slice(i), slash, links: count };
    }
    if (name === "." || name === "..") {
      if (name === "..") at = table.up(at);
      if (last) return enters(at) ?? dead(at, name === "." ? "dot" : "dotdot");
      continue;
    }
    if (last && slash && follow === "create") return { dir: at, name, last: "name", slash, ino: undefined, place: undefined };
    const found = enter(table, at, name, last && follow === "parent");
    if (typeof found === "string") return found;
    if (found === undefined) return last ? { dir: at, name, last: "name", slash, ino: undefined, place: undefined } : "ENOENT";
    const { type, target, ino } = found;
    if (type === "symlink" && (!last || (follow !== "parent" && (follow !== "nofollow" || slash)))) {
      if (++count > FILE_SYMLINKS_MAX) return "ELOOP";
      if (last && !mayFollow(table, at, found.uid, who.uid)) return "EACCES";
      if (target.startsWith("/")) at = table.root;
      if (last && target.endsWith("/")) slash = true;
      todo = [...namesOf(target), ...todo.slice(i + 1)];
      i = -1;
      continue;
    }
    const place = table.cross({ mount: at.mount, ino });
    if (last) return ended(at, name, slash, follow, ino, place, type, count);
    if (type !== "directory") return "ENOTDIR";
    at = place;
  }

  function enters(place: Place): Point | undefined {
    return place.inside === undefined || follow === "parent"
      ? undefined
      : { point: place.mount, inside: place.inside, rest: [], slash, links: count };
  }
}

interface Found {
  readonly ino: number;
  readonly type: string;
  readonly target: string;
  readonly uid: number;
}

function enter(table: MountTable, dir: Place, name: string, lastOfParent: boolean): Found | Errno | undefined {
  // Whoever asks for the parent looks at the last name itself.
  if (!lastOfParent && nameTooLong(name)) return isRemoved(table, dir) ? "ENOENT" : "ENAMETOOLONG";
  const ino = table.lookup(dir, name);
  if (ino === undefined) return undefined;
  const found = table.attributes({ mount: dir.mount, ino });
  return found === undefined ? undefined : { ino, type: found.type, target: found.target, uid: found.uid };
}

function ended(
  dir: Place,
  name: string,
  slash: boolean,
  follow: Follow,
  ino: number,
  place: Place,
  type: string,
  links: number,
): Walked | Point | Errno {
  if (follow !== "parent") {
    if (slash && type !== "directory") return "ENOTDIR";
    if (place.inside !== undefined) return { point: place.mount, inside: [], rest: [], slash, links };
  }
  return { dir, name, last: "name", slash, ino, place };
}
