/**
 * The exact shapes of what the engine's machines are given and say, for checking it where it comes from another process: datagrams, acts, queries, effects,
 * statuses. They follow kernel/machine.ts, journal.ts and status.ts. Left out: machine snapshots, which only the machine itself understands.
 */
import {
  either,
  isBytes,
  isCount,
  isFlag,
  isInteger,
  isNothing,
  isNull,
  isNumber,
  isText,
  isWhen,
  listOf,
  mapOf,
  oneOf,
  shape,
  shapeOf,
  variants,
  type Check,
} from "./check.ts";
import { isCommit, isDiskImage, isExit, isFileCall, isFileReply, isPiece, isSignal } from "./file-shapes.ts";
import type {
  CorosyncStatus,
  LinkStatus,
  MachineStatus,
  NicStatus,
  QdeviceStatus,
  QnetdStatus,
  QuorumOptions,
  QuorumStatus,
  TokenStatus,
} from "../kernel/index.ts";

const kind = isText;
const texts = listOf(isText);
const counts = listOf(isCount);
const maybeText = either(isText, isNothing);
const maybeWhen = either(isWhen, isNothing);

export const isDatagram: Check = shape(
  {
    proto: oneOf("udp", "tcp", "icmp-port-unreachable"),
    net: isText,
    src: isText,
    srcPort: isCount,
    dst: isText,
    dstPort: isCount,
    bytes: isBytes,
  },
  { wire: isCount },
);

const ofNic = { name: isText, net: isText, address: isText };

const bare = shape({ kind });
const ofUnit = shape({ kind, unit: isText });

export const isMachineAct: Check = variants("kind", {
  "power-on": bare,
  shutdown: bare,
  reboot: bare,
  "power-cut": bare,
  "worker-lost": bare,
  stall: bare,
  resume: bare,
  service: shape({ kind, op: oneOf("start", "stop", "restart", "kill"), unit: isText }),
  "service-stall": ofUnit,
  "service-resume": ofUnit,
  command: shape({ kind, id: isText, argv: texts, cwd: isText, stdin: isText }),
  "command-signal": shape({ kind, id: isText, signal: oneOf("SIGINT", "SIGTERM") }),
  "command-input": shape({ kind, id: isText }, { line: isText }),
  "nic-up": shape({ kind, net: isText, up: isFlag }),
  "nic-mtu": shape({ kind, nics: listOf(shape({ net: isText, mtu: isCount })) }),
  "nic-add": shape({ kind, nic: shape(ofNic, { prefix: isCount }) }, { place: isCount }),
  "nic-remove": shape({ kind, net: isText }),
  "nic-rename": shape({ kind, net: isText, to: isText }),
  "net-renamed": shape({ kind, net: isText, to: isText }),
  renamed: shape({ kind, name: isText }),
  "file-write": shape({ kind, path: isText, data: isBytes, append: isFlag }, { mode: isCount }),
  "file-mkdir": shape({ kind, path: isText, parents: isFlag }),
  "file-remove": shape({ kind, path: isText, recursive: isFlag }),
  "file-rename": shape({ kind, from: isText, to: isText }),
  "file-chmod": shape({ kind, path: isText, mode: isCount }),
  "file-touch": shape({ kind, path: isText }),
  file: shape({ kind, id: isText, call: isFileCall }, { session: isText }),
  "file-interrupt": shape({ kind, id: isText }),
  disk: shape({ kind, image: isDiskImage, chunks: listOf(isPiece) }),
  "session-open": shape({ kind, session: isText, terminal: isFlag, cwd: isText }),
  "session-close": shape({ kind, session: isText }, { status: isInteger }),
  "session-cd": shape({ kind, session: isText, cwd: isText }),
  "session-run": shape({ kind, session: isText, id: isText, argv: texts, cwd: isText }, { env: mapOf(isText) }),
  "session-kill": shape({ kind, session: isText, id: isText, pid: isInteger, signal: isSignal }),
});

const ofPath = shape({ kind, path: isText });

export const isMachineQuery: Check = variants("kind", {
  command: shape({ kind, argv: texts, cwd: isText, stdin: isText }),
  "file-read": ofPath,
  "file-list": ofPath,
  "file-stat": ofPath,
  file: shape({ kind, call: isFileCall }, { session: isText }),
  complete: shape({ kind, words: texts, cwd: isText }),
});

const isStat = shape({ type: oneOf("file", "directory", "symlink"), mode: isCount, size: isCount, mtime: isInteger }, { target: isText });

export const isQueryReply: Check = variants("kind", {
  result: shape({ kind, stdout: isText, stderr: isText, status: isInteger }),
  acts: bare,
  "would-wait": bare,
  "file-reply": shape({ kind, reply: isFileReply }),
  "no-such-command": bare,
  file: shape({ kind, data: isBytes }),
  list: shape({ kind, entries: listOf(shape({ name: isText, stat: isStat })) }),
  stat: shape({ kind, stat: isStat }),
  completions: shape({ kind, words: texts }),
  error: shape({ kind, errno: isText }),
});

const isJournalLine = shape({
  instant: isCount,
  unit: isText,
  pid: isCount,
  level: oneOf("emerg", "alert", "crit", "error", "warning", "notice", "info", "debug"),
  subsystem: isText,
  text: isText,
});

const what = isText;

const isTraceEvent = variants("what", {
  token: shape({ what, from: isCount, to: isCount, seq: isInteger, retransmits: isCount, ring: isText }),
  join: shape({ what, from: isCount, proc: counts, failed: counts }),
  "commit-token": shape({ what, from: isCount, to: isCount, ring: isText }),
  "commit-token-lost": shape({ what, node: isCount, state: isText }),
  retransmit: shape({ what, from: isCount, seq: isInteger, ring: isText }),
  state: shape({ what, node: isCount, state: isText, reason: isInteger, ring: isText }),
  mcast: shape({ what, node: isCount, ring: isText, seq: isInteger }),
  deliver: shape({ what, node: isCount, from: isCount, ring: isText, seq: isInteger, bytes: isCount, digest: isText }),
  membership: shape({ what, node: isCount, ring: isText, members: counts, transitional: isFlag }),
  quorum: shape({ what, node: isCount, quorate: isFlag, ring: isText, members: counts }),
  power: shape({ what, state: oneOf("on", "off", "stalled") }),
  unit: shape({ what, unit: isText, state: oneOf("active", "inactive", "failed") }),
});

export const isEffect: Check = variants("kind", {
  send: shape({ kind, datagram: isDatagram }),
  journal: shape({ kind, line: isJournalLine }),
  output: shape({ kind, id: isText, stream: oneOf("stdout", "stderr"), text: isText }),
  prompt: shape({ kind, id: isText, echo: isFlag }),
  exit: shape({ kind, id: isText, status: isInteger }),
  "file-result": shape({ kind, path: isText }, { error: maybeText }),
  "file-reply": shape({ kind, id: isText, reply: isFileReply }),
  commit: shape({ kind, commit: isCommit }),
  session: shape({ kind, session: isText, pid: isCount, tty: isText }),
  "session-ended": shape({ kind, session: isText, exit: isExit }),
  "kill-result": shape({ kind, id: isText }, { error: maybeText }),
  trace: shape({ kind, event: isTraceEvent }),
});

const isLink = shapeOf<LinkStatus>({
  to: isCount,
  link: isCount,
  connected: isFlag,
  active: isFlag,
  latencyUs: isNumber,
  localAddress: isText,
  remoteAddress: isText,
  mtu: isCount,
  priority: isCount,
});

const isToken = shapeOf<TokenStatus>(
  {
    here: isFlag,
    rotations: isCount,
    retransmits: isCount,
    slowestRotationUs: isNumber,
    meanRotationUs: isNumber,
    tokenTimeoutMs: isNumber,
    consensusMs: isNumber,
    holdMs: isNumber,
    tokenRetransmitMs: isNumber,
  },
  { heldUntil: maybeWhen, lastReceived: maybeWhen },
);

const isCorosync = shapeOf<CorosyncStatus>({
  nodeId: isCount,
  state: oneOf("operational", "gather", "commit", "recovery"),
  ringId: isText,
  members: counts,
  representative: isCount,
  links: listOf(isLink),
  gathering: shape({ proc: counts, failed: counts, consensus: counts }),
  token: isToken,
  syncing: isFlag,
  nodelist: listOf(shape({ nodeId: isCount, name: isText, votes: isCount, addresses: texts })),
});

const isQdevice = shapeOf<QdeviceStatus>({
  model: isText,
  algorithm: isText,
  host: isText,
  votes: isCount,
  timeoutMs: isCount,
  registered: isFlag,
  alive: isFlag,
  castVote: isFlag,
  masterWins: isFlag,
  state: isText,
  lastPoll: either(isNull, isCount),
});

const isQnetd = shapeOf<QnetdStatus>({
  clusters: listOf(
    shape({
      name: isText,
      algorithm: isText,
      clients: listOf(shape({ nodeId: isCount, address: isText, ringId: isText, members: counts, vote: isText, connected: isFlag })),
      holders: counts,
      lastDecision: either(isNull, shape({ instant: isCount, winners: counts })),
    }),
  ),
});

const isOptions = shapeOf<QuorumOptions>({
  twoNode: isFlag,
  waitForAll: isFlag,
  waiting: isFlag,
  lastManStanding: isFlag,
  windowMs: isCount,
  windowEnds: either(isNull, isCount),
  tieBreaker: oneOf("none", "lowest", "highest", "list"),
  tieBreakerNodes: counts,
  allowDownscale: isFlag,
  tracking: isFlag,
});

const isQuorum = shapeOf<QuorumStatus>({
  quorate: isFlag,
  expectedVotes: isCount,
  highestExpected: isCount,
  totalVotes: isCount,
  quorum: isCount,
  flags: texts,
  qdevice: either(isNull, isQdevice),
  options: isOptions,
  votes: listOf(shape({ nodeId: isCount, votes: isCount, member: isFlag })),
});

export const isMachineStatus: Check = shapeOf<MachineStatus>({
  name: isText,
  kind: oneOf("node", "qnetd"),
  power: oneOf("on", "off", "stalled"),
  powerSince: isCount,
  booting: isFlag,
  worker: oneOf("alive", "lost"),
  units: mapOf(oneOf("active", "activating", "deactivating", "inactive", "failed")),
  nics: listOf(shapeOf<NicStatus>({ ...ofNic, up: isFlag, mtu: isCount })),
  corosync: either(isNull, isCorosync),
  quorum: either(isNull, isQuorum),
  qnetd: either(isNull, isQnetd),
  pmxcfs: isNull,
  ha: isNull,
  busy: isFlag,
});

/** What a machine is built from, apart from the fields that only some machines have. */
export const isMachineDesign: Check = shape(
  {
    kind: oneOf("node", "qnetd"),
    name: isText,
    hostname: isText,
    domain: isText,
    nics: listOf(shape(ofNic, { prefix: isCount })),
    hosts: listOf(shape({ address: isText, names: texts })),
    files: listOf(shape({ path: isText, data: isBytes }, { mode: isCount })),
    boot: isCount,
    disabledUnits: texts,
    power: oneOf("on", "off"),
  },
  { packages: texts },
);
