/** Numbers and instants as text. Virtual instants are microseconds since the lab's epoch. */

const two = (n: number): string => String(n).padStart(2, "0");

/** 161318000 → "00:02:41.318" */
export function clock(instant: number): string {
  const ms = Math.floor(instant / 1000);
  return `${clockSeconds(instant)}.${String(((ms % 1000) + 1000) % 1000).padStart(3, "0")}`;
}

/** 161318000 → "00:02:41" */
export function clockSeconds(instant: number): string {
  const seconds = Math.floor(instant / 1e6);
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** 161318000 → "02:41", with hours and milliseconds only where they matter. */
export function clockShort(instant: number, stepUs: number): string {
  const seconds = Math.floor(instant / 1e6);
  const hours = Math.floor(seconds / 3600);
  const text = `${hours > 0 ? `${hours}:` : ""}${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return stepUs >= 1e6 ? text : `${text}.${String(Math.floor(instant / 1000) % 1000).padStart(3, "0")}`;
}

/** The instant as a date of the lab's own calendar, UTC. */
export function calendar(epoch: string, instant: number): string {
  const date = new Date(Date.parse(epoch) + instant / 1000);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().replace("T", " ").slice(0, 19);
}

/** A duration in microseconds: "0.4 ms", "14.9 ms", "3.1 s", "2 min 5 s". */
export function duration(us: number): string {
  if (us < 10_000_000) {
    if (us >= 1_000_000) return `${trim(us / 1e6, 1)} s`;
    return us >= 100_000 ? `${Math.round(us / 1000)} ms` : `${trim(us / 1000, us < 1000 ? 2 : 1)} ms`;
  }
  const seconds = Math.floor(us / 1e6);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A round trip as knet measured it. */
export const latency = (us: number): string => (us >= 1000 ? `${trim(us / 1000, 1)} ms` : `${trim(us / 1000, us < 100 ? 2 : 1)} ms`);

/** A number with at most `digits` decimals, without trailing zeros. */
export function trim(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

export const plural = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

/** ["a","b","c"] → "a, b and c" */
export function listed(items: readonly string[]): string {
  return items.length < 2 ? (items[0] ?? "") : `${items.slice(0, -1).join(", ")} and ${items.at(-1) ?? ""}`;
}
