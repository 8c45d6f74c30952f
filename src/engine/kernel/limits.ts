/** Every bound of the engine, with its unit and its source. A bound the real stack has is named as there. */

/** Journal lines one machine keeps. Ours: about a week of an idle cluster. */
export const JOURNAL_LINES_MAX = 65_536;

/** Bytes a stalled machine's UDP socket holds before it drops (knet asks for 8 MiB: KNET_RING_RCVBUFF). */
export const SOCKET_BUFFER_BYTES = 8 * 1024 * 1024;

/** Smallest delay of a link, µs. Also the smallest grant window. */
export const LINK_DELAY_MIN_US = 50;

/** Default delay of a link, µs one way. */
export const LINK_DELAY_DEFAULT_US = 200;

/** corosync: PROCESSOR_COUNT_MAX. */
export const PROCESSOR_COUNT_MAX = 384;

/** corosync: INTERFACE_MAX, links per node (0 … 7). */
export const LINKS_MAX = 8;

/** corosync: largest message an application may send, bytes. */
export const MESSAGE_SIZE_MAX = 1024 * 1024;

/** corosync: RETRANSMIT_ENTRIES_MAX, entries in a token's retransmit list. */
export const RETRANSMIT_ENTRIES_MAX = 30;

/** corosync: QUEUE_RTR_ITEMS_SIZE_MAX, messages in a sort queue. */
export const SORT_QUEUE_MAX = 16_384;

/** corosync: net MTU of Totem where totem.netmtu is not set, bytes. */
export const KNET_NET_MTU = 65_446;

/** Machines of one lab. Ours. */
export const MACHINES_MAX = 64;

/** Snapshots kept to go back to, of one lab. Ours: every second of the last minutes, every few minutes after days. */
export const HISTORY_SNAPSHOTS_MAX = 256;

/** Bytes those snapshots may hold between them, as estimated. Ours. */
export const HISTORY_BYTES_MAX = 96 * 1024 * 1024;

/** Virtual time between two snapshots where they are densest, µs. Ours. */
export const HISTORY_SPACING_US = 1_000_000;

/** Age from which on they are the sparser the older they are, µs. Ours. */
export const HISTORY_RECENT_US = 15_000_000;

/** Bytes of one TCP segment's data: an Ethernet frame of 1500 without the headers. */
export const TCP_SEGMENT_BYTES = 1460;

/** Bytes handed over and not yet acknowledged that one connection keeps, and bytes that wait for a reader who does not read. Ours: Linux tunes between 16 KiB and 6 MiB. */
export const TCP_BUFFER_BYTES = 256 * 1024;

/** Connections of one machine. Ours: far beyond what its programs make. */
export const TCP_CONNECTIONS_MAX = 1024;

/** Bytes of one piece of a file's contents. Ours: what an appended line hashes and writes again, against the length of a big file's list of pieces. */
export const FILE_CHUNK_BYTES = 16 * 1024;

/** Linux: NAME_MAX, bytes of one name. */
export const FILE_NAME_BYTES_MAX = 255;

/** Linux: PATH_MAX, bytes of a path with its end. */
export const FILE_PATH_BYTES_MAX = 4096;

/** Linux: MAXSYMLINKS, symbolic links followed in one path. */
export const FILE_SYMLINKS_MAX = 40;

/** ext4: EXT4_LINK_MAX, names of one file. */
export const FILE_LINKS_MAX = 65_000;

/** Largest size of a file, bytes. Ours: the pieces are counted in 30 bits (ext4: 16 TiB). */
export const FILE_SIZE_MAX = FILE_CHUNK_BYTES * 2 ** 30;

/** Linux: RLIMIT_NOFILE as systemd sets it, open descriptors of one process. */
export const DESCRIPTORS_MAX = 1024;

/** Bytes of contents that the root file system of one machine holds. Ours. */
export const ROOT_BYTES_MAX = 64 * 1024 * 1024;

/** Inodes of that file system. Ours. */
export const ROOT_INODES_MAX = 20_000;

/** Local events of one machine (IPC, file replies, signals, exits, input) handled without virtual time passing; more is a fault of the lab. Ours. */
export const LOCAL_EVENTS_MAX = 100_000;

/** Processes of one machine. Ours: systemd gives a unit 15 % of the kernel's limit, thousands. */
export const PROCESSES_MAX = 1024;

/** Requests that wait for an answer, or notices that wait for their reader, on one local connection. Ours: libqb bounds them by bytes. */
export const IPC_QUEUE_MAX = 1024;

/** Local connections one process may have: RLIMIT_NOFILE's soft default. */
export const IPC_CONNECTIONS_MAX = 1024;

/** Lines typed ahead that wait for one process to read them. Ours. */
export const INPUT_LINES_MAX = 256;

/** Answers that one command's body may have had: they are kept for its snapshot. Ours; what goes on for ever keeps explicit state instead. */
export const TOOL_ANSWERS_MAX = 65_536;

/** MTU of an Ethernet card, bytes. */
export const NIC_MTU = 1500;
