/**
 * The keys a daemon puts into its map besides its configuration file: service names, resources, effective Totem parameters, message counters. In the
 * real stack many places write them (service.c, mon.c, totemconfig.c, main.c); the names, types and values are those of recorded dumps. Left out: the resources' live
 * values, which stay at zero while no monitoring is configured, as recorded.
 */
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

/** runtime.config.totem.* of one daemon, under their own names; times in milliseconds. */
export interface RuntimeTotem {
  readonly block_unlisted_ips: number;
  readonly cancel_token_hold_on_retransmit: number;
  readonly consensus: number;
  readonly downcheck: number;
  readonly fail_recv_const: number;
  readonly heartbeat_failures_allowed: number;
  readonly hold: number;
  readonly join: number;
  readonly knet_mtu: number;
  /** Seconds. */
  readonly knet_pmtud_interval: number;
  readonly max_messages: number;
  readonly max_network_delay: number;
  readonly merge: number;
  readonly miss_count_const: number;
  readonly send_join: number;
  readonly seqno_unchanged_const: number;
  readonly token: number;
  readonly token_retransmit: number;
  readonly token_retransmits_before_loss_const: number;
  readonly token_warning: number;
  readonly window_size: number;
}

export interface RuntimeInterface {
  readonly link: number;
  readonly knet_ping_interval: number;
  readonly knet_ping_timeout: number;
}

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
  out.push({ key: "runtime.blackbox.dump_flight_data", type: "str", value: "no" }, { key: "runtime.blackbox.dump_state", type: "str", value: "no" });
  out.push({ key: "runtime.force_gather", type: "str", value: "no" });
  return out;
}

/** runtime.config.totem.*: the parameters in force. */
export function totemKeys(totem: RuntimeTotem, interfaces: readonly RuntimeInterface[]): CmapEntry[] {
  const base = "runtime.config.totem.";
  const names: readonly (keyof RuntimeTotem)[] = [
    "block_unlisted_ips", "cancel_token_hold_on_retransmit", "consensus", "downcheck", "fail_recv_const", "heartbeat_failures_allowed", "hold", "join",
    "knet_mtu", "knet_pmtud_interval", "max_messages", "max_network_delay", "merge", "miss_count_const", "send_join", "seqno_unchanged_const", "token",
    "token_retransmit", "token_retransmits_before_loss_const", "token_warning", "window_size",
  ];
  const out: CmapEntry[] = names.map((name) => ({ key: base + name, type: "u32", value: totem[name] }));
  for (const i of interfaces) {
    out.push({ key: `${base}interface.${i.link}.knet_ping_interval`, type: "u32", value: i.knet_ping_interval });
    out.push({ key: `${base}interface.${i.link}.knet_ping_timeout`, type: "u32", value: i.knet_ping_timeout });
  }
  out.push({ key: `${base}knet_compression_level`, type: "i32", value: 0 }, { key: `${base}knet_compression_model`, type: "str", value: "none" });
  out.push({ key: `${base}knet_compression_threshold`, type: "u32", value: 0 });
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
