/** What is done to networks as a whole: `switch`, `partition`, `block` and `unblock`, `heal`. */
import { usage } from "../trouble.ts";
import { knownMachine, knownNetwork, planned, type ActKind, type PlannedAct, type Scene } from "./kind.ts";
import { sortOptions } from "./command-line.ts";

export const switches: ActKind = {
  head: "switch",
  usage: "off|on NETWORK",
  read(args, scene) {
    const [state, name, ...more] = sortOptions(args, [], "switch").args;
    if ((state !== "on" && state !== "off") || name === undefined || more.length > 0) throw usage(`switch: ${this.usage}`);
    const net = knownNetwork(name, scene);
    return planned([{ to: "fabric", act: { kind: "switch", net, on: state === "on" } }], `switch ${net} ${state}`);
  },
  line: (act) => (act.to === "fabric" && act.act.kind === "switch" ? `switch ${act.act.on ? "on" : "off"} ${act.act.net}` : undefined),
};

export const partition: ActKind = {
  head: "partition",
  usage: "pve1,pve2 pve3 [qnetd,…]",
  read(args, scene) {
    const groups = sortOptions(args, [], "partition").args.map((word) => word.split(",").filter((name) => name !== ""));
    if (groups.length < 2 || groups.some((group) => group.length === 0))
      throw usage("partition: two groups or more, names joined by commas: partition pve1,pve2 pve3");
    const seen = new Set<string>();
    for (const name of groups.flat()) {
      knownMachine(name, scene, "machine");
      if (seen.has(name)) throw usage(`partition: ${name} stands in two groups`);
      seen.add(name);
    }
    return planned([{ to: "fabric", act: { kind: "partition", groups } }], `partition ${groups.map((g) => g.join(",")).join(" | ")}`);
  },
  line: (act) =>
    act.to === "fabric" && act.act.kind === "partition"
      ? `partition ${act.act.groups.map((group) => group.join(",")).join(" ")}`
      : undefined,
};

function readBlock(on: boolean, args: readonly string[], scene: Scene): PlannedAct {
  const head = on ? "block" : "unblock";
  const [node, what, ...more] = sortOptions(args, [], head).args;
  const [, digits, name] = /^(\d{1,5})\/(udp|tcp)$/.exec(what ?? "") ?? [];
  const port = Number(digits);
  if (node === undefined || more.length > 0 || !(port >= 1 && port <= 65_535))
    throw usage(`${head}: NODE PORT/udp|PORT/tcp, a port from 1 to 65535`);
  knownMachine(node, scene);
  const proto = name === "tcp" ? "tcp" : "udp";
  const act = { kind: "block" as const, block: { node, port, proto: proto as "udp" | "tcp" }, on };
  return planned([{ to: "fabric", act }], `${node} ${on ? "blocks" : "lets through"} ${port}/${proto}`);
}

function blockKind(on: boolean): ActKind {
  const head = on ? "block" : "unblock";
  return {
    head,
    usage: "NODE PORT/udp|PORT/tcp",
    read: (args, scene) => readBlock(on, args, scene),
    line(act) {
      if (act.to !== "fabric" || act.act.kind !== "block" || act.act.on !== on) return undefined;
      const { node, port, proto } = act.act.block;
      return `${head} ${node} ${port}/${proto}`;
    },
  };
}

export const block = blockKind(true);
export const unblock = blockKind(false);

export const heal: ActKind = {
  head: "heal",
  usage: "",
  read(args) {
    if (args.length > 0) throw usage("heal undoes everything and takes no words; one cable is healed with: link heal NODE[:NET]");
    return planned([{ to: "fabric", act: { kind: "heal" } }], "healed every network");
  },
  line: (act) => (act.to === "fabric" && act.act.kind === "heal" ? "heal" : undefined),
};
