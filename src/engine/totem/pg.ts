/**
 * The process-group layer above totemsrp (totempg): packs small messages into one frame while they wait for the token, splits large ones over
 * frames, and puts them together again. Left out: more than one local user of the layer; corosync's main loop is the only one.
 */
import { ByteReader, ByteWriter, MESSAGE_SIZE_MAX, ShortPacket, cloneState, type Hasher } from "../kernel/index.ts";

/** Room for the Totem and packing headers in a packet. */
const HEADER_BYTES = 64;

/** The longest message a service may send, with the two bytes that name the service and the handler. */
const LONGEST = MESSAGE_SIZE_MAX + 2;

/** Message lengths a frame can list. */
const PACK_MESSAGES_MAX = 4096;

export interface PgState {
  pack: Uint8Array[];
  packBytes: number;
  /** The first piece of the pack goes on with a message of the frame before. */
  packContinues: boolean;
  /** Pieces of unfinished messages by originator. */
  assembly: Map<number, Uint8Array[]>;
}

export class TotemPg {
  private s: PgState = { pack: [], packBytes: 0, packContinues: false, assembly: new Map() };

  /** Bytes of messages in one frame. */
  private readonly frameBytes: number;

  /**
   * @param netMtu bytes at which a packet ends, more than its headers
   * @param queueFrame takes a full frame; false when the ring's queue is full, which `room` must have ruled out
   */
  constructor(
    netMtu: number,
    private readonly queueFrame: (frame: Uint8Array) => void,
    private readonly room: () => number,
  ) {
    this.frameBytes = netMtu - HEADER_BYTES;
  }

  /** Queues one message. False: no room, try again (CS_ERR_TRY_AGAIN); longer than LONGEST is a caller's error. */
  mcast(payload: Uint8Array): boolean {
    if (payload.length > LONGEST) throw new Error(`message of ${payload.length} bytes, at most ${LONGEST}`);
    const frames = Math.ceil((this.s.packBytes + payload.length) / this.frameBytes);
    if (frames > this.room() || this.s.pack.length >= PACK_MESSAGES_MAX) return false;
    let rest = payload;
    for (;;) {
      const free = this.frameBytes - this.s.packBytes;
      if (rest.length <= free) {
        this.add(rest);
        return true;
      }
      this.add(rest.subarray(0, free));
      rest = rest.subarray(free);
      this.seal(true);
    }
  }

  private add(piece: Uint8Array): void {
    this.s.pack.push(piece);
    this.s.packBytes += piece.length;
  }

  private seal(unfinished: boolean): void {
    const w = new ByteWriter().u8((this.s.packContinues ? 1 : 0) | (unfinished ? 2 : 0)).u16(this.s.pack.length);
    for (const piece of this.s.pack) w.u32(piece.length);
    for (const piece of this.s.pack) w.raw(piece);
    this.queueFrame(w.done());
    this.s.pack = [];
    this.s.packBytes = 0;
    this.s.packContinues = unfinished;
  }

  /** The token is here: what has been packed so far goes out with it. */
  flush(): void {
    if (this.s.pack.length > 0) this.seal(false);
  }

  get waiting(): boolean {
    return this.s.pack.length > 0;
  }

  /** Takes one frame from the total order and gives the messages completed by it. */
  deliver(from: number, frame: Uint8Array, out: (payload: Uint8Array) => void): void {
    let pieces: Uint8Array[];
    let flags: number;
    try {
      const r = new ByteReader(frame);
      flags = r.u8();
      const lengths: number[] = [];
      for (let n = r.u16(); n > 0; n--) lengths.push(r.u32());
      pieces = lengths.map((n) => r.raw(n));
    } catch (error) {
      if (error instanceof ShortPacket) return;
      throw error;
    }
    pieces.forEach((piece, i) => {
      const continues = i === 0 && (flags & 1) !== 0;
      const unfinished = i === pieces.length - 1 && (flags & 2) !== 0;
      const begun = continues ? this.s.assembly.get(from) : [];
      // A node that joined in the middle of a long message has not seen its beginning and drops the rest.
      if (begun === undefined) return;
      const all = [...begun, piece];
      if (unfinished) this.s.assembly.set(from, all);
      else {
        this.s.assembly.delete(from);
        out(all.length === 1 ? piece : concat(all));
      }
    });
  }

  /** Unfinished messages of nodes that left will never be finished. */
  forget(left: readonly number[]): void {
    for (const id of left) this.s.assembly.delete(id);
  }

  snapshot(): PgState {
    return cloneState(this.s);
  }

  restore(state: PgState): void {
    this.s = cloneState(state);
  }

  digest(h: Hasher): void {
    h.int(this.s.pack.length).int(this.s.packBytes).bool(this.s.packContinues);
    for (const [from, pieces] of this.s.assembly) h.int(from).int(pieces.length);
  }
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const w = new ByteWriter();
  for (const p of pieces) w.raw(p);
  return w.done();
}
