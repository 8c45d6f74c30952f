/** What the page draws: the snapshot of a lab, built from statuses, the fabric and the timeline. It decides nothing about the protocol. */
import type { FaultState } from "../../../engine/fabric/index.ts";
import type { MachineStatus } from "../../../engine/kernel/status.ts";
import type { World } from "../../../engine/world/world.ts";
import type { Fault, LabSnapshot, LabStatus, MachineView, Time } from "../api.ts";
import { tokensOf } from "../motion/tokens.ts";
import { componentsOf, formingOf } from "./components.ts";
import { mismatchesOf } from "./mismatches.ts";
import { findingsOf, problemsOf, type ConfFindings, type LabTrouble } from "./problems.ts";
import type { Drawn } from "./timeline.ts";
import { reasonsOf } from "./why/why.ts";

type Cable = LabSnapshot["cables"][number];

/** The status as the API has it: what is undefined inside is absent there. */
export function machineView(status: MachineStatus): MachineView {
  if (!status.corosync) return { ...status, corosync: null };
  const { heldUntil, lastReceived, ...token } = status.corosync.token;
  const times = { ...(heldUntil === undefined ? {} : { heldUntil }), ...(lastReceived === undefined ? {} : { lastReceived }) };
  return { ...status, corosync: { ...status.corosync, token: { ...token, ...times } } };
}

/** Everything that is wrong on purpose: with the networks, and with the disks. */
function faultsOf(world: World, machines: readonly MachineStatus[]): Fault[] {
  const disks = machines.flatMap(({ name: node, disk: { state, commitUs } }): Fault[] =>
    state === "ok" ? [] : [{ kind: "disk", node, disk: state, ...(state === "slow" ? { commitMs: commitUs / 1000 } : {}) }],
  );
  return [...world.fabric.list(), ...disks];
}

export function labStatus(dir: string, world: World, paused: boolean, node?: string): LabStatus {
  const machines = node === undefined ? world.statuses() : [world.status(node)];
  return { lab: dir, instant: world.now, paused, faults: faultsOf(world, world.statuses()), nodes: machines.map(machineView) };
}

/** What the cable is: without carrier, or up, and then by the links whose own address is the card's; without one, whether the quorum device talks there. */
function cableState(
  status: MachineStatus,
  { address, net, up }: MachineStatus["nics"][number],
  machines: readonly MachineStatus[],
  switchOn: boolean,
): Cable["state"] {
  if (status.power === "off" || !up || !switchOn) return "down";
  const links = (status.corosync?.links ?? []).filter((link) => link.localAddress === address && link.to !== status.corosync?.nodeId);
  // Who stands still answers nobody, whatever it last believed of its links.
  if (status.power === "stalled") return links.length === 0 ? "unused" : "silent";
  if (links.length === 0) return deviceTalks(status, net, machines) ? "carrying" : "unused";
  if (links.some((link) => link.connected && link.active)) return "carrying";
  return links.some((link) => link.connected) ? "idle" : "silent";
}

/** Whether quorum device and server talk on this network: by their last word to each other. */
function deviceTalks({ qnetd, quorum }: MachineStatus, net: string, machines: readonly MachineStatus[]): boolean {
  const on = (address: string): boolean => machines.some(({ nics }) => nics.some((nic) => nic.net === net && nic.address === address));
  if (qnetd !== null) return qnetd.clusters.some(({ clients }) => clients.some(({ address }) => on(address)));
  return quorum?.qdevice?.state === "Connected" && on(quorum.qdevice.host);
}

function cablesOf(world: World, machines: readonly MachineStatus[]): Cable[] {
  return machines.flatMap((machine) =>
    machine.nics.map((nic) => ({
      node: machine.name,
      net: nic.net,
      nic: nic.name,
      address: nic.address,
      ...world.fabric.cable(machine.name, nic.net),
      state: cableState(machine, nic, machines, world.fabric.isOn(nic.net)),
    })),
  );
}

/** Which link of the cluster a network carries, as the running nodes see it. */
function linkOf(net: string, machines: readonly MachineStatus[]): number | null {
  for (const machine of machines) {
    const address = machine.nics.find((nic) => nic.net === net)?.address;
    const link = machine.corosync?.links.find((l) => l.localAddress === address);
    if (address !== undefined && link) return link.link;
  }
  return null;
}

function pairCuts(faults: FaultState): LabSnapshot["pairCuts"] {
  return faults.pairs.filter((pair) => pair.cut).map(({ net, from, to }) => ({ net, from, to }));
}

/** Token timeout divided by the slowest rotation of the last minute, the worst ring's. */
function marginOf(machines: readonly MachineStatus[]): number | null {
  let margin: number | null = null;
  for (const { power, corosync } of machines) {
    if (power !== "on" || corosync?.state !== "operational" || corosync.token.slowestRotationUs <= 0) continue;
    const own = (corosync.token.tokenTimeoutMs * 1000) / corosync.token.slowestRotationUs;
    margin = margin === null ? own : Math.min(margin, own);
  }
  return margin;
}

export interface ViewOf {
  lab: LabSnapshot["lab"];
  world: World;
  time: Time;
  timeline: Drawn;
  findings: ConfFindings;
  broken: readonly LabTrouble[];
  undo: string | null;
  motion: LabSnapshot["motion"];
}

export function labSnapshot(of: ViewOf): LabSnapshot {
  const { world, timeline } = of;
  const machines = world.statuses();
  const mismatched = mismatchesOf(world, machines, of.findings.parsed);
  const components = componentsOf(machines, (status) => timeline.letter(status));
  const findings = findingsOf(world, machines, of.findings);
  const reasons = reasonsOf({ world, machines, components, findings, mismatches: mismatched.problems });
  return {
    lab: of.lab,
    time: of.time,
    networks: world.design.networks.map(({ name, cidr }) => ({ name, cidr, on: world.fabric.isOn(name), link: linkOf(name, machines) })),
    nodes: machines.map(machineView),
    cables: cablesOf(world, machines),
    pairCuts: pairCuts(world.fabric.faults()),
    faults: faultsOf(world, machines),
    components,
    margin: marginOf(machines),
    problems: problemsOf(world, machines, of.findings, of.broken, reasons.problems),
    mismatches: mismatched.mismatches,
    bands: timeline.bands(),
    marks: timeline.marks(),
    undo: of.undo,
    motion: of.motion,
    tokens: tokensOf(world, machines),
    forming: formingOf(machines),
    why: reasons.why,
    history: timeline.history(),
  };
}
