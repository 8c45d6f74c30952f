/**
 * What follows at once when a tool changes a key of the running daemon's map (corosync-cmapctl -s, -d). In the real stack: the icmap trackers of totemconfig,
 * logconfig, cmap, votequorum and main. Source: such changes on running daemons of 3.1.7. Keys of interface sections and of the nodelist have no
 * tracker; nor has link_mode.
 */
import { readQuorum, rereadLogging, effectiveTotem, timerRefusal } from "../config/index.ts";
import { totemKeys } from "../cmap/index.ts";
import { CS_OK, liveValues } from "./reload.ts";
import type { Stack } from "./stack.ts";

const CANCEL_WAIT = "quorum.cancel_wait_for_all";

/** @param deleted the key is gone; votequorum does not look at deletions */
export function tracked(stack: Stack, key: string, deleted: boolean): void {
  const map = stack.cmap.map;
  if (map.get("config.totemconfig_reload_in_progress")?.value === 1) return;
  if (key.startsWith("totem.") && !key.startsWith("totem.interface.")) totemChanged(stack);
  if (key === "totem.config_version") stack.cmap.versionChanged();
  else if (key.startsWith("quorum.") && !deleted) quorumChanged(stack);
  else if (key.startsWith("logging.")) loggingChanged(stack);
  else if (key === "runtime.force_gather" && map.get(key)?.value === "yes") {
    map.put(key, "str", "no");
    stack.log("error", "MAIN", "Forcing into GATHER state");
    stack.totem.forceGather();
  }
}

/** The parameters are in force even where the daemon complains of them. */
function totemChanged(stack: Stack): void {
  const values = liveValues(stack.cmap.map);
  const { settings } = stack;
  const totem = effectiveTotem(values);
  const invalid = timerRefusal(values, totem);
  if (invalid !== undefined) stack.log("error", "TOTEM", `parse error in config: ${invalid.text}`);
  const keys = totemKeys(totem, []);
  stack.cmap.map.putAll(keys);
  stack.retune(Object.freeze({ ...settings, config: Object.freeze({ ...settings.config, totem }) }));
}

/** After a reload that was refused votequorum ignores its keys until one succeeds. */
function quorumChanged(stack: Stack): void {
  const status = stack.cmap.map.get("config.reload_status")?.value;
  if (status !== undefined && status !== CS_OK) return;
  const { settings } = stack;
  const quorum = { ...readQuorum(liveValues(stack.cmap.map)), provider: settings.config.quorum.provider };
  stack.takeOver(Object.freeze({ ...settings, config: Object.freeze({ ...settings.config, quorum }) }));
  // A request to stop waiting is taken out of the map, which is a change like any other, and goes to everybody.
  const cancel = stack.cmap.map.get(CANCEL_WAIT);
  const cancelled = cancel?.type === "u8" && Number(cancel.value) >= 1;
  if (cancelled) stack.cmap.map.put(CANCEL_WAIT, "u8", 0);
  stack.reconfigureQuorum();
  if (cancelled) stack.votequorum.cancelWaitForAll();
}

function loggingChanged(stack: Stack): void {
  const values = liveValues(stack.cmap.map);
  const { settings } = stack;
  stack.takeOver(
    Object.freeze({ ...settings, config: Object.freeze({ ...settings.config, logging: rereadLogging(values, settings.config.logging) }) }),
  );
}
