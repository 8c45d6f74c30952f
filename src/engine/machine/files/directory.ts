/**
 * The entries of one directory: sorted by name (UTF-16 units) in pages, of which a change copies one. In the real stack: the blocks of a directory, whose order ext4 takes
 * from a hash of the name and tmpfs from the age; here it is the name. Plain data, shared by whoever has it.
 */
export interface Entry {
  readonly name: string;
  readonly ino: number;
}

export type Directory = readonly (readonly Entry[])[];

const PAGE_ENTRIES_MAX = 64;

export const NO_ENTRIES: Directory = [];

/** The page in which `name` is or belongs. */
function pageOf(dir: Directory, name: string): number {
  let [low, high] = [0, dir.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((dir[middle]?.[0]?.name ?? "") <= name) low = middle;
    else high = middle - 1;
  }
  return low;
}

function placeIn(page: readonly Entry[], name: string): number {
  let [low, high] = [0, page.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((page[middle]?.name ?? "") < name) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function entryIn(dir: Directory, name: string): number | undefined {
  const page = dir[pageOf(dir, name)];
  if (page === undefined) return undefined;
  const entry = page[placeIn(page, name)];
  return entry?.name === name ? entry.ino : undefined;
}

/** With the entry at `name`; undefined takes it away. */
export function withEntry(dir: Directory, name: string, ino: number | undefined): Directory {
  const number = pageOf(dir, name);
  const page = dir[number] ?? [];
  const at = placeIn(page, name);
  const there = page[at]?.name === name ? 1 : 0;
  const added = ino === undefined ? [] : [{ name, ino }];
  const next = page.toSpliced(at, there, ...added);
  const half = next.length >> 1;
  const pages = next.length > PAGE_ENTRIES_MAX ? [next.slice(0, half), next.slice(half)] : next.length === 0 ? [] : [next];
  return dir.toSpliced(number, dir.length === 0 ? 0 : 1, ...pages);
}

export function entriesOf(dir: Directory): Entry[] {
  return dir.flat();
}
