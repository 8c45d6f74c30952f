/**
 * Paths as a program makes them out from where it runs. In the real stack: what the kernel does in open(2), without links. Left out: whether there is such a file,
 * which the machine knows.
 */

export function absolutePath(path: string, cwd: string): string {
  const out: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${cwd}/${path}`).split("/")) {
    if (part === "..") out.pop();
    else if (part !== "" && part !== ".") out.push(part);
  }
  return `/${out.join("/")}`;
}
