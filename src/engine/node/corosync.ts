/**
 * The corosync process: its life from exec to exit, and its scheduling. In the real stack: main.c, and the service loader and unloader. It comes up in three
 * steps (configuration, knet's handle with its encryption, services and links), goes down by a signal or by a tool's order with a leave message, or dies
 * without one. Timing and lines are those of recorded runs. Left out: the log file of
 * to_logfile, file and function names in log lines, the black box, real-time scheduling.
 */
import type { SchedMiss, StatsGroup } from "../cmap/index.ts";
import { EXIT_ABORT, EXIT_SERVICES } from "../config/index.ts";
import {
  MS,
  NEVER,
  Rng,
  Timers,
  cloneState,
  type Datagram,
  type Duration,
  type Hasher,
  type Instant,
  type LogLevel,
} from "../kernel/index.ts";
import { drain, enqueue, type Computer, type ExitStatus } from "../machine/index.ts";
import {
  EXITING,
  KNET_READY,
  LOCKED,
  PROVIDER,
  QUORUM_LOADED,
  SERVICES_FIRST,
  SIGNALLED,
  STARTING,
  TRANSPORT,
  UNLOAD,
  UNLOADING,
  VOTEQUORUM_FAILED,
  VOTEQUORUM_LOADED,
  linkLines,
  notScheduled,
  removalLines,
  terminalLine,
  type Line,
} from "./lines.ts";
import type { Launch, ProcessEvents } from "./launch.ts";
import { earlyLogging, readSettings, storeRingSeq, testSettings, type ConfFile, type Settings } from "./settings.ts";
import { newLife, type CorosyncState, type LifeState, type RefusalLine } from "./corosync-state.ts";
import { Stack } from "./stack.ts";
import { drainTime, execTime, keyTime, leaveTime, servicesTime, signalTime, unloadGaps } from "./timing.ts";

/** corosync: exit status where another process holds the lock file. */
const EXIT_LOCKED = 18;
/** corosync's exit status after corosync_fatal_error and exit(-1). */
const EXIT_FATAL = 255;
/** Part of the token timeout after which a main loop that did not run complains. */
const NOT_SCHEDULED_FACTOR = 0.8;
/** corosync: MAX_SCHEDMISS_EVENTS. */
const SCHED_MISSES_KEPT = 10;

/** How long the tool of ExecStop= runs before systemd sends its signal (ours). */
const EXEC_STOP: Duration = 30 * MS;

export class Corosync {
  private life: LifeState;
  private readonly timers = new Timers();
  private rng: Rng;
  private settings: Settings | undefined;
  private running: Stack | undefined;

  /** @param exited the process is gone; called once */
  constructor(
    readonly computer: Computer,
    private readonly seed: string,
    pid: number,
    launch: Launch,
    private readonly events: ProcessEvents,
  ) {
    this.rng = Rng.from(seed, "node", computer.design.name, "corosync", String(computer.now));
    this.life = newLife(pid, launch);
  }

  /** exec(2): the process begins. */
  start(): void {
    this.after("exec", execTime(this.rng));
  }

  get pid(): number {
    return this.life.pid;
  }

  get alive(): boolean {
    return this.life.phase !== "dead";
  }

  /** The layers, once they are wired up and as long as tools can reach them. */
  get stack(): Stack | undefined {
    return this.life.phase === "running" ? this.running : undefined;
  }

  /** The layers as long as the process has them, also on its way down. */
  get layers(): Stack | undefined {
    return this.alive ? this.running : undefined;
  }

  /** The layers while what they believe is this node's word in the cluster: from the first ring's forming to the leave message. */
  get believing(): Stack | undefined {
    return this.life.phase === "running" || this.life.phase === "unloading" ? this.running : undefined;
  }

  get stopped(): boolean {
    return this.life.stopped;
  }

  private after(timer: string, delay: Duration): void {
    this.timers.set(timer, this.computer.now + delay);
  }

  /** It has the lock file, so that no other process can come up. */
  get holds(): boolean {
    return this.alive && this.life.holds;
  }

  private log(level: LogLevel, subsystem: string, text: string): void {
    if (!this.alive) return;
    const logging = this.settings?.config.logging;
    if (level === "debug" && logging?.debug !== true) return;
    const { launch, heard, logging: early } = this.life;
    if (heard && early.stderr) this.events.stderr(terminalLine(this.computer.unixMicros(), early.timestamp, { level, subsystem, text }));
    if (logging?.toSyslog ?? early.syslog) this.computer.log(launch.unit, this.life.pid, level, subsystem, text);
  }

  private say(lines: readonly Line[]): void {
    for (const l of lines) this.log(l.level, l.subsystem, l.text);
  }

  private end(exit: ExitStatus): void {
    if (!this.alive) return;
    this.life.phase = "dead";
    this.running?.knet.stop();
    this.timers.clearPrefix("");
    this.events.exited(exit);
  }

  // ── coming up ────────────────────────────────────────────────────────────────────────────────────────────────────────

  private configure(): void {
    const { launch } = this.life;
    this.life.logging = earlyLogging(this.computer, launch.file);
    if (launch.test) {
      this.test(launch.file);
      return;
    }
    const read = readSettings(this.computer, launch.file);
    const early = !read.ok && (read.stage === "parse" || read.stage === "logging");
    if (!early) this.say(STARTING);
    if (!read.ok && read.stage !== "services") {
      this.refuse(read.exitCode, read.messages);
      return;
    }
    if (!launch.foreground) this.detach();
    if (this.events.locked()) {
      this.refuse(EXIT_LOCKED, LOCKED);
      return;
    }
    this.life.holds = true;
    this.say(TRANSPORT);
    // What the services object to comes out only when they are loaded, after the key has been set up.
    if (read.ok) this.settings = read.settings;
    else this.life.refusal = { exitCode: read.exitCode, messages: [...read.messages] };
    this.life.phase = "configured";
    this.after("knet", keyTime(this.rng));
  }

  private test(file: ConfFile): void {
    const tested = testSettings(this.computer, file);
    this.tell(tested.messages);
    if (tested.exitCode === 0) this.say([EXITING]);
    this.leave(tested.exitCode);
  }

  /** fork: the parent ends well, the child has another id and nobody hears its standard error. */
  private detach(): void {
    this.life.heard = false;
    this.life.pid = this.computer.newPid();
    this.events.detached();
  }

  /** Messages without a subsystem come from before the log is set up: standard error and syslog directly. An assertion's goes to standard error only. */
  private tell(messages: readonly RefusalLine[]): void {
    const { launch, heard, pid } = this.life;
    for (const m of messages) {
      if (m.subsystem !== undefined) {
        this.log(m.level, m.subsystem, m.text);
        continue;
      }
      if (heard) this.events.stderr(`${m.text}\n`);
      if (m.level !== "crit") this.computer.log(launch.unit, pid, m.level, "", m.text);
    }
  }

  private refuse(exitCode: number, messages: readonly RefusalLine[]): void {
    this.tell(messages);
    this.leave(exitCode);
  }

  private leave(exitCode: number): void {
    this.end(exitCode === EXIT_ABORT ? { signal: "SIGABRT" } : { code: exitCode });
  }

  private initialiseKnet(): void {
    this.say(KNET_READY);
    if (this.settings !== undefined) {
      this.running = this.wire(this.settings);
      this.running.startKnet();
    }
    this.life.phase = "knet";
    this.after("services", servicesTime(this.rng));
  }

  private wire(settings: Settings): Stack {
    return new Stack(
      settings,
      {
        computer: this.computer,
        alive: () => this.alive,
        log: (level, subsystem, text) => this.log(level, subsystem, text),
        storeRingSeq: (seq) => this.storeRingSeq(settings, seq),
        synchronised: (first) => {
          if (first && this.alive) this.events.ready();
        },
        killed: () => this.end({ code: EXIT_FATAL }),
        shutdown: () => this.shutdown(),
        file: this.life.launch.file,
        reconfigured: (next) => {
          this.settings = next;
        },
        reloaded: () => this.events.reloaded(),
        aborted: () => this.end({ signal: "SIGABRT" }),
      },
      this.seed,
    );
  }

  private loadServices(): void {
    const { running: stack, settings } = this;
    if (this.life.refusal !== undefined || stack === undefined || settings === undefined) {
      this.say(SERVICES_FIRST);
      this.refuse(this.life.refusal?.exitCode ?? EXIT_FATAL, this.life.refusal?.messages ?? []);
      return;
    }
    this.life.phase = "running";
    this.say(SERVICES_FIRST);
    if (stack.hasProvider) {
      this.say([PROVIDER]);
      if (!stack.votequorum.load()) {
        this.refuse(EXIT_SERVICES, VOTEQUORUM_FAILED);
        return;
      }
      this.say(VOTEQUORUM_LOADED);
    }
    this.say(QUORUM_LOADED);
    for (const l of settings.config.links) this.say(linkLines(l.link, l.address, l.mcastport));
    this.life.lastTick = this.computer.now;
    this.armTick();
    stack.startRing();
  }

  private storeRingSeq(settings: Settings, seq: number): void {
    if (!this.alive) return;
    const errno = storeRingSeq(this.computer, settings.config.nodeId, seq);
    if (errno === undefined) return;
    const text = errno === "ENOSPC" ? "No space left on device" : errno;
    this.log("error", "MAIN", `Couldn't store new ring id ${seq.toString(16)} to stable storage (${text})`);
    this.end({ code: EXIT_FATAL });
  }

  // ── the main loop ────────────────────────────────────────────────────────────────────────────────────────────────────

  private get tokenUs(): Duration {
    return (this.settings?.config.totem.tokenMs ?? 3000) * MS;
  }

  private armTick(): void {
    this.after("tick", Math.floor(this.tokenUs / 3));
  }

  private tick(): void {
    const late = this.computer.now - this.life.lastTick;
    const threshold = this.tokenUs * NOT_SCHEDULED_FACTOR;
    if (late > threshold) {
      const now = this.computer.unixMicros();
      this.say([notScheduled(now, late, threshold)]);
      this.life.schedMisses.unshift({ unixMs: Math.floor(now / MS), delayMs: late / MS });
      this.life.schedMisses.splice(SCHED_MISSES_KEPT);
    }
    this.life.lastTick = this.computer.now;
    this.armTick();
  }

  get schedMisses(): readonly SchedMiss[] {
    return this.life.schedMisses;
  }

  /** A fault of its own: SIGSEGV. */
  crash(): void {
    this.end({ signal: "SIGSEGV" });
  }

  /** stats.clear.*: knet's counters take Totem's along. What tools have opened is not counted here, so that for ipc there is nothing to clear. */
  clearStats(group: StatsGroup): void {
    const has = (...groups: StatsGroup[]): boolean => groups.includes(group);
    if (has("knet", "all")) this.stack?.knet.clearStats();
    if (has("knet", "totem", "all")) this.stack?.totem.clearStats();
    if (has("schedmiss", "all")) this.life.schedMisses = [];
  }

  nextTimerAt(): Instant {
    if (!this.alive || this.life.stopped) return NEVER;
    return Math.min(this.timers.nextAt(), this.running?.nextTimerAt() ?? NEVER);
  }

  /** Runs the earliest timer due. */
  runTimer(now: Instant): boolean {
    if (!this.alive || this.life.stopped) return false;
    if (this.running !== undefined && this.running.nextTimerAt() <= this.timers.nextAt()) return this.running.runTimer(now);
    const name = this.timers.pop(now);
    if (name === undefined) return false;
    this.timer(name);
    return true;
  }

  private timer(name: string): void {
    const { running } = this;
    if (name === "exec") this.configure();
    else if (name === "knet") this.initialiseKnet();
    else if (name === "services") this.loadServices();
    else if (running === undefined) throw new Error(`corosync timer ${name} before the daemon was up`);
    else if (name === "tick") this.tick();
    else if (name === "unload") this.unloadNext();
    else if (name === "sigterm") this.terminate();
    else if (name === "leave") this.leaveRing(running);
    else if (name === "exit") this.exit(running);
    else throw new Error(`corosync has no timer ${name}`);
  }

  /** Somebody listens on this address and port. */
  listens(address: string, port: number): boolean {
    return this.alive && this.running?.knet.listens(address, port) === true;
  }

  receive(datagram: Datagram): void {
    if (this.life.stopped) enqueue(this.life.socket, datagram);
    else this.layers?.receive(datagram);
  }

  /** SIGSTOP, or the machine's processors stall. */
  stop(): void {
    if (!this.alive || this.life.stopped) return;
    this.life.stopped = true;
    this.life.stoppedAt = this.computer.now;
  }

  /** SIGCONT: what waited is handled in the order the real daemon's threads do it, then late timers run. */
  resume(): void {
    if (!this.alive || !this.life.stopped) return;
    this.life.stopped = false;
    const now = this.computer.now;
    this.layers?.catchUp(now, this.life.stoppedAt, drain(this.life.socket));
    while (this.nextTimerAt() <= now && this.runTimer(now));
    this.layers?.caughtUp();
    if (!this.life.termPending) return;
    this.life.termPending = false;
    this.terminate();
  }

  // ── going down ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** SIGTERM. */
  terminate(): void {
    if (this.life.stopped) {
      this.life.termPending = true;
      return;
    }
    switch (this.life.phase) {
      case "running":
        this.say([SIGNALLED]);
        this.life.phase = "unloading";
        this.timers.clear("tick");
        this.life.gaps = unloadGaps(this.rng, UNLOAD.length - 1);
        this.after("unload", signalTime(this.rng));
        return;
      case "exec":
      case "configured":
      case "knet":
        // The handler is not installed yet, or there is nothing to unload: the signal ends the process.
        this.end({ signal: "SIGTERM" });
        return;
      case "unloading":
      case "draining":
      case "dead":
    }
  }

  /**
   * The unit's ExecStop=, corosync-cfgtool -H: a message over the ring; then systemd's SIGTERM for a daemon that has not heeded it (it gathers).
   * False where the daemon's socket does not answer, or says "try again".
   */
  execStop(): boolean {
    if (this.life.stopped || this.stack?.sync.ready !== true || !this.stack.cfg.tryShutdown()) return false;
    this.after("sigterm", EXEC_STOP);
    return true;
  }

  /** Order of a tool (cfgtool -H) or the daemon's own decision: no waits between the services. */
  private shutdown(): void {
    if (this.life.phase !== "running") return;
    this.life.phase = "unloading";
    this.timers.clear("tick");
    this.life.gaps = UNLOAD.slice(1).map(() => 0);
    this.after("unload", 0);
  }

  private unloadNext(): void {
    for (;;) {
      const lines = UNLOAD[this.life.unloaded];
      if (lines === undefined) break;
      if (this.life.unloaded === 0) {
        this.say([UNLOADING]);
        if (this.running !== undefined) this.running.sync.unload(this.running.votequorum.id);
      }
      if (this.life.unloaded > 0 || this.running?.hasProvider === true) this.say(lines);
      if (this.life.unloaded === 0 && this.running?.hasProvider === true) this.running.votequorum.unload();
      const gap = this.life.gaps[this.life.unloaded] ?? 0;
      this.life.unloaded++;
      if (gap > 0) {
        this.after("unload", gap);
        return;
      }
    }
    const ordered = this.life.gaps.every((g) => g === 0);
    this.after("leave", leaveTime(this.rng, ordered));
  }

  private leaveRing(stack: Stack): void {
    this.life.phase = "draining";
    stack.leave();
    this.after("exit", drainTime(this.rng));
  }

  private exit(stack: Stack): void {
    const up = stack.knet.status().filter((l) => l.connected);
    this.say(removalLines(stack.settings.config, up));
    this.say([EXITING]);
    this.end({ code: 0 });
  }

  /** SIGKILL, or the power went: no word, no leave message, and no callback. */
  kill(): void {
    this.life.phase = "dead";
  }

  // ── snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────────

  snapshot(): CorosyncState {
    return {
      life: cloneState(this.life),
      timers: this.timers.snapshot(),
      rng: this.rng.snapshot(),
      settings: this.settings,
      stack: this.running?.snapshot(),
    };
  }

  restore(state: CorosyncState): void {
    this.life = cloneState(state.life);
    this.timers.restore(state.timers);
    this.rng = Rng.restore(state.rng);
    this.settings = state.settings === undefined ? undefined : Object.freeze({ ...state.settings });
    this.running = undefined;
    if (state.stack === undefined || this.settings === undefined) return;
    this.running = this.wire(this.settings);
    this.running.restore(state.stack);
  }

  digest(h: Hasher): void {
    const l = this.life;
    h.text(l.phase).text(l.launch.file.path).text(l.launch.unit).bool(l.launch.test).bool(l.launch.foreground).bool(l.heard).bool(l.holds);
    h.bool(l.logging.syslog).bool(l.logging.stderr).text(l.logging.timestamp);
    h.int(l.pid)
      .bool(l.termPending)
      .bool(l.stopped)
      .int(l.lastTick)
      .int(l.unloaded)
      .int(l.schedMisses.length)
      .int(l.socket.queue.length)
      .int(l.socket.dropped);
    for (const t of this.timers.snapshot().pending) h.text(t.name).int(t.at);
    this.running?.digest(h);
  }
}
