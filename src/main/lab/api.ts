/**
 * The lab's one typed API, shared by the page (desktop and web face), the command line and the terminals. Requests go to the lab, each gets one
 * reply; events come from the lab to whoever subscribed. Both directions are validated with the schemas below. Transport: a `Channel` of JSON messages.
 * This file and its parts are pure (zod and the engine's own checks): the page imports it too. What a machine believes, and what may be done to it, is the engine's own schema.
 */
import { z } from "zod";
import { jsonActsOf } from "../../engine/kernel/act-shapes.ts";
import { isWellFormed, TEXT_CHARS_MAX, troubleWith, type Check } from "../../engine/kernel/check.ts";
import { isJsonFileCall } from "../../engine/kernel/file-shapes.ts";
import { SESSION_ACT_KINDS, type FileAct } from "../../engine/kernel/machine.ts";
import type { ListedLab, ReplayReply, ScenarioReply } from "./api-run.ts";
import type { TaskList, TimelineWindow } from "./api-history.ts";
import { labSnapshot, type Fault, type LabSnapshot, type MachineView, type Time } from "./api-snapshot.ts";
import { SPEED_MAX, SPEED_MIN, type Happened, type Upcoming } from "./api-motion.ts";
import { hexOf32, hexOf64 } from "./api-hello.ts";
import { variation, type WhatIfReply } from "./api-whatif.ts";
import type { ConfPlan } from "./api-conf.ts";

export * from "./api-motion.ts";
export * from "./api-hello.ts";
export * from "./api-snapshot.ts";
export type { ListedLab, ReplayReply, ScenarioReply } from "./api-run.ts";
export type { Actor, Task, TaskList, TimelineWindow } from "./api-history.ts";
export type { ConfChange, ConfFile, ConfPlan, ConfStep } from "./api-conf.ts";
export type { Variation, WhatIfAnswer, WhatIfChange, WhatIfReply } from "./api-whatif.ts";

/** A duplex stream of JSON messages: a local socket, a WebSocket or a MessagePort. */
export interface Channel {
  send(message: unknown): void;
  onMessage(handler: (message: unknown) => void): void;
  onClose(handler: () => void): void;
  close(): void;
  /** Bytes the peer has not taken yet, where the transport knows: a slow reader is sent fewer snapshots. */
  backlog?(): number;
}

/** Text of a request: no half of a surrogate pair, so that every encoding on its way gives the same text back. */
const textOf = (most: number, least = 0): z.ZodString =>
  z.string().min(least).max(most).refine(isWellFormed, "well-formed text is allowed (half of a surrogate pair stands alone)");
const text = textOf(TEXT_CHARS_MAX);
const name = textOf(64, 1);
const known = textOf(256);
const actLine = textOf(4096);
/** As many as cables of the largest lab. */
const ACTS_AT_ONCE_MAX = 256;
const instant = z.number();
/** A record or scenario in one message. */
const RUN_CHARS_MAX = 6 << 20;
/** µs and other counts, as whole numbers that every encoding gives back. */
const whole = z.int();

function checked<T>(check: Check): z.ZodType<T, T> {
  return z.custom<T>((value) => check(value), { error: ({ input }) => troubleWith(input, check) ?? "not allowed" }).meta({ check });
}

export const journalLine = z.object({
  instant,
  node: z.string(),
  unit: z.string(),
  pid: z.number(),
  level: z.enum(["emerg", "alert", "crit", "error", "warning", "notice", "info", "debug"]),
  subsystem: z.string(),
  text: z.string(),
});

// ── requests ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const waitFor = z.object({
  quorate: z.boolean().optional(),
  members: whole.optional(),
  nodes: z.array(known).max(1000),
  synced: z.boolean().optional(),
  idle: z.boolean().optional(),
  /** On, and the last unit of the boot has started. */
  booted: z.boolean().optional(),
  /** virtual microseconds */
  timeout: whole,
});

/** kernel/machine.ts MachineQuery, as it travels. */
const machineQuery = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("command"), argv: z.array(text), cwd: text, stdin: text, session: known.optional() }),
  z.object({
    kind: z.literal("file-read"),
    path: text,
    at: whole.min(0).optional(),
    length: whole.min(0).optional(),
    session: known.optional(),
  }),
  z.object({ kind: z.literal("complete"), argv: z.array(text), cwd: text }),
]);

/** An act of kernel/machine.ts as a message: byte strings are base64. */
type JsonForm<T> = { [K in keyof T]: T[K] extends Uint8Array ? string : T[K] };

const fileAct = checked<JsonForm<Extract<FileAct, { kind: "file-write" }>>>(jsonActsOf(["file-write"]));

/** What a shell does with its session, its processes and its files, as shell/shell-wire.ts writes it. */
const SHELL_ACT_KINDS = [...SESSION_ACT_KINDS, "file", "file-interrupt", "command-input"] as const;
const shellAct = checked<Record<string, unknown>>(jsonActsOf(SHELL_ACT_KINDS));
const fileCall = checked<Record<string, unknown>>(isJsonFileCall);

/** Which lab to open beside this one. New ones get a directory of their own in the per-user state folder, called after `name`. */
const otherLab = z.discriminatedUnion("kind", [
  /** A corosync.conf, as `quorate up --import` has it. */
  z.object({ kind: z.literal("import"), text, name: known }),
  /** As `quorate up --nodes …` makes it. */
  z.object({
    kind: z.literal("new"),
    nodes: whole.min(1).max(32),
    networks: whole.min(1).max(8),
    clustered: z.boolean(),
    qdevice: z.boolean(),
    name: name.optional(),
  }),
  /** One that `quorate ls` lists. */
  z.object({ kind: z.literal("known"), dir: textOf(4096, 1) }),
]);

const opaque = z.record(z.string(), z.unknown());

/**
 * Every request and, in `Replies`, what it answers.
 * `act` takes an acting line of the command line ("link cut pve3:net0", "node kill pve2 --after 5", "switch off net0").
 */
export const request = z.discriminatedUnion("op", [
  z.object({ op: z.literal("hello"), secret: known }),
  z.object({ op: z.literal("status"), node: known.optional() }),
  z.object({ op: z.literal("snapshot") }),
  z.object({ op: z.literal("subscribe"), snapshots: z.boolean(), journal: z.boolean(), trace: z.boolean() }),
  z.object({ op: z.literal("act"), line: actLine }),
  /** Lines that a person asked for at once: all of them or, where one cannot be done, none; one undo. */
  z.object({ op: z.literal("acts"), lines: z.array(actLine).min(1).max(ACTS_AT_ONCE_MAX) }),
  /** What would be wrong with an acting line; nothing is done. */
  z.object({ op: z.literal("act-check"), line: actLine }),
  /** Everything of the lab goes, and a new one as `up` makes it comes; one act, and one undo. */
  z.object({
    op: z.literal("build"),
    nodes: whole.min(1).max(32),
    networks: whole.min(1).max(8),
    clustered: z.boolean(),
    qdevice: z.boolean(),
  }),
  z.object({ op: z.literal("undo") }),
  z.object({ op: z.literal("time") }),
  /** `skipIdle`: in slow motion, what shows nothing is passed over. */
  z.object({
    op: z.literal("speed"),
    speed: z.union([z.number().min(SPEED_MIN).max(SPEED_MAX), z.literal("max")]),
    skipIdle: z.boolean().optional(),
  }),
  /** Whether the lab slows down by itself, to `speed`, when a token is lost, a join is heard or a ring forms. */
  z.object({ op: z.literal("slow-motion"), onChange: z.boolean(), speed: z.number().min(SPEED_MIN).max(1) }),
  z.object({ op: z.literal("pause") }),
  z.object({ op: z.literal("resume") }),
  z.object({ op: z.literal("step"), unit: z.enum(["event", "window"]), count: whole.min(1).max(100_000) }),
  z.object({ op: z.literal("skip") }),
  /** What can happen next, in order; the nearest of it. */
  z.object({ op: z.literal("upcoming") }),
  z.object({ op: z.literal("wait"), what: waitFor }),
  z.object({
    op: z.literal("log"),
    node: known.optional(),
    unit: known.optional(),
    since: whole.optional(),
    follow: z.boolean(),
  }),
  z.object({ op: z.literal("record") }),
  /** What is to be drawn of the timeline from `from` to `to` on so many pixels. */
  z.object({ op: z.literal("timeline"), from: whole.min(0), to: whole.min(1), px: whole.min(16).max(16_384) }),
  /** Entries of the task log that are new or have changed since a revision. */
  z.object({ op: z.literal("tasks"), since: whole.min(0) }),
  /** What `quorate ls` lists. */
  z.object({ op: z.literal("labs") }),
  /** Plays a record, or runs a scenario, beside the lab; nothing of it changes. `name`: what messages call the file. */
  z.object({ op: z.literal("replay"), text: textOf(RUN_CHARS_MAX), name: known }),
  z.object({ op: z.literal("scenario"), text: textOf(RUN_CHARS_MAX), name: known }),
  // the past
  /** The lab as it stood at an instant: acts stamped with it done, its events to come. `pause`: the live run stops meanwhile. */
  z.object({ op: z.literal("seek"), instant: whole, pause: z.boolean().optional() }),
  /** A lab of its own in `dir` (absolute), frozen as this one stood at `at`, absent: as it stands. */
  z.object({ op: z.literal("fork"), dir: textOf(4096, 1), at: whole.optional() }),
  z.object({ op: z.literal("snapshots") }),
  z.object({ op: z.literal("snapshot-save"), name }),
  z.object({ op: z.literal("snapshot-delete"), name }),
  /** The lab goes on from a named snapshot; what came after it is forgotten. */
  z.object({ op: z.literal("rollback"), name }),
  z.object({ op: z.literal("conf-check"), text }),
  /** What the lab's cluster can lose, from everything on and nothing at fault; with `variation`, also as it would be. A later question supersedes this one. */
  z.object({ op: z.literal("whatif"), variation: variation.optional() }),
  z.object({ op: z.literal("export") }),
  z.object({ op: z.literal("down") }),
  /** What and who this lab is: an entry of `quorate ls`, with process and page address. */
  z.object({ op: z.literal("info") }),
  /** The page on loopback. Answers the running one's address, whatever the port, unless another port is asked for. */
  z.object({ op: z.literal("serve"), port: whole.min(0).max(65_535).optional() }),
  // a node's shell, from outside
  z.object({ op: z.literal("exec"), node: known, line: text, noWait: z.boolean().optional() }),
  z.object({ op: z.literal("exec-input"), exec: known, data: text.nullable() }),
  z.object({ op: z.literal("exec-signal"), exec: known, signal: z.literal("SIGINT") }),
  /** With `line` the terminal runs that one line and ends. */
  z.object({
    op: z.literal("terminal-open"),
    node: known,
    line: text.optional(),
    /** Characters that may be under way to who draws them; the program waits while it is used up. */
    credit: whole
      .min(1024)
      .max(16 << 20)
      .optional(),
    cols: whole.min(2).max(1000),
    rows: whole.min(1).max(1000),
    /** It outlives its client, which may come back to it; see `terminal-attach`. */
    keep: z.boolean().optional(),
  }),
  z.object({ op: z.literal("terminal-write"), terminal: known, data: text }),
  /** So many more characters were drawn. */
  z.object({ op: z.literal("terminal-drawn"), terminal: known, chars: whole.min(1).max(16 << 20) }),
  z.object({
    op: z.literal("terminal-resize"),
    terminal: known,
    cols: whole.min(2).max(1000),
    rows: whole.min(1).max(1000),
  }),
  z.object({ op: z.literal("terminal-close"), terminal: known }),
  // a node's shell, from inside (session processes)
  z.object({ op: z.literal("query"), node: known, query: machineQuery }),
  z.object({ op: z.literal("file"), node: known, act: fileAct }),
  z.object({ op: z.literal("command"), node: known, argv: z.array(text), cwd: text, stdin: text }),
  z.object({ op: z.literal("command-signal"), node: known, command: known, signal: z.enum(["SIGINT", "SIGTERM"]) }),
  z.object({ op: z.literal("command-input"), node: known, command: known, line: text.nullable() }),
  /** What a shell does with its session, its processes and its files; its ids are the client's own. What comes of it comes as `shell-effect` events. */
  z.object({ op: z.literal("shell"), node: known, act: shellAct }),
  /** File calls that only look. */
  z.object({ op: z.literal("look"), node: known, calls: z.array(fileCall).max(10_000), session: known.optional() }),
  /** Resolves when `duration` µs of virtual time have passed. */
  z.object({ op: z.literal("sleep"), node: known, duration: whole.min(0) }),
  /** A line was typed at the prompt (`line`), or has ended (`status`). `id` is the shell's own. */
  z.object({ op: z.literal("typed"), node: known, id: whole.min(1), line: text.optional(), status: whole.optional() }),
  /** This session is computing (true: grant no time) or waiting (false). A live lab ignores a claim after 1 s of wall time. */
  z.object({ op: z.literal("floor"), hold: z.boolean() }),
  /** Nothing but an answer: whether anybody is there. */
  z.object({ op: z.literal("ping") }),
  // the page on the web, before it is let in (api-hello.ts)
  z.object({ op: z.literal("challenge"), key: hexOf32, nonce: hexOf32 }),
  z.object({ op: z.literal("prove"), proof: hexOf64 }),
  // doors into a lab
  /** The lab of a corosync.conf in place of what there is; one act, and one undo. `name`: what messages call the file. */
  z.object({ op: z.literal("import"), text, name: known }),
  /** Another lab, which runs beside this one; its page is served. */
  z.object({ op: z.literal("lab-open"), what: otherLab }),
  /** What becomes of a corosync.conf that is written on every node, seen from one of them. */
  z.object({ op: z.literal("conf-plan"), node: known, text }),
  /** A terminal that outlived its page: what it has put out comes with the answer, what follows as events. */
  z.object({
    op: z.literal("terminal-attach"),
    terminal: known,
    credit: whole
      .min(1024)
      .max(16 << 20)
      .optional(),
    cols: whole.min(2).max(1000),
    rows: whole.min(1).max(1000),
  }),
]);

export type Request = z.infer<typeof request>;
export type Op = Request["op"];

export interface ExportFile {
  path: string;
  text: string;
  mode: number;
}

/** What speaks against taking an export onto real hosts as it is. */
export interface ExportWarning {
  code: "placeholder" | "version";
  text: string;
}

/** What each request is answered with. Requests not named here answer `{}`. */
export interface Replies {
  /** To the page on the web: with what it comes back. */
  hello: { secret?: string };
  status: LabStatus;
  snapshot: LabSnapshot;
  time: Time;
  act: { said: string };
  acts: { said: string };
  build: { said: string };
  /** null: it could be done. */
  "act-check": { wrong: string | null };
  undo: { said: string };
  /** `happened`: what the event was; null where several ran, or none. */
  step: Time & { happened: Happened | null };
  upcoming: { instant: number; upcoming: Upcoming[] };
  /** found: false when nothing happened within one virtual hour */
  skip: { found: boolean; what: string; instant: number };
  wait: { held: boolean; why: string };
  /** Lines so far; with `follow`, later ones come as `journal` events. */
  log: { lines: JournalLine[] };
  record: { text: string };
  labs: { labs: ListedLab[] };
  replay: ReplayReply;
  scenario: ScenarioReply;
  timeline: TimelineWindow;
  tasks: TaskList;
  seek: { status: LabStatus; snapshot: LabSnapshot };
  fork: { dir: string; instant: number };
  snapshots: { snapshots: NamedSnapshot[] };
  "snapshot-save": NamedSnapshot;
  rollback: NamedSnapshot;
  info: LabInfo;
  /** `opening`: the same page by a token that is good once, for a browser's command line. `note`: why it is not where it was; "" where it is. */
  serve: { url: string; opening: string; note: string };
  "conf-check": { errors: number; warnings: number; findings: Finding[] };
  whatif: WhatIfReply;
  export: { files: ExportFile[]; warnings: ExportWarning[] };
  /** Output then comes as `exec-output` events and one `exec-exit`. */
  exec: { exec: string };
  "terminal-open": { terminal: string };
  /** engine's QueryReply; `file` carries base64 in `data` */
  query: unknown;
  /** `lasts`: virtual time that the disk still takes for it, µs. */
  file: { error: string | null; lasts: number };
  /** A file call's reply each, or "would-wait" */
  look: { replies: unknown[] };
  /** `proof` is the lab's, for the page's nonce. */
  challenge: { nonce: string; proof: string };
  /** With what the page comes back. */
  prove: { secret: string };
  import: { said: string };
  /** `url`: its page, by a token that is good once. */
  "lab-open": { dir: string; name: string; url: string };
  "conf-plan": ConfPlan;
  "terminal-attach": { node: string; text: string };
  /** Output then comes as `command-output`, `command-prompt` and one `command-exit`. */
  command: { command: string };
}

export type Reply<O extends Op> = O extends keyof Replies ? Replies[O] : Record<string, never>;

/** A request on the wire, and the two answers it can have. */
export const requestMessage = z.object({ id: whole, request });
export const replyMessage = z.union([
  z.object({ id: z.number().int(), ok: z.literal(true), result: z.unknown() }),
  z.object({ id: z.number().int(), ok: z.literal(false), error: z.object({ code: z.string(), message: z.string() }) }),
]);

// ── events ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

export const event = z.discriminatedUnion("event", [
  z.object({ event: z.literal("snapshot"), snapshot: labSnapshot }),
  /** Journal lines as they are written, for subscribers. */
  z.object({ event: z.literal("journal"), lines: z.array(journalLine) }),
  /** Things to animate (kernel TraceEvent with instant and node), sent while the speed is 1/20 or slower. */
  z.object({ event: z.literal("trace"), events: z.array(z.object({ instant, node: z.string(), trace: z.unknown() })) }),
  z.object({ event: z.literal("exec-output"), exec: z.string(), stream: z.enum(["stdout", "stderr"]), data: z.string() }),
  z.object({ event: z.literal("exec-exit"), exec: z.string(), status: z.number() }),
  z.object({ event: z.literal("terminal-data"), terminal: z.string(), data: z.string() }),
  z.object({ event: z.literal("terminal-exit"), terminal: z.string(), status: z.number() }),
  z.object({ event: z.literal("command-output"), command: z.string(), stream: z.enum(["stdout", "stderr"]), data: z.string() }),
  z.object({ event: z.literal("command-prompt"), command: z.string(), echo: z.boolean() }),
  z.object({ event: z.literal("command-exit"), command: z.string(), status: z.number() }),
  /** An effect of kernel/machine.ts that concerns this client's shell. */
  z.object({ event: z.literal("shell-effect"), effect: opaque }),
  /** The lab itself has something to say: an invariant broke, a worker was lost. */
  z.object({ event: z.literal("notice"), severity: z.enum(["error", "warning", "note"]), text: z.string() }),
  /** The lab goes on from an earlier instant: lines and bands after it are no more. */
  z.object({ event: z.literal("rolled-back"), instant }),
  /** `frozen`: its state is on disk, and `quorate up` goes on from there. */
  z.object({ event: z.literal("gone"), reason: z.string(), frozen: z.boolean().optional() }),
]);

export type LabEvent = z.infer<typeof event>;
export type JournalLine = z.infer<typeof journalLine>;
export type WaitFor = z.infer<typeof waitFor>;

/** Name of the snapshot that is taken where a machine's process was lost: the lab as it stood before. */
export const beforeLossOf = (machine: string): string => `before-the-loss-of-${machine}`;

/** `quorate up --json` (CLI.md); `url` is null while the page is not served. */
export interface LabInfo {
  lab: string;
  name: string;
  running: boolean;
  instant: number;
  nodes: string[];
  pid: number;
  url: string | null;
  host: "workers" | "inprocess";
  /** Process of each machine that has one of its own. */
  workers: Record<string, number>;
}

/** `quorate snapshot --json`; `digest` is the run's up to there. */
export interface NamedSnapshot {
  name: string;
  instant: number;
  digest: string;
}

/** A finding of `conf check` (CLI.md). */
export interface Finding {
  severity: "error" | "warning" | "note";
  code: string;
  line: number;
  column: number;
  text: string;
  mend: string;
}

/** `quorate status --json` (CLI.md). */
export interface LabStatus {
  lab: string;
  instant: number;
  paused: boolean;
  faults: Fault[];
  nodes: MachineView[];
}

/** The unit that a machine of its kind is about: the first one of its status. Units are named there and nowhere else. */
export function mainUnit<State>(units: { readonly [unit: string]: State }): { readonly name: string; readonly state: State } | undefined {
  const [first] = Object.entries(units);
  return first === undefined ? undefined : { name: first[0], state: first[1] };
}
