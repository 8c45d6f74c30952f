/** Keys and values of the configuration map as corosync-cmapctl prints and reads them, its oddities included. Source: recorded with 3.1.7. */
import type { CmapEntry, CmapType, CmapValue } from "../cmap/map.ts";

/** Bytes as both tools escape them: printable ones as they are, a backslash doubled, others `\x0A`; those above 0x7f sign-extended, as the tool's %02X of a char prints them. */
export function printable(data: Uint8Array): string {
  let text = "";
  for (const byte of data) {
    if (byte === 0x5c) text += "\\\\";
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\x${(byte < 0x80 ? byte : (byte | 0xffffff00) >>> 0).toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return text;
}

function valueText(type: CmapType, value: CmapValue): string {
  if (value instanceof Uint8Array) return printable(value);
  return (type === "flt" || type === "dbl") && typeof value === "number" ? floatText(value) : String(value);
}

/** printf's %f. */
function floatText(value: number): string {
  if (value === Infinity) return "inf";
  if (value === -Infinity) return "-inf";
  return Math.abs(value) < 1e21 ? value.toFixed(6) : `${BigInt(value)}.000000`;
}

/** `key (type) = value`. A binary value is left out unless `binary`; `quiet` prints the value alone, and of a binary one what is left of its bracket. */
export function entryText(entry: CmapEntry, binary: boolean, quiet: boolean): string {
  const { type, value } = entry;
  if (value instanceof Uint8Array) {
    const shown = binary ? ` = ${printable(value)}` : "";
    return quiet ? `bin)${shown}\n` : `${entry.key} (bin)${shown}\n`;
  }
  return quiet ? `${valueText(type, value)}\n` : `${entry.key} (${type}) = ${valueText(type, value)}\n`;
}

const INTEGERS: Record<string, readonly [bigint, bigint]> = {
  i8: [-128n, 127n],
  u8: [0n, 255n],
  i16: [-32768n, 32767n],
  u16: [0n, 65535n],
  i32: [-2147483648n, 2147483647n],
  u32: [0n, 4294967295n],
  i64: [-9223372036854775808n, 9223372036854775807n],
  u64: [0n, 18446744073709551615n],
};

function small(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

function clamp(value: bigint, low: bigint, high: bigint): bigint {
  return value < low ? low : value > high ? high : value;
}

/** strtoll(3) / strtoull(3), base 10: leading blanks, a sign, digits; what follows is ignored; out of range clamps. */
function integer(text: string, type: string): bigint | undefined {
  const m = /^\s*([+-]?)([0-9]+)/.exec(text.slice(0, 400));
  if (!m?.[2]) return undefined;
  const value = BigInt(m[2]);
  if (type === "u64") {
    const [, high] = INTEGERS["u64"] ?? [0n, 0n];
    const magnitude = clamp(value, 0n, high);
    return m[1] === "-" && magnitude > 0n && value <= high ? high + 1n - magnitude : magnitude;
  }
  return clamp(m[1] === "-" ? -value : value, -9223372036854775808n, 9223372036854775807n);
}

/** @returns the value of `text` as `type` (not bin), or the tool's message */
export function parseValue(type: string, text: string): { type: CmapType; value: CmapValue } | { message: string } {
  if (type === "str") return { type, value: text };
  if (type === "flt" || type === "dbl") {
    const m = /^\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?/.exec(text);
    if (!m) return { message: `${text} is not valid ${type} type value` };
    const value = Number(m[0]);
    return { type, value: type === "flt" ? Math.fround(value) : value };
  }
  const range = INTEGERS[type];
  if (range === undefined) return { message: `Unknown type ${type}` };
  const value = integer(text, type);
  if (value === undefined) return { message: `${text} is not valid ${type} type value` };
  if (value < range[0] || value > range[1]) return { message: `${value} is not valid ${type} integer` };
  return { type: type as CmapType, value: small(value) };
}
