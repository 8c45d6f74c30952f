/**
 * The keys that mean something to corosync, its quorum service or its quorum device, section by section. Source: corosync.conf(5), votequorum(5), corosync-qdevice(8). A section
 * that is not here may hold anything.
 */

const BY_SECTION: Readonly<Record<string, string>> = {
  totem:
    "version nodeid threads token token_coefficient token_retransmit token_warning hold token_retransmits_before_loss_const join send_join consensus " +
    "merge downcheck fail_recv_const seqno_unchanged_const heartbeat_failures_allowed max_network_delay window_size max_messages miss_count_const " +
    "knet_pmtud_interval knet_mtu netmtu knet_compression_threshold knet_compression_level knet_compression_model config_version cluster_name " +
    "transport secauth crypto_model crypto_cipher crypto_hash ip_version link_mode keyfile key block_unlisted_ips cancel_token_hold_on_retransmit " +
    "clear_node_high_bit interface",
  "totem.interface":
    "linknumber bindnetaddr mcastaddr broadcast mcastport ttl knet_link_priority knet_ping_interval knet_ping_timeout knet_ping_precision " +
    "knet_pong_count knet_transport member",
  quorum:
    "provider expected_votes votes two_node wait_for_all last_man_standing last_man_standing_window auto_tie_breaker auto_tie_breaker_node " +
    "allow_downscale expected_votes_tracking leaving_timeout device",
  "quorum.device": "model votes timeout sync_timeout master_wins net heuristics",
  "quorum.device.net": "host port tls algorithm tie_breaker connect_timeout force_ip_version keep_active_partition_tie_breaker",
  "quorum.device.heuristics": "mode timeout sync_timeout interval exec_",
  nodelist: "node",
  "nodelist.node": "name nodeid quorum_votes ring0_addr ring1_addr ring2_addr ring3_addr ring4_addr ring5_addr ring6_addr ring7_addr",
  logging:
    "to_stderr to_logfile to_syslog logfile logfile_priority syslog_facility syslog_priority syslog_level debug timestamp fileline function_name " +
    "blackbox tags logger_subsys logging_daemon",
  "logging.logger_subsys":
    "subsys to_stderr to_logfile to_syslog logfile logfile_priority syslog_facility syslog_priority syslog_level debug",
  system: "qb_ipc_type sched_rr priority move_to_root_cgroup allow_knet_handle_fallback state_dir",
  uidgid: "uid gid",
  nozzle: "name ipaddr ipprefix macaddr",
  "": "totem quorum nodelist logging system resources uidgid nozzle pload",
};

/** Names of keys and sections by the path of the section; "" is the file's outermost level. A name that ends in `_` stands for all that begin so. */
export const KNOWN_KEYS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries(BY_SECTION).map(([section, keys]) => [section, new Set(keys.split(" "))]),
);

export function isKnownKey(known: ReadonlySet<string>, name: string): boolean {
  return known.has(name) || [...known].some((k) => k.endsWith("_") && name.startsWith(k));
}
