/**
 * What follows at once when a tool changes a key of the running daemon's map (corosync-cmapctl -s, -d). In the real stack: the icmap trackers of totemconfig,
 * logconfig, cmap, votequorum and main. Source: such changes on running daemons of 3.1.7. Keys of interface sections and of the nodelist have no
 * tracker; nor has link_mode.
 */
import { readQuorum, rereadLoggers, effectiveTotem, timerRefusal } from "../config/index.ts";
import { totemKeys } from "../cmap/index.ts";
import { CS_OK, liveValues } from "./reload.ts";
import type { Layers } from "./layers.ts";
import { reconfigureQuorum, retune } from "./reconfigure.ts";

const CANCEL_WAIT = "quorum.cancel_wait_for_all";

/** @param deleted the key is gone; votequorum does not look at deletions */
export function tracked(layers: Layers, key: string, deleted: boolean): void {
  const map = layers.cmap.map;
  if (map.get("config.totemconfig_reload_in_progress")?.value === 1) return;
  if (key.startsWith("totem.") && !key.startsWith("totem.interface.")) totemChanged(layers);
  if (key === "totem.config_version") layers.cmap.versionChanged();
  else if (key.startsWith("quorum.") && !deleted) quorumChanged(layers);
  else if (key.startsWith("logging.")) loggingChanged(layers);
  else if (key === "runtime.force_gather" && map.get(key)?.value === "yes") {
    map.put(key, "str", "no");
    layers.log("error", "MAIN", "Forcing into GATHER state");
    layers.totem.forceGather();
  }
}

/** The parameters are in force even where the daemon complains of them. */
function totemChanged(layers: Layers): void {
  const values = liveValues(layers.cmap.map);
  const { settings } = layers;
  const totem = effectiveTotem(values);
  const invalid = timerRefusal(values, totem);
  if (invalid !== undefined) layers.log("error", "TOTEM", `parse error in config: ${invalid.text}`);
  const keys = totemKeys(totem, [], { showsPort: false });
  layers.cmap.map.putAll(keys);
  retune(layers, Object.freeze({ ...settings, config: Object.freeze({ ...settings.config, totem }) }));
}

/** After a reload that was refused votequorum ignores its keys until one succeeds. */
function quorumChanged(layers: Layers): void {
  const status = layers.cmap.map.get("config.reload_status")?.value;
  if (status !== undefined && status !== CS_OK) return;
  const { settings } = layers;
  const quorum = { ...readQuorum(liveValues(layers.cmap.map)), provider: settings.config.quorum.provider };
  layers.takeOver(Object.freeze({ ...settings, config: Object.freeze({ ...settings.config, quorum }) }));
  // A request to stop waiting is taken out of the map, which is a change like any other, and goes to everybody.
  const cancel = layers.cmap.map.get(CANCEL_WAIT);
  const cancelled = cancel?.type === "u8" && Number(cancel.value) >= 1;
  if (cancelled) layers.cmap.map.put(CANCEL_WAIT, "u8", 0);
  reconfigureQuorum(layers);
  if (cancelled) layers.votequorum.cancelWaitForAll();
}

function loggingChanged(layers: Layers): void {
  const values = liveValues(layers.cmap.map);
  const { settings } = layers;
  layers.takeOver(
    Object.freeze({ ...settings, config: Object.freeze({ ...settings.config, logging: rereadLoggers(values, settings.config.logging) }) }),
  );
}
