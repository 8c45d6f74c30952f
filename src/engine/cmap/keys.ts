/**
 * The keys a daemon puts into its map besides its configuration file: service names, resources, effective Totem parameters, message counters. In the
 * real stack many places write them (service.c, mon.c, totemconfig.c, main.c); the names, types and values are those of recorded dumps. Left out: the resources' live
 * values, which stay at zero while no monitoring is configured, as recorded.
 */
import type { DaemonLink } from "../config/daemon.ts";
import type { ReleaseProfile } from "../config/release.ts";
import type { EffectiveTotem } from "../config/timers.ts";
import type { CmapEntry, CmapType } from "./map.ts";

/** Services by id: short name in runtime.services, and number of message types. */
export const SERVICES: readonly { readonly id: number; readonly name: string; readonly handlers: number }[] = [
  { id: 0, name: "cmap", handlers: 1 },
  { id: 1, name: "cfg", handlers: 5 },
  { id: 2, name: "cpg", handlers: 7 },
  { id: 3, name: "quorum", handlers: 0 },
  { id: 4, name: "pload", handlers: 2 },
  { id: 5, name: "votequorum", handlers: 4 },
  { id: 6, name: "mon", handlers: 0 },
  { id: 7, name: "wd", handlers: 0 },
];

/** internal_configuration.*, resources.*, runtime.blackbox.*: the same in every daemon. */
export function daemonKeys(): CmapEntry[] {
  const out: CmapEntry[] = [];
  for (const s of SERVICES) {
    out.push({ key: `internal_configuration.service.${s.id}.name`, type: "str", value: `corosync_${s.name}` });
    out.push({ key: `internal_configuration.service.${s.id}.ver`, type: "u32", value: 0 });
  }
  const resource = (name: string, type: CmapType): void => {
    const base = `resources.system.${name}.`;
    out.push({ key: `${base}current`, type, value: 0 }, { key: `${base}last_updated`, type: "u64", value: 0 });
    out.push({ key: `${base}poll_period`, type: "u64", value: 3000 }, { key: `${base}state`, type: "str", value: "stopped" });
  };
  resource("load_15min", "dbl");
  resource("memory_used", "i32");
  out.push({ key: "resources.watchdog_timeout", type: "u32", value: 6 });
  out.push(
    { key: "runtime.blackbox.dump_flight_data", type: "str", value: "no" },
    { key: "runtime.blackbox.dump_state", type: "str", value: "no" },
  );
  out.push({ key: "runtime.force_gather", type: "str", value: "no" });
  return out;
}

/** runtime.config.totem.*: the parameters in force; times in milliseconds, pmtud's interval in seconds. */
export function totemKeys(
  t: EffectiveTotem,
  links: readonly Pick<DaemonLink, "link" | "pingIntervalMs" | "pingTimeoutMs" | "mcastport">[],
  { showsPort }: Pick<ReleaseProfile, "showsPort">,
): CmapEntry[] {
  const numbers: Record<string, number> = {
    block_unlisted_ips: t.blockUnlistedIps ? 1 : 0,
    cancel_token_hold_on_retransmit: t.cancelTokenHoldOnRetransmit ? 1 : 0,
    consensus: t.consensusMs,
    downcheck: t.downcheckMs,
    fail_recv_const: t.failRecvConst,
    heartbeat_failures_allowed: t.heartbeatFailuresAllowed,
    hold: t.holdMs,
    join: t.joinMs,
    knet_mtu: t.knetMtu,
    knet_pmtud_interval: t.knetPmtudIntervalS,
    knet_compression_threshold: t.knetCompressionThreshold,
    max_messages: t.maxMessages,
    max_network_delay: t.maxNetworkDelayMs,
    merge: t.mergeMs,
    miss_count_const: t.missCountConst,
    send_join: t.sendJoinMs,
    seqno_unchanged_const: t.seqnoUnchangedConst,
    token: t.tokenMs,
    token_retransmit: t.tokenRetransmitMs,
    token_retransmits_before_loss_const: t.tokenRetransmitsBeforeLossConst,
    token_warning: t.tokenWarningPercent,
    window_size: t.windowSize,
  };
  const base = "runtime.config.totem.";
  const out: CmapEntry[] = Object.entries(numbers).map(([name, value]) => ({ key: base + name, type: "u32", value }));
  for (const link of links) {
    out.push({ key: `${base}interface.${link.link}.knet_ping_interval`, type: "u32", value: link.pingIntervalMs });
    out.push({ key: `${base}interface.${link.link}.knet_ping_timeout`, type: "u32", value: link.pingTimeoutMs });
    if (showsPort) out.push({ key: `${base}interface.${link.link}.mcastport`, type: "u16", value: link.mcastport });
  }
  out.push({ key: `${base}knet_compression_level`, type: "i32", value: t.knetCompressionLevel });
  out.push({ key: `${base}knet_compression_model`, type: "str", value: t.knetCompressionModel });
  return out;
}

/** runtime.services.*: messages sent and received by service and type. `counters` is the sync engine's. */
export function serviceKeys(counters: (service: number) => { tx: readonly number[]; rx: readonly number[] }): CmapEntry[] {
  const out: CmapEntry[] = [];
  for (const s of SERVICES) {
    const base = `runtime.services.${s.name}.`;
    out.push({ key: `${base}service_id`, type: "u16", value: s.id });
    const { tx, rx } = counters(s.id);
    for (let i = 0; i < s.handlers; i++) {
      out.push({ key: `${base}${i}.rx`, type: "u64", value: rx[i] ?? 0 }, { key: `${base}${i}.tx`, type: "u64", value: tx[i] ?? 0 });
    }
  }
  return out;
}
