/** The acting lines that the keys, menus, cards and the palette send: the same lines a person types after `quorate`. */
import type { LabSnapshot, MachineView } from "../../main/lab/api.ts";
import type { Selected } from "./selection.svelte.ts";

type Cable = LabSnapshot["cables"][number];

export const isCut = (cable: Cable): boolean => cable.cutIn || cable.cutOut;

export const cablesOf = (snapshot: LabSnapshot, node: string): Cable[] => snapshot.cables.filter((cable) => cable.node === node);

export const machineOf = (snapshot: LabSnapshot, node: string): MachineView | undefined => snapshot.nodes.find(({ name }) => name === node);

/** `X`: cuts what is whole, heals what is cut; a switch goes off and on. */
export function cutOrHeal(snapshot: LabSnapshot, selected: Selected): string[] {
  if (selected.kind === "switch") {
    const net = snapshot.networks.find(({ name }) => name === selected.net);
    return net === undefined ? [] : [`switch ${net.on ? "off" : "on"} ${net.name}`];
  }
  const cables = cablesOf(snapshot, selected.node).filter((cable) => selected.kind === "node" || cable.net === selected.net);
  const cut = cables.filter(isCut);
  return cut.length > 0 ? cut.map(({ node, net }) => `link heal ${node}:${net}`) : cables.map(({ node, net }) => `link cut ${node}:${net}`);
}

/** `P`: orderly off, or on. */
export const powerLine = (machine: MachineView): string => `node ${machine.power === "off" ? "start" : "stop"} ${machine.name}`;

/** `Z`: the processors stall, or go on. */
export const stallLine = (machine: MachineView): string => `node ${machine.power === "stalled" ? "resume" : "pause"} ${machine.name}`;

export interface Choice {
  title: string;
  /** Without the name of what it acts on, where that stands above already. */
  short: string;
  line: string;
  icon: "cut" | "heal" | "power" | "bolt" | "snow" | "play" | "pause" | "close" | "net";
  key?: string;
}

/** What can be done to a node, in the order a menu shows it. */
export function nodeChoices(snapshot: LabSnapshot, machine: MachineView): Choice[] {
  const { name, power } = machine;
  if (power === "off") return [{ title: `Power on ${name}`, short: "Power on", line: `node start ${name}`, icon: "power", key: "P" }];
  const corosync = machine.units["corosync"];
  const cables = cablesOf(snapshot, name);
  const choices: Choice[] = [
    { title: `Shut down ${name}`, short: "Shut down", line: `node stop ${name}`, icon: "power", key: "P" },
    { title: `Kill ${name}: pull its power cord`, short: "Kill", line: `node kill ${name}`, icon: "bolt", key: "K" },
    { title: `Reboot ${name}`, short: "Reboot", line: `node reboot ${name}`, icon: "power" },
    power === "stalled"
      ? { title: `Let ${name} run on`, short: "Run on", line: `node resume ${name}`, icon: "play", key: "Z" }
      : { title: `Stall ${name}: its processors stand still`, short: "Stall", line: `node pause ${name}`, icon: "snow", key: "Z" },
  ];
  if (corosync === "active")
    choices.push(
      { title: `Stop corosync on ${name}`, short: "Stop corosync", line: `service stop ${name} corosync`, icon: "pause" },
      { title: `Restart corosync on ${name}`, short: "Restart corosync", line: `service restart ${name} corosync`, icon: "play" },
      { title: `Kill corosync on ${name} (SIGKILL)`, short: "Kill corosync", line: `service kill ${name} corosync`, icon: "close" },
    );
  else choices.push({ title: `Start corosync on ${name}`, short: "Start corosync", line: `service start ${name} corosync`, icon: "play" });
  if (cables.some((cable) => !isCut(cable)))
    choices.push({ title: `Cut every cable of ${name}`, short: "Cut every cable", line: `link cut ${name}`, icon: "cut", key: "X" });
  if (cables.some(isCut))
    choices.push({ title: `Heal every cable of ${name}`, short: "Heal every cable", line: `link heal ${name}`, icon: "heal", key: "X" });
  return choices;
}

/** What can be done to a cable. */
export function cableChoices(cable: Cable): Choice[] {
  const place = `${cable.node}:${cable.net}`;
  const choices: Choice[] = [];
  if (!cable.cutIn || !cable.cutOut)
    choices.push({ title: `Cut ${place}`, short: "Cut", line: `link cut ${place}`, icon: "cut", key: isCut(cable) ? "" : "X" });
  if (!isCut(cable))
    choices.push(
      { title: `Cut ${place} one way: nothing comes in`, short: "Cut inwards", line: `link cut ${place} --direction in`, icon: "cut" },
      { title: `Cut ${place} one way: nothing goes out`, short: "Cut outwards", line: `link cut ${place} --direction out`, icon: "cut" },
    );
  else choices.unshift({ title: `Heal ${place}`, short: "Heal", line: `link heal ${place}`, icon: "heal", key: "X" });
  choices.push(
    { title: `Slow ${place}: 50 ms each way`, short: "50 ms delay", line: `link set ${place} --delay 50`, icon: "net" },
    { title: `Make ${place} lose 10 % of its packets`, short: "10 % loss", line: `link set ${place} --loss 10`, icon: "net" },
  );
  return choices;
}

/** What can be done to a network's switch. */
export function switchChoices(net: LabSnapshot["networks"][number]): Choice[] {
  return net.on
    ? [{ title: `Switch ${net.name} off`, short: "Switch off", line: `switch off ${net.name}`, icon: "power", key: "X" }]
    : [{ title: `Switch ${net.name} on`, short: "Switch on", line: `switch on ${net.name}`, icon: "power", key: "X" }];
}

/** What can be done to whatever is selected. */
export function choicesFor(snapshot: LabSnapshot, selected: Selected): Choice[] {
  if (selected.kind === "node") {
    const machine = machineOf(snapshot, selected.node);
    return machine === undefined ? [] : nodeChoices(snapshot, machine);
  }
  if (selected.kind === "cable") {
    const cable = snapshot.cables.find(({ node, net }) => node === selected.node && net === selected.net);
    return cable === undefined ? [] : cableChoices(cable);
  }
  const net = snapshot.networks.find(({ name }) => name === selected.net);
  return net === undefined ? [] : switchChoices(net);
}
