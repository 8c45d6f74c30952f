/**
 * What a start of the application asks for: a lab by its directory (`--lab DIR`), by a link (`quorate://lab/DIR`, with DIR as one part of a path, percent-encoded), by a file that
 * describes one (`.quorate`: a lab file), or none, which is the person's own. A link comes from anywhere, so it names only labs that are on the list already.
 */
import { extname, resolve } from "node:path";
import { z } from "zod";

export const SCHEME = "quorate";
export const FILE_ENDING = ".quorate";
const PATH_MAX = 4096;

const path = z.string().min(1).max(PATH_MAX);
export const opening = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("lab"), dir: path }),
  z.object({ kind: z.literal("link"), url: path }),
  z.object({ kind: z.literal("file"), file: path }),
]);
export type Opening = z.infer<typeof opening>;

/** @param args the command line without the program; @param own directory of the person's own lab; @returns the last thing that was asked for */
export function openingOf(args: readonly string[], own: string, cwd: string): Opening {
  let asked: Opening = { kind: "lab", dir: own };
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? "";
    const named = word === "--lab" ? args[++at] : word.startsWith("--lab=") ? word.slice("--lab=".length) : undefined;
    if (named !== undefined && named !== "") asked = { kind: "lab", dir: resolve(cwd, named) };
    else if (word.startsWith(`${SCHEME}:`)) asked = { kind: "link", url: word.slice(0, PATH_MAX) };
    else if (!word.startsWith("-") && extname(word) === FILE_ENDING) asked = { kind: "file", file: resolve(cwd, word) };
  }
  return asked;
}

/** The lab that a link names, if it is one of `known`. Throws Error with what to tell the person. */
export function labOfLink(url: string, known: readonly string[]): string {
  const dir = dirOfLink(url);
  if (dir === undefined) throw new Error(`${url}: not a link to a lab; one is ${SCHEME}://lab/ and the lab's directory, percent-encoded`);
  if (!known.includes(dir)) throw new Error(`${dir}: none of the labs of this computer; "quorate ls" lists them`);
  return dir;
}

function dirOfLink(url: string): string | undefined {
  try {
    const { protocol, host, pathname, search, hash } = new URL(url);
    const parts = pathname.split("/");
    if (protocol !== `${SCHEME}:` || host !== "lab" || parts.length !== 2 || search !== "" || hash !== "") return undefined;
    return decodeURIComponent(parts[1] ?? "") || undefined;
  } catch {
    // No address at all.
    return undefined;
  }
}
