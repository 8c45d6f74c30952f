/** What a cable is and what stands beside it: its cut, its carrier, what was set on it, and a round trip of the pair it belongs to. */
import type { LabSnapshot, MachineView } from "../../../main/lab/api.ts";
import { latency } from "../format.ts";
import { clipped, type Font } from "../names.ts";
import { cableSpoken, cableWords, settingWords } from "../words/topology.ts";
import type { CableState } from "./shapes.ts";

export type Cable = LabSnapshot["cables"][number];

export function cableState(cable: Cable): CableState {
  if (cable.cutIn && cable.cutOut) return "cut";
  if (cable.cutIn) return "cut-in";
  if (cable.cutOut) return "cut-out";
  return cable.state;
}

/** What a screen reader says. */
export function cableDescription(cable: Cable): string {
  return [`cable ${cable.node} to switch ${cable.net}, ${cable.address}: ${cableSpoken[cableState(cable)]}`, ...settingWords(cable)].join(
    ", ",
  );
}

/** The last round trip from `from` to another machine over a link, µs: of that pair alone, and only while both run and see each other. */
export function roundTrip(from: MachineView | undefined, to: MachineView, link: number | null): number | undefined {
  if (from === undefined || from.power !== "on" || to.power !== "on" || from.name === to.name || link === null) return undefined;
  const id = to.corosync?.nodeId;
  const found = from.corosync?.links.find((one) => one.to === id && one.link === link);
  return found?.connected === true && found.latencyLastUs > 0 ? found.latencyLastUs : undefined;
}

/** The slowest round trip of this machine's on a link, µs, and the peer it is to. */
export function slowest(machine: MachineView, link: number | null): { us: number; to: string } | undefined {
  if (machine.power !== "on" || machine.corosync === null) return undefined;
  const all = machine.corosync.links.filter((one) => one.link === link && one.connected && one.latencyLastUs > 0);
  const worst = all.toSorted((a, b) => b.latencyLastUs - a.latencyLastUs)[0];
  if (worst === undefined) return undefined;
  return { us: worst.latencyLastUs, to: machine.corosync.nodelist.find(({ nodeId }) => nodeId === worst.to)?.name ?? `node ${worst.to}` };
}

interface Beside {
  text: string;
  bad: boolean;
}

const font: Font = { size: 11 };

/** The lines beside a cable, each no longer than `room` and no more than `most`. `from` is the selected machine: round trips are between it and the others. */
export function cableLines(
  cable: Cable,
  machine: MachineView,
  link: number | null,
  from: MachineView | undefined,
  room: number,
  most: number,
): Beside[] {
  const state = cableState(cable);
  const us = roundTrip(from, machine, link);
  const round = us === undefined ? "" : latency(us);
  const said = stateLines(state, machine, round, round === "" ? "" : cableWords.roundTo(round, from?.name ?? ""), room);
  const set = settingWords(cable).map((text) => ({ text, bad: false }));
  const lines = [...said, ...set].filter(({ text }) => text !== "");
  // What was set shares a line where there are too few.
  const all = lines.length <= most ? lines : [...lines.slice(0, most - 1), { text: join(lines.slice(most - 1)), bad: false }];
  return all.map(({ text, bad }) => ({ text: clipped(text, room, font), bad }));
}

const join = (lines: readonly Beside[]): string => lines.map(({ text }) => text).join(" · ");

function stateLines(state: CableState, machine: MachineView, round: string, whole: string, room: number): Beside[] {
  const plain = (text: string): Beside[] => [{ text, bad: false }];
  switch (state) {
    case "cut":
      return [{ text: cableWords.cut, bad: true }];
    case "cut-in":
    case "cut-out":
      return (["in", "out"] as const).map((way) => ({ text: cableWords.way(way, state === `cut-${way}`), bad: state === `cut-${way}` }));
    case "carrying":
      return plain(clipped(whole, room, font) === whole ? whole : round);
    case "idle":
      return plain(cableWords.idle(round));
    case "silent":
      return plain(machine.power === "on" ? cableWords.noAnswer : "");
    case "down":
      return plain(machine.power === "on" && !machine.nics.every(({ up }) => up) ? cableWords.cardOff : "");
    case "unused":
      return [];
  }
}
