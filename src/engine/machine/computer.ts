/**
 * One computer without its programs: power, boot and shutdown, the units' manager, disk, network cards, journal, process ids. In the real stack: the
 * hardware, the kernel and systemd as far as a cluster stack notices them. Programs are run by whoever owns the computer, through
 * `Processes`. Left out: memory, load, CPU time, users, clock skew.
 */
import {
  Hasher,
  Journal,
  NEVER,
  Rng,
  SEC,
  Timers,
  cloneState,
  defaultIdentifier,
  type DiskImage,
  type Duration,
  type Effect,
  type HardwareAct,
  type Instant,
  type JournalState,
  type LogLevel,
  type NicStatus,
  type Out,
  type Piece,
  type Power,
  type RngState,
  type Signal,
  type TimersState,
  type TraceEvent,
} from "../kernel/index.ts";
import type { HostEntry } from "./base-files.ts";
import { KERNEL_LINE, KERNEL_RELEASE, computerFiles, layContents, type FileUsers } from "./computer-files.ts";
import type { Files, FilesState } from "./files/index.ts";
import { changedCards, changedNics, changeDisk, newNic } from "./hardware.ts";
import type { NicDesign } from "./nics.ts";
import {
  Manager,
  type HostFacts,
  type ManagerHooks,
  type ManagerState,
  type SpawnRequest,
  type Spawned,
  type SystemAction,
} from "./systemd/index.ts";
import { unitFiles } from "./unit-disk.ts";
import type { PowerState, Stage } from "./power-state.ts";

/** Virtual time from the power button to the first unit, where a design gives none. */
export const BOOT_DEFAULT: Duration = 5 * SEC;
/** From the last unit's end to power off: unmounting and the firmware's part. Ours. */
const POWER_OFF_DELAY: Duration = 1 * SEC;
/** First process id a unit may get after boot, about what a PVE node shows. */
const FIRST_PID = 700;
const PID_MAX = 32_768;

export interface ComputerDesign {
  readonly name: string;
  readonly hostname: string;
  readonly domain: string;
  readonly nics: readonly NicDesign[];
  /** Entries of /etc/hosts, own name included. */
  readonly hosts: readonly HostEntry[];
  /** Files put on a new disk, over the base tree. Mode 0644 where absent. */
  readonly files: readonly { readonly path: string; readonly data: Uint8Array; readonly mode?: number }[];
  readonly boot: Duration;
  /** Units not started at boot. */
  readonly disabledUnits: readonly string[];
  /** Packages installed beyond what every machine of its kind has; `corosync-qdevice` brings the device's daemon and tool. */
  readonly packages?: readonly string[];
  /** Which release of the stack is installed; absent: the default one. */
  readonly release?: string;
  /** "on": the machine starts booting at instant 0 by itself. */
  readonly power: "on" | "off";
}

/** What a machine has from its world. */
export interface WorldFacts {
  readonly seed: string;
  /** Microseconds since 1970 at instant 0. */
  readonly epochUnixMicros: number;
}

/** Who runs the programs. */
export interface Processes {
  /** The kernel has started. */
  booted(): void;
  spawn(request: SpawnRequest): Spawned;
  kill(pid: number, signal: Signal): void;
  processes: ManagerHooks["processes"];
  /** The disk is done with what somebody waits for. */
  written(): void;
  /** The power went: nothing that ran is left. */
  powerLost(): void;
  readonly files: FileUsers;
}

export interface ComputerState {
  power: PowerState;
  files: FilesState;
  nics: NicStatus[];
  timers: TimersState;
  journal: JournalState;
  manager: ManagerState;
  rng: RngState;
}

const DISK_TIMER = "disk/written";

const MANAGER_COURSE = /^(Queued start job|Startup finished|Shutting down)/;

export class Computer {
  now: Instant = 0;
  private out: Out = () => undefined;
  readonly timers = new Timers();
  readonly journal = new Journal();
  /** PID 1. */
  readonly manager: Manager;
  readonly files: Files;
  nics: NicStatus[];
  private power: PowerState;
  private rng: Rng;

  /** @param packages whose unit files are on its disk */
  constructor(
    public design: ComputerDesign,
    private readonly world: WorldFacts,
    packages: readonly string[],
    private readonly processes: Processes,
  ) {
    this.rng = Rng.from(world.seed, "machine", design.name);
    const began = { stage: "off", stalled: false, since: 0, rebootAfter: false } as const;
    this.power = { ...began, nextPid: FIRST_PID, hostname: "", diskLine: "" };
    this.nics = design.nics.map(newNic);
    this.files = computerFiles(this, processes.files, design, packages);
    this.manager = new Manager(this.managerHooks());
    if (design.power === "on") this.powerOn();
  }

  private managerHooks(): ManagerHooks {
    const { processes } = this;
    return {
      now: () => this.now,
      unixMicros: () => this.unixMicros(),
      setTimer: (name, at) => this.timers.set(`unit/${name}`, at),
      clearTimer: (name) => this.timers.clear(`unit/${name}`),
      log: (unit, level, text, as) => {
        if (level !== "info" || !this.isScaffold(unit, text)) this.log(unit, as?.pid ?? 1, level, "", text, as?.identifier);
      },
      trace: (event) => {
        if (event.what !== "unit" || !this.isScaffold(event.unit, "")) this.trace(event);
      },
      rng: (...labels) => Rng.from(this.world.seed, "machine", this.design.name, "systemd", ...labels, String(this.now)),
      host: this.hostFacts(),
      ...unitFiles(
        () => this.files,
        () => this.world.epochUnixMicros,
      ),
      spawn: (request) => processes.spawn(request),
      kill: (pid, signal) => processes.kill(pid, signal),
      processes: (unit) => processes.processes(unit),
      started: () => {
        if (this.power.stage === "starting") this.changePower("on");
      },
      act: (action) => this.stopped(action),
    };
  }

  /** Targets, services that run nothing, and the manager's own way up and down: the lab's journal and trace are about what runs, and leave these out where nothing is wrong with them. */
  private isScaffold(unit: string, text: string): boolean {
    if (unit === "systemd") return MANAGER_COURSE.test(text);
    if (unit.endsWith(".target")) return true;
    return this.manager.graph.get(`${unit}.service`)?.service?.exec.ExecStart.length === 0;
  }

  private hostFacts(): HostFacts {
    const { journal, design, world } = this;
    const hostname = (): string => this.hostname;
    const id = (...labels: readonly string[]): string => {
      const half = (which: string): string => new Hasher().text([world.seed, design.name, ...labels, which].join("/")).hex();
      return half("1") + half("2");
    };
    return {
      get hostname() {
        return hostname();
      },
      machineId: id("machine"),
      get bootId() {
        return id("boot", String(journal.boot));
      },
      kernel: KERNEL_RELEASE,
    };
  }

  /** The wall clock: microseconds since 1970, zone UTC. */
  unixMicros(): number {
    return this.world.epochUnixMicros + this.now;
  }

  wakeDisk(at: Instant): void {
    this.timers.set(DISK_TIMER, Math.min(at, this.timers.at(DISK_TIMER)));
  }

  /** Every event enters here: from now on `now` is the instant and effects go to `out`. */
  enter(now: Instant, out: Out): void {
    this.now = now;
    this.out = out;
  }

  emit(effect: Effect): void {
    this.out(effect);
  }

  trace(event: TraceEvent): void {
    this.out({ kind: "trace", event });
  }

  /** One journal line. `unit` without suffix; pid 1 is systemd speaking about the unit. */
  log(unit: string, pid: number, level: LogLevel, subsystem: string, text: string, identifier = defaultIdentifier(unit, pid)): void {
    const line = { instant: this.now, unit, identifier, pid, boot: this.journal.boot, level, subsystem, text };
    this.journal.append(line);
    this.out({ kind: "journal", line });
  }

  /** The id the next process gets. */
  get nextPid(): number {
    return this.power.nextPid;
  }

  newPid(): number {
    const pid = this.power.nextPid;
    this.power.nextPid = pid + this.rng.between(1, 4);
    if (this.power.nextPid > PID_MAX) this.power.nextPid = FIRST_PID;
    return pid;
  }

  /** The name the kernel has. */
  get hostname(): string {
    return this.power.hostname === "" ? this.design.hostname : this.power.hostname;
  }

  /** sethostname(2): until the next boot. */
  setHostname(name: string): void {
    this.power.hostname = name;
  }

  /** Cards and names; also while the machine is off. */
  hardware(act: HardwareAct): void {
    changeDisk(this.files, act, this.nics, this.design.name);
    this.nics = changedNics(this.nics, act);
    if (act.kind === "renamed") {
      this.design = { ...this.design, name: act.name, hostname: act.name };
      this.power.hostname = "";
    }
    if (act.kind === "release") this.design = { ...this.design, release: act.release };
    this.design = { ...this.design, nics: changedCards(this.design.nics, act) };
  }

  /** What stands on the disk now; the next boot says so. No effect on a machine that is on. */
  layDisk(image: DiskImage, chunks: readonly Piece[]): void {
    if (this.power.stage !== "off") return;
    const { dropped } = layContents(this.files, image, chunks);
    const lost = dropped === 0 ? "" : `, ${dropped} damaged rows dropped`;
    this.power.diskLine = `EXT4-fs (dm-1): file system was modified while the machine was off${lost}`;
  }

  // ---- power

  get stage(): Stage {
    return this.power.stage;
  }

  get stalled(): boolean {
    return this.power.stalled;
  }

  /** Units run, commands can be typed, the network answers. */
  get isUp(): boolean {
    const s = this.power.stage;
    return s === "starting" || s === "on" || s === "stopping";
  }

  get powerSince(): Instant {
    return this.power.since;
  }

  /** When it was last powered on; null while it is off. */
  get upSince(): Instant | null {
    return this.power.stage === "off" ? null : (this.power.poweredAt ?? this.power.since);
  }

  /** On its way up; also in the moment of a reboot when nothing runs any more. */
  get booting(): boolean {
    const { stage, rebootAfter } = this.power;
    return stage === "booting" || stage === "starting" || (stage === "powering-off" && rebootAfter);
  }

  powerWord(): Power {
    if (this.power.stage === "off") return "off";
    return this.power.stalled ? "stalled" : "on";
  }

  private changePower(stage: Stage): void {
    const before = this.powerWord();
    this.power.stage = stage;
    const after = this.powerWord();
    if (before === after) return;
    if (before === "off") this.power.poweredAt = this.now;
    this.power.since = this.now;
    this.trace({ what: "power", state: after });
  }

  /** The power button. No effect on a machine that is on; one that is going down comes back once it is off. */
  powerOn(): void {
    if (this.power.stage === "stopping" || this.power.stage === "powering-off") this.power.rebootAfter = true;
    if (this.power.stage !== "off") return;
    this.power.rebootAfter = false;
    this.power.stalled = false;
    this.power.nextPid = FIRST_PID + this.rng.below(200);
    this.changePower("booting");
    this.power.hostname = "";
    this.journal.beginBoot();
    this.log("kernel", 0, "notice", "", KERNEL_LINE);
    if (this.power.diskLine !== "") this.log("kernel", 0, "warning", "", this.power.diskLine);
    this.power.diskLine = "";
    this.timers.set("power/boot", this.now + this.design.boot);
  }

  /** The power cord. */
  powerCut(): void {
    if (this.power.stage === "off") return;
    this.loseEverything();
    this.changePower("off");
  }

  private loseEverything(): void {
    this.processes.powerLost();
    this.manager.powerLost();
    this.timers.clearPrefix("power/");
    this.timers.clearPrefix("unit/");
    this.timers.clear(DISK_TIMER);
    this.power.stalled = false;
  }

  /** Orderly shutdown: units stop, then power goes; `reboot`: and comes back. */
  shutdown(reboot: boolean): void {
    if (this.power.stage === "off") return;
    this.power.rebootAfter = reboot;
    if (this.power.stage === "powering-off") return;
    if (this.power.stage === "booting") {
      // The firmware or an early boot stage: the button simply turns it off.
      this.finishShutdown();
      return;
    }
    const again = this.power.stage === "stopping";
    this.changePower("stopping");
    this.log("systemd", 1, "info", "", reboot ? "System is rebooting." : "System is powering down.");
    if (!again) this.manager.shutdown(reboot ? "reboot" : "poweroff");
  }

  /** Nothing runs any more, or nobody waits for it: the machine goes down. */
  private stopped(action: SystemAction): void {
    if (this.power.stage === "powering-off") return;
    if (this.power.stage !== "stopping") this.power.rebootAfter = action === "reboot";
    this.changePower("powering-off");
    this.timers.set("power/off", this.now + POWER_OFF_DELAY);
  }

  stall(): void {
    if (this.power.stage === "off" || this.power.stalled) return;
    this.power.stalled = true;
    this.power.since = this.now;
    this.trace({ what: "power", state: "stalled" });
  }

  resume(): void {
    if (!this.power.stalled) return;
    this.power.stalled = false;
    this.power.since = this.now;
    this.trace({ what: "power", state: "on" });
  }

  private finishShutdown(): void {
    this.loseEverything();
    const again = this.power.rebootAfter;
    this.changePower("off");
    if (again) this.powerOn();
  }

  /** A timer of the machine's own (`power/…`, `unit/…`). */
  timer(name: string): void {
    if (name === "power/boot") {
      this.changePower("starting");
      // Every card is `auto` in /etc/network/interfaces.
      this.nics = this.nics.map((n) => ({ ...n, up: true }));
      this.files.powerOn();
      this.processes.booted();
      this.manager.boot(this.power.since);
    } else if (name === "power/off") this.finishShutdown();
    else if (name === DISK_TIMER) this.processes.written();
    else if (name.startsWith("unit/")) this.manager.timer(name.slice("unit/".length));
  }

  nextTimerAt(): Instant {
    return this.power.stalled ? NEVER : this.timers.nextAt();
  }

  // ---- snapshots

  snapshot(): ComputerState {
    return {
      power: cloneState(this.power),
      files: this.files.snapshot(),
      nics: cloneState(this.nics),
      timers: this.timers.snapshot(),
      journal: this.journal.snapshot(),
      manager: this.manager.snapshot(),
      rng: this.rng.snapshot(),
    };
  }

  restore(state: ComputerState): void {
    this.power = cloneState(state.power);
    this.files.restore(state.files);
    this.nics = cloneState(state.nics);
    this.timers.restore(state.timers);
    this.journal.restore(state.journal);
    this.manager.restore(state.manager);
    this.rng = Rng.restore(state.rng);
  }

  digest(h: Hasher): void {
    h.text(this.design.name)
      .text(this.power.stage)
      .bool(this.power.stalled)
      .bool(this.power.rebootAfter)
      .int(this.power.nextPid)
      .text(this.power.hostname)
      .text(this.power.diskLine)
      .int(this.journal.length);
    this.files.digest(h);
    for (const nic of this.nics) h.text(nic.name).text(nic.net).text(nic.address).bool(nic.up).int(nic.mtu);
    for (const t of this.timers.snapshot().pending) h.text(t.name).int(t.at);
    this.manager.digest(h);
  }
}
