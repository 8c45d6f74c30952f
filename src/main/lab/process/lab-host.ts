/** Who grants a lab its time, under one face: the host in this process, or the one whose nodes are processes of their own. What moves the world answers later. */
import { rmSync } from "node:fs";
import { Crew } from "../../../engine/host/crew.ts";
import { Hub } from "../../../engine/host/hub.ts";
import { InProcessHost, type Speed } from "../../../engine/host/index.ts";
import { WorkersHost } from "../../../engine/host/workers.ts";
import type { Duration, Instant } from "../../../engine/kernel/index.ts";
import type { ActResult, World, WorldAct, WorldSnapshot } from "../../../engine/world/index.ts";
import { entry } from "./entries.ts";

export type HostKind = "workers" | "inprocess";

/** What the lab is told by its host. */
export interface HostListener {
  /** The engine broke an assertion, or a process did not do what its node did: no more time. */
  failed(error: unknown): void;
  /** A machine's process died untold or fell silent. */
  lost(machine: string, why: string): void;
}

export interface LabHost {
  readonly kind: HostKind;
  readonly world: World;
  readonly speed: Speed;
  readonly paused: boolean;
  /** Virtual seconds per wall second. */
  readonly achieved: number;
  setSpeed(speed: Speed): void;
  /** Whether anybody looks on: where nobody does, time may come in larger pieces. */
  watched(on: boolean): void;
  pause(): Promise<void>;
  resume(): void;
  /** Grants what the wall clock says is due. Resolves with the present instant. */
  catchUp(): Promise<Instant>;
  act(act: WorldAct): Promise<ActResult>;
  actAfter(after: Duration, act: WorldAct): Promise<ActResult>;
  step(unit: "event" | "window", count: number): Promise<void>;
  waitFor(holds: () => boolean, max: Instant): Promise<boolean>;
  runUntilCondition(holds: () => boolean, max: Instant, every?: Duration): Promise<boolean>;
  hold(): () => void;
  onProgress(listener: () => void): () => void;
  restore(state: WorldSnapshot): Promise<void>;
  /** Process of a machine; undefined where it has none of its own. */
  pidOf(machine: string): number | undefined;
  close(): Promise<void>;
}

export interface Pacing {
  readonly speed: Speed;
  readonly paused: boolean;
}

/** Every node in this process. `listener` is asked for when something happens, so that whoever listens may come later. */
export function inProcess(world: World, pacing: Pacing, listener: () => HostListener): LabHost {
  const host = new InProcessHost(world, { ...pacing, onFailure: (error) => listener().failed(error) });
  return {
    kind: "inprocess",
    world,
    get speed() {
      return host.speed;
    },
    get paused() {
      return host.paused;
    },
    get achieved() {
      return host.achieved;
    },
    setSpeed: (speed) => host.setSpeed(speed),
    // Here it costs nothing to be watched.
    watched: () => undefined,
    pause: async () => host.pause(),
    resume: () => host.resume(),
    catchUp: async () => host.now(),
    act: async (act) => host.act(act),
    actAfter: async (after, act) => host.actAfter(after, act),
    step: (unit, count) => host.step(unit, count),
    waitFor: (holds, max) => host.waitFor(holds, max),
    runUntilCondition: (holds, max, every) => host.runUntilCondition(holds, max, every),
    hold: () => host.hold(),
    onProgress: (listener) => host.onProgress(listener),
    restore: async (state) => host.restore(state),
    pidOf: () => undefined,
    close: async () => host.close(),
  };
}

/**
 * Every node a process of its own, beginning where `world` stands. Throws where one does not come up; then none is left.
 * @param dir for the socket to them; taken away at the end
 */
export async function withWorkers(dir: string | undefined, world: World, pacing: Pacing, listener: () => HostListener): Promise<LabHost> {
  const crew = await Crew.open({ program: entry("worker"), ...(dir === undefined ? {} : { dir }) });
  let hub: Hub;
  try {
    hub = await Hub.start(world.design, { crew, snapshot: world.snapshot() });
  } catch (error) {
    await crew.close();
    throw error;
  }
  const host = new WorkersHost(hub, {
    ...pacing,
    onFailure: (error) => listener().failed(error),
    onLost: (machine, why) => listener().lost(machine, why),
  });
  return {
    kind: "workers",
    world: hub.world,
    get speed() {
      return host.speed;
    },
    get paused() {
      return host.paused;
    },
    get achieved() {
      return host.achieved;
    },
    setSpeed: (speed) => host.setSpeed(speed),
    watched: (on) => host.watched(on),
    pause: () => host.pause(),
    resume: () => host.resume(),
    catchUp: () => host.catchUp(),
    act: (act) => host.act(act),
    actAfter: (after, act) => host.actAfter(after, act),
    step: (unit, count) => host.step(unit, count),
    waitFor: (holds, max) => host.waitFor(holds, max),
    runUntilCondition: (holds, max, every) => host.runUntilCondition(holds, max, every),
    hold: () => host.hold(),
    onProgress: (listener) => host.onProgress(listener),
    restore: (state) => host.restore(state),
    pidOf: (machine) => hub.pidOf(machine),
    close: async () => {
      await host.close();
      await crew.close();
      if (dir !== undefined) rmSync(dir, { recursive: true, force: true });
    },
  };
}
