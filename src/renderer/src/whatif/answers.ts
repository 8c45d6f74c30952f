/** The answers of what-if as rows and text. Looks up what the lab found; what becomes of a cluster is decided there. */
import type { Variation, WhatIfAnswer, WhatIfChange, WhatIfReply } from "../../../main/lab/api.ts";
import { listed, plural } from "../format.ts";
import { whatIf } from "../words/doors.ts";
import type { IconName } from "../ui/icons.ts";

type Half = WhatIfAnswer["atOnce"];

/** "node:pve1" → "pve1", "link:pve2/net1" → "cable pve2:net1". */
export function spoken(name: string): string {
  const [kind = "", rest = ""] = name.split(/:(.*)/s);
  if (kind === "node") return rest;
  if (kind === "network") return `switch ${rest}`;
  return kind === "link" ? `cable ${rest.replace("/", ":")}` : name;
}

export interface Outcome {
  icon: IconName;
  tone: "ok" | "bad" | "warn" | "off";
  text: string;
}

const has = (sets: readonly string[][], set: readonly string[]): boolean =>
  sets.some((one) => one.length === set.length && one.every((name) => set.includes(name)));
const within = (sets: readonly string[][], set: readonly string[]): boolean =>
  sets.some((one) => one.length < set.length && one.every((name) => set.includes(name)));

/** What the loss of a set comes to. The lab tried every set of up to `upTo` things and gave the smallest of each sort. `qnetd`: there is one to lose. */
export function outcomeOf(answer: WhatIfAnswer, half: Half, set: readonly string[], qnetd: boolean): Outcome {
  if (!qnetd && set.includes("qnetd")) return { icon: "info", tone: "off", text: whatIf.noQnetd };
  if (has(half.killing, set)) return { icon: "bad", tone: "bad", text: "stops" };
  if (has(half.splitting, set)) return { icon: "bad", tone: "bad", text: "two quorate" };
  if (has(half.unsettled, set)) return { icon: "clock", tone: "warn", text: "never settles" };
  if (within(half.killing, set) || within(half.splitting, set)) return { icon: "bad", tone: "off", text: "less is enough" };
  const { counts } = half;
  const cut = counts.killing > half.killing.length || counts.splitting > half.splitting.length || counts.unsettled > half.unsettled.length;
  if (cut || set.length > answer.upTo) return { icon: "info", tone: "off", text: "not tried" };
  return { icon: "ok", tone: "ok", text: "runs" };
}

export interface LossRow {
  key: string;
  set: string[];
  /** Sets of the same sort and outcome that are not shown in rows of their own. */
  more: number;
  description: string;
  /** One of them, where a row stands for several. */
  example: string;
}

const kindNames = { node: "node", network: "switch", link: "cable", qnetd: "qnetd" } as const;

/** "two nodes and one cable" as a stable name of a sort of set. */
function sortOf(set: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of set) {
    const kind = name.split(":")[0] ?? "";
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const number = ["no", "one", "two", "three", "four"];
  const order = Object.keys(kindNames);
  return listed(
    [...counts]
      .sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
      .map(([kind, n]) => {
        const word = kindNames[kind as keyof typeof kindNames];
        return kind === "qnetd" ? "qnetd" : `${number[n] ?? n} ${word}${n === 1 ? "" : word === "switch" ? "es" : "s"}`;
      }),
  );
}

const choose = (n: number, k: number): number => (k === 0 ? 1 : Math.round((choose(n - 1, k - 1) * n) / k));

/** Sets of a sort that are shown one by one. */
const shownOfSort = 4;

/** How many things of each kind there are, and where there is a qnetd to lose. */
export interface Things {
  readonly node: number;
  readonly network: number;
  readonly link: number;
  readonly qnetdNow: boolean;
  readonly qnetdVaried: boolean;
}

/** All sets that do harm in one of the answers, the smallest first; many of one sort stand in one row. */
export function lossRows(reply: WhatIfReply, things: Things): LossRow[] {
  const now = { answer: reply.now, qnetd: things.qnetdNow };
  const answers = reply.varied === null ? [now] : [now, { answer: reply.varied, qnetd: things.qnetdVaried }];
  const sets = new Map<string, string[]>();
  for (const { answer } of answers)
    for (const half of [answer.atOnce, answer.oneAfterAnother])
      for (const set of [...half.killing, ...half.splitting, ...half.unsettled]) if (set.length > 0) sets.set(set.join(" "), set);
  const outcomes = (set: string[]): string =>
    answers
      .flatMap(({ answer, qnetd }) => [answer.atOnce, answer.oneAfterAnother].map((half) => outcomeOf(answer, half, set, qnetd).text))
      .join();
  const groups = new Map<string, string[][]>();
  for (const set of sets.values()) {
    const key = `${set.length} ${sortOf(set)} ${outcomes(set)}`;
    groups.set(key, [...(groups.get(key) ?? []), set]);
  }
  // What stops it comes before what never settles; then the smallest first.
  const rank = ([key, [first]]: [string, string[][]]): number => (/stops|two quorate/.test(key) ? 0 : 10) + (first?.length ?? 0);
  return [...groups].sort((a, b) => rank(a) - rank(b)).flatMap(([key, group]) => rowsOf(key, group, things));
}

/** How many sets of a sort there are: of every kind in it, so many out of all. */
function allOfSort(set: readonly string[], things: Things): number {
  const kinds = ["node", "network", "link"] as const;
  return kinds.reduce((product, kind) => product * choose(things[kind], set.filter((name) => name.startsWith(`${kind}:`)).length), 1);
}

function rowsOf(key: string, group: readonly string[][], things: Things): LossRow[] {
  const [first] = group;
  if (first === undefined) return [];
  if (group.length > 1 && group.length === allOfSort(first, things))
    return [{ key, set: first, more: group.length, description: `any ${sortOf(first)}`, example: "" }];
  if (group.length <= shownOfSort)
    return group.map((set) => ({ key: set.join(" "), set, more: 0, description: set.map(spoken).join(" + "), example: "" }));
  return [{ key, set: first, more: group.length, description: sortOf(first), example: `such as ${first.map(spoken).join(" + ")}` }];
}

/** The acting lines by which a set is lost in the lab. @param qnetd the machine that runs corosync-qnetd */
export function linesOf(set: readonly string[], qnetd: string | undefined): string[] {
  return set.flatMap((name) => {
    const [kind, rest = ""] = name.split(/:(.*)/s);
    if (kind === "node") return [`node kill ${rest}`];
    if (kind === "network") return [`switch off ${rest}`];
    if (kind === "link") return [`link cut ${rest.replace("/", ":")}`];
    return qnetd === undefined ? [] : [`node kill ${qnetd}`];
  });
}

/** "You can lose any one node." as lines with their tone. */
export function sentenceLines(sentence: string): { tone: "ok" | "bad" | "clock"; text: string }[] {
  return sentence
    .split(/(?<=\.)\s+/)
    .filter((text) => text !== "")
    .map((text) => ({ tone: text.startsWith("You can lose") ? "ok" : text.startsWith("Without ") ? "clock" : "bad", text }));
}

const changeNames: Record<WhatIfChange["what"], string> = {
  nodes: "nodes that may go, whichever",
  networks: "switches that may go, whichever",
  qnetd: "qnetd hosts that may go",
  links: "cables that may go, whichever",
  killing: "smallest sets that stop it",
  splitting: "smallest sets that leave two quorate",
};

/** One line for what is the same at once and one after another. The host of a device that is gone is nothing to lose. */
export function changeLines(changes: readonly WhatIfChange[], variation: Variation): string[] {
  const told = changes.filter(({ what }) => what !== "qnetd" || variation.qdevice !== "none");
  return told.flatMap(({ way, what, now, varied }) => {
    const counterpart = told.find((other) => other.way !== way && other.what === what && other.now === now && other.varied === varied);
    if (counterpart !== undefined && way === "oneAfterAnother") return [];
    const when = counterpart !== undefined ? "" : way === "atOnce" ? ", at once" : ", one after another";
    return [`${changeNames[what]}${when}: ${now} → ${varied}`];
  });
}

/** The keys of corosync.conf that a variation stands for. */
export function variationTexts(variation: Variation): string[] {
  const votes = Object.entries(variation.votes ?? {}).map(([name, n]) => `${plural(n, "vote")} for ${name}`);
  const bit = (name: string, on: boolean | undefined): string[] => (on === undefined ? [] : [`${name}: ${on ? 1 : 0}`]);
  return [
    ...(variation.qdevice === undefined ? [] : [variation.qdevice === "none" ? "no QDevice" : `a QDevice, ${variation.qdevice}`]),
    ...votes,
    ...bit("two_node", variation.twoNode),
    ...bit("wait_for_all", variation.waitForAll),
    ...bit("last_man_standing", variation.lastManStanding),
    ...bit("auto_tie_breaker", variation.autoTieBreaker),
  ];
}
