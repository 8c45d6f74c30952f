/**
 * The machine interface: what a world may ask of one computer, and what a computer may answer. A machine is a deterministic state machine:
 * instant and event in, effects out. Everything that changes state arrives as an act, a timer or a datagram; a query changes nothing.
 */
import type { Hasher } from "./hash.ts";
import type { JournalLine } from "./journal.ts";
import type { ProcessExit, Signal } from "./signals.ts";
import type { MachineStatus } from "./status.ts";
import type { Duration, Instant } from "./time.ts";
import type { Commit, DiskContents, DiskFault, DiskImage, FileCall, FileReply, Piece } from "./vfs.ts";

/**
 * A packet on one network. `bytes` is the UDP payload, or one TCP segment, and immutable. An echo request of ICMP or ICMPv6 has its identifier for a source port, its reply for a destination port,
 * and its sequence number in `bytes`.
 */
export interface Datagram {
  readonly proto: "udp" | "tcp" | "icmp-port-unreachable" | "icmp-echo" | "icmp-echo-reply";
  /** Name of the network it travels on. */
  readonly net: string;
  readonly src: string;
  readonly srcPort: number;
  readonly dst: string;
  readonly dstPort: number;
  readonly bytes: Uint8Array;
  /** Bytes the payload has on a real wire, where the lab's own form of it has fewer. */
  readonly wire?: number;
}

/** What a person, a scenario or the lab does to one machine. Stamped, recorded, replayed. */
export type MachineAct =
  /** Power button: the machine boots. No effect on one that is on. */
  | { kind: "power-on" }
  /** Orderly shutdown: units stop in order, then power goes. */
  | { kind: "shutdown" }
  /** Orderly shutdown, then power on again. */
  | { kind: "reboot" }
  /** The power cord: everything not on disk is gone. */
  | { kind: "power-cut" }
  /** The process that ran the machine died, or fell silent: a fault of the lab, not of the cluster. As a power cut, until the next power-on. */
  | { kind: "worker-lost" }
  /** The processors stall (a hypervisor pause, SIGSTOP of everything); `resume` ends it. */
  | { kind: "stall" }
  | { kind: "resume" }
  /** systemctl's verbs on a unit, and `kill` = SIGKILL of its main process. */
  | { kind: "service"; op: "start" | "stop" | "restart" | "kill"; unit: string }
  /** SIGSTOP / SIGCONT of one unit's main process. */
  | { kind: "service-stall" | "service-resume"; unit: string }
  /** Starts a modelled command that acts or waits. `id` is chosen by the caller and unique in the lab. */
  | { kind: "command"; id: string; argv: readonly string[]; cwd: string; stdin: string }
  /** A signal to a running command (`SIGINT` is Ctrl-C). */
  | { kind: "command-signal"; id: string; signal: "SIGINT" | "SIGTERM" }
  /** A line typed at a command's prompt; `line` undefined is end of input. */
  | { kind: "command-input"; id: string; line: string | undefined }
  | SessionAct
  | HardwareAct
  | DiskAct
  | FileAct
  | FileCallAct;

/** What somebody at a terminal, or a script outside, does with a shell on the machine and with what it starts. A session's id is chosen by the caller and unique in the lab. */
export type SessionAct =
  /** A shell begins, on a terminal or (for `line`, of a script) without. */
  | { kind: "session-open"; session: string; terminal: boolean; cwd: string; line?: string }
  /** The shell exits with `status`; absent: its terminal hangs up. */
  | { kind: "session-close"; session: string; status?: number }
  /** `cd` typed there. */
  | { kind: "session-cd"; session: string; cwd: string }
  /** The shell starts a program; its output, prompts and end come as effects with this id. Input and Ctrl-C are `command-input` and `command-signal`. */
  | {
      kind: "session-run";
      session: string;
      id: string;
      argv: readonly string[];
      cwd: string;
      env?: { readonly [name: string]: string };
      /** Id of the forked process that executes it; absent: the shell forks for it. */
      process?: string;
      /** Id of the forked process that is its parent; absent: the shell. */
      parent?: string;
      /** It leads a process group of its own, as every pipeline of an interactive shell does; absent: its parent's. */
      group?: boolean;
    }
  /**
   * The shell forks: a process with its command line, or `argv`, that the interpreter outside carries out (a subshell, a program that the shell brings itself). Signals do to it what they do to any
   * process; what happens to it comes as effects with this id.
   */
  | { kind: "session-fork"; session: string; id: string; argv?: readonly string[]; parent?: string; group?: boolean }
  /** A forked process executes another program that the interpreter carries out. */
  | { kind: "session-exec"; session: string; id: string; argv: readonly string[] }
  /** A forked process exits. */
  | { kind: "session-exit"; session: string; id: string; status: number }
  /** kill(2), as the shell's own `kill` calls it: a process, a process group (negative), or everybody (-1). */
  | { kind: "session-kill"; session: string; id: string; pid: number; signal: Signal };

export const SESSION_ACT_KINDS: readonly SessionAct["kind"][] = [
  "session-open",
  "session-close",
  "session-cd",
  "session-run",
  "session-fork",
  "session-exec",
  "session-exit",
  "session-kill",
];

/** A card of a machine. */
export interface NicDesign {
  /** `eno1` … in the order of the machine's networks. */
  readonly name: string;
  readonly net: string;
  readonly address: string;
  /** Length of the network prefix; 24 (IPv6: 64) where absent. */
  readonly prefix?: number;
}

/** Cards, disk and names of the machine itself. They reach a machine that is off or stalled, too. */
export type HardwareAct =
  /** `ip link set … up|down`; a boot brings every card up. */
  | { kind: "nic-up"; net: string; up: boolean }
  /** The MTU of cards, bytes. */
  | { kind: "nic-mtu"; nics: readonly { readonly net: string; readonly mtu: number }[] }
  | { kind: "nic-add"; nic: NicDesign; place?: number }
  | { kind: "nic-remove"; net: string }
  | { kind: "nic-rename"; net: string; to: string }
  /** The network has another name in the lab; nothing on the machine has. */
  | { kind: "net-renamed"; net: string; to: string }
  /** What is wrong with the device of its disk, and how long each commit takes it. It stays so, whatever the power does. */
  | { kind: "disk-device"; fault: DiskFault; commitMicros: Duration }
  /** The machine has another name: hostnamectl, /etc/hostname and its own lines of /etc/hosts. */
  | { kind: "renamed"; name: string }
  /** Packages of another release are installed; what runs goes on as it is. */
  | { kind: "release"; release: string };

/**
 * What stands on the disk of a machine that is off, where that is not what the machine has in mind: somebody changed it, or another state of the lab was laid down. Pieces of contents
 * that the machine has already need not come along. No effect on a machine that is on.
 */
export interface DiskAct {
  readonly kind: "disk";
  readonly image: DiskImage;
  readonly chunks: readonly Piece[];
}

/** File calls from outside, as a session's shell makes them, or without a session as root in the root directory. `id` is chosen by the caller and unique in the lab. */
export type FileCallAct =
  /**
   * One call; answered by the effect `file-reply`, at once where no process has to be asked. A descriptor belongs to the shell; without a session it is closed when the
   * call is over.
   */
  | { kind: "file"; id: string; session?: string; call: FileCall }
  /** A signal (Ctrl-C) reaches who waits in the call of this id: the reply is EINTR. */
  | { kind: "file-interrupt"; id: string };

/** Changes of whole files. Paths are absolute and normalised. */
export type FileAct =
  | { kind: "file-write"; path: string; data: Uint8Array; append: boolean; mode?: number }
  | { kind: "file-mkdir"; path: string; parents: boolean }
  | { kind: "file-remove"; path: string; recursive: boolean }
  | { kind: "file-rename"; from: string; to: string }
  | { kind: "file-chmod"; path: string; mode: number }
  | { kind: "file-touch"; path: string };

/** What a machine asks the world to do, or tells it. */
export type Effect =
  | { kind: "send"; datagram: Datagram }
  | { kind: "journal"; line: JournalLine }
  /** Output of a running command. */
  | { kind: "output"; id: string; stream: "stdout" | "stderr"; text: string }
  /** A running command waits for a line of input; `echo` false for a password. */
  | { kind: "prompt"; id: string; echo: boolean }
  | { kind: "exit"; id: string; status: number }
  /** The result of a file act: error is an errno name (`ENOENT`, `EACCES`, …), undefined on success. */
  | { kind: "file-result"; path: string; error: string | undefined }
  /** The reply to a `file` act: EINTR where its shell has ended meanwhile, EHOSTDOWN where the power went. */
  | { kind: "file-reply"; id: string; reply: FileReply }
  /** A durable change of the machine's disk, in order. */
  | { kind: "commit"; commit: Commit }
  /** A process that a session's shell started or forked, and its pid. */
  | { kind: "started"; id: string; pid: number }
  /** It was stopped by a signal, or continued. */
  | { kind: "stopped"; id: string; stopped: boolean }
  /** A session has a shell: its pid and terminal ("" without one). */
  | { kind: "session"; session: string; pid: number; tty: string }
  /** The shell has ended, by `exit`, a hang-up or somebody's signal; or it could not begin. */
  | { kind: "session-ended"; session: string; exit: ProcessExit }
  /** The result of a `session-kill`: an errno name, undefined on success. */
  | { kind: "kill-result"; id: string; error: string | undefined }
  | { kind: "trace"; event: TraceEvent };

/** Things worth drawing. They follow from the other effects and are in no digest. */
export type TraceEvent =
  | { what: "token"; from: number; to: number; seq: number; retransmits: number; ring: string }
  | { what: "join"; from: number; proc: readonly number[]; failed: readonly number[] }
  | { what: "commit-token"; from: number; to: number; ring: string }
  | { what: "commit-token-lost"; node: number; state: string }
  | { what: "retransmit"; from: number; seq: number; ring: string }
  | { what: "state"; node: number; state: string; reason: number; ring: string }
  /** A pong that counts towards a link that is down; `up`: it has brought it up. */
  | { what: "pong"; node: number; from: number; link: number; pongs: number; needed: number; up: boolean }
  /** A message got its number and went out for the first time. */
  | { what: "mcast"; node: number; ring: string; seq: number }
  | { what: "deliver"; node: number; from: number; ring: string; seq: number; bytes: number; digest: string }
  | { what: "membership"; node: number; ring: string; members: readonly number[]; transitional: boolean }
  /** Process groups have synchronised: the members of the ring, and the nodes that groups have members of. `keepsLost`: the daemon is known to keep some of nodes that were lost. */
  | { what: "groups"; node: number; members: readonly number[]; nodes: readonly number[]; keepsLost: boolean }
  | { what: "quorum"; node: number; quorate: boolean; ring: string; members: readonly number[] }
  | { what: "power"; state: "on" | "off" | "stalled" }
  | { what: "unit"; unit: string; state: "active" | "inactive" | "failed" };

/** A question. Answered at the current instant; changes nothing, also not a counter. */
export type MachineQuery =
  /** `session`: whose shell asks. */
  | { kind: "command"; argv: readonly string[]; cwd: string; stdin: string; session?: string }
  /** `at` and `length`: that part of it, bytes. EAGAIN where a process would have to be waited for. */
  | { kind: "file-read"; path: string; at?: number; length?: number; session?: string }
  | { kind: "file-list"; path: string }
  | { kind: "file-stat"; path: string }
  /** A file call as a session's shell makes it, or without one as root in the root directory. */
  | { kind: "file"; session?: string; call: FileCall }
  | { kind: "complete"; argv: readonly string[]; cwd: string };

export interface FileStat {
  type: "file" | "directory" | "symlink";
  mode: number;
  size: number;
  /** Instant of last change; before the epoch where negative. */
  mtime: Instant;
  target?: string;
}

export type QueryReply =
  | { kind: "result"; stdout: string; stderr: string; status: number }
  /** This command or call cannot be a query: it changes something. Run it as an act. */
  | { kind: "acts" }
  /** A process would have to answer that cannot be asked so: make the call as an act, and wait. */
  | { kind: "would-wait" }
  | { kind: "file-reply"; reply: FileReply }
  | { kind: "no-such-command" }
  | { kind: "file"; data: Uint8Array }
  | { kind: "list"; entries: readonly { name: string; stat: FileStat }[] }
  | { kind: "stat"; stat: FileStat }
  | { kind: "completions"; candidates: readonly string[] }
  | { kind: "error"; errno: string };

/** Collects effects in the order they happen. */
export type Out = (effect: Effect) => void;

/** One computer as the world sees it. All methods are synchronous and pure but for the machine's own state. */
export interface Attached {
  readonly sessions: readonly string[];
  readonly commands: readonly string[];
}

/** A timer that is going to run out, unless something stops it before. */
export interface ArmedTimer {
  /** Whose: a program's name, or "" of the machine itself. */
  readonly program: string;
  readonly name: string;
  readonly at: Instant;
}

export interface Machine {
  readonly name: string;
  /** Instant of the earliest pending timer; NEVER if none (off, or stalled). */
  nextTimerAt(): Instant;
  /** The timers that are armed, of the machine itself and of the programs that name theirs; none while it is stalled. Changes nothing. */
  armed?(): readonly ArmedTimer[];
  /** Runs the earliest timer due at `now`. */
  runTimer(now: Instant, out: Out): void;
  /** A datagram arrives at the machine's network card. */
  receive(now: Instant, datagram: Datagram, out: Out): void;
  act(now: Instant, act: MachineAct, out: Out): void;
  query(now: Instant, query: MachineQuery): QueryReply;
  status(now: Instant): MachineStatus;
  /** Journal lines with index ≥ `from`. */
  journalSince(from: number): JournalLine[];
  journalLength(): number;
  /** What is on its disk, with all pieces of contents. */
  diskImage(): DiskContents;
  /** Sequence number of the last commit of its disk. */
  diskSeq(): number;
  /** Ids of the sessions that are open, and of the programs whose output goes to somebody outside: whoever began them may be gone. */
  attached?(): Attached | undefined;
  /** Plain data (see clone.ts), enough to go on from here in another process. */
  snapshot(): MachineSnapshot;
  restore(state: MachineSnapshot): void;
  /** Mixes the machine's whole protocol state into `h`. */
  digest(h: Hasher): void;
  /** Where a host follows the states of the machine: as `digest` into a hasher of its own, whose two halves these are. */
  digested?(): readonly [number, number] | undefined;
}

/** Opaque to everybody but the machine that made it. */
export type MachineSnapshot = { readonly [key: string]: unknown };
