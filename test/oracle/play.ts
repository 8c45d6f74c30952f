/**
 * Plays a scenario on two clusters, one of real daemons and one in the lab, and compares what every node says of membership, quorum, votes and flags once
 * the cluster has settled after each act. What differs gets more time on both, since a real machine may be late. What differs then is a race where the
 * lab does the same as the real daemons when its acts come some tenths of a second earlier or later; else it is told.
 */
import { Ledger, type Side } from "../conformance/ledger.ts";
import { confOf, sayAct, type Act, type Scenario } from "./scenario.ts";

export interface Said {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface Cluster {
  /** Lets seconds pass. */
  wait(seconds: number): Promise<void>;
  /** @returns what the tool said, where the act is a tool's call */
  do(act: Act): Promise<Said | undefined>;
  /** Puts a corosync.conf on every node. */
  write(text: string): void;
  ask(node: number, argv: readonly string[]): Promise<Said>;
}

export interface Played {
  /** Answers that were compared and equal. */
  readonly equal: number;
  /** Acts after which the answers were equal only with more time, or only with the lab's acts a little shifted. */
  readonly notes: readonly string[];
  readonly difference: string | undefined;
}

/** A lab of its own for the scenario; another timing for each number. */
export type MakeOurs = (timing: number) => Cluster;

/** Longer than a lost token, consensus, the link's pongs and the window of last_man_standing take, at the scenario's token of one second. */
const SETTLE_S = 9;
/** A quorum device has timers of its own: heartbeat, sync timeout, reconnecting. */
const SETTLE_DEVICE_S = 26;
const TIMES = 3;
/** Labs with another timing that are tried before a difference counts: what real daemons do once in a while a lab does in some of ten. */
const TIMINGS = 10;
/** Acts of one scenario that may be races: more are no chance. */
const RACES_MOST = 2;

const STATUS = ["corosync-quorumtool", "-s"];

/** What this run leaves out. */
export const ledger = new Ledger("nightly");

/** Answers without what is a matter of the clock, and of how many rings there have been. */
function blanked(side: Side, { status, stdout, stderr }: Said): string {
  const undated = ledger.blank("nightly-date", side, stdout, /^(Date: +).*$/gm, (label) => `${label}…`);
  const ringless = ledger.blank("nightly-ring", side, undated, /^(Ring ID: +\w+\.).*$/gm, (label) => `${label}…`);
  const text = ledger.blank("nightly-blanks", side, ringless, / +$/gm, () => "");
  return `${text}${stderr}(${status ?? "killed"})\n`;
}

/** Lines that only one of them has; undefined where they are the same. */
function different(what: string, real: Said, ours: Said): string | undefined {
  const [a, b] = [blanked("recorded", real).split("\n"), blanked("lab", ours).split("\n")];
  if (a.join("\n") === b.join("\n")) return undefined;
  const lines = a.map((line, i) => (line === b[i] ? "" : `  real     ${line}\n`)).join("");
  return `${what}\n${lines}${b.map((line, i) => (line === a[i] ? "" : `  the lab  ${line}\n`)).join("")}`;
}

/** What was done with the real daemons in one act, and what they said. */
interface Done {
  readonly act: Act;
  /** The file that was put on every node before. */
  readonly file: string | undefined;
  readonly said: Said | undefined;
  /** Seconds waited after it. */
  readonly waits: number;
  readonly nodes: readonly number[];
  readonly answers: readonly Said[];
}

/** Nodes whose daemon is stopped by a signal answer nobody. */
function answering(scenario: Scenario, done: readonly Act[]): number[] {
  const stalled = new Set<number>();
  for (const act of done) {
    if (act.kind === "stall") stalled.add(act.node);
    else if (act.kind === "resume" || act.kind === "kill") stalled.delete(act.node);
  }
  return Array.from({ length: scenario.nodes }, (_, i) => i + 1).filter((n) => !stalled.has(n));
}

/** What `ours` says differently from the real daemons. */
async function differences(done: Done, ours: Cluster): Promise<string> {
  let text = "";
  for (const [i, node] of done.nodes.entries()) {
    const real = done.answers[i];
    if (real !== undefined) text += different(`node${node}`, real, await ours.ask(node, STATUS)) ?? "";
  }
  return text;
}

/** Does with the lab what was done with the real daemons. @returns what it says differently, "" for nothing */
async function redo(done: Done, ours: Cluster): Promise<string> {
  if (done.file !== undefined) ours.write(done.file);
  const said = await ours.do(done.act);
  const tool = said === undefined || done.said === undefined ? undefined : different(sayAct(done.act), done.said, said);
  if (tool !== undefined) return tool;
  await ours.wait(done.waits);
  return differences(done, ours);
}

/** A lab with another timing that did in all acts as the real daemons. */
async function another(made: MakeOurs, dones: readonly Done[]): Promise<{ ours: Cluster; timing: number } | undefined> {
  for (let timing = 1; timing <= TIMINGS; timing++) {
    const ours = made(timing);
    let same = true;
    for (const done of dones) {
      same &&= (await redo(done, ours)) === "";
      if (!same) break;
    }
    if (same) return { ours, timing };
  }
  return undefined;
}

class Play {
  private readonly dones: Done[] = [];
  private readonly notes: string[] = [];
  private readonly votes: number[];
  private readonly settle: number;
  private ours: Cluster;
  private version = 1;
  private equal = 0;
  private races = 0;

  constructor(
    private readonly scenario: Scenario,
    private readonly real: Cluster,
    private readonly made: MakeOurs,
  ) {
    this.votes = [...scenario.votes];
    this.settle = scenario.device === undefined ? SETTLE_S : SETTLE_DEVICE_S;
    this.ours = made(0);
  }

  /** @returns what differs after act number `i` */
  async act(i: number, act: Act, line: string): Promise<string | undefined> {
    let file: string | undefined;
    if (act.kind === "reload") {
      this.votes[act.of - 1] = act.votes;
      file = confOf(this.scenario, this.votes, ++this.version);
      this.real.write(file);
    }
    const said = await this.real.do(act);
    const nodes = answering(this.scenario, this.scenario.acts.slice(0, i + 1));
    ledger.use("nightly-stopped", "recorded", this.scenario.nodes - nodes.length);
    let found = "";
    for (let times = 1; times <= TIMES; times++) {
      await this.real.wait(this.settle);
      const answers = await Promise.all(nodes.map((node) => this.real.ask(node, STATUS)));
      const done: Done = { act, file, said, waits: times * this.settle, nodes, answers };
      if (times === 1) found = await redo(done, this.ours);
      else {
        await this.ours.wait(this.settle);
        found = await differences(done, this.ours);
      }
      this.dones[i] = done;
      if (found !== "") continue;
      if (times > 1) {
        ledger.use("nightly-late", "recorded");
        this.notes.push(`more time after ${line}`);
      }
      this.equal += nodes.length;
      return undefined;
    }
    const shifted = this.races < RACES_MOST ? await another(this.made, this.dones) : undefined;
    if (shifted === undefined) return found;
    this.races++;
    ledger.use("nightly-race", "lab");
    this.notes.push(`a race in ${line} (timing ${shifted.timing})`);
    this.ours = shifted.ours;
    this.equal += nodes.length;
    return undefined;
  }

  played(difference: string | undefined): Played {
    return { equal: this.equal, notes: this.notes, difference };
  }
}

/** @param progress is told each act before it is done */
export async function play(scenario: Scenario, real: Cluster, made: MakeOurs, progress: (line: string) => void): Promise<Played> {
  const run = new Play(scenario, real, made);
  for (const [i, act] of scenario.acts.entries()) {
    const line = `${i + 1}. ${sayAct(act)}`;
    progress(line);
    const found = await run.act(i, act, line);
    if (found !== undefined) return run.played(`after ${line}\n${found}`);
  }
  return run.played(undefined);
}
