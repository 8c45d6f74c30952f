/**
 * The running daemon reads its file again and takes over what it can. In the real stack: message_handler_req_exec_cfg_reload_config of cfg.c and the trackers
 * of totemconfig, logconfig, cmap and votequorum. What the file means is decided in config/reload.ts, what follows from it in each layer's own reconfigure;
 * this file keeps the order, the key map and the lines of corosync 3.1.7, its slips included: a file that does not parse leaves
 * config.totemconfig_reload_in_progress at 1, and a file refused later leaves the map without the keys it no longer had.
 */
import {
  confKeys,
  parseConf,
  profileOf,
  rereadConf,
  RELOADED_PREFIXES,
  unmodelled,
  type ConfValue,
  type ConfValues,
  type DaemonConfig,
} from "../config/index.ts";
import { totemKeys, type CmapMap } from "../cmap/index.ts";
import { type LogLevel } from "../kernel/index.ts";
import { hostAccounts, hostFacts, readConf, readKey, type ConfFile, type ConfHost, type Settings } from "./settings.ts";

/** config.reload_status, and what corosync_cfg_reload_config answers. */
export const CS_OK = 1;
export const CS_ERR_INVALID_PARAM = 7;

/** What a reload could not apply: where the tool that asked looks. */
export const RELOAD_ERROR = "config.reload_error_message";

export interface ReloadTarget {
  readonly host: ConfHost;
  readonly settings: Settings;
  readonly map: CmapMap;
  /** The file it was started with. */
  readonly file: ConfFile;
  log(level: LogLevel, subsystem: string, text: string): void;
  /** The parser ends the process. */
  abort(signal: "SIGABRT" | "SIGSEGV"): void;
  /** The new settings are in force. Called before the map says that the reload is over. */
  apply(settings: Settings): void;
  /** config.totemconfig_reload_in_progress went from 1 to 0: whoever waited for that acts now. */
  over(status: number): void;
}

/** The map's entries that a configuration file could have set. */
export function liveValues(map: CmapMap): ConfValues {
  const out = new Map<string, ConfValue>();
  for (const { key, type, value } of map.list("")) {
    if (
      value instanceof Uint8Array ||
      type === "bin" ||
      type === "flt" ||
      type === "dbl" ||
      type === "i8" ||
      type === "i16" ||
      type === "i64"
    )
      continue;
    out.set(key, { type, text: String(value), line: 0, column: 0 });
  }
  return out;
}

function putPingTimers(map: CmapMap, links: DaemonConfig["links"]): void {
  for (const link of links) {
    const base = `runtime.config.totem.interface.${link.link}.`;
    map.put(`${base}knet_ping_interval`, "u32", link.pingIntervalMs);
    map.put(`${base}knet_ping_timeout`, "u32", link.pingTimeoutMs);
  }
}

/** Keys that the file no longer has leave the map, whatever becomes of the rest. */
function dropDeleted(map: CmapMap, values: ConfValues): void {
  for (const prefix of RELOADED_PREFIXES) {
    for (const { key } of map.list(prefix)) if (!values.has(key)) map.remove(key);
  }
}

/** @returns CS_OK or CS_ERR_INVALID_PARAM, the answer to the tool that asked on this node */
export function reload(target: ReloadTarget): number {
  const { host, map, settings } = target;
  const bad = (text: string): number => {
    target.log("error", "CFG", text);
    return CS_ERR_INVALID_PARAM;
  };
  map.put("config.totemconfig_reload_in_progress", "u8", 1);
  const { path, named } = target.file;
  const profile = profileOf(settings.config.release);
  if (profile.tellsReloadErrors) map.remove(RELOAD_ERROR);
  const text = readConf(host.files, path, profile);
  if (text === undefined) return bad(`Unable to reload config file: Can't read file ${named}: No such file or directory`);
  const parsed = parseConf(text, hostAccounts(host.files), profile);
  const read = rereadConf(parsed, settings.config, liveValues(map), hostFacts(host), named);
  if (read.kind === "unparsed") {
    if (read.signal === undefined) return bad(`Unable to reload config file: ${read.text}`);
    target.abort(read.signal);
    return CS_ERR_INVALID_PARAM;
  }
  map.put("config.reload_in_progress", "u8", 1);
  dropDeleted(map, parsed.values);
  for (const key of read.fixed) target.log("notice", "CFG", `Modified entry '${key}' in corosync.conf cannot be changed at run-time`);
  putPingTimers(map, read.links);
  const status = read.kind === "accepted" ? accept(target, read.config, read.values) : refuse(target, read.lines, read.text);
  map.put("config.reload_status", "i32", status);
  map.put("config.totemconfig_reload_in_progress", "u8", 0);
  target.over(status);
  map.put("config.reload_in_progress", "u8", 0);
  return status;
}

function refuse(target: ReloadTarget, lines: readonly string[], text: string): number {
  for (const line of lines) target.log("error", "TOTEM", line);
  target.log("error", "CFG", text);
  return CS_ERR_INVALID_PARAM;
}

function accept(target: ReloadTarget, config: DaemonConfig, values: ConfValues): number {
  const { host, map, settings } = target;
  const missing = unmodelled(values, profileOf(config.release));
  if (missing.length > 0) return refuse(target, [], missing.join(", "));
  const local = config.nodes.some((n) => n.position === config.localPosition && n.nodeId === config.nodeId);
  // bindnetaddr is filled in at a start only; the position is not known where this node is not listed.
  for (const { key, type, value } of confKeys({ ...config, links: [] }, values)) {
    if (key !== "nodelist.local_node_pos" || local) map.put(key, type, value);
  }
  const key = readKey(host.files, config, values);
  const same = key.length === settings.key.length && key.every((byte, i) => byte === settings.key[i]);
  target.apply(Object.freeze({ config: Object.freeze(config), key: same ? settings.key : key, keys: settings.keys }));
  map.putAll(totemKeys(config.totem, config.links, profileOf(config.release)));
  return CS_OK;
}
