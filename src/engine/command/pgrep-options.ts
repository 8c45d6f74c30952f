/**
 * How pgrep and pkill are called, and what is said of a wrong call: texts and exit statuses of procps 4.0. Left out, and said so: -G, -L, -q, -w, --ns, --nslist, --cgroup.
 */
import { signalNamed, type Signal } from "../kernel/index.ts";
import { getopt, type Parsed } from "../kernel/getopt.ts";
import { listOf } from "./processes.ts";

export type Name = "pgrep" | "pkill";

/** Exit status of a call that is wrong. */
export const USAGE_STATUS = 2;
/** Of one that cannot be carried out. */
const FATAL_STATUS = 1;

const OPTIONS_OF: { readonly [name in Name]: string } = {
  pgrep: ` -d, --delimiter <string>  specify output delimiter
 -l, --list-name           list PID and process name
 -a, --list-full           list PID and full command line
 -v, --inverse             negates the matching
 -w, --lightweight         list all TID
`,
  pkill: ` -<sig>, --signal <sig>    signal to send (either number or name)
 -q, --queue <value>       integer value to be sent with the signal
 -e, --echo                display what is killed
`,
};

const COMMON = ` -c, --count               count of matching processes
 -f, --full                use full process name to match
 -g, --pgroup <PGID,...>   match listed process group IDs
 -G, --group <GID,...>     match real group IDs
 -i, --ignore-case         match case insensitively
 -n, --newest              select most recently started
 -o, --oldest              select least recently started
 -O, --older <seconds>     select where older than seconds
 -P, --parent <PPID,...>   match only child processes of the given parent
 -s, --session <SID,...>   match session IDs
 -t, --terminal <tty,...>  match by controlling terminal
 -u, --euid <ID,...>       match by effective IDs
 -U, --uid <ID,...>        match by real IDs
 -x, --exact               match exactly with the command name
 -F, --pidfile <file>      read PIDs from file
 -L, --logpidfile          fail if PID file is not locked
 -r, --runstates <state>   match runstates [D,S,Z,...]
 -A, --ignore-ancestors    exclude our ancestors from results
 --cgroup <grp,...>        match by cgroup v2 names
 --ns <PID>                match the processes that belong to the same
                           namespace as <pid>
 --nslist <ns,...>         list which namespaces will be considered for
                           the --ns option.
                           Available namespaces: ipc, mnt, net, pid, user, uts

 -h, --help     display this help and exit
 -V, --version  output version information and exit

For more details see pgrep(1).
`;

export const usage = (name: Name): string => `\nUsage:\n ${name} [options] <pattern>\n\nOptions:\n${OPTIONS_OF[name]}${COMMON}`;

export interface Call {
  readonly flags: ReadonlySet<string>;
  readonly lists: { readonly by: string; readonly values: readonly string[] }[];
  readonly delimiter: string;
  readonly olderSeconds: number | undefined;
  /** -F. */
  readonly pidFile: string | undefined;
  readonly pattern: string | undefined;
  readonly signal: Signal | 0;
}

/** What is printed in place of a search. */
export interface Said {
  readonly said: string;
  readonly status: number;
}

const SHORT: { readonly [name in Name]: string } = {
  pgrep: "LF:cfinoxP:O:Ag:s:u:U:G:t:r:d:lavwhV",
  pkill: "LF:cfinoxP:O:Ag:s:u:U:G:t:r:eq:hV",
};
const LONG: readonly string[] = [
  "signal=",
  "ignore-ancestors",
  "count",
  "cgroup=",
  "delimiter=",
  "list-name",
  "list-full",
  "full",
  "pgroup=",
  "group=",
  "ignore-case",
  "newest",
  "oldest",
  "older=",
  "parent=",
  "session=",
  "terminal=",
  "euid=",
  "uid=",
  "inverse",
  "lightweight",
  "exact",
  "pidfile=",
  "logpidfile",
  "echo",
  "ns=",
  "nslist=",
  "queue=",
  "runstates=",
  "help",
  "version",
];
const SHORT_OF: { readonly [long: string]: string } = {
  "ignore-ancestors": "A",
  count: "c",
  delimiter: "d",
  "list-name": "l",
  "list-full": "a",
  full: "f",
  pgroup: "g",
  group: "G",
  "ignore-case": "i",
  newest: "n",
  oldest: "o",
  older: "O",
  parent: "P",
  session: "s",
  terminal: "t",
  euid: "u",
  uid: "U",
  inverse: "v",
  lightweight: "w",
  exact: "x",
  pidfile: "F",
  logpidfile: "L",
  echo: "e",
  queue: "q",
  runstates: "r",
  help: "h",
  version: "V",
};
const LEFT_OUT: readonly string[] = ["G", "q", "w", "ns", "nslist", "cgroup"];
/** Lists of numbers, and what a word in them that is none is called. */
const NUMBERS: { readonly [letter: string]: string } = { P: "not a number", g: "invalid process group", s: "invalid session id" };

export function parsePgrep(name: Name, args: readonly string[]): Call | Said {
  let signal: Signal | 0 = "SIGTERM";
  // The first word that names a signal is one: -9, -KILL, -SIGKILL.
  const place =
    name === "pkill"
      ? args.findIndex((word) => /^-[A-Z0-9]+$/.test(word) && (word === "-0" || signalNamed(word.slice(1)) !== undefined))
      : -1;
  if (place >= 0) signal = signalOf(args[place]?.slice(1) ?? "") ?? "SIGTERM";
  const parsed = getopt(name, place < 0 ? args : args.toSpliced(place, 1), SHORT[name], LONG);
  const read = options(name, parsed, signal);
  if ("said" in read) return read;
  if (parsed.error !== undefined) return { said: `${parsed.error}\n${usage(name)}`, status: USAGE_STATUS };
  return checked(name, read, parsed.operands);
}

function options(name: Name, parsed: Parsed, named: Signal | 0): Call | Said {
  const flags = new Set<string>();
  const lists: Call["lists"] = [];
  const chosen: { delimiter: string; olderSeconds: number | undefined; pidFile: string | undefined; signal: Signal | 0 } = {
    delimiter: "\n",
    olderSeconds: undefined,
    pidFile: undefined,
    signal: named,
  };
  for (const { name: option, value } of parsed.options) {
    const letter = SHORT_OF[option] ?? option;
    if (letter === "h") return { said: usage(name), status: 0 };
    if (letter === "V") return { said: `${name} from procps-ng 4.0.2\n`, status: 0 };
    if (LEFT_OUT.includes(letter))
      return { said: `${name}: ${letter.length > 1 ? "--" : "-"}${letter}: not modelled in this lab\n`, status: 3 };
    if ("PstuUrg".includes(letter)) {
      const wrong = badList(name, letter, value);
      if (wrong !== undefined) return wrong;
      lists.push({ by: letter, values: listOf(value) });
    } else if (letter === "d") chosen.delimiter = value;
    else if (letter === "F") chosen.pidFile = value;
    else if (letter === "O") chosen.olderSeconds = /^-?[0-9]{1,9}/.test(value) ? Number.parseInt(value, 10) : 0;
    // A word that is no signal leaves things as they were.
    else if (option === "signal") chosen.signal = signalOf(value) ?? chosen.signal;
    else flags.add(letter);
  }
  return { flags, lists, ...chosen, pattern: parsed.operands[0] };
}

function badList(name: Name, letter: string, value: string): Said | undefined {
  if (value === "") return { said: usage(name), status: USAGE_STATUS };
  const what = NUMBERS[letter];
  const bad = what === undefined ? undefined : listOf(value).find((word) => !/^-?[0-9]{1,10}$/.test(word));
  return bad === undefined ? undefined : { said: `${name}: ${what ?? ""}: ${bad}\n`, status: USAGE_STATUS };
}

function checked(name: Name, call: Call, operands: readonly string[]): Call | Said {
  const { flags, lists, olderSeconds, pidFile, pattern } = call;
  const wrong = (text: string, status = USAGE_STATUS): Said => ({
    said: `${name}: ${text}\nTry \`${name} --help' for more information.\n`,
    status,
  });
  if (flags.has("L") && pidFile === undefined) return wrong("-L without -F makes no sense");
  if (flags.has("L")) return { said: `${name}: -L: not modelled in this lab\n`, status: FATAL_STATUS };
  if ([flags.has("n"), flags.has("o"), flags.has("v")].filter(Boolean).length > 1) return { said: usage(name), status: USAGE_STATUS };
  if (operands.length > 1) return wrong("only one pattern can be provided");
  const criteria = pattern !== undefined || lists.length > 0 || olderSeconds !== undefined || pidFile !== undefined;
  return criteria ? call : wrong("no matching criteria specified");
}

function signalOf(text: string): Signal | 0 | undefined {
  return text === "0" ? 0 : signalNamed(text);
}
