/**
 * One command of heuristics: a process of its own. `true`, `false` and `test` of one file, which are a shell's own commands, are answered here. In the real stack:
 * process-list.c, which calls execvp with the arguments of the line; where there is no such program the child fails without a word. Left out: what the command prints.
 */
import { exists, readFileBytes, type Os } from "../../kernel/index.ts";

/** Its end, or the process that runs it. */
export function runCommand(os: Os, command: string): boolean | { readonly pid: number } {
  const argv = splitArguments(command);
  const program = (argv[0] ?? "").replace(/^.*\//, "");
  if (program === "true" || program === "false") return program === "true";
  const tested = program === "test" && argv.length === 3 ? fileTest(os, argv[1] ?? "", argv[2] ?? "") : undefined;
  if (tested !== undefined) return tested;
  const pid = os.spawn({ argv, output: "discard" });
  if (pid !== undefined) return { pid };
  if (!isThere(os, argv[0] ?? "")) return false;
  os.log("corosync-qdevice", "warning", `heuristics: ${command}: not modelled in this lab, taken as failed`);
  return false;
}

/** execvp: a name without a slash is looked for where programs are. */
function isThere(os: Os, program: string): boolean {
  const paths = program.includes("/") ? [program] : ["/usr/sbin", "/usr/bin"].map((directory) => `${directory}/${program}`);
  return paths.some((path) => exists(os.files, path));
}

/** A command line taken apart as the daemon does it: blanks, double quotes, backslash. */
function splitArguments(line: string): string[] {
  const out: string[] = [];
  for (const m of line.matchAll(/(?:"((?:[^"\\]|\\.)*)"|((?:[^\s"\\]|\\.)+))/g)) out.push((m[1] ?? m[2] ?? "").replace(/\\(.)/g, "$1"));
  return out;
}

/** test(1) of one file; undefined for a flag that is not modelled. */
function fileTest(os: Os, flag: string, path: string): boolean | undefined {
  if (!["-e", "-f", "-d", "-s", "-r", "-w", "-x"].includes(flag)) return undefined;
  const found = os.files.blocking({ call: "stat", path });
  if (!found.ok || found.value !== "stat") return false;
  if (flag === "-f") return found.stat.type === "file";
  if (flag === "-d") return found.stat.type === "directory";
  if (flag === "-s") return found.stat.type === "file" && (readFileBytes(os.files, path)?.length ?? 0) > 0;
  // The daemon is root, who may read and write everything.
  return flag !== "-x" || (found.stat.mode & 0o111) !== 0;
}
