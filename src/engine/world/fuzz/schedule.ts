/**
 * A seeded life: how many nodes and links, how much is sent, and what happens when. Many faults go again by themselves; at the end everything is healed.
 * Left out: choosing seeds.
 */
import { MS, SEC, Rng, type Duration } from "../../kernel/index.ts";
import { DRAWS, WIDE_DRAWS, onFabric, onMachine, partition, power, type Fault, type Ground } from "./faults.ts";
import { optionsOf } from "./options.ts";
import { lastAt, type Bounds, type Deed, type Life, type Load } from "./life.ts";

/** A cluster has formed and its links count as long up. */
const FAULTS_FROM: Duration = 5 * SEC;
/** For every begun minute. */
const FAULTS_LEAST = 8;
const FAULTS_MOST = 14;
/** A formed cluster is not older than this since power on. */
const FORMED_BY: Duration = 30 * SEC;
const SENDING_FROM: Duration = 15 * SEC;
/** Lives in which somebody overrides votes. */
const OVERRIDES_PERCENT = 25;

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

/** The life of seed `seed`: at least eight faults a minute, two of which change the membership for sure. */
export function lifeOf(seed: string, bounds: Bounds): Life {
  const rng = Rng.from(seed, "schedule");
  const count = rng.between(...bounds.nodes);
  const links = rng.between(...bounds.links);
  const names = Array.from({ length: count }, (_, i) => `pve${i + 1}`);
  const ground: Ground = { names, links, overrides: rng.percent(OVERRIDES_PERCENT) };
  const minutes = Math.max(1, Math.ceil(bounds.faultsFor / (60 * SEC)));
  const faults = rng.between(FAULTS_LEAST * minutes, FAULTS_MOST * minutes);
  const deeds: Deed[] = [];
  const add = (fault: Fault, from: Duration, lasts: Duration, ends: boolean): void => {
    deeds.push({ at: from, act: fault.does });
    if (ends && fault.undoes !== undefined) deeds.push({ at: from + lasts, act: fault.undoes });
  };
  const when = (): Duration => FAULTS_FROM + rng.below(bounds.faultsFor);
  add(partition(rng, ground), when(), rng.between(8, 20) * SEC, true);
  add(power(rng, ground), when(), rng.between(8, 20) * SEC, true);
  for (let i = 2; i < faults; i++) {
    const lasts = rng.percent(30) ? rng.between(1 * MS, 1 * SEC) : rng.between(1 * SEC, 25 * SEC);
    add(rng.pick(bounds.wide === true ? WIDE_DRAWS : DRAWS)(rng, ground), when(), lasts, rng.percent(70));
  }
  deeds.sort((a, b) => a.at - b.at);
  const healedAt = Math.max(FAULTS_FROM + bounds.faultsFor, lastAt(deeds)) + 1;
  return {
    seed,
    nodes: names,
    links,
    quorum: bounds.options === true ? optionsOf(seed, count) : undefined,
    load: loadOf(seed, healedAt),
    deeds,
    mends: healing(names, bounds.wide === true ? links : 0, healedAt),
    faults,
    endsAt: undefined,
  };
}

/** Everything healed, the first `cards` cards up, everybody running again. Machines first, since a daemon can be started only on one that runs. */
function healing(names: readonly string[], cards: number, at: Duration): Deed[] {
  const out: Deed[] = [{ at, act: onFabric({ kind: "heal" }) }];
  for (const n of names) out.push({ at, act: onMachine(n, { kind: "resume" }) });
  for (const n of names) out.push({ at, act: onMachine(n, { kind: "service-resume", unit: "corosync" }) });
  for (const n of names) for (let k = 0; k < cards; k++) out.push({ at, act: onMachine(n, { kind: "nic-up", net: `net${k}`, up: true }) });
  // A machine in the middle of an orderly shutdown hears the button only when it is off.
  for (const after of [0, 6 * SEC, 12 * SEC]) for (const n of names) out.push({ at: at + after, act: onMachine(n, { kind: "power-on" }) });
  for (const n of names) out.push({ at: at + 18 * SEC, act: onMachine(n, { kind: "service", op: "start", unit: "corosync" }) });
  return out;
}
