/** Runs a world unpaced until something holds, looking after every event that may have changed it; and the forming of a cluster, which is that. */
import type { Effect } from "../../../engine/kernel/machine.ts";
import { HOUR, MS, SEC, type Instant } from "../../../engine/kernel/time.ts";
import { follow, type Plan, type World } from "../../../engine/world/index.ts";
import type { Phases } from "../motion/interest.ts";
import { booted, formed } from "../view/conditions.ts";
import { mainUnit } from "../api.ts";
import { membersOf } from "../file/design.ts";
import type { LabFile } from "../file/labfile-schema.ts";

/** Some conditions change without a trace (the token rests, a command ends): looked at this often. */
const lookAtLeastEvery = 10 * MS;
/** Much happens at once when a cluster forms: not looked at more often than this. */
const lookAtMostEvery = 1 * MS;

const telling: ReadonlySet<Effect["kind"]> = new Set(["journal", "exit", "prompt"]);
const tellingTraces: ReadonlySet<string> = new Set(["state", "membership", "quorum", "power", "unit"]);

/** True for an effect after which a status may read differently. */
export function tells(effect: Effect): boolean {
  return effect.kind === "trace" ? tellingTraces.has(effect.event.what) : telling.has(effect.kind);
}

const seriousLevels: ReadonlySet<string> = new Set(["emerg", "alert", "crit", "error", "warning"]);

/** totemsrp's reason to gather where the token was lost while the ring was operational. */
const TOKEN_LOST = 2;

/** Something that skip stops at, as a phrase. `phases`: how the nodes stood before, since who gathers may enter gather again and again. */
export function worthALook(node: string, effect: Effect, phases: Phases): string | undefined {
  if (effect.kind === "journal" && seriousLevels.has(effect.line.level)) return `${node} ${effect.line.unit}: ${effect.line.text}`;
  if (effect.kind !== "trace") return undefined;
  const e = effect.event;
  if (e.what === "membership" && !e.transitional) return `${node}: membership ${e.ring}: ${e.members.join(" ")}`;
  if (e.what === "state" && phases.enters(node, e.state) && e.state !== "operational")
    return `${node}: ${e.state === "gather" && e.reason === TOKEN_LOST ? "token lost, gather" : e.state}`;
  if (e.what === "quorum") return `${node} is ${e.quorate ? "quorate" : "not quorate"}`;
  if (e.what === "unit") return `${node}: ${e.unit} is ${e.state}`;
  if (e.what === "power") return `${node} is ${e.state}`;
  return undefined;
}

/** Event by event until `holds`, at most to `limit`. True when the condition held before the limit, where the world stands otherwise. */
export function* advancing(world: World, limit: Instant, holds: () => boolean): Plan<boolean> {
  let dirty = true;
  const unwatch = world.watch({
    effect: (_at, _machine, effect) => {
      if (tells(effect)) dirty = true;
    },
    input: () => {
      dirty = true;
    },
  });
  let looked = Number.NEGATIVE_INFINITY;
  /** Something has happened since the last look. */
  let ran = true;
  try {
    for (;;) {
      const look = looked + (dirty ? lookAtMostEvery : lookAtLeastEvery);
      if (world.now >= look) {
        dirty = false;
        ran = false;
        looked = world.now;
        if (holds()) return true;
        continue;
      }
      const next = Math.max(world.nextAt(), world.now);
      if (next >= limit && (!ran || look >= limit)) {
        yield limit;
        return holds();
      }
      if (next > look) yield Math.min(look, limit);
      else yield "event";
      ran = true;
    }
  } finally {
    unwatch();
  }
}

/** Runs at once, without a pause. True when the condition held before the limit. */
export function advance(world: World, limit: Instant, holds: () => boolean): boolean {
  return follow(world, advancing(world, limit, holds));
}

const bootMax = HOUR;
const formMax = 10 * 60 * SEC;

function booting(world: World): Plan<boolean> {
  return advancing(world, world.now + bootMax, () =>
    world.names.every((name) => {
      const status = world.status(name);
      return status.power === "off" || booted(status);
    }),
  );
}

/** Runs until every machine that is on has booted. False when one has not within an hour. */
export function waitForBoot(world: World): boolean {
  return follow(world, booting(world));
}

/** The first daemon that failed and without which the cluster does not stand as its file says. Without a quorum device in the file its daemon may fail. */
function failedDaemon(world: World, members: readonly string[]): { readonly node: string; readonly unit: string } | undefined {
  for (const node of members) {
    const { units, quorum } = world.status(node);
    const failed = Object.keys(units).filter((unit) => units[unit] === "failed");
    const main = mainUnit(units)?.name;
    const unit = failed.find((name) => name === main || (quorum !== null && quorum.qdevice !== null));
    if (unit !== undefined) return { node, unit };
  }
  return undefined;
}

/** What it said before it ended. */
function lastLine(world: World, members: readonly string[]): string | undefined {
  const found = failedDaemon(world, members);
  if (found === undefined) return undefined;
  const { node, unit } = found;
  const errors = world
    .named(node)
    .journalSince(0)
    .filter((line) => line.unit === unit && line.pid > 1 && (line.level === "error" || line.level === "crit"));
  const said = errors.find((line) => !line.text.startsWith("Corosync Cluster Engine exiting"))?.text;
  return `${unit} failed on ${node}${said === undefined ? "" : `: ${said}`}`;
}

/**
 * Brings a new world to where a lab begins: every machine booted; members of the cluster formed, then those that the file says are off shut down in the
 * order of the file. Acts on the world, so it is part of the record.
 * @returns why the cluster did not form, as a phrase; undefined when it did or there is none
 */
export function* beginning(world: World, lab: LabFile): Plan<string | undefined> {
  if (!(yield* booting(world))) return "not every machine booted within an hour";
  const members = membersOf(lab).filter((name) => {
    const main = mainUnit(world.status(name).units)?.name;
    return main !== undefined && lab.nodes[name]?.disable?.includes(main) !== true;
  });
  const failed = (): boolean => failedDaemon(world, members) !== undefined;
  let why: string | undefined;
  if (members.length > 0) {
    yield* advancing(world, world.now + formMax, () => formed(members, world) === undefined || failed());
    why = lastLine(world, members) ?? formed(members, world);
  }
  for (const name of membersOf(lab)) {
    if (lab.nodes[name]?.power !== "off") continue;
    yield { to: "machine", machine: name, act: { kind: "shutdown" } };
    yield* advancing(world, world.now + formMax, () => world.status(name).power === "off");
  }
  return why;
}

/** The same at once. */
export function beginLab(world: World, lab: LabFile): string | undefined {
  return follow(world, beginning(world, lab));
}
