/** A lab that runs: a world, the host that grants it time, its directory, and everything that can be asked of it. No sockets, no processes. */
import { randomUUID } from "node:crypto";
import { checkConf } from "../../engine/config/index.ts";
import { InProcessHost, type Speed } from "../../engine/host/index.ts";
import type { Effect, FileAct, MachineQuery, QueryReply } from "../../engine/kernel/machine.ts";
import { HOUR, isoFromUnix, MS, type Duration, type Instant } from "../../engine/kernel/index.ts";
import { printRecord, type ActResult, type World, type WorldAct } from "../../engine/world/index.ts";
import { InvariantWatch } from "../../engine/world/checkers/index.ts";
import { OneQuorateComponent } from "../../engine/world/checkers/one-quorate-component.ts";
import { TotalOrder } from "../../engine/world/checkers/total-order.ts";
import { parseActing, type Places } from "./acting.ts";
import { tells } from "./advance.ts";
import type { ExportFile, Finding, JournalLine, LabEvent, LabSnapshot, LabStatus, Time, WaitFor } from "./api.ts";
import { Commands, type CommandSink } from "./commands.ts";
import { impossible, unreachable, whyNot } from "./conditions.ts";
import { deedsOf, type Deeds } from "./deeds.ts";
import type { LabDisk } from "./disk.ts";
import { Feed } from "./feed.ts";
import type { LabFile } from "./labfile.ts";
import { ConfFindings, type LabTrouble } from "./problems.ts";
import { Timeline } from "./timeline.ts";
import { Trouble, type TroubleCode } from "./trouble.ts";
import { Undo } from "./undo.ts";
import { labSnapshot, labStatus } from "./view.ts";

/** Slower than this the page animates single packets. */
const traceSpeedMax = 1 / 20;
/** Conditions that change without a trace are looked at this often. */
const lookEvery = 10 * MS;

export interface LabOptions {
  dir: string;
  file: LabFile;
  /** Text of the lab file, as in the record. */
  text: string;
  version: string;
  disk: LabDisk;
  speed: Speed;
  paused: boolean;
}

const seriousLevels: ReadonlySet<string> = new Set(["emerg", "alert", "crit", "error", "warning"]);

export class Lab {
  readonly host: InProcessHost;
  readonly timeline = new Timeline();
  readonly commands = new Commands();
  #undo = new Undo();
  #findings = new ConfFindings();
  #broken: LabTrouble[] = [];
  #invariantBroken = false;
  #feed = new Feed();
  #stopping = false;
  #changes = 0;
  #skipFound: { at: Instant; what: string } | undefined;
  #skipping = false;

  constructor(
    readonly world: World,
    readonly options: LabOptions,
  ) {
    for (const status of world.statuses()) this.timeline.begin(world.now, status);
    world.watch({ effect: (at, machine, effect) => this.#effect(at, world.names[machine] ?? "", effect), input: () => this.#changes++ });
    this.host = new InProcessHost(world, {
      speed: options.speed,
      paused: options.paused,
      onFailure: (error) => this.fail(error instanceof Error ? error.message : String(error)),
    });
    const invariants = new InvariantWatch(world.names, [new TotalOrder(), new OneQuorateComponent()]);
    world.watch(invariants);
    this.host.onProgress(() => {
      this.#judge(invariants);
      // Acts that were scheduled are recorded as they happen.
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

  /** Time goes on only while what happens can be recorded: a lab that could not be replayed would be no lab. */
  #noteInputs(): void {
    try {
      this.options.disk.note(this.world);
    } catch (error) {
      this.#stop();
      this.fail(`the lab is paused: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** A broken invariant stops the lab: what led to it must not be buried under what follows. */
  #judge(invariants: InvariantWatch): void {
    const [first] = invariants.violations;
    if (first === undefined || this.#invariantBroken) return;
    this.#invariantBroken = true;
    this.#stop();
    this.timeline.mark(first.at, "event", `invariant ${first.invariant} broken`);
    this.fail(`the invariant ${first.invariant} is broken: ${first.text} (seed ${this.world.design.seed})`, "invariant");
  }

  /** Stops time, once: pausing grants what is due, which leads here again. */
  #stop(): void {
    if (this.#stopping || this.host.paused) return;
    this.#stopping = true;
    this.host.pause();
    this.#stopping = false;
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
    if (this.#skipping) this.#skipLook(at, node, effect);
    this.commands.take(node, effect);
    if (effect.kind === "trace") this.timeline.take(at, node, effect.event);
    const { paused, speed } = this.host;
    this.#feed.take(at, node, effect, paused || (speed !== "max" && speed <= traceSpeedMax));
  }

  // ── what is ────────────────────────────────────────────────────────────────────────────────────────────────────────

  time(): Time {
    const { host, world } = this;
    return {
      instant: host.now(),
      epoch: isoFromUnix(world.design.epochUnixMicros),
      speed: host.speed,
      paused: host.paused,
      achieved: host.achieved,
    };
  }

  status(node?: string): LabStatus {
    if (node !== undefined) this.#known(node);
    this.host.now();
    return labStatus(this.options.dir, this.world, this.host.paused, node);
  }

  snapshot(): LabSnapshot {
    const { dir, file, version } = this.options;
    return labSnapshot({
      lab: { dir, name: file.name, seed: this.world.design.seed, host: "inprocess", version },
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
    this.host.now();
    const world = this.world.fork();
    world.runUntil(world.now + 1);
    return printRecord({
      lab: this.options.text,
      inputs: [...world.inputs()],
      checkpoints: [...world.checkpoints()],
      end: { at: world.now, digest: world.digest() },
    });
  }

  confCheck(text: string): Finding[] {
    return checkConf(text);
  }

  async export(): Promise<ExportFile[]> {
    const { exportLab } = await import("./export.ts");
    return exportLab(this.options.file, this.world);
  }

  // ── acts ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  places(): Places {
    const { machines, networks } = this.world.design;
    return {
      nodes: machines.map((m) => m.name),
      networks: networks.map((n) => n.name),
      nics: new Map(machines.map((m) => [m.name, m.nics.map((nic) => nic.net)])),
    };
  }

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

  /** Does an act now; it is in the record on disk before this returns. */
  #do(act: WorldAct): ActResult & { ok: true } {
    const result = this.host.act(act);
    if (!result.ok) throw new Trouble("usage", result.message);
    this.options.disk.note(this.world);
    return result;
  }

  /** Does an acting line. Returns what was done, in words. */
  act(line: string): string {
    const acting = parseActing(line, this.places());
    const why = impossible(acting, this.world);
    if (why !== undefined) throw new Trouble("failed", why);
    const deeds = deedsOf(acting);
    const before = this.world.fabric.faults();
    this.#perform(deeds);
    this.#undo.remember(deeds, before);
    return deeds.said;
  }

  #perform(deeds: Deeds): void {
    const acts: WorldAct[] = [
      ...deeds.fabric.map((act): WorldAct => ({ to: "fabric", act })),
      ...deeds.machines.map(({ node, act }): WorldAct => ({ to: "machine", machine: node, act })),
    ];
    if (deeds.afterUs > 0) {
      for (const act of acts) {
        const result = this.host.actAfter(deeds.afterUs, act);
        if (!result.ok) throw new Trouble("usage", result.message);
      }
      return;
    }
    for (const act of acts) this.#do(act);
    this.timeline.mark(this.world.now, "act", deeds.said);
    this.#changes++;
  }

  undo(): string {
    const entry = this.#undo.take();
    if (!entry) throw new Trouble("failed", "nothing to undo");
    for (const act of entry.acts) this.#do(act);
    const said = `undone: ${entry.said}`;
    this.timeline.mark(this.world.now, "act", said);
    this.#changes++;
    return said;
  }

  // ── time ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  setSpeed(speed: Speed): void {
    this.host.setSpeed(speed);
    this.#changes++;
  }

  pause(): void {
    this.host.pause();
    this.#changes++;
  }

  resume(): void {
    this.host.resume();
    this.#changes++;
  }

  async step(unit: "event" | "window", count: number): Promise<Time> {
    await this.host.step(unit, count);
    this.#changes++;
    return this.time();
  }

  /** Something that skip stops at, in words. */
  #skipLook(at: Instant, node: string, effect: Effect): void {
    if (this.#skipFound) return;
    let what: string | undefined;
    if (effect.kind === "journal" && seriousLevels.has(effect.line.level)) what = `${node} ${effect.line.unit}: ${effect.line.text}`;
    else if (effect.kind === "trace") {
      const e = effect.event;
      if (e.what === "membership" && !e.transitional) what = `${node}: membership ${e.ring}: ${e.members.join(" ")}`;
      else if (e.what === "quorum") what = `${node} is ${e.quorate ? "quorate" : "not quorate"}`;
      else if (e.what === "unit") what = `${node}: ${e.unit} is ${e.state}`;
      else if (e.what === "power") what = `${node} is ${e.state}`;
    }
    if (what !== undefined) this.#skipFound = { at, what };
  }

  /** Unpaced on to the next change worth a look, at most one virtual hour. */
  async skip(): Promise<{ found: boolean; what: string; instant: number }> {
    if (this.#skipping) throw new Trouble("failed", "the lab is skipping already");
    this.#skipping = true;
    this.#skipFound = undefined;
    try {
      const found = await this.host.runUntilCondition(() => this.#skipFound !== undefined, this.world.now + HOUR, 0);
      const seen = this.#skipFound as { what: string } | undefined;
      return { found, what: seen?.what ?? "", instant: this.world.now };
    } finally {
      this.#skipping = false;
      this.#changes++;
    }
  }

  /** Looks again only after something happened, or some virtual time passed. */
  #looking(holds: () => boolean): () => boolean {
    let seen = -1;
    let again: Instant = 0;
    return () => {
      if (this.#changes === seen && this.world.now < again) return false;
      seen = this.#changes;
      again = this.world.now + lookEvery;
      return holds();
    };
  }

  async wait(what: WaitFor): Promise<{ held: boolean; why: string }> {
    for (const node of what.nodes) this.#known(node);
    const why = (): string | undefined => whyNot(what, this.world);
    this.host.now();
    const now = why();
    if (now === undefined) return { held: true, why: "" };
    if (this.host.paused) return { held: false, why: `the lab is paused, and ${now}` };
    const held = await this.host.waitFor(
      this.#looking(() => why() === undefined),
      this.world.now + what.timeout,
    );
    if (held) return { held, why: "" };
    return { held, why: `not within ${what.timeout / 1e6} virtual seconds: ${why() ?? "it held only for a moment"}` };
  }

  /** Resolves when `duration` of virtual time has passed. */
  async sleep(duration: Duration): Promise<void> {
    const end = this.host.now() + duration;
    await this.host.waitFor(() => this.world.now >= end, end);
  }

  // ── a node, from its shell ─────────────────────────────────────────────────────────────────────────────────────────

  query(node: string, query: MachineQuery): QueryReply {
    this.reachable(node);
    this.host.now();
    return this.world.query(node, query);
  }

  /** @returns an errno name, null on success */
  file(node: string, act: FileAct): string | null {
    this.reachable(node);
    const { effects } = this.#do({ to: "machine", machine: node, act });
    const result = effects.find((e) => e.kind === "file-result");
    return result?.error ?? null;
  }

  /** Starts a modelled command. `started` is called with its id before it says anything. */
  command(node: string, argv: readonly string[], cwd: string, stdin: string, sink: CommandSink, started: (id: string) => void): void {
    this.reachable(node);
    const id = randomUUID();
    this.commands.begin(id, node, sink);
    started(id);
    try {
      this.#do({ to: "machine", machine: node, act: { kind: "command", id, argv, cwd, stdin } });
    } catch (error) {
      this.commands.forget(id);
      throw error;
    }
  }

  commandSignal(node: string, id: string, signal: "SIGINT" | "SIGTERM"): void {
    if (this.commands.has(id)) this.#do({ to: "machine", machine: node, act: { kind: "command-signal", id, signal } });
  }

  commandInput(node: string, id: string, line: string | undefined): void {
    if (this.commands.has(id)) this.#do({ to: "machine", machine: node, act: { kind: "command-input", id, line } });
  }

  /** Every node on from its disk, at the present instant: what a power failure of the whole lab leaves. */
  powerOnFromDisk(): void {
    const on = this.world.statuses().filter((m) => m.power !== "off");
    for (const { name } of on) this.#do({ to: "machine", machine: name, act: { kind: "power-cut" } });
    for (const { name } of on) this.#do({ to: "machine", machine: name, act: { kind: "power-on" } });
  }

  close(): void {
    this.host.close();
  }
}
