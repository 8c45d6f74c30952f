/**
 * The rule of comparison. Outputs are equal byte for byte and logs line for line after blanking what differs between two runs of the real daemons: the
 * date, pids, pointers, the values of statistics (but for connected, enabled, mtu), and in `ls -l` sizes and times. Who logs "Token has not been received" and "A processor
 * failed" is a race of one network hop and is checked by rules of its own (races.ts).
 */
import { SEC } from "../../src/engine/kernel/index.ts";
import { parseLog, type RecordedStep } from "./recording.ts";
import type { Answer, Played, PlayedStep } from "./play.ts";

export interface Difference {
  step: number;
  where: string;
  recorded: string;
  lab: string;
}

export interface Excluded {
  scenario: string;
  step: number;
  reason: string;
}

/** Steps that are not compared, each with its reason. At most three. */
export const EXCLUDED: readonly Excluded[] = [];

const KEPT_STATS = /\.(connected|enabled|mtu) \(/;

function blankStat(line: string): string {
  if (!line.startsWith("stats.")) return line;
  const key = line.replace(/^(stats\.ipcs\.[a-z0-9]+)\.\d+\.0x[0-9a-f]+\./, "$1.PID.POINTER.");
  return KEPT_STATS.test(key) ? key : key.replace(/\) = .*$/, ") = VALUE");
}

/**
 * Client ports, and when something last happened. Of a vote the last ACK or NACK counts (in parentheses): whether "No change" was said after it depends on which of
 * the clients that connect within the same milliseconds was the last.
 */
function blankDevice(line: string): string {
  return line
    .replace(/^(\s+Vote:\s+)(?:ACK|NACK|No change) (\((?:ACK|NACK)\))$/, "$1LAST $2")
    .replace(/^(\s+Client address:\s+\S+):\d+$/, "$1:PORT")
    .replace(/^((?:Connected since|Echo reply received|Last poll call):\s+)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/, "$1TIME");
}

function blankLs(line: string): string {
  if (/^total \d+$/.test(line)) return "total N";
  return line.replace(/^([-dl][rwxst-]{9})\s+\d+ (\S+) (\S+)\s+\d+ \w{3} [ \d]\d [ \d:]{5} /, "$1 N $2 $3 SIZE TIME ");
}

/** Output of a tool with everything volatile blanked. */
export function blank(command: string, text: string): string {
  let lines = text.split("\n").map((l) => l.replace(/^(Date:\s+).*$/, "$1DATE"));
  if (command.includes("-m stats")) lines = lines.map(blankStat);
  if (/^corosync-q(device|netd)-tool/.test(command)) lines = lines.map(blankDevice);
  if (command.startsWith("ls ")) lines = lines.map(blankLs);
  return lines.join("\n");
}

const COMPARED = new Set(["TOTEM", "QUORUM", "VOTEQ"]);
const RACE = /^(Token has not been received in \d+ ms|A processor failed, forming new configuration)/;

/**
 * A reload opens the daemon's log file anew in the middle of these two lines, and some of the recorded ones are lost or garbled there (on the daemons' standard
 * error, which a reload leaves alone, both are always there). So the recorded ones must be the lab's, and the lab's may be more.
 */
const LINK_LINES = /^\[TOTEM\] Configur(?:ing link \d+|ed link number \d+: local addr: \S+, port=\d+)$/;

function reloads(step: RecordedStep, node: string): boolean {
  return (step.log[node] ?? []).some(([, line]) => line.includes("Config reload requested by node"));
}

function comparable(subsystem: string, text: string): boolean {
  return COMPARED.has(subsystem) && !RACE.test(text);
}

export function recordedLog(step: RecordedStep, node: string): string[] {
  return (step.log[node] ?? []).flatMap(([, line]) => {
    const parsed = parseLog(line);
    return parsed !== undefined && comparable(parsed.subsystem, parsed.text) ? [`[${parsed.subsystem}] ${parsed.text}`] : [];
  });
}

export function labLog(step: PlayedStep, node: string): string[] {
  return (step.log[node] ?? []).flatMap((l) =>
    l.level !== "debug" && comparable(l.subsystem, l.text) ? [`[${l.subsystem}] ${l.text}`] : [],
  );
}

function find(step: PlayedStep, node: string, command: string): Answer | undefined {
  return step.answers.find((a) => a.node === node && a.command === command);
}

/** Ring sequence numbers taken out, where an attempt more or less shifts every later one. */
const blankSeq = (text: string): string => text.replace(/\b(\d+)\.[0-9a-f]+(?=\)|$)/gm, "$1.SEQ");

/** A forming that repeats the one before it, reduced to one: a cluster that never settles repeats them without end. */
function collapse(lines: readonly string[]): string[] {
  const blocks: string[] = [];
  for (const line of lines) {
    if (line.startsWith("[QUORUM] Sync members") || blocks.length === 0) blocks.push(line);
    else blocks[blocks.length - 1] += `\n${line}`;
  }
  return blocks.map(blankSeq);
}

function repeats(blocks: readonly string[]): { shape: string[]; most: number[] } {
  const shape: string[] = [];
  const most: number[] = [];
  for (const block of blocks) {
    if (shape[shape.length - 1] === block) most[most.length - 1] = (most[most.length - 1] ?? 0) + 1;
    else {
      shape.push(block);
      most.push(1);
    }
  }
  return { shape, most };
}

function sameButForOneRepeat(a: readonly string[], b: readonly string[]): boolean {
  const x = repeats(collapse(a));
  const y = repeats(collapse(b));
  return x.shape.join("\n") === y.shape.join("\n") && x.most.every((n, i) => Math.abs(n - (y.most[i] ?? 0)) <= 1);
}

export interface Rule {
  /** The scenario never settles: the number of formings may differ by one, and with it every ring's sequence number. */
  readonly unsettled: boolean;
  /** The recorded run lost a commit token while it formed: its rings' sequence numbers are higher than those of a run that lost none. */
  readonly shifted: boolean;
}

/** Compares one played step with its recording. */
export function compareStep(recorded: RecordedStep, played: PlayedStep, rule: Rule): Difference[] {
  const { unsettled, shifted } = rule;
  const out: Difference[] = [];
  const say = (where: string, a: string, b: string): void => void out.push({ step: recorded.step, where, recorded: a, lab: b });
  const asked = [
    ...recorded.commands.map((c) => ({ node: `node${c.node}`, command: c.cmd, want: c })),
    ...Object.entries(recorded.outputs).flatMap(([node, list]) => Object.entries(list).map(([command, want]) => ({ node, command, want }))),
  ];
  for (const { node, command, want } of asked) {
    if (command === "(state)") continue;
    const got = find(played, node, command);
    if (got === undefined) throw new Error(`step ${recorded.step}: ${command} was not asked on ${node}`);
    const shape = unsettled || shifted ? blankSeq : (t: string): string => t;
    const a = `${shape(blank(command, want.out))}${want.err}exit ${want.rc}`;
    const b = `${shape(blank(command, got.out))}${got.err}exit ${got.rc}`;
    if (a !== b) say(`${node}# ${command}`, a, b);
  }
  for (const node of Object.keys(played.log)) {
    let a = recordedLog(recorded, node);
    let b = labLog(played, node);
    if (reloads(recorded, node)) {
      const untold = a.filter((l) => LINK_LINES.test(l) && !b.includes(l));
      if (untold.length > 0) say(`${node} log of the links`, untold.join("\n"), "");
      [a, b] = [a, b].map((lines) => lines.filter((l) => !LINK_LINES.test(l))) as [string[], string[]];
    }
    const rings = shifted ? blankSeq : (t: string): string => t;
    const same = unsettled ? sameButForOneRepeat(a, b) : rings(a.join("\n")) === rings(b.join("\n"));
    if (!same) say(`${node} log`, a.join("\n"), b.join("\n"));
  }
  return out;
}

/** Did a commit token get lost in this run before `second`? */
export function lostCommitToken(played: Played): boolean {
  return played.traces.some((t) => t.event.what === "commit-token-lost");
}

export const seconds = (at: number): number => at / SEC;
