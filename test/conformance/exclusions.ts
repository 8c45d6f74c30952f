/**
 * What a comparison with a recording of real programs leaves out: every kind of line, value, order, answer or step, each with its reason. Nothing else can be left out:
 * comparing code drops and blanks through a Ledger, which takes names of this list only and counts every use, and each suite ends with a test that every
 * recorded line was either compared or left out under a name, and that every name was used.
 */

import type { Release } from "../../src/engine/config/index.ts";

/** Where an exclusion is used; each of them is one test file. */
export type Comparison =
  | "scenarios"
  | "device-logs"
  | "bad-configs"
  | "verdicts"
  | "layouts"
  | "file-keys"
  | "process"
  | "votequorum"
  | "pvecm"
  | "nightly"
  | "probes";

export interface Exclusion {
  readonly of: Comparison;
  /** Of recordings of these releases alone. */
  readonly only?: readonly Release[];
  /** What is left out or done otherwise, and in which unit it is counted. */
  readonly what: string;
  readonly reason: string;
}

/** The recorder's computer, not the cluster. */
const RECORDER = {
  memlock: {
    of: "scenarios",
    what: "lines: Could not increase RLIMIT_MEMLOCK",
    reason: "the recorder's container does not allow it; on a real host and in the lab it is allowed",
  },
  "no-systemd": {
    of: "scenarios",
    what: "lines of systemd about the unit",
    reason: "the recorder started the daemons itself, without systemd; in the lab systemd starts them and says so",
  },
  "left-out-by-recorder": {
    of: "scenarios",
    what: "lines of QB and of path MTU discovery in the debug recordings",
    reason: "the recorder took them out of its debug and trace recordings, as the reference's README says",
  },
  "log-reopened": {
    of: "scenarios",
    what: "lines: Configuring link, garbled or lost at a reload",
    reason:
      "a reload opens the log file anew between these two lines, so that the recorded ones are lost or garbled; on standard error, which stays open, both are always there",
  },
  "stopped-daemon": {
    of: "scenarios",
    what: "answers of nodes with a stopped daemon",
    reason: "tools would hang there, so the recorder asked none and noted the state of the process instead",
  },
  "device-daemons": {
    of: "scenarios",
    what: "lines of corosync-qdevice and corosync-qnetd",
    reason: "compared by device-logs.test.ts, which has exclusions of its own",
  },
  "other-suite": {
    of: "scenarios",
    what: "recordings that another suite plays",
    reason: "bad-configs has no cluster; bad-configs.test.ts types its commands and starts its files one by one",
  },
  "trace-to-read": {
    of: "scenarios",
    only: ["9.2"],
    what: "recordings at trace level",
    reason: "the reference calls it material to read, not to compare: its daemons ran beside others and lost time between the lines",
  },
  "random-loss": {
    of: "scenarios",
    what: "recordings of packet loss",
    reason:
      "which packets were lost was not recorded, and all lines follow from that; the reference calls packet-loss-3 material to read, not to compare",
  },
} as const satisfies Record<string, Exclusion>;

/** Clocks, counters and identities. */
const VALUES = {
  date: { of: "scenarios", what: "values: Date: of corosync-quorumtool", reason: "the wall clock" },
  statistics: {
    of: "scenarios",
    what: "values of stats.* other than connected, enabled and mtu",
    reason: "counters and latencies of a computer under another load; the keys are compared",
  },
  connection: {
    of: "scenarios",
    what: "names: pid and address in stats.ipcs.*",
    reason: "a process id and a pointer, another one in every run",
  },
  "client-port": { of: "scenarios", what: "values: Client address port", reason: "the kernel of the recorder's host chose it" },
  "device-times": {
    of: "scenarios",
    what: "values: Connected since, Echo reply received, Last poll call",
    reason: "the wall clock",
  },
  "last-answer": {
    of: "scenarios",
    what: "values: whether the last Vote was the ACK or NACK or the No change after it",
    reason: "depends on which client that connects within the same milliseconds is the last; the vote itself, in parentheses, is compared",
  },
  "file-sizes": {
    of: "scenarios",
    what: "values: sizes, link counts and times in ls -l",
    reason: "how many shared-memory files lie there and when they were made; names, modes and owners are compared",
  },
  lateness: {
    of: "scenarios",
    what: "values: epoch and milliseconds of 'main process was not scheduled'",
    reason: "the wall clock, and how far into its period the main loop's timer was when the process was stopped; the threshold is compared",
  },
} as const satisfies Record<string, Exclusion>;

/** What two runs of the real daemons do differently; used only where a comparison without it fails. */
const RACES = {
  "token-race": {
    of: "scenarios",
    what: "lines: Token has not been received, A processor failed",
    reason: "who logs them is a race of one network hop, their number measured; races.ts checks what holds of them in every run",
  },
  "gather-race": {
    of: "scenarios",
    what: "debug lines: entering GATHER, with what drew the node in",
    reason:
      "a merge detect, a join and a lost token a network hop apart lead to the same gathering; races.ts checks that there was one of them",
  },
  "token-again": {
    of: "scenarios",
    what: "debug lines: got commit token, again",
    reason:
      "a commit token that meets a link that is up on one side only is sent again after the retransmit timeout, and its sender's neighbour sees it twice",
  },
  "knet-threads": {
    of: "scenarios",
    what: "logs in which the order of lines of KNET about different hosts, or of KNET and the others, differs",
    reason: "libknet's heartbeat, receive, host and MTU threads write to one log; the order of what concerns one host is compared",
  },
  "knet-priority": {
    of: "scenarios",
    what: "lines: best link with (pri: 0), and what says the same of the own host",
    reason: "the host thread may run between the configuration of a link and that of its priority, or of the loopback link",
  },
  "knet-repeats": {
    of: "scenarios",
    what: "lines: best link and no active links, said again with nothing new",
    reason: "the host thread runs once for several requests or once for each; the reference calls the number of repeats volatile",
  },
  "knet-links": {
    of: "scenarios",
    what: "logs of one host in which its best link is announced earlier or later than the lab does among what is said of its links",
    reason:
      "the receive thread takes in several packets at once, of two links or after a stop of the process, and the host thread runs beside it",
  },
  "link-order": {
    of: "scenarios",
    only: ["9.2"],
    what: "logs of one host whose two links come up in the same millisecond, in the other order",
    reason: "the receive thread takes the sockets of several links in the order in which the kernel names them",
  },
  "missed-round": {
    of: "scenarios",
    what: "lines: Global data MTU changed to, where the recorded log has none after a link came up",
    reason:
      "the host thread took the link for down two tenths of a second longer, as the log shows, so that path MTU discovery found no link to look at; in all other recordings it does",
  },
  "mtu-rounds": {
    of: "scenarios",
    what: "lines: Global data MTU changed to, said again with the same number",
    reason: "links that come up within one round of path MTU discovery share it, others make a round each",
  },
  "icmp-at-start": {
    of: "scenarios",
    what: "debug lines: errors of ICMP from nodes that start or end",
    reason: "whether a ping finds the port of a node that starts or ends open is a race of milliseconds",
  },
  "neighbour-queue": {
    of: "scenarios",
    what: "lines of KNET of links that come up a ping earlier than the lab's",
    reason:
      "after a cut the recorder's kernel may hold one ping until the neighbour's address is known again, and it counts as the first of three; the lab has no neighbour table",
  },
  "relay-gap": {
    of: "scenarios",
    what: "lines of KNET of node3 when its relay is exchanged",
    reason:
      "whether node3's own ping fell into the tenth of a second without a relay decides whether its links go down; in other runs they do",
  },
  "lost-commit-token": {
    of: "scenarios",
    what: "steps in which the lab or the recorder lost a commit token and the other one did not",
    reason: "an attempt to form a ring fails and the next one comes a token timeout later; real daemons do both (FACTS 16.1)",
  },
  "ring-number": {
    of: "scenarios",
    what: "values: ring sequence numbers in and after a step in which one side lost a commit token",
    reason:
      "an attempt that fails uses up four; in that step they are blanked, later ones are compared with the difference taken off, which must be a multiple of four",
  },
  "link-lifted": {
    of: "scenarios",
    only: ["9.2", "9.1"],
    what: "lines: host: N link: L is up, what pongs are counted before it, and Totem's line about the host",
    reason:
      "whether data of a host comes before the last pong, and lifts the link without a word, is a race of a ping's phase; of 447 links 69 came up so, and timing.test.ts counts the lab's",
  },
  endless: {
    of: "scenarios",
    what: "logs of a cluster that never settles: one forming more or less, and ring numbers",
    reason: "non-transitive connectivity forms rings without end, and a step may catch one more; what each forming says is compared",
  },
} as const satisfies Record<string, Exclusion>;

/** Instants of the recorder that were not recorded, or that the lab cannot have. */
const INSTANTS = {
  "launch-instant": {
    of: "scenarios",
    what: "steps whose daemons are launched within 50 ms of each other, as a seed says",
    reason:
      "the recorder launched them one after the other; with fifty seeds it is seen that nothing hangs on the milliseconds between them",
  },
  "wake-instant": {
    of: "scenarios",
    what: "runs that begin 40 ms later than recorded",
    reason:
      "libknet's heartbeat comes some 70 µs late to each wake and the lab's does not; two minutes later an act of qdevice-lms-3 falls within 4 ms of one",
  },
  "ask-instant": {
    of: "scenarios",
    what: "steps whose questions come later than recorded",
    reason: "the recorder asked a second after there was one ring, and a ring that forms by another ping forms later",
  },
  "relay-instant": {
    of: "scenarios",
    what: "steps in which a delay begins 0.15 s after the cable is cut",
    reason: "the recorder put another relay in its place, which took so long; only the beginning was recorded",
  },
  "edit-instant": {
    of: "scenarios",
    what: "steps whose file is written in their course",
    reason: "the title says that it comes after an act, not when; the reload that takes it was recorded",
  },
  "device-instant": {
    of: "scenarios",
    what: "steps whose device daemons are started 20 ms apart, in the order the server saw them",
    reason: "their log has whole seconds",
  },
} as const satisfies Record<string, Exclusion>;

/** What the lab does not write. */
const NOT_MODELLED = {
  "trace-level": {
    of: "scenarios",
    what: "lines of level trace",
    reason: "the lab's daemon writes up to debug; what trace tells of messages is compared by what the tools and debug lines say",
  },
  "debug-of-start": {
    of: "scenarios",
    what: "debug lines of libknet on its threads, modules, sockets, access lists and the settings of links, and of Totem on the addresses it gives to it",
    reason: "the lab has no threads or sockets of which they tell; the settings of links are compared as cmap keys and by their effect",
  },
} as const satisfies Record<string, Exclusion>;

/** The other suites. */
const OTHERS = {
  "device-pointers": { of: "device-logs", what: "values: 0x… and client ports", reason: "another one in every run" },
  "device-rings": {
    of: "device-logs",
    what: "values: ring sequence numbers where the recorder had lost a commit token",
    reason: "an attempt that fails uses up four: the lab's are compared with four added",
  },
  "device-blanks": {
    of: "device-logs",
    what: "values: blanks at the end of a line",
    reason: "the lab's journal has none; a terminal shows none",
  },
  "device-order": {
    of: "device-logs",
    what: "logs of the server whose lines are compared without their order",
    reason: "several clients speak within a network hop of each other; each one's lines are the same",
  },
  "device-race": {
    of: "device-logs",
    what: "lines of steps in which a hop decides what a client is told",
    reason:
      "the server answers 'wait for reply' or 'no change', ACK or NACK, by which client's list came first; the votes they end with are compared by the tools",
  },
  "launch-times": { of: "bad-configs", what: "values: times of lines", reason: "the wall clock" },
  "launch-date": { of: "bad-configs", what: "values: Date: of corosync-quorumtool", reason: "the wall clock" },
  "launch-abort": {
    of: "bad-configs",
    what: "values: -6 for a daemon that aborts",
    reason: "the recorder noted the signal's number, a shell says 134",
  },
  "launch-memlock": {
    of: "bad-configs",
    what: "lines: Could not increase RLIMIT_MEMLOCK",
    reason: "the recorder's container does not allow it; on a real host and in the lab it is allowed",
  },
  "launch-grep": {
    of: "bad-configs",
    what: "lines that the recorder's grep took out, and all but the last twenty",
    reason: "the recorder looked at the daemon's log through it; the lab's is looked at in the same way",
  },
  "verdict-times": { of: "verdicts", what: "values: times of lines", reason: "the wall clock" },
  "verdict-elsewhere": {
    of: "verdicts",
    what: "steps that are not about one file",
    reason: "a missing key has a test of its own here, a second daemon one in bad-configs.test.ts",
  },
  "verdict-abort": {
    of: "verdicts",
    what: "values: -6 for a daemon that aborts",
    reason: "the recorder noted the signal's number, a shell says 134",
  },
  "layout-date": { of: "layouts", what: "values: Date: of corosync-quorumtool", reason: "the wall clock" },
  "layout-other": {
    of: "layouts",
    what: "answers of tools other than corosync-quorumtool and corosync-cfgtool",
    reason: "the state behind an output is read from these two; the scenarios compare the others",
  },
  "layout-stopped": {
    of: "layouts",
    what: "answers of nodes with a stopped daemon",
    reason: "the recorder asked none",
  },
  "layout-options": {
    of: "layouts",
    what: "recordings with options of the quorum section, a device or changed files",
    reason: "the state behind an output cannot be read from the output alone there; the scenarios compare them",
  },
  "keys-of-runtime": {
    of: "file-keys",
    what: "lines of keys that are not the file's",
    reason: "this suite asks what a file puts into cmap without a daemon; the scenarios compare the whole dump",
  },
  "process-memlock": {
    of: "process",
    what: "lines: Could not increase RLIMIT_MEMLOCK",
    reason: "the recorder's container does not allow it; on a real host and in the lab it is allowed",
  },
  "process-knet": {
    of: "process",
    what: "lines of KNET of three nodes that start together",
    reason: "this suite's network has no faults and no worlds; the scenarios compare them",
  },
  "votequorum-course": {
    of: "votequorum",
    what: "lines of other layers, and of later steps",
    reason: "votequorum and cpg run without a daemon here; the scenarios compare all lines",
  },
  "pvecm-date": { of: "pvecm", what: "values: Date:", reason: "the wall clock" },
  "pvecm-numbers": {
    of: "pvecm",
    what: "values: Config Version and the ring's sequence number",
    reason: "they count what the recorder had done with the cluster before",
  },
  "pvecm-addresses": {
    of: "pvecm",
    what: "values: 10.99.0.x",
    reason: "the recorder's network has other addresses than the lab's first one",
  },
  "nightly-date": { of: "nightly", what: "values: Date: of corosync-quorumtool", reason: "the wall clock" },
  "nightly-ring": {
    of: "nightly",
    what: "values: ring sequence numbers",
    reason: "acts come at other instants of the real daemons' timers, so that another attempt may be lost",
  },
  "nightly-blanks": { of: "nightly", what: "values: blanks at the end of a line", reason: "compared by the scenarios, byte for byte" },
  "nightly-late": {
    of: "nightly",
    what: "acts after which the answers are equal only with more time",
    reason: "a real machine under load may be late; both sides get the same time",
  },
  "nightly-race": {
    of: "nightly",
    what: "acts after which the lab's answers are equal with its acts some tenths of a second earlier or later",
    reason: "what real daemons do once in a while the lab does with another timing; two in a scenario at most",
  },
  "probe-times": { of: "probes", what: "values: times of lines", reason: "the wall clock" },
  "probe-grep": {
    of: "probes",
    what: "lines that the recorder's grep took out, numbers of rings, and a main loop that was late",
    reason:
      "the recorder looked at the daemon's log through it; the ring's number counts the starts before, and the recorder's computer was busy",
  },
  "probe-shell": {
    of: "probes",
    what: "files whose start ends the terminal's own line early",
    reason: "the lab's shell ends the line before it kills the daemon; what the file means is compared by the parser's tests",
  },
  "probe-debug": {
    of: "probes",
    what: "files that switch debug on in one subsystem",
    reason: "lines of how addresses are resolved are not written; the parser's verdict is compared in release.test.ts",
  },
  "probe-resources": {
    of: "probes",
    what: "files with resources to watch",
    reason: "machines of a lab have no memory or load to watch, and a lab says so of the file",
  },
  "probe-file": {
    of: "probes",
    what: "files of which the recorder noted only a part",
    reason: "its note of the difference to the good file does not say where the lines lay",
  },
  "probe-sctp": {
    of: "probes",
    what: "starts of 3.1.7 with SCTP",
    reason: "the lab has no SCTP, and refuses the file where a daemon would take it",
  },
  "probe-files": {
    of: "probes",
    what: "calls of other programs",
    reason: "ls of the keys, through a cut that the recorder made for its own columns",
  },
  "nightly-stopped": { of: "nightly", what: "nodes with a stopped daemon, after an act", reason: "its tools would hang" },
} as const satisfies Record<string, Exclusion>;

export const EXCLUSIONS = { ...RECORDER, ...VALUES, ...RACES, ...INSTANTS, ...NOT_MODELLED, ...OTHERS } as const;
export type ExclusionName = keyof typeof EXCLUSIONS;

export const namesOf = (comparison: Comparison): ExclusionName[] =>
  (Object.keys(EXCLUSIONS) as ExclusionName[]).filter((name) => EXCLUSIONS[name].of === comparison);
