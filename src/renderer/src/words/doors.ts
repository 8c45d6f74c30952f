/** What the page says at the doors of a lab: coming in and coming back, import, the configuration, export, what-if. */

export const doors = {
  refusedWhileAway: "the lab is not connected; nothing was done",
  refusedWhileSilent: "the lab does not answer; nothing was done",
  noToken: "this address carries no token: open the whole address that quorate printed",
  stranger: "another program answers at this port, not this lab; quorate serve prints where the page is",
  insecure: "this address is not secure enough for the browser: open 127.0.0.1 as quorate printed it",
};

/** With a capital, as the first of a line; a command's name keeps its small letter. */
export const sentence = (text: string): string => (/^quorate\b/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1));

/** The lab's process is gone, or does not answer. */
export const presence = {
  asOf: (clock: string): string => `as of ${clock}`,
  silentTitle: "The lab does not answer.",
  silentText: (clock: string): string =>
    `Its process stands still or has too much to do. What you see is as of ${clock}; the page goes on by itself when the lab does, and refuses acts until then.`,
  goneTitle: "The lab is gone.",
  /** It was taken down in order. */
  frozen: (reason: string, clock: string, dir: string): { before: string; command: string; after: string } => ({
    before: `${reason}. What you see is as of ${clock}.`,
    command: `quorate up --lab ${dir}`,
    after: "(or quorate serve) resumes it at that instant, and this page comes back by itself.",
  }),
  /** It ended by itself, and says why. */
  ended: (reason: string, clock: string, dir: string): { before: string; command: string; after: string } => ({
    before: `${reason}. What you see is as of ${clock}.`,
    command: `quorate up --lab ${dir}`,
    after: "says what is there now.",
  }),
  /** Its process ended without a word. */
  killed: (reason: string, clock: string, dir: string): { before: string; command: string; after: string } => ({
    before: `${reason}. What you see is as of ${clock}.`,
    command: `quorate up --lab ${dir}`,
    after: "(or quorate serve) starts it again: every node powers on from its disk, and this page comes back by itself.",
  }),
  connecting: "connecting anew",
  retry: "Try now",
  /** Acts that were sent before the silence was noticed. */
  waiting: (what: number): string =>
    what === 1
      ? "the lab does not answer; what you did last is done when it does"
      : `the lab does not answer; the last ${what} acts are done when it does`,
};

export const terminalTabs = {
  split: "Two terminals side by side",
  unsplit: (title: string): string => `${title} alone again`,
  out: (node: string): string => `A terminal of ${node} in a window of its own`,
  outRefused: "the browser does not let this page open a window",
  alone: (node: string, lab: string): string => `Quorate: terminal of ${node}, lab ${lab}`,
  noNode: (node: string): string => `There is no ${node} in this lab.`,
};

/** One's own corosync.conf as a lab. */
export const importDoor = {
  title: "Open as a lab",
  empty: "Choose a corosync.conf, drop it anywhere on this page, or paste it into the editor. It stays on this computer.",
  refused: "Corosync refuses this file:",
  refusedWhy: (errors: string): string => `${errors} below, each with its line. Your text is kept; correct it here.`,
  ready:
    "The lab takes its names, IDs, addresses, links, votes and timers from this file. Every node has the file and a common key, and boots with them.",
  here: "Replace this lab",
  beside: "Open a new lab",
  hereWhat: (machines: string): string => `Replacing takes the ${machines} of this lab away; one undo (Ctrl+Z) brings them back.`,
  besideWhat: "A new lab runs beside this one, and this page goes there.",
  working: { here: "replacing the lab …", beside: "starting the new lab …" },
  opened: (name: string, dir: string): string => `${name} runs in ${dir}`,
};

export const configure = {
  own: "my own file",
  load: "Load my cluster’s file",
  clean: "no findings",
  changed: "Changed, not written yet",
  asIs: (node: string): string => `As it is on ${node}`,
  write: (node: string): string => `Write on ${node}`,
  writeAll: "Write on every node",
  again: "Read again",
  written: (path: string, nodes: string): string =>
    `${path} written on ${nodes}; a running corosync does not have it before a reload or a restart`,
  tooLarge: (name: string, bytes: number): string => `${name} has ${bytes} bytes; at most 1 MiB is read`,
};

/** A changed file on its way into every node. */
export const confPlan = {
  label: "What a change takes",
  who: "Who has which file",
  beside: "against the editor",
  same: "the same",
  none: "no file",
  unset: "not set",
  changes: (node: string): string => `Changed against ${node}’s file`,
  pending: (node: string): string => `Not in force yet on ${node}`,
  effect: { live: "Taken by a reload", restart: "Needs a restart of corosync", none: "Of no effect" },
  todo: "What to do, in this order",
  typed: (node: string): string => `Types it into ${node}’s terminal; Enter is yours`,
};

/** A lab from nothing in place of this one. */
export const build = {
  title: "Build from nothing",
  machines: "Machines",
  networks: "Networks (one switch each)",
  clustered: "Form the cluster",
  qdevice: (clustered: boolean): string => (clustered ? "With a qnetd host and QDevice" : "With a qnetd host"),
  apply: "Build it here",
} as const;

export const whatIf = {
  sets: "Smallest failures that break quorum",
  setsWhat: "no side quorate, or two",
  noSets: (upTo: number): string => `No set of up to ${upTo} failures breaks quorum.`,
  noQnetd: "no qnetd",
  try: "Try",
  tryWhat: (what: string): string => `Lose ${what} in this lab now`,
};

export const exporting = {
  acknowledge: "I have seen this and will correct it on the real hosts",
  first: "Acknowledge what is above first",
  from: "These files go onto the real hosts; the README says which where. From a shell:",
};
