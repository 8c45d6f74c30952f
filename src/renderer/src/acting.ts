/** The acting lines that the keys, menus, cards and the palette send: the same lines a person types after `quorate`. */
import type { LabSnapshot, MachineView } from "../../main/lab/api.ts";
import { tools } from "./words/timeline.ts";
import type { Asking, Selected, Tool } from "./selection.svelte.ts";

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

interface ChoiceTexts {
  title: string;
  /** Without the name of what it acts on, where that stands above already. */
  short: string;
  icon:
    | "cut"
    | "heal"
    | "power"
    | "bolt"
    | "snow"
    | "play"
    | "pause"
    | "close"
    | "net"
    | "plus"
    | "edit"
    | "trash"
    | "cable"
    | "witness"
    | "server";
  key?: string;
}
export type Choice = ChoiceTexts &
  ({ line: string; ask?: never; tool?: never } | { ask: Asking; line?: never; tool?: never } | { tool: Tool; line?: never; ask?: never });

/** Stable name of a choice. */
export function idOf({ line, ask, tool }: Choice): string {
  if (line !== undefined) return line;
  return ask === undefined ? JSON.stringify(tool) : `${ask.what} ${"name" in ask ? ask.name : ""}`;
}

/** What can be done to a node, in the order a menu shows it. */
export function nodeChoices(snapshot: LabSnapshot, machine: MachineView): Choice[] {
  const { name, power } = machine;
  if (power === "off")
    return [
      { title: `Power on ${name}`, short: "Power on", line: `node start ${name}`, icon: "power", key: "P" },
      ...hardwareChoices(snapshot, machine),
    ];
  const cables = cablesOf(snapshot, name);
  const choices: Choice[] = [
    { title: `Shut down ${name}`, short: "Shut down", line: `node stop ${name}`, icon: "power", key: "P" },
    { title: `Power cut: ${name}`, short: "Power cut", line: `node kill ${name}`, icon: "bolt", key: "K" },
    { title: `Reboot ${name}`, short: "Reboot", line: `node reboot ${name}`, icon: "power" },
    power === "stalled"
      ? { title: `Resume ${name}`, short: "Resume", line: `node resume ${name}`, icon: "play", key: "Z" }
      : { title: `Stall ${name}: its processors stand still`, short: "Stall", line: `node pause ${name}`, icon: "snow", key: "Z" },
  ];
  for (const unit of Object.keys(machine.units)) choices.push(...unitChoices(machine, unit));
  if (cables.some((cable) => !isCut(cable)))
    choices.push({ title: `Cut every cable of ${name}`, short: "Cut every cable", line: `link cut ${name}`, icon: "cut", key: "X" });
  if (cables.some(isCut))
    choices.push({ title: `Heal every cable of ${name}`, short: "Heal every cable", line: `link heal ${name}`, icon: "heal", key: "X" });
  return [...choices, ...hardwareChoices(snapshot, machine)];
}

/** What can be done to a daemon; nothing to one that the machine has not. */
function unitChoices({ name, units }: MachineView, unit: string): Choice[] {
  const state = units[unit];
  if (state === undefined) return [];
  if (state !== "active")
    return [{ title: `Start ${unit} on ${name}`, short: `Start ${unit}`, line: `service start ${name} ${unit}`, icon: "play" }];
  return [
    { title: `Stop ${unit} on ${name}`, short: `Stop ${unit}`, line: `service stop ${name} ${unit}`, icon: "pause" },
    { title: `Restart ${unit} on ${name}`, short: `Restart ${unit}`, line: `service restart ${name} ${unit}`, icon: "play" },
    { title: `Kill ${unit} on ${name} (SIGKILL)`, short: `Kill ${unit}`, line: `service kill ${name} ${unit}`, icon: "close" },
  ];
}

/** Cards, the name, and the machine itself. */
function hardwareChoices(snapshot: LabSnapshot, machine: MachineView): Choice[] {
  const { name, nics } = machine;
  const free = snapshot.networks.filter((net) => !nics.some((nic) => nic.net === net.name));
  return [
    ...free.map((net): Choice => ({
      title: `Add an interface of ${name} on ${net.name}`,
      short: `Interface on ${net.name}`,
      line: `nic add ${name} ${net.name}`,
      icon: "plus",
    })),
    { title: tools.block(name), short: tools.blockShort, tool: { kind: "block", node: name }, icon: "close" },
    { title: `Rename ${name} …`, short: "Rename …", ask: { what: "rename-machine", name }, icon: "edit", key: "F2" },
    { title: `Remove ${name}`, short: "Remove", line: `node rm ${name}`, icon: "trash", key: "Del" },
  ];
}

/** What can be added to the lab. */
export const addChoices: readonly Choice[] = [
  { title: "Add a machine …", short: "Machine …", ask: { what: "machine" }, icon: "server", key: "A" },
  { title: "Add a network with its switch …", short: "Network …", ask: { what: "network" }, icon: "net" },
  { title: "Add a qnetd host …", short: "qnetd host …", ask: { what: "qnetd" }, icon: "witness" },
];

/** `Del`: takes the selected thing away. */
export function removeLine(selected: Selected): string {
  if (selected.kind === "node") return `node rm ${selected.node}`;
  return selected.kind === "switch" ? `net rm ${selected.net}` : `nic rm ${selected.node} ${selected.net}`;
}

/** `F2`: cards have no name of their own here. */
export function renameOf(selected: Selected): Asking | undefined {
  if (selected.kind === "node") return { what: "rename-machine", name: selected.node };
  return selected.kind === "switch" ? { what: "rename-network", name: selected.net } : undefined;
}

/** The next free name of a kind: pve4 after pve1 to pve3. */
export function freeName(snapshot: LabSnapshot, ask: Asking): string {
  if ("name" in ask) return ask.name;
  const taken = ask.what === "network" ? snapshot.networks.map(({ name }) => name) : snapshot.nodes.map(({ name }) => name);
  const stem = { machine: "pve", qnetd: "qnetd", network: "net" }[ask.what];
  if (ask.what === "qnetd" && !taken.includes(stem)) return stem;
  let number = ask.what === "network" ? 0 : ask.what === "qnetd" ? 2 : 1;
  while (taken.includes(`${stem}${number}`)) number++;
  return `${stem}${number}`;
}

/** The acting line for a name that was given. */
export function lineFor(ask: Asking, name: string): string {
  const lines = {
    machine: `node add ${name}`,
    qnetd: `node add ${name} --qnetd`,
    network: `net add ${name}`,
    "rename-machine": `node rename ${"name" in ask ? ask.name : ""} ${name}`,
    "rename-network": `net rename ${"name" in ask ? ask.name : ""} ${name}`,
  };
  return lines[ask.what];
}

/** What can be done to a cable. */
export function cableChoices(snapshot: LabSnapshot, cable: Cable): Choice[] {
  const up = machineOf(snapshot, cable.node)?.nics.find((nic) => nic.net === cable.net)?.up !== false;
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
    {
      title: tools.link(cable.node, cable.net),
      short: tools.linkShort,
      tool: { kind: "link", node: cable.node, net: cable.net },
      icon: "edit",
    },
    up
      ? {
          title: `Interface of ${place} down: ip link set`,
          short: "Interface down",
          line: `nic down ${cable.node} ${cable.net}`,
          icon: "pause",
        }
      : { title: `Interface of ${place} up: ip link set`, short: "Interface up", line: `nic up ${cable.node} ${cable.net}`, icon: "play" },
    {
      title: `Unplug the NIC of ${place}`,
      short: "Unplug the NIC",
      line: `nic rm ${cable.node} ${cable.net}`,
      icon: "trash",
      key: "Del",
    },
  );
  return choices;
}

/** What can be done to a network's switch. */
export function switchChoices(snapshot: LabSnapshot, net: LabSnapshot["networks"][number]): Choice[] {
  const { name, on } = net;
  return [
    on
      ? { title: `Switch ${name} off`, short: "Switch off", line: `switch off ${name}`, icon: "power", key: "X" }
      : { title: `Switch ${name} on`, short: "Switch on", line: `switch on ${name}`, icon: "power", key: "X" },
    ...snapshot.nodes
      .filter(({ nics }) => !nics.some((nic) => nic.net === name))
      .map((machine): Choice => ({
        title: `Add an interface of ${machine.name} on ${name}`,
        short: `Interface of ${machine.name}`,
        line: `nic add ${machine.name} ${name}`,
        icon: "plus",
      })),
    { title: `Rename network ${name} …`, short: "Rename …", ask: { what: "rename-network", name }, icon: "edit", key: "F2" },
    { title: `Remove network ${name}, with its NICs`, short: "Remove", line: `net rm ${name}`, icon: "trash", key: "Del" },
  ];
}

/** What can be done to whatever is selected. */
export function choicesFor(snapshot: LabSnapshot, selected: Selected): Choice[] {
  if (selected.kind === "node") {
    const machine = machineOf(snapshot, selected.node);
    return machine === undefined ? [] : nodeChoices(snapshot, machine);
  }
  if (selected.kind === "cable") {
    const cable = snapshot.cables.find(({ node, net }) => node === selected.node && net === selected.net);
    return cable === undefined ? [] : cableChoices(snapshot, cable);
  }
  const net = snapshot.networks.find(({ name }) => name === selected.net);
  return net === undefined ? [] : switchChoices(snapshot, net);
}
