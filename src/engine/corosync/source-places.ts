/**
 * Where in the real daemon's source a line is written, as logging.fileline and logging.function_name show it. In the real stack: the macros around each log call, and libqb. Source: all lines that two daemons of
 * corosync 3.1.7 said while they ran. Left out: lines that were not among those, which go without a place.
 */
import type { LoggingConfig } from "../config/index.ts";
import type { Line } from "./lines.ts";

/** A beginning of texts, and file, function and line of their call. Of several that fit the longest, which comes first, holds. */
type Place = readonly [begins: string, file: string, name: string, line: number];

const PLACES: Readonly<Record<string, readonly Place[]>> = {
  CFG: [
    ["Config reload requested by node ", "cfg.c", "message_handler_req_exec_cfg_reload_config", 723],
    ["Crypto reconfiguration phase ", "cfg.c", "message_handler_req_exec_cfg_reconfig_crypto", 892],
    ["Unable to reload config file", "cfg.c", "message_handler_req_exec_cfg_reload_config", 742],
    ["request to kill node ", "cfg.c", "message_handler_req_exec_cfg_killnode", 560],
    ["Killed by node ", "cfg.c", "message_handler_req_exec_cfg_killnode", 564],
    ["Node ", "cfg.c", "message_handler_req_exec_cfg_shutdown", 580],
  ],
  CMAP: [
    ["Single node sync -> no action", "cmap.c", "cmap_sync_activate", 455],
    ["Not first sync -> no action", "cmap.c", "cmap_sync_activate", 463],
    ["My config version is ", "cmap.c", "cmap_sync_activate", 469],
    ["lib_init_fn: conn=", "cmap.c", "cmap_lib_init_fn", 373],
    ["exit_fn for conn=", "cmap.c", "cmap_lib_exit_fn", 393],
  ],
  CPG: [
    ["my downlist: members(old:", "cpg.c", "downlist_log", 837],
    ["cpg iteration initialize", "cpg.c", "message_handler_req_lib_cpg_iteration_initialize", 2130],
    ["cpg finalize for conn=", "cpg.c", "message_handler_req_lib_cpg_finalize", 1676],
    ["cpg iteration finalize", "cpg.c", "message_handler_req_lib_cpg_iteration_finalize", 2321],
    ["downlist left_list: ", "cpg.c", "message_handler_req_exec_cpg_downlist", 1298],
    ["lib_init_fn: conn=", "cpg.c", "cpg_lib_init_fn", 1553],
    ["cpg iteration next", "cpg.c", "message_handler_req_lib_cpg_iteration_next", 2269],
    ["exit_fn for conn=", "cpg.c", "cpg_lib_exit_fn", 1070],
  ],
  MAIN: [
    ["No configured system.qb_ipc_type. Using native i", "ipc_glue.c", "cs_get_ipc_type", 748],
    ["Could not increase RLIMIT_MEMLOCK, not locking m", "main.c", "corosync_mlockall", 486],
    ["Completed service synchronization, ready to prov", "main.c", "corosync_sync_completed", 303],
    ["Corosync built-in features: dbus monitoring watc", "main.c", "main", 1398],
    ["Corosync Cluster Engine exiting with status ", "util.c", "_corosync_exit_error", 135],
    ["Corosync main process was not scheduled (@", "main.c", "timer_function_scheduler_timeout", 847],
    ["Corosync Cluster Engine exiting normally", "util.c", "_corosync_exit_error", 132],
    ["Storing new sequence id for ring ", "main.c", "corosync_ring_id_store", 709],
    ["cs_ipcs_connection_destroyed() ", "ipc_glue.c", "cs_ipcs_connection_destroyed", 325],
    ["Node was shut down by a signal", "main.c", "sig_exit_handler", 271],
    ["cs_ipcs_connection_closed() ", "ipc_glue.c", "cs_ipcs_connection_closed", 346],
    ["NOT Initializing IPC on ", "ipc_glue.c", "cs_ipcs_service_init", 785],
    ["Corosync Cluster Engine ", "main.c", "main", 1397],
    ["Initializing IPC on ", "ipc_glue.c", "cs_ipcs_service_init", 799],
    ["connection created", "ipc_glue.c", "cs_ipcs_connection_created", 269],
    ["Member joined: r(", "main.c", "member_object_joined", 364],
    ["Member left: r(", "main.c", "member_object_left", 376],
  ],
  QB: [
    ["withdrawing server sockets", "ipc_setup.c", "qb_ipcs_us_withdraw", 605],
    ["server name: ", "ipc_setup.c", "qb_ipcs_us_publish", 549],
  ],
  QUORUM: [
    ["This node is within the primary component and wi", "vsf_quorum.c", "quorum_api_set_quorum", 176],
    ["This node is within the non-primary component an", "vsf_quorum.c", "quorum_api_set_quorum", 178],
    ["Using quorum provider corosync_votequorum", "vsf_quorum.c", "quorum_exec_init_fn", 437],
    ["sending nodelist notification to ", "vsf_quorum.c", "send_nodelist_library_notification", 650],
    ["sending quorum notification to ", "vsf_quorum.c", "send_library_notification", 569],
    ["got quorum_type request on ", "vsf_quorum.c", "message_handler_req_lib_quorum_gettype", 763],
    ["got trackstart request on ", "vsf_quorum.c", "message_handler_req_lib_quorum_trackstart", 697],
    ["sending initial status to ", "vsf_quorum.c", "message_handler_req_lib_quorum_trackstart", 705],
    ["got trackstop request on ", "vsf_quorum.c", "message_handler_req_lib_quorum_trackstop", 740],
    ["got quorate request on ", "vsf_quorum.c", "message_handler_req_lib_quorum_getquorate", 679],
    ["lib_exit_fn: conn=", "vsf_quorum.c", "quorum_lib_exit_fn", 493],
    ["lib_init_fn: conn=", "vsf_quorum.c", "quorum_lib_init_fn", 480],
    ["Sync members[", "vsf_quorum.c", "log_view_list", 159],
    ["Sync joined[", "vsf_quorum.c", "log_view_list", 159],
    ["Sync left[", "vsf_quorum.c", "log_view_list", 159],
    ["Members[", "vsf_quorum.c", "log_view_list", 159],
  ],
  SERV: [
    ["Service engine unloaded: ", "service.c", "corosync_service_unlink_and_exit_priority", 238],
    ["Service engine loaded: ", "service.c", "corosync_service_link_and_init", 173],
    ["Unloading all Corosync service engines.", "service.c", "service_exit_schedwrk_handler", 372],
  ],
  SYNC: [
    ["Committing synchronization for ", "sync.c", "sync_barrier_handler", 214],
    ["call init for locally known services", "sync.c", "sync_servicelist_build_enter", 489],
    ["enter sync process", "sync.c", "sync_service_build_handler", 310],
  ],
  TOTEM: [
    ["Totem related config key changed. Dumping actual", "totemconfig.c", "totem_change_notify", 2382],
    ["parse error in config: The token timeout paramet", "totemconfig.c", "totem_change_notify", 2385],
    ["Configuration reloaded. Dumping actual totem con", "totemconfig.c", "totemconfig_configure_new_params", 2408],
    ["Did not need to originate any messages in recove", "totemsrp.c", "memb_state_recovery_enter", 2468],
    ["A processor failed, forming new configuration: t", "totemsrp.c", "timer_function_orf_token_timeout", 1769],
    ["HeartBeat is Disabled. To enable set heartbeat_f", "totemsrp.c", "totemsrp_initialize", 954],
    ["Failed to receive the leave message. failed: ", "totemsrp.c", "memb_state_operational_enter", 2141],
    ["The token was lost in the OPERATIONAL state.", "totemsrp.c", "timer_function_orf_token_timeout", 1767],
    ["Creating commit token because I am the rep.", "totemsrp.c", "memb_state_commit_token_create", 3288],
    ["About to reconfigure links from nodelist.", "totemconfig.c", "put_nodelist_members_to_config", 1490],
    ["knet: member_add: Setting link prio to ", "totemknet.c", "totemknet_member_add", 1610],
    ["kronosnet crypto reconfigured on index ", "totemknet.c", "totemknet_reconfigure", 1741],
    ["Knet host change callback. nodeid: ", "totemknet.c", "host_change_callback_fn", 351],
    ["totemknet_crypto_reconfigure_phase ", "totemknet.c", "totemknet_crypto_reconfigure_phase", 1762],
    ["Initializing transport (Kronosnet).", "totemnet.c", "totemnet_instance_initialize", 286],
    ["totemknet setting log level debug", "totemknet.c", "totemknet_configure_log_level", 912],
    ["Clearing old knet crypto config ", "totemknet.c", "totemknet_crypto_reconfigure_phase", 1784],
    ["The token was lost in the COMMIT", "totemsrp.c", "timer_function_orf_token_timeout", 1789],
    ["Token has not been received in ", "totemsrp.c", "timer_function_orf_token_warning", 1753],
    ["Created or loaded sequence id ", "totemsrp.c", "main_iface_change_fn", 5158],
    ["waiting_trans_ack changed to ", "totempg.c", "totempg_waiting_trans_ack_cb", 286],
    ["heartbeat_failures_allowed (", "totemsrp.c", "totemsrp_initialize", 929],
    ["entering GATHER state from ", "totemsrp.c", "memb_state_gather_enter", 2224],
    ["entering OPERATIONAL state.", "totemsrp.c", "memb_state_operational_enter", 2131],
    ["sending join/leave message", "totemsrp.c", "memb_leave_message_send", 3398],
    ["window size per rotation (", "totemsrp.c", "totemsrp_initialize", 918],
    ["knet_enable access list: ", "totemknet.c", "knet_set_access_list_config", 879],
    ["Sending initial ORF token", "totemsrp.c", "message_handler_memb_commit_token", 4943],
    ["knet_pmtud_interval now ", "totemknet.c", "totemknet_refresh_config", 951],
    ["entering RECOVERY state.", "totemsrp.c", "memb_state_recovery_enter", 2312],
    ["Resetting old ring state", "totemsrp.c", "old_ring_state_reset", 1584],
    ["Configured link number ", "totemknet.c", "totemknet_iface_set", 1517],
    ["knet: loopback link is ", "totemknet.c", "totemknet_member_add", 1594],
    ["Configuring crypto nss/", "totemknet.c", "totemknet_set_knet_crypto", 1048],
    ["seqno unchanged const (", "totemsrp.c", "totemsrp_initialize", 915],
    ["adding dynamic member ", "totemconfig.c", "compute_and_set_totempg_interfaces", 1215],
    ["totemknet: iface_check", "totemknet.c", "totemknet_iface_check", 1430],
    ["entering COMMIT state.", "totemsrp.c", "memb_state_commit_enter", 2275],
    ["token retrans flag is ", "totemsrp.c", "message_handler_orf_token", 4098],
    ["totemknet initialized", "totemknet.c", "totemknet_initialize", 1347],
    ["recovery to regular ", "totemsrp.c", "deliver_messages_from_recovery_to_regular", 1861],
    ["Token warning every ", "totemsrp.c", "totemsrp_initialize", 890],
    ["missed count const (", "totemsrp.c", "totemsrp_initialize", 922],
    ["totemknet: finalize", "totemknet.c", "totemknet_finalize", 675],
    ["retrans flag count ", "totemsrp.c", "message_handler_orf_token", 4129],
    ["max_network_delay (", "totemsrp.c", "totemsrp_initialize", 931],
    ["totemip_parse: IPv", "totemip.c", "totemip_parse", 411],
    ["Knet pMTU change: ", "totemknet.c", "pmtu_change_callback_fn", 357],
    ["knet: member_add: ", "totemknet.c", "totemknet_member_add", 1553],
    ["knet:      local: ", "totemknet.c", "totemknet_member_add", 1554],
    ["A new membership (", "totemsrp.c", "memb_state_operational_enter", 2133],
    ["Configuring link ", "totemconfig.c", "configure_link_params", 1242],
    ["Configuring link ", "totemconfig.c", "configure_totem_links", 1281],
    ["previous ringid (", "totemsrp.c", "memb_state_recovery_enter", 2360],
    ["Saving state aru ", "totemsrp.c", "old_ring_state_save", 1567],
    ["got commit token", "totemsrp.c", "message_handler_memb_commit_token", 4878],
    ["Token Timeout (", "totemsrp.c", "totemsrp_initialize", 885],
    ["send threads (", "totemsrp.c", "totemsrp_initialize", 926],
    ["knet_mtu now ", "totemknet.c", "totemknet_refresh_config", 960],
    ["install seq ", "totemsrp.c", "message_handler_orf_token", 4111],
    ["token hold (", "totemsrp.c", "totemsrp_initialize", 902],
    ["downcheck (", "totemsrp.c", "totemsrp_initialize", 912],
    ["position [", "totemsrp.c", "memb_state_recovery_enter", 2358],
    ["nodeid ", "totemknet.c", "totemknet_member_add", 1576],
    ["TRANS [", "totemsrp.c", "memb_state_recovery_enter", 2354],
    ["join (", "totemsrp.c", "totemsrp_initialize", 905],
    ["aru ", "totemsrp.c", "memb_state_recovery_enter", 2364],
  ],
  VOTEQ: [
    ["got reconfigure message from cluster node ", "votequorum.c", "message_handler_req_exec_votequorum_reconfigure", 2208],
    ["got nodeinfo message from cluster node ", "votequorum.c", "message_handler_req_exec_votequorum_nodeinfo", 2086],
    ["Sending nodelist callback. ring_id = ", "votequorum.c", "votequorum_exec_send_nodelist_notification", 1853],
    ["Sending quorum callback, quorate = ", "votequorum.c", "votequorum_exec_send_quorum_notification", 1792],
    ["quorum regained, resuming activity", "votequorum.c", "are_we_quorate", 1048],
    ["Reading configuration (runtime: ", "votequorum.c", "votequorum_readconfig", 1255],
    ["Sending expected votes callback", "votequorum.c", "votequorum_exec_send_expectedvotes_notification", 1899],
    ["quorum lost, blocking activity", "votequorum.c", "are_we_quorate", 1044],
    ["sending initial status to ", "votequorum.c", "message_handler_req_lib_votequorum_trackstart", 2791],
    ["getinfo response error: ", "votequorum.c", "message_handler_req_lib_votequorum_getinfo", 2677],
    ["got getinfo request on ", "votequorum.c", "message_handler_req_lib_votequorum_getinfo", 2585],
    ["flags: quorate: No L", "votequorum.c", "decode_flags", 760],
    ["highest node id: ", "votequorum.c", "get_highest_node_id", 564],
    ["nodeinfo message[", "votequorum.c", "message_handler_req_exec_votequorum_nodeinfo", 2087],
    ["lowest node id: ", "votequorum.c", "get_lowest_node_id", 542],
    ["total_votes=", "votequorum.c", "recalculate_quorum", 1123],
    ["ev_tracking=", "votequorum.c", "votequorum_readconfig", 1517],
    ["node ", "votequorum.c", "calculate_quorum", 924],
  ],
  WD: [
    ["Watchdog not enabled by configuration", "wd.c", "setup_watchdog", 647],
    ["The Watchdog timeout is ", "wd.c", "watchdog_timeout_apply", 620],
    ["no resources configured.", "wd.c", "wd_scan_resources", 581],
    ["The tickle timeout is ", "wd.c", "watchdog_timeout_apply", 621],
    ["resource ", "wd.c", "wd_resource_create", 463],
  ],
};

/** What libknet says comes through a pipe; corosync has one call for each level. */
const KNET_LINES: Readonly<Partial<Record<Line["level"], number>>> = { error: 753, warning: 758, info: 763, debug: 768 };

function placeOf({ level, subsystem, text }: Line): Place | undefined {
  if (subsystem === "KNET") return ["", "libknet.h", "log_deliver_fn", KNET_LINES[level] ?? 768];
  return PLACES[subsystem]?.find(([begins]) => text.startsWith(begins));
}

/** The line with its place before its text, as far as that is wanted. */
export function placed(l: Line, { fileline, functionName }: Pick<LoggingConfig, "fileline" | "functionName">): Line {
  if (!fileline && !functionName) return l;
  const place = placeOf(l);
  if (place === undefined) return l;
  const [, file, name, line] = place;
  const shown = [...(fileline ? [file] : []), ...(functionName ? [name] : []), ...(fileline ? [String(line)] : [])].join(":");
  return { ...l, text: `${shown} ${l.text}` };
}
