/**
 * What a corosync daemon runs with once its configuration has been accepted: typed, resolved, plain data. In the real stack: struct totem_config
 * and what votequorum and the logger read from cmap. Left out: parameters of transports other than knet beyond their name.
 */
import type { LogLevel } from "../kernel/journal.ts";
import type { Release } from "./release.ts";
import type { EffectiveTotem, PingTimers } from "./timers.ts";

export interface DaemonNode {
  /** Position in the nodelist, which numbers its cmap keys. */
  readonly position: number;
  /** As written; "" where the entry has no name. */
  readonly name: string;
  /** 0 where the entry has none (only an entry without address may). */
  readonly nodeId: number;
  readonly votes: number;
  /** Resolved address per link number; "" where the node has none on that link. */
  readonly addresses: readonly string[];
  /** The same as written (host names stay). */
  readonly written: readonly string[];
}

export interface DaemonLink extends PingTimers {
  readonly link: number;
  /** This node's own address on it. */
  readonly address: string;
  readonly mcastport: number;
  /** knet_link_priority: the connected link with the highest carries data in passive mode. */
  readonly priority: number;
  readonly transport: "udp" | "sctp";
}

export interface QuorumConfig {
  /** undefined: no quorum provider, every partition is treated as quorate. */
  readonly provider: string | undefined;
  /** quorum.expected_votes of the file; undefined: the sum of the nodelist counts. */
  readonly expectedVotes: number | undefined;
  /** Sum of quorum_votes over the nodelist. */
  readonly nodelistVotes: number;
  readonly twoNode: boolean;
  readonly waitForAll: boolean;
  /** quorum.wait_for_all stands in the file. */
  readonly waitForAllGiven: boolean;
  readonly lastManStanding: boolean;
  readonly lastManStandingWindowMs: number;
  readonly autoTieBreaker: boolean;
  readonly autoTieBreakerNode: string | undefined;
  readonly allowDownscale: boolean;
  readonly expectedVotesTracking: boolean;
  readonly device:
    | {
        readonly model: string;
        readonly votes: number;
        /** quorum.device.votes is absent: the votes follow from the number of nodes. */
        readonly automaticVotes: boolean;
        readonly timeoutMs: number;
        readonly syncTimeoutMs: number;
      }
    | undefined;
}

/** One subsystem's, or the main one that all others begin as. */
export interface Logger {
  /** It says everything, whatever the priorities are. */
  readonly debug: boolean;
  readonly syslogPriority: LogLevel;
  /** Of its file, and of standard error. */
  readonly logfilePriority: LogLevel;
  /** As the configuration names it; undefined: none. */
  readonly file: string | undefined;
}

export interface LoggingConfig {
  readonly timestamp: "off" | "on" | "hires";
  readonly fileline: boolean;
  readonly functionName: boolean;
  readonly toStderr: boolean;
  readonly toSyslog: boolean;
  readonly main: Logger;
  /** Those that have a section of their own. */
  readonly subsystems: Readonly<Record<string, Logger>>;
  /** The files that are switched on. */
  readonly files: readonly string[];
  /** Some line of level debug is wanted somewhere. */
  readonly debug: boolean;
}

export interface DaemonConfig {
  readonly nodeId: number;
  /** nodelist.local_node_pos */
  readonly localPosition: number;
  readonly nodes: readonly DaemonNode[];
  readonly links: readonly DaemonLink[];
  readonly totem: EffectiveTotem;
  readonly quorum: QuorumConfig;
  readonly clusterName: string;
  /** 0 where absent. Above 2^53 only the text in the map is exact. */
  readonly configVersion: number;
  readonly transport: "knet" | "udp" | "udpu";
  readonly linkMode: "passive" | "active" | "rr";
  readonly ipVersion: "ipv4" | "ipv6" | "ipv4-6" | "ipv6-4";
  readonly crypto: { readonly model: string; readonly cipher: string; readonly hash: string };
  readonly keyfile: string;
  readonly logging: LoggingConfig;
  /** Of the daemon. */
  readonly release: Release;
}

export type MessageLevel = "crit" | "error" | "warning" | "notice";

/** A line the daemon writes while it decides. `subsystem` undefined: plain on standard error, before its logging is set up. */
export interface DaemonMessage {
  readonly level: MessageLevel;
  readonly subsystem: "MAIN" | "TOTEM" | "QUORUM" | "SERV" | "VOTEQ" | undefined;
  readonly text: string;
}

/** Where a start ends. `parse` and `logging` come before the line "Corosync Cluster Engine … starting up", the others after it. */
export type Stage = "parse" | "logging" | "totem" | "services";

export interface Refusal {
  readonly ok: false;
  readonly stage: Stage;
  readonly exitCode: number;
  readonly messages: readonly DaemonMessage[];
  /** Place in the file that the refusal is about, where it is about one. */
  readonly line: number | undefined;
  readonly column: number | undefined;
}

export type Verdict = { readonly ok: true; readonly config: DaemonConfig; readonly messages: readonly DaemonMessage[] } | Refusal;

/** What the machine is, as far as a start asks. */
export interface HostFacts {
  readonly hostname: string;
  /** Addresses of the machine's own interfaces. */
  readonly addresses: readonly string[];
  /** Addresses a host name has, in the resolver's order; empty if none. Literal addresses are not asked for. */
  resolve(name: string): readonly string[];
  /** Bytes of the key file at `path`, null if there is none. Without it the key is not looked at. */
  authkeyBytes?(path: string): number | null;
  /** Opens a log file to stay open. Without it none is. @returns why it cannot be opened: `Is a directory (21)` */
  openLog?(path: string): string | undefined;
}
