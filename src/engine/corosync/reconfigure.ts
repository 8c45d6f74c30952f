/**
 * Another configuration for layers that run: what each takes over, and in which order. In the real stack: the ends of a reload in totemconfig, totemknet and votequorum,
 * and the icmap trackers' calls of them. What a file or a key means is decided in config/; reload.ts and track.ts say when this is called.
 */
import { deviceConflict } from "../config/index.ts";
import { sameBytes } from "../kernel/index.ts";
import { shortTimeout, type KnetParams } from "../knet/index.ts";
import type { Layers } from "./layers.ts";
import { linkLines } from "./lines.ts";
import { CS_OK, RELOAD_ERROR, liveValues, reload } from "./reload.ts";
import { knetParams, totemParams, votequorumParams, type ConfFile, type Settings } from "./settings.ts";

/**
 * The file is read again: all of it is said as the old logging section has it.
 * @returns config.reload_status
 */
export function reloadLayers(layers: Layers, from: { readonly file: ConfFile; aborted(signal: "SIGABRT" | "SIGSEGV"): void }): number {
  const version = layers.cmap.map.get("totem.config_version")?.value;
  let next: Settings | undefined;
  return reload({
    host: layers.host,
    settings: layers.settings,
    map: layers.cmap.map,
    file: from.file,
    log: (level, subsystem, text) => layers.log(level, subsystem, text),
    abort: (signal) => from.aborted(signal),
    apply: (settings) => {
      if (layers.cmap.map.get("totem.config_version")?.value !== version) layers.cmap.versionChanged();
      next = settings;
      const { logging } = layers.settings.config;
      apply(layers, Object.freeze({ ...settings, config: Object.freeze({ ...settings.config, logging }) }));
    },
    over: (status) => {
      if (status === CS_OK) reconfigureQuorum(layers);
      else layers.knet.setHandle();
      if (next !== undefined) layers.takeOver(next);
    },
  });
}

function apply(layers: Layers, settings: Settings): void {
  const before = layers.settings;
  const { config } = settings;
  layers.takeOver(settings);
  for (const l of config.links)
    for (const line of linkLines(l.link, l.address, l.mcastport)) layers.log(line.level, line.subsystem, line.text);
  const params = knetParams(settings, layers.host);
  if (!sameBytes(params.key, knetParams(before, layers.host).key)) {
    const { model, cipher, hash } = config.crypto;
    const index = layers.cfg.cryptoChanged();
    layers.log("info", "TOTEM", `kronosnet crypto reconfigured on index ${index}: ${model}/${cipher}/${hash}`);
    layers.knet.addKey(params);
  }
  refuseTimers(layers, params);
  layers.knet.reconfigure(params);
  layers.totem.reconfigure(totemParams(config));
}

/** Ping timers that libknet will not take: what Totem says of each link, and where the tool that asked for the reload finds it. */
function refuseTimers(layers: Layers, { links, peers, profile }: KnetParams): void {
  if (!profile.refusesShortTimeouts) return;
  const short = links.filter(shortTimeout);
  if (short.length === 0) return;
  for (const { nodeId } of [...peers].sort((a, b) => b.nodeId - a.nodeId))
    for (const { link } of short)
      layers.log("error", "TOTEM", `knet_link_set_ping_timers for node ${nodeId} link ${link} failed: Invalid argument (22)`);
  layers.cmap.map.put(RELOAD_ERROR, "str", "Failed to set knet ping timers(2)");
}

/** Parameters that are taken over at once where a client sets their keys: all of Totem's, and knet's but for those of its links. */
export function retune(layers: Layers, settings: Settings): void {
  layers.takeOver(settings);
  layers.knet.retune(knetParams(settings, layers.host));
  layers.totem.reconfigure(totemParams(settings.config));
}

/** votequorum reads its keys again. */
export function reconfigureQuorum(layers: Layers): void {
  if (!layers.hasProvider) return;
  const { config } = layers.settings;
  const local = config.nodes.find((n) => n.nodeId === config.nodeId);
  if (local === undefined && config.quorum.expectedVotes === undefined) {
    layers.log("crit", "VOTEQ", "configuration error: nodelist or quorum.expected_votes must be configured!");
    layers.log("crit", "VOTEQ", "will continue with current runtime data");
    return;
  }
  layers.votequorum.reconfigure(votequorumParams(config, deviceConflict(liveValues(layers.cmap.map))?.text));
}
