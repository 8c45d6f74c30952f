/** Acting lines that change the lab itself: machines, networks and interfaces added, taken away and renamed. What they do to a world is in lab-act-plan.ts. */
import { MACHINE_NAME, NETWORK_NAME, type WorldDesign } from "../../../engine/world/index.ts";
import type { Acting, Places } from "./acting.ts";
import { usage } from "../trouble.ts";
import { oneOf, sortOptions } from "./command-line.ts";

export type LabChange =
  | { act: "node-add"; name: string; qnetd: boolean; addresses: string[] }
  | { act: "node-rm"; name: string }
  | { act: "node-rename"; name: string; to: string }
  /** `cidr` absent: the next free 10.10.k.0/24. */
  | { act: "net-add"; name: string; cidr: string | undefined }
  | { act: "net-rm"; name: string }
  | { act: "net-rename"; name: string; to: string }
  /** `address` absent: a free one. */
  | { act: "nic-add"; node: string; net: string; address: string | undefined }
  | { act: "nic-rm"; node: string; net: string }
  | { act: "nic-rename"; node: string; net: string; to: string };

/** What a line may name now. */
export function placesOf({ machines, networks }: WorldDesign): Places {
  return {
    nodes: machines.map((m) => m.name),
    networks: networks.map((n) => n.name),
    nics: new Map(machines.map((m) => [m.name, m.nics.map((nic) => nic.net)])),
  };
}

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

/** `node add|rm|rename`; undefined for another verb. */
export function nodeChange(args: string[], places: Places): LabChange | undefined {
  const verb = args[0];
  if (verb === "add") {
    // --address may be given once for each network.
    const addresses: string[] = [];
    const rest = args.slice(1);
    for (let at = rest.findIndex(isAddress); at >= 0; at = rest.findIndex(isAddress)) {
      const [word = "", next] = rest.slice(at, at + 2);
      const value = word === "--address" ? next : word.slice("--address=".length);
      if (value === undefined || value === "") throw usage("node add: --address needs a value");
      addresses.push(...value.split(",").filter((address) => address !== ""));
      rest.splice(at, word === "--address" ? 2 : 1);
    }
    const qnetd = rest.includes("--qnetd");
    const [name, ...more] = sortOptions(
      rest.filter((word) => word !== "--qnetd"),
      [],
      "node add",
    ).args;
    if (name === undefined || more.length > 0) throw usage("node add: NAME [--address ADDRESS…] [--qnetd]");
    return { act: "node-add", name: newName(name, places.nodes, "machine"), qnetd, addresses };
  }
  if (verb === "rm") {
    const [name, ...more] = sortOptions(args.slice(1), [], "node rm").args;
    if (name === undefined || more.length > 0) throw usage("node rm: NAME, one at a time");
    return { act: "node-rm", name: oneOf(name, places.nodes, "node") };
  }
  if (verb !== "rename") return undefined;
  const [name, to, ...more] = sortOptions(args.slice(1), [], "node rename").args;
  if (name === undefined || to === undefined || more.length > 0) throw usage("node rename: NAME NEWNAME");
  oneOf(name, places.nodes, "node");
  return { act: "node-rename", name, to: newName(to, places.nodes, "machine") };
}

const isAddress = (word: string): boolean => word === "--address" || word.startsWith("--address=");

export function netLine(args: string[], places: Places): LabChange {
  const [verb, name, other, ...more] = sortOptions(args, [], "net").args;
  const usageLine = "net: add NAME [CIDR], rm NAME, or rename NAME NEWNAME";
  if (name === undefined || more.length > 0) throw usage(usageLine);
  if (verb === "add") return { act: "net-add", name: newName(name, places.networks, "network"), cidr: other };
  if (verb === "rm" && other === undefined) return { act: "net-rm", name: oneOf(name, places.networks, "network") };
  if (verb !== "rename" || other === undefined) throw usage(usageLine);
  oneOf(name, places.networks, "network");
  return { act: "net-rename", name, to: newName(other, places.networks, "network") };
}

/** `nic add|rm|rename`. */
export function nicLine(args: string[], places: Places): LabChange {
  const [verb, node, net, other, ...more] = sortOptions(args, [], "nic").args;
  const usageLine = "nic: up|down NODE NET, add NODE NET [ADDRESS], rm NODE NET, or rename NODE NET NAME";
  if (node === undefined || net === undefined || more.length > 0) throw usage(usageLine);
  oneOf(node, places.nodes, "node");
  if (verb === "add") return { act: "nic-add", node, net: oneOf(net, places.networks, "network"), address: other };
  if (verb !== "rm" && verb !== "rename") throw usage(usageLine);
  oneOf(net, places.nics.get(node) ?? [], `network of ${node}`);
  if (verb === "rm" && other === undefined) return { act: "nic-rm", node, net };
  if (verb !== "rename" || other === undefined) throw usage(usageLine);
  return { act: "nic-rename", node, net, to: other };
}

/** What a later line may name. A new machine may turn out to be on fewer networks. */
export function placesAfter(places: Places, acting: Acting): Places {
  const renamed = (list: readonly string[], from: string, to: string): string[] => list.map((name) => (name === from ? to : name));
  const nics = (change: (node: string, nets: readonly string[]) => [string, readonly string[]]): Places["nics"] =>
    new Map([...places.nics].map(([node, nets]) => change(node, nets)));
  switch (acting.act) {
    case "node-add":
      return { ...places, nodes: [...places.nodes, acting.name], nics: new Map([...places.nics, [acting.name, places.networks]]) };
    case "node-rm":
      return { ...places, nodes: places.nodes.filter((name) => name !== acting.name) };
    case "node-rename":
      return {
        ...places,
        nodes: renamed(places.nodes, acting.name, acting.to),
        nics: nics((node, nets) => [node === acting.name ? acting.to : node, nets]),
      };
    case "net-add":
      return { ...places, networks: [...places.networks, acting.name] };
    case "net-rm":
      return {
        ...places,
        networks: places.networks.filter((name) => name !== acting.name),
        nics: nics((node, nets) => [node, nets.filter((net) => net !== acting.name)]),
      };
    case "net-rename":
      return {
        ...places,
        networks: renamed(places.networks, acting.name, acting.to),
        nics: nics((node, nets) => [node, renamed(nets, acting.name, acting.to)]),
      };
    case "nic-add":
      return { ...places, nics: nics((node, nets) => [node, node === acting.node ? [...nets, acting.net] : nets]) };
    case "nic-rm":
      return { ...places, nics: nics((node, nets) => [node, node === acting.node ? nets.filter((net) => net !== acting.net) : nets]) };
    default:
      return places;
  }
}
