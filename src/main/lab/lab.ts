/** A lab that runs: a world, the host that grants it time, its directory, and everything that can be asked of it. No sockets, no processes. */
import { randomUUID } from "node:crypto";
import { isAbsolute } from "node:path";
import { checkConf } from "../../engine/config/index.ts";
import type { DiskDifference, LiveHost, Speed } from "../../engine/host/index.ts";
import type { NodeDisks } from "../../engine/host/disk/node-disks.ts";
import type { Effect, FileAct, MachineAct, MachineQuery, QueryReply } from "../../engine/kernel/machine.ts";
import type { FileCall, FileReply } from "../../engine/kernel/vfs.ts";
import { isoFromUnix, type Duration, type Instant } from "../../engine/kernel/index.ts";
import { printRecord, type ActResult, type TopologyAct, type World, type WorldAct } from "../../engine/world/index.ts";
import { sceneOf, type PlannedAct } from "./act/kind.ts";
import { impossible, readAct } from "./act/table.ts";
import { tells } from "./scenario/advance.ts";
import { beforeLossOf } from "./api.ts";
import type { ExportFile, Finding, JournalLine, LabEvent, LabSnapshot, LabStatus, NamedSnapshot, Reply, Time, WaitFor } from "./api.ts";
import { planBuild } from "./act/build.ts";
import { Commands, type CommandSink } from "./shell/commands.ts";
import { Shells, type ShellAct } from "./shell/shells.ts";
import { OutputCommit } from "./process/output-commit.ts";
import { unreachable } from "./view/conditions.ts";
import type { LabDisk } from "./store/disk.ts";
import { differenceSaid } from "./store/lab-disks.ts";
import { Feed } from "./view/feed.ts";
import type { LabFile } from "./file/labfile-schema.ts";
import { LiveInvariants } from "./view/live-invariants.ts";
import { NamedSnapshots } from "./store/named-snapshots.ts";
import { LabPast, writeFork } from "./store/past.ts";
import { ConfFindings, type LabTrouble } from "./view/problems.ts";
import { Timeline } from "./view/timeline.ts";
import { Trouble, usage, type TroubleCode } from "./trouble.ts";
import { beforeActs, Undo } from "./act/undo.ts";
import { labSnapshot, labStatus } from "./view/view.ts";
import { Waits } from "./scenario/waits.ts";

/** Slower than this the page animates single packets. */
const traceSpeedMax = 1 / 20;

export interface LabOptions {
  dir: string;
  file: LabFile;
  /** Text of the lab file, as in the record. */
  text: string;
  version: string;
  disk: LabDisk;
  disks: NodeDisks;
}

export class Lab {
  readonly world: World;
  readonly timeline = new Timeline();
  readonly commands = new Commands();
  /** Shells of clients on the nodes. */
  readonly shells = new Shells();
  #undo = new Undo();
  #findings = new ConfFindings();
  #broken: LabTrouble[] = [];
  #feed = new Feed(() => this.host.whenConfirmed());
  #stopping = false;
  #changes = 0;
  /** Of what leaves the lab. */
  readonly output: OutputCommit;
  readonly #invariants: LiveInvariants;
  readonly #waits: Waits;
  /** Acts come one after the other, each with all it does. */
  #turn: Promise<unknown> = Promise.resolve();
  readonly #past: LabPast;
  readonly #named: NamedSnapshots;

  /** @param host of this lab alone; it is closed with the lab. Give what it hears to `failed` and `lost`. */
  constructor(
    readonly host: LiveHost,
    readonly options: LabOptions,
  ) {
    const { world } = host;
    this.world = world;
    for (const status of world.statuses()) this.timeline.begin(world.now, status);
    world.watch({
      effect: (at, machine, effect) => this.#effect(at, world.nameOf(machine), effect),
      input: () => this.#changes++,
      changed: (at, act) => this.#changed(at, act),
    });
    this.output = new OutputCommit(host, options.disk, options.disks);
    this.#invariants = new LiveInvariants(world);
    this.#waits = new Waits(host, () => this.#changes);
    this.#past = new LabPast(world, (text) => this.fail(text));
    this.#named = new NamedSnapshots(options.dir);
    this.#notePause();
    this.host.onProgress(() => {
      this.#judge();
      this.#noteInputs();
      this.#feed.flush();
    });
  }

  // ── looking on ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Journal lines, things to animate, notices. Returns what ends it. */
  onEvent(listener: (event: LabEvent) => void): () => void {
    return this.#feed.subscribe(listener);
  }

  /** Counts everything that may have changed what a snapshot shows, time apart. */
  get changes(): number {
    return this.#changes;
  }

  /** Lines of the journal that `onEvent` is still to tell of. */
  untold(): readonly JournalLine[] {
    return this.#feed.untold();
  }

  /** Records acts once they are confirmed. Time goes on only while that can be done: a lab that could not be replayed would be no lab. */
  #noteInputs(): void {
    this.output.noteInputs((error) => {
      this.#stop();
      this.fail(`the lab is paused: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  /** A broken invariant stops the lab: what led to it must not be buried under what follows. */
  #judge(): void {
    const first = this.#invariants.broken();
    if (first === undefined) return;
    this.#stop();
    this.timeline.mark(first.at, "event", `invariant ${first.invariant} broken`);
    this.fail(
      `the invariant ${first.invariant} is broken: ${first.sentence}; but ${first.text} (seed ${this.world.design.seed})`,
      "invariant",
    );
  }

  /** Stops time, once: pausing grants what is due, which leads here again. */
  #stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    const ran = !this.host.paused;
    // It counts at once, also for a skip of a paused lab; what is still under way in this moment is played to its end.
    void this.host.pause().finally(() => (this.#stopping = false));
    if (ran) this.#notePause();
  }

  /** The host's own word: no more time. */
  failed(error: unknown): void {
    this.fail(error instanceof Error ? error.message : String(error));
  }

  /**
   * A machine's process is gone untold: a fault of the lab. The machine has lost its power, as an act that is about to be done; it can be switched on again,
   * or the lab taken back to where it stands now.
   */
  lost(machine: string, why: string): void {
    this.#changes++;
    const text = `the process of ${machine} ${why}; to the others ${machine} has lost its power`;
    const [state, digest] = [this.world.snapshot(), this.world.digest()];
    this.output
      .shown()
      .then(() => this.#named.replace(beforeLossOf(machine), state, digest))
      .catch((error: unknown) =>
        this.fail(`the state before ${machine} was lost is not kept: ${error instanceof Error ? error.message : String(error)}`),
      );
    this.timeline.mark(this.world.now, "event", `the process of ${machine} was lost`);
    this.#feed.tell({ event: "notice", severity: "warning", text });
  }

  /** A machine is about to boot from a disk that somebody changed while it was off. */
  disk(machine: string, difference: DiskDifference): void {
    this.#changes++;
    this.timeline.mark(this.world.now, "event", `the disk of ${machine} was changed`);
    this.#feed.tell({ event: "notice", severity: "warning", text: differenceSaid(machine, difference) });
  }

  /** The lab itself failed: time stands, the state can still be looked at and the record saved. */
  fail(text: string, code: LabTrouble["code"] = "lab-failed"): void {
    if (this.#broken.some((known) => known.text === text)) return;
    this.#broken.push({ code, text });
    this.#changes++;
    this.#feed.tell({ event: "notice", severity: "error", text });
  }

  #effect(at: Instant, node: string, effect: Effect): void {
    if (tells(effect)) this.#changes++;
    this.#waits.take(node, effect);
    this.commands.take(node, effect);
    this.shells.take(effect);
    if (effect.kind === "trace") this.timeline.take(at, node, effect.event);
    const { paused, speed } = this.host;
    this.#feed.take(at, node, effect, paused || (speed !== "max" && speed <= traceSpeedMax));
  }

  /** Grants what is due, so that what is asked next is answered as of now. */
  async catchUp(): Promise<void> {
    await this.host.catchUp();
  }

  #changed(at: Instant, act: TopologyAct): void {
    this.#changes++;
    this.timeline.changed(at, act, (name) => this.world.status(name));
    if (act.kind === "machine-rename") this.commands.rename(act.machine, act.to);
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
    if (node !== undefined) this.#known(node);
    return labStatus(this.options.dir, this.world, this.host.paused, node);
  }

  #identity(): LabSnapshot["lab"] {
    const { dir, file, version } = this.options;
    return { dir, name: file.name, seed: this.world.design.seed, host: this.host.kind, version };
  }

  snapshot(): LabSnapshot {
    return labSnapshot({
      lab: this.#identity(),
      time: this.time(),
      world: this.world,
      timeline: this.timeline,
      findings: this.#findings,
      broken: this.#broken,
      undo: this.#undo.next,
    });
  }

  /** Journal lines of one node or all, in the order of their instants. */
  log(node: string | undefined, unit: string | undefined, since: Instant | undefined): JournalLine[] {
    if (node !== undefined) this.#known(node);
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

  async export(): Promise<ExportFile[]> {
    const { exportLab } = await import("./file/export.ts");
    return exportLab(this.options.file, this.world);
  }

  // ── acts ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Asking about a node that is not there is wrong usage; a shell on it is what the lab cannot give. */
  #known(node: string, code: TroubleCode = "usage"): void {
    if (!this.world.has(node)) throw new Trouble(code, `no node ${node}; there are: ${this.world.names.join(", ")}`);
  }

  /** A shell on this node can be had. */
  reachable(node: string): void {
    this.#known(node, "lab");
    const why = unreachable(this.world.status(node));
    if (why !== undefined) throw new Trouble("lab", why);
  }

  /** Does an act now; it may be told of when `output` is settled. */
  async #do(act: WorldAct, afterUs = 0): Promise<ActResult & { ok: true }> {
    const result = await (afterUs > 0 ? this.host.actAfter(afterUs, act) : this.host.act(act));
    if (!result.ok) throw new Trouble("usage", result.message);
    return result;
  }

  /** Has `work` its turn among everything that acts: two clients' acts do not mix. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Does an acting line. Returns what was done, as a sentence. */
  act(line: string): Promise<string> {
    return this.#answered(async () => {
      const act = readAct(line, sceneOf(this.world));
      const why = impossible(act, this.world);
      if (why !== undefined) throw new Trouble("failed", why);
      return this.#undoable(act);
    });
  }

  build(spec: Parameters<typeof planBuild>[0]): Promise<string> {
    return this.#answered(async () => this.#undoable(planBuild(spec, this.world.design)));
  }

  /** An act whose answer leaves the lab. */
  async #answered<T>(work: () => Promise<T>): Promise<T> {
    const result = await this.#inTurn(work);
    await this.output.settled();
    return result;
  }

  async #undoable(plan: PlannedAct): Promise<string> {
    const before = beforeActs(this.world);
    let done = 0;
    try {
      await this.#perform(plan, () => done++);
    } finally {
      // What fails half way can be taken back as far as it came.
      if (done > 0) this.#undo.remember(plan, done, before);
    }
    return plan.said;
  }

  async #perform(plan: PlannedAct, did: () => void): Promise<void> {
    for (const act of plan.acts) {
      await this.#do(act, plan.afterUs);
      did();
      this.#changes++;
    }
    if (plan.afterUs === 0) this.timeline.mark(this.world.now, "act", plan.said);
  }

  undo(): Promise<string> {
    return this.#answered(async () => {
      const entry = this.#undo.take();
      if (!entry) throw new Trouble("failed", "nothing to undo");
      for (const act of entry.acts) await this.#do(act);
      const said = `undone: ${entry.said}`;
      this.timeline.mark(this.world.now, "act", said);
      this.#changes++;
      return said;
    });
  }

  // ── time ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  setSpeed(speed: Speed): void {
    this.host.setSpeed(speed);
    this.#changes++;
  }

  async pause(): Promise<void> {
    await this.host.pause();
    this.#notePause();
    this.#changes++;
  }

  resume(): void {
    this.host.resume();
    this.#notePause();
    this.#changes++;
  }

  #notePause(): void {
    this.#past.paused(this.world.now, this.host.paused);
  }

  async step(unit: "event" | "window", count: number): Promise<Time> {
    await this.host.step(unit, count);
    this.#notePause();
    this.#changes++;
    return this.time();
  }

  /** Unpaced on to the next change worth a look, at most one virtual hour. */
  async skip(): Promise<{ found: boolean; what: string; instant: number }> {
    try {
      return await this.#waits.skip();
    } finally {
      this.#changes++;
    }
  }

  async wait(what: WaitFor): Promise<{ held: boolean; why: string }> {
    for (const node of what.nodes) this.#known(node);
    return this.#waits.wait(what);
  }

  /** Resolves when `duration` of virtual time has passed. */
  sleep(duration: Duration): Promise<void> {
    return this.#waits.sleep(duration);
  }

  // ── the past ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Keeps the past at hand from now on, in the background. */
  keepPast(): void {
    this.#past.follow();
  }

  /** The lab as it stood at `at`. The run goes on meanwhile unless `pause`. */
  async seek(at: Instant, pause: boolean): Promise<Reply<"seek">> {
    if (pause && !this.host.paused) await this.pause();
    await this.catchUp();
    return this.#past.visit(at, (world) => {
      const paused = this.#past.wasPaused(at);
      const snapshot = labSnapshot({
        lab: this.#identity(),
        time: { ...this.time(), instant: at, paused },
        world,
        timeline: this.timeline.until(at),
        findings: this.#findings,
        broken: [],
        undo: null,
      });
      return { status: labStatus(this.options.dir, world, paused), snapshot };
    });
  }

  /** Makes a lab in `dir` that goes on from `at`, without it from where this one stands. Acts that wait for their time go along only from there. */
  async fork(dir: string, at: Instant | undefined): Promise<Reply<"fork">> {
    if (!isAbsolute(dir)) throw usage(`fork ${JSON.stringify(dir)}: an absolute path is needed`);
    await this.catchUp();
    const world = at === undefined ? this.world.snapshot() : await this.#past.visit(at, (past) => past.snapshot());
    const { speed, paused } = this.host;
    await this.output.shown();
    writeFork(dir, this.options.text, { world, speed, paused });
    return { dir, instant: world.now };
  }

  /** Named snapshots, in the order of their instants. */
  snapshots(): NamedSnapshot[] {
    return this.#named.list();
  }

  async saveSnapshot(name: string): Promise<NamedSnapshot> {
    await this.catchUp();
    const [state, digest] = [this.world.snapshot(), this.world.digest()];
    await this.output.settled();
    return this.#named.save(name, state, digest);
  }

  deleteSnapshot(name: string): void {
    this.#named.remove(name);
  }

  /** Goes on from a named snapshot. The record becomes that of the run up to there; what was under way on terminals is lost. */
  rollback(name: string): Promise<NamedSnapshot> {
    return this.#inTurn(() => this.#rollBack(name));
  }

  async #rollBack(name: string): Promise<NamedSnapshot> {
    const state = this.#named.load(name);
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
    this.#past.rewind(state);
    this.#waits.rolledBack();
    this.commands.lose();
    this.shells.lose();
    this.#feed.flush();
    await this.host.restore(state);
    this.#undo = new Undo();
    this.#invariants.begin();
    this.#broken = this.#broken.filter(({ code }) => code !== "invariant");
    this.timeline.rewind(this.world.now, this.world.statuses());
    this.timeline.mark(this.world.now, "act", said);
    this.#feed.tell({ event: "rolled-back", instant: this.world.now });
    await this.output.saveDisks();
    if (!paused) this.resume();
    this.#changes++;
    return { name, instant: this.world.now, digest: this.world.digest() };
  }

  // ── a node, from its shell ─────────────────────────────────────────────────────────────────────────────────────────

  query(node: string, query: MachineQuery): QueryReply {
    this.reachable(node);
    return this.world.query(node, query);
  }

  /** @returns an errno name, null on success */
  file(node: string, act: FileAct): Promise<string | null> {
    return this.#inTurn(async () => {
      this.reachable(node);
      const { effects } = await this.#do({ to: "machine", machine: node, act });
      const result = effects.find((e) => e.kind === "file-result");
      return result?.error ?? null;
    });
  }

  /** What a client's shell does there; `Shells` has looked at it. */
  shell(node: string, act: ShellAct): Promise<void> {
    return this.#inTurn(async () => {
      this.reachable(node);
      await this.#do({ to: "machine", machine: node, act });
    });
  }

  /** A file call that only looks, by a session's shell or by root in the root directory. */
  look(node: string, call: FileCall, session?: string): FileReply | "would-wait" {
    const reply = this.query(node, { kind: "file", call, ...(session === undefined ? {} : { session }) });
    if (reply.kind === "error") throw new Trouble("lab", `${node}: the shell is gone`);
    if (reply.kind === "file-reply") return reply.reply;
    if (reply.kind === "would-wait") return "would-wait";
    throw usage(`${call.call} does not only look`);
  }

  /** Starts a modelled command. `started` is called with its id before it says anything. */
  async command(
    node: string,
    argv: readonly string[],
    cwd: string,
    stdin: string,
    sink: CommandSink,
    started: (id: string) => void,
  ): Promise<void> {
    this.reachable(node);
    const id = randomUUID();
    this.commands.begin(id, node, sink);
    started(id);
    try {
      await this.#inTurn(() => this.#do({ to: "machine", machine: node, act: { kind: "command", id, argv, cwd, stdin } }));
    } catch (error) {
      this.commands.forget(id);
      throw error;
    }
  }

  async commandSignal(node: string, id: string, signal: "SIGINT" | "SIGTERM"): Promise<void> {
    await this.#toCommand(node, { kind: "command-signal", id, signal });
  }

  async commandInput(node: string, id: string, line: string | undefined): Promise<void> {
    await this.#toCommand(node, { kind: "command-input", id, line });
  }

  /** A command that has ended meanwhile needs nothing any more. */
  #toCommand(node: string, act: Extract<MachineAct, { kind: "command-signal" | "command-input" }>): Promise<void> {
    return this.#inTurn(async () => {
      if (this.commands.has(act.id)) await this.#do({ to: "machine", machine: node, act });
    });
  }

  async close(): Promise<void> {
    this.#past.close();
    await this.host.close();
  }
}
