/**
 * What the hub and its workers say to each other, and the check of every message: msgpack of plain objects, one message a frame. What does not fit is no
 * message. The hub sends stretches without waiting, numbered; a worker confirms each in their order, and answers each question once. Stands where nothing stands in the
 * real stack: it is the lab's own wiring. Left out: who may speak at all, which the first message settles (worker-pool.ts).
 */
import { Packr } from "msgpackr";
import type { Datagram, Instant, MachineAct, MachineSnapshot } from "../kernel/index.ts";
import { isDatagram, isMachineAct } from "../kernel/act-shapes.ts";
import {
  either,
  isCount,
  isFlag,
  isInteger,
  isNumber,
  isOpaque,
  isText,
  isWhen,
  listOf,
  oneOf,
  shape,
  troubleWith,
  tuple,
  variants,
  type Check,
} from "../kernel/check.ts";
import { isDiskImage, isPiece } from "../kernel/file-shapes.ts";
import type { WorldFacts } from "../machine/index.ts";
import type { Load } from "../fuzz/index.ts";
import { isMachineDesign } from "../world/act-shapes.ts";
import type { MachineDesign } from "../world/index.ts";
import type { DiskDifference, DiskPlace } from "./disk-sink.ts";
import type { DigestPair, Entry } from "./event-log.ts";

/** Largest message either way, bytes: a snapshot of a node with a full journal is far below. */
export const MESSAGE_BYTES_MAX = 256 * 1024 * 1024;
/** Events of one stretch. Beyond it a machine wakes itself without end. */
export const STRETCH_EVENTS_MAX = 1_000_000;

/** What a machine meets: a packet that reaches it, or an act. Its timers are its own. */
export type StretchInput = { readonly at: Instant; readonly datagram: Datagram } | { readonly at: Instant; readonly act: MachineAct };

/** A stretch of virtual time, with all that happens to one machine in it, in the world's order. */
export interface Stretch {
  readonly ask: "stretch";
  readonly sequence: number;
  /** Where the world stood: a timer that is overdue runs here. */
  readonly from: Instant;
  /** Where the world stands now: no event is later. */
  readonly until: Instant;
  /** Events the machine has in it, timers too. */
  readonly events: number;
  readonly inputs: readonly StretchInput[];
  /** Whole seconds at which the state's digest is wanted. */
  readonly states: readonly Instant[];
  /** The stretch up to which this worker's digests have been compared. */
  readonly verified: number;
  /** The instant up to which all workers have confirmed. */
  readonly confirmed: Instant;
}

export type Ask =
  | {
      readonly ask: "begin";
      readonly id: number;
      readonly facts: WorldFacts;
      readonly design: MachineDesign;
      /** What a program on the node multicasts; absent: there is none. */
      readonly load?: Load | undefined;
      /** Goes on from there; absent: as the design says. */
      readonly snapshot?: MachineSnapshot | undefined;
      /** Absent: the machine has no disk outside this process. */
      readonly disk?: DiskPlace | undefined;
    }
  | Stretch
  /** What stands at a place of a stretch whose digest was another one than the hub's. */
  | { readonly ask: "entry"; readonly id: number; readonly sequence: number; readonly index: number }
  | { readonly ask: "bye" };

export type Answer =
  /** The first word of a worker: that it is of this run, and which of those the hub has started. */
  | { readonly say: "hello"; readonly run: string; readonly secret: string; readonly worker: number }
  | { readonly say: "begun"; readonly id: number; readonly next: Instant; readonly disk?: DiskDifference | undefined }
  /** The stretch is done, its commits are on disk, and the digest of everything so far is this. */
  | { readonly say: "confirm"; readonly sequence: number; readonly digest: DigestPair }
  | { readonly say: "entry"; readonly id: number; readonly entry?: Entry | undefined }
  /** The machine broke an assertion. */
  | { readonly say: "failed"; readonly message: string }
  /** What came was no question that it understands; it has done nothing. */
  | { readonly say: "refused"; readonly message: string };

const id = isCount;
const ask = isText;
const say = isText;
const at = isCount;

const isLoad = shape({ from: isCount, until: isCount, every: isCount, burst: isCount, bytes: isCount });

const isAsk: Check = variants("ask", {
  begin: shape(
    { ask, id, facts: shape({ seed: isText, epochUnixMicros: isNumber }), design: isMachineDesign },
    { load: isLoad, snapshot: isOpaque, disk: shape({ dir: isText, number: isCount, look: isFlag }) },
  ),
  stretch: shape({
    ask,
    sequence: isCount,
    from: isCount,
    until: isCount,
    events: isCount,
    inputs: listOf(either(shape({ at, datagram: isDatagram }), shape({ at, act: isMachineAct })), STRETCH_EVENTS_MAX),
    states: listOf(isCount, STRETCH_EVENTS_MAX),
    verified: isCount,
    confirmed: isInteger,
  }),
  entry: shape({ ask, id, sequence: isCount, index: isCount }),
  bye: shape({ ask }),
});

const isDiskDifference = variants("found", {
  other: shape({ found: isText, image: isDiskImage, chunks: listOf(isPiece), foreign: isCount }),
  damaged: shape({ found: isText, why: isText, aside: isText }),
});

const isDigest = tuple(isInteger, isInteger);

const isAnswer: Check = variants("say", {
  hello: shape({ say, run: isText, secret: isText, worker: isCount }),
  begun: shape({ say, id, next: isWhen }, { disk: isDiskDifference }),
  confirm: shape({ say, sequence: isCount, digest: isDigest }),
  entry: shape({ say, id }, { entry: shape({ kind: oneOf("act", "timer", "datagram", "state"), at, next: isWhen, digest: isDigest }) }),
  failed: shape({ say, message: isText }),
  refused: shape({ say, message: isText }),
});

/**
 * Objects that go to and fro all the time, as their keys in the order in which they are made: both ends know them, so that no message has to say them again.
 * What is not among them, or in another order, says its keys itself.
 */
const KNOWN = [
  ["ask", "sequence", "from", "until", "events", "inputs", "states", "verified", "confirmed"],
  ["at", "datagram"],
  ["at", "act"],
  ["proto", "net", "src", "srcPort", "dst", "dstPort", "bytes"],
  ["proto", "net", "src", "srcPort", "dst", "dstPort", "bytes", "wire"],
  ["say", "sequence", "digest"],
];

/** They are fixed: the ends would not hear of one that either of them added. Byte arrays stay byte arrays, maps maps and sets sets: a snapshot holds all three. */
function coder(): Packr {
  const structures = Object.assign([...KNOWN], { sharedLength: KNOWN.length });
  return new Packr({ moreTypes: true, structures, maxSharedStructures: KNOWN.length });
}

const packr = coder();
let unpackr = coder();

export function pack(message: Ask | Answer): Uint8Array {
  return packr.pack(message);
}

/** The message, where `check` knows it. What is none may have told the decoder other keys than the known ones: the next is read by a new one. */
function unpack(bytes: Uint8Array, check: Check): unknown {
  const { value } = decode(bytes);
  if (check(value)) return value;
  unpackr = coder();
  return undefined;
}

function decode(bytes: Uint8Array): { readonly value: unknown } {
  try {
    return { value: unpackr.unpack(bytes) };
  } catch {
    // Cut short, or no msgpack at all.
    return { value: undefined };
  }
}

/** Undefined where it is no question of a hub. */
export function unpackAsk(bytes: Uint8Array): Ask | undefined {
  // The check is exact, so the value is what the type says.
  return unpack(bytes, isAsk) as Ask | undefined;
}

/** Why `unpackAsk` takes this for no question: where, and what is allowed. */
export function troubleWithAsk(bytes: Uint8Array): string {
  const { value } = decode(bytes);
  unpackr = coder();
  return troubleWith(value, isAsk) ?? "no message";
}

/** Undefined where it is no answer of a worker. */
export function unpackAnswer(bytes: Uint8Array): Answer | undefined {
  return unpack(bytes, isAnswer) as Answer | undefined;
}
