/** `link cut|heal|set NODE[:NET] [--to NODE] [--direction in|out|both] …`: a cable, a pair of machines, or one direction of either. */
import type { FabricAct, LinkSettings, LinkTarget } from "../../../engine/fabric/index.ts";
import type { WorldAct } from "../../../engine/world/index.ts";
import { usage } from "../trouble.ts";
import { knownMachine, machineNames, networkOf, planned, type ActKind, type Scene } from "./kind.ts";
import { oneOf, sortOptions, type Sorted } from "./command-line.ts";

const DIRECTIONS = ["in", "out", "both"] as const;

/** One thing that can be set: its option, its key in the fabric, how people read it. */
interface Setting {
  readonly option: string;
  readonly key: keyof LinkSettings;
  readonly unit: "ms" | "%" | "Mbit/s" | "bytes";
  readonly min?: number;
  readonly max: number;
  readonly word: string;
}

const SETTINGS: readonly Setting[] = [
  { option: "--delay", key: "delayUs", unit: "ms", max: 60_000, word: "delay" },
  { option: "--jitter", key: "jitterUs", unit: "ms", max: 60_000, word: "jitter" },
  { option: "--loss", key: "lossPercent", unit: "%", max: 100, word: "loss" },
  { option: "--dup", key: "dupPercent", unit: "%", max: 100, word: "duplication" },
  { option: "--reorder", key: "reorderPercent", unit: "%", max: 100, word: "reordering" },
  { option: "--rate", key: "rateMbit", unit: "Mbit/s", min: 0.001, max: 100_000, word: "rate" },
  { option: "--mtu", key: "mtuBytes", unit: "bytes", min: 68, max: 65_535, word: "MTU" },
];

/** The value as a person writes it. */
const shown = ({ unit }: Setting, value: number): number => (unit === "ms" ? value / 1000 : value);

function valueOf({ option, unit, min, max }: Setting, text: string): number {
  const bare = unit === "%" ? text.replace(/%$/, "") : text.replace(/ms$/, "");
  const quoted = JSON.stringify(text);
  if (!/^\d+(\.\d+)?$/.test(bare) || Number(bare) > max) throw usage(`${option} ${quoted}: a number from 0 to ${max} is allowed (${unit})`);
  const value = Number(bare);
  if (unit === "bytes" && !(Number.isInteger(value) && value >= (min ?? 0)))
    throw usage(`${option} ${quoted}: a whole number from ${min} to ${max} is allowed (${unit})`);
  if (min !== undefined && value < min) throw usage(`${option} ${text}: ${min} to ${max} ${unit} are allowed`);
  return unit === "ms" ? Math.round(value * 1000) : value;
}

function placeOf({ args, options }: Sorted, scene: Scene, verb: string): LinkTarget {
  const [word, more] = args;
  if (more !== undefined) throw usage(`link ${verb}: one NODE[:NET] at a time, not also ${JSON.stringify(more)}`);
  if (word === undefined) throw usage(`link ${verb}: NODE[:NET] is missing; nodes are: ${machineNames(scene).join(", ")}`);
  const colon = word.indexOf(":");
  const node = knownMachine(colon < 0 ? word : word.slice(0, colon), scene);
  const net = colon < 0 ? undefined : networkOf(node, word.slice(colon + 1), scene);
  const to = options.get("--to");
  if (to !== undefined) knownMachine(to, scene);
  if (to === node) throw usage(`link ${verb}: --to ${node} is the node itself`);
  const wanted = oneOf(options.get("--direction") ?? "both", DIRECTIONS, "direction");
  const direction = DIRECTIONS.find((d) => d === wanted) ?? "both";
  return { node, direction, ...(net === undefined ? {} : { net }), ...(to === undefined ? {} : { to }) };
}

function settingsOf({ options }: Sorted): LinkSettings {
  const settings: LinkSettings = {};
  for (const setting of SETTINGS) {
    const text = options.get(setting.option);
    if (text !== undefined) settings[setting.key] = valueOf(setting, text);
  }
  if (Object.keys(settings).length === 0) throw usage(`link set: what? There are: ${SETTINGS.map(({ option }) => option).join(" ")}`);
  return settings;
}

function placeSaid({ node, net, to, direction }: LinkTarget): string {
  const cable = net === undefined ? `every cable of ${node}` : `cable ${node}:${net}`;
  const what = to === undefined ? cable : `${node} to ${to}${net === undefined ? "" : ` on ${net}`}`;
  return direction === "both" ? what : `${what} (${direction})`;
}

function settingsSaid(settings: LinkSettings): string {
  return SETTINGS.flatMap((setting) => {
    const value = settings[setting.key];
    return value === undefined ? [] : [`${setting.word} ${shown(setting, value)} ${setting.unit}`];
  }).join(", ");
}

function placeLine({ node, net, to, direction }: LinkTarget): string {
  const where = `${node}${net === undefined ? "" : `:${net}`}${to === undefined ? "" : ` --to ${to}`}`;
  return direction === "both" ? where : `${where} --direction ${direction}`;
}

function settingsLine(settings: LinkSettings): string {
  return SETTINGS.map((setting) => {
    const value = settings[setting.key];
    return value === undefined ? "" : ` ${setting.option} ${shown(setting, value)}`;
  }).join("");
}

const onFabric = (act: FabricAct): WorldAct[] => [{ to: "fabric", act }];
const WHERE = ["--to", "--direction"];

export const link: ActKind = {
  head: "link",
  usage: "cut|heal|set NODE[:NET] [--to NODE] [--direction in|out|both]",
  read(args, scene) {
    const [verb, ...rest] = args;
    if (verb !== "cut" && verb !== "heal" && verb !== "set") throw usage(`link: ${this.usage}`);
    const allowed = verb === "set" ? [...WHERE, ...SETTINGS.map(({ option }) => option)] : WHERE;
    const sorted = sortOptions(rest, allowed, `link ${verb}`);
    const target = placeOf(sorted, scene, verb);
    if (verb !== "set")
      return planned(onFabric({ kind: `link-${verb}`, link: target }), `${verb === "cut" ? "cut" : "healed"} ${placeSaid(target)}`);
    const settings = settingsOf(sorted);
    return planned(onFabric({ kind: "link-set", link: target, settings }), `${placeSaid(target)}: ${settingsSaid(settings)}`);
  },
  line(act) {
    if (act.to !== "fabric") return undefined;
    const { act: own } = act;
    if (own.kind === "link-cut") return `link cut ${placeLine(own.link)}`;
    if (own.kind === "link-heal") return `link heal ${placeLine(own.link)}`;
    return own.kind === "link-set" ? `link set ${placeLine(own.link)}${settingsLine(own.settings)}` : undefined;
  },
};
