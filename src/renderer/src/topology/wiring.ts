/** Switches above and below the machines, and the cables to them. */
import type { LabSnapshot, MachineView } from "../../../main/lab/api.ts";
import { switchWords } from "../words/topology.ts";
import { cableDescription, cableLines, cableState, type Cable } from "./cable-look.ts";
import { barGap, barHeight, loop, wide, type Plan } from "./plan.ts";
import type { CableShape, CableState, Point, RingShape, SwitchShape, Wall } from "./shapes.ts";
import { barTexts, groupsOf, piecesOf, wallsOf } from "./switch-bar.ts";

interface Wiring {
  switches: SwitchShape[];
  cables: CableShape[];
  walls: Wall[];
  wallEnds: { top: number; bottom: number };
  bottom: number;
}

/** Networks in turn above and below the machines, the first one nearest to them. `from` is the selected machine, to which round trips are told. */
export function wiring(snapshot: LabSnapshot, plan: Plan, rings: readonly RingShape[], from: MachineView | undefined): Wiring {
  const switches: SwitchShape[] = [];
  const cables: CableShape[] = [];
  const walls = wallsOf(snapshot, plan);
  const machineBottom = plan.y + plan.h;
  const split = walls.length === 0 ? "" : `, ${switchWords.split(groupsOf(snapshot))}`;
  let [top, bottom] = [plan.y, machineBottom];
  snapshot.networks.forEach((net, index) => {
    const above = index % 2 === 0;
    const rank = Math.floor(index / 2);
    const y = above ? plan.y - plan.size.up - barHeight - rank * barGap : machineBottom + plan.size.down + rank * barGap;
    top = Math.min(top, y);
    bottom = Math.max(bottom, above ? 0 : y + barHeight);
    const offset = (above ? plan.size.top : plan.size.bottom) + (above ? rank * 22 : -rank * 22);
    const socketX = (column: number): number => (plan.x[column] ?? 0) + Math.min(plan.size.w - 14, Math.max(14, offset));
    const ports: number[] = [];
    plan.columns.forEach(({ machine }, column) => {
      const cable = snapshot.cables.find((one) => one.node === machine.name && one.net === net.name);
      if (cable === undefined) return;
      const x = socketX(column);
      ports.push(x);
      const ends = { socket: { x, y: above ? plan.y : machineBottom }, port: { x, y: above ? y + barHeight : y } };
      cables.push({
        ...ends,
        key: `cable:${cable.node}:${cable.net}`,
        node: cable.node,
        net: cable.net,
        state: cableState(cable),
        description: cableDescription(cable),
        labels: labelsOf(plan, walls, column, cable, machine, net.link, from, ends),
        crossing: above || !rings.some((ring) => spans(ring, x)) ? undefined : machineBottom + loop.below,
      });
    });
    const key = `switch:${net.name}`;
    const pieces = piecesOf(key, plan, walls);
    const pairs = pairText(snapshot, net.name);
    const detail = `${switchWords.link(net.link)} · ${net.cidr}, ${net.on ? "on" : "off"}`;
    switches.push({
      key,
      net: net.name,
      x: plan.left,
      y,
      w: plan.right - plan.left,
      h: barHeight,
      on: net.on,
      pieces,
      texts: barTexts(net, pairs, pieces, ports, y + 15),
      description: `${switchWords.name(net.name)}, ${detail}${split}${pairs === "" ? "" : `, ${switchWords.cutPairs(pairs)}`}`,
    });
  });
  return { switches, cables, walls, wallEnds: { top: top - 6, bottom: bottom + 6 }, bottom };
}

const lineHeight = 13;

/** The lines stand beside the cable: near its disc where there is one, else next to the switch, clear of the regions. */
function labelsOf(
  plan: Plan,
  walls: readonly Wall[],
  column: number,
  cable: Cable,
  machine: MachineView,
  link: number | null,
  from: MachineView | undefined,
  { socket, port }: { socket: Point; port: Point },
): CableShape["labels"] {
  const state = cableState(cable);
  const marked = hasDisc(state);
  const dx = state === "cut" ? 16 : marked ? 18 : 8;
  const next = plan.x[column + 1];
  const wall = walls.find(({ x }) => x > socket.x);
  const pitch = Math.min(
    next === undefined ? plan.right - socket.x - 6 : next - (plan.x[column] ?? 0) - 14,
    wall === undefined ? Number.POSITIVE_INFINITY : wall.x - socket.x - 8,
  );
  const lines = cableLines(cable, machine, link, from, pitch - dx, plan.small ? 2 : 3);
  const above = port.y < socket.y;
  const first = marked
    ? discAt(socket, port) + 4 - ((lines.length - 1) * lineHeight) / 2
    : above
      ? port.y + 15
      : port.y - 8 - (lines.length - 1) * lineHeight;
  return lines.map(({ text, bad }, index) => ({ x: dx, y: first + index * lineHeight, text, bad }));
}

/** Where something is cut a disc with a cross stands. */
export const hasDisc = (state: CableState): boolean => state === "cut" || state === "cut-in" || state === "cut-out";

/** Height of that disc: nearer to the switch, clear of regions. */
export function discAt(socket: Point, port: Point): number {
  const length = Math.abs(socket.y - port.y);
  return port.y < socket.y ? port.y + length * 0.31 : port.y - length * 0.26;
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
