/**
 * What the hub and its workers say to each other, and the check of every message: msgpack of plain objects, one message a frame. What does not fit is no
 * message. The hub asks, numbered; a worker answers each once. Stands where nothing stands in the real stack: it is the lab's own wiring. Left out: who may
 * speak at all, which the first message settles (crew.ts).
 */
import { Packr } from "msgpackr";
import type { Datagram, Effect, Instant, MachineAct, MachineQuery, MachineSnapshot, MachineStatus, QueryReply } from "../kernel/index.ts";
import type { WorldFacts } from "../machine/index.ts";
import type { Load } from "../fuzz/index.ts";
import type { MachineDesign } from "../world/index.ts";
import { isCount, isFlag, isInteger, isNumber, isOpaque, isText, isWhen, listOf, shape, tuple, variants, type Check } from "./check.ts";
import { isDatagram, isEffect, isMachineAct, isMachineDesign, isMachineQuery, isMachineStatus, isQueryReply } from "./shapes.ts";

/** Largest message either way, bytes: a snapshot of a node with a full journal is far below. */
export const MESSAGE_BYTES_MAX = 256 * 1024 * 1024;
/** Events of one grant. Beyond it a machine wakes itself without end. */
export const GRANT_EVENTS_MAX = 100_000;

/** A packet that reaches the machine, in the world's order. */
export type Arrival = readonly [at: Instant, datagram: Datagram];

/** Everything the machine has to do before `until`. */
export interface Grant {
  readonly ask: "grant";
  readonly id: number;
  /** Where the world stands: a timer that is overdue runs here. */
  readonly from: Instant;
  readonly until: Instant;
  readonly arrivals: readonly Arrival[];
  /** One event alone: the packet if there is one, else the next timer. */
  readonly single: boolean;
  /** The state's digest is wanted with the answer. */
  readonly state: boolean;
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
    }
  | Grant
  | { readonly ask: "act"; readonly id: number; readonly at: Instant; readonly act: MachineAct }
  | { readonly ask: "state"; readonly id: number }
  | { readonly ask: "query"; readonly id: number; readonly at: Instant; readonly query: MachineQuery }
  | { readonly ask: "status"; readonly id: number; readonly at: Instant }
  | { readonly ask: "snapshot"; readonly id: number }
  | { readonly ask: "bye" };

export type StateWords = readonly [number, number];

/** One event that a machine has run. */
export interface Ran {
  readonly kind: "act" | "timer" | "datagram";
  readonly at: Instant;
  /** The machine's next timer after it. */
  readonly next: Instant;
  readonly effects: readonly Effect[];
}

export type Answer =
  /** The first word of a worker: that it is of this run, and which of those the hub has started. */
  | { readonly say: "hello"; readonly run: string; readonly secret: string; readonly worker: number }
  | { readonly say: "begun"; readonly id: number; readonly next: Instant }
  | { readonly say: "ran"; readonly id: number; readonly events: readonly Ran[]; readonly state?: StateWords | undefined }
  | { readonly say: "state"; readonly id: number; readonly state: StateWords }
  | { readonly say: "reply"; readonly id: number; readonly reply: QueryReply }
  | { readonly say: "status"; readonly id: number; readonly status: MachineStatus }
  | { readonly say: "snapshot"; readonly id: number; readonly snapshot: MachineSnapshot }
  /** The machine broke an assertion. */
  | { readonly say: "failed"; readonly id: number; readonly message: string };

const id = isCount;
const ask = isText;
const say = isText;
const at = isCount;

const isLoad = shape({ from: isCount, until: isCount, every: isCount, burst: isCount, bytes: isCount });

const isAsk: Check = variants("ask", {
  begin: shape(
    { ask, id, facts: shape({ seed: isText, epochUnixMicros: isNumber }), design: isMachineDesign },
    { load: isLoad, snapshot: isOpaque },
  ),
  grant: shape({
    ask,
    id,
    from: isCount,
    until: isCount,
    arrivals: listOf(tuple(isCount, isDatagram), GRANT_EVENTS_MAX),
    single: isFlag,
    state: isFlag,
  }),
  act: shape({ ask, id, at, act: isMachineAct }),
  state: shape({ ask, id }),
  query: shape({ ask, id, at, query: isMachineQuery }),
  status: shape({ ask, id, at }),
  snapshot: shape({ ask, id }),
  bye: shape({ ask }),
});

const isState = tuple(isInteger, isInteger);
const ran = { kind: isText, at, next: isWhen, effects: listOf(isEffect) };
const isRan = variants("kind", { act: shape(ran), timer: shape(ran), datagram: shape(ran) });

const isAnswer: Check = variants("say", {
  hello: shape({ say, run: isText, secret: isText, worker: isCount }),
  begun: shape({ say, id, next: isWhen }),
  ran: shape({ say, id, events: listOf(isRan, GRANT_EVENTS_MAX) }, { state: isState }),
  state: shape({ say, id, state: isState }),
  reply: shape({ say, id, reply: isQueryReply }),
  status: shape({ say, id, status: isMachineStatus }),
  snapshot: shape({ say, id, snapshot: isOpaque }),
  failed: shape({ say, id, message: isText }),
});

/**
 * Objects that go to and fro all the time, as their keys in the order in which they are made: both ends know them, so that no message has to say them again.
 * What is not among them, or in another order, says its keys itself.
 */
const KNOWN = [
  ["ask", "from", "until", "arrivals", "single", "state", "id"],
  ["say", "id", "events"],
  ["say", "id", "events", "state"],
  ["kind", "at", "next", "effects"],
  ["ask", "id"],
  ["say", "id", "state"],
  ["kind", "datagram"],
  ["proto", "net", "src", "srcPort", "dst", "dstPort", "bytes", "wire"],
  ["kind", "event"],
  ["what", "from", "to", "seq", "retransmits", "ring"],
  ["what", "node", "ring", "seq"],
  ["what", "node", "from", "ring", "seq", "bytes", "digest"],
  ["kind", "line"],
  ["instant", "unit", "pid", "level", "subsystem", "text"],
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
  try {
    const value: unknown = unpackr.unpack(bytes);
    if (check(value)) return value;
  } catch {
    // Cut short, or no msgpack at all: whoever asked drops and counts it.
  }
  unpackr = coder();
  return undefined;
}

/** Undefined where it is no question of a hub. */
export function unpackAsk(bytes: Uint8Array): Ask | undefined {
  // The check is exact, so the value is what the type says.
  return unpack(bytes, isAsk) as Ask | undefined;
}

/** Undefined where it is no answer of a worker. */
export function unpackAnswer(bytes: Uint8Array): Answer | undefined {
  return unpack(bytes, isAnswer) as Answer | undefined;
}
