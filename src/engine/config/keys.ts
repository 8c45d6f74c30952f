/**
 * The keys of the configuration map that come from the file, as a running daemon shows them: what was set, this node's position, and its own
 * address per link (totem.interface.N.bindnetaddr), which replaces one of the file. Source: recorded dumps of corosync-cmapctl.
 */
import type { DaemonConfig } from "./daemon.ts";
import type { ConfValues, ValueType } from "./values.ts";

export interface ConfKeyValue {
  readonly key: string;
  readonly type: ValueType;
  /** Number for the numeric types, bigint beyond 2^53. */
  readonly value: number | bigint | string;
}

function typedValue(type: ValueType, text: string): number | bigint | string {
  if (type === "str") return text;
  const n = Number(text);
  return Number.isSafeInteger(n) ? n : BigInt(text);
}

/** Sorted by key, in byte order. `values` is the map of the same file as `config`. */
export function confKeys(config: DaemonConfig, values: ConfValues): ConfKeyValue[] {
  const all = new Map<string, ConfKeyValue>();
  const put = (key: string, type: ValueType, value: number | bigint | string): void => {
    all.set(key, { key, type, value });
  };
  for (const [key, value] of values) put(key, value.type, typedValue(value.type, value.text));
  put("nodelist.local_node_pos", "u32", config.localPosition);
  for (const link of config.links) put(`totem.interface.${link.link}.bindnetaddr`, "str", link.address);
  return [...all.values()].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}
