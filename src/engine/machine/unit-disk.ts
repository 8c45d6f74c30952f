/**
 * The disk of a machine as its service manager reads and changes it, and the unit files on a new one: the one place that knows how files are kept. In the real stack: the system calls
 * of PID 1, and dpkg. What the manager reads leaves no trace; a file system that a process serves is not waited for, which reads as a file that is not there.
 */
import { utf8 } from "../kernel/index.ts";
import type { BaseEntry } from "./base-files.ts";
import { contentsOf, makeDirectories, peek, writeWhole, type Files } from "./files/index.ts";
import { layUnits, portFiles, type FileEdits, type FileView } from "./systemd/index.ts";

/** No process has it: the machine itself. */
const KERNEL_PID = 0;

const parentOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf("/")));

/** @param epochUnixMicros the wall clock at instant 0 */
export function unitFiles(disk: () => Files, epochUnixMicros: () => number): { readonly files: FileView; readonly edits: FileEdits } {
  const looking = portFiles(
    {
      blocking: (call) => {
        const reply = peek(disk(), undefined, call);
        return typeof reply === "string" ? { ok: false, errno: "EIO" } : reply;
      },
    },
    epochUnixMicros,
  );
  const changing = portFiles(
    {
      blocking: (call) => {
        const files = disk();
        files.attach(KERNEL_PID);
        try {
          return files.blocking(KERNEL_PID, call);
        } finally {
          files.detach(KERNEL_PID);
        }
      },
    },
    epochUnixMicros,
  );
  return {
    files: { ...looking.files, read: (path) => contentsOf(disk(), path) },
    // A descriptor does not outlive a call here.
    edits: { ...changing.edits, write: (path, data) => makeDirectories(disk(), parentOf(path), true) ?? writeWhole(disk(), path, data) },
  };
}

/**
 * The unit files of the packages and the links that enable them, with the directories that `base` has not.
 * @param base what else is on the new disk, each thing after the directory it is in
 */
export function withUnits(base: readonly BaseEntry[], packages: readonly string[], disabled: readonly string[]): BaseEntry[] {
  const entries = [...base];
  const known = new Set(base.map(({ path }) => path));
  const put = (entry: BaseEntry): void => {
    const names = parentOf(entry.path).split("/").slice(1);
    for (let n = 1; n <= names.length; n++) {
      const path = `/${names.slice(0, n).join("/")}`;
      if (known.has(path)) continue;
      known.add(path);
      entries.push({ path, type: "directory", mode: 0o755 });
    }
    entries.push(entry);
  };
  // /lib is a link.
  const real = (path: string): string => path.replace(/^\/lib\//, "/usr/lib/");
  layUnits(
    packages,
    {
      file: (path, text, mode = 0o644) => put({ path: real(path), type: "file", mode, data: utf8(text) }),
      link: (path, target) => put({ path: real(path), type: "symlink", mode: 0o777, target }),
    },
    disabled,
  );
  return entries;
}
