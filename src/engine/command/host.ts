/**
 * What a tool can ask of the machine it runs on: the answers that a process of the real machine gets from libcmap, libquorum, libvotequorum, libcfg, libcpg,
 * systemd and journald. Everything here only reads. Left out: connections as such; an answer is there or the daemon is not.
 */
import type { CmapEntry } from "../cmap/map.ts";
import type { CpgAddress } from "../cpg/messages.ts";
import type { Instant, JournalLine, LinkStatus } from "../kernel/index.ts";
import type { SystemdView } from "../machine/systemd/index.ts";
import type { DeviceView, QnetdView } from "../qdevice/index.ts";
import type { QuorumView } from "../votequorum/quorum.ts";
import type { DeviceInfo, VoteInfo } from "../votequorum/info.ts";

/** The corosync daemon of this machine as its clients see it. */
export interface DaemonView {
  readonly nodeId: number;
  /** Present members of the ring, ascending: whom cfgtool -k can reach. */
  readonly ringMembers: readonly number[];
  /** The nodelist of the configuration in force. `addresses` by link number, "" where a node has none. */
  readonly nodelist: readonly { readonly nodeId: number; readonly name: string; readonly addresses: readonly string[] }[];
  readonly links: readonly LinkStatus[];
  readonly quorum: QuorumView;
  votes(nodeId: number): VoteInfo | undefined;
  /** The quorum device as that node has it. */
  device(nodeId: number): DeviceInfo | undefined;
  cmapGet(key: string): CmapEntry | undefined;
  /** In byte order. */
  cmapList(prefix: string): CmapEntry[];
  /** The stats map while a tool of this name and pid is connected, in byte order. */
  stats(client: { readonly procname: string; readonly pid: number }): CmapEntry[];
  /** The number of the latest reload that this node asked for, and how one of them ended: a cs_error_t, undefined while it is under way. */
  readonly lastReload: number;
  reloadStatus(number: number): number | undefined;
  cpgGroups(): { readonly group: string; readonly members: readonly CpgAddress[] }[];
}

export interface ToolHost {
  readonly hostname: string;
  readonly now: Instant;
  /** Microseconds since 1970 of instant 0. */
  readonly epochUnixMicros: number;
  /** The process id a tool started now would have. */
  readonly pid: number;
  /** The daemon: `down` when nobody answers its socket, `stalled` when its process is stopped and a client would hang. */
  corosync(): DaemonView | "down" | "stalled";
  /** The quorum device's daemon; `stalled` while its process is stopped or sleeps and a client would wait. */
  qdevice(): DeviceView | "down" | "stalled";
  /** The quorum device's server, on the machine that has it. */
  qnetd(): QnetdView | "down" | "stalled";
  /** Whether a program of this name is on the machine's disk. */
  installed(program: string): boolean;
  readonly systemd: SystemdView;
  /** Its services, without suffix, for completion. */
  readonly services: readonly string[];
  /** Journal lines with index ≥ `from`, oldest first. */
  journalSince(from: number): readonly JournalLine[];
  journalLength(): number;
  /** A file's bytes; undefined where there is none or it is no file. */
  file(path: string): Uint8Array | undefined;
}
