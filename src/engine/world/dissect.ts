/**
 * What stands in a packet, by the names of its fields, for whoever looks at one that is under way: knet's header, and in it Totem's messages. In the real stack: what a
 * capture shows with the key at hand. Left out: the text inside TCP, and what cpg's messages mean.
 */
import type { Datagram } from "../kernel/index.ts";
import { open } from "../knet/packets.ts";
import { decode, messageType, ORF_TOKEN, type TotemMessage } from "../totem/messages.ts";
import { ringIdText } from "../totem/types.ts";

export interface Field {
  readonly name: string;
  readonly text: string;
}

export interface Dissected {
  /** "token", "join", "ping" …; of what is no packet of knet the protocol. */
  readonly kind: string;
  /** Ring that it belongs to, as corosync prints it; undefined where it names none. */
  readonly ring: string | undefined;
  readonly seq: number | undefined;
  /** Sent by Totem: what a ring and a membership are made of. */
  readonly totem: boolean;
  readonly fields: readonly Field[];
}

const field = (name: string, value: number | string | boolean): Field => ({ name, text: String(value) });
const ids = (list: readonly number[]): string => (list.length === 0 ? "none" : list.join(" "));

/** Field names are those of totemsrp's structs. */
function ofTotem(message: TotemMessage): Dissected {
  switch (message.type) {
    case 0: {
      const { seq, tokenSeq, aru, aruAddr, backlog, fcc, retransFlg, rtr } = message;
      const ring = ringIdText(message.ring);
      const fields = [field("ring_id", ring), field("seq", seq), field("token_seq", tokenSeq), field("aru", aru)];
      fields.push(field("aru_addr", aruAddr), field("backlog", backlog), field("fcc", fcc), field("retrans_flg", retransFlg ? 1 : 0));
      fields.push(field("rtr_list", ids(rtr.map((item) => item.seq))));
      return { kind: "token", ring, seq, totem: true, fields };
    }
    case 1: {
      const ring = ringIdText(message.ring);
      const fields = [field("ring_id", ring), field("seq", message.seq), field("sender", message.from)];
      fields.push(field("encapsulated", message.encapsulated ? 1 : 0), field("payload", `${message.payload.length} bytes`));
      return { kind: "message", ring, seq: message.seq, totem: true, fields };
    }
    case 3: {
      const fields = [field("sender", message.from), field("ring_seq", message.ringSeq.toString(16))];
      fields.push(field("proc_list", ids(message.proc)), field("failed_list", ids(message.failed)));
      return { kind: message.leave ? "leave" : "join", ring: undefined, seq: undefined, totem: true, fields };
    }
    case 4: {
      const ring = ringIdText(message.ring);
      const fields = [field("ring_id", ring), field("token_seq", message.tokenSeq), field("addr", ids(message.addrs))];
      fields.push(field("memb_index", message.membIndex), field("retrans_flg", message.retransFlg ? 1 : 0));
      return { kind: "commit token", ring, seq: undefined, totem: true, fields };
    }
    default: {
      const ring = ringIdText(message.ring);
      const kind = message.type === 2 ? "merge detect" : "hold cancel";
      return { kind, ring, seq: undefined, totem: true, fields: [field("ring_id", ring), field("sender", message.from)] };
    }
  }
}

const plain = (kind: string, fields: readonly Field[] = []): Dissected => ({
  kind,
  ring: undefined,
  seq: undefined,
  totem: false,
  fields,
});

/** knet's key goes with each packet as a mark, so that any of them can be looked into. */
function opened({ bytes }: Datagram): ReturnType<typeof open> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes.length < 9 ? undefined : open([view.getUint32(0, true), view.getUint32(4, true), 0], bytes);
}

/** What a packet carries. */
export function dissect(datagram: Datagram): Dissected {
  if (datagram.proto !== "udp") return plain(datagram.proto === "tcp" ? "TCP segment" : datagram.proto.replaceAll("-", " "));
  const packet = opened(datagram);
  if (packet === undefined || packet.type === "foreign") return plain("UDP datagram");
  const from = field("node ID", packet.from);
  switch (packet.type) {
    case 1: {
      const part = [from, field("knet seq", packet.seq)];
      if (packet.fragments > 1) part.push(field("fragment", `${packet.index + 1} of ${packet.fragments}`));
      // Only the first fragment has Totem's header, and none the whole message.
      const message = packet.fragments > 1 ? undefined : decode(packet.bytes);
      if (message === undefined) return plain("data", part);
      const inner = ofTotem(message);
      return { ...inner, fields: [...inner.fields, ...part] };
    }
    case 2:
      return plain("ping", [from]);
    case 3:
      return plain("pong", [from]);
    case 4:
      return plain("path MTU probe", [from, field("size", packet.size)]);
    default:
      return plain("path MTU answer", [from, field("size", packet.size)]);
  }
}

/** Ring of the token in it; undefined where there is none. Less work than `dissect`. */
export function tokenRing(datagram: Datagram): string | undefined {
  if (datagram.proto !== "udp") return undefined;
  const packet = opened(datagram);
  if (packet === undefined || packet.type !== 1 || packet.fragments > 1 || messageType(packet.bytes) !== ORF_TOKEN) return undefined;
  const message = decode(packet.bytes);
  return message?.type === ORF_TOKEN ? ringIdText(message.ring) : undefined;
}

/** It carries something of Totem that a person looks for: a token, a message, a join, a commit token. */
export function isTotem(datagram: Datagram): boolean {
  if (datagram.proto !== "udp") return false;
  const packet = opened(datagram);
  if (packet === undefined || packet.type !== 1) return false;
  const type = packet.fragments > 1 ? undefined : messageType(packet.bytes);
  return type !== undefined && type !== 2 && type !== 5;
}
