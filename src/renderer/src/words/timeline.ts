/** What the page says about the timeline, the task log, the palette, the lab menu, and the dialogs that do what the command line can. */
import type { Band, Task } from "../../../main/lab/api.ts";
import { clock, clockSeconds, plural } from "../format.ts";

// ── timeline ───────────────────────────────────────────────────────────────────────────────────────────────────────────

export const timeline = {
  title: "Timeline",
  shorter: "Zoom in",
  longer: "Zoom out",
  all: "All",
  allHint: "The whole run",
  now: "Now",
  nowHint: "Back to now (End)",
  hide: "Hide the timeline",
  lanes: (from: string, to: string): string =>
    `Timeline from ${from} to ${to}. Shift+arrows pan, + and − zoom, Home is the beginning, End is now.`,
  flags: "Acts on the timeline",
  begins: (at: number): string => `begins at ${clockSeconds(at)}`,
  merged: (changes: number): string => `${plural(changes, "older change")} drawn as stretches`,
  mergedHint: "A lab keeps 600 bands of each node. Beyond that the shortest of the older ones are drawn together, with their count.",
  marksFrom: (at: number): string => `acts before ${clockSeconds(at)} no longer kept`,
} as const;

/** What stands on a band: the longest of these that fits, or nothing. */
export function bandTexts(band: Band): string[] {
  if (band.state === "changing") return [`${band.count} changes`, `${band.count}`];
  if (band.state !== "operational") return [band.state];
  const members =
    band.members.length > 8
      ? `${band.members.length} members`
      : `${band.members.length === 1 ? "member" : "members"} ${band.members.join(" ")}`;
  const quorum = band.quorate ? "" : " · not quorate";
  return [`${band.ringId} · ${members}${quorum}`, `${band.ringId}${quorum}`, band.ringId];
}

export function bandTitle(band: Band, thinned: boolean): string {
  const when = `${band.node}, ${clock(band.from)} – ${band.to === null ? "now" : clock(band.to)}`;
  if (band.state !== "changing") return `${when}: ${bandTexts(band)[0] ?? ""}`;
  return `${when}: ${band.count} changes${thinned ? ", too short to show at this zoom" : ""}`;
}

export const flagCount = (count: number): string => plural(count, "act");
export const flagName = (texts: readonly string[]): string =>
  texts.length === 1 ? (texts[0] ?? "") : `${flagCount(texts.length)}: ${texts.join(", ")}`;
export const goTo = "Show on the timeline";

// ── time bar ───────────────────────────────────────────────────────────────────────────────────────────────────────────

export const paused = "Paused";
export const themeHeading = "Theme";
export const runSoFar = (acts: number, events: number): string => `The run so far: ${plural(acts, "act")}, ${plural(events, "event")}`;

// ── task log ───────────────────────────────────────────────────────────────────────────────────────────────────────────

export const tasks = {
  tab: "Actions",
  none: "Nothing has been done yet.",
  noMatch: "No action matches.",
  everyNode: "every node",
  filter: "Filter: cut, systemctl, refused …",
  count: (shown: number, all: number): string => (shown === all ? plural(all, "action") : `${shown} of ${plural(all, "action")}`),
  dropped: (count: number): string => `${plural(count, "older action")} no longer kept`,
} as const;

export const taskKinds = {
  "": "every kind",
  act: "faults and power",
  command: "typed commands",
  file: "files written",
  lab: "the lab itself",
} as const;

export function taskActor({ by, at }: Task): string {
  if (by === "terminal") return `terminal of ${at ?? "?"}`;
  return { page: "page", "command-line": "command line", lab: "the lab" }[by];
}

export function taskResult({ result, status, said }: Task): string {
  if (result === "running") return "running";
  if (result === "lost") return "shell ended";
  if (status !== null) return status === 0 ? "done" : `exit status ${status}`;
  return result === "refused" ? `refused: ${said}` : "done";
}

// ── tools: what the command line can, as dialogs ───────────────────────────────────────────────────────────────────────

export const tools = {
  snapshots: "Snapshots …",
  saveRecord: "Save the record",
  replay: "Replay a record …",
  scenario: "Run a scenario …",
  labs: "Labs of this computer …",
  newLab: "New lab …",
  freeze: "Freeze this lab …",
  partition: "Partition: choose the groups …",
  block: (node: string): string => `Block a port of ${node} …`,
  blockShort: "Block a port …",
  link: (node: string, net: string): string => `Set delay, loss and more of ${node}:${net} …`,
  linkShort: "Set delay, loss …",
  cancel: "Cancel",
  close: "Close",
  sameAs: "On the command line",
} as const;

export const snapshots = {
  title: "Snapshots",
  about: "A snapshot keeps this instant: disks, memory, network and faults. Rolling back goes on from there.",
  name: "Name",
  save: "Take snapshot",
  none: "No snapshots yet.",
  rollback: "Roll back",
  remove: "Delete",
  sureRollback: (name: string, at: number): string =>
    `Roll back to ${name}? What came after ${clock(at)} is forgotten; this cannot be undone.`,
  sureRemove: (name: string): string => `Delete the snapshot ${name}?`,
  saved: (name: string): string => `snapshot ${name} taken`,
  rolledBack: (name: string): string => `rolled back to ${name}`,
  removed: (name: string): string => `snapshot ${name} deleted`,
} as const;

export const runs = {
  replay: {
    title: "Replay a record",
    about: "The run is played again from its record, beside this lab, and every digest is compared. Nothing here changes.",
    choose: "Record",
    start: "Replay",
  },
  scenario: {
    title: "Run a scenario",
    about: "The scenario runs in a lab of its own, as fast as this computer can. Nothing here changes.",
    choose: "Scenario or lab file",
    start: "Run",
  },
  running: "Running …",
  tooLarge: (megabytes: number): string => `larger than ${megabytes} MiB, which is as much as the page sends; the command line takes it`,
  equal: (compared: number, at: number, digest: string): string =>
    compared === 0
      ? `Ran to ${clock(at)}, digest ${digest}. The record has no digest to compare with.`
      : `Equal: ${plural(compared, "digest")} compared, to ${clock(at)}. Digest ${digest}.`,
  differs: (at: number): string => `Differs from the record at ${clock(at)}, or since the digest before.`,
  otherEngine: (recorded: string, own: string): string => `Recorded by engine ${recorded}; this is ${own} and may run differently.`,
  passed: (steps: number): string => `Passed: ${plural(steps, "step")}.`,
  failed: (failed: number, steps: number): string => `${failed} of ${plural(steps, "step")} failed.`,
  broken: (sentence: string): string => `Invariant broken: ${sentence}`,
  expected: "expected",
  got: "got",
} as const;

export const labs = {
  title: "Labs of this computer",
  none: "No other labs.",
  running: "running",
  frozen: "frozen",
  here: "this lab",
  open: (name: string): string => `Open ${name}`,
  openShort: "Open",
  opening: "Starting the lab …",
  newTitle: "New lab",
  newAbout: "It runs beside this one, in a directory of its own; this page goes there. This lab goes on.",
  create: "Create and open",
  name: "Name",
  nodes: "Nodes",
  networks: "Networks",
  clustered: "Form the cluster",
  qdevice: "With a qnetd host and QDevice",
  freezeTitle: "Freeze this lab",
  freezeAbout: (dir: string): string =>
    `Its state is written to disk and its processes end. “quorate up --lab ${dir}” goes on at the same instant; “quorate serve” opens its page.`,
  freeze: "Freeze",
} as const;

export const partitionDialog = {
  title: "Partition",
  about: "Groups that cannot reach each other on any network. A machine in no group reaches everybody.",
  group: (index: number): string => `Group ${index + 1}`,
  noGroup: "none",
  apply: "Partition",
  needTwo: "Two groups or more are needed.",
} as const;

export const blockDialog = {
  title: (node: string): string => `Block a port of ${node}`,
  about: "The node’s packet filter drops the port, both ways.",
  port: "Port",
  protocol: "Protocol",
  apply: "Block",
  unblock: (port: number, proto: string): string => `Unblock ${port}/${proto}`,
  blocked: "Blocked now",
  wrongPort: "a port is a number from 1 to 65535",
} as const;

export const linkDialog = {
  title: (node: string, net: string): string => `Cable ${node}:${net}`,
  about: "Empty fields stay as they are. Each direction has values of its own.",
  direction: "Direction",
  both: "both ways",
  in: (node: string): string => `into ${node}`,
  out: (node: string): string => `out of ${node}`,
  towards: "With",
  everybody: "every peer",
  fields: {
    delay: ["Delay", "ms"],
    jitter: ["Jitter", "ms"],
    loss: ["Loss", "%"],
    dup: ["Duplicates", "%"],
    reorder: ["Out of order", "%"],
    rate: ["Rate", "Mbit/s"],
    mtu: ["MTU", "bytes"],
  },
  apply: "Set",
  cut: "Cut",
  heal: "Heal",
} as const;

// ── palette ────────────────────────────────────────────────────────────────────────────────────────────────────────────

export const palette = {
  recent: "Recent",
  placeholder: "Cut, power, speed, terminal, snapshot …",
  none: "No action matches.",
} as const;
