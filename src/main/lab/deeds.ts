/** What an acting line does to a world: acts on the fabric, or on machines, now or later; and the sentence the page and the timeline say about it. */
import type { FabricAct, LinkSettings, LinkTarget } from "../../engine/fabric/index.ts";
import type { MachineAct } from "../../engine/kernel/machine.ts";
import type { Acting, LinkPlace, LinkSetting, NodeVerb, ServiceVerb } from "./acting.ts";

export interface Deeds {
  fabric: FabricAct[];
  machines: { node: string; act: MachineAct }[];
  /** Virtual µs from now. */
  afterUs: number;
  said: string;
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
  };
}

function settingWords(s: LinkSetting): string {
  const words = [
    s.delayMs === undefined ? "" : `delay ${s.delayMs} ms`,
    s.jitterMs === undefined ? "" : `jitter ${s.jitterMs} ms`,
    s.lossPercent === undefined ? "" : `loss ${s.lossPercent} %`,
    s.dupPercent === undefined ? "" : `duplication ${s.dupPercent} %`,
    s.reorderPercent === undefined ? "" : `reordering ${s.reorderPercent} %`,
  ];
  return words.filter((word) => word !== "").join(", ");
}

function placeWords(place: LinkPlace): string {
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

function serviceSaid(node: string, verb: ServiceVerb, unit: string): string {
  if (verb === "pause" || verb === "resume") return `${node}: ${verb === "pause" ? "SIGSTOP" : "SIGCONT"} to ${unit}`;
  return `${node}: systemctl ${verb} ${unit}`;
}

const fabricDeed = (act: FabricAct, said: string): Deeds => ({ fabric: [act], machines: [], afterUs: 0, said });

/** The deeds of an acting line. */
export function deedsOf(acting: Acting): Deeds {
  switch (acting.act) {
    case "node": {
      const later = acting.afterUs > 0 ? ` in ${acting.afterUs / 1e6} s` : "";
      return {
        fabric: [],
        machines: acting.nodes.map((node) => ({ node, act: nodeActs[acting.verb] })),
        afterUs: acting.afterUs,
        said: `${acting.nodes.join(", ")} ${nodeSaid[acting.verb]}${later}`,
      };
    }
    case "service":
      return {
        fabric: [],
        machines: [{ node: acting.node, act: serviceAct(acting.verb, acting.unit) }],
        afterUs: 0,
        said: serviceSaid(acting.node, acting.verb, acting.unit),
      };
    case "link-cut":
      return fabricDeed({ kind: "link-cut", link: target(acting) }, `cut ${placeWords(acting)}`);
    case "link-heal":
      return fabricDeed({ kind: "link-heal", link: target(acting) }, `healed ${placeWords(acting)}`);
    case "link-set":
      return fabricDeed(
        { kind: "link-set", link: target(acting), settings: settings(acting.setting) },
        `${placeWords(acting)}: ${settingWords(acting.setting)}`,
      );
    case "switch":
      return fabricDeed({ kind: "switch", net: acting.net, on: acting.on }, `switch ${acting.net} ${acting.on ? "on" : "off"}`);
    case "partition":
      return fabricDeed({ kind: "partition", groups: acting.groups }, `partition ${acting.groups.map((g) => g.join(",")).join(" | ")}`);
    case "heal":
      return fabricDeed({ kind: "heal" }, "healed every network");
  }
}
