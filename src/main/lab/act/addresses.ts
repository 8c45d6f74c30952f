/** Addresses, networks and interface names that a line leaves open, and the machine that comes of them. */
import { networksOf, isIn, ownerOf, type Topology, type WorldDesign } from "../../../engine/world/index.ts";
import { BOOT_DEFAULT, type NicDesign } from "../../../engine/machine/index.ts";
import type { MachineDesign } from "../../../engine/world/design.ts";
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
export function cardsFor(design: Topology, addresses: readonly string[], qnetd: boolean): NicDesign[] {
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
/** What all nodes of a lab run, the next one runs, too. */
function commonRelease(design: WorldDesign, kind: MachineDesign["kind"]): { release?: string } {
  const [first, ...others] = design.machines.filter((m) => m.kind === "node").map((m) => m.release);
  return kind === "node" && first !== undefined && others.every((release) => release === first) ? { release: first } : {};
}

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
    ...commonRelease(design, kind),
  };
}

/** The next 10.10.k.0/24 that no network overlaps. */
export function freeCidr(design: WorldDesign): string {
  for (let k = 1; k < 255; k++) {
    const cidr = `10.10.${k}.0/24`;
    if (!design.networks.some((n) => isIn(n.cidr.split("/")[0] ?? "", cidr) || isIn(`10.10.${k}.0`, n.cidr))) return cidr;
  }
  throw usage("no free 10.10.k.0/24; name a network: net add NAME CIDR");
}

/** A card for a machine: at the same last number as its first one, where that is free. */
export function cardFor(design: WorldDesign, node: string, net: string, address: string | undefined): NicDesign {
  const machine = design.machines.find((m) => m.name === node);
  const network = design.networks.find((n) => n.name === net);
  if (machine === undefined || network === undefined) throw usage(`no machine ${node} or no network ${net}`);
  const own = machine.nics[0]?.address.split(/[.:]/).at(-1);
  const same = own === undefined ? undefined : addressAt(network.cidr, Number(own));
  const free = same !== undefined && ownerOf(design, same) === undefined ? same : undefined;
  const chosen = address ?? free ?? addressAt(network.cidr, freeNumber(design, [network], FIRST_NODE)) ?? "";
  return { name: nicName(machine.nics), net, address: chosen, prefix: prefixOf(network.cidr) };
}
