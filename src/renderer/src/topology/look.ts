/** What is written on a machine: its role, whether it is quorate, what it sees. Text and a glyph, from the node's own report. */
import { mainUnit, type LabSnapshot, type MachineView } from "../../../main/lab/api.ts";
import { clockSeconds, plural } from "../format.ts";
import type { IconName } from "../ui/icons.ts";
import { stalledWords } from "../words/topology.ts";

export type Tone = "ok" | "warn" | "bad" | "off" | "plain";

export interface LookLine {
  icon: IconName;
  tone: Tone;
  text: string;
  /** For machines with little room. */
  short?: string;
}

export interface Look {
  id: number | undefined;
  power: "on" | "off" | "stalled";
  role: string;
  lines: LookLine[];
  /** One short state for tables and dense drawings. */
  state: LookLine;
  description: string;
}

/** How a machine looks from outside. */
export function nodeLook(snapshot: LabSnapshot, machine: MachineView): Look {
  const { role, lines, state } = partsOf(snapshot, machine);
  const id = machine.corosync?.nodeId;
  for (const line of mismatchLines(snapshot, machine.name)) lines.push(line);
  const description = [machine.name, id === undefined ? "" : `node ID ${id}`, role, ...lines.map(({ text }) => text)];
  return { id, power: machine.power, role, lines, state, description: description.filter((word) => word !== "").join(", ") };
}

function partsOf(snapshot: LabSnapshot, machine: MachineView): Pick<Look, "role" | "lines" | "state"> {
  const since = clockSeconds(machine.powerSince);
  if (machine.worker === "lost") {
    const state: LookLine = { icon: "bad", tone: "bad", text: "process lost" };
    return { role: "the lab itself failed", lines: [state], state };
  }
  if (machine.power === "off") {
    const state: LookLine = { icon: "off", tone: "off", text: `off since ${since}`, short: "off" };
    return { role: "powered off", lines: [{ icon: "off", tone: "off", text: `since ${since}` }], state };
  }
  if (machine.power === "stalled") {
    const state: LookLine = { icon: "clock", tone: "warn", text: stalledWords.since(since), short: stalledWords.short };
    return { role: state.text, lines: [{ ...state, text: stalledWords.short }, ...lastBelief(machine)], state };
  }
  if (machine.booting) {
    const state: LookLine = { icon: "clock", tone: "warn", text: "booting" };
    return { role: `powered on at ${since}`, lines: [state], state };
  }
  if (machine.kind === "qnetd") return qnetdParts(snapshot, machine);
  const lines = corosyncLines(machine);
  return { role: roleOf(snapshot, machine), lines, state: lines[0] ?? { icon: "info", tone: "plain", text: "" } };
}

/** What a machine that stands still believed last: nothing of it is so now. */
function lastBelief({ corosync, quorum }: MachineView): LookLine[] {
  if (corosync === null || quorum === null) return [];
  const { totalVotes, expectedVotes } = quorum;
  return [
    {
      icon: "list",
      tone: "off",
      text: stalledWords.lastVotes(totalVotes, expectedVotes),
      short: `last: ${totalVotes} of ${expectedVotes}`,
    },
  ];
}

const mismatchTexts: Record<LabSnapshot["mismatches"][number]["kind"], string> = {
  authkey: "other authkey",
  encryption: "encrypts otherwise",
  "cluster-name": "other cluster name",
  token: "other token",
  unlisted: "not in a nodelist",
  "node-id": "node ID taken twice",
};

/** What does not fit, at the node that is odd; at all that claim one id. */
function mismatchLines(snapshot: LabSnapshot, name: string): LookLine[] {
  const own = snapshot.mismatches.filter(({ kind, nodes }) => (kind === "node-id" ? nodes.includes(name) : nodes[0] === name));
  const [first] = own;
  if (first === undefined) return [];
  const description = mismatchTexts[first.kind];
  return [{ icon: "warn", tone: "bad", text: own.length > 1 ? `${description}, ${own.length - 1} more` : description, short: description }];
}

/** The Qdevice column of corosync-quorumtool, and what its flags say. */
export function deviceFlags(
  device: NonNullable<NonNullable<MachineView["quorum"]>["qdevice"]>,
): (readonly [letter: string, description: string])[] {
  if (!device.registered) return [["NR", "not registered"]];
  return [
    device.alive ? ["A", "alive"] : ["NA", "not alive"],
    device.castVote ? ["V", "votes"] : ["NV", "gives no vote"],
    device.masterWins ? ["MW", "master wins"] : ["NMW", "master does not win"],
  ];
}

/** What the device of the votes is to this node; undefined where none is configured. */
export function deviceLine(machine: MachineView): LookLine | undefined {
  const device = machine.quorum?.qdevice;
  if (!device) return undefined;
  if (!device.registered) return { icon: "warn", tone: "warn", text: "QDevice not running", short: "no QDevice" };
  if (device.state !== "Connected") {
    const text = device.castVote ? `QDevice ${device.state.toLowerCase()}` : `no vote, QDevice ${device.state.toLowerCase()}`;
    return { icon: "warn", tone: "warn", text, short: "QDevice lost" };
  }
  return device.castVote
    ? { icon: "server", tone: "plain", text: `QDevice votes: ${device.votes}`, short: `QDevice: ${device.votes}` }
    : { icon: "idle", tone: "warn", text: "QDevice: no vote", short: "QDevice: none" };
}

/** The server of the device: who is connected, and who has its vote. */
function qnetdParts(snapshot: LabSnapshot, machine: MachineView): Pick<Look, "role" | "lines" | "state"> {
  const unit = mainUnit(machine.units);
  if (machine.qnetd === null) {
    const failed = unit?.state === "failed";
    const text = unit === undefined ? "no qnetd" : failed ? `${unit.name} failed` : "qnetd stopped";
    const state: LookLine = { icon: failed ? "bad" : "off", tone: failed ? "bad" : "off", text };
    return { role: "qnetd host", lines: [state], state };
  }
  const { clusters } = machine.qnetd;
  const clients = clusters.flatMap((cluster) => cluster.clients);
  const wanted = snapshot.nodes.filter(({ quorum }) => quorum?.qdevice).length;
  const all = clients.length >= wanted && clients.length > 0;
  const state: LookLine = {
    icon: all ? "ok" : "warn",
    tone: all ? "ok" : "warn",
    text: clients.length === 0 ? "no node connected" : `${clients.length} of ${Math.max(wanted, clients.length)} connected`,
    short: `${clients.length} of ${Math.max(wanted, clients.length)}`,
  };
  const holders = clusters.flatMap((cluster) => cluster.holders);
  const vote: LookLine =
    holders.length === 0
      ? { icon: "idle", tone: "off", text: "vote to nobody", short: "no vote" }
      : {
          icon: "list",
          tone: "plain",
          text: `vote to ${holders.length > 4 ? `${holders.length} nodes` : holders.join(" ")}`,
          short: `vote: ${holders.length > 3 ? plural(holders.length, "node") : holders.join(" ")}`,
        };
  const algorithms = [...new Set(clusters.map(({ algorithm }) => algorithm))].filter((one) => one !== "");
  return { role: ["qnetd host", ...algorithms].join(" · "), lines: clients.length === 0 ? [state] : [state, vote], state };
}

function consensus(agreed: readonly number[], most: number): string {
  if (agreed.length === 0) return "no consensus";
  return agreed.length <= most ? `consensus: ${agreed.join(" ")}` : `consensus of ${agreed.length}`;
}

/** What corosync on this machine says of itself. */
function corosyncLines(machine: MachineView): LookLine[] {
  const { corosync, quorum } = machine;
  if (corosync === null) return [unitLine(mainUnit(machine.units)?.state)];
  if (corosync.state !== "operational") {
    const agreed = corosync.gathering.consensus;
    return [
      { icon: "clock", tone: "warn", text: corosync.state },
      corosync.state === "gather"
        ? { icon: "mail", tone: "plain", text: consensus(agreed, 5), short: consensus(agreed, 2) }
        : {
            icon: "mail",
            tone: "plain",
            text: `would be ${corosync.gathering.proc.filter((id) => !corosync.gathering.failed.includes(id)).join(" ")}`,
          },
    ];
  }
  if (quorum === null) return [{ icon: "clock", tone: "warn", text: "no quorum service" }];
  const device = deviceLine(machine);
  return [
    quorum.quorate ? { icon: "ok", tone: "ok", text: "quorate" } : { icon: "bad", tone: "bad", text: "not quorate" },
    corosync.syncing
      ? { icon: "clock", tone: "warn", text: "syncing services", short: "syncing" }
      : { icon: "list", tone: quorum.quorate ? "plain" : "bad", text: `${quorum.totalVotes} of ${quorum.expectedVotes} votes` },
    ...(device === undefined ? [] : [device]),
  ];
}

function unitLine(state: MachineView["units"][string] | undefined): LookLine {
  if (state === "failed") return { icon: "bad", tone: "bad", text: "corosync failed" };
  if (state === "activating") return { icon: "clock", tone: "warn", text: "corosync starts" };
  if (state === "deactivating") return { icon: "clock", tone: "warn", text: "corosync stops" };
  return { icon: "off", tone: "off", text: state === undefined ? "no corosync" : "corosync stopped" };
}

function roleOf(snapshot: LabSnapshot, machine: MachineView): string {
  const { corosync } = machine;
  if (corosync === null) return "in no membership";
  if (corosync.state === "gather") return `last ring ${corosync.ringId}`;
  if (corosync.state !== "operational") return `forming, last ring ${corosync.ringId}`;
  if (corosync.members.length === 1 && snapshot.nodes.filter(({ kind }) => kind === "node").length > 1) return "alone in its ring";
  return corosync.representative === corosync.nodeId ? "ring representative" : `member of ring ${corosync.ringId}`;
}
