/**
 * ps: a report of the processes of this machine, in procps 4.0's layouts. Left out: threads, trees (f, -H, --forest), the job formats (l, j, -l, -j, -y), formats of the environment, and the width of
 * the terminal (nothing is cut off at the end of a line). Those are refused by name.
 */
import { COLUMNS, table, type Shown } from "./ps-columns.ts";
import { listOf, processes, programName, userNames, userNumber, type ProcessRow } from "./processes.ts";
import { failed, print, self, type Tool, type ToolBody } from "./tool.ts";

const USAGE = `
Usage:
 ps [options]

 Try 'ps --help <simple|list|output|threads|misc|all>'
  or 'ps --help <s|l|o|t|m|a>'
 for additional help text.

For more details see ps(1).
`;

/** Whom a call selects: the union of the lists, or by the caller's own terminal and user. */
interface Selection {
  all: boolean;
  /** BSD's `a` and `x`: also others' processes; also those without a terminal. */
  others: boolean;
  unattached: boolean;
  bsd: boolean;
  deselect: boolean;
  lists: { readonly by: "pid" | "ppid" | "sid" | "comm" | "user" | "tty"; readonly values: readonly string[] }[];
}

interface Call extends Selection {
  format: readonly string[] | undefined;
  own: Shown[];
  headings: boolean;
  sort: { readonly key: string; readonly down: boolean }[];
}

class Refusal {
  constructor(readonly text: string) {}
}

const FULL = ["user", "pid", "ppid", "c", "stime", "tname", "time", "cmd"];
const USER = ["user", "pid", "%cpu", "%mem", "vsz", "rss", "tname", "stat", "start_time", "bsdtime", "args"];
const BSD = ["pid", "tname", "stat", "bsdtime", "args"];
const PLAIN = ["pid", "tname", "time", "ucmd"];

const LIST_OPTIONS: { readonly [option: string]: Selection["lists"][number]["by"] } = {
  p: "pid",
  q: "pid",
  C: "comm",
  u: "user",
  U: "user",
  t: "tty",
  s: "sid",
  pid: "pid",
  "quick-pid": "pid",
  ppid: "ppid",
  sid: "sid",
  user: "user",
  User: "user",
  tty: "tty",
};

const notModelled = (what: string): Refusal => new Refusal(`ps: ${what}: not modelled in this lab\n`);
const wrong = (what: string): Refusal => new Refusal(`error: ${what}\n${USAGE}`);

/** The arguments of a call, one after the other; an option's argument may be the rest of its word or the next word. */
class Reader {
  readonly call: Call = {
    all: false,
    others: false,
    unattached: false,
    bsd: false,
    deselect: false,
    lists: [],
    format: undefined,
    own: [],
    headings: true,
    sort: [],
  };
  private at = 0;

  constructor(private readonly args: readonly string[]) {}

  read(): Refusal | undefined {
    while (this.at < this.args.length) {
      const word = this.args[this.at++] ?? "";
      const refused = word.startsWith("--")
        ? this.long(word)
        : word.startsWith("-") && !/^-a?ux/.test(word)
          ? this.unix(word)
          : this.bsd(word);
      if (refused !== undefined) return refused;
    }
    return undefined;
  }

  private list(by: Selection["lists"][number]["by"], text: string | undefined): Refusal | undefined {
    if (text === undefined || listOf(text).length === 0) return wrong("list of process IDs must follow -p");
    const values = listOf(text);
    if (by === "pid" || by === "ppid" || by === "sid") {
      if (values.some((v) => !/^[0-9]{1,9}$/.test(v))) return wrong("process ID list syntax error");
    }
    this.call.lists.push({ by, values });
    return undefined;
  }

  private long(word: string): Refusal | undefined {
    const equals = word.indexOf("=");
    const name = word.slice(2, equals < 0 ? undefined : equals);
    const value = (): string | undefined => (equals >= 0 ? word.slice(equals + 1) : this.args[this.at++]);
    if (name === "no-headers" || name === "no-heading" || name === "noheaders" || name === "noheading") this.call.headings = false;
    else if (name === "headers") this.call.headings = true;
    else if (name === "deselect") this.call.deselect = true;
    else if (name === "sort") return this.sort(value() ?? "");
    else if (name === "format") return this.format(value());
    else if (name === "forest" || name === "info" || name === "context") return notModelled(word);
    else {
      const by = LIST_OPTIONS[name];
      return by === undefined || name.length === 1 ? wrong("unknown gnu long option") : this.list(by, value());
    }
    return undefined;
  }

  private unix(word: string): Refusal | undefined {
    for (let i = 1; i < word.length; i++) {
      const letter = word[i] ?? "";
      const rest = word.slice(i + 1);
      const value = (): string | undefined => (rest !== "" ? rest : this.args[this.at++]);
      const by = LIST_OPTIONS[letter];
      if (letter === "e" || letter === "A") this.call.all = true;
      else if (letter === "f") this.call.format = FULL;
      else if (letter === "N") this.call.deselect = true;
      else if (letter === "w") continue;
      else if (letter === "o") return this.format(value());
      else if (by !== undefined) return this.list(by, value());
      else if ("adFgGHjlLmMTVyZ".includes(letter)) return notModelled(`-${letter}`);
      else return wrong("unsupported SysV option");
    }
    return undefined;
  }

  private bsd(word: string): Refusal | undefined {
    const options = word.replace(/^-/, "");
    if (/^[0-9]/.test(options)) {
      this.call.format ??= BSD;
      return this.list("pid", options);
    }
    this.call.bsd = true;
    for (let i = 0; i < options.length; i++) {
      const letter = options[i] ?? "";
      const rest = options.slice(i + 1);
      if (letter === "a") this.call.others = true;
      else if (letter === "x") this.call.unattached = true;
      else if (letter === "u") this.call.format = USER;
      else if (letter === "h") this.call.headings = false;
      else if (letter === "w" || letter === "c") continue;
      else if (letter === "o") return this.format(rest !== "" ? rest : this.args[this.at++]);
      else if (letter === "p") return this.list("pid", rest !== "" ? rest : this.args[this.at++]);
      else if ("efgHjklLmnOrsStTUvXyZ".includes(letter)) return notModelled(letter);
      else return wrong("unsupported option (BSD syntax)");
    }
    return undefined;
  }

  /** `pid,comm`, `pid=NUMBER,comm=`: what follows an equals sign is the heading. */
  private format(text: string | undefined): Refusal | undefined {
    if (text === undefined) return wrong("format specification must follow -o");
    const items = text.split(/[ ,]+/).filter((item) => item !== "");
    for (const item of items) {
      const equals = item.indexOf("=");
      const name = equals < 0 ? item : item.slice(0, equals);
      const column = COLUMNS[name];
      if (column === undefined) return wrong(`unknown user-defined format specifier "${name}"`);
      this.call.own.push({ column, heading: equals < 0 ? column.heading : item.slice(equals + 1) });
    }
    return items.length === 0 ? wrong("improper format list") : undefined;
  }

  private sort(text: string): Refusal | undefined {
    for (const word of listOf(text)) {
      const key = word.replace(/^[+-]/, "");
      if (SORT_KEYS[key] === undefined) return wrong("unknown sort specifier");
      this.call.sort.push({ key, down: word.startsWith("-") });
    }
    return undefined;
  }
}

const SORT_KEYS: { readonly [key: string]: (row: ProcessRow) => number | string } = {
  pid: (r) => r.pid,
  ppid: (r) => r.ppid,
  sid: (r) => r.sid,
  uid: (r) => r.uid,
  user: (r) => r.uid,
  tty: (r) => r.tty,
  comm: (r) => r.comm,
  cmd: (r) => r.comm,
  ucmd: (r) => r.comm,
  args: (r) => r.argv.join(" "),
  start_time: (r) => r.startUnixMicros,
  etime: (r) => -r.startUnixMicros,
  // Nothing of this is modelled: all are equal.
  pcpu: () => 0,
  "%cpu": () => 0,
  pmem: () => 0,
  "%mem": () => 0,
  rss: () => 0,
  vsz: () => 0,
  time: () => 0,
};

function listed(row: ProcessRow, list: Selection["lists"][number], users: ReadonlyMap<number, string>): boolean {
  return list.values.some((value) => {
    switch (list.by) {
      case "pid":
        return row.pid === Number(value);
      case "ppid":
        return row.ppid === Number(value);
      case "sid":
        return row.sid === Number(value);
      case "comm":
        return row.comm === value.slice(0, 15) || programName(row) === value;
      case "user":
        return row.uid === userNumber(users, value);
      case "tty":
        return row.tty === value.replace(/^\/dev\//, "") || (value === "?" && row.tty === "");
    }
  });
}

function selected(row: ProcessRow, call: Call, caller: ProcessRow, users: ReadonlyMap<number, string>): boolean {
  if (call.all) return true;
  const lists = call.lists.some((list) => listed(row, list, users));
  if (call.others || call.unattached) return lists || ((call.others || row.uid === caller.uid) && (call.unattached || row.tty !== ""));
  if (call.lists.length > 0) return lists;
  return row.uid === caller.uid && row.tty === caller.tty && (!call.bsd || row.tty !== "");
}

function sorted(rows: readonly ProcessRow[], keys: Call["sort"]): readonly ProcessRow[] {
  return [...rows].sort((a, b) => {
    for (const { key, down } of keys) {
      const of = SORT_KEYS[key];
      const [x, y] = [of?.(a) ?? 0, of?.(b) ?? 0];
      if (x !== y) return x < y !== down ? -1 : 1;
    }
    return a.pid - b.pid;
  });
}

function* body(argv: readonly string[]): ToolBody {
  const reader = new Reader(argv.slice(1));
  const refused = reader.read();
  if (refused !== undefined) return yield* failed(refused.text);
  const { call } = reader;
  const rows = yield* processes();
  const users = yield* userNames();
  const me = yield* self();
  const caller = rows.find((r) => r.pid === me.pid);
  if (caller === undefined) throw new Error("ps is not in the process list");
  const chosen = sorted(
    rows.filter((row) => selected(row, call, caller, users) !== call.deselect),
    call.sort,
  );
  const names = call.format ?? (call.bsd ? BSD : PLAIN);
  const shown: Shown[] =
    call.own.length > 0
      ? call.own
      : names.flatMap((name) => {
          const column = COLUMNS[name];
          return column === undefined ? [] : [{ column, heading: name === "user" && names === FULL ? "UID" : column.heading }];
        });
  yield* print(table(chosen, shown, call.headings, { nowUnixMicros: me.unixMicros, users }));
  return chosen.length === 0 ? 1 : 0;
}

export const ps: Tool = {
  name: "ps",
  summary: "report the processes of this machine",
  options: [
    { flag: "-e", help: "every process" },
    { flag: "-f", help: "full format" },
    { flag: "-C", help: "by command name" },
    { flag: "-p", help: "by process id" },
    { flag: "-o", help: "columns of one's own" },
    { flag: "--sort", help: "order" },
    { flag: "--no-headers", help: "no heading line" },
  ],
  body,
};
