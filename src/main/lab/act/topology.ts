/** Lines that change the lab itself: machines, networks and cards added, taken away and renamed; and `nic up|down`, which is `ip link set` on the machine. */
import { RELEASES, RELEASE_DEFAULT } from "../../../engine/config/index.ts";
import { MACHINE_NAME, NETWORK_NAME, type TopologyAct, type WorldDesign } from "../../../engine/world/index.ts";
import { usage } from "../trouble.ts";
import { cardFor, cardsFor, freeCidr, newMachine } from "./addresses.ts";
import { oneOf, sortOptions } from "./command-line.ts";
import {
  knownMachine,
  knownNetwork,
  machineNames,
  networkNames,
  networkOf,
  planned,
  type ActKind,
  type PlannedAct,
  type Scene,
} from "./kind.ts";

const change = (act: TopologyAct, said: string, more: Partial<PlannedAct> = {}): PlannedAct => planned([{ to: "lab", act }], said, more);

function newName(name: string, taken: readonly string[], what: "machine" | "network"): string {
  if (!(what === "machine" ? MACHINE_NAME : NETWORK_NAME).test(name))
    throw usage(
      what === "machine"
        ? `${JSON.stringify(name)} is no host name: letters, digits and hyphens are allowed, at most 63`
        : `${JSON.stringify(name)} is no network name: a letter, then letters, digits, _ and -, at most 15`,
    );
  if (taken.includes(name)) throw usage(`there is a ${what} ${name} already`);
  return name;
}

const isAddress = (word: string): boolean => word === "--address" || word.startsWith("--address=");

/** --address may be given once for each network, or several joined by commas. */
function takeAddresses(args: readonly string[]): { readonly addresses: string[]; readonly rest: string[] } {
  const rest = [...args];
  const addresses: string[] = [];
  for (let at = rest.findIndex(isAddress); at >= 0; at = rest.findIndex(isAddress)) {
    const [word = "", next] = rest.slice(at, at + 2);
    const value = word === "--address" ? next : word.slice("--address=".length);
    if (value === undefined || value === "") throw usage("node add: --address needs a value");
    addresses.push(...value.split(",").filter((address) => address !== ""));
    rest.splice(at, word === "--address" ? 2 : 1);
  }
  return { addresses, rest };
}

function addMachine(args: readonly string[], scene: Scene): PlannedAct {
  const { addresses, rest } = takeAddresses(args);
  const qnetd = rest.includes("--qnetd");
  const left = rest.filter((word) => word !== "--qnetd");
  const [given, ...more] = sortOptions(left, [], "node add").args;
  if (given === undefined || more.length > 0) throw usage("node add: NAME [--address ADDRESS…] [--qnetd]");
  const name = newName(given, machineNames(scene), "machine");
  const nics = cardsFor(scene.design, addresses, qnetd);
  const machine = newMachine(scene.design, name, nics, qnetd ? "qnetd" : "node");
  const where = nics.map((nic) => `${nic.net} ${nic.address}`).join(", ");
  return change({ kind: "machine-add", machine }, `${name} added: ${where}`, { boots: [name] });
}

function removeMachine(args: readonly string[], scene: Scene): PlannedAct {
  const [name, ...more] = sortOptions(args, [], "node rm").args;
  if (name === undefined || more.length > 0) throw usage("node rm: NAME, one at a time");
  return change({ kind: "machine-remove", machine: knownMachine(name, scene) }, `${name} removed`);
}

function renameMachine(args: readonly string[], scene: Scene): PlannedAct {
  const [name, to, ...more] = sortOptions(args, [], "node rename").args;
  if (name === undefined || to === undefined || more.length > 0) throw usage("node rename: NAME NEWNAME");
  knownMachine(name, scene);
  newName(to, machineNames(scene), "machine");
  return change({ kind: "machine-rename", machine: name, to }, `${name} renamed to ${to}`);
}

function setMachine(args: readonly string[], scene: Scene): PlannedAct {
  const { args: names, options } = sortOptions(args, ["--release"], "node set");
  const [name, ...more] = names;
  const given = options.get("--release");
  if (name === undefined || more.length > 0 || given === undefined) throw usage("node set: NAME --release RELEASE");
  knownMachine(name, scene);
  if (scene.design.machines.find((m) => m.name === name)?.kind === "qnetd")
    throw usage(`node set: ${name} runs corosync-qnetd alone; a release is a node's`);
  const release = oneOf(given, RELEASES, "release");
  return change({ kind: "machine-release", machine: name, release }, `${name}: packages of ${release} installed`);
}

export const machines: ActKind = {
  head: "node",
  verbs: ["add", "rm", "rename", "set"],
  usage: "add NAME [--address ADDRESS…] [--qnetd], rm NAME, rename NAME NEWNAME, or set NAME --release RELEASE",
  read([verb, ...args], scene) {
    if (verb === "add") return addMachine(args, scene);
    if (verb === "set") return setMachine(args, scene);
    return verb === "rm" ? removeMachine(args, scene) : renameMachine(args, scene);
  },
};

export const networks: ActKind = {
  head: "net",
  usage: "add NAME [CIDR], rm NAME, or rename NAME NEWNAME",
  read(args, scene) {
    const [verb, name, other, ...more] = sortOptions(args, [], "net").args;
    const wrong = usage(`net: ${this.usage}`);
    if (name === undefined || more.length > 0) throw wrong;
    if (verb === "add") {
      const net = { name: newName(name, networkNames(scene), "network"), cidr: other ?? freeCidr(scene.design) };
      return change({ kind: "net-add", net }, `network ${name} added: ${net.cidr}`);
    }
    if (verb === "rm" && other === undefined)
      return change({ kind: "net-remove", net: knownNetwork(name, scene) }, `network ${name} removed`);
    if (verb !== "rename" || other === undefined) throw wrong;
    knownNetwork(name, scene);
    const to = newName(other, networkNames(scene), "network");
    return change({ kind: "net-rename", net: name, to }, `network ${name} renamed to ${to}`);
  },
};

function setCard(up: boolean, node: string, net: string): PlannedAct {
  return planned(
    [{ to: "machine", machine: node, act: { kind: "nic-up", net, up } }],
    `${node}: interface on ${net} ${up ? "up" : "down"}`,
    {
      needsPower: [node],
    },
  );
}

export const cards: ActKind = {
  head: "nic",
  usage: "up|down NODE NET, add NODE NET [ADDRESS], rm NODE NET, or rename NODE NET NAME",
  read(args, scene) {
    const [verb, node, net, other, ...more] = sortOptions(args, [], "nic").args;
    const upOrDown = verb === "up" || verb === "down";
    const wrong = usage(upOrDown ? `nic ${verb}: NODE NET` : `nic: ${this.usage}`);
    if (node === undefined || net === undefined || more.length > 0 || (upOrDown && other !== undefined)) throw wrong;
    knownMachine(node, scene);
    if (verb === "add") {
      const nic = cardFor(scene.design, node, knownNetwork(net, scene), other);
      return change({ kind: "nic-add", machine: node, nic }, `${node}: ${nic.name} added on ${nic.net}, ${nic.address}`);
    }
    if (!upOrDown && verb !== "rm" && verb !== "rename") throw wrong;
    networkOf(node, net, scene);
    if (upOrDown) return setCard(verb === "up", node, net);
    if (verb === "rm" && other === undefined) return change({ kind: "nic-remove", machine: node, net }, `${node}: NIC on ${net} unplugged`);
    if (verb !== "rename" || other === undefined) throw wrong;
    return change({ kind: "nic-rename", machine: node, net, to: other }, `${node}: interface on ${net} renamed to ${other}`);
  },
  line(act) {
    if (act.to !== "machine" || act.act.kind !== "nic-up") return undefined;
    return `nic ${act.act.up ? "up" : "down"} ${act.machine} ${act.act.net}`;
  },
  opposite(act) {
    if (act.to !== "machine" || act.act.kind !== "nic-up") return undefined;
    return { ...act, act: { ...act.act, up: !act.act.up } };
  },
};

/** The acts that take a change of the lab back, beside the faults that were in force. `design`: before it. */
export function takenBack(act: TopologyAct, design: WorldDesign): TopologyAct[] {
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
    case "machine-release": {
      const release = design.machines.find((m) => m.name === act.machine)?.release ?? RELEASE_DEFAULT;
      return [{ kind: "machine-release", machine: act.machine, release }];
    }
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
