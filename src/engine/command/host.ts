/**
 * What a tool can ask of the machine it runs on: the answers that a process of the real machine gets from libcmap, libquorum, libvotequorum, libcfg, libcpg,
 * systemd and journald. Everything here only reads. Left out: connections as such; an answer is there or the daemon is not.
 */
import type { CmapEntry } from "../cmap/map.ts";
import type { CpgAddress } from "../cpg/messages.ts";
import type { Instant, JournalLine, LinkStatus, UnitState } from "../kernel/index.ts";
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

/** One systemd service unit. */
export interface UnitView {
  /** Without `.service`. */
  readonly name: string;
  readonly description: string;
  readonly execStart: string;
  readonly state: UnitState;
  /** Activating, but without a process: systemd waits before it starts it again. */
  readonly autoRestart?: boolean;
  readonly enabled: boolean;
  /** systemd's result word: success, exit-code, signal, core-dump, timeout, protocol, start-limit-hit. */
  readonly result: string;
  /** `code=exited, status=8/n/a` of the last main process; undefined before its first end. */
  readonly exitText: string | undefined;
  readonly conditionPath: string | undefined;
  readonly conditionFailedAt: Instant | undefined;
  /** 0 while no main process runs. */
  readonly mainPid: number;
  readonly since: Instant;
  readonly startedAt: Instant | undefined;
  readonly endedAt: Instant | undefined;
  readonly job: "start" | "stop" | undefined;
  /** How the last start job ended. */
  readonly lastJob: "done" | "failed" | "timeout" | "canceled" | undefined;
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
  unit(name: string): UnitView | undefined;
  /** In the order they start at boot. */
  units(): readonly UnitView[];
  /** Journal lines with index ≥ `from`, oldest first. */
  journalSince(from: number): readonly JournalLine[];
  journalLength(): number;
  /** A file's bytes; undefined where there is none or it is no file. */
  file(path: string): Uint8Array | undefined;
}
