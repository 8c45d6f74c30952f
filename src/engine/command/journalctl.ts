/**
 * journalctl: the machine's journal, newest last, over all its boots; with -f what is new whenever the journal has grown. In the real stack: journalctl of systemd 252 over libsystemd's journal files.
 * Left out: what journal-call.ts names. The lab keeps a journal in one active file, of which vacuuming frees nothing.
 */
import type { JournalLine, SelfFacts } from "../kernel/index.ts";
import { systemdTime } from "./dates.ts";
import { isFollow, parseJournalCall, type JournalCall } from "./journal-call.ts";
import { bootId, fieldsOf, FORMATS, journalText, LEVELS, messageText, type Journal } from "./journal-format.ts";
import { Library, callOnce } from "./library.ts";
import { JOURNAL, serviceNames, type JournalCalls } from "./manager-calls.ts";
import { fail, ok, printResult, type Result } from "./result.ts";
import { endless } from "./tool-program.ts";
import {
  connect,
  nextNotice,
  print,
  self,
  type Again,
  type Kept,
  type Rounds,
  type Tool,
  type ToolAnswer,
  type ToolAsk,
  type ToolBody,
  type ToolPart,
} from "./tool.ts";

const NAME = "journalctl";

// ── which lines, and how ───────────────────────────────────────────────────────────────────────────────────────────────

/** The boots that the journal has lines of, in order, with their first and last instants. */
function bootsOf(lines: readonly JournalLine[]): { readonly boot: number; readonly first: number; readonly last: number }[] {
  const out: { boot: number; first: number; last: number }[] = [];
  for (const { boot, instant } of lines) {
    const last = out.at(-1);
    if (last?.boot === boot) last.last = instant;
    else out.push({ boot, first: instant, last: instant });
  }
  return out;
}

/** Which boot -b means: counted from the present one backwards, or from the first one forwards. */
function chosenBoot(journal: Journal, wanted: number | string, lines: readonly JournalLine[]): number | undefined {
  const boots = bootsOf(lines);
  if (typeof wanted === "string") return boots.find((b) => bootId(journal, b.boot) === wanted)?.boot;
  return boots.at(wanted - 1)?.boot;
}

/** Values for one field are alternatives, fields come together: systemd.journal-fields(7). */
function fits(journal: Journal, line: JournalLine, matches: JournalCall["matches"]): boolean {
  const fields = fieldsOf(journal, line);
  return matches.some((group) =>
    group.every(([name]) => group.some(([n, v]) => n === name && fields.some(([f, x]) => f === n && x === v))),
  );
}

function select(journal: Journal, call: JournalCall, all: readonly JournalLine[]): JournalLine[] {
  const boot = call.boot === undefined ? undefined : chosenBoot(journal, call.boot, all);
  return all.filter((line) => {
    const at = journal.epochUnixMicros + line.instant;
    const level = LEVELS.indexOf(line.level);
    if (call.boot !== undefined && line.boot !== boot) return false;
    if (call.units.length > 0 && !call.units.includes(line.unit)) return false;
    if (call.identifiers.length > 0 && !call.identifiers.includes(line.identifier)) return false;
    if (call.matches.length > 0 && !fits(journal, line, call.matches)) return false;
    if (call.grep?.test(messageText(line)) === false) return false;
    return (
      (call.since === undefined || at >= call.since) &&
      (call.until === undefined || at <= call.until) &&
      level >= call.levels[0] &&
      level <= call.levels[1]
    );
  });
}

function render(journal: Journal, call: JournalCall, chosen: readonly JournalLine[], all: readonly JournalLine[]): string {
  const began = new Map(bootsOf(all).map((b) => [b.boot, b.first]));
  const marks = call.format.startsWith("short") || call.format === "verbose";
  let text = "";
  let before: number | undefined;
  for (const line of chosen) {
    if (before !== undefined && before !== line.boot && marks) text += `-- Boot ${bootId(journal, line.boot)} --\n`;
    before = line.boot;
    text += journalText(journal, line, call.format, call.hostname, began.get(line.boot));
  }
  return text;
}

function listBoots(journal: Journal, all: readonly JournalLine[]): string {
  const boots = bootsOf(all);
  const time = (instant: number): string => systemdTime(journal.epochUnixMicros + instant);
  const header = ["IDX", "BOOT ID".padEnd(32), "FIRST ENTRY".padEnd(27), "LAST ENTRY".padEnd(27)].join(" ").trimEnd();
  const rows = boots.map((b, i) =>
    [String(i - boots.length + 1).padStart(3), bootId(journal, b.boot), time(b.first), time(b.last)].join(" "),
  );
  return [header, ...rows].map((l) => `${l}\n`).join("");
}

/** journald's files begin with 8 MiB and grow by as much. */
const FILE_BYTES = 8 * 1024 * 1024;
/** What an entry with its fields takes in one. */
const ENTRY_BYTES = 512;

function instead(journal: Journal, call: JournalCall, all: readonly JournalLine[]): Result {
  switch (call.instead) {
    case "list-boots":
      return ok(listBoots(journal, all));
    case "disk-usage": {
      const size = Math.max(1, Math.ceil((all.length * ENTRY_BYTES) / FILE_BYTES)) * 8;
      return ok(`Archived and active journals take up ${size.toFixed(1)}M in the file system.\n`);
    }
    case "vacuum":
      return { stdout: "", stderr: call.quiet ? "" : "Vacuuming done, freed 0B of archived journals from /var/log/journal.\n", status: 0 };
    default:
      return ok("");
  }
}

/** What a call prints of all the lines there are. */
function printed(journal: Journal, call: JournalCall, all: readonly JournalLine[]): Result {
  if (call.instead !== undefined) return instead(journal, call, all);
  if (call.boot !== undefined && call.boot !== 0 && chosenBoot(journal, call.boot, all) === undefined) {
    const which = typeof call.boot === "string" ? call.boot : `${call.boot > 0 ? "+" : ""}${call.boot}`;
    return fail(`Data from the specified boot (${which}) is not available: No such boot ID in journal\n`);
  }
  const found = select(journal, call, all);
  const chosen = call.lines === undefined ? found : found.slice(Math.max(0, found.length - call.lines));
  if (call.reverse) chosen.reverse();
  if (chosen.length === 0) return { ...ok(call.quiet || call.follow ? "" : "-- No entries --\n"), status: call.grep === undefined ? 0 : 1 };
  return ok(render(journal, call, chosen, all));
}

// ── the tool ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const journalOf = ({ hostname, unixMicros, now }: SelfFacts): Journal => ({ hostname, epochUnixMicros: unixMicros - now });

/** The journal's lines from that number on. */
function* since(from: number): ToolPart<readonly JournalLine[]> {
  return (yield* callOnce<JournalCalls, "since">(JOURNAL, "since", { from }))?.lines ?? [];
}

function* body(argv: readonly string[]): ToolBody {
  const me = yield* self();
  const call = parseJournalCall(argv.slice(1), me.unixMicros);
  return yield* printResult("stdout" in call ? call : printed(journalOf(me), call, yield* since(0)));
}

type FollowBody = Generator<ToolAsk, number | Again, ToolAnswer>;

/** What is kept: the connection, and the number of the first line that has not been looked at. */
const CONNECTION = "connection";
const NEXT = "next";

/** The last lines, then every new one. */
function* beginFollowing(argv: readonly string[]): FollowBody {
  const me = yield* self();
  const call = parseJournalCall(argv.slice(1), me.unixMicros);
  if ("stdout" in call) return yield* printResult(call);
  const connection = yield* connect(JOURNAL);
  if (connection === "refused") return 1;
  yield* new Library<JournalCalls>(connection).ask("follow", {});
  const all = yield* since(0);
  yield* print(printed(journalOf(me), call, all).stdout);
  return { again: { [NEXT]: all.length, [CONNECTION]: connection } };
}

/** A boot that was chosen says where to begin; what comes after is of whatever boot the machine is in. */
function* goOnFollowing(argv: readonly string[], kept: Kept): FollowBody {
  if ((yield* nextNotice(Number(kept[CONNECTION]))) === "gone") return 1;
  const me = yield* self();
  const call = parseJournalCall(argv.slice(1), me.unixMicros);
  if ("stdout" in call) return yield* printResult(call);
  const newer = yield* since(Number(kept[NEXT]));
  const journal = journalOf(me);
  yield* print(render(journal, call, select(journal, { ...call, boot: undefined }, newer), newer));
  return { again: { ...kept, [NEXT]: Number(kept[NEXT]) + newer.length } };
}

const following: Rounds = { name: NAME, body: (argv, kept) => (kept === undefined ? beginFollowing(argv) : goOnFollowing(argv, kept)) };

export const journalctl: Tool = {
  name: NAME,
  summary: "the machine's journal",
  options: [
    { flag: "-u", help: "lines of one unit" },
    { flag: "-f", help: "follow" },
    { flag: "-n", help: "the last lines" },
    { flag: "-b", help: "lines of one boot" },
    { flag: "-r", help: "newest first" },
    { flag: "-p", help: "lines of a level or worse" },
    { flag: "-t", help: "lines of one identifier" },
    { flag: "-g", help: "lines that a pattern fits" },
    { flag: "-o", help: `format: ${FORMATS.join(", ")}` },
    { flag: "--list-boots", help: "the boots that have lines" },
    { flag: "--since", help: "from this time on" },
    { flag: "--until", help: "up to this time" },
    { flag: "--no-pager", help: "no pager" },
  ],
  *operands(before) {
    return before.at(-1) === "-u" || before.at(-1) === "--unit" ? yield* serviceNames() : [];
  },
  body,
  endless: (argv) => (isFollow(argv.slice(1)) ? endless(following) : undefined),
};
