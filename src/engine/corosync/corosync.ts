/**
 * The corosync program: from exec to exit, and its main loop. In the real stack: main.c, and the service loader and unloader. It comes up in three
 * steps (configuration, knet's handle with its encryption, services and links), goes down by a signal or by a tool's order with a leave message, or dies
 * without one. Timing and lines are those of recorded runs. Left out: system.priority, and the file whose lock is held (a name that one process alone can serve
 * stands for it).
 */
import type { StatsGroup } from "../cmap/index.ts";
import { endsBy, EXIT_MAIN_CONFIG, EXIT_SERVICES, profileOf, type LoggingConfig } from "../config/index.ts";
import {
  MS,
  NEVER,
  Rng,
  Timers,
  cloneState,
  strerror,
  type Datagram,
  type Duration,
  type Handled,
  type Hasher,
  type Instant,
  type IpcRequest,
  type Os,
  type Peeked,
  type Plain,
  type ProcessExit,
  type Program,
  type ProgramEvent,
  type Signal,
} from "../kernel/index.ts";
import { ringIdText } from "../totem/types.ts";
import { parseCall } from "./call.ts";
import { DaemonServices } from "./ipc/server.ts";
import * as said from "./lines.ts";
import { DaemonLog } from "./log.ts";
import {
  earlyLogging,
  readSettings,
  storeRingSeq,
  testSettings,
  warningsOf,
  type ConfFile,
  type ConfHost,
  type Settings,
} from "./settings.ts";
import { Stack } from "./stack.ts";
import {
  EXIT_FATAL,
  EXIT_LOCKED,
  REAL_TIME_PRIORITY,
  SCHED_MISSES_KEPT,
  newRun,
  type CorosyncState,
  type RunState,
  type RefusalLine,
} from "./state.ts";
import { NOT_SCHEDULED_FACTOR, drainTime, execTime, keyTime, leaveTime, servicesTime, signalTime, unloadGaps } from "./timing.ts";

/** From when the handlers are installed. SIGUSR2 and SIGPIPE do nothing: the black box, which one of them writes, is left out. */
const HANDLED: Handled = ["SIGTERM", "SIGINT", "SIGQUIT", "SIGUSR2", "SIGPIPE"];
const TERMINATES: Handled = ["SIGTERM", "SIGINT", "SIGQUIT"];

export class Corosync implements Program {
  private run: RunState = newRun();
  private readonly timers = new Timers();
  private rng: Rng;
  private settings: Settings | undefined;
  private running: Stack | undefined;
  private services: DaemonServices | undefined;
  private readonly log: DaemonLog;

  constructor(private readonly os: Os) {
    this.rng = os.rng("corosync");
    this.log = new DaemonLog(os, () => this.run);
  }

  start(): void {
    const profile = profileOf(this.os.release);
    this.run.release = profile.release;
    const call = parseCall(this.os.argv, this.os.cwd, profile);
    if ("status" in call) {
      if (call.stdout !== "") this.os.print("stdout", call.stdout);
      if (call.stderr !== "") this.os.print("stderr", call.stderr);
      this.end({ code: call.status });
      return;
    }
    this.run.call = call;
    this.after("exec", execTime(this.rng));
  }

  private get alive(): boolean {
    return this.run.phase !== "dead";
  }

  /** The layers while what they believe is this node's word in the cluster: from the first ring's forming to the leave message. */
  get believing(): Stack | undefined {
    return this.run.phase === "running" || this.run.phase === "unloading" ? this.running : undefined;
  }

  private after(timer: string, delay: Duration): void {
    this.timers.set(timer, this.os.now + delay);
  }

  private end(exit: ProcessExit): void {
    if (!this.alive) return;
    this.run.phase = "dead";
    this.running?.knet.stop();
    this.timers.clearPrefix("");
    this.os.exit(exit);
  }

  // ── coming up ────────────────────────────────────────────────────────────────────────────────────────────────────────

  private configure(): void {
    const { call } = this.run;
    const host = { ...this.confHost, openLog: (file: string) => this.log.open(file) };
    const logging = earlyLogging(host, call.file);
    if (call.test) {
      this.test(host, call.file, logging);
      return;
    }
    const read = readSettings(host, call.file);
    const early = !read.ok && (read.stage === "parse" || read.stage === "logging");
    if (!early) {
      this.log.take(logging);
      this.log.say(said.starting(profileOf(this.run.release)));
    }
    if (!read.ok && read.stage !== "services") {
      this.refuse(read.exitCode, read.messages);
      return;
    }
    // What the configuration reader warns of comes at once; what the services object to only when they are loaded, after the key has been set up.
    this.log.tell(read.ok ? read.warnings : warningsOf(read.messages));
    if (!call.foreground) {
      // The parent ends well, and nobody hears the child's standard error.
      this.run.heard = false;
      this.os.detach();
    }
    if (!this.os.ipc.listen(call.lock)) {
      this.refuse(EXIT_LOCKED, said.locked(profileOf(this.run.release)));
      return;
    }
    if (read.ok && read.settings.keys.find((k) => k.key === "system.sched_rr")?.value !== "no") this.os.realTime(REAL_TIME_PRIORITY);
    if (read.ok) this.settings = read.settings;
    else this.run.refusal = { exitCode: read.exitCode, messages: read.messages.filter((m) => !warningsOf(read.messages).includes(m)) };
    this.log.say(said.transportLines(this.settings?.config));
    this.run.phase = "configured";
    this.after("knet", keyTime(this.rng));
  }

  private get confHost(): ConfHost {
    return { files: this.os.files, hostname: this.os.hostname, nics: () => this.os.nics(), release: this.run.release };
  }

  private test(host: ConfHost, file: ConfFile, logging: LoggingConfig): void {
    const tested = testSettings(host, file);
    if (tested.messages.every((m) => m.subsystem !== undefined)) this.log.take(logging);
    this.log.tell(tested.messages);
    if (tested.exitCode === 0) this.log.say([said.EXITING]);
    this.leave(tested.exitCode);
  }

  private refuse(exitCode: number, messages: readonly RefusalLine[]): void {
    this.log.tell(messages);
    this.leave(exitCode);
  }

  private leave(exitCode: number): void {
    const signal = endsBy(exitCode);
    this.end(signal === undefined ? { code: exitCode } : { signal });
  }

  private initialiseKnet(): void {
    this.log.say(said.knetLines(this.settings?.config));
    if (this.settings !== undefined) {
      this.wire(this.settings).stack.startKnet();
    }
    this.run.phase = "knet";
    this.after("services", servicesTime(this.rng));
  }

  private wire(settings: Settings): { stack: Stack; services: DaemonServices } {
    const stack = new Stack(settings, {
      os: this.os,
      alive: () => this.alive,
      log: (level, subsystem, text) => this.log.line(level, subsystem, text),
      storeRingSeq: (seq) => this.storeRingSeq(settings, seq),
      synchronised: (first) => {
        if (first && this.alive) this.os.notifyReady();
      },
      killed: () => this.end({ code: EXIT_FATAL }),
      shutdown: () => this.shutdown(),
      file: this.run.call.file,
      reconfigured: (next) => {
        this.settings = next;
        this.log.take(next.config.logging);
      },
      reopenLogs: () => this.log.reopen(),
      quorum: (view) => this.services?.quorum(view),
      aborted: (signal) => this.end({ signal }),
    });
    const services = new DaemonServices(this.os.ipc, stack, {
      answers: () => this.run.phase === "running" || (this.run.phase === "unloading" && this.run.unloaded === 0),
      schedMisses: () => this.run.schedMisses,
      clearStats: (group) => this.clearStats(stack, group),
      crash: () => this.end({ signal: "SIGSEGV" }),
    });
    this.running = stack;
    this.services = services;
    return { stack, services };
  }

  private loadServices(): void {
    const { running: stack, settings, services } = this;
    if (this.run.refusal !== undefined || stack === undefined || settings === undefined) {
      this.log.say(said.SERVICES_FIRST);
      this.refuse(this.run.refusal?.exitCode ?? EXIT_FATAL, this.run.refusal?.messages ?? []);
      return;
    }
    this.run.phase = "running";
    this.log.say([said.ringLine(ringIdText(stack.totem.ring)), ...said.SERVICES_FIRST]);
    if (stack.hasProvider) {
      this.log.say([said.PROVIDER]);
      if (!stack.votequorum.load()) {
        this.refuse(EXIT_SERVICES, said.VOTEQUORUM_FAILED);
        return;
      }
      this.log.say(said.VOTEQUORUM_LOADED);
    }
    this.log.say(said.QUORUM_LOADED);
    services?.listen();
    const links = said.links(settings.config);
    this.log.say(links.lines);
    if (links.refused) return this.leave(EXIT_MAIN_CONFIG);
    this.log.say(said.compressing(settings.config));
    this.run.lastTick = this.os.now;
    this.after("tick", Math.floor(this.tokenUs / 3));
    stack.startRing();
  }

  private storeRingSeq(settings: Settings, seq: number): void {
    if (!this.alive) return;
    const errno = storeRingSeq(this.os.files, settings.config.nodeId, seq);
    if (errno === undefined) return;
    this.log.line("error", "MAIN", `Couldn't store new ring id ${seq.toString(16)} to stable storage (${strerror(errno)})`);
    this.end({ code: EXIT_FATAL });
  }

  // ── the main loop ────────────────────────────────────────────────────────────────────────────────────────────────────

  private get tokenUs(): Duration {
    return (this.settings?.config.totem.tokenMs ?? 3000) * MS;
  }

  private tick(): void {
    const late = this.os.now - this.run.lastTick;
    const threshold = this.tokenUs * NOT_SCHEDULED_FACTOR;
    if (late > threshold) {
      const now = this.os.unixMicros();
      this.log.say([said.notScheduled(now, late, threshold)]);
      this.run.schedMisses.unshift({ unixMs: Math.floor(now / MS), delayMs: late / MS });
      this.run.schedMisses.splice(SCHED_MISSES_KEPT);
    }
    this.run.lastTick = this.os.now;
    this.after("tick", Math.floor(this.tokenUs / 3));
  }

  /** stats.clear.*: knet's counters take Totem's along. What tools have opened is not counted here, so that for ipc there is nothing to clear. */
  private clearStats(stack: Stack, group: StatsGroup): void {
    const has = (...groups: StatsGroup[]): boolean => groups.includes(group);
    if (has("knet", "all")) stack.knet.clearStats();
    if (has("knet", "totem", "all")) stack.totem.clearStats();
    if (has("schedmiss", "all")) this.run.schedMisses = [];
  }

  nextTimerAt(): Instant {
    if (!this.alive) return NEVER;
    return Math.min(this.timers.nextAt(), this.running?.nextTimerAt() ?? NEVER);
  }

  armed(): { readonly name: string; readonly at: Instant }[] {
    return this.alive ? [...this.timers.armed("corosync"), ...(this.running?.armed() ?? [])] : [];
  }

  runTimer(now: Instant): void {
    if (this.running !== undefined && this.running.nextTimerAt() <= this.timers.nextAt()) this.running.runTimer(now);
    else {
      const name = this.timers.pop(now);
      if (name !== undefined) this.timer(name);
    }
    this.services?.flush();
  }

  private timer(name: string): void {
    const { running } = this;
    if (name === "exec") this.configure();
    else if (name === "knet") this.initialiseKnet();
    else if (name === "services") this.loadServices();
    else if (running === undefined) throw new Error(`corosync timer ${name} before the daemon was up`);
    else if (name === "tick") this.tick();
    else if (name === "unload") this.unloadNext();
    else if (name === "leave") this.leaveRing(running);
    else if (name === "exit") this.exit(running);
    else throw new Error(`corosync has no timer ${name}`);
  }

  event(event: ProgramEvent): void {
    if (event.kind === "datagram") this.running?.receive(event.datagram);
    else if (event.kind === "ipc") this.services?.event(event.event);
    else throw new Error(`corosync asks for nothing that ends in an event of kind ${event.kind}`);
    this.services?.flush();
  }

  /** What waited is handled in the order the real daemon's threads do it: knet's first. What clients had asked comes after the late timers. */
  catchUp(since: Instant, waiting: readonly ProgramEvent[]): void {
    const datagrams: Datagram[] = [];
    for (const event of waiting) {
      if (event.kind === "datagram") datagrams.push(event.datagram);
      else if (event.kind === "ipc") this.run.asked.push(event.event);
    }
    this.running?.catchUp(this.os.now, since, datagrams);
  }

  resumed(): void {
    this.running?.caughtUp();
    const { asked } = this.run;
    this.run.asked = [];
    for (const event of asked) if (this.alive) this.services?.event(event);
    this.services?.flush();
  }

  peek(service: string, request: IpcRequest): Peeked {
    if (this.run.phase !== "running") return { peek: "refused" };
    return this.services?.peek(service, request) ?? { peek: "refused" };
  }

  // ── going down ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Handlers are installed when the services are there; before, a signal ends the process. */
  handles(): Handled {
    const { phase } = this.run;
    return phase === "running" || phase === "unloading" || phase === "draining" ? HANDLED : [];
  }

  signal(signal: Signal): void {
    if (this.run.phase !== "running" || !TERMINATES.includes(signal)) return;
    this.log.say([said.SIGNALLED]);
    this.unload(unloadGaps(this.rng, said.UNLOAD.length - 1), signalTime(this.rng));
  }

  /** Order of a tool (cfgtool -H) or the daemon's own decision: no waits between the services. */
  private shutdown(): void {
    if (this.run.phase !== "running") return;
    this.unload(
      said.UNLOAD.slice(1).map(() => 0),
      0,
    );
  }

  private unload(gaps: number[], first: Duration): void {
    this.run.phase = "unloading";
    this.services?.unlisten();
    this.timers.clear("tick");
    this.run.gaps = gaps;
    this.after("unload", first);
  }

  private unloadNext(): void {
    for (;;) {
      const lines = said.UNLOAD[this.run.unloaded];
      if (lines === undefined) break;
      if (this.run.unloaded === 0) {
        this.log.say([said.UNLOADING]);
        if (this.running !== undefined) this.running.sync.unload(this.running.votequorum.id);
      }
      if (this.run.unloaded > 0 || this.running?.hasProvider === true) this.log.say(lines);
      if (this.run.unloaded === 0 && this.running?.hasProvider === true) this.running.votequorum.unload();
      const gap = this.run.gaps[this.run.unloaded] ?? 0;
      this.run.unloaded++;
      if (gap > 0) {
        this.after("unload", gap);
        return;
      }
    }
    const ordered = this.run.gaps.every((g) => g === 0);
    this.after("leave", leaveTime(this.rng, ordered));
  }

  private leaveRing(stack: Stack): void {
    this.run.phase = "draining";
    stack.leave();
    this.after("exit", drainTime(this.rng));
  }

  private exit(stack: Stack): void {
    const up = stack.knet.status().filter((l) => l.connected);
    this.log.say(said.removalLines(stack.settings.config, up));
    this.log.say([said.EXITING]);
    this.end({ code: 0 });
  }

  // ── snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────────

  snapshot(): Plain {
    const state: CorosyncState = {
      run: cloneState(this.run),
      timers: this.timers.snapshot(),
      rng: this.rng.snapshot(),
      settings: this.settings,
      stack: this.running?.snapshot(),
      services: this.services?.snapshot(),
    };
    return state as unknown as Plain;
  }

  restore(saved: Plain): void {
    const state = saved as unknown as CorosyncState;
    this.run = cloneState(state.run);
    this.timers.restore(state.timers);
    this.rng = Rng.restore(state.rng);
    this.settings = state.settings === undefined ? undefined : Object.freeze({ ...state.settings });
    this.running = undefined;
    this.services = undefined;
    if (state.stack === undefined || this.settings === undefined) return;
    const { stack, services } = this.wire(this.settings);
    stack.restore(state.stack);
    services.restore(state.services);
  }

  digest(h: Hasher): void {
    const l = this.run;
    h.text(l.phase).text(l.call.file.path).bool(l.call.test).bool(l.call.foreground).bool(l.heard);
    h.text(l.release);
    h.bool(l.logging.toSyslog).bool(l.logging.toStderr).text(l.logging.timestamp);
    for (const [file, fd] of Object.entries(l.logFiles)) h.text(file).int(fd);
    h.int(l.lastTick).int(l.unloaded).int(l.schedMisses.length).int(l.asked.length);
    for (const t of this.timers.snapshot().pending) h.text(t.name).int(t.at);
    this.running?.digest(h);
    this.services?.digest(h);
  }
}
