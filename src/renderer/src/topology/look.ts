/** What is written on a machine: its role, whether it is quorate, what it sees. Words and a glyph, from the node's own report. */
import type { LabSnapshot, MachineView } from "../../../main/lab/api.ts";
import { clockSeconds } from "../format.ts";
import type { IconName } from "../ui/icons.ts";

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
  words: string;
}

/** How a machine looks from outside. */
export function nodeLook(snapshot: LabSnapshot, machine: MachineView): Look {
  const { role, lines, state } = partsOf(snapshot, machine);
  const id = machine.corosync?.nodeId;
  const words = [machine.name, id === undefined ? "" : `node ID ${id}`, role, ...lines.map(({ text }) => text)];
  return { id, power: machine.power, role, lines, state, words: words.filter((word) => word !== "").join(", ") };
}

function partsOf(snapshot: LabSnapshot, machine: MachineView): Pick<Look, "role" | "lines" | "state"> {
  const since = clockSeconds(machine.powerSince);
  if (machine.worker === "lost") {
    const state: LookLine = { icon: "bad", tone: "bad", text: "process lost" };
    return { role: "the lab itself failed", lines: [state], state };
  }
  if (machine.power === "off") {
    const state: LookLine = { icon: "off", tone: "off", text: `off since ${since}` };
    return { role: "powered off", lines: [{ ...state, text: `since ${since}` }], state };
  }
  if (machine.power === "stalled") {
    const state: LookLine = { icon: "clock", tone: "warn", text: `stalled since ${since}` };
    return { role: "processors stand still", lines: [state, ...corosyncLines(machine).slice(0, 1)], state };
  }
  if (machine.booting) {
    const state: LookLine = { icon: "clock", tone: "warn", text: "booting" };
    return { role: `powered on at ${since}`, lines: [state], state };
  }
  const lines = corosyncLines(machine);
  return { role: roleOf(snapshot, machine), lines, state: lines[0] ?? { icon: "info", tone: "plain", text: "" } };
}

function consensus(agreed: readonly number[], most: number): string {
  if (agreed.length === 0) return "no consensus";
  return agreed.length <= most ? `consensus: ${agreed.join(" ")}` : `consensus of ${agreed.length}`;
}

/** What corosync on this machine says of itself. */
function corosyncLines(machine: MachineView): LookLine[] {
  const { corosync, quorum } = machine;
  if (corosync === null) return [unitLine(machine.units["corosync"])];
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
  return [
    quorum.quorate ? { icon: "ok", tone: "ok", text: "quorate" } : { icon: "bad", tone: "bad", text: "not quorate" },
    corosync.syncing
      ? { icon: "clock", tone: "warn", text: "services synchronise", short: "syncing" }
      : { icon: "list", tone: quorum.quorate ? "plain" : "bad", text: `${quorum.totalVotes} of ${quorum.expectedVotes} votes` },
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
  if (corosync === null) return machine.units["corosync"] === "failed" ? "journalctl -u corosync" : "in no membership";
  if (corosync.state === "gather") return `last ring ${corosync.ringId}`;
  if (corosync.state !== "operational") return `forming, last ring ${corosync.ringId}`;
  if (corosync.members.length === 1 && snapshot.nodes.length > 1) return "alone in its ring";
  return corosync.representative === corosync.nodeId ? "ring representative" : `member of ring ${corosync.ringId}`;
}
