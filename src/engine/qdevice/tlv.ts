/**
 * The messages between corosync-qdevice and corosync-qnetd as bytes: a header (type u16, length u32) and options (type u16, length u16, value), all big-endian.
 * In the real stack: tlv.c, msg.c and msgio.c. A message is a record of its options; which ones a type must have is the receiver's business. Left out:
 * TLS, whose records would wrap these bytes.
 */
import { ByteReader, ByteWriter, ShortPacket, fromUtf8, utf8 } from "../kernel/index.ts";
import type { RingId } from "../totem/types.ts";

/** Both daemons' default port. */
export const QNETD_PORT = 5403;

export const MSG = {
  preinit: 0,
  preinitReply: 1,
  starttls: 2,
  init: 3,
  initReply: 4,
  serverError: 5,
  setOption: 6,
  setOptionReply: 7,
  echoRequest: 8,
  echoReply: 9,
  nodeList: 10,
  nodeListReply: 11,
  askForVote: 12,
  askForVoteReply: 13,
  voteInfo: 14,
  voteInfoReply: 15,
  heuristicsChange: 16,
  heuristicsChangeReply: 17,
} as const;

/** Largest message either side takes (both daemons' default of 32768). */
export const MESSAGE_BYTES_MAX = 32_768;
const HEADER_BYTES = 6;

/** Types every daemon of this version knows, and option numbers. */
export const MESSAGE_TYPES: readonly number[] = Object.values(MSG);
export const OPTION_TYPES: readonly number[] = Array.from({ length: 24 }, (_, i) => i);

export type Vote = "ACK" | "NACK" | "Ask later" | "Wait for reply" | "No change";
export type Heuristics = "Undefined" | "Pass" | "Fail";
export type NodeStateWord = "not set" | "member" | "dead" | "leaving";
export type NodeListType = "initial config" | "changed config" | "membership" | "quorum";
export type Algorithm = "test" | "ffsplit" | "2nodelms" | "lms";
export interface TieBreaker {
  readonly mode: "lowest" | "highest" | "node-id";
  /** 0 unless `mode` is node-id. */
  readonly nodeId: number;
}

/** Names by their number on the wire; "" where a number has none. */
const VOTES: readonly (Vote | "")[] = ["", "ACK", "NACK", "Ask later", "Wait for reply", "No change"];
const HEURISTICS: readonly Heuristics[] = ["Undefined", "Pass", "Fail"];
const STATES: readonly NodeStateWord[] = ["not set", "member", "dead", "leaving"];
const LIST_TYPES: readonly NodeListType[] = ["initial config", "changed config", "membership", "quorum"];
export const ALGORITHMS: readonly Algorithm[] = ["test", "ffsplit", "2nodelms", "lms"];
const TIE_MODES: readonly (TieBreaker["mode"] | "")[] = ["", "lowest", "highest", "node-id"];

export interface NodeInfo {
  readonly nodeId: number;
  readonly dataCenterId: number;
  readonly state: NodeStateWord;
}

/** How both daemons print a node list at debug level. */
export function nodeListLines(nodes: readonly NodeInfo[]): string[] {
  return [
    "  Node list:",
    ...nodes.map((n, i) => `    ${i} node_id = ${n.nodeId}, data_center_id = ${n.dataCenterId}, node_state = ${n.state}`),
  ];
}

/** One message: its type and whatever options it has. */
export interface Message {
  readonly type: number;
  readonly seq?: number;
  readonly clusterName?: string;
  /** 0 unsupported, 1 supported, 2 required. */
  readonly tlsSupported?: number;
  readonly tlsClientCertRequired?: boolean;
  readonly supportedMessages?: readonly number[];
  readonly supportedOptions?: readonly number[];
  readonly replyErrorCode?: number;
  readonly serverMaximumRequestSize?: number;
  readonly serverMaximumReplySize?: number;
  readonly nodeId?: number;
  readonly supportedAlgorithms?: readonly number[];
  /** A number: it may be one that nobody knows. */
  readonly algorithm?: number;
  readonly heartbeatMs?: number;
  readonly ring?: RingId;
  readonly configVersion?: number;
  readonly dataCenterId?: number;
  readonly nodes?: readonly NodeInfo[];
  readonly listType?: NodeListType;
  readonly vote?: Vote;
  readonly quorate?: boolean;
  readonly tieBreaker?: TieBreaker;
  readonly heuristics?: Heuristics;
  readonly keepActivePartition?: boolean;
}

// ── writing ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function be16(w: ByteWriter, v: number): ByteWriter {
  return w.u8((v >>> 8) & 0xff).u8(v & 0xff);
}

function be32(w: ByteWriter, v: number): ByteWriter {
  return be16(be16(w, Math.floor(v / 65_536) % 65_536), v % 65_536);
}

function be64(w: ByteWriter, v: number): ByteWriter {
  return be32(be32(w, Math.floor(v / 4_294_967_296)), v % 4_294_967_296);
}

const u8 = (v: number): Uint8Array => new ByteWriter().u8(v).done();
const u16 = (v: number): Uint8Array => be16(new ByteWriter(), v).done();
const u32 = (v: number): Uint8Array => be32(new ByteWriter(), v).done();
const u64 = (v: number): Uint8Array => be64(new ByteWriter(), v).done();

function u16s(list: readonly number[]): Uint8Array {
  const w = new ByteWriter();
  for (const v of list) be16(w, v);
  return w.done();
}

function options(w: ByteWriter, list: readonly (readonly [number, Uint8Array | undefined])[]): ByteWriter {
  for (const [type, value] of list) if (value !== undefined) be16(be16(w, type), value.length).raw(value);
  return w;
}

function nodeInfo(node: NodeInfo): Uint8Array {
  const list: [number, Uint8Array | undefined][] = [
    [9, u32(node.nodeId)],
    [15, node.dataCenterId === 0 ? undefined : u32(node.dataCenterId)],
    [16, node.state === "not set" ? undefined : u8(STATES.indexOf(node.state))],
  ];
  return options(new ByteWriter(), list).done();
}

function on<T>(value: T | undefined, write: (value: T) => Uint8Array): Uint8Array | undefined {
  return value === undefined ? undefined : write(value);
}

const flag = (v: boolean): Uint8Array => u8(v ? 1 : 0);

/** The bytes of a message. */
export function encodeMessage(m: Message): Uint8Array {
  const body = options(new ByteWriter(), [
    [0, on(m.seq, u32)],
    [1, on(m.clusterName, utf8)],
    [2, on(m.tlsSupported, u8)],
    [3, on(m.tlsClientCertRequired, flag)],
    [4, on(m.supportedMessages, u16s)],
    [5, on(m.supportedOptions, u16s)],
    [6, on(m.replyErrorCode, u16)],
    [7, on(m.serverMaximumRequestSize, u32)],
    [8, on(m.serverMaximumReplySize, u32)],
    [9, on(m.nodeId, u32)],
    [10, on(m.supportedAlgorithms, u16s)],
    [11, on(m.algorithm, u16)],
    [12, on(m.heartbeatMs, u32)],
    [13, on(m.ring, (r) => be64(be32(new ByteWriter(), r.rep), r.seq).done())],
    [14, on(m.configVersion, u64)],
    [15, on(m.dataCenterId, u32)],
    [18, on(m.listType, (t) => u8(LIST_TYPES.indexOf(t)))],
    [19, on(m.vote, (v) => u8(VOTES.indexOf(v)))],
    [20, on(m.quorate, flag)],
    [21, on(m.tieBreaker, (t) => be32(new ByteWriter().u8(TIE_MODES.indexOf(t.mode)), t.nodeId).done())],
    [22, on(m.heuristics, (v) => u8(HEURISTICS.indexOf(v)))],
    [23, on(m.keepActivePartition, flag)],
    ...(m.nodes ?? []).map((n): readonly [number, Uint8Array] => [17, nodeInfo(n)]),
  ]).done();
  return be32(be16(new ByteWriter(), m.type), body.length).raw(body).done();
}

// ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const g16 = (r: ByteReader): number => r.u8() * 256 + r.u8();
const g32 = (r: ByteReader): number => g16(r) * 65_536 + g16(r);
const g64 = (r: ByteReader): number => g32(r) * 4_294_967_296 + g32(r);

/** A message that says something impossible. The receiver answers or hangs up. */
export class BadMessage extends Error {}

function word<T extends string>(list: readonly (T | "")[], number: number): T {
  const found = list[number];
  if (found === undefined || found === "") throw new BadMessage(`no such value ${number}`);
  return found;
}

function list16(r: ByteReader): number[] {
  const out: number[] = [];
  while (r.left > 0) out.push(g16(r));
  return out;
}

function readNode(r: ByteReader): NodeInfo {
  let [nodeId, dataCenterId] = [0, 0];
  let state: NodeStateWord = "not set";
  while (r.left > 0) {
    const type = g16(r);
    const value = new ByteReader(r.raw(g16(r)));
    if (type === 9) nodeId = g32(value);
    else if (type === 15) dataCenterId = g32(value);
    else if (type === 16) state = word(STATES, value.u8());
  }
  if (nodeId === 0) throw new BadMessage("node without id");
  return { nodeId, dataCenterId, state };
}

type Draft = { -readonly [K in keyof Message]: Message[K] };

function readOption(m: Draft, nodes: NodeInfo[], type: number, r: ByteReader): void {
  switch (type) {
    case 0:
      m.seq = g32(r);
      return;
    case 1:
      m.clusterName = fromUtf8(r.raw(r.left));
      return;
    case 2:
      m.tlsSupported = r.u8();
      return;
    case 3:
      m.tlsClientCertRequired = r.u8() !== 0;
      return;
    case 4:
      m.supportedMessages = list16(r);
      return;
    case 5:
      m.supportedOptions = list16(r);
      return;
    case 6:
      m.replyErrorCode = g16(r);
      return;
    case 7:
      m.serverMaximumRequestSize = g32(r);
      return;
    case 8:
      m.serverMaximumReplySize = g32(r);
      return;
    case 9:
      m.nodeId = g32(r);
      return;
    case 10:
      m.supportedAlgorithms = list16(r);
      return;
    case 11:
      m.algorithm = g16(r);
      return;
    case 12:
      m.heartbeatMs = g32(r);
      return;
    case 13:
      m.ring = { rep: g32(r), seq: g64(r) };
      return;
    case 14:
      m.configVersion = g64(r);
      return;
    case 15:
      m.dataCenterId = g32(r);
      return;
    case 17:
      nodes.push(readNode(r));
      return;
    case 18:
      m.listType = word(LIST_TYPES, r.u8());
      return;
    case 19:
      m.vote = word(VOTES, r.u8());
      return;
    case 20:
      m.quorate = r.u8() !== 0;
      return;
    case 21:
      m.tieBreaker = { mode: word(TIE_MODES, r.u8()), nodeId: g32(r) };
      return;
    case 22:
      m.heuristics = word(HEURISTICS, r.u8());
      return;
    case 23:
      m.keepActivePartition = r.u8() !== 0;
      return;
    default: // An option of a later version: passed over.
  }
}

/** The message in these bytes (header included). Throws BadMessage. */
export function decodeMessage(bytes: Uint8Array): Message {
  const r = new ByteReader(bytes);
  const m: Draft = { type: g16(r) };
  const nodes: NodeInfo[] = [];
  try {
    if (g32(r) !== r.left) throw new BadMessage("length of the header is not that of the message");
    while (r.left > 0) {
      const type = g16(r);
      readOption(m, nodes, type, new ByteReader(r.raw(g16(r))));
    }
  } catch (error) {
    if (error instanceof ShortPacket) throw new BadMessage("an option ends after its message");
    throw error;
  }
  if (nodes.length > 0 || m.type === MSG.nodeList) m.nodes = nodes;
  return m;
}

/**
 * Cuts whole messages off a stream. `rest` waits for more bytes; `tooLong`: the header announces more than MESSAGE_BYTES_MAX, and nothing after it can be read.
 */
export function cutMessages(stream: Uint8Array): { messages: Uint8Array[]; rest: Uint8Array; tooLong: boolean } {
  const messages: Uint8Array[] = [];
  let at = 0;
  while (stream.length - at >= HEADER_BYTES) {
    const r = new ByteReader(stream.subarray(at + 2, at + HEADER_BYTES));
    const end = at + HEADER_BYTES + g32(r);
    if (end - at > MESSAGE_BYTES_MAX) return { messages, rest: stream.slice(at), tooLong: true };
    if (end > stream.length) break;
    messages.push(stream.slice(at, end));
    at = end;
  }
  return { messages, rest: stream.slice(at), tooLong: false };
}

export function joinBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
