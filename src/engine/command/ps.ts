/**
 * ps: a report of the processes of this machine, in procps 4.0's layouts. In the real stack: ps over /proc. Left out: kernel threads, which the lab has none of; what ps-options.ts and ps-columns.ts
 * name; and the width of the terminal (nothing is cut off at the end of a line).
 */
import { COLUMNS, table, type Shown } from "./ps-columns.ts";
import { Answer, BSD, HEADED_UID, parsePs, PLAIN, terminalName, type PsCall } from "./ps-options.ts";
import { forest } from "./ps-tree.ts";
import { processes, programName, userNames, userNumber, type ProcessRow } from "./processes.ts";
import { print, self, type Tool, type ToolBody } from "./tool.ts";

function listed(row: ProcessRow, list: PsCall["lists"][number], users: ReadonlyMap<number, string>): boolean {
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
        return row.tty === terminalName(value);
    }
  });
}

function selected(row: ProcessRow, call: PsCall, caller: ProcessRow, users: ReadonlyMap<number, string>): boolean {
  if (call.running && row.state !== "R" && row.state !== "D") return false;
  if (call.all) return true;
  if (call.lists.some((list) => listed(row, list, users))) return true;
  if (call.ownTerminal && row.tty === caller.tty) return true;
  if (call.but !== undefined && !row.leader && (call.but === "leaders" || row.tty !== "")) return true;
  if (call.others || call.unattached) return (call.others || row.uid === caller.uid) && (call.unattached || row.tty !== "");
  if (call.lists.length > 0 || call.but !== undefined || call.ownTerminal) return false;
  // By themselves BSD's options mean whoever is on a terminal, of whichever user calls.
  return row.uid === caller.uid && row.tty === caller.tty && (!call.bsd || row.tty !== "");
}

function sorted(
  rows: readonly ProcessRow[],
  call: PsCall,
  users: ReadonlyMap<number, string>,
  nowUnixMicros: number,
): readonly ProcessRow[] {
  const of = (row: ProcessRow, key: string): number | string => {
    const column = COLUMNS[key];
    return column?.order?.(row) ?? column?.text(row, { nowUnixMicros, users }) ?? 0;
  };
  return [...rows].sort((a, b) => {
    for (const { key, down } of call.sort) {
      const [x, y] = [of(a, key), of(b, key)];
      if (x !== y) return x < y !== down ? -1 : 1;
    }
    return a.pid - b.pid;
  });
}

function columnsOf(call: PsCall): readonly Shown[] {
  if (call.own.length > 0) return call.own;
  const names = call.format ?? (call.bsd ? BSD : PLAIN);
  return names.flatMap((name) => {
    const column = COLUMNS[name];
    return column === undefined ? [] : [{ column, heading: name === "user" && HEADED_UID.has(names) ? "UID" : column.heading }];
  });
}

function* body(argv: readonly string[]): ToolBody {
  const rows = yield* processes();
  const users = yield* userNames();
  const me = yield* self();
  const call = parsePs(argv.slice(1), { users, terminals: new Set(["", ...rows.map((row) => row.tty)]) });
  if (call instanceof Answer) {
    yield* print(call.text, call.status === 0 ? "stdout" : "stderr");
    return call.status;
  }
  const caller = rows.find((r) => r.pid === me.pid);
  if (caller === undefined) throw new Error("ps is not in the process list");
  const chosen = rows.filter((row) => selected(row, call, caller, users) !== call.deselect);
  const order = sorted(chosen, call, users, me.unixMicros);
  const shown = call.tree === "none" ? { rows: order, branches: new Map<number, string>() } : forest(order, call.tree === "drawn");
  yield* print(table(shown.rows, columnsOf(call), call.headings, { nowUnixMicros: me.unixMicros, users }, shown.branches));
  return chosen.length === 0 ? 1 : 0;
}

export const ps: Tool = {
  name: "ps",
  summary: "report the processes of this machine",
  options: [
    { flag: "-e", help: "every process" },
    { flag: "-f", help: "full format" },
    { flag: "-j", help: "jobs: groups and sessions" },
    { flag: "-C", help: "by command name" },
    { flag: "-p", help: "by process id" },
    { flag: "--ppid", help: "children of these" },
    { flag: "-u", help: "of these users" },
    { flag: "-t", help: "on these terminals" },
    { flag: "-o", help: "columns of one's own" },
    { flag: "--forest", help: "as a tree" },
    { flag: "-H", help: "indented by parent" },
    { flag: "--sort", help: "order" },
    { flag: "--no-headers", help: "no heading line" },
  ],
  body,
};
