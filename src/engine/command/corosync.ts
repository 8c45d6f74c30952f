/**
 * The corosync program itself, typed in a terminal: -t looks at the file and says whether a start would get past it, -f runs the daemon in the terminal,
 * without either it goes to the background; -v and a wrong option only print. What a process does is the node's (node/daemons.ts); here is how the
 * words are read. Texts are those of 3.1.7, recorded. Left out: the environment variable that names another file.
 */
import { CONF_PATH } from "../config/index.ts";
import { getopt } from "./getopt.ts";
import { fail, ok, type CommandSpec, type Result } from "./spec.ts";
import { absolutePath } from "./paths.ts";

const NAME = "corosync";

const USAGE = `usage:
        -c     : Corosync config file path.
        -f     : Start application in foreground.
        -t     : Test configuration and exit.
        -v     : Display version, git revision and some useful information about Corosync and exit.
`;

const VERSION_TEXT = `Corosync Cluster Engine, version '3.1.7'
Copyright (c) 2006-2021 Red Hat, Inc.

Built-in features: dbus monitoring watchdog augeas systemd xmlconf vqsim nozzle snmp pie relro bindnow
Available crypto models: nss openssl
Available compression models: zlib lz4 lz4hc lzo2 lzma bzip2 zstd
`;

/** A call that runs a process. */
interface Call {
  readonly file: { readonly path: string; readonly named: string };
  readonly test: boolean;
  readonly foreground: boolean;
}

/** The options in their order; the first that is wrong, or -v, ends the reading. Operands are not looked at. */
function parse(argv: readonly string[], cwd: string): Call | Result {
  const parsed = getopt(NAME, argv.slice(1), "c:ftv");
  let named = CONF_PATH;
  let test = false;
  let foreground = false;
  for (const { name, value } of parsed.options) {
    if (name === "v") return ok(VERSION_TEXT);
    if (name === "c") named = value;
    else if (name === "t") test = true;
    else foreground = true;
  }
  if (parsed.error !== undefined) return fail(`${parsed.error}\n${USAGE}`);
  return { file: { path: absolutePath(named, cwd), named }, test, foreground };
}

/** What the words ask to be run; undefined where they are another program's, or only ask. */
export function corosyncCall(argv: readonly string[], cwd: string): Call | undefined {
  if (!/^(?:\/(?:usr\/)?sbin\/)?corosync$/.test(argv[0] ?? "")) return undefined;
  const call = parse(argv, cwd);
  return "stdout" in call ? undefined : call;
}

export const corosync: CommandSpec = {
  name: NAME,
  summary: "the cluster engine: try a configuration, or run it by hand",
  options: [
    { flag: "-t", help: "test the configuration and end" },
    { flag: "-f", help: "run in the foreground" },
    { flag: "-c", help: "another configuration file" },
    { flag: "-v", help: "version and features" },
  ],
  isQuery: (argv) => "stdout" in parse(argv, "/"),
  query: (_host, argv) => {
    const call = parse(argv, "/");
    if (!("stdout" in call)) throw new Error("corosync: a process is no query");
    return call;
  },
};
