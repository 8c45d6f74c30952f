/**
 * The two lines whose author is a race of one network hop. In every component that lost somebody who sent no leave, at least one node logs
 * "A processor failed", none twice per forming, and one without the line was drawn in by a join; the first "Token has not been received in N ms" of a
 * gather comes when three quarters of the token timeout are over.
 */
import type { Played } from "./play.ts";

const FAILED = /^A processor failed, forming new configuration/;
const WARNING = /^Token has not been received in (\d+) ms/;
const FORMED = /^A new membership \((\S+)\) was formed\. Members(?: joined: [\d ]+?)?(?: ?left: ([\d ]+))?$/;
const UNTOLD = /^Failed to receive the leave message/;

interface Forming {
  node: string;
  ring: string;
  second: number;
  crashed: boolean;
  failedLines: number;
  drawnIn: boolean;
  tokenLost: boolean;
}

/** Every forming of every node with what preceded it since the node's forming before. */
function formings(played: Played): Forming[] {
  const out: Forming[] = [];
  for (const node of played.world.names) {
    let since = -1;
    const lines = played.journal.filter((j) => j.node === node);
    lines.forEach((j, i) => {
      const m = FORMED.exec(j.line.text);
      if (m === null) return;
      const before = lines.slice(0, i).filter((l) => l.second > since);
      const entered = played.traces.flatMap((t) =>
        t.node === node && t.event.what === "state" && t.event.state === "gather" && t.at / 1e6 > since && t.at / 1e6 <= j.second
          ? [t.event.reason]
          : [],
      );
      out.push({
        node,
        ring: m[1] ?? "",
        second: j.second,
        crashed: UNTOLD.test(lines[i + 1]?.line.text ?? ""),
        failedLines: before.filter((l) => FAILED.test(l.line.text)).length,
        drawnIn: entered.includes(11) || entered.includes(12),
        tokenLost: entered.includes(2),
      });
      since = j.second;
    });
  }
  return out;
}

/**
 * Sentences that do not hold in this run; empty when all do.
 * @param connected every machine still reaches every other by way of others (a cut of one pair): then all of them are one component
 */
export function brokenRaceRules(played: Played, connected: boolean): string[] {
  const broken: string[] = [];
  const all = formings(played);
  for (const f of all) {
    if (f.failedLines > 1) broken.push(`${f.node} logged "A processor failed" ${f.failedLines} times before ${f.ring} at ${f.second}`);
    if (!f.crashed) continue;
    const component = all.filter((o) => (connected || o.ring === f.ring) && Math.abs(o.second - f.second) < 1);
    if (!component.some((o) => o.failedLines > 0)) broken.push(`nobody in ${f.ring} at ${f.second} logged "A processor failed"`);
    if (f.failedLines === 0 && !f.drawnIn)
      broken.push(`${f.node} left for ${f.ring} at ${f.second} without a lost token and without a join`);
  }
  return [...broken, ...wrongWarnings(played)];
}

function wrongWarnings(played: Played): string[] {
  const broken: string[] = [];
  const token = played.world.status(played.world.names[0] ?? "").corosync?.token.tokenTimeoutMs;
  if (token === undefined) return broken;
  for (const node of played.world.names) {
    let first = true;
    for (const j of played.journal.filter((l) => l.node === node)) {
      if (FORMED.test(j.line.text)) first = true;
      const m = WARNING.exec(j.line.text);
      if (m === null) continue;
      const n = Number(m[1]);
      // After a stop of the process the token may have waited in the socket; without one the whole stop counts (recorded: 14255 ms).
      const stopped = played.pauses.find((p) => p.node === node && Math.abs(p.until - j.second) < 0.05);
      const most = 0.75 * token + (stopped === undefined ? 0 : (stopped.until - stopped.from) * 1000) + 5;
      if (first && (n < Math.floor(0.75 * token) || n > most))
        broken.push(`${node} at ${j.second}: first warning after ${n} ms of ${token} ms`);
      first = false;
    }
  }
  return broken;
}
