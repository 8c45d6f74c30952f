/** Switches above and below the machines, and the cables to them. */
import type { LabSnapshot, MachineView } from "../../../main/lab/api.ts";
import { latency } from "../format.ts";
import { barGap, barHeight, loop, wide, type Plan } from "./plan.ts";
import type { CableShape, CableState, RingShape, SwitchShape } from "./shapes.ts";

/** Networks in turn above and below the machines, the first one nearest to them. */
export function wiring(
  snapshot: LabSnapshot,
  plan: Plan,
  rings: readonly RingShape[],
): { switches: SwitchShape[]; cables: CableShape[]; bottom: number } {
  const switches: SwitchShape[] = [];
  const cables: CableShape[] = [];
  const machineBottom = plan.y + plan.h;
  let bottom = machineBottom;
  snapshot.networks.forEach((net, index) => {
    const above = index % 2 === 0;
    const rank = Math.floor(index / 2);
    const y = above ? plan.y - plan.size.up - barHeight - rank * barGap : machineBottom + plan.size.down + rank * barGap;
    bottom = Math.max(bottom, above ? 0 : y + barHeight);
    const offset = (above ? plan.size.top : plan.size.bottom) + (above ? rank * 22 : -rank * 22);
    const socketX = (column: number): number => (plan.x[column] ?? 0) + Math.min(plan.size.w - 14, Math.max(14, offset));
    const detail = `${net.link === null ? "no corosync link" : `link ${net.link}`} · ${net.cidr}`;
    const first = plan.columns.findIndex(({ machine }) => machine.nics.some((nic) => nic.net === net.name));
    const pairs = pairText(snapshot, net.name);
    switches.push({
      key: `switch:${net.name}`,
      net: net.name,
      x: plan.left,
      y,
      w: plan.right - plan.left,
      h: barHeight,
      on: net.on,
      name: `switch ${net.name}`,
      detail: net.on ? detail : `off · ${detail}`,
      detailX: Math.max(plan.left + 24 + 6.6 * (net.name.length + 7), (first < 0 ? 0 : socketX(first)) + 14),
      pairs,
      description: `switch ${net.name}, ${detail}, ${net.on ? "on" : "off"}${pairs === "" ? "" : `, cut: ${pairs}`}`,
    });
    plan.columns.forEach(({ machine }, column) => {
      const cable = snapshot.cables.find((one) => one.node === machine.name && one.net === net.name);
      if (cable === undefined) return;
      const x = socketX(column);
      cables.push({
        ...cableShape(snapshot, machine, cable, net.link),
        socket: { x, y: above ? plan.y : machineBottom },
        port: { x, y: above ? y + barHeight : y },
        crossing: above || !rings.some((ring) => spans(ring, x)) ? undefined : machineBottom + loop.below,
      });
    });
  });
  return { switches, cables, bottom };
}

function spans(ring: RingShape, x: number): boolean {
  const xs = [...ring.slots.values()].map((slot) => slot.x);
  return x > Math.min(...xs) - wide.w && x < Math.max(...xs);
}

/** "pve1 – pve3" for a pair cut both ways, "pve1 → pve3" for one way. */
function pairText(snapshot: LabSnapshot, net: string): string {
  const cuts = snapshot.pairCuts.filter((cut) => cut.net === net);
  const description: string[] = [];
  for (const cut of cuts) {
    const back = cuts.some(({ from, to }) => from === cut.to && to === cut.from);
    if (!back) description.push(`${cut.from} → ${cut.to}`);
    else if (cut.from < cut.to) description.push(`${cut.from} – ${cut.to}`);
  }
  return description.join(", ");
}

type Cable = LabSnapshot["cables"][number];

export function cableState(cable: Cable): CableState {
  if (cable.cutIn && cable.cutOut) return "cut";
  if (cable.cutIn) return "cut-in";
  if (cable.cutOut) return "cut-out";
  return cable.state;
}

const stateText: Record<CableState, string> = {
  carrying: "up, carries data",
  idle: "up, probed, idle",
  down: "down",
  unused: "not used by corosync",
  cut: "cut both ways",
  "cut-in": "nothing comes in, out passes",
  "cut-out": "in passes, nothing goes out",
};

/** What stands beside the cable, and what a screen reader says. */
function cableShape(
  snapshot: LabSnapshot,
  machine: MachineView,
  cable: Cable,
  link: number | null,
): Pick<CableShape, "key" | "node" | "net" | "state" | "label" | "description"> {
  const state = cableState(cable);
  const measured = slowest(machine, link);
  const extra = settingText(cable);
  const round = measured === undefined ? "" : latency(measured);
  const label = {
    carrying: round,
    idle: round === "" ? "idle" : `idle · ${round}`,
    down: switchOff(snapshot, cable.net) || machine.power === "off" ? "" : "down",
    unused: "",
    cut: "cut both ways",
    "cut-in": "",
    "cut-out": "",
  }[state];
  return {
    key: `cable:${cable.node}:${cable.net}`,
    node: cable.node,
    net: cable.net,
    state,
    label: [label, extra].filter((part) => part !== "").join(" · "),
    description: `cable ${cable.node} to switch ${cable.net}, ${cable.address}: ${stateText[state]}${extra === "" ? "" : `, ${extra}`}`,
  };
}

const switchOff = (snapshot: LabSnapshot, net: string): boolean => snapshot.networks.some(({ name, on }) => name === net && !on);

/** The slowest round trip this node measured on a link, µs. */
export function slowest(machine: MachineView, link: number | null): number | undefined {
  const all = (machine.corosync?.links ?? []).filter((one) => one.link === link && one.connected && one.latencyUs > 0);
  return all.length === 0 ? undefined : Math.max(...all.map(({ latencyUs }) => latencyUs));
}

/** What `link set` did to it. */
function settingText(cable: Cable): string {
  const description: string[] = [];
  if (cable.delayMs > 0) description.push(`delay ${cable.delayMs} ms`);
  if (cable.jitterMs > 0) description.push(`± ${cable.jitterMs} ms`);
  if (cable.lossPercent > 0) description.push(`loses ${cable.lossPercent} %`);
  return description.join(", ");
}
