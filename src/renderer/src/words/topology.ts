/** What the drawing, the votes and the table of machines say. */
import { plural } from "../format.ts";
import type { CableState } from "../topology/cable-state.ts";

/** A cable's state in the inspector. */
export const cableStates: Record<CableState, string> = {
  carrying: "up, carries data",
  idle: "up, probed, idle",
  silent: "up, no peer answers on it",
  down: "no carrier",
  unused: "not used by corosync",
  cut: "cut both ways",
  "cut-in": "in: cut, out: passes",
  "cut-out": "in: passes, out: cut",
};

/** A cable's state as a screen reader says it. */
export const cableSpoken: Record<CableState, string> = {
  ...cableStates,
  "cut-in": "nothing comes in, out passes",
  "cut-out": "in passes, nothing goes out",
};

/** A cable's state in a cell of the table. */
export const cableCells: Record<CableState, string> = {
  carrying: "up",
  idle: "idle",
  silent: "no answer",
  down: "off",
  unused: "no link",
  cut: "cut",
  "cut-in": "in cut",
  "cut-out": "out cut",
};

/** Beside a cable. */
export const cableTexts = {
  cut: "cut both ways",
  noAnswer: "no answer",
  cardOff: "interface down",
  idle: (round: string): string => (round === "" ? "idle" : `idle · ${round}`),
  way: (which: "in" | "out", cut: boolean): string => `${which}: ${cut ? "cut" : "passes"}`,
  roundTo: (round: string, node: string): string => `${round} to ${node}`,
};

/** What `link set` did to a cable, in parts. */
export function settingTexts(cable: {
  delayMs: number;
  jitterMs: number;
  lossPercent: number;
  rateMbit: number | null;
  mtuBytes: number;
}): string[] {
  const parts: string[] = [];
  if (cable.delayMs > 0 || cable.jitterMs > 0)
    parts.push(`delay ${short(cable.delayMs)}${cable.jitterMs > 0 ? ` ± ${short(cable.jitterMs)}` : ""} ms`);
  if (cable.lossPercent > 0) parts.push(`loss ${short(cable.lossPercent)} %`);
  if (cable.rateMbit !== null) parts.push(`${short(cable.rateMbit)} Mbit/s`);
  if (cable.mtuBytes !== 1500) parts.push(`MTU ${cable.mtuBytes}`);
  return parts;
}

const short = (value: number): string => String(Number(value.toFixed(3)));

/** On a switch's bar. */
export const switchTexts = {
  name: (net: string): string => `switch ${net}`,
  link: (link: number | null): string => (link === null ? "no corosync link" : `link ${link}`),
  off: "off",
  cutPairs: (pairs: string): string => `cut: ${pairs}`,
  split: (groups: readonly (readonly string[])[]): string => `split into ${groups.map((group) => group.join(" ")).join(" | ")}`,
};

/** On a machine that stands still. */
export const stalledTexts = {
  since: (clock: string): string => `stalled since ${clock}`,
  short: "stalled",
  lastVotes: (votes: number, expected: number): string => `last: ${votes} of ${expected} votes`,
  /** Above what the inspector shows of it. */
  note: (node: string, clock: string): string => `${node} has stood still since ${clock}. What follows is what it believed then.`,
};

/** Who forms a ring with whom, by whom they have heard: groups of names, the largest first. */
export function formingText(groups: readonly (readonly string[])[]): string {
  const alone = groups.filter((group) => group.length === 1).flat();
  const together = groups.filter((group) => group.length > 1);
  const parts = [
    alone.length === 0 ? "" : `${named(alone)} ${alone.length === 1 ? "alone" : "each alone"}`,
    ...together.map((group) => `${named(group)} form one`),
  ];
  return parts.filter((part) => part !== "").join("; ");
}

/** Whom the believers of one belief see, the longest first. `still`: they see whom they saw in their last ring. `short`: a name where there is little room. */
export function beliefTexts(nodes: readonly string[], seen: readonly string[], still: boolean, short: (name: string) => string): string[] {
  const verb = `${still ? "still " : ""}${nodes.length === 1 ? "sees" : "see"}`;
  const alone = nodes.length === 1 && seen.length === 1 && seen[0] === nodes[0];
  const texts = [(name: string) => name, short].flatMap((written) => {
    const who = named(nodes.map(written));
    if (alone) return [`${who} ${verb} only itself`, `${who} alone`];
    return [`${who} ${verb} ${named(seen.map(written))}`, `${who} ${verb} ${plural(seen.length, "node")}`];
  });
  // On the last the region alone tells who speaks.
  return [...new Set([...texts, alone ? "alone" : plural(seen.length, "node")])].sort((one, other) => other.length - one.length);
}

function named(names: readonly string[]): string {
  if (names.length > 5) return `${names.length} nodes`;
  return names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
}

export const voteTexts = {
  section: (partitions: number): string => (partitions > 1 ? "Votes, one bar per partition" : "Votes"),
  bar: (votes: number, expected: number, quorum: number): string => `${votes} of ${expected} votes, quorum at ${quorum}`,
  need: (quorum: number): string => `need ${quorum}`,
  away: "away",
  device: "vote of the QDevice",
  deviceAway: "vote of the QDevice, not given here",
  quorate: "quorate",
  notQuorate: "not quorate",
  installing: "installing",
  noRing: "No ring",
  counted: "Votes are counted when a ring has formed and its services are in sync.",
};

/** In the middle of the circle, where several rings stand. */
export const circleTexts = {
  ring: (letter: string, votes: number, expected: number): string => `${letter} ${votes}/${expected}`,
  more: (n: number): string => `and ${n} more`,
};

export const failedTexts = {
  title: "The page could not draw something.",
  again: "It is drawn again from the lab’s state, which is not affected.",
  button: "Draw again",
  close: "Close",
};

export const hintTexts = {
  unfold: "Say more",
  fold: "Say less",
};

export const menuTexts = {
  title: "Actions",
  fit: "Fit the drawing",
  table: "As a table",
};

/** The button that the zoom and the table fold into where there is no room for them. */
export const viewTexts = {
  name: "View",
};

export const legendTexts = {
  up: "up, carries",
  idle: "up, probed",
  cut: "cut or off",
  way: "cut one way",
  ring: "Totem ring",
  token: "token",
  all: "Line shapes: solid is up and carries, dotted is up and probed, dashed is cut or off, two strands are cut one way",
};

/** The table of machines. */
export const tableTexts = {
  caption: "Machines of the lab",
  members: "sees",
  membersTitle: "How many members the node sees in its ring",
  token: "token",
  tokenTitle: "Slowest rotation of the token in the last minute, not counting the hold",
  representative: "ring representative",
  qnetd: "qnetd host",
  roundTo: (node: string): string => `slowest of its last round trips: to ${node}`,
};

export const statusTexts = {
  more: (rings: number): string => `${rings} more rings`,
};
