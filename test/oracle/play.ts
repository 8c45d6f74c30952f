/**
 * Plays a scenario on two clusters side by side, one of real daemons and one in the lab, and compares what every node says of membership, quorum, votes and
 * flags once the cluster has settled after each act. What differs gets more time on both, since a real machine may be late; what still differs is told.
 */
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
  close(): Promise<void>;
}

export interface Played {
  /** Answers that were compared and equal. */
  readonly equal: number;
  /** Acts after which the answers were equal only with more time. */
  readonly late: readonly string[];
  readonly difference: string | undefined;
}

/** Longer than a lost token, consensus, the link's pongs and the window of last_man_standing take, at the scenario's token of one second. */
const SETTLE_S = 9;
/** A quorum device has timers of its own: heartbeat, sync timeout, reconnecting. */
const SETTLE_DEVICE_S = 26;
const MORE_TIMES = 2;

const STATUS = ["corosync-quorumtool", "-s"];

/** Answers without what is a matter of the clock, and of how many rings there have been. */
function blanked({ status, stdout, stderr }: Said): string {
  const text = stdout
    .replace(/^(Date: +).*$/m, "$1…")
    .replace(/^(Ring ID: +\w+\.).*$/m, "$1…")
    .replace(/ +$/gm, "");
  return `${text}${stderr}(${status ?? "killed"})\n`;
}

function different(what: string, real: Said, ours: Said): string | undefined {
  const [a, b] = [blanked(real), blanked(ours)];
  return a === b ? undefined : `${what}\n--- real\n${a}--- the lab\n${b}`;
}

async function statuses(nodes: readonly number[], real: Cluster, ours: Cluster): Promise<string[]> {
  const out: string[] = [];
  const answers = await Promise.all(nodes.map((node) => real.ask(node, STATUS)));
  for (const [i, node] of nodes.entries()) {
    const said = answers[i];
    const found = said === undefined ? undefined : different(`node${node}`, said, await ours.ask(node, STATUS));
    if (found !== undefined) out.push(found);
  }
  return out;
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

/** @param progress is told each act before it is done */
export async function play(scenario: Scenario, real: Cluster, ours: Cluster, progress: (line: string) => void): Promise<Played> {
  const votes = [...scenario.votes];
  let version = 1;
  let equal = 0;
  const late: string[] = [];
  const settle = scenario.device === undefined ? SETTLE_S : SETTLE_DEVICE_S;
  const both = async <T>(act: (cluster: Cluster) => Promise<T>): Promise<[T, T]> => Promise.all([act(real), act(ours)]);
  for (const [i, act] of scenario.acts.entries()) {
    const line = `${i + 1}. ${sayAct(act)}`;
    progress(line);
    if (act.kind === "reload") {
      votes[act.of - 1] = act.votes;
      version++;
      for (const cluster of [real, ours]) cluster.write(confOf(scenario, votes, version));
    }
    const [a, b] = await both((cluster) => cluster.do(act));
    const said = a === undefined || b === undefined ? undefined : different(line, a, b);
    if (said !== undefined) return { equal, late, difference: said };
    const nodes = answering(scenario, scenario.acts.slice(0, i + 1));
    let found: string[] = [];
    for (let times = 0; times <= MORE_TIMES; times++) {
      await both((cluster) => cluster.wait(settle));
      found = await statuses(nodes, real, ours);
      if (found.length === 0) {
        if (times > 0) late.push(line);
        break;
      }
    }
    if (found.length > 0) return { equal, late, difference: `after ${line}\n${found.join("")}` };
    equal += nodes.length;
  }
  return { equal, late, difference: undefined };
}
