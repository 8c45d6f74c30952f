/**
 * What becomes of a cluster with a QDevice: one court (court.ts) for all groups, since whom the witness believes depends on all of them. Equal steps are run
 * once: members of one group and one kind stand for each other, the lowest and the highest of all and of those that reach the witness apart, as these
 * may break ties. A step that has no likeness is run from the beginning for the very members it is about.
 */
import { Court, type CourtState } from "./court.ts";
import type { Member, WhatIfDesign } from "./design.ts";
import type { Model, State } from "./model.ts";
import { indices, type Topology } from "./topology.ts";

/** Of a member in a state: which group it is in, and its kind. */
interface Place {
  readonly group: number;
  readonly kind: number;
}

/** A settled court, and what can become of it. */
interface Scene {
  readonly court: CourtState;
  /** By group and kind: the members it was run with, ascending. */
  readonly cast: ReadonlyMap<string, readonly number[]>;
  readonly quorate: number;
  readonly steps: Map<string, Step>;
}

interface Step {
  readonly scene: Scene;
  /** By what a member was and becomes: its places afterwards, in the order of members. */
  readonly places: ReadonlyMap<string, readonly Place[]>;
}

interface WitnessState extends State {
  readonly scene: Scene;
  readonly places: ReadonlyMap<number, Place>;
  /** Topologies from the beginning to here. */
  readonly path: readonly Topology[];
  readonly next: Map<Topology, WitnessState>;
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

  /** @param alike false: every step is run for itself, which tests compare with */
  constructor(
    private readonly design: WhatIfDesign,
    private readonly alike = true,
  ) {}

  begin(topology: Topology): WitnessState {
    const court = new Court(this.design.members, topology);
    court.begin();
    const { scene, places } = this.settled(court, topology);
    return this.state(scene, places, [topology]);
  }

  next(state: WitnessState, to: Topology): WitnessState {
    const known = state.next.get(to);
    if (known !== undefined) return known;
    const made = state.path[state.path.length - 1] === to ? state : this.step(state, to);
    state.next.set(to, made);
    return made;
  }

  private step(state: WitnessState, to: Topology): WitnessState {
    const path = [...state.path, to];
    const shape = shapeOf(state.places, to);
    const known = this.alike ? state.scene.steps.get(shape.key) : undefined;
    if (known !== undefined) return this.state(known.scene, hand(known, shape.roles), path);
    const image = this.imageOf(state, to);
    const sceneShape = shapeOf(placesOf(state.scene), image);
    if (!this.alike || sceneShape.key !== shape.key) return this.again(path);
    const court = new Court(this.design.members, image);
    court.restore(state.scene.court);
    court.become(image);
    const { scene, places } = this.settled(court, image);
    const step: Step = { scene, places: roleplay(sceneShape.roles, places) };
    state.scene.steps.set(shape.key, step);
    return this.state(scene, hand(step, shape.roles), path);
  }

  /** The whole way, for the very members. */
  private again(path: readonly Topology[]): WitnessState {
    const [first, ...rest] = path;
    if (first === undefined) throw new Error("whatif: no beginning");
    const court = new Court(this.design.members, first);
    court.begin();
    for (const to of rest) court.become(to);
    const { scene, places } = this.settled(court, path[path.length - 1] ?? first);
    return this.state(scene, places, path);
  }

  /** `to` with the members that the scene was run with in the place of the state's. */
  private imageOf(state: WitnessState, to: Topology): Topology {
    const own = gather([...state.places].sort((a, b) => a[0] - b[0]).map(([member, place]) => [cell(place), member] as const));
    const twin = new Map<number, number>();
    for (const [key, members] of own) members.forEach((member, i) => twin.set(member, state.scene.cast.get(key)?.[i] ?? member));
    const image = (mask: number): number => indices(mask).reduce((bits, i) => bits | (1 << (twin.get(i) ?? i)), 0);
    const groups = to.groups.map(image).sort((a, b) => (a & -a) - (b & -b));
    return { groups, loose: [], qnetd: image(to.groups.reduce((bits, mask) => bits | mask, 0) & to.qnetd) };
  }

  // ── scenes ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  private kind(text: string): number {
    const known = this.kinds.get(text) ?? this.kinds.size;
    this.kinds.set(text, known);
    return known;
  }

  /** The scene a court has settled in, and each member's place in it. */
  private settled(court: Court, topology: Topology): { scene: Scene; places: Map<number, Place> } {
    const marks = extremes(topology);
    const kinds = new Map<number, number>();
    for (const mask of topology.groups) {
      const ids = indices(mask).map((i) => this.design.members[i]?.nodeId ?? 0);
      for (const i of indices(mask)) {
        const member = this.design.members[i];
        const mark = marks.map((m) => (m === i ? "!" : ".")).join("");
        const reach = (topology.qnetd >> i) & 1;
        kinds.set(i, this.kind(`${member === undefined ? "" : ownOf(member, this.design.members)} ${mark} ${reach} ${court.view(i, ids)}`));
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
    const quorate = topology.groups.filter((mask) => indices(mask).some((i) => court.quorate(i))).length;
    const scene: Scene = { court: court.snapshot(), cast, quorate, steps: new Map() };
    this.scenes.set(key, scene);
    this.numbers.set(scene, this.numbers.size);
    return { scene, places };
  }

  private state(scene: Scene, places: ReadonlyMap<number, Place>, path: readonly Topology[]): WitnessState {
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
