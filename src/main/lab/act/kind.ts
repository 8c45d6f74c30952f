/** What a kind of acting line is: how it is written, what it comes to, how it is written back, how it is taken back. The kinds stand in table.ts. */
import type { Duration, Instant } from "../../../engine/kernel/index.ts";
import {
  applyTopology,
  machinesOf,
  networksOf,
  type TopologyAct,
  type World,
  type WorldAct,
  type WorldDesign,
} from "../../../engine/world/index.ts";
import { usage } from "../trouble.ts";
import { oneOf } from "./command-line.ts";

/** What a line may name: the machines and networks of a lab as they are, or as they will be when the line's turn comes. */
export interface Scene {
  readonly design: WorldDesign;
  /** Units of a machine, by name without suffix. */
  units(machine: string): readonly string[];
}

/** What a line comes to. */
export interface PlannedAct {
  /** In the order in which they are done. */
  readonly acts: readonly WorldAct[];
  /** Virtual µs from now. */
  readonly afterUs: Duration;
  /** What the timeline, the page and the log say about it. */
  readonly said: string;
  /** Machines that must have power for it to do what it says. */
  readonly needsPower: readonly string[];
  /** Machines that boot because of it: whoever waits for the act waits for their last unit. */
  readonly boots: readonly string[];
}

export interface ActKind {
  /** The first word of its lines. */
  readonly head: string;
  /** The second arguments that are its own; absent: the head has no verbs. */
  readonly verbs?: readonly string[];
  /** The rest of the line, for people: `up|down NODE NET`. */
  readonly usage: string;
  /** @param args after the head, the verb among them. Throws Trouble (usage): what is wrong, what is allowed */
  read(args: readonly string[], scene: Scene): PlannedAct;
  /** The line that does `act`; undefined where it is of another kind. */
  line?(act: WorldAct): string | undefined;
  /** What takes back an act on a machine; undefined where it is of another kind or cannot be taken back. */
  opposite?(act: WorldAct): WorldAct | undefined;
}

/** An act that happens at once, needs nobody's power and boots nobody, but for what `more` says. */
export function planned(acts: readonly WorldAct[], said: string, more: Partial<PlannedAct> = {}): PlannedAct {
  return { acts, said, afterUs: 0, needsPower: [], boots: [], ...more };
}

export const machineNames = ({ design }: Scene): string[] => design.machines.map((m) => m.name);
export const networkNames = ({ design }: Scene): string[] => design.networks.map((n) => n.name);

/** A machine that is there. */
export function knownMachine(name: string, scene: Scene, what = "node"): string {
  return oneOf(name, machineNames(scene), what);
}

export function knownNetwork(name: string, scene: Scene): string {
  return oneOf(name, networkNames(scene), "network");
}

/** A network that the machine has a card on. */
export function networkOf(machine: string, net: string, { design }: Scene): string {
  const nics = design.machines.find((m) => m.name === machine)?.nics ?? [];
  return oneOf(
    net,
    nics.map((nic) => nic.net),
    `network of ${machine}`,
  );
}

/** The lab as it is at this moment. */
export function sceneOf(world: World): Scene {
  return { design: world.design, units: (machine) => Object.keys(world.status(machine).units) };
}

/** The lab as a line leaves it, so that the next one can be read before either is done. */
export function sceneAfter(scene: Scene, { acts }: PlannedAct): Scene {
  const changes = acts.flatMap((act): TopologyAct[] => (act.to === "lab" ? [act.act] : []));
  if (changes.length === 0) return scene;
  let { machines, networks } = scene.design;
  for (const change of changes) {
    const after = applyTopology({ machines, networks }, change);
    machines = machinesOf(after);
    networks = networksOf(after);
  }
  return { ...scene, design: { ...scene.design, machines, networks } };
}

/** How the clock stands for an act: seconds of virtual time as --after has them. */
export function secondsAfter(text: string | undefined): Instant {
  if (text === undefined) return 0;
  const seconds = /^\d+(\.\d+)?s?$/.test(text) ? Number(text.replace("s", "")) : Number.NaN;
  if (!(seconds >= 0 && seconds <= 86_400)) throw usage(`--after ${JSON.stringify(text)}: virtual seconds from 0 to 86400 are allowed`);
  return Math.round(seconds * 1e6);
}
