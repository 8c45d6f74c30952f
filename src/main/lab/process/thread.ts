/** Worker threads whose program is built or, in a checkout, a source. */
import { pathToFileURL } from "node:url";
import { Worker, type WorkerOptions } from "node:worker_threads";

/** A thread takes no loader of TypeScript on its command line: it is given one before it reads a source. */
export function openThread(file: string, options: WorkerOptions = {}): Worker {
  if (!file.endsWith(".ts")) return new Worker(file, options);
  const literals = [import.meta.resolve("tsx/esm/api"), pathToFileURL(file).href].map((word) => JSON.stringify(word));
  return new Worker(`import(${literals[0] ?? ""}).then((tsx) => { tsx.register(); return import(${literals[1] ?? ""}); });`, {
    ...options,
    eval: true,
  });
}
