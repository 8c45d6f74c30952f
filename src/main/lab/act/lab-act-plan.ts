/** Acting lines that change the lab itself, as acts on a world: addresses and interface names that a line leaves open are chosen here. */
import { networksOf, isIn, ownerOf, type Topology, type TopologyAct, type WorldDesign } from "../../../engine/world/index.ts";
import { BOOT_DEFAULT, type NicDesign } from "../../../engine/machine/index.ts";
import type { MachineDesign } from "../../../engine/world/design.ts";
import type { LabChange } from "./acting-lab.ts";
import { domain, qnetdFiles } from "../file/design.ts";
import { usage } from "../trouble.ts";

/** Last octet of the first node, and of the qnetd host. */
const FIRST_NODE = 11;
const QNETD = 100;

function prefixOf(cidr: string): number {
  return Number(cidr.split("/")[1] ?? 24);
}

/** The address with this last number in an IPv4 network of /24 or so; undefined where the network has none. */
function addressAt(cidr: string, last: number): string | undefined {
  const base = cidr.split("/")[0] ?? "";
  const cut = Math.max(base.lastIndexOf("."), base.lastIndexOf(":"));
  const text = `${base.slice(0, cut + 1)}${base.includes(":") ? last.toString(16) : last}`;
  return isIn(text, cidr) ? text : undefined;
}

/** The first last number from `from` on that is free on all these networks. */
function freeNumber(design: Topology, nets: readonly { name: string; cidr: string }[], from: number): number {
  for (let last = from; last < 255; last++) {
    const free = nets.every(({ cidr }) => {
      const address = addressAt(cidr, last);
      return address !== undefined && ownerOf(design, address) === undefined;
    });
    if (free) return last;
  }
  throw usage(`no free address on ${nets.map((net) => net.name).join(", ")}; name one`);
}

function nicName(nics: readonly NicDesign[]): string {
  let k = 1;
  while (nics.some((nic) => nic.name === `eno${k}`)) k++;
  return `eno${k}`;
}

/** Cards of a new machine: on the networks its addresses are in, or on every network at the next free number. */
function nicsFor(design: Topology, addresses: readonly string[], qnetd: boolean): NicDesign[] {
  const nets = networksOf(design);
  const nics: NicDesign[] = [];
  if (addresses.length === 0) {
    const [mgmt] = nets;
    const on = qnetd && mgmt !== undefined ? [mgmt] : nets;
    const last = freeNumber(design, on, qnetd ? QNETD : FIRST_NODE);
    for (const { name, cidr } of on)
      nics.push({ name: nicName(nics), net: name, address: addressAt(cidr, last) ?? "", prefix: prefixOf(cidr) });
    return nics;
  }
  for (const net of nets)
    for (const address of addresses)
      if (isIn(address, net.cidr)) nics.push({ name: nicName(nics), net: net.name, address, prefix: prefixOf(net.cidr) });
  const lost = addresses.find((address) => !nics.some((nic) => nic.address === address));
  if (lost !== undefined) throw usage(`--address ${lost}: in no network; there are ${nets.map((n) => `${n.name} ${n.cidr}`).join(", ")}`);
  return nics;
}

/** A machine as freshly installed: its own /etc/hosts knows all that are there; theirs do not know it. */
export function newMachine(design: WorldDesign, name: string, nics: readonly NicDesign[], kind: MachineDesign["kind"]): MachineDesign {
  const entry = (machine: string, own: readonly NicDesign[]): MachineDesign["hosts"] =>
    own.slice(0, 1).map(({ address }) => ({ address, names: [`${machine}.${domain}`, machine] }));
  return {
    kind,
    name,
    hostname: name,
    domain,
    nics,
    hosts: [...design.machines.flatMap((m) => entry(m.hostname, m.nics)), ...entry(name, nics)],
    files: kind === "qnetd" ? qnetdFiles() : [],
    boot: BOOT_DEFAULT,
    disabledUnits: [],
    power: "on",
  };
}

function freeCidr(design: WorldDesign): string {
  for (let k = 1; k < 255; k++) {
    const cidr = `10.10.${k}.0/24`;
    if (!design.networks.some((n) => isIn(n.cidr.split("/")[0] ?? "", cidr) || isIn(`10.10.${k}.0`, n.cidr))) return cidr;
  }
  throw usage("no free 10.10.k.0/24; name a network: net add NAME CIDR");
}

function nicFor(design: WorldDesign, node: string, net: string, address: string | undefined): NicDesign {
  const machine = design.machines.find((m) => m.name === node);
  const network = design.networks.find((n) => n.name === net);
  if (machine === undefined || network === undefined) throw usage(`no machine ${node} or no network ${net}`);
  const own = machine.nics[0]?.address.split(/[.:]/).at(-1);
  const same = own === undefined ? undefined : addressAt(network.cidr, Number(own));
  const free = same !== undefined && ownerOf(design, same) === undefined ? same : undefined;
  const chosen = address ?? free ?? addressAt(network.cidr, freeNumber(design, [network], FIRST_NODE)) ?? "";
  return { name: nicName(machine.nics), net, address: chosen, prefix: prefixOf(network.cidr) };
}

export interface LabChangePlan {
  act: TopologyAct;
  said: string;
}

export function planLabChange(change: LabChange, design: WorldDesign): LabChangePlan {
  switch (change.act) {
    case "node-add": {
      const nics = nicsFor(design, change.addresses, change.qnetd);
      const machine = newMachine(design, change.name, nics, change.qnetd ? "qnetd" : "node");
      const where = nics.map((nic) => `${nic.net} ${nic.address}`).join(", ");
      return { act: { kind: "machine-add", machine }, said: `${change.name} added: ${where}` };
    }
    case "node-rm":
      return { act: { kind: "machine-remove", machine: change.name }, said: `${change.name} taken away` };
    case "node-rename":
      return { act: { kind: "machine-rename", machine: change.name, to: change.to }, said: `${change.name} renamed to ${change.to}` };
    case "net-add": {
      const net = { name: change.name, cidr: change.cidr ?? freeCidr(design) };
      return { act: { kind: "net-add", net }, said: `network ${net.name} added: ${net.cidr}` };
    }
    case "net-rm":
      return { act: { kind: "net-remove", net: change.name }, said: `network ${change.name} taken away` };
    case "net-rename":
      return { act: { kind: "net-rename", net: change.name, to: change.to }, said: `network ${change.name} renamed to ${change.to}` };
    case "nic-add": {
      const nic = nicFor(design, change.node, change.net, change.address);
      return {
        act: { kind: "nic-add", machine: change.node, nic },
        said: `${change.node}: ${nic.name} added on ${nic.net}, ${nic.address}`,
      };
    }
    case "nic-rm":
      return {
        act: { kind: "nic-remove", machine: change.node, net: change.net },
        said: `${change.node}: card on ${change.net} taken out`,
      };
    case "nic-rename":
      return {
        act: { kind: "nic-rename", machine: change.node, net: change.net, to: change.to },
        said: `${change.node}: card on ${change.net} renamed to ${change.to}`,
      };
  }
}

/** The acts that take one back, beside the faults that were in force. `design`: before it. */
export function labUndone(act: TopologyAct, design: WorldDesign): TopologyAct[] {
  const cardsOn = (net: string): TopologyAct[] =>
    design.machines.flatMap((m) =>
      m.nics.flatMap((nic, place): TopologyAct[] => (nic.net === net ? [{ kind: "nic-add", machine: m.name, nic, place }] : [])),
    );
  switch (act.kind) {
    case "machine-add":
      return [{ kind: "machine-remove", machine: act.machine.name }];
    case "machine-remove":
      return [{ kind: "machine-restore", machine: act.machine }];
    case "machine-restore":
      return [{ kind: "machine-remove", machine: act.machine }];
    case "machine-rename":
      return [{ kind: "machine-rename", machine: act.to, to: act.machine }];
    case "net-add":
      return [{ kind: "net-remove", net: act.net.name }];
    case "net-remove": {
      const net = design.networks.find((n) => n.name === act.net);
      return net === undefined ? [] : [{ kind: "net-add", net }, ...cardsOn(act.net)];
    }
    case "net-rename":
      return [{ kind: "net-rename", net: act.to, to: act.net }];
    case "nic-add":
      return [{ kind: "nic-remove", machine: act.machine, net: act.nic.net }];
    case "nic-remove":
      return cardsOn(act.net).filter((back) => back.kind === "nic-add" && back.machine === act.machine);
    case "nic-rename": {
      const name = design.machines.find((m) => m.name === act.machine)?.nics.find((n) => n.net === act.net)?.name;
      return name === undefined ? [] : [{ kind: "nic-rename", machine: act.machine, net: act.net, to: name }];
    }
  }
}
