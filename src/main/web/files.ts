/**
 * The page's own files: finds one by the path of a URL, and nothing outside the folder. Used by the web face and by the desktop's app:// scheme. Our own
 * because sirv (3.0.2) knows HTTP only, follows links out of the folder, and throws where nobody can catch it when a file it has seen is gone: a page
 * that is built anew under a running lab would be a fault of the lab.
 */
import { readFile, realpath, stat } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import { pageHeaders } from "./policy.ts";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
};

export interface PageFile {
  bytes: Uint8Array<ArrayBuffer>;
  headers: Record<string, string>;
}

/** The file behind `urlPath` ("/" is index.html), or undefined: also for everything outside `dir`, hidden files and unknown types. */
export async function pageFile(dir: string, urlPath: string): Promise<PageFile | undefined> {
  const segments = safeSegments(urlPath === "/" ? "/index.html" : urlPath);
  if (segments === undefined) return undefined;
  const type = types[extname(segments.at(-1) ?? "")];
  if (type === undefined) return undefined;
  try {
    const folder = await realpath(dir);
    const path = await realpath(join(folder, ...segments));
    if (!path.startsWith(folder + sep) || !(await stat(path)).isFile()) return undefined;
    // Names under assets/ carry a hash of what is in them.
    const cache = segments[0] === "assets" ? "public, max-age=31536000, immutable" : "no-cache";
    return { bytes: new Uint8Array(await readFile(path)), headers: { ...pageHeaders, "Content-Type": type, "Cache-Control": cache } };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function safeSegments(urlPath: string): string[] | undefined {
  let path: string;
  try {
    path = decodeURIComponent(urlPath);
  } catch {
    return undefined;
  }
  if (!path.startsWith("/") || /[\\\0:]/.test(path)) return undefined;
  const segments = path.slice(1).split("/");
  return segments.some((segment) => segment === "" || segment.startsWith(".")) ? undefined : segments;
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG" || code === "ELOOP";
}
