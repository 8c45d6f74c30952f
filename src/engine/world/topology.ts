/**
 * Machines, networks and cards added, taken away and renamed in a world that runs: what each such act means, whether it can be done, and what the machines
 * concerned notice. Pure functions over plain data; in the real world this is somebody in the server room. A number once given to a machine or a network is
 * never given again, so that the order of events does not depend on what came before. Left out: moving a card to another network, which is two acts.
 */
import { RELEASES, formatIp, isRelease, networkOf, parseIp } from "../config/index.ts";
import type { FabricDesign, FabricNetwork, FaultState } from "../fabric/index.ts";
import { MACHINES_MAX, cloneState, type MachineAct } from "../kernel/index.ts";
import type { NicDesign } from "../machine/index.ts";
import type { MachineDesign } from "./design.ts";

/** Networks of one world. Ours. */
export const NETWORKS_MAX = 32;
/** Numbers a world gives out. Ours: a lab in which a machine comes and goes every minute for two days. */
const NUMBERS_MAX = 4096;

export interface Topology {
  /** By number; undefined: taken away. */
  readonly networks: readonly (FabricNetwork | undefined)[];
  readonly machines: readonly (MachineDesign | undefined)[];
}

export type TopologyAct =
  /** A new machine is plugged in; it boots if its design says so. */
  | { kind: "machine-add"; machine: MachineDesign }
  /** Its power is cut, then it is unplugged and kept. */
  | { kind: "machine-remove"; machine: string }
  /** The last machine of that name that was taken away comes back: off, its disk as it was, with its number and its cards. */
  | { kind: "machine-restore"; machine: string }
  /** In the lab and on the machine itself: as hostnamectl does, with its own lines of /etc/hosts. */
  | { kind: "machine-rename"; machine: string; to: string }
  /** Packages of another release are installed on it; its daemons are of that release from their next start on. */
  | { kind: "machine-release"; machine: string; release: string }
  | { kind: "net-add"; net: FabricNetwork }
  /** With all cards that are on it. */
  | { kind: "net-remove"; net: string }
  | { kind: "net-rename"; net: string; to: string }
  /** `place`: among the machine's cards; absent: the last one. */
  | { kind: "nic-add"; machine: string; nic: NicDesign; place?: number }
  | { kind: "nic-remove"; machine: string; net: string }
  | { kind: "nic-rename"; machine: string; net: string; to: string };

export const MACHINE_NAME = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
export const NETWORK_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,14}$/;
/** Linux: IFNAMSIZ − 1, no blank and no slash; fewer characters here, as people have them. */
export const NIC_NAME = /^[A-Za-z][A-Za-z0-9._-]{0,14}$/;

/** The machines there are, in the lab's order. */
export function machinesOf(topology: Topology): MachineDesign[] {
  return topology.machines.flatMap((m) => (m === undefined ? [] : [m]));
}

export function networksOf(topology: Topology): FabricNetwork[] {
  return topology.networks.flatMap((n) => (n === undefined ? [] : [n]));
}

export function fabricDesign(seed: string, topology: Topology): FabricDesign {
  return {
    seed,
    networks: topology.networks,
    machines: topology.machines.map((m) => m?.name),
    nics: machinesOf(topology).flatMap((m) => m.nics.map((n) => ({ node: m.name, net: n.net, address: n.address }))),
  };
}

// ── whether it can be done ───────────────────────────────────────────────────────────────────────────────────────────

function machineNamed(topology: Topology, name: string): MachineDesign | undefined {
  return topology.machines.find((m) => m?.name === name);
}

function unknownMachine(topology: Topology, name: string): string | undefined {
  if (machineNamed(topology, name) !== undefined) return undefined;
  return `no machine ${name}; there are ${machinesOf(topology)
    .map((m) => m.name)
    .join(", ")}`;
}

function unknownNetwork(topology: Topology, name: string): string | undefined {
  const names = networksOf(topology).map((n) => n.name);
  return names.includes(name) ? undefined : `no network ${name}; there are ${names.join(", ")}`;
}

function machineNameTrouble(topology: Topology, name: string): string | undefined {
  if (!MACHINE_NAME.test(name)) return `${JSON.stringify(name)} is no host name: letters, digits and hyphens, at most 63`;
  return machineNamed(topology, name) === undefined ? undefined : `there is a machine ${name} already`;
}

function networkNameTrouble(topology: Topology, name: string): string | undefined {
  if (!NETWORK_NAME.test(name)) return `${JSON.stringify(name)} is no network name: a letter, then letters, digits, _ and -, at most 15`;
  return networksOf(topology).some((n) => n.name === name) ? `there is a network ${name} already` : undefined;
}

/** The network an address with the prefix length of `cidr` is in; undefined for what is no address or no prefix length. */
export function networkWith(address: string, cidr: string): string | undefined {
  const ip = parseIp(address);
  const bits = Number(cidr.split("/")[1]);
  return ip === undefined || !(bits >= 1 && bits <= (ip.family === 4 ? 32 : 128)) ? undefined : networkOf(ip, bits);
}

/** Whether `address` lies in `cidr`. */
export function isIn(address: string, cidr: string): boolean {
  const own = networkWith(cidr.split("/")[0] ?? "", cidr);
  return own !== undefined && networkWith(address, cidr) === own;
}

function sameAddress(a: string, b: string): boolean {
  const [left, right] = [parseIp(a), parseIp(b)];
  return left !== undefined && right !== undefined && formatIp(left) === formatIp(right);
}

/** Who has this address. */
export function ownerOf(topology: Topology, address: string): string | undefined {
  return machinesOf(topology).find((m) => m.nics.some((n) => sameAddress(n.address, address)))?.name;
}

function addressTrouble(topology: Topology, nic: NicDesign): string | undefined {
  const unknown = unknownNetwork(topology, nic.net);
  if (unknown !== undefined) return unknown;
  const cidr = networksOf(topology).find((n) => n.name === nic.net)?.cidr ?? "";
  if (parseIp(nic.address) === undefined) return `${nic.address} is no IPv4 or IPv6 address`;
  if (!isIn(nic.address, cidr)) return `${nic.address} is not in ${nic.net}, ${cidr}`;
  const owner = ownerOf(topology, nic.address);
  return owner === undefined ? undefined : `${nic.address} is ${owner}'s already`;
}

function nicTrouble(topology: Topology, machine: MachineDesign, nic: NicDesign): string | undefined {
  if (!NIC_NAME.test(nic.name)) return `${JSON.stringify(nic.name)} is no interface name: a letter first, at most 15 characters`;
  if (machine.nics.some((n) => n.net === nic.net)) return `${machine.name} is on ${nic.net} already`;
  if (machine.nics.some((n) => n.name === nic.name)) return `${machine.name} has an interface ${nic.name} already`;
  return addressTrouble(topology, nic);
}

function machineTrouble(topology: Topology, machine: MachineDesign): string | undefined {
  const named = machineNameTrouble(topology, machine.name);
  if (named !== undefined) return named;
  if (machine.nics.length === 0) return `${machine.name} would be on no network`;
  if (machinesOf(topology).length >= MACHINES_MAX) return `a lab has at most ${MACHINES_MAX} machines`;
  if (topology.machines.length >= NUMBERS_MAX) return `a lab has room for ${NUMBERS_MAX} machines in all, and has had them`;
  let before: MachineDesign = { ...machine, nics: [] };
  for (const nic of machine.nics) {
    const trouble = nicTrouble(topology, before, nic);
    if (trouble !== undefined) return trouble;
    if (before.nics.some((n) => sameAddress(n.address, nic.address))) return `${nic.address} is given twice`;
    before = { ...before, nics: [...before.nics, nic] };
  }
  return undefined;
}

function networkTrouble(topology: Topology, net: FabricNetwork): string | undefined {
  const named = networkNameTrouble(topology, net.name);
  if (named !== undefined) return named;
  if (networkWith(net.cidr.split("/")[0] ?? "", net.cidr) === undefined)
    return `${net.cidr} is no network; an address with prefix length is, e.g. 10.10.1.0/24`;
  const other = networksOf(topology).find((n) => isIn(n.cidr.split("/")[0] ?? "", net.cidr) || isIn(net.cidr.split("/")[0] ?? "", n.cidr));
  if (other !== undefined) return `${net.cidr} overlaps ${other.name}, ${other.cidr}`;
  if (networksOf(topology).length >= NETWORKS_MAX) return `a lab has at most ${NETWORKS_MAX} networks`;
  return topology.networks.length >= NUMBERS_MAX ? `a lab has room for ${NUMBERS_MAX} networks in all, and has had them` : undefined;
}

function nicOf(topology: Topology, machine: string, net: string): NicDesign | undefined {
  return machineNamed(topology, machine)?.nics.find((n) => n.net === net);
}

function checkNic(topology: Topology, act: Extract<TopologyAct, { kind: "nic-add" | "nic-remove" | "nic-rename" }>): string | undefined {
  const machine = machineNamed(topology, act.machine);
  if (machine === undefined) return unknownMachine(topology, act.machine);
  if (act.kind === "nic-add") return nicTrouble(topology, machine, act.nic);
  const unknown = unknownNetwork(topology, act.net);
  if (unknown !== undefined) return unknown;
  if (nicOf(topology, act.machine, act.net) === undefined) return `${act.machine} has no interface on ${act.net}`;
  if (act.kind === "nic-remove") return machine.nics.length === 1 ? `${act.net} is the last network of ${act.machine}` : undefined;
  if (!NIC_NAME.test(act.to)) return `${JSON.stringify(act.to)} is no interface name: a letter first, at most 15 characters`;
  return machine.nics.some((n) => n.name === act.to) ? `${act.machine} has an interface ${act.to} already` : undefined;
}

function releaseTrouble(release: string): string | undefined {
  return isRelease(release) ? undefined : `no release ${release}; there are ${RELEASES.join(", ")}`;
}

/** One line that says why the act cannot be done; undefined when it can. `removed`: the machines that can come back. */
export function checkTopology(
  topology: Topology,
  act: TopologyAct,
  removed: (name: string) => MachineDesign | undefined,
): string | undefined {
  switch (act.kind) {
    case "machine-add":
      return machineTrouble(topology, act.machine);
    case "machine-restore": {
      const design = removed(act.machine);
      return design === undefined ? `no machine ${act.machine} was taken away` : machineTrouble(topology, design);
    }
    case "machine-remove":
      return unknownMachine(topology, act.machine);
    case "machine-rename":
      return unknownMachine(topology, act.machine) ?? machineNameTrouble(topology, act.to);
    case "machine-release":
      return unknownMachine(topology, act.machine) ?? releaseTrouble(act.release);
    case "net-add":
      return networkTrouble(topology, act.net);
    case "net-remove": {
      const last = machinesOf(topology).find((m) => m.nics.every((n) => n.net === act.net));
      return unknownNetwork(topology, act.net) ?? (last === undefined ? undefined : `${act.net} is the last network of ${last.name}`);
    }
    case "net-rename":
      return unknownNetwork(topology, act.net) ?? networkNameTrouble(topology, act.to);
    default:
      return checkNic(topology, act);
  }
}

// ── what it does ─────────────────────────────────────────────────────────────────────────────────────────────────────

function withMachine(topology: Topology, name: string, change: (machine: MachineDesign) => MachineDesign): Topology {
  return { ...topology, machines: topology.machines.map((m) => (m?.name === name ? change(m) : m)) };
}

function withNics(topology: Topology, name: string, change: (nics: readonly NicDesign[]) => readonly NicDesign[]): Topology {
  return withMachine(topology, name, (m) => ({ ...m, nics: change(m.nics) }));
}

const renameOwnHost = (m: MachineDesign, to: string): MachineDesign => ({ ...m, name: to, hostname: to });

/** The topology after an act that `checkTopology` has let pass. A machine that comes back is put in its place by the registry. */
export function applyTopology(topology: Topology, act: TopologyAct): Topology {
  switch (act.kind) {
    case "machine-add":
      return { ...topology, machines: [...topology.machines, act.machine] };
    case "machine-restore":
      return topology;
    case "machine-remove":
      return { ...topology, machines: topology.machines.map((m) => (m?.name === act.machine ? undefined : m)) };
    case "machine-rename":
      return withMachine(topology, act.machine, (m) => renameOwnHost(m, act.to));
    case "machine-release":
      return withMachine(topology, act.machine, (m) => ({ ...m, release: act.release }));
    case "net-add":
      return { ...topology, networks: [...topology.networks, act.net] };
    case "net-remove":
      return {
        networks: topology.networks.map((n) => (n?.name === act.net ? undefined : n)),
        machines: topology.machines.map((m) => m && onNet(m, act.net, (nics) => nics.filter((n) => n.net !== act.net))),
      };
    case "net-rename":
      return {
        networks: topology.networks.map((n) => (n?.name === act.net ? { ...n, name: act.to } : n)),
        machines: topology.machines.map(
          (m) => m && onNet(m, act.net, (nics) => nics.map((n) => (n.net === act.net ? { ...n, net: act.to } : n))),
        ),
      };
    case "nic-add":
      return withNics(topology, act.machine, (nics) => nics.toSpliced(act.place ?? nics.length, 0, act.nic));
    case "nic-remove":
      return withNics(topology, act.machine, (nics) => nics.filter((n) => n.net !== act.net));
    case "nic-rename":
      return withNics(topology, act.machine, (nics) => nics.map((n) => (n.net === act.net ? { ...n, name: act.to } : n)));
  }
}

/** A machine that has no card there stays the same object: nothing about it has changed. */
function onNet(m: MachineDesign, net: string, change: (nics: readonly NicDesign[]) => readonly NicDesign[]): MachineDesign {
  return m.nics.some((n) => n.net === net) ? { ...m, nics: change(m.nics) } : m;
}

/** What the machines there are notice of an act, at most one act each. */
export function noticed(topology: Topology, act: TopologyAct): { machine: string; act: MachineAct }[] {
  switch (act.kind) {
    case "machine-add":
    case "machine-restore":
    case "net-add":
      return [];
    case "machine-remove":
      return [{ machine: act.machine, act: { kind: "power-cut" } }];
    case "machine-rename":
      return [{ machine: act.machine, act: { kind: "renamed", name: act.to } }];
    case "machine-release":
      return [{ machine: act.machine, act: { kind: "release", release: act.release } }];
    case "net-remove":
      return ofNet(topology, act.net, { kind: "nic-remove", net: act.net });
    case "net-rename":
      return ofNet(topology, act.net, { kind: "net-renamed", net: act.net, to: act.to });
    case "nic-add":
      return [{ machine: act.machine, act: { kind: "nic-add", nic: act.nic, ...(act.place === undefined ? {} : { place: act.place }) } }];
    case "nic-remove":
      return [{ machine: act.machine, act: { kind: "nic-remove", net: act.net } }];
    case "nic-rename":
      return [{ machine: act.machine, act: { kind: "nic-rename", net: act.net, to: act.to } }];
  }
}

function ofNet(topology: Topology, net: string, act: MachineAct): { machine: string; act: MachineAct }[] {
  return machinesOf(topology)
    .filter((m) => m.nics.some((n) => n.net === net))
    .map((m) => ({ machine: m.name, act }));
}

/** The faults with other names in them. */
export function renamedFaults(state: FaultState, act: TopologyAct): FaultState {
  if (act.kind !== "machine-rename" && act.kind !== "net-rename") return state;
  const machine = (name: string): string => (act.kind === "machine-rename" && name === act.machine ? act.to : name);
  const net = (name: string): string => (act.kind === "net-rename" && name === act.net ? act.to : name);
  const next = cloneState(state);
  return {
    cables: next.cables.map((c) => ({ ...c, node: machine(c.node), net: net(c.net) })),
    pairs: next.pairs.map((p) => ({ ...p, from: machine(p.from), to: machine(p.to), net: net(p.net) })),
    switchesOff: next.switchesOff.map(net),
    groups: next.groups.map((g) => g.map(machine)),
    blocks: next.blocks.map((b) => ({ ...b, node: machine(b.node) })),
  };
}
