/**
 * The command line of the corosync program: -t looks at the file and says whether a start would get past it, -f runs the daemon in the foreground, without either
 * it goes to the background; -v and a wrong option only print. Texts are recorded. Left out: -p, -P, -r, and the environment variable that names
 * another file.
 */
import { CONF_PATH, type ReleaseProfile } from "../config/index.ts";
import { absolutePath, getopt } from "../kernel/index.ts";
import type { ConfFile } from "./settings.ts";

const usage = ({ lockFileOption }: ReleaseProfile): string => `usage:
        -c     : Corosync config file path.
${lockFileOption ? "        -l     : Corosync pid lock file path.\n" : ""}        -f     : Start application in foreground.
        -t     : Test configuration and exit.
        -v     : Display version, git revision and some useful information about Corosync and exit.
`;

const version = ({ corosync }: ReleaseProfile): string => `Corosync Cluster Engine, version '${corosync}'
Copyright (c) 2006-2021 Red Hat, Inc.

Built-in features: dbus monitoring watchdog augeas systemd xmlconf vqsim nozzle snmp pie relro bindnow
Available crypto models: nss openssl
Available compression models: zlib lz4 lz4hc lzo2 lzma bzip2 zstd
`;

/** How a process was called. */
export interface Call {
  readonly file: ConfFile;
  /** -t: it looks at the file and ends. */
  readonly test: boolean;
  /** -f; without it the process goes to the background once its file has been accepted. */
  readonly foreground: boolean;
  /** The file whose lock it takes. */
  readonly lock: string;
}

/** The lock file, unless -l names another. */
export const LOCK = "/run/corosync.pid";

/** A call that only prints. */
export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

/** The options in their order; the first that is wrong, or -v, ends the reading. Operands are not looked at. */
export function parseCall(argv: readonly string[], cwd: string, profile: ReleaseProfile): Call | Printed {
  const parsed = getopt("corosync", argv.slice(1), profile.lockFileOption ? "c:l:ftv" : "c:ftv");
  let named = CONF_PATH;
  let test = false;
  let foreground = false;
  let lock = LOCK;
  for (const { name, value } of parsed.options) {
    if (name === "v") return { stdout: version(profile), stderr: "", status: 0 };
    if (name === "c") named = value;
    else if (name === "l") lock = absolutePath(value, cwd);
    else if (name === "t") test = true;
    else foreground = true;
  }
  if (parsed.error !== undefined) return { stdout: "", stderr: `${parsed.error}\n${usage(profile)}`, status: 1 };
  return { file: { path: absolutePath(named, cwd), named }, test, foreground, lock };
}
