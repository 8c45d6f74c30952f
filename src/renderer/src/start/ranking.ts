/** The order in which the palette shows what fits: what was chosen lately first, and of one act the plain one before its variants. */
import type { Action } from "../actions.ts";
import { palette } from "../words/timeline.ts";

/** Shown before anything is typed. */
const recentShown = 5;

/** Not on the first screen: there are many, and who wants one types it. */
const onlyTyped = ({ id }: Action): boolean => id.startsWith("speed ") || id.startsWith("slow to ");

/** The shortest title of which this one is a variant: "Cut pve3:net0" of "Cut pve3:net0 one way: …". */
function plainOf(title: string, titles: readonly string[]): string {
  return titles.reduce((plain, one) => (one.length < plain.length && title.startsWith(`${one} `) ? one : plain), title);
}

/**
 * Every part of what was typed stands somewhere in the title or the group; titles that begin with it come first.
 * @param recent ids, the last one first
 */
export function ranked(actions: readonly Action[], query: string, recent: readonly string[]): Action[] {
  const typed = query.toLowerCase().trim();
  if (typed === "") {
    const lately = recent.slice(0, recentShown).flatMap((id) => actions.filter((action) => action.id === id));
    const rest = actions.filter((action) => !lately.includes(action) && !onlyTyped(action));
    return [...lately.map((action) => ({ ...action, group: palette.recent })), ...rest];
  }
  const needles = typed.split(/\s+/);
  const fitting = actions.filter(({ title, group }) => needles.every((needle) => `${group} ${title}`.toLowerCase().includes(needle)));
  const titles = fitting.map(({ title }) => title);
  const ages = new Map<string, number>();
  const plain = new Map(fitting.map(({ title }) => [title, plainOf(title, titles)]));
  for (const { id, title } of fitting) {
    const age = recent.indexOf(id);
    const key = plain.get(title) ?? title;
    if (age >= 0) ages.set(key, Math.min(age, ages.get(key) ?? age));
  }
  const order = new Map(
    [...new Set(plain.values())].toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1)).map((title, index) => [title, index]),
  );
  const rank = ({ title }: Action): readonly number[] => {
    const key = plain.get(title) ?? title;
    const age = ages.get(key) ?? recent.length;
    // What only has the typed parts somewhere stays in the order of its groups.
    if (!title.toLowerCase().startsWith(typed)) return [1, age];
    return [0, age, order.get(key) ?? 0, title.length];
  };
  return fitting
    .map((action) => ({ action, rank: rank(action) }))
    .toSorted((a, b) => {
      const at = a.rank.findIndex((value, index) => value !== b.rank[index]);
      return at < 0 ? 0 : (a.rank[at] ?? 0) - (b.rank[at] ?? 0);
    })
    .map(({ action }) => action);
}
