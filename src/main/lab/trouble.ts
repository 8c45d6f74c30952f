/** What went wrong, as one line for a person and a code for a program. Everything the lab refuses is one of these. */

/**
 * `usage`: what was asked cannot be read or is not allowed (exit 2). `failed`: it was tried and did not hold (exit 1).
 * `lab`: the lab itself could not: no lab, no such node, node off, connection lost (exit 1; 255 for exec).
 */
export type TroubleCode = "usage" | "failed" | "lab";

export class Trouble extends Error {
  constructor(
    readonly code: TroubleCode,
    message: string,
  ) {
    super(message);
  }
}

/** Wrong usage: what is wrong, and what is allowed. */
export function usage(message: string): Trouble {
  return new Trouble("usage", message);
}

/** Something a later version has. `instead` names what this one has. */
export function notYet(what: string, instead: string): Trouble {
  return new Trouble("usage", `${what} is not part of this version; ${instead}`);
}

const systemReasons: Record<string, string> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
  EACCES: "permission denied",
  EPERM: "not permitted",
  ENOENT: "no such file or directory",
  ENOTDIR: "a part of the path is not a directory",
  EISDIR: "it is a directory",
  ENAMETOOLONG: "the name is too long",
  EMFILE: "too many open files",
};

/** One line for an error of the operating system: `write /path: the disk is full`. Other errors keep their message. */
export function systemTrouble(error: unknown, doing: string): Trouble {
  if (error instanceof Trouble) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const reason = systemReasons[code] ?? (error instanceof Error ? error.message : String(error));
  return new Trouble("failed", `${doing}: ${reason}`);
}
