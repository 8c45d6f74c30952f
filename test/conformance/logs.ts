/**
 * One daemon's log of one step against the recorded one: level, subsystem and text of every line in order. What is known to differ always is taken out first;
 * what is a race of the real daemons only where the logs are not equal with it, and then no more of it than makes them equal.
 */
import type { JournalLine } from "../../src/engine/kernel/index.ts";
import type { Release } from "../../src/engine/config/index.ts";
import type { ExclusionName } from "./exclusions.ts";
import type { Ledger, Side } from "./ledger.ts";
import { parseLog, type LogLine } from "./recording.ts";
import { shifted, type Shift } from "./rings.ts";

export interface Where {
  readonly scenario: string;
  readonly step: number;
  readonly release: Release;
  readonly node: string;
  readonly shift: Shift;
}

/** What lines are about: libknet's threads write about each host and about the handle, the main thread writes the rest. */
type Channel = "main" | "handle" | `host ${string}` | `callback ${string}`;

const sayLine = (l: LogLine): string => `${l.level} [${l.subsystem}] ${l.text}`;

function channelOf(line: string): Channel {
  // Called by a thread of libknet, while what libknet itself says goes through a pipe and is written later.
  const callback = /Knet host change callback\. nodeid: (\d+)/.exec(line);
  if (callback !== null) return `callback ${callback[1] ?? ""}`;
  if (!/^\w+ \[KNET\]/.test(line)) return "main";
  const host = /\bhost:? (?:host: )?(\d+)|from 10\.10\.\d+\.(\d+)/.exec(line);
  return host === null ? "handle" : `host ${host[1] ?? host[2] ?? ""}`;
}

/** Debug lines of a real daemon that the lab's does not write. */
const NOT_WRITTEN = new RegExp(
  [
    "TOTEM\\] (?:knet: |totemknet: finalize)",
    "KNET\\] (?:compress|crypto|dstcache|handle|nsscrypto|sctp|transport): ",
    "KNET\\] host: (?:Host \\d+ has new switching policy|host_status_change_notify_fn)",
    "KNET\\] link: (?:Configuring default access lists|Notifying PMTUd|PMTUd has been reset|host: \\d+ link: \\d+ (?:config has been wiped|is configured|is disabled|pong count|priority set|timeout update))",
    "KNET\\] udp: (?:IP_PKTINFO|IP_RECVERR|Re-using existing|UDP socket|tx_sock_error)",
  ]
    .map((part) => `^debug \\[${part}`)
    .join("|"),
);

interface Fixed {
  readonly name: ExclusionName;
  readonly side: Side;
  readonly of?: RegExp;
  readonly line: RegExp;
}

/** Taken out always. */
const FIXED: readonly Fixed[] = [
  { name: "memlock", side: "recorded", line: /^warning \[MAIN\] Could not increase RLIMIT_MEMLOCK/ },
  { name: "no-systemd", side: "lab", line: /^\w+ \[\] / },
  { name: "left-out-by-recorder", side: "lab", of: /^(debug|trace)-/, line: /^\w+ \[(?:QB\]|KNET\] (?:pmtud: |link: Resetting MTU))/ },
  { name: "left-out-by-recorder", side: "lab", of: /^trace-/, line: /\[KNET\] udp: Received ICMP error/ },
  { name: "left-out-by-recorder", side: "recorded", of: /^(debug|trace)-/, line: /^\w+ \[KNET\] udp: detected kernel MTU/ },
  { name: "left-out-by-recorder", side: "lab", of: /^(debug|trace)-/, line: /^\w+ \[KNET\] udp: detected kernel MTU/ },
  { name: "trace-level", side: "recorded", line: /^trace / },
  { name: "debug-of-start", side: "recorded", line: NOT_WRITTEN },
];

/** A race: which lines it may take out. Tried only where the logs are not equal. */
interface Race {
  readonly name: ExclusionName;
  readonly channel: "main" | "host" | "handle" | "callback";
  readonly of?: (where: Where) => boolean;
  readonly take: (lines: readonly string[]) => string[];
}

const dropping =
  (find: RegExp) =>
  (lines: readonly string[]): string[] =>
    lines.filter((l) => !find.test(l));

function withoutSecondToken(lines: readonly string[]): string[] {
  return lines.filter((line, i) => !line.endsWith("[TOTEM] got commit token") || line !== lines[i - 1]);
}

/** Announcements of a host's best link that say what was said before, whatever came between. */
function withoutRepeats(lines: readonly string[]): string[] {
  let said = "";
  const out: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? "";
    if (!line.includes("best link")) {
      out.push(line);
      continue;
    }
    const none = lines[i + 1]?.includes("has no active links") === true ? [lines[i + 1] ?? ""] : [];
    i += none.length;
    const now = [line, ...none].join("\n");
    // Since the link came up before it, this is what was known before.
    const late =
      none.length > 0 && out.some((l) => l.includes(" is up") || l.includes("Resetting MTU")) && !out.some((l) => l.includes(" is down"));
    if (now !== said && !late) out.push(line, ...none);
    said = now;
  }
  return out;
}

function withoutSame(lines: readonly string[]): string[] {
  return lines.filter((line, i) => !line.includes("Global data MTU changed") || line !== lines[i - 1]);
}

/** Announcements before the link had its priority, and those of the own host, which has none to others. */
function withoutPriority0(lines: readonly string[]): string[] {
  const first = (line: string | undefined): boolean => line?.includes("(pri: 0)") === true;
  return lines.filter((line, i) => !first(line) && !(line.includes("has no active links") && first(lines[i - 1])));
}

/** Announcements of the best link after what is said of the links themselves. */
function linksFirst(lines: readonly string[]): string[] {
  const choice = (line: string): boolean => line.includes("best link") || line.includes("has no active links");
  return [...lines.filter((line) => !choice(line)), ...lines.filter(choice)];
}

const RACES: readonly Race[] = [
  {
    name: "token-race",
    channel: "main",
    take: dropping(/^notice \[TOTEM\] (?:Token has not been received in \d+ ms|A processor failed, forming new configuration)/),
  },
  {
    name: "gather-race",
    channel: "main",
    take: dropping(
      /^debug \[TOTEM\] (?:entering GATHER state from (?:2|9|11|12)\(|The token was lost in the OPERATIONAL|totemknet: iface_check)/,
    ),
  },
  { name: "token-again", channel: "main", take: withoutSecondToken },
  { name: "knet-priority", channel: "host", take: withoutPriority0 },
  { name: "knet-repeats", channel: "host", take: withoutRepeats },
  {
    name: "knet-links",
    channel: "host",
    of: ({ scenario, step }) => ["two-links 1", "debug-partition-3 5"].includes(`${scenario} ${step}`),
    take: linksFirst,
  },
  {
    name: "link-order",
    channel: "host",
    of: ({ release, scenario, step }) => release === "9.2" && scenario === "two-links" && step === 1,
    take: (lines) => lines.filter((line) => !line.includes("best link")).sort(),
  },
  { name: "icmp-at-start", channel: "host", take: dropping(/^debug \[KNET\] udp: (?:Received ICMP error|Setting down host)/) },
  {
    name: "neighbour-queue",
    channel: "host",
    of: (w) => w.scenario === "two-links" && w.step === 6,
    take: () => [],
  },
  { name: "relay-gap", channel: "host", of: (w) => w.scenario === "latency-3" && w.step === 3 && w.node === "node3", take: () => [] },
  {
    name: "link-lifted",
    channel: "host",
    of: ({ release }) => release !== "3.1.7",
    take: dropping(
      /^info \[KNET\] rx: host: \d+ link: \d+ is up$|^debug \[KNET\] rx: host: \d+ link: \d+ received (?:pong: \d+|data during valid)/,
    ),
  },
  { name: "link-lifted", channel: "callback", of: ({ release }) => release !== "3.1.7", take: dropping(/reachable: 1$/) },
  { name: "mtu-rounds", channel: "handle", take: withoutSame },
  {
    name: "missed-round",
    channel: "handle",
    of: (w) => w.scenario === "allow-downscale-3" && w.step === 5 && w.node === "node1",
    take: dropping(/Global data MTU changed/),
  },
  { name: "relay-gap", channel: "handle", of: (w) => w.scenario === "latency-3" && w.step === 3 && w.node === "node3", take: () => [] },
];

const same = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((line, i) => line === b[i]);

/** Every choice of the races, few before many. */
function choices(races: readonly Race[]): Race[][] {
  const all = races.reduce<Race[][]>((sets, race) => [...sets, ...sets.map((s) => [...s, race])], [[]]);
  return all.sort((x, y) => x.length - y.length);
}

type Same = (a: readonly string[], b: readonly string[]) => boolean;

/** Compares what is about one thing. @returns the lines that differ, undefined where they are the same */
function compareChannel(ledger: Ledger, where: Where, channel: Channel, a: readonly string[], b: readonly string[], equal: Same) {
  const [kind] = channel.split(" ");
  const possible = RACES.filter((r) => r.channel === kind && (r.of?.(where) ?? true));
  for (const chosen of choices(possible)) {
    let [x, y] = [a, b];
    const taken = chosen.map((race) => {
      const before = [x.length, y.length] as const;
      [x, y] = [race.take(x), race.take(y)];
      return [race.name, before[0] - x.length, before[1] - y.length] as const;
    });
    if (!equal(x, y)) continue;
    for (const [name, recorded, lab] of taken) {
      ledger.leave(name, "recorded", recorded);
      ledger.use(name, "lab", lab);
      // It was an order that made them equal.
      if (recorded + lab === 0) ledger.use(name, "recorded");
    }
    ledger.compared += x.length;
    return undefined;
  }
  ledger.compared += a.length;
  return { recorded: a.join("\n"), lab: b.join("\n") };
}

/** Ring sequence numbers blanked, a forming that repeats the one before reduced to it: a cluster that never settles repeats them without end. */
function formings(lines: readonly string[]): { shape: string; most: number[] } {
  const blocks: string[] = [];
  for (const line of lines) {
    if (line.includes("[QUORUM] Sync members") || blocks.length === 0) blocks.push(line);
    else blocks[blocks.length - 1] += `\n${line}`;
  }
  const shape: string[] = [];
  const most: number[] = [];
  for (const block of blocks) {
    if (shape[shape.length - 1] === block) most[most.length - 1] = (most[most.length - 1] ?? 0) + 1;
    else most[shape.push(block) - 1] = 1;
  }
  return { shape: shape.join("\n"), most };
}

function sameButForOneForming(a: readonly string[], b: readonly string[]): boolean {
  const [x, y] = [formings(a), formings(b)];
  return x.shape === y.shape && x.most.every((n, i) => Math.abs(n - (y.most[i] ?? 0)) <= 1);
}

/** The lines of a side that are compared at all. */
function prepared(ledger: Ledger, where: Where, side: Side, lines: readonly string[]): string[] {
  const kept = FIXED.filter((f) => f.side === side && (f.of?.test(where.scenario) ?? true)).reduce<string[]>(
    (rest, { name, line }) => ledger.without(name, side, rest, (l) => line.test(l)),
    [...lines],
  );
  return kept.map((line) => {
    const late = ledger.blank(
      "lateness",
      side,
      line,
      /^(warning \[MAIN\] Corosync main process was not scheduled )\(@\d+\) for [\d.]+ ms/g,
      (text) => `${text}(@TIME) for N ms`,
    );
    return shifted(ledger, side, late, where.shift);
  });
}

const LINK_LINES = /^info \[TOTEM\] Configur(?:ing link \d+|ed link number \d+: local addr: \S+, port=\d+)$/;

export interface LogDifference {
  readonly channel: string;
  readonly recorded: string;
  readonly lab: string;
}

export function compareLog(ledger: Ledger, where: Where, raw: readonly string[], journal: readonly JournalLine[]): LogDifference[] {
  ledger.met += raw.length;
  const reloads = raw.some((line) => line.includes("Config reload requested by node"));
  const out: LogDifference[] = [];
  const whole = reloads ? ledger.without("log-reopened", "recorded", raw, (line) => parseLog(line) === undefined) : raw;
  const parsed = whole.map((line) => {
    const l = parseLog(line);
    if (l === undefined) throw new Error(`${where.scenario}, step ${where.step}, ${where.node}: no line of a log: ${line}`);
    return sayLine(l);
  });
  let a = prepared(ledger, where, "recorded", parsed);
  let b = prepared(ledger, where, "lab", journal.map(sayLine));
  if (reloads) {
    const untold = a.filter((line) => LINK_LINES.test(line) && !b.includes(line));
    if (untold.length > 0) out.push({ channel: "links", recorded: untold.join("\n"), lab: "" });
    a = ledger.without("log-reopened", "recorded", a, (line) => LINK_LINES.test(line));
    b = ledger.without("log-reopened", "lab", b, (line) => LINK_LINES.test(line));
  }
  const endless = where.shift === "endless";
  if (same(a, b)) {
    ledger.compared += a.length;
    return out;
  }
  const channels = new Set([...a, ...b].map(channelOf));
  let ordered = true;
  for (const channel of [...channels].sort()) {
    const [x, y] = [a, b].map((lines) => lines.filter((line) => channelOf(line) === channel)) as [string[], string[]];
    ordered &&= same(x, y);
    const equal = endless && channel === "main" && !same(x, y) ? sameButForOneForming : same;
    const difference = compareChannel(ledger, where, channel, x, y, equal);
    if (equal !== same) ledger.use("endless", "recorded");
    if (difference !== undefined) out.push({ channel, ...difference });
  }
  if (ordered) ledger.use("knet-threads", "recorded");
  return out;
}
