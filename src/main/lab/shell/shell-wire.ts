/** A shell's acts, file calls and effects as JSON messages carry them: byte strings as base64, everything else as it is. */
import type { Effect } from "../../../engine/kernel/machine.ts";
import type { FileCall, FileReply } from "../../../engine/kernel/vfs.ts";

type Wire = Record<string, unknown>;

const toBase64 = (data: Uint8Array): string => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");
export const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"));

export function callToWire(call: FileCall): Wire {
  return call.call === "write" ? { ...call, data: toBase64(call.data) } : { ...call };
}

export function replyToWire(reply: FileReply | "would-wait"): unknown {
  return typeof reply !== "string" && reply.ok && reply.value === "data" ? { ...reply, data: toBase64(reply.data) } : reply;
}

/** From the lab, which is our own program. */
export function replyFromWire(wire: unknown): FileReply | "would-wait" {
  const reply = wire as FileReply | "would-wait";
  if (typeof reply === "string" || !reply.ok || reply.value !== "data") return reply;
  return { ...reply, data: fromBase64(reply.data as unknown as string) };
}

export function effectToWire(effect: Effect): Wire {
  return effect.kind === "file-reply" ? { ...effect, reply: replyToWire(effect.reply) } : { ...effect };
}

/** From the lab, which is our own program. */
export function effectFromWire(wire: Wire): Effect {
  const effect = wire as unknown as Effect;
  if (effect.kind !== "file-reply") return effect;
  const reply = replyFromWire(effect.reply);
  if (reply === "would-wait") throw new Error("a file call that was made has no such reply");
  return { ...effect, reply };
}
