/** `node start|stop|kill|pause|resume|reboot NODE…`: the power of machines, and their processors. */
import type { MachineAct } from "../../../engine/kernel/machine.ts";
import type { WorldAct } from "../../../engine/world/index.ts";
import { usage } from "../trouble.ts";
import { knownMachine, machineNames, planned, secondsAfter, type ActKind } from "./kind.ts";
import { sortOptions } from "./command-line.ts";

interface Verb {
  readonly act: MachineAct;
  readonly said: string;
  readonly opposite?: MachineAct;
  readonly needsPower?: true;
  readonly boots?: true;
}

const VERBS: { readonly [verb: string]: Verb } = {
  start: { act: { kind: "power-on" }, said: "powered on", opposite: { kind: "shutdown" }, boots: true },
  stop: { act: { kind: "shutdown" }, said: "shut down", opposite: { kind: "power-on" } },
  kill: { act: { kind: "power-cut" }, said: "power cut", opposite: { kind: "power-on" } },
  pause: { act: { kind: "stall" }, said: "stalled", opposite: { kind: "resume" }, needsPower: true },
  resume: { act: { kind: "resume" }, said: "resumed" },
  reboot: { act: { kind: "reboot" }, said: "rebooted", needsPower: true, boots: true },
};

function verbOf(act: WorldAct): { readonly name: string; readonly machine: string; readonly verb: Verb } | undefined {
  if (act.to !== "machine") return undefined;
  const found = Object.entries(VERBS).find(([, { act: own }]) => own.kind === act.act.kind);
  return found === undefined ? undefined : { name: found[0], machine: act.machine, verb: found[1] };
}

export const power: ActKind = {
  head: "node",
  verbs: Object.keys(VERBS),
  usage: `${Object.keys(VERBS).join("|")} NODE… [--after SECONDS]`,
  read(args, scene) {
    const { args: rest, options } = sortOptions(args, ["--after"], "node");
    const [name = "", ...nodes] = rest;
    const verb = VERBS[name];
    if (verb === undefined) throw usage(`node: ${this.usage}`);
    if (nodes.length === 0) throw usage(`node ${name}: which node? There are: ${machineNames(scene).join(", ")}`);
    for (const node of nodes) knownMachine(node, scene);
    const afterUs = secondsAfter(options.get("--after"));
    const acts = nodes.map((machine): WorldAct => ({ to: "machine", machine, act: verb.act }));
    // What is for later is nobody's to wait for, and who has power by then is not known.
    const now = afterUs === 0;
    return planned(acts, `${nodes.join(", ")} ${verb.said}${now ? "" : ` in ${afterUs / 1e6} s`}`, {
      afterUs,
      needsPower: now && verb.needsPower === true ? nodes : [],
      boots: now && verb.boots === true ? nodes : [],
    });
  },
  line(act) {
    const of = verbOf(act);
    return of === undefined ? undefined : `node ${of.name} ${of.machine}`;
  },
  opposite(act) {
    const of = verbOf(act);
    return of?.verb.opposite === undefined ? undefined : { to: "machine", machine: of.machine, act: of.verb.opposite };
  },
};
