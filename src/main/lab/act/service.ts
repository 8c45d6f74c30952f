/** `service start|stop|restart|kill|pause|resume NODE UNIT`: what PID 1 of a machine is told, or the unit's main process by a signal. */
import type { MachineAct } from "../../../engine/kernel/machine.ts";
import { usage } from "../trouble.ts";
import { knownMachine, planned, type ActKind } from "./kind.ts";
import { oneOf, sortOptions } from "./command-line.ts";

const VERBS = ["start", "stop", "restart", "kill", "pause", "resume"] as const;
type Verb = (typeof VERBS)[number];

function actOf(verb: Verb, unit: string): MachineAct {
  if (verb === "pause") return { kind: "service-stall", unit };
  return verb === "resume" ? { kind: "service-resume", unit } : { kind: "service", op: verb, unit };
}

function said(node: string, verb: Verb, unit: string): string {
  if (verb === "pause" || verb === "resume") return `${node}: ${verb === "pause" ? "SIGSTOP" : "SIGCONT"} to ${unit}`;
  return `${node}: systemctl ${verb} ${unit}`;
}

export const service: ActKind = {
  head: "service",
  usage: `${VERBS.join("|")} NODE UNIT`,
  read(args, scene) {
    const [name, node, unit, ...more] = sortOptions(args, [], "service").args;
    const verb = VERBS.find((v) => v === name);
    if (verb === undefined || node === undefined || unit === undefined || more.length > 0) throw usage(`service: ${this.usage}`);
    knownMachine(node, scene);
    const bare = oneOf(unit.replace(/\.service$/, ""), scene.units(node), `unit of ${node}`);
    return planned([{ to: "machine", machine: node, act: actOf(verb, bare) }], said(node, verb, bare), { needsPower: [node] });
  },
  line(act) {
    if (act.to !== "machine") return undefined;
    const { machine, act: own } = act;
    if (own.kind === "service") return `service ${own.op} ${machine} ${own.unit}`;
    if (own.kind === "service-stall") return `service pause ${machine} ${own.unit}`;
    return own.kind === "service-resume" ? `service resume ${machine} ${own.unit}` : undefined;
  },
  opposite(act) {
    if (act.to !== "machine") return undefined;
    const { machine, act: own } = act;
    if (own.kind === "service-stall") return { to: "machine", machine, act: { kind: "service-resume", unit: own.unit } };
    if (own.kind !== "service" || own.op === "restart") return undefined;
    return { to: "machine", machine, act: { kind: "service", op: own.op === "start" ? "stop" : "start", unit: own.unit } };
  },
};
