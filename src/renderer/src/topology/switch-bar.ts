/** A switch's bar: the pieces into which a partition splits it, and its texts in the room between its ports. */
import type { LabSnapshot } from "../../../main/lab/api.ts";
import { clipped, textWidth, type Font } from "../names.ts";
import { switchWords } from "../words/topology.ts";
import type { Plan } from "./plan.ts";
import type { BarText, SwitchShape, Wall } from "./shapes.ts";

/** Groups of the partition in force; none when nothing is split. */
export const groupsOf = (snapshot: LabSnapshot): readonly (readonly string[])[] =>
  snapshot.faults.find(({ kind }) => kind === "partition")?.groups ?? [];

/** By name of the machine: its group's number; who is in no group is cut off from nobody. */
export function groupOf(snapshot: LabSnapshot): (name: string) => number | undefined {
  const groups = groupsOf(snapshot);
  return (name) => {
    const at = groups.findIndex((group) => group.includes(name));
    return at < 0 ? undefined : at;
  };
}

/** A wall stands between two machines that follow each other and are of two groups; who is of none stands with the one before. */
export function wallsOf(snapshot: LabSnapshot, plan: Plan): Wall[] {
  const group = groupOf(snapshot);
  const walls: Wall[] = [];
  let before: number | undefined;
  plan.columns.forEach(({ machine }, column) => {
    const own = group(machine.name);
    if (own !== undefined && before !== undefined && own !== before) {
      const left = (plan.x[column - 1] ?? 0) + plan.size.w;
      walls.push({ key: `wall:${machine.name}`, x: (left + (plan.x[column] ?? 0)) / 2 });
    }
    before = own ?? before;
  });
  return walls;
}

/** Half the gap in a bar where a wall stands. */
const halfGap = 7;

export function piecesOf(key: string, plan: Plan, walls: readonly Wall[]): SwitchShape["pieces"] {
  const edges = [plan.left, ...walls.flatMap(({ x }) => [x - halfGap, x + halfGap]), plan.right];
  return Array.from({ length: walls.length + 1 }, (_, index) => {
    const x = edges[2 * index] ?? plan.left;
    return { key: `${key}.${index}`, x, w: (edges[2 * index + 1] ?? plan.right) - x };
  });
}

const nameFont: Font = { size: 12, strong: true };
const detailFont: Font = { size: 11 };
/** A port with the air beside it. */
const portHalf = 9;
const margin = 7;
/** Less than this holds no text worth reading. */
const leastRoom = 34;

interface Gap {
  from: number;
  to: number;
}

/** Stretches of the bar that no port takes. */
function gapsOf(pieces: SwitchShape["pieces"], ports: readonly number[]): Gap[] {
  return pieces.flatMap(({ x, w }) => {
    const inside = ports.filter((port) => port > x && port < x + w).toSorted((a, b) => a - b);
    const edges = [x + margin, ...inside.flatMap((port) => [port - portHalf, port + portHalf]), x + w - margin];
    return Array.from({ length: inside.length + 1 }, (_, index) => ({ from: edges[2 * index] ?? 0, to: edges[2 * index + 1] ?? 0 }));
  });
}

/** Puts a text where it fits first, else its shorter form, else as much of it as the widest gap holds; takes that room out of the gaps. */
function place(gaps: Gap[], forms: readonly string[], font: Font, look: BarText["look"], y: number): BarText[] {
  for (const text of forms) {
    const width = textWidth(text, font);
    const gap = gaps.find(({ from, to }) => to - from >= width);
    if (gap === undefined) continue;
    const x = gap.from;
    gap.from += width + margin;
    return [{ x, y, text, look }];
  }
  const widest = gaps.toSorted((a, b) => b.to - b.from - (a.to - a.from))[0];
  const last = forms.at(-1);
  if (widest === undefined || last === undefined || widest.to - widest.from < leastRoom) return [];
  const x = widest.from;
  const text = clipped(last, widest.to - x, font);
  widest.from = widest.to;
  return [{ x, y, text, look }];
}

/** The name first, then what it is, then the pairs that are cut on it. What has no room stands in the tooltip. */
export function barTexts(
  net: LabSnapshot["networks"][number],
  pairs: string,
  pieces: SwitchShape["pieces"],
  ports: readonly number[],
  y: number,
): BarText[] {
  const gaps = gapsOf(pieces, ports);
  const name = place(gaps, [switchWords.name(net.name), net.name], nameFont, "name", y);
  // The rest stands to the right of the name.
  const after = gaps.filter(({ to }) => to > (name[0]?.x ?? 0));
  const off = net.on ? [] : place(after, [switchWords.off], detailFont, "bad", y);
  const link = switchWords.link(net.link);
  const detail = place(after, [`${link} · ${net.cidr}`, net.cidr], detailFont, "detail", y);
  const cut = pairs === "" ? [] : place(after, [switchWords.cutPairs(pairs)], detailFont, "bad", y);
  return [...name, ...off, ...detail, ...cut];
}
