/** What the page draws: a lab at an instant, as a message. What a machine believes is the engine's own schema. Pure, as api.ts is. */
import { z } from "zod";
import { machineStatus } from "../../engine/kernel/status.ts";
import { motion, token } from "./api-motion.ts";

const instant = z.number();

/** A fault in force. `cut`: a cable (no `to`) or a pair; `link-setting`: delay and so on; `switch`: a network that is off; `partition`: groups; `block`: a port; `disk`: the disk of a machine. */
export const fault = z.object({
  kind: z.enum(["cut", "link-setting", "switch", "partition", "block", "disk"]),
  node: z.string().optional(),
  net: z.string().optional(),
  to: z.string().optional(),
  direction: z.enum(["in", "out", "both"]).optional(),
  delayMs: z.number().optional(),
  jitterMs: z.number().optional(),
  lossPercent: z.number().optional(),
  dupPercent: z.number().optional(),
  reorderPercent: z.number().optional(),
  rateMbit: z.number().optional(),
  mtuBytes: z.number().optional(),
  port: z.number().optional(),
  proto: z.enum(["udp", "tcp"]).optional(),
  groups: z.array(z.array(z.string())).optional(),
  disk: z.enum(["full", "read-only", "error", "slow"]).optional(),
  commitMs: z.number().optional(),
});

export const time = z.object({
  instant,
  epoch: z.string(),
  speed: z.union([z.number(), z.literal("max")]),
  paused: z.boolean(),
  achieved: z.number(),
});

/** Nodes that share one ring (operational), or one node's belief while it forms. `letter` and `pattern` tell rings apart without colour. */
export const component = z.object({
  letter: z.string(),
  ringId: z.string(),
  formed: z.boolean(),
  nodes: z.array(z.string()),
  members: z.array(z.number()),
  quorate: z.boolean(),
  votes: z.number(),
  expectedVotes: z.number(),
  quorum: z.number(),
  mayLose: z.number(),
  /** "2 of 3 votes, 2 needed, quorate; may lose 0 more" */
  sentence: z.string(),
  /** Options of the quorum section, and the quorum device, where they decide: the key's name and a plain sentence. */
  notes: z.array(z.object({ key: z.string(), text: z.string(), tone: z.enum(["plain", "warn"]) })),
  /** `device`: votes of the quorum device. */
  cells: z.array(z.object({ node: z.string(), nodeId: z.number(), votes: z.number(), present: z.boolean(), device: z.boolean() })),
  /** Unlike that of any other component of the snapshot. */
  key: z.string(),
  /** Every member has installed the ring and its services are in step. Before that `nodes` are those that have, and the votes are theirs alone. */
  settled: z.boolean(),
});

/** What mends something, or shows more of it: an acting line, or a command for a node's terminal. */
export const fix = z.union([
  z.object({ label: z.string(), act: z.string() }),
  z.object({ label: z.string(), node: z.string(), command: z.string() }),
]);

/**
 * An entry of the record. `what` is of an act its line, of a line of the journal its text, of a fault the line that would make it, of a status the key. `instant`: when it happened;
 * of a fault and a status, since when it holds, or when it was looked at. `node` is absent where it is nobody's own.
 */
export const entryRef = z.object({
  kind: z.enum(["act", "journal", "fault", "status"]),
  node: z.string().optional(),
  instant,
  what: z.string(),
});

/** A sentence of a Why, and the entries of the record that it rests on. */
export const whyClause = z.object({
  role: z.enum(["cause", "noticed", "means", "do"]),
  text: z.string(),
  refs: z.array(entryRef).min(1),
  /** Of `do`. */
  fix: fix.optional(),
});

/** Why something is as it is, from the record: cause, what was noticed, what it means, what to do. `id` stays while it is the same. */
export const why = z.object({
  id: z.string(),
  code: z.string(),
  severity: z.enum(["error", "warning", "note"]),
  title: z.string(),
  /** In one sentence. */
  text: z.string(),
  nodes: z.array(z.string()),
  since: instant,
  clauses: z.array(whyClause),
});

export const problem = z.object({
  severity: z.enum(["error", "warning", "note"]),
  code: z.string(),
  text: z.string(),
  node: z.string().optional(),
  mend: z.string().optional(),
  line: z.number().optional(),
  column: z.number().optional(),
  /** Everybody it concerns. */
  nodes: z.array(z.string()).optional(),
  /** What it comes from: so many nodes not quorate, links down and units failed have this one cause. Absent: one. */
  count: z.number().optional(),
  since: instant.optional(),
  fix: fix.optional(),
});

/** Nodes that do not fit together; the first is the one that is odd, or the first of those that claim the same. */
export const mismatch = z.object({
  kind: z.enum(["authkey", "encryption", "cluster-name", "token", "unlisted", "node-id"]),
  nodes: z.array(z.string()),
  text: z.string(),
});

export const band = z.object({
  node: z.string(),
  from: instant,
  to: instant.nullable(),
  ringId: z.string(),
  members: z.array(z.number()),
  /** `changing`: several, one after the other, too short to be told apart or kept apart. */
  state: z.enum(["operational", "gather", "commit", "recovery", "off", "booting", "stopped", "stalled", "changing"]),
  quorate: z.boolean(),
  letter: z.string(),
  /** How many bands it stands for. */
  count: z.number(),
});

export const mark = z.object({ instant, kind: z.enum(["act", "event"]), text: z.string() });

export const labSnapshot = z.object({
  lab: z.object({ dir: z.string(), name: z.string(), seed: z.string(), host: z.enum(["workers", "inprocess"]), version: z.string() }),
  time,
  networks: z.array(z.object({ name: z.string(), cidr: z.string(), on: z.boolean(), link: z.number().nullable() })),
  nodes: z.array(machineStatus),
  cables: z.array(
    z.object({
      node: z.string(),
      net: z.string(),
      nic: z.string(),
      address: z.string(),
      cutIn: z.boolean(),
      cutOut: z.boolean(),
      delayMs: z.number(),
      jitterMs: z.number(),
      lossPercent: z.number(),
      /** null: as fast as it comes */
      rateMbit: z.number().nullable(),
      mtuBytes: z.number(),
      /**
       * What the cable is, cuts aside. `down`: no carrier, because the machine, its card or the switch is off. Else it is up, and carries data, is probed
       * and has nothing to carry (`idle`), or brings no answer from any peer (`silent`). `unused`: no corosync link on it, and no quorum device's talk.
       */
      state: z.enum(["carrying", "idle", "down", "unused", "silent"]),
    }),
  ),
  /** Cuts of single pairs of machines, beside whole cables. */
  pairCuts: z.array(z.object({ net: z.string(), from: z.string(), to: z.string() })),
  faults: z.array(fault),
  components: z.array(component),
  /** Token timeout divided by the slowest rotation of the last minute, not counting the hold; null without a ring. */
  margin: z.number().nullable(),
  problems: z.array(problem),
  mismatches: z.array(mismatch),
  /** The latest of each machine, and the latest marks: the timeline has its own request. */
  bands: z.array(band),
  marks: z.array(mark),
  undo: z.string().nullable(),
  /** Slow motion: what it does at this moment. */
  motion,
  /** Where the token of each ring is that is formed. */
  tokens: z.array(token),
  /** Nodes that form a ring now, by whom they have heard: those of one group agree with each other. */
  forming: z.array(z.array(z.string())),
  /** What is not as it should be, and why, the most urgent first; empty while all is well. */
  why: z.array(why),
  /** The timeline and the task log have changed when these have: ask for them again. `begins`: where the timeline begins. */
  history: z.object({ changes: z.number(), tasks: z.number(), begins: instant }),
});

export type LabSnapshot = z.infer<typeof labSnapshot>;
export type MachineView = z.infer<typeof machineStatus>;
export type Component = z.infer<typeof component>;
export type Fault = z.infer<typeof fault>;
export type Time = z.infer<typeof time>;
export type Problem = z.infer<typeof problem>;
export type Fix = z.infer<typeof fix>;
export type EntryRef = z.infer<typeof entryRef>;
export type WhyClause = z.infer<typeof whyClause>;
export type Why = z.infer<typeof why>;
export type Mismatch = z.infer<typeof mismatch>;
export type Band = z.infer<typeof band>;
