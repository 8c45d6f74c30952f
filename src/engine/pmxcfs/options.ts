/** The command line of pmxcfs, and what it prints about itself. In the real stack: GLib's option parser in pmxcfs.c. Left out: values behind `=`. */
import { addressesOf } from "../config/index.ts";

export interface PmxcfsOptions {
  readonly debug: boolean;
  readonly foreground: boolean;
  /** Local mode: quorum is there, corosync.conf is not looked at. */
  readonly local: boolean;
}

export type ParsedOptions = { readonly options: PmxcfsOptions } | { readonly print: string } | { readonly fail: string };

const USAGE = `Usage:
  pmxcfs [OPTION\u2026]

Help Options:
  -h, --help           Show help options

Application Options:
  -d, --debug          Turn on debug messages
  -f, --foreground     Do not daemonize server
  -l, --local          Force local mode (ignore corosync.conf, force quorum)

`;

const LONG: Readonly<Record<string, string>> = { "--debug": "d", "--foreground": "f", "--local": "l", "--help": "h" };

/** @param argv behind the program's name */
export function parseOptions(argv: readonly string[]): ParsedOptions {
  const given = new Set<string>();
  let others = 0;
  for (const word of argv) {
    if (!word.startsWith("-") || word === "-") {
      others++;
      continue;
    }
    for (const option of word.startsWith("--") ? [LONG[word]] : [...word.slice(1)]) {
      if (option === undefined || !"dflh".includes(option))
        return { fail: `option parsing failed: Unknown option ${word.startsWith("--") ? word : `-${option ?? ""}`}` };
      given.add(option);
    }
  }
  if (given.has("h")) return { print: USAGE };
  if (others > 0) return { fail: "too many arguments" };
  return { options: { debug: given.has("d"), foreground: given.has("f"), local: given.has("l") } };
}

/** The first address of a name in /etc/hosts that is not of the loopback. */
export function addressOf(hosts: string, name: string): string | undefined {
  return addressesOf(hosts, name).find((address) => !/^(?:127\.|::1$)/.test(address));
}
