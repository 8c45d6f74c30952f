/** What an acting line does to a world: acts on the fabric, or on machines, now or later; and the sentence the page and the timeline say about it. */
import type { FabricAct, LinkSettings, LinkTarget } from "../../../engine/fabric/index.ts";
import type { MachineAct } from "../../../engine/kernel/machine.ts";
import type { TopologyAct, WorldAct, WorldDesign } from "../../../engine/world/index.ts";
import type { Acting, LinkPlace, LinkSetting, NodeVerb, ServiceVerb } from "./acting.ts";
import { planLabChange } from "./lab-act-plan.ts";
import { usage } from "../trouble.ts";

export interface ActPlan {
  /** Changes of the lab itself; they come first. */
  lab: TopologyAct[];
  fabric: FabricAct[];
  machines: { node: string; act: MachineAct }[];
  /** Virtual µs from now. */
  afterUs: number;
  said: string;
}

/** The acts in the order in which they are done. */
export function actsOf({ lab, fabric, machines }: ActPlan): WorldAct[] {
  return [
    ...lab.map((act): WorldAct => ({ to: "lab", act })),
    ...fabric.map((act): WorldAct => ({ to: "fabric", act })),
    ...machines.map(({ node, act }): WorldAct => ({ to: "machine", machine: node, act })),
  ];
}

/** The plan of which only the first `count` acts were done. */
export function firstOf(plan: ActPlan, count: number): ActPlan {
  const { lab, fabric, machines, said } = plan;
  if (count >= lab.length + fabric.length + machines.length) return plan;
  const rest = Math.max(0, count - lab.length);
  return {
    ...plan,
    lab: lab.slice(0, count),
    fabric: fabric.slice(0, rest),
    machines: machines.slice(0, Math.max(0, rest - fabric.length)),
    said: `the part that was done of: ${said}`,
  };
}

const nodeActs: Record<NodeVerb, MachineAct> = {
  start: { kind: "power-on" },
  stop: { kind: "shutdown" },
  kill: { kind: "power-cut" },
  pause: { kind: "stall" },
  resume: { kind: "resume" },
  reboot: { kind: "reboot" },
};

const nodeSaid: Record<NodeVerb, string> = {
  start: "powered on",
  stop: "shut down",
  kill: "power cut",
  pause: "stalled",
  resume: "goes on",
  reboot: "rebooted",
};

function target(place: LinkPlace): LinkTarget {
  return {
    node: place.node,
    direction: place.direction,
    ...(place.net === undefined ? {} : { net: place.net }),
    ...(place.to === undefined ? {} : { to: place.to }),
  };
}

function settings(s: LinkSetting): LinkSettings {
  return {
    ...(s.delayMs === undefined ? {} : { delayUs: Math.round(s.delayMs * 1000) }),
    ...(s.jitterMs === undefined ? {} : { jitterUs: Math.round(s.jitterMs * 1000) }),
    ...(s.lossPercent === undefined ? {} : { lossPercent: s.lossPercent }),
    ...(s.dupPercent === undefined ? {} : { dupPercent: s.dupPercent }),
    ...(s.reorderPercent === undefined ? {} : { reorderPercent: s.reorderPercent }),
    ...(s.rateMbit === undefined ? {} : { rateMbit: s.rateMbit }),
    ...(s.mtuBytes === undefined ? {} : { mtuBytes: s.mtuBytes }),
  };
}

function describeSetting(s: LinkSetting): string {
  const parts = [
    s.delayMs === undefined ? "" : `delay ${s.delayMs} ms`,
    s.jitterMs === undefined ? "" : `jitter ${s.jitterMs} ms`,
    s.lossPercent === undefined ? "" : `loss ${s.lossPercent} %`,
    s.dupPercent === undefined ? "" : `duplication ${s.dupPercent} %`,
    s.reorderPercent === undefined ? "" : `reordering ${s.reorderPercent} %`,
    s.rateMbit === undefined ? "" : `rate ${s.rateMbit} Mbit/s`,
    s.mtuBytes === undefined ? "" : `MTU ${s.mtuBytes} bytes`,
  ];
  return parts.filter((word) => word !== "").join(", ");
}

function describePlace(place: LinkPlace): string {
  const what =
    place.to === undefined
      ? place.net === undefined
        ? `every cable of ${place.node}`
        : `cable ${place.node}:${place.net}`
      : `${place.node} to ${place.to}${place.net === undefined ? "" : ` on ${place.net}`}`;
  return place.direction === "both" ? what : `${what} (${place.direction})`;
}

function serviceAct(verb: ServiceVerb, unit: string): MachineAct {
  if (verb === "pause") return { kind: "service-stall", unit };
  return verb === "resume" ? { kind: "service-resume", unit } : { kind: "service", op: verb, unit };
}

function mustHaveUnit(design: WorldDesign, node: string, unit: string): void {
  const machine = design.machines.find((m) => m.name === node);
  const device = machine?.packages?.includes("corosync-qdevice") === true ? ["corosync-qdevice"] : [];
  const units = machine?.kind === "qnetd" ? ["corosync-qnetd"] : ["corosync", ...device];
  if (!units.includes(unit))
    throw usage(`there is no unit ${unit} on ${node}; there ${units.length === 1 ? "is" : "are"}: ${units.join(", ")}`);
}

function serviceSaid(node: string, verb: ServiceVerb, unit: string): string {
  if (verb === "pause" || verb === "resume") return `${node}: ${verb === "pause" ? "SIGSTOP" : "SIGCONT"} to ${unit}`;
  return `${node}: systemctl ${verb} ${unit}`;
}

const fabricPlan = (act: FabricAct, said: string): ActPlan => ({ lab: [], fabric: [act], machines: [], afterUs: 0, said });

/** What an acting line does on a world that is as `design` says. Throws Trouble (usage) where no address is free. */
export function planOf(acting: Acting, design: WorldDesign): ActPlan {
  switch (acting.act) {
    case "node": {
      const later = acting.afterUs > 0 ? ` in ${acting.afterUs / 1e6} s` : "";
      return {
        lab: [],
        fabric: [],
        machines: acting.nodes.map((node) => ({ node, act: nodeActs[acting.verb] })),
        afterUs: acting.afterUs,
        said: `${acting.nodes.join(", ")} ${nodeSaid[acting.verb]}${later}`,
      };
    }
    case "service":
      mustHaveUnit(design, acting.node, acting.unit);
      return {
        lab: [],
        fabric: [],
        machines: [{ node: acting.node, act: serviceAct(acting.verb, acting.unit) }],
        afterUs: 0,
        said: serviceSaid(acting.node, acting.verb, acting.unit),
      };
    case "link-cut":
      return fabricPlan({ kind: "link-cut", link: target(acting) }, `cut ${describePlace(acting)}`);
    case "link-heal":
      return fabricPlan({ kind: "link-heal", link: target(acting) }, `healed ${describePlace(acting)}`);
    case "link-set":
      return fabricPlan(
        { kind: "link-set", link: target(acting), settings: settings(acting.setting) },
        `${describePlace(acting)}: ${describeSetting(acting.setting)}`,
      );
    case "switch":
      return fabricPlan({ kind: "switch", net: acting.net, on: acting.on }, `switch ${acting.net} ${acting.on ? "on" : "off"}`);
    case "partition":
      return fabricPlan({ kind: "partition", groups: acting.groups }, `partition ${acting.groups.map((g) => g.join(",")).join(" | ")}`);
    case "block": {
      const { node, port, proto, on } = acting;
      return fabricPlan({ kind: "block", block: { node, port, proto }, on }, `${node} ${on ? "blocks" : "lets through"} ${port}/${proto}`);
    }
    case "nic":
      return {
        lab: [],
        fabric: [],
        machines: [{ node: acting.node, act: { kind: "nic-up", net: acting.net, up: acting.up } }],
        afterUs: 0,
        said: `${acting.node}: card on ${acting.net} ${acting.up ? "up" : "down"}`,
      };
    case "heal":
      return fabricPlan({ kind: "heal" }, "healed every network");
    default: {
      const { act, said } = planLabChange(acting, design);
      return { lab: [act], fabric: [], machines: [], afterUs: 0, said };
    }
  }
}
