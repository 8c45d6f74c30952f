/**
 * Acting lines: `node kill pve2 --after 5`, `link cut pve3:net0 --direction in`. The command line, the page and the steps of a scenario all speak them,
 * so they mean the same everywhere. Here a line becomes a plain `Acting`; what it does to a world is in act-plan.ts.
 */
import { netLine, nicLine, nodeChange, type LabChange } from "./acting-lab.ts";
import { notYet, usage } from "../trouble.ts";
import { oneOf, sortOptions, splitLine } from "./command-line.ts";

export type Direction = "in" | "out" | "both";
export type NodeVerb = "start" | "stop" | "kill" | "pause" | "resume" | "reboot";
export type ServiceVerb = "start" | "stop" | "restart" | "kill" | "pause" | "resume";

/** What `link set` changes; an absent key stays as it is. Milliseconds, percent, Mbit/s, bytes. */
export interface LinkSetting {
  delayMs?: number;
  jitterMs?: number;
  lossPercent?: number;
  dupPercent?: number;
  reorderPercent?: number;
  rateMbit?: number;
  mtuBytes?: number;
}

export interface LinkPlace {
  node: string;
  /** Absent: every network of the node. */
  net: string | undefined;
  /** Absent: the cable, towards everybody. */
  to: string | undefined;
  direction: Direction;
}

export type Acting =
  | { act: "node"; verb: NodeVerb; nodes: string[]; afterUs: number }
  | { act: "service"; verb: ServiceVerb; node: string; unit: string }
  | ({ act: "link-cut" | "link-heal" } & LinkPlace)
  | ({ act: "link-set"; setting: LinkSetting } & LinkPlace)
  | { act: "switch"; on: boolean; net: string }
  | { act: "partition"; groups: string[][] }
  | { act: "block"; on: boolean; node: string; port: number; proto: "udp" | "tcp" }
  | { act: "nic"; up: boolean; node: string; net: string }
  | { act: "heal" }
  | LabChange;

/** Names an acting line may use. */
export interface Places {
  nodes: readonly string[];
  networks: readonly string[];
  /** Networks of each node. */
  nics: ReadonlyMap<string, readonly string[]>;
}

const actNames = "node, net, nic, service, link, block, unblock, switch, partition, heal";
const nodeVerbs: readonly string[] = ["start", "stop", "kill", "pause", "resume", "reboot"] satisfies NodeVerb[];
const serviceVerbs: readonly string[] = ["start", "stop", "restart", "kill", "pause", "resume"] satisfies ServiceVerb[];
/** Units that acting lines may name, on whatever machine they are. */
const units: readonly string[] = ["corosync", "corosync-qdevice", "corosync-qnetd"];
const laterActs: Record<string, string> = {
  clock: `there are: ${actNames}`,
};

function amount(options: Map<string, string>, name: string, max: number, unit: string): number | undefined {
  const text = options.get(name);
  if (text === undefined) return undefined;
  const bare = unit === "%" ? text.replace(/%$/, "") : text.replace(/ms$/, "");
  if (!/^\d+(\.\d+)?$/.test(bare) || Number(bare) > max)
    throw usage(`${name} ${JSON.stringify(text)}: a number from 0 to ${max} is allowed (${unit})`);
  return Number(bare);
}

function nodeLine(args: string[], places: Places): Acting {
  const change = nodeChange(args, places);
  if (change !== undefined) return change;
  const { args: rest, options } = sortOptions(args, ["--after"], "node");
  const [verb, ...nodes] = rest;
  if (verb === undefined || !nodeVerbs.includes(verb))
    throw usage(
      `node: ${nodeVerbs.join("|")} NODE… [--after SECONDS], add NAME [--address ADDRESS…] [--qnetd], rm NAME, or rename NAME NEWNAME`,
    );
  if (nodes.length === 0) throw usage(`node ${verb}: which node? There are: ${places.nodes.join(", ")}`);
  for (const node of nodes) oneOf(node, places.nodes, "node");
  const after = options.get("--after");
  const seconds = after === undefined ? 0 : Number(/^\d+(\.\d+)?s?$/.test(after) ? after.replace("s", "") : Number.NaN);
  if (!(seconds >= 0 && seconds <= 86_400)) throw usage(`--after ${JSON.stringify(after)}: virtual seconds from 0 to 86400 are allowed`);
  return { act: "node", verb: verb as NodeVerb, nodes, afterUs: Math.round(seconds * 1e6) };
}

function serviceLine(args: string[], places: Places): Acting {
  const { args: rest } = sortOptions(args, [], "service");
  const [verb, node, unit, ...more] = rest;
  if (verb === undefined || !serviceVerbs.includes(verb) || node === undefined || unit === undefined || more.length > 0)
    throw usage(`service: ${serviceVerbs.join("|")} NODE UNIT`);
  oneOf(node, places.nodes, "node");
  const bare = unit.replace(/\.service$/, "");
  if (!units.includes(bare)) throw usage(`unknown unit ${JSON.stringify(unit)}; this version has: ${units.join(", ")}`);
  return { act: "service", verb: verb as ServiceVerb, node, unit: bare };
}

function linkPlace(word: string | undefined, options: Map<string, string>, places: Places, verb: string): LinkPlace {
  if (word === undefined) throw usage(`link ${verb}: NODE[:NET] is missing; nodes are: ${places.nodes.join(", ")}`);
  const colon = word.indexOf(":");
  const node = oneOf(colon < 0 ? word : word.slice(0, colon), places.nodes, "node");
  const net = colon < 0 ? undefined : oneOf(word.slice(colon + 1), places.nics.get(node) ?? [], `network of ${node}`);
  const to = options.get("--to");
  if (to !== undefined) oneOf(to, places.nodes, "node");
  if (to === node) throw usage(`link ${verb}: --to ${node} is the node itself`);
  const direction = oneOf(options.get("--direction") ?? "both", ["in", "out", "both"], "direction") as Direction;
  return { node, net, to, direction };
}

const settingOptions = ["--delay", "--jitter", "--loss", "--dup", "--reorder", "--rate", "--mtu"];

function linkSetting(options: Map<string, string>): LinkSetting {
  const setting: LinkSetting = {};
  const delay = amount(options, "--delay", 60_000, "ms");
  const jitter = amount(options, "--jitter", 60_000, "ms");
  const loss = amount(options, "--loss", 100, "%");
  const dup = amount(options, "--dup", 100, "%");
  const reorder = amount(options, "--reorder", 100, "%");
  if (delay !== undefined) setting.delayMs = delay;
  if (jitter !== undefined) setting.jitterMs = jitter;
  if (loss !== undefined) setting.lossPercent = loss;
  if (dup !== undefined) setting.dupPercent = dup;
  if (reorder !== undefined) setting.reorderPercent = reorder;
  const rate = amount(options, "--rate", 100_000, "Mbit/s");
  if (rate !== undefined && rate < 0.001) throw usage(`--rate ${options.get("--rate")}: 0.001 to 100000 Mbit/s are allowed`);
  if (rate !== undefined) setting.rateMbit = rate;
  const mtu = amount(options, "--mtu", 65_535, "bytes");
  if (mtu !== undefined && !(Number.isInteger(mtu) && mtu >= 68))
    throw usage(`--mtu ${JSON.stringify(options.get("--mtu"))}: a whole number from 68 to 65535 is allowed (bytes)`);
  if (mtu !== undefined) setting.mtuBytes = mtu;
  return setting;
}

function linkLine(args: string[], places: Places): Acting {
  const [verb, ...rest] = args;
  const where = ["--to", "--direction"];
  if (verb !== "cut" && verb !== "heal" && verb !== "set")
    throw usage("link: cut|heal|set NODE[:NET] [--to NODE] [--direction in|out|both]");
  const sorted = sortOptions(rest, verb === "set" ? [...where, ...settingOptions] : where, `link ${verb}`);
  if (sorted.args.length > 1) throw usage(`link ${verb}: one NODE[:NET] at a time, not also ${JSON.stringify(sorted.args[1])}`);
  const place = linkPlace(sorted.args[0], sorted.options, places, verb);
  if (verb !== "set") return { act: verb === "cut" ? "link-cut" : "link-heal", ...place };
  const setting = linkSetting(sorted.options);
  if (Object.keys(setting).length === 0) throw usage(`link set: what? There are: ${settingOptions.join(" ")}`);
  return { act: "link-set", setting, ...place };
}

function partitionLine(args: string[], places: Places): Acting {
  const { args: rest } = sortOptions(args, [], "partition");
  const groups = rest.map((word) => word.split(",").filter((name) => name !== ""));
  if (groups.length < 2 || groups.some((group) => group.length === 0))
    throw usage("partition: two groups or more, names joined by commas: partition pve1,pve2 pve3");
  const seen = new Set<string>();
  for (const name of groups.flat()) {
    oneOf(name, places.nodes, "machine");
    if (seen.has(name)) throw usage(`partition: ${name} stands in two groups`);
    seen.add(name);
  }
  return { act: "partition", groups };
}

function blockLine(head: "block" | "unblock", args: string[], places: Places): Acting {
  const [node, what, ...more] = sortOptions(args, [], head).args;
  const [, port, proto] = /^(\d{1,5})\/(udp|tcp)$/.exec(what ?? "") ?? [];
  if (node === undefined || more.length > 0 || port === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw usage(`${head}: NODE PORT/udp|PORT/tcp, a port from 1 to 65535`);
  oneOf(node, places.nodes, "node");
  return { act: "block", on: head === "block", node, port: Number(port), proto: proto === "tcp" ? "tcp" : "udp" };
}

/** Reads an acting line. Throws Trouble (usage), one line: what is wrong and what is allowed. */
export function parseActing(line: string | readonly string[], places: Places): Acting {
  const [head, ...args] = typeof line === "string" ? splitLine(line) : line;
  switch (head) {
    case "node":
      return nodeLine(args, places);
    case "service":
      return serviceLine(args, places);
    case "link":
      return linkLine(args, places);
    case "switch": {
      const [state, net, ...more] = sortOptions(args, [], "switch").args;
      if ((state !== "on" && state !== "off") || net === undefined || more.length > 0) throw usage("switch: off|on NETWORK");
      return { act: "switch", on: state === "on", net: oneOf(net, places.networks, "network") };
    }
    case "partition":
      return partitionLine(args, places);
    case "net":
      return netLine(args, places);
    case "nic": {
      const [verb, node, net, ...more] = sortOptions(args, [], "nic").args;
      if (verb !== "up" && verb !== "down") return nicLine(args, places);
      if (node === undefined || net === undefined || more.length > 0) throw usage(`nic ${verb}: NODE NET`);
      oneOf(node, places.nodes, "node");
      return { act: "nic", up: verb === "up", node, net: oneOf(net, places.nics.get(node) ?? [], `network of ${node}`) };
    }
    case "block":
    case "unblock":
      return blockLine(head, args, places);
    case "heal":
      if (args.length > 0) throw usage("heal undoes everything and takes no words; one cable is healed with: link heal NODE[:NET]");
      return { act: "heal" };
    default: {
      const later = head === undefined ? undefined : laterActs[head];
      if (head !== undefined && later !== undefined) throw notYet(head, later);
      throw usage(`unknown act ${JSON.stringify(head ?? "")}; there are: ${actNames}`);
    }
  }
}
