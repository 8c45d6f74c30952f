/**
 * What becomes of a cluster with a QDevice: one cluster (witness-cluster.ts) for all groups, since whom the witness believes depends on all of them. Equal steps are run
 * once: members of one group and one kind stand for each other, the lowest and the highest of all and of those that reach the witness apart, as these
 * may break ties. A step that has no likeness is run from the beginning for the very members it is about.
 *
 * The lms algorithm votes when it hears of a membership and not when a silent client is dropped, so it matters which comes first. That depends on the moment of
 * the loss between two heartbeats; such a step is tried at several.
 */
import { MS, type Duration } from "../kernel/index.ts";
import { WitnessCluster, witnessMember, type WitnessMember, type WitnessClusterState } from "./witness-cluster.ts";
import type { Member, WhatIfDesign } from "./design.ts";
import type { Model, State } from "./model.ts";
import { indices, type Topology } from "./topology.ts";

const ALGORITHM = "quorum.device.net.algorithm";
const LMS: readonly string[] = ["lms", "2nodelms"];
/** Of the poll timeout. */
const HEARTBEAT_PART = 0.8;
/** Moments between two heartbeats. Ours: the difference they make is some seconds long. */
const MOMENTS = 4;

/** Of a member in a state: which group it is in, and its kind. */
interface Place {
  readonly group: number;
  readonly kind: number;
}

/** A settled cluster, and what can become of it. */
interface Scene {
  readonly cluster: WitnessClusterState;
  /** By group and kind: the members it was run with, ascending. */
  readonly cast: ReadonlyMap<string, readonly number[]>;
  readonly quorate: number;
  readonly steps: Map<string, readonly Step[]>;
}

/** One end of a step. */
interface Step {
  readonly scene: Scene;
  readonly wait: Duration;
  /** By what a member was and becomes: its places afterwards, in the order of members. */
  readonly places: ReadonlyMap<string, readonly Place[]>;
}

/** A topology, and how long the one before had stood when it came. */
interface Turn {
  readonly to: Topology;
  readonly wait: Duration;
}

interface WitnessState extends State {
  readonly scene: Scene;
  readonly places: ReadonlyMap<number, Place>;
  /** Topologies from the beginning to here. */
  readonly path: readonly Turn[];
  readonly next: Map<Topology, readonly WitnessState[]>;
}

interface Settled {
  readonly scene: Scene;
  readonly places: ReadonlyMap<number, Place>;
}

/** A step as it looks without names. */
interface Shape {
  readonly key: string;
  /** By member: what it was and becomes. */
  readonly roles: ReadonlyMap<number, string>;
}

const cell = ({ group, kind }: Place): string => `${group}.${kind}`;

function gather<K>(entries: Iterable<readonly [K, number]>): Map<K, number[]> {
  const out = new Map<K, number[]>();
  for (const [key, value] of entries) {
    const list = out.get(key);
    if (list === undefined) out.set(key, [value]);
    else list.push(value);
  }
  return out;
}

/** The lowest and highest bit that is set; -1 for none. */
function ends(mask: number): [number, number] {
  return mask === 0 ? [-1, -1] : [31 - Math.clz32(mask & -mask), 31 - Math.clz32(mask)];
}

function extremes(to: Topology): number[] {
  const live = to.groups.reduce((bits, mask) => bits | mask, 0);
  return [...ends(live), ...ends(live & to.qnetd)];
}

export class WitnessModel implements Model<WitnessState> {
  /** The witness hears everybody, also those that never settle. */
  readonly apart = false;
  private readonly kinds = new Map<string, number>();
  private readonly scenes = new Map<string, Scene>();
  private readonly states = new Map<string, WitnessState>();
  private readonly numbers = new Map<Scene, number>();
  /** Moments at which a loss is tried, since the last settling. */
  private readonly waits: readonly Duration[];
  private readonly members: readonly WitnessMember[];
  private readonly own: readonly string[];

  /** @param alike false: every step is run for itself, which tests compare with */
  constructor(
    private readonly design: WhatIfDesign,
    private readonly alike = true,
  ) {
    this.members = design.members.map(witnessMember);
    this.own = design.members.map((member) => ownOf(member, design.members));
    const lms = design.members.some(({ settings }) => LMS.includes(String(settings.keys.find(({ key }) => key === ALGORITHM)?.value)));
    const heartbeat =
      Math.max(...design.members.map(({ settings }) => (settings.config.quorum.device?.timeoutMs ?? 0) * HEARTBEAT_PART)) * MS;
    this.waits = lms ? Array.from({ length: MOMENTS }, (_, i) => Math.floor((heartbeat * i) / MOMENTS)) : [0];
  }

  begin(topology: Topology): WitnessState {
    const cluster = new WitnessCluster(this.members, topology);
    cluster.begin();
    const { scene, places } = this.settled(cluster, topology);
    return this.state(scene, places, [{ to: topology, wait: 0 }]);
  }

  next(state: WitnessState, to: Topology): readonly WitnessState[] {
    const known = state.next.get(to);
    if (known !== undefined) return known;
    const same = state.path[state.path.length - 1]?.to === to;
    const made = same ? [state] : [...new Set(this.step(state, to))];
    state.next.set(to, made);
    return made;
  }

  private step(state: WitnessState, to: Topology): WitnessState[] {
    const shape = shapeOf(state.places, to);
    const known = this.alike ? state.scene.steps.get(shape.key) : undefined;
    const path = (wait: Duration): Turn[] => [...state.path, { to, wait }];
    if (known !== undefined) return known.map((step) => this.state(step.scene, hand(step, shape.roles), path(step.wait)));
    const image = this.imageOf(state, to);
    const likeness = shapeOf(placesOf(state.scene), image);
    const alike = this.alike && likeness.key === shape.key;
    const steps: Step[] = [];
    for (const wait of this.waitsFor(state, to)) {
      const { scene, places } = alike ? this.onwards(state.scene, image, wait) : this.again(path(wait));
      if (!steps.some((step) => step.scene === scene))
        steps.push({ scene, wait, places: roleplay(alike ? likeness.roles : shape.roles, places) });
    }
    if (this.alike) state.scene.steps.set(shape.key, steps);
    return steps.map((step) => this.state(step.scene, hand(step, shape.roles), path(step.wait)));
  }

  /** Moments only matter where somebody falls silent whom the witness still counts when others tell it of their new ring. */
  private waitsFor(state: WitnessState, to: Topology): readonly Duration[] {
    const before = state.path[state.path.length - 1]?.to;
    const live = to.groups.reduce((bits, mask) => bits | mask, 0);
    const heard = to.qnetd & live;
    return before === undefined || heard === 0 || heard === before.qnetd ? this.waits.slice(0, 1) : this.waits;
  }

  private onwards(scene: Scene, to: Topology, wait: Duration): Settled {
    const cluster = new WitnessCluster(this.members, to);
    cluster.restore(scene.cluster);
    cluster.become(to, wait);
    return this.settled(cluster, to);
  }

  /** The whole way, for the very members. */
  private again(path: readonly Turn[]): Settled {
    const [first, ...rest] = path;
    if (first === undefined) throw new Error("whatif: no beginning");
    const cluster = new WitnessCluster(this.members, first.to);
    cluster.begin();
    for (const { to, wait } of rest) cluster.become(to, wait);
    return this.settled(cluster, path[path.length - 1]?.to ?? first.to);
  }

  /** `to` with the members that the scene was run with in the place of the state's. */
  private imageOf(state: WitnessState, to: Topology): Topology {
    const own = gather([...state.places].sort((a, b) => a[0] - b[0]).map(([member, place]) => [cell(place), member] as const));
    const counterpart = new Map<number, number>();
    for (const [key, members] of own) members.forEach((member, i) => counterpart.set(member, state.scene.cast.get(key)?.[i] ?? member));
    const image = (mask: number): number => indices(mask).reduce((bits, i) => bits | (1 << (counterpart.get(i) ?? i)), 0);
    const groups = to.groups.map(image).sort((a, b) => (a & -a) - (b & -b));
    return { groups, loose: [], qnetd: image(to.groups.reduce((bits, mask) => bits | mask, 0) & to.qnetd) };
  }

  // ── scenes ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  private kind(text: string): number {
    const known = this.kinds.get(text) ?? this.kinds.size;
    this.kinds.set(text, known);
    return known;
  }

  /** The scene a cluster has settled in, and each member's place in it. */
  private settled(cluster: WitnessCluster, topology: Topology): Settled {
    const marks = extremes(topology);
    const kinds = new Map<number, number>();
    for (const mask of topology.groups) {
      const ids = indices(mask).map((i) => this.design.members[i]?.nodeId ?? 0);
      for (const i of indices(mask)) {
        const mark = marks.map((m) => (m === i ? "!" : ".")).join("");
        const reach = (topology.qnetd >> i) & 1;
        kinds.set(i, this.kind(`${this.own[i] ?? ""} ${mark} ${reach} ${cluster.view(i, ids)}`));
      }
    }
    const described = topology.groups.map((mask) => ({
      mask,
      text: indices(mask)
        .map((i) => kinds.get(i) ?? -1)
        .sort((a, b) => a - b)
        .join(","),
    }));
    described.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : (a.mask & -a.mask) - (b.mask & -b.mask)));
    const places = new Map<number, Place>();
    described.forEach(({ mask }, group) => indices(mask).forEach((i) => places.set(i, { group, kind: kinds.get(i) ?? -1 })));
    const key = described.map(({ text }) => text).join("/");
    const known = this.alike ? this.scenes.get(key) : undefined;
    if (known !== undefined) return { scene: known, places };
    const cast = gather([...places].sort((a, b) => a[0] - b[0]).map(([member, place]) => [cell(place), member] as const));
    const quorate = topology.groups.filter((mask) => indices(mask).some((i) => cluster.quorate(i))).length;
    const scene: Scene = { cluster: cluster.snapshot(), cast, quorate, steps: new Map() };
    this.scenes.set(key, scene);
    this.numbers.set(scene, this.numbers.size);
    return { scene, places };
  }

  private state(scene: Scene, places: ReadonlyMap<number, Place>, path: readonly Turn[]): WitnessState {
    const here = [...places].sort((a, b) => a[0] - b[0]).map(([member, place]) => `${member}:${cell(place)}`);
    const key = `${this.numbers.get(scene) ?? -1} ${here.join(" ")}`;
    const known = this.states.get(key);
    if (known !== undefined) return known;
    const made: WitnessState = { scene, places, path, quorate: scene.quorate, next: new Map() };
    this.states.set(key, made);
    return made;
  }
}

/** What the files say of a member: votes and device, and whether its id is one that may break ties. */
function ownOf({ settings, nodeId }: Member, members: readonly Member[]): string {
  const { quorum, nodes, localPosition } = settings.config;
  const tie = settings.keys.find((entry) => entry.key === "quorum.device.net.tie_breaker")?.value ?? "";
  const ids = nodes.map((n) => n.nodeId);
  const ends_ = [Math.min(...ids), Math.max(...ids), Number(tie)].map((id) => (id === nodeId ? "!" : ".")).join("");
  return `${members.length} ${nodes.map((n) => n.votes).join(",")} ${nodes[localPosition]?.votes ?? 1} ${JSON.stringify(quorum)} ${ends_}`;
}

/** The places of the members a scene was run with. */
function placesOf(scene: Scene): Map<number, Place> {
  const out = new Map<number, Place>();
  for (const [key, members] of scene.cast) {
    const [group = 0, kind = 0] = key.split(".").map(Number);
    for (const member of members) out.set(member, { group, kind });
  }
  return out;
}

/** A step from `places` to a topology: groups by what is in them, and where the lowest and highest are. */
function shapeOf(places: ReadonlyMap<number, Place>, to: Topology): Shape {
  const described = to.groups.map((mask) => {
    const parts = indices(mask).map((i) => {
      const place = places.get(i);
      return `${place === undefined ? "?" : cell(place)}${((to.qnetd >> i) & 1) !== 0 ? "+" : "-"}`;
    });
    return { mask, text: parts.sort().join(",") };
  });
  described.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : (a.mask & -a.mask) - (b.mask & -b.mask)));
  const roles = new Map<number, string>();
  described.forEach(({ mask }, group) => {
    for (const i of indices(mask)) {
      const place = places.get(i);
      roles.set(i, `${group}:${place === undefined ? "?" : cell(place)}${((to.qnetd >> i) & 1) !== 0 ? "+" : "-"}`);
    }
  });
  const marks = extremes(to).map((i) => roles.get(i) ?? "none");
  return { key: `${described.map(({ text }) => text).join("/")} ${marks.join(" ")}`, roles };
}

/** By role: the places of who played it, in the order of members. */
function roleplay(roles: ReadonlyMap<number, string>, places: ReadonlyMap<number, Place>): Map<string, Place[]> {
  const out = new Map<string, Place[]>();
  for (const member of [...roles.keys()].sort((a, b) => a - b)) {
    const place = places.get(member);
    const role = roles.get(member) ?? "";
    if (place !== undefined) out.set(role, [...(out.get(role) ?? []), place]);
  }
  return out;
}

/** The places a step gives to the members that have these roles. */
function hand(step: Step, roles: ReadonlyMap<number, string>): Map<number, Place> {
  const used = new Map<string, number>();
  const out = new Map<number, Place>();
  for (const member of [...roles.keys()].sort((a, b) => a - b)) {
    const role = roles.get(member) ?? "";
    const n = used.get(role) ?? 0;
    used.set(role, n + 1);
    const place = step.places.get(role)?.[n];
    if (place !== undefined) out.set(member, place);
  }
  return out;
}
