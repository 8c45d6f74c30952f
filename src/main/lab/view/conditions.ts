/** Questions about the state of a lab: what `wait` waits for, what `expect` expects, when the last unit has started. Pure functions over statuses. */
import type { MachineStatus } from "../../../engine/kernel/status.ts";
import type { MachineView, WaitFor } from "../api.ts";

const settledUnits: ReadonlySet<string> = new Set(["active", "inactive", "failed"]);

/** On, and every unit that was to start has started or failed. */
export function booted(status: MachineStatus): boolean {
  return status.power !== "off" && !status.booting && Object.values(status.units).every((state) => settledUnits.has(state));
}

/** Operational, synchronised, and somebody (here or elsewhere) has had the token: the ring turns. */
function ringTurns(status: MachineStatus): boolean {
  const c = status.corosync;
  return c !== null && c.state === "operational" && !c.syncing && (c.token.here || c.token.lastReceived !== undefined);
}

/** What does not hold on this machine, as a phrase; undefined when all does. */
function missing(what: WaitFor, status: MachineStatus): string | undefined {
  const { name, corosync, quorum, pmxcfs } = status;
  if (what.booted === true && !booted(status)) return `${name} is ${status.power === "off" ? "off" : "still booting"}`;
  // What a node believes counts once its services have agreed on it: until then votequorum still speaks of the membership before.
  if (corosync?.syncing === true && (what.quorate !== undefined || what.members !== undefined)) return `${name} is synchronising`;
  if (what.quorate === true && quorum?.quorate !== true) return `${name} is not quorate`;
  if (what.quorate === false && quorum?.quorate === true) return `${name} is quorate`;
  if (what.members !== undefined && (corosync?.members.length ?? 0) !== what.members)
    return `${name} has ${corosync?.members.length ?? 0} members, not ${what.members}`;
  if (what.members !== undefined && what.members > 0 && corosync?.state !== "operational")
    return `${name} is forming a membership (${corosync?.state ?? "stopped"})`;
  if (what.synced === true && corosync?.syncing === true) return `${name} is synchronising`;
  // It looks for corosync every six seconds: until then it has what it had.
  if (what.synced === true && quorum?.quorate === true && pmxcfs?.writable === false)
    return `pmxcfs of ${name} has not heard of the quorum`;
  if (what.synced === true && pmxcfs?.writable === true && !pmxcfs.synced) return `pmxcfs of ${name} is not up to date`;
  if (what.idle === true && (status.busy || (corosync !== null && !ringTurns(status)))) return `${name} is busy`;
  return undefined;
}

/** The machines of a world, each looked at only when it is asked for: a status of many nodes is not free. */
export interface Machines {
  readonly names: readonly string[];
  status(name: string): MachineStatus;
}

/** The first thing that does not hold; undefined when everything does. On the named machines, else on every one that is powered on. */
export function whyNot(what: WaitFor, machines: Machines): string | undefined {
  const named = what.nodes.length > 0;
  const asked: MachineStatus[] = [];
  for (const name of named ? what.nodes : machines.names) {
    const status = machines.status(name);
    if (!named && status.power === "off") continue;
    asked.push(status);
    const why = missing(what, status);
    if (why !== undefined) return why;
  }
  if (asked.length === 0) return "every machine is off";
  return what.synced === true ? unequal(asked) : undefined;
}

/** Two whose pmxcfs may write and that have other trees; undefined where there are none. Without quorum a node keeps what it had. */
function unequal(machines: readonly MachineStatus[]): string | undefined {
  const quorate = machines.filter(({ pmxcfs }) => pmxcfs?.mode === "cluster" && pmxcfs.writable);
  const [first] = quorate;
  const other = quorate.find(({ pmxcfs }) => pmxcfs?.digest !== first?.pmxcfs?.digest);
  return first === undefined || other === undefined ? undefined : `${first.name} and ${other.name} have different contents in /etc/pve`;
}

/** All members of the cluster see each other, are synchronised and quorate, and their /etc/pve can be written: what `up --clustered` waits for. */
export function formed(members: readonly string[], machines: Machines): string | undefined {
  for (const name of members) {
    const status = machines.status(name);
    const c = status.corosync;
    if (!c) return `corosync does not run on ${name}`;
    if (c.members.length !== members.length) return `${name} sees ${c.members.length} of ${members.length} members`;
    if (c.state !== "operational" || c.syncing) return `${name} is not synchronised`;
    if (status.quorum?.quorate !== true) return `${name} is not quorate`;
    // It begins before corosync, and tries again after six seconds.
    if (status.pmxcfs?.writable === false) return `pmxcfs of ${name} has not heard of the quorum`;
    const device = status.quorum.qdevice;
    if (device !== null && !(device.registered && device.alive && device.castVote)) return `${name}'s quorum device does not vote`;
  }
  return undefined;
}

/** The value at a dotted path of a status (`quorum.quorate`, `corosync.members`); undefined where there is none. */
export function valueAt(status: unknown, path: string): unknown {
  let value: unknown = status;
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** Equal as JSON values; of two mappings the found one may have more keys. */
export function matches(expected: unknown, found: unknown): boolean {
  if (Array.isArray(expected))
    return Array.isArray(found) && expected.length === found.length && expected.every((x, i) => matches(x, found[i]));
  if (typeof expected === "object" && expected !== null)
    return (
      typeof found === "object" &&
      found !== null &&
      Object.entries(expected).every(([key, x]) => matches(x, (found as Record<string, unknown>)[key]))
    );
  return expected === found;
}

/** The status as `status --json` and a scenario's `expect` have it: a unit on its way up is not active yet, one on its way down still is. */
export function threeUnitStates(machine: MachineView): MachineView {
  const states = { activating: "inactive", deactivating: "active" } as const;
  const units = Object.entries(machine.units).map(([unit, state]) => [
    unit,
    state === "activating" || state === "deactivating" ? states[state] : state,
  ]);
  return { ...machine, units: Object.fromEntries(units) as MachineView["units"] };
}

/** Why no shell can be had on this machine; undefined when one can. */
export function unreachable(status: MachineStatus): string | undefined {
  if (status.power === "off") return `${status.name} is powered off`;
  if (status.power === "stalled") return `${status.name} is stalled: nothing on it answers`;
  return status.booting ? `${status.name} is booting` : undefined;
}
