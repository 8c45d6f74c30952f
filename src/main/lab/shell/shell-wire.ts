/** A shell's acts, file calls and effects as JSON messages carry them: byte strings as base64, everything else as it is. */
import type { Effect, FileCallAct, MachineAct, SessionAct } from "../../../engine/kernel/machine.ts";
import type { FileCall, FileReply } from "../../../engine/kernel/vfs.ts";

type Wire = Record<string, unknown>;

export type ShellAct = SessionAct | FileCallAct | Extract<MachineAct, { kind: "command-input" | "command-signal" }>;

const toBase64 = (data: Uint8Array): string => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");
const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"));

export function callToWire(call: FileCall): Wire {
  return call.call === "write" ? { ...call, data: toBase64(call.data) } : { ...call };
}

/** Of a call that the API's schema has let pass. */
export function callFromWire(wire: Wire): FileCall {
  const call = wire as unknown as FileCall;
  return call.call === "write" ? { ...call, data: fromBase64(wire["data"] as string) } : call;
}

/** Of an act of a shell that the API's schema has let pass. */
export function actFromWire(wire: Wire): ShellAct {
  const act = wire as unknown as ShellAct;
  return act.kind === "file" ? { ...act, call: callFromWire(wire["call"] as Wire) } : act;
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
