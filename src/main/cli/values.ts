/** Option values, read and refused the same way everywhere. */
import { RELEASES, isRelease, type Release } from "../../engine/config/release.ts";
import { SPEED_MAX, SPEED_MIN } from "../lab/api.ts";
import { usage } from "../lab/trouble.ts";

/** A whole number option in a range. Throws Trouble (usage). */
export function whole(value: unknown, option: string, lo: number, hi: number): number | undefined {
  if (value === undefined) return undefined;
  const text = String(value);
  if (!/^\d+$/.test(text) || Number(text) < lo || Number(text) > hi)
    throw usage(`${option} ${JSON.stringify(text)}: a whole number from ${lo} to ${hi} is allowed`);
  return Number(text);
}

/** A text option, or undefined. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Where nodes run; undefined where the option is not given. Throws Trouble (usage). */
export function hostOf(value: unknown): "workers" | "inprocess" | undefined {
  if (value === undefined || value === "workers" || value === "inprocess") return value;
  throw usage(`--host ${JSON.stringify(String(value))}: workers or inprocess is allowed`);
}

/** A release of the stack; undefined where the option is not given. Throws Trouble (usage). */
export function releaseOf(value: unknown): Release | undefined {
  if (value === undefined) return undefined;
  const name = String(value);
  if (isRelease(name)) return name;
  throw usage(`--release ${JSON.stringify(name)}: ${RELEASES.join(", ")} is allowed`);
}

export type Values = Record<string, unknown>;

/** A speed: 0.001 to 100, or max. Throws Trouble (usage). */
export function speedOf(text: string): number | "max" {
  if (text === "max") return "max";
  const bare = text.replace(/^[x×]/, "");
  if (!/^\d+(\.\d+)?$/.test(bare) || Number(bare) < SPEED_MIN || Number(bare) > SPEED_MAX)
    throw usage(`speed ${JSON.stringify(text)}: a number from ${SPEED_MIN} to ${SPEED_MAX}, or max, is allowed`);
  return Number(bare);
}
