/**
 * The layouts of corosync-quorumtool and corosync-cfgtool against everything real daemons printed. From each recorded `quorumtool -s`, `cfgtool -s` and `cfgtool -n` the numbers
 * are read with plain patterns, a node's state is made of them by hand, and the tools must print each recorded text again, byte for byte.
 */
import { describe, expect, it } from "vitest";
import { answerQuery } from "../../src/engine/command/index.ts";
import { Ledger, type Side } from "../conformance/ledger.ts";
import { keepTable } from "../conformance/table.ts";
import { haveReference, recordings, reference, skipLine } from "../shared.ts";
import { handmade, link, view, type NodeShape, type ViewShape } from "./fake-host.ts";

/** Scenarios of what this version models: plain majority, no quorum device, no quorum options. */
const SCENARIOS = [
  "form-1",
  "form-3-one-by-one",
  "form-3-together",
  "kill-1-of-3",
  "stop-1-of-3",
  "pause-resume-1-of-3",
  "partition-2-1",
  "partition-non-transitive",
  "four-2-2",
  "two-links",
  "latency-3",
  "packet-loss-3",
  "config-version-mismatch",
  "cfgtool-kill-and-monitor",
];

interface Output {
  rc: number | null;
  out: string;
  err: string;
}
interface Recording {
  config: string;
  steps: { step: number; outputs: Record<string, Record<string, Output>> }[];
}

function nodesOf(config: string): NodeShape[] {
  return [...config.matchAll(/node \{([^}]*)\}/g)].map(([, body = ""]) => {
    const value = (key: string): string => new RegExp(`${key}: (\\S+)`).exec(body)?.[1] ?? "";
    return {
      nodeId: Number(value("nodeid")),
      name: value("name"),
      votes: Number(value("quorum_votes") || "1"),
      addresses: [...body.matchAll(/ring\d_addr: (\S+)/g)].map((m) => m[1] ?? ""),
    };
  });
}

/** The state behind one node's recorded outputs. */
function shapeOf(status: string, cfg: string, reach: string, configured: NodeShape[]): ViewShape {
  const field = (label: string): string => new RegExp(`^${label}:\\s+(\\S+)`, "m").exec(status)?.[1] ?? "";
  const rows = [...status.matchAll(/^ +(\d+) +(\d+) (\S+)/gm)];
  const nodes = configured.map((n) => ({ ...n, votes: Number(rows.find((r) => Number(r[1]) === n.nodeId)?.[2] ?? n.votes) }));
  const own = nodes.find((n) => n.nodeId === Number(field("Node ID")));
  if (own === undefined) throw new Error("recorded node is not in the recorded nodelist");
  const mtus = new Map([...reach.matchAll(/LINK: (\d) udp \((\S+)->(\S+)\).*mtu: (\d+)/g)].map((m) => [`${m[1]} ${m[3]}`, Number(m[4])]));
  let number = -1;
  const links = cfg.split("\n").flatMap((line) => {
    number = Number(/^LINK ID (\d)/.exec(line)?.[1] ?? number);
    const row = /nodeid: +(\d+):\t(connected|disconnected)/.exec(line);
    const to = nodes.find((n) => n.nodeId === Number(row?.[1]));
    if (row === null || to === undefined) return [];
    return [link(own, to, number, row[2] === "connected", mtus.get(`${number} ${to.addresses[number] ?? ""}`))];
  });
  const [rep = "0", seq = "0"] = field("Ring ID").split(".");
  return {
    nodeId: own.nodeId,
    nodes,
    links,
    members: rows.map((r) => Number(r[1])),
    ring: { rep: Number.parseInt(rep, 16), seq: Number.parseInt(seq, 16) },
    quorate: field("Quorate") === "Yes",
    expectedVotes: Number(field("Expected votes")),
    highestExpected: Number(field("Highest expected")),
    totalVotes: Number(field("Total votes")),
    quorum: Number(field("Quorum")),
  };
}

const ledger = new Ledger("layouts");
const undated = (side: Side, text: string): string => ledger.blank("layout-date", side, text, /^(Date: +).*$/gm, (label) => `${label}…`);

skipLine("layouts of the corosync tools");

describe.skipIf(!haveReference)("every recorded layout, printed again from the state behind it", () => {
  it.each(SCENARIOS)("%s", (scenario) => {
    const recording = JSON.parse(reference(`corosync/transcripts/${scenario}.json`)) as Recording;
    const nodes = nodesOf(recording.config);
    for (const step of recording.steps) {
      for (const [name, outputs] of Object.entries(step.outputs)) {
        const status = outputs["corosync-quorumtool -s"];
        const cfg = outputs["corosync-cfgtool -s"];
        ledger.met += Object.keys(outputs).length;
        if (status === undefined || cfg === undefined || status.rc === null) {
          ledger.leave("layout-stopped", "recorded", Object.keys(outputs).length);
          continue;
        }
        const daemon = status.rc === 1 ? "down" : view(shapeOf(status.out, cfg.out, outputs["corosync-cfgtool -n"]?.out ?? "", nodes));
        const { host } = handmade(daemon);
        for (const [command, recorded] of Object.entries(outputs)) {
          if (!/^corosync-(quorumtool|cfgtool) /.test(command)) {
            ledger.leave("layout-other", "recorded", 1);
            continue;
          }
          const got = answerQuery(host, command.split(" "), { cwd: "/root", stdin: "" });
          const where = `${scenario} step ${step.step} ${name}# ${command}`;
          if (got === undefined || got === "acts") throw new Error(`${where}: no answer`);
          expect({ out: undated("lab", got.stdout), err: got.stderr, rc: got.status }, where).toEqual({
            out: undated("recorded", recorded.out),
            err: recorded.err,
            rc: recorded.rc,
          });
          ledger.compared++;
        }
      }
    }
  });

  it("compared more than five hundred outputs, and left out what is listed", () => {
    ledger.use("layout-options", "recorded", recordings().filter((name) => !SCENARIOS.includes(name)).length);
    keepTable(ledger);
    expect(ledger.compared).toBeGreaterThan(500);
    ledger.balance();
    expect(ledger.unused()).toEqual([]);
  });
});
