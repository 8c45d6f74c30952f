/** What the page knows of the lab: the last snapshot, journal, notices and things to animate; and how it asks for something. */
import {
  nextSpeed,
  SLOW_SPEED_MAX,
  speedName,
  type Happened,
  type JournalLine,
  type LabEvent,
  type LabSnapshot,
  type Op,
  type Problem,
  type Speed,
  type Task,
  type Upcoming,
} from "../../main/lab/api.ts";
import * as motionText from "./words/motion.ts";
import type { Connection, LinkState } from "./channel.ts";
import { presence } from "./words/doors.ts";

export interface Traced {
  instant: number;
  node: string;
  trace: unknown;
}

/** Something said to the person: what an act did, or why it was refused. */
export interface Said {
  id: number;
  kind: "done" | "refused";
  text: string;
  /** This one can be taken back. */
  undo: boolean;
}

/** The task log as far as it has been asked for. */
export interface TaskLog {
  readonly list: readonly Task[];
  readonly revision: number;
  /** Older ones that the lab keeps no longer. */
  readonly dropped: number;
  /** Asks for what is new. */
  ask(): Promise<void>;
}

/** What a terminal hears. */
export type TerminalEvent = Extract<LabEvent, { event: "terminal-data" | "terminal-exit" }>;

const journalMax = 5_000;
const noticesMax = 20;
const saidForMs = 7_000;
/** As many as the lab keeps. */
const tasksMax = 1_000;
const noTasks = { list: [], revision: 0, dropped: 0 };

export interface Lab {
  readonly connection: Connection;
  readonly link: LinkState;
  readonly snapshot: LabSnapshot | null;
  readonly journal: readonly JournalLine[];
  readonly notices: readonly Problem[];
  /** Why its process has ended, where it said so. `frozen`: it goes on from there. */
  readonly gone: { readonly reason: string; readonly frozen: boolean } | null;
  readonly said: Said | null;
  readonly tasks: TaskLog;
  /** Runs an acting line of the command line; says what came of it. Resolves to whether it was done. */
  act(line: string): Promise<boolean>;
  /** Several lines as one act, with one undo: all of them, or none where one is refused. */
  acts(lines: readonly string[]): Promise<boolean>;
  undo(): Promise<void>;
  pauseOrRun(): Promise<void>;
  step(unit: "event" | "window"): Promise<void>;
  skip(): Promise<void>;
  setSpeed(speed: Speed): Promise<void>;
  /** Slows down by itself for changes, to `speed`, or no longer; absent: the other way than now, to the speed that is set. */
  slowOnChange(on?: boolean, speed?: number): Promise<void>;
  /** What the last single event was; null before one, and once time has gone on. */
  readonly happened: Happened | null;
  /** What can happen next, while paused or in slow motion. */
  readonly upcoming: readonly Upcoming[];
  faster(by: 1 | -1): Promise<void>;
  say(kind: Said["kind"], text: string): void;
  /** Says what an act did that was asked for elsewhere; it can be taken back. */
  done(reply: { said: string }): void;
  onTrace(handler: (events: readonly Traced[]) => void): () => void;
  onTerminal(handler: (event: TerminalEvent) => void): void;
  onOpen(handler: () => void): void;
}

/** Single packets can be followed: paused, or in slow motion. */
export function isSlow({ time, motion }: LabSnapshot): boolean {
  return time.paused || motion.eased || (time.speed !== "max" && time.speed <= SLOW_SPEED_MAX);
}

/** What comes next is asked for no more often than this while time goes on. */
const upcomingEveryMs = 250;

/** What a person does and waits for. */
const acting: ReadonlySet<Op> = new Set([
  "act",
  "acts",
  "build",
  "import",
  "undo",
  "pause",
  "resume",
  "step",
  "skip",
  "speed",
  "rollback",
  "file",
]);

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Joins the page's state to a connection. Call `connection.connect()` afterwards. */
export function makeLab(connection: Connection): Lab {
  let link = $state.raw<LinkState>({ kind: "connecting" });
  let snapshot = $state.raw<LabSnapshot | null>(null);
  let journal = $state.raw<readonly JournalLine[]>([]);
  let notices = $state.raw<readonly Problem[]>([]);
  let gone = $state.raw<Lab["gone"]>(null);
  let said = $state.raw<Said | null>(null);
  let happened = $state.raw<Happened | null>(null);
  let upcoming = $state.raw<readonly Upcoming[]>([]);
  let askedUpcomingAt = Number.NEGATIVE_INFINITY;
  let askingUpcoming = false;
  let saidTimer: number | undefined;
  let saidId = 0;
  const tracers = new Set<(events: readonly Traced[]) => void>();
  const terminals: ((event: TerminalEvent) => void)[] = [];
  const openers: (() => void)[] = [];

  let tasks = $state.raw<Omit<TaskLog, "ask">>(noTasks);
  let askingTasks = false;
  async function askTasks(): Promise<void> {
    if (askingTasks) return;
    askingTasks = true;
    try {
      const { tasks: news, revision, dropped } = await connection.call({ op: "tasks", since: tasks.revision });
      const changed = new Map(news.map((task) => [task.id, task]));
      const before = tasks.list.map((task) => changed.get(task.id) ?? task);
      const known = new Set(before.map(({ id }) => id));
      tasks = { list: [...before, ...news.filter(({ id }) => !known.has(id))].slice(-tasksMax), revision, dropped };
    } catch {
      // The connection broke, which the banner says.
    } finally {
      askingTasks = false;
    }
  }

  function say(kind: Said["kind"], text: string, undo = false): void {
    window.clearTimeout(saidTimer);
    said = { id: ++saidId, kind, text, undo };
    saidTimer = window.setTimeout(() => (said = null), saidForMs);
  }

  /** What a request throws becomes a line for the person. */
  async function trying(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      say("refused", message(error));
      return false;
    }
  }

  async function opened(): Promise<void> {
    gone = null;
    tasks = noTasks;
    // Subscribed first: what was written before the log's answer is in the answer, what comes after it is an event.
    await connection.call({ op: "subscribe", snapshots: true, journal: true, trace: true });
    // Before anything is drawn: what is begun from the first snapshot on belongs to this connection, and must not begin again.
    for (const handler of openers) handler();
    drawn(await connection.call({ op: "snapshot" }));
    journal = (await connection.call({ op: "log", follow: false })).lines.slice(-journalMax);
  }

  function drawn(next: LabSnapshot): void {
    snapshot = next;
    if (!next.time.paused || (happened !== null && next.time.instant !== happened.at)) happened = null;
    if (!isSlow(next)) upcoming = [];
    else void askUpcoming(next.time.paused);
  }

  async function askUpcoming(always: boolean): Promise<void> {
    const wall = performance.now();
    if (askingUpcoming || (!always && wall - askedUpcomingAt < upcomingEveryMs)) return;
    [askingUpcoming, askedUpcomingAt] = [true, wall];
    try {
      upcoming = (await connection.call({ op: "upcoming" })).upcoming;
    } catch {
      // Whoever cannot be asked shows so elsewhere; this list is only empty.
      upcoming = [];
    }
    askingUpcoming = false;
  }

  function heard(event: LabEvent): void {
    switch (event.event) {
      case "snapshot":
        drawn(event.snapshot);
        if (event.snapshot.time.speed === askedSpeed) askedSpeed = undefined;
        return;
      case "journal":
        journal = [...journal, ...event.lines].slice(-journalMax);
        return;
      case "trace":
        // zod types an `unknown` key as optional.
        for (const handler of tracers) handler(event.events.map(({ instant, node, trace }) => ({ instant, node, trace })));
        return;
      case "terminal-data":
      case "terminal-exit":
        for (const handler of terminals) handler(event);
        return;
      case "notice":
        notices = [...notices, { severity: event.severity, code: "lab", text: event.text }].slice(-noticesMax);
        return;
      case "rolled-back":
        journal = journal.filter((line) => line.instant <= event.instant);
        tasks = noTasks;
        return;
      case "gone":
        // The first to say so knows best.
        gone ??= { reason: event.reason, frozen: event.frozen === true };
        return;
      default:
        // Output of commands and execs: this page starts none.
        return;
    }
  }

  connection.onState((state) => {
    const before = link.kind;
    link = state;
    // One that was only silent has kept everything it was told.
    if (state.kind === "open" && before !== "silent") void trying(opened);
    if (state.kind !== "silent") return;
    const acts = connection.unanswered().filter((op) => acting.has(op)).length;
    if (acts > 0) say("refused", presence.waiting(acts));
  });
  connection.onEvent(heard);

  async function acts(lines: readonly string[]): Promise<boolean> {
    return await trying(async () => {
      const [line] = lines;
      if (line === undefined) return;
      const { said } = await connection.call(lines.length === 1 ? { op: "act", line } : { op: "acts", lines: [...lines] });
      say("done", said === "" ? lines.join("; ") : said, true);
    });
  }

  /** Asked for and perhaps not drawn yet: quick presses of a key count from here. */
  let askedSpeed: Speed | undefined;
  const setSpeed = async (speed: Speed): Promise<void> => {
    askedSpeed = speed;
    const skipIdle = speed !== "max" && speed <= SLOW_SPEED_MAX;
    if (!(await trying(() => connection.call({ op: "speed", speed, ...(skipIdle ? { skipIdle } : {}) })))) askedSpeed = undefined;
  };

  return {
    connection,
    get link() {
      return link;
    },
    get snapshot() {
      return snapshot;
    },
    get journal() {
      return journal;
    },
    get notices() {
      return notices;
    },
    get gone() {
      return gone;
    },
    get said() {
      return said;
    },
    get happened() {
      return happened;
    },
    get upcoming() {
      return upcoming;
    },
    tasks: {
      get list() {
        return tasks.list;
      },
      get revision() {
        return tasks.revision;
      },
      get dropped() {
        return tasks.dropped;
      },
      ask: askTasks,
    },
    act: (line) => acts([line]),
    acts,
    undo: async () => {
      await trying(async () => say("done", (await connection.call({ op: "undo" })).said));
    },
    pauseOrRun: async () => {
      await trying(() => connection.call({ op: snapshot?.time.paused === true ? "resume" : "pause" }));
    },
    step: async (unit) => {
      await trying(async () => {
        happened = (await connection.call({ op: "step", unit, count: 1 })).happened ?? null;
      });
    },
    skip: async () => {
      await trying(async () => {
        const { found, what } = await connection.call({ op: "skip" });
        say("done", found ? `skipped to: ${what}` : "nothing happened within one virtual hour");
      });
    },
    setSpeed,
    slowOnChange: async (onChange = snapshot?.motion.onChange !== true, speed = snapshot?.motion.slowSpeed ?? 0.01) => {
      await trying(async () => {
        await connection.call({ op: "slow-motion", onChange, speed });
        say("done", motionText.said(onChange, speedName(speed)));
      });
    },
    faster: async (by) => {
      const now = askedSpeed ?? snapshot?.time.speed ?? 1;
      const next = nextSpeed(now, by);
      if (next !== undefined) await setSpeed(next);
    },
    say: (kind, text) => say(kind, text),
    done: ({ said: text }) => say("done", text, true),
    onTrace: (handler) => {
      tracers.add(handler);
      return () => tracers.delete(handler);
    },
    onTerminal: (handler) => terminals.push(handler),
    onOpen: (handler) => openers.push(handler),
  };
}
