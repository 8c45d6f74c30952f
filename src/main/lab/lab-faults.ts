/** Faults of a lab itself, as against those of its nodes and cables: kept for the list of problems, told to whoever looks on, and time stopped where it must not go on. */
import type { DiskDifference, LiveHost } from "../../engine/host/index.ts";
import { beforeLossOf } from "./api.ts";
import type { OutputCommit } from "./process/output-commit.ts";
import { differenceSaid } from "./process/start/lab-disks.ts";
import type { NamedSnapshots } from "./store/named-snapshots.ts";
import type { Feed } from "./view/feed.ts";
import { stateOfWorld } from "./store/world-state.ts";
import { LiveInvariants } from "./view/live-invariants.ts";
import type { LabTrouble } from "./view/problems.ts";
import type { Timeline } from "./view/timeline.ts";

export interface FaultsAround {
  readonly host: LiveHost;
  readonly timeline: Timeline;
  readonly feed: Feed;
  readonly output: OutputCommit;
  readonly named: NamedSnapshots;
  /** What a snapshot of the lab shows has changed. */
  changed(): void;
  /** Time was stopped here. */
  paused(): void;
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export class LabFaults {
  private known: LabTrouble[] = [];
  private stopping = false;
  private readonly invariants: LiveInvariants;

  constructor(private readonly around: FaultsAround) {
    this.invariants = new LiveInvariants(around.host.world);
  }

  /** All so far, in the order they came. */
  get all(): readonly LabTrouble[] {
    return this.known;
  }

  /** The lab itself failed: time stands, the state can still be looked at and the record saved. */
  fail(text: string, code: LabTrouble["code"] = "lab-failed"): void {
    if (this.known.some((fault) => fault.text === text)) return;
    this.known.push({ code, text });
    this.around.changed();
    this.around.feed.tell({ event: "notice", severity: "error", text });
  }

  /** The host's own word: no more time. */
  failed(error: unknown): void {
    this.fail(textOf(error));
  }

  /**
   * A machine's process is gone untold: a fault of the lab. The machine has lost its power, as an act that is about to be done; it can be switched on again,
   * or the lab taken back to where it stands now.
   */
  lost(machine: string, why: string): void {
    const { host, output, named, timeline, feed, changed } = this.around;
    const { world } = host;
    changed();
    const text = `the process of ${machine} ${why}; to the others ${machine} has lost its power`;
    const state = stateOfWorld(world);
    output
      .shown()
      .then(() => named.replace(beforeLossOf(machine), state))
      .catch((error: unknown) => this.fail(`the state before ${machine} was lost is not kept: ${textOf(error)}`));
    timeline.mark(world.now, "event", `the process of ${machine} was lost`);
    feed.tell({ event: "notice", severity: "warning", text });
  }

  /** A machine is about to boot from a disk that somebody changed while it was off. */
  disk(machine: string, difference: DiskDifference): void {
    const { host, timeline, feed, changed } = this.around;
    changed();
    timeline.mark(host.world.now, "event", `the disk of ${machine} was changed`);
    feed.tell({ event: "notice", severity: "warning", text: differenceSaid(machine, difference) });
  }

  /** A broken invariant stops the lab: what led to it must not be buried under what follows. Ask whenever time has gone on. */
  checkInvariants(): void {
    const first = this.invariants.broken();
    if (first === undefined) return;
    this.stop();
    this.around.timeline.mark(first.at, "event", `invariant ${first.invariant} broken`);
    const { seed } = this.around.host.world.design;
    this.fail(`the invariant ${first.invariant} is broken: ${first.sentence}; but ${first.text} (seed ${seed})`, "invariant");
  }

  /** An act could not be recorded: a lab that could not be replayed would be no lab. */
  unrecorded(error: unknown): void {
    this.stop();
    this.fail(`the lab is paused: ${textOf(error)}`);
  }

  /** All that may be kept of the lab is kept. What it has done is in the record; nothing more is done to it. */
  full(why: string): void {
    if (this.known.some(({ code }) => code === "record-full")) return;
    this.stop();
    this.fail(`the lab is paused: ${why}`, "record-full");
  }

  /** The run goes on from somewhere else: what it broke after that, or filled, has not happened. */
  rolledBack(): void {
    this.invariants.begin();
    this.known = this.known.filter(({ code }) => code !== "invariant" && code !== "record-full");
  }

  /** Stops time, once: pausing grants what is due, which leads here again. */
  private stop(): void {
    if (this.stopping) return;
    this.stopping = true;
    const { host, paused } = this.around;
    const ran = !host.paused;
    // It counts at once, also for a skip of a paused lab; what is still under way in this moment is played to its end.
    void host.pause().finally(() => (this.stopping = false));
    if (ran) paused();
  }
}
