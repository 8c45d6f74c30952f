/**
 * A schedule drawn from a seed: how many nodes and links, how much is sent, and what happens when. Many faults go again by themselves; at the end everything is healed.
 * Left out: choosing seeds.
 */
import { RELEASES, type Release } from "../config/index.ts";
import { MS, SEC, Rng, type Duration } from "../kernel/index.ts";
import { DEVICE_DRAWS, split } from "./device-faults.ts";
import { DRAWS, WIDE_DRAWS, onFabric, onMachine, partition, power, type Fault, type Ground } from "./faults.ts";
import { besideDevice, optionsOf } from "./options.ts";
import { reloadsOf } from "./reloads.ts";
import { lastAt, type Bounds, type ScheduledAct, type FaultSchedule, type Load } from "./fault-schedule.ts";

/** A cluster has formed and its links count as long up. */
const FAULTS_FROM: Duration = 5 * SEC;
/** For every begun minute. */
const FAULTS_MIN = 8;
const FAULTS_MAX = 14;
/** A formed cluster is not older than this since power on. */
const FORMED_BY: Duration = 30 * SEC;
const SENDING_FROM: Duration = 15 * SEC;
/** Schedules in which somebody overrides votes. */
const OVERRIDES_PERCENT = 25;
const ARBITER = "qnetd";

/** How much the nodes of this seed send: often a little, sometimes more than the ring takes. */
function loadOf(seed: string, until: Duration): Load {
  const rng = Rng.from(seed, "load");
  const heavy = rng.percent(5);
  return {
    from: SENDING_FROM,
    until: FORMED_BY + until,
    every: heavy ? rng.between(60, 150) * MS : rng.between(250, 1500) * MS,
    burst: heavy ? rng.between(5, 25) : rng.between(1, 4),
    bytes: heavy ? 40 : rng.pick([40, 40, 300, 3000]),
  };
}

/** The schedule of seed `seed`: at least eight faults a minute, two of which change the membership for sure. */
export function drawSchedule(seed: string, bounds: Bounds): FaultSchedule {
  const rng = Rng.from(seed, "schedule");
  const count = rng.between(...bounds.nodes);
  const links = rng.between(...bounds.links);
  const names = Array.from({ length: count }, (_, i) => `pve${i + 1}`);
  const arbiter = bounds.qdevice === true ? ARBITER : undefined;
  const ground: Ground = { names, links, overrides: rng.percent(OVERRIDES_PERCENT), arbiter };
  const draws = [...(bounds.wide === true ? WIDE_DRAWS : DRAWS), ...(arbiter === undefined ? [] : DEVICE_DRAWS)];
  // With a device fewer, so that something can last.
  const minutes = Math.max(1, Math.ceil(bounds.faultsFor / ((arbiter === undefined ? 60 : 120) * SEC)));
  const faults = rng.between(FAULTS_MIN * minutes, FAULTS_MAX * minutes);
  const acts: ScheduledAct[] = [];
  const add = (fault: Fault, from: Duration, lasts: Duration, ends: boolean): void => {
    acts.push({ at: from, act: fault.does });
    if (ends && fault.undoes !== undefined) acts.push({ at: from + lasts, act: fault.undoes });
  };
  const when = (): Duration => FAULTS_FROM + rng.below(bounds.faultsFor);
  if (arbiter === undefined) add(partition(rng, ground), when(), rng.between(8, 20) * SEC, true);
  else add(split(rng, ground), when(), rng.between(40, 70) * SEC, true);
  add(power(rng, ground), when(), rng.between(8, 20) * SEC, true);
  for (let i = 2; i < faults; i++) {
    let lasts = rng.percent(30) ? rng.between(1 * MS, 1 * SEC) : rng.between(1 * SEC, 25 * SEC);
    // The vote of a device takes half a minute to move from one to another.
    if (arbiter !== undefined && rng.percent(50)) lasts = rng.between(30 * SEC, 70 * SEC);
    add(rng.pick(draws)(rng, ground), when(), lasts, rng.percent(70));
  }
  acts.sort((a, b) => a.at - b.at);
  const healedAt = Math.max(FAULTS_FROM + bounds.faultsFor, lastAt(acts)) + 1;
  const reloads =
    bounds.reloads === true ? reloadsOf(seed, names, links, arbiter !== undefined, FAULTS_FROM, bounds.faultsFor, healedAt) : undefined;
  if (reloads !== undefined) acts.push(...reloads.acts);
  acts.sort((a, b) => a.at - b.at);
  return {
    seed,
    nodes: names,
    links,
    ...choicesOf(seed, bounds, count),
    ...(bounds.releases === true ? { releases: releasesOf(seed, names) } : {}),
    arbiter,
    load: loadOf(seed, healedAt),
    ...(reloads === undefined ? {} : { variants: reloads.variants }),
    acts,
    mends: [
      ...healing(names, bounds.wide === true ? links : 0, healedAt),
      ...deviceHealing(names, arbiter, healedAt),
      ...(reloads?.mends ?? []),
    ].sort((a, b) => a.at - b.at),
    faults,
    endsAt: undefined,
  };
}

/** Half of all clusters are of the latest release, a quarter of one that is older; in the others each node has one of its own, as in the middle of an upgrade. Drawn apart from everything else. */
function releasesOf(seed: string, names: readonly string[]): Readonly<Record<string, Release>> {
  const rng = Rng.from(seed, "releases");
  const mixed = rng.percent(25);
  const whole = rng.percent(67) ? RELEASES[0] : rng.pick(RELEASES);
  return Object.fromEntries(names.map((name) => [name, mixed ? rng.pick(RELEASES) : whole]));
}

/** Options of the quorum section, and of the device where there is one. */
function choicesOf(seed: string, { options, qdevice }: Bounds, nodes: number): Pick<FaultSchedule, "quorum" | "device"> {
  if (options !== true) return { quorum: undefined };
  return qdevice === true ? besideDevice(seed, nodes) : { quorum: optionsOf(seed, nodes) };
}

/** Everything healed, the first `cards` cards up, everybody running again. Machines first, since a daemon can be started only on one that runs. */
function healing(names: readonly string[], cards: number, at: Duration): ScheduledAct[] {
  const out: ScheduledAct[] = [{ at, act: onFabric({ kind: "heal" }) }];
  for (const n of names) out.push({ at, act: onMachine(n, { kind: "resume" }) });
  for (const n of names) out.push({ at, act: onMachine(n, { kind: "service-resume", unit: "corosync" }) });
  for (const n of names) for (let k = 0; k < cards; k++) out.push({ at, act: onMachine(n, { kind: "nic-up", net: `net${k}`, up: true }) });
  // A machine in the middle of an orderly shutdown hears the button only when it is off.
  for (const after of [0, 6 * SEC, 12 * SEC]) for (const n of names) out.push({ at: at + after, act: onMachine(n, { kind: "power-on" }) });
  for (const n of names) out.push({ at: at + 18 * SEC, act: onMachine(n, { kind: "service", op: "start", unit: "corosync" }) });
  return out;
}

/** The same for the host of the quorum device and the daemons; a node's device starts when its corosync runs. */
function deviceHealing(names: readonly string[], arbiter: string | undefined, at: Duration): ScheduledAct[] {
  if (arbiter === undefined) return [];
  const start = (machine: string, unit: string): ScheduledAct => ({
    at: at + 22 * SEC,
    act: onMachine(machine, { kind: "service", op: "start", unit }),
  });
  return [
    { at, act: onMachine(arbiter, { kind: "resume" }) },
    { at, act: onMachine(arbiter, { kind: "service-resume", unit: "corosync-qnetd" }) },
    ...names.map((n) => ({ at, act: onMachine(n, { kind: "service-resume", unit: "corosync-qdevice" }) })),
    ...[0, 6 * SEC, 12 * SEC].map((after) => ({ at: at + after, act: onMachine(arbiter, { kind: "power-on" }) })),
    start(arbiter, "corosync-qnetd"),
    ...names.map((n) => start(n, "corosync-qdevice")),
  ];
}
