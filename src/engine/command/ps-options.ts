/**
 * How ps is called: Unix, BSD and GNU options, the lists they take, formats and sort keys, and what is said of a wrong call. In the real stack: parser.c and sortformat.c of procps 4.0. A call that is
 * wrong by the rules of Unix options is read once more by those of BSD (`ps -aux`). Left out: threads, formats that show memory maps, signals, flags or security labels, AIX's format specifiers; they are
 * refused by name.
 */
import { COLUMNS, isColumnLeftOut, type Shown } from "./ps-columns.ts";
import { userNumber } from "./processes.ts";

export const USAGE = `
Usage:
 ps [options]

 Try 'ps --help <simple|list|output|threads|misc|all>'
  or 'ps --help <s|l|o|t|m|a>'
 for additional help text.

For more details see ps(1).
`;

const VERSION = "ps from procps-ng 4.0.2\n";

export type ListBy = "pid" | "ppid" | "sid" | "comm" | "user" | "tty";

/** Whom a call selects: the union of the lists, or by the caller's own terminal and user. */
export interface Selection {
  all: boolean;
  /** -a, -d: everybody but session leaders; with a terminal, or with or without. */
  but: "leaders and detached" | "leaders" | undefined;
  /** BSD's `a` and `x`: also others' processes; also those without a terminal. */
  others: boolean;
  unattached: boolean;
  /** BSD's `r` and `T`. */
  running: boolean;
  ownTerminal: boolean;
  bsd: boolean;
  deselect: boolean;
  lists: { readonly by: ListBy; readonly values: readonly string[] }[];
}

export type Tree = "none" | "indented" | "drawn";

export interface PsCall extends Selection {
  format: readonly string[] | undefined;
  /** Of -o, in place of a format. */
  own: Shown[];
  headings: boolean;
  sort: { readonly key: string; readonly down: boolean }[];
  tree: Tree;
}

/** What a call knows of its machine. */
export interface PsFacts {
  readonly users: ReadonlyMap<number, string>;
  readonly terminals: ReadonlySet<string>;
}

/** Text and where it goes: a complaint, or what -V prints. */
export class Answer {
  constructor(
    readonly text: string,
    readonly status: 0 | 1,
    /** It is said of a wrong call: by the rules of BSD it may be right. */
    readonly wrong: boolean,
  ) {}
}

const notModelled = (what: string): Answer => new Answer(`ps: ${what}: not modelled in this lab\n`, 1, false);
const wrong = (what: string): Answer => new Answer(`error: ${what}\n${USAGE}`, 1, true);

export const FULL: readonly string[] = ["user", "pid", "ppid", "c", "stime", "tname", "time", "cmd"];
const EXTRA_FULL: readonly string[] = ["user", "pid", "ppid", "c", "sz", "rss", "psr", "stime", "tname", "time", "cmd"];
const FULL_JOBS: readonly string[] = ["user", "pid", "ppid", "pgid", "sid", "c", "stime", "tname", "time", "cmd"];
const USER: readonly string[] = ["user", "pid", "%cpu", "%mem", "vsz", "rss", "tname", "stat", "start_time", "bsdtime", "args"];
export const BSD: readonly string[] = ["pid", "tname", "stat", "bsdtime", "args"];
export const PLAIN: readonly string[] = ["pid", "tname", "time", "ucmd"];
const JOBS: readonly string[] = ["pid", "pgid", "sid", "tname", "time", "ucmd"];
/** Formats whose `user` column is headed UID. */
export const HEADED_UID: ReadonlySet<readonly string[]> = new Set([FULL, EXTRA_FULL, FULL_JOBS]);

const LIST_OPTIONS: { readonly [option: string]: ListBy } = {
  p: "pid",
  q: "pid",
  C: "comm",
  u: "user",
  U: "user",
  t: "tty",
  s: "sid",
  g: "sid",
  pid: "pid",
  "quick-pid": "pid",
  ppid: "ppid",
  sid: "sid",
  user: "user",
  User: "user",
  tty: "tty",
};

/** What the list is called that is wanted, by the option without its dashes. */
const WANTED: { readonly [option: string]: string } = {
  p: "list of process IDs must follow",
  pid: "list of process IDs must follow",
  ppid: "list of process IDs must follow",
  q: "List of process IDs must follow",
  "quick-pid": "List of process IDs must follow",
  s: "list of session leaders OR effective group IDs must follow",
  g: "list of session leaders OR effective group IDs must follow",
  sid: "some sid thing(s) must follow",
  C: "list of command names must follow",
  u: "list of users must follow",
  user: "list of effective users must follow",
  U: "list of real users must follow",
  User: "list of real users must follow",
  t: "list of terminals (pty, tty...) must follow",
  tty: "list of ttys must follow",
};

const PID_MAX = 0x7fffffff;

/** Long options without an argument, and by which name a complaint calls them. */
const NO_ARGUMENT: { readonly [name: string]: string } = {
  headers: "heading",
  headings: "heading",
  heading: "heading",
  header: "heading",
  noheader: "no-heading",
  noheaders: "no-heading",
  noheading: "no-heading",
  noheadings: "no-heading",
  "no-header": "no-heading",
  "no-headers": "no-heading",
  "no-heading": "no-heading",
  "no-headings": "no-heading",
  deselect: "deselect",
  forest: "forest",
  version: "version",
};

/** The arguments of a call, one after the other; an option's argument may be the rest of its word or the next word. */
class Reader {
  readonly call: PsCall = {
    all: false,
    but: undefined,
    others: false,
    unattached: false,
    running: false,
    ownTerminal: false,
    bsd: false,
    deselect: false,
    lists: [],
    format: undefined,
    own: [],
    headings: true,
    sort: [],
    tree: "none",
  };
  private at = 0;
  /** By whose options a format was chosen. */
  private readonly styles = new Set<"unix" | "bsd">();

  constructor(
    private readonly args: readonly string[],
    private readonly facts: PsFacts,
    /** Arguments with one dash are BSD's too. */
    private readonly bsdOnly: boolean,
  ) {}

  read(): Answer | undefined {
    while (this.at < this.args.length) {
      const word = this.args[this.at++] ?? "";
      const said = word.startsWith("--") ? this.long(word) : word.startsWith("-") && !this.bsdOnly ? this.unix(word) : this.bsd(word);
      if (said !== undefined) return said;
    }
    // Said after reading: BSD's rules are not tried then.
    return this.styles.size > 1 ? new Answer(`error: conflicting format options\n${USAGE}`, 1, false) : undefined;
  }

  private next(): string | undefined {
    return this.args[this.at++];
  }

  // ── lists ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  private list(option: string, text: string | undefined): Answer | undefined {
    const by = LIST_OPTIONS[option] ?? "pid";
    if (text === undefined || text === "")
      return wrong(`${WANTED[option] ?? "list must follow"} ${option.length > 1 ? "--" : "-"}${option}${/^q/.test(option) ? "." : ""}`);
    const values = text.split(/[ ,\t]/);
    if (values.includes("")) return wrong("improper list");
    const bad = values.map((v) => this.badItem(option, by, v)).find((e) => e !== undefined);
    if (bad !== undefined) return bad;
    this.call.lists.push({ by, values });
    return undefined;
  }

  private badItem(option: string, by: ListBy, value: string): Answer | undefined {
    switch (by) {
      case "pid":
      case "ppid":
      case "sid":
        if (!/^[0-9]+$/.test(value))
          return wrong(option === "g" ? "list of session leaders OR effective group IDs was invalid" : "process ID list syntax error");
        return Number(value) > PID_MAX ? wrong("process ID out of range") : undefined;
      case "user":
        return userNumber(this.facts.users, value) === undefined ? wrong("user name does not exist") : undefined;
      case "tty":
        return this.facts.terminals.has(terminalName(value)) ? undefined : wrong("TTY could not be found");
      case "comm":
        return undefined;
    }
  }

  // ── options ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  private long(word: string): Answer | undefined {
    const equals = word.indexOf("=");
    const name = word.slice(2, equals < 0 ? undefined : equals);
    const value = (): string | undefined => (equals >= 0 ? word.slice(equals + 1) : this.next());
    const alone = NO_ARGUMENT[name];
    if (alone !== undefined) {
      if (equals >= 0) return wrong(`option --${alone} does not take an argument`);
      if (alone === "version") return new Answer(VERSION, 0, false);
      if (alone === "deselect") this.call.deselect = true;
      else if (alone === "forest") this.call.tree = "drawn";
      else this.call.headings = alone === "heading";
      return undefined;
    }
    if (name === "help") return value() === undefined ? new Answer(USAGE, 0, false) : notModelled(word);
    if (name === "sort") return this.sort(value() ?? "");
    if (name === "format") return this.format(value(), "--format");
    if (["group", "Group", "cols", "columns", "width", "rows", "lines", "cumulative", "context", "info"].includes(name))
      return notModelled(`--${name}`);
    return LIST_OPTIONS[name] === undefined || name.length === 1 ? wrong("unknown gnu long option") : this.list(name, value());
  }

  private unix(word: string): Answer | undefined {
    const { call } = this;
    for (let i = 1; i < word.length; i++) {
      const letter = word[i] ?? "";
      const rest = word.slice(i + 1);
      const value = (): string | undefined => (rest !== "" ? rest : this.next());
      if (letter === "e" || letter === "A") call.all = true;
      else if (letter === "a") call.but = "leaders and detached";
      else if (letter === "d") call.but = "leaders";
      else if ("fFj".includes(letter)) this.unixFormat(letter);
      else if (letter === "H") call.tree = "indented";
      else if (letter === "N") call.deselect = true;
      else if (letter === "V") return new Answer(VERSION, 0, false);
      else if (letter === "w") continue;
      else if (letter === "o" || letter === "O") return letter === "o" ? this.format(value(), "-o") : notModelled("-O");
      else if (LIST_OPTIONS[letter] !== undefined) return this.list(letter, value());
      else if ("cGlLmMPTyZ".includes(letter)) return notModelled(`-${letter}`);
      else return wrong("unsupported SysV option");
    }
    return undefined;
  }

  private bsdFormat(): void {
    this.styles.add("bsd");
    this.call.format = USER;
  }

  private unixFormat(letter: string): void {
    const { call } = this;
    this.styles.add("unix");
    if (letter === "F") call.format = EXTRA_FULL;
    else if (letter === "j") call.format = call.format === FULL ? FULL_JOBS : JOBS;
    else if (call.format !== EXTRA_FULL) call.format = call.format === JOBS ? FULL_JOBS : FULL;
  }

  private bsd(word: string): Answer | undefined {
    const { call } = this;
    const options = word.replace(/^-/, "");
    call.bsd = true;
    if (/^[0-9]/.test(options)) return this.list("pid", options);
    for (let i = 0; i < options.length; i++) {
      const letter = options[i] ?? "";
      const rest = options.slice(i + 1);
      const value = (): string | undefined => (rest !== "" ? rest : this.next());
      if (letter === "a") call.others = true;
      else if (letter === "x") call.unattached = true;
      else if (letter === "u") this.bsdFormat();
      else if (letter === "f") call.tree = "drawn";
      else if (letter === "h") call.headings = false;
      else if (letter === "r") call.running = true;
      else if (letter === "T") call.ownTerminal = true;
      else if (letter === "V") return new Answer(VERSION, 0, false);
      else if (letter === "w" || letter === "c") continue;
      else if (letter === "o") return this.format(value(), "-o");
      else if (letter === "k") return this.sort(value() ?? "");
      else if (letter === "p" || letter === "U") return this.list(letter, value());
      else if (letter === "t") {
        // Without a terminal's name it is the caller's own.
        if (rest !== "") return this.list("t", rest);
        call.ownTerminal = true;
      } else if ("egHjlLmnOqsSvXyZ".includes(letter)) return notModelled(letter);
      else return wrong("unsupported option (BSD syntax)");
    }
    return undefined;
  }

  // ── formats ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** `pid,comm`, `user:20`, `pid=NUMBER,comm=`: what follows an equals sign is the heading, what follows a colon the width. */
  private format(text: string | undefined, option: string): Answer | undefined {
    if (text === undefined || text === "") return wrong(`format specification must follow ${option}`);
    if (text.includes("%") && COLUMNS[text.split(/[ ,=:]/)[0] ?? ""] === undefined) return notModelled(`${option} ${text}`);
    for (const item of text.trim().split(/[ ,\t]/)) {
      const said = this.column(item);
      if (said !== undefined) return said;
    }
    return undefined;
  }

  private column(item: string): Answer | undefined {
    const [, name = "", width, heading] = /^([^:=]*)(?::([^=]*))?(?:=(.*))?$/.exec(item) ?? [];
    if (name === "") return wrong("improper format list");
    const column = COLUMNS[name];
    if (column === undefined)
      return isColumnLeftOut(name) ? notModelled(`-o ${name}`) : wrong(`unknown user-defined format specifier "${name}"`);
    if (width !== undefined && !/^[1-9][0-9]{0,3}$/.test(width)) return wrong("column widths must be unsigned decimal numbers");
    const wide = width === undefined ? column : { ...column, width: Number(width), exact: true };
    this.call.own.push({ column: wide, heading: heading ?? column.heading });
    return undefined;
  }

  private sort(text: string): Answer | undefined {
    if (text === "") return wrong("long sort specification must follow --sort");
    for (const word of text.split(",")) {
      const key = word.replace(/^[+-]/, "");
      if (key === "") return wrong("improper sort list");
      if (COLUMNS[key] === undefined) return isColumnLeftOut(key) ? notModelled(`--sort ${key}`) : wrong("unknown sort specifier");
      this.call.sort.push({ key, down: word.startsWith("-") });
    }
    return undefined;
  }
}

/** `/dev/pts/0`, `pts/0` and `0` are one terminal; `?` and `-` none. */
export function terminalName(word: string): string {
  const name = word.replace(/^\/dev\//, "");
  if (name === "?" || name === "-") return "";
  return /^[0-9]+$/.test(name) ? `pts/${name}` : name;
}

/** The call, or what is printed in its place. */
export function parsePs(args: readonly string[], facts: PsFacts): PsCall | Answer {
  const unix = new Reader(args, facts, false);
  const said = unix.read();
  if (said === undefined) return unix.call;
  if (!said.wrong) return said;
  const bsd = new Reader(args, facts, true);
  const again = bsd.read();
  return again === undefined ? bsd.call : said;
}
