/** A lab that runs: a world, the host that grants it time, its directory, and everything that can be asked of it. No sockets, no processes. */
import { isAbsolute } from "node:path";
import { checkConf } from "../../engine/config/index.ts";
import type { LiveHost, Speed } from "../../engine/host/index.ts";
import type { NodeDisks } from "../../engine/host/disk/node-disks.ts";
import type { Effect } from "../../engine/kernel/machine.ts";
import { isoFromUnix, type Duration, type Instant } from "../../engine/kernel/index.ts";
import { makeMachine } from "../../engine/node/index.ts";
import { printRecord, type TopologyAct, type World } from "../../engine/world/index.ts";
import { LabActs } from "./act/acts.ts";
import { tells } from "./scenario/advance.ts";
import type { ConfPlan, Finding, JournalLine, LabEvent, LabSnapshot, LabStatus, NamedSnapshot, Reply, Time, WaitFor } from "./api.ts";
import { LabFaults } from "./lab-faults.ts";
import { mustHave, NodeShell } from "./node-shell.ts";
import { OutputCommit } from "./process/output-commit.ts";
import type { LabDisk } from "./store/disk.ts";
import { happened } from "./motion/happened.ts";
import { LabInterest } from "./motion/interest.ts";
import { firstOf, upcomingOf } from "./motion/upcoming.ts";
import { confPlan } from "./view/conf-plan.ts";
import { Feed } from "./view/feed.ts";
import type { LabFile } from "./file/labfile-schema.ts";
import { LabHistory, type KeptHistory } from "./history/lab-history.ts";
import { LAB, type Asker } from "./history/tasks.ts";
import { NamedSnapshots } from "./store/named-snapshots.ts";
import { stateOfWorld } from "./store/world-state.ts";
import { LabPast, writeFork } from "./store/past.ts";
import { ConfFindings } from "./view/problems.ts";
import type { Timeline } from "./view/timeline.ts";
import { usage } from "./trouble.ts";
import { labSnapshot, labStatus } from "./view/view.ts";
import { Waits } from "./scenario/waits.ts";

export interface LabOptions {
  dir: string;
  file: LabFile;
  /** Text of the lab file, as in the record. */
  text: string;
  version: string;
  disk: LabDisk;
  disks: NodeDisks;
  /** Throws where the directory is the lab's no longer; absent: it always is. */
  owned?(): void;
  /** Its timeline so far, and where that is kept; absent: it begins now and is kept nowhere. */
  history?: KeptHistory;
}

export class Lab {
  readonly world: World;
  readonly timeline: Timeline;
  /** The timeline with what is typed at the nodes' prompts, as it is kept. */
  readonly history: LabHistory;
  /** Of what leaves the lab. */
  readonly output: OutputCommit;
  readonly acts: LabActs;
  readonly faults: LabFaults;
  readonly shell: NodeShell;
  /** It goes down: nothing more is taken from anybody. */
  ending = false;
  private findings = new ConfFindings();
  private readonly feed = new Feed(() => this.host.whenConfirmed());
  private changeCount = 0;
  /** What happens in a step that is to be told of. */
  private stepped: Effect[] | undefined;
  private readonly waits: Waits;
  private readonly past: LabPast;
  private readonly named: NamedSnapshots;

  /** @param host of this lab alone; it is closed with the lab. Give what it hears to `faults`. */
  constructor(
    readonly host: LiveHost,
    readonly options: LabOptions,
  ) {
    const { world } = host;
    const { feed } = this;
    this.world = world;
    world.watch({
      effect: (at, machine, effect) => this.effect(at, world.nameOf(machine), effect),
      input: () => this.changed(),
      changed: (at, act) => this.topologyChanged(at, act),
    });
    const changed = (): void => this.changed();
    const output = new OutputCommit(host, options.disk, options.disks, (text) => feed.tell({ event: "notice", severity: "warning", text }));
    const named = new NamedSnapshots(options.dir, options.disks.contents, options.owned);
    this.output = output;
    this.named = named;
    this.history = new LabHistory(
      world,
      options.history,
      () => output.settled(),
      (text) => feed.tell({ event: "notice", severity: "warning", text }),
    );
    const { timeline } = this.history;
    this.timeline = timeline;
    this.acts = new LabActs({ host, timeline, settled: () => output.settled(), changed, full: () => options.disk.full });
    this.shell = new NodeShell(world, this.acts);
    this.faults = new LabFaults({ host, timeline, feed, output, named, changed, paused: () => this.notePause() });
    this.waits = new Waits(host, () => this.changeCount);
    this.past = new LabPast(world, (text) => this.faults.fail(text));
    host.motion.follow(new LabInterest(world));
    this.notePause();
    host.onProgress(() => {
      this.faults.checkInvariants();
      output.noteInputs(
        (error) => this.faults.unrecorded(error),
        (why) => this.faults.full(why),
      );
      feed.flush();
      this.history.progress();
    });
  }

  // ── looking on ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Journal lines, things to animate, notices. Returns what ends it. */
  onEvent(listener: (event: LabEvent) => void): () => void {
    return this.feed.subscribe(listener);
  }

  /** Counts everything that may have changed what a snapshot shows, time apart. */
  get changes(): number {
    return this.changeCount + this.timeline.history().changes;
  }

  private changed(): void {
    this.changeCount++;
  }

  /** Lines of the journal that `onEvent` is still to tell of. */
  untold(): readonly JournalLine[] {
    return this.feed.untold();
  }

  private effect(at: Instant, node: string, effect: Effect): void {
    if (tells(effect)) this.changed();
    this.waits.take(node, effect);
    this.shell.commands.take(node, effect);
    this.shell.clients.take(effect);
    if (effect.kind === "trace") this.timeline.take(at, node, effect.event);
    this.stepped?.push(effect);
    this.feed.take(at, node, effect, this.host.slow);
  }

  /** Grants what is due, so that what is asked next is answered as of now. */
  async catchUp(): Promise<void> {
    await this.host.catchUp();
  }

  private topologyChanged(at: Instant, act: TopologyAct): void {
    this.changed();
    this.timeline.changed(at, act, (name) => this.world.status(name));
    if (act.kind === "machine-rename") this.shell.commands.rename(act.machine, act.to);
  }

  // ── what is ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** As far as time has been granted; see `catchUp`. */
  time(): Time {
    const { host, world } = this;
    return {
      instant: world.now,
      epoch: isoFromUnix(world.design.epochUnixMicros),
      speed: host.speed,
      paused: host.paused,
      achieved: host.achieved,
    };
  }

  status(node?: string): LabStatus {
    if (node !== undefined) mustHave(this.world, node);
    return labStatus(this.options.dir, this.world, this.host.paused, node);
  }

  private identity(): LabSnapshot["lab"] {
    const { dir, file, version } = this.options;
    return { dir, name: file.name, seed: this.world.design.seed, host: this.host.kind, version };
  }

  snapshot(): LabSnapshot {
    this.history.look();
    return labSnapshot({
      lab: this.identity(),
      time: this.time(),
      world: this.world,
      timeline: this.timeline,
      findings: this.findings,
      broken: this.faults.all,
      undo: this.acts.undoes,
      motion: this.motion(),
    });
  }

  /** Journal lines of one node or all, in the order of their instants. */
  log(node: string | undefined, unit: string | undefined, since: Instant | undefined): JournalLine[] {
    if (node !== undefined) mustHave(this.world, node);
    const lines: JournalLine[] = [];
    for (const name of node === undefined ? this.world.names : [node])
      for (const line of this.world.named(name).journalSince(0))
        if ((unit === undefined || line.unit === unit) && (since === undefined || line.instant >= since))
          lines.push({ ...line, node: name });
    return node === undefined ? lines.sort((a, b) => a.instant - b.instant) : lines;
  }

  /** The record so far, to the end of the present instant. The run itself stays where it is. */
  record(): string {
    const world = this.world.fork();
    world.runUntil(world.now + 1);
    return printRecord({
      lab: this.options.text,
      inputs: [...world.inputs()],
      checkpoints: [...world.checkpoints()],
      end: { at: world.now, digest: world.digest() },
      notes: this.options.disk.notes(),
    });
  }

  confCheck(text: string): Finding[] {
    return checkConf(text);
  }

  /** What becomes of `text` as the corosync.conf of every node, seen from one. */
  confPlan(node: string, text: string): ConfPlan {
    mustHave(this.world, node);
    return confPlan(this.world, node, text);
  }

  async export(): Promise<Reply<"export">> {
    const { exportLab, exportWarnings } = await import("./file/export.ts");
    return { files: exportLab(this.options.file, this.world), warnings: exportWarnings(this.world) };
  }

  // ── time ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  setSpeed(speed: Speed, skipIdle: boolean): void {
    this.host.setSpeed(speed, skipIdle);
    this.changed();
  }

  /** Slows down by itself for changes, or no longer. */
  setSlowMotion(onChange: boolean, speed: number): void {
    this.host.setSlowMode({ onChange, speed });
    this.changed();
  }

  private motion(): LabSnapshot["motion"] {
    const { mode, eased, skipped } = this.host.motion;
    return { onChange: mode.onChange, slowSpeed: mode.speed, eased, skipped: skipped === undefined ? null : { ...skipped } };
  }

  async pause(): Promise<void> {
    await this.host.pause();
    this.notePause();
    this.changed();
  }

  resume(): void {
    this.host.resume();
    this.notePause();
    this.changed();
  }

  private notePause(): void {
    this.past.paused(this.world.now, this.host.paused);
  }

  /** Pauses and runs so many events or windows; says of a single event what it was. */
  async step(unit: "event" | "window", count: number): Promise<Reply<"step">> {
    await this.host.pause();
    const next = firstOf(this.world);
    const effects: Effect[] = [];
    this.stepped = effects;
    try {
      await this.host.step(unit, count);
    } finally {
      this.stepped = undefined;
    }
    this.notePause();
    this.changed();
    const one = unit === "event" && count === 1 && next !== undefined;
    return { ...this.time(), happened: one ? happened(this.world.now, next, effects, (id) => this.nodeName(id)) : null };
  }

  /** The node with this id, as the nodes' configurations have it. */
  private nodeName(id: number): string {
    return this.world.statuses().find(({ corosync }) => corosync?.nodeId === id)?.name ?? `node ${id}`;
  }

  /** What can happen next. */
  upcoming(): Reply<"upcoming"> {
    return { instant: this.world.now, upcoming: upcomingOf(this.world) };
  }

  /** Unpaced on to the next change worth a look, at most one virtual hour. */
  async skip(): Promise<{ found: boolean; what: string; instant: number }> {
    try {
      return await this.waits.skip();
    } finally {
      this.changed();
    }
  }

  async wait(what: WaitFor): Promise<{ held: boolean; why: string }> {
    for (const node of what.nodes) mustHave(this.world, node);
    return this.waits.wait(what);
  }

  /** Resolves when `duration` of virtual time has passed. */
  sleep(duration: Duration): Promise<void> {
    return this.waits.sleep(duration);
  }

  // ── the past ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Keeps the past at hand from now on, in the background. */
  keepPast(): void {
    this.past.follow();
  }

  /** The lab as it stood at `at`. The run goes on meanwhile unless `pause`. */
  async seek(at: Instant, pause: boolean): Promise<Reply<"seek">> {
    if (pause && !this.host.paused) await this.pause();
    await this.catchUp();
    return this.past.visit(at, (world) => {
      const paused = this.past.wasPaused(at);
      const snapshot = labSnapshot({
        lab: this.identity(),
        time: { ...this.time(), instant: at, paused },
        world,
        timeline: this.timeline.until(at),
        findings: this.findings,
        broken: [],
        undo: null,
        motion: { ...this.motion(), eased: false, skipped: null },
      });
      return { status: labStatus(this.options.dir, world, paused), snapshot };
    });
  }

  /** Makes a lab in `dir` that goes on from `at`, without it from where this one stands. Acts that wait for their time go along only from there. */
  async fork(dir: string, at: Instant | undefined): Promise<Reply<"fork">> {
    if (!isAbsolute(dir)) throw usage(`fork ${JSON.stringify(dir)}: an absolute path is needed`);
    await this.catchUp();
    const world = at === undefined ? stateOfWorld(this.world) : await this.past.visit(at, stateOfWorld);
    const { speed, paused } = this.host;
    await this.output.shown();
    writeFork(dir, this.options.text, { world, speed, paused });
    return { dir, instant: world.state.now };
  }

  /** Named snapshots, in the order of their instants. */
  snapshots(): NamedSnapshot[] {
    return this.named.list();
  }

  saveSnapshot(name: string, asker: Asker = LAB): Promise<NamedSnapshot> {
    return this.acts.logged(asker, "lab", `snapshot ${name}`, async () => {
      await this.catchUp();
      const state = stateOfWorld(this.world);
      await this.output.settled();
      return this.named.save(name, state);
    });
  }

  deleteSnapshot(name: string, asker: Asker = LAB): Promise<void> {
    return this.acts.logged(asker, "lab", `snapshot --delete ${name}`, () => Promise.resolve(this.named.remove(name)));
  }

  /** Goes on from a named snapshot. The record becomes that of the run up to there; what was under way on terminals is lost. */
  rollback(name: string, asker: Asker = LAB): Promise<NamedSnapshot> {
    return this.acts.logged(asker, "lab", `rollback ${name}`, () => this.acts.inTurn(() => this.rollBack(name)));
  }

  private async rollBack(name: string): Promise<NamedSnapshot> {
    const state = this.named.load(name, this.world.design, makeMachine);
    const said = `rolled back to ${name}`;
    const { paused } = this.host;
    if (!paused) await this.pause();
    // What is still to be written of the run that is given up is written before its record is.
    await this.host.whenConfirmed();
    try {
      this.options.disk.rewind(this.options.text, state, said);
    } catch (error) {
      if (!paused) this.resume();
      throw error;
    }
    this.options.disks.contents.rewind(state.now);
    this.waits.rolledBack();
    this.shell.commands.lose();
    this.shell.clients.lose();
    this.feed.flush();
    await this.past.rewind(state, () => this.host.restore(state));
    this.options.disk.rewound();
    await this.shell.dropUnknown();
    this.acts.forget();
    this.faults.rolledBack();
    this.history.rolledBack(said);
    this.feed.tell({ event: "rolled-back", instant: this.world.now });
    await this.output.saveDisks();
    if (!paused) this.resume();
    this.changed();
    return { name, instant: this.world.now, digest: this.world.digest() };
  }

  /**
   * Takes nothing more from anybody; what was taken before is done, every terminal is hung up, and time stands. Then nothing moves it any more.
   * Where it cannot come to that it throws, and the lab goes on.
   */
  async beginEnd(): Promise<void> {
    const { paused } = this.host;
    this.ending = true;
    try {
      await this.acts.idle();
      await this.shell.hangUp();
      await this.acts.idle();
      this.acts.open(false);
      let events: number;
      do {
        ({ events } = this.world);
        await this.pause();
        await this.output.shown();
      } while (this.world.events !== events);
    } catch (error) {
      this.abandonEnd(paused);
      throw error;
    }
  }

  /** It does not go down after all. */
  abandonEnd(paused: boolean): void {
    this.ending = false;
    this.acts.open(true);
    if (!paused) this.resume();
  }

  async close(): Promise<void> {
    this.past.close();
    this.history.close();
    await this.host.close();
  }
}
